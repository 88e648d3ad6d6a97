"""How a run talks to whoever started it: control (cancel, pause, finish early) and events (frozen dataclasses).

States of a :class:`RunControl`::

    running --pause()--> paused --resume()--> running
    running or paused --finish_early()--> finishing   (stages stop at their next step, the best so far is the result)
    any --cancel()--> cancelled                        (the next checkpoint raises RunCancelled)

Every computation calls ``control.checkpoint()`` at least every 100 ms; compiled loops poll :attr:`RunControl.stop_flag`,
which is 1 when they should return at once. Events are delivered in the thread of the run.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cassi_core.errors import RunCancelled
from cassi_core.parameters import ParameterSet
from cassi_core.progress import Part, TimeEstimate


class RunControl:
    """Requests from outside to a run; thread-safe; one object per run."""

    def __init__(self) -> None:
        self._resume = threading.Event()
        self._resume.set()
        self._cancelled = False
        self._finish = False
        self.stop_flag: NDArray[np.uint8] = np.zeros(1, np.uint8)
        self._paused_since = 0.0
        self._paused_total = 0.0

    def cancel(self) -> None:
        """Ask the run to end without a result; its next checkpoint raises RunCancelled."""
        self._cancelled = True
        self.stop_flag[0] = 1
        self.resume()

    def finish_early(self) -> None:
        """Ask the run to stop searching and to return the best calibration so far."""
        self._finish = True
        self.resume()

    def pause(self) -> None:
        if not self._cancelled and self._resume.is_set():
            self._paused_since = time.perf_counter()
            self._resume.clear()

    def resume(self) -> None:
        if not self._resume.is_set():
            self._paused_total += time.perf_counter() - self._paused_since
            self._resume.set()

    @property
    def paused_seconds(self) -> float:
        """Seconds spent paused so far, the present pause included."""
        now = 0.0 if self._resume.is_set() else time.perf_counter() - self._paused_since
        return self._paused_total + now

    @property
    def cancelled(self) -> bool:
        return self._cancelled

    @property
    def paused(self) -> bool:
        return not self._resume.is_set()

    @property
    def finishing(self) -> bool:
        """True when searching should stop and the best so far should be returned."""
        return self._finish

    def checkpoint(self) -> None:
        """Raise RunCancelled after :meth:`cancel`; wait here while paused (the pause is not counted as running time)."""
        if self._cancelled:
            raise RunCancelled("the run was cancelled")
        if not self._resume.is_set():
            self._resume.wait()
            if self._cancelled:
                raise RunCancelled("the run was cancelled")


def readonly(array: NDArray[np.generic]) -> NDArray[np.generic]:
    """A fresh contiguous copy that nobody can write to: what an event may carry."""
    copy = np.array(array, order="C", copy=True)
    copy.flags.writeable = False
    return copy


@dataclass(frozen=True)
class RunStarted:
    """The run begins: preset and the stages it will go through, as (name, label) in order."""

    preset: str
    stages: tuple[tuple[str, str], ...]
    device: str


@dataclass(frozen=True)
class StageStarted:
    """A stage begins; `steps` is how many progress steps it expects."""

    name: str
    label: str
    index: int
    steps: int


@dataclass(frozen=True)
class Progress:
    """Progress within a stage and of the whole run (0..1), with the estimated seconds that remain (None: not known yet)."""

    stage: str
    done: int
    total: int
    fraction: float
    elapsed_s: float
    remaining_s: float | None


@dataclass(frozen=True)
class IterationRow:
    """One line of the iteration table: where the search stood after a step. `values` in the order of PARAMETER_NAMES."""

    stage: str
    step: int
    elapsed_s: float
    score: float
    values: tuple[float, ...]
    sigmas: tuple[float | None, ...] | None = None


MATCHED_FILTER = "prealign"
"""Name of the stage that looks for the mask by correlation."""


@dataclass(frozen=True, eq=False)
class GridScores:
    """Scores of a search over a grid; NaN where not scored yet; lower is better.

    `names` are the axes in order, `axes` their values, `scores` has one dimension per axis. `best` is the best point so far.
    """

    stage: str
    names: tuple[str, ...]
    axes: tuple[NDArray[np.float64], ...]
    scores: NDArray[np.float32]
    best: tuple[float, ...]

    @property
    def peak_heights(self) -> bool:
        """True for the matched filter, whose scores are negative heights of its correlation in units of its own noise."""
        return self.stage == MATCHED_FILTER


@dataclass(frozen=True, eq=False)
class Preview:
    """A look at the reconstruction with the best parameters so far: cube `(L, H, W)` float32, rig's frame, read-only."""

    stage: str
    cube: NDArray[np.float32]
    values: tuple[float, ...]


@dataclass(frozen=True)
class Message:
    """Something worth a line in the log; `level` is info, warning or error."""

    level: str
    text: str


@dataclass(frozen=True)
class StageFinished:
    """A stage ended after `seconds`; `score` says how badly the best parameters then explain the picture, lower is better.

    Searches and proof: the relative data residual. Fits by likelihood: the geometric mean of the errors with which pixels are predicted,
    relative to the local brightness. Scores of different stages are not comparable.
    """

    name: str
    label: str
    seconds: float
    score: float | None


Event = RunStarted | StageStarted | Progress | IterationRow | GridScores | Preview | Message | StageFinished
Observer = Callable[[Event], None]


@dataclass(frozen=True)
class StageReport:
    """What a finished stage did, for the calibration file and the report."""

    name: str
    label: str
    seconds: float
    steps: int
    score: float | None


@dataclass
class RunRecorder:
    """Book-keeping of a run: emits events, keeps the iteration table, times stages, estimates the time that remains.

    `plan` lists the stages as (name, label, weight); the weights are expected seconds in any common unit. The estimate of the
    remaining time scales the weights by the pace seen so far, so that it is right even when the machine is slower than the
    one that the weights were measured on.
    """

    control: RunControl
    observe: Observer | None
    preset: str
    plan: tuple[tuple[str, str, float], ...]
    device: str = "cpu"
    to_rig: Callable[[NDArray[np.float64]], NDArray[np.float64]] | None = None
    """Turns a vector of the frame that the solvers work in into the rig's; None: both are the same."""
    grid_to_rig: Callable[[GridScores], GridScores] | None = None
    table: list[IterationRow] = field(default_factory=list)
    grids: list[GridScores] = field(default_factory=list)
    stages: list[StageReport] = field(default_factory=list)
    stopped_in: str | None = None
    """Name of the first stage that ended after a request to finish early; None: there was none."""
    _start: float = field(default_factory=lambda: time.perf_counter())
    _stage_start: float = 0.0
    _stage: str = ""
    _label: str = ""
    _keeps_rows: bool = True
    _fraction: float = 0.0
    _last_progress: float = 0.0
    _time: TimeEstimate = field(init=False)

    def __post_init__(self) -> None:
        self._time = TimeEstimate({name: weight for name, _, weight in self.plan})
        self.emit(RunStarted(self.preset, tuple((n, label) for n, label, _ in self.plan), self.device))

    def emit(self, event: Event) -> None:
        if self.observe is not None:
            self.observe(event)

    @property
    def observed(self) -> bool:
        """False when nobody listens: previews need not be computed then."""
        return self.observe is not None

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start without the pauses."""
        return time.perf_counter() - self._start - self.control.paused_seconds

    def place_of(self, stage: str) -> tuple[int, int]:
        """Number of a stage within the plan, counted from 1, and how many there are."""
        return next((i for i, (n, _, _) in enumerate(self.plan, 1) if n == stage), 1), len(self.plan)

    def begin(self, name: str, steps: int, *, parts: Sequence[Part] = (), rows: bool = True) -> None:
        """Start a stage of the plan that expects `steps` progress steps, or `parts` with steps of different cost.

        Without `rows` the stage moves no value: :meth:`row` keeps nothing.
        """
        self.control.checkpoint()
        self._label = next((label for n, label, _ in self.plan if n == name), name)
        self._stage, self._keeps_rows = name, rows
        self._stage_start = self.elapsed_s
        self._time.begin(name, parts or (Part(max(1, steps), 0.0),), self._stage_start)
        self.emit(StageStarted(name, self._label, self.place_of(name)[0] - 1, self._time.steps))
        self._last_progress = 0.0
        self.advance(0)

    def advance(self, steps: int = 1, *, total: int | None = None) -> None:
        """Count `steps` done; emits progress at most every 50 ms and passes a checkpoint. `total`: the part will take so many."""
        if total is not None:
            self._time.resize(total)
        self._time.advance(steps)
        now = time.perf_counter()
        if now - self._last_progress > 0.05 or self._time.done >= self._time.steps or self._time.done == 0:
            self._last_progress = now
            self._tell()
        self.control.checkpoint()

    def next_part(self) -> None:
        """The loop of the present part has ended, earlier or later than expected: the next part of the stage begins."""
        self._time.next_part(self.elapsed_s)
        self._last_progress = 0.0
        self.advance(0)

    def _tell(self) -> None:
        elapsed = self.elapsed_s
        self._fraction = max(self._fraction, self._time.fraction())
        steps = self._time.steps
        done = min(self._time.done, steps)
        self.emit(Progress(self._stage, done, steps, self._fraction, elapsed, self._time.remaining(elapsed)))

    def row(self, score: float, values: NDArray[np.float64], sigmas: NDArray[np.float64] | None = None) -> None:
        """Append a line to the iteration table and emit it; `values` of all parameters in the solvers' frame.

        `sigmas` are standard errors in the same order, NaN where none is known.
        """
        if not self._keeps_rows:
            return
        if self.to_rig is not None:
            values = self.to_rig(np.asarray(values, float))
            sigmas = None if sigmas is None else np.abs(self.to_rig(sigmas))
        errors = None if sigmas is None else tuple(float(s) if np.isfinite(s) else None for s in sigmas)
        step = sum(1 for r in self.table if r.stage == self._stage)
        entry = IterationRow(self._stage, step, self.elapsed_s, float(score), tuple(float(v) for v in values), errors)
        self.table.append(entry)
        self.emit(entry)

    def result_row(self, score: float, result: ParameterSet) -> None:
        """The last line of the table: the result in the rig's frame, with the errors that it is given out with."""
        errors = tuple(p.sigma for p in result)
        kept = errors if any(e is not None for e in errors) else None
        entry = IterationRow(self._stage, 0, self.elapsed_s, float(score), tuple(float(p.value) for p in result), kept)
        self.table.append(entry)
        self.emit(entry)

    def grid(self, scores: GridScores, *, final: bool = False) -> None:
        """Emit the state of a grid search; the final one is kept for the record."""
        if self.grid_to_rig is not None:
            scores = self.grid_to_rig(scores)
        self.emit(scores)
        if final:
            self.grids.append(scores)

    def end(self, score: float | None = None) -> None:
        """Finish the current stage."""
        seconds = self.elapsed_s - self._stage_start
        if self.control.finishing and self.stopped_in is None:
            self.stopped_in = self._stage
        self.stages.append(StageReport(self._stage, self._label, seconds, self._time.done, score))
        self._time.end()
        self.emit(StageFinished(self._stage, self._label, seconds, score))

    def message(self, text: str, level: str = "info") -> None:
        self.emit(Message(level, text))
