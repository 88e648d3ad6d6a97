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
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cassi_core.errors import RunCancelled


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
    _start: float = field(default_factory=time.perf_counter)
    _stage_start: float = 0.0
    _stage: str = ""
    _label: str = ""
    _steps: int = 1
    _done: int = 0
    _tail: int = 0
    _last_progress: float = 0.0

    def __post_init__(self) -> None:
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

    def begin(self, name: str, steps: int, *, tail: int = 0) -> None:
        """Start a stage of the plan that expects `steps` progress steps.

        The last `tail` of them come after a loop that may end earlier or later than expected: :meth:`begin_tail` says when it has.
        """
        self.control.checkpoint()
        self._label = next((label for n, label, _ in self.plan if n == name), name)
        self._stage, self._steps, self._done, self._tail = name, max(1, steps), 0, tail
        self._stage_start = self.elapsed_s
        index = next((i for i, (n, _, _) in enumerate(self.plan) if n == name), 0)
        self.emit(StageStarted(name, self._label, index, self._steps))
        self._last_progress = 0.0
        self.advance(0)

    def advance(self, steps: int = 1, *, total: int | None = None) -> None:
        """Count `steps` done; emits progress at most every 50 ms and passes a checkpoint."""
        self._done += steps
        if total is not None:
            self._steps = max(1, total)
        if self._tail and self._done > self._steps - self._tail:
            self._steps = self._done + self._tail
        now = time.perf_counter()
        if now - self._last_progress > 0.05 or self._done >= self._steps or self._done == 0:
            self._last_progress = now
            fraction, remaining = self._estimate()
            self.emit(Progress(self._stage, min(self._done, self._steps), self._steps, fraction, self.elapsed_s, remaining))
        self.control.checkpoint()

    def begin_tail(self) -> None:
        """The loop of the stage has ended: what is left are the steps of its tail."""
        ahead, self._tail = self._steps - self._tail - self._done, 0
        self._last_progress = 0.0
        self.advance(max(0, ahead))

    def _estimate(self) -> tuple[float, float | None]:
        weights = {n: w for n, _, w in self.plan}
        total = sum(weights.values()) or 1.0
        finished = {s.name for s in self.stages}
        within = min(1.0, self._done / self._steps)
        here = weights.get(self._stage, 0.0) * within if self._stage not in finished else 0.0
        fraction = min(1.0, (sum(weights[n] for n in finished if n in weights) + here) / total)
        if fraction < 0.02:
            return fraction, None
        # The pace of the whole run tells about the stages to come; that of the current stage about the rest of it, the more of it is done.
        pace = self.elapsed_s / (fraction * total)
        rest_here = weights.get(self._stage, 0.0) - here
        pace_here = (self.elapsed_s - self._stage_start) / here if here > 0 else pace
        later = max(0.0, total * (1 - fraction) - rest_here)
        return fraction, rest_here * (within * pace_here + (1 - within) * pace) + later * pace

    def row(self, score: float, values: NDArray[np.float64], sigmas: NDArray[np.float64] | None = None) -> None:
        """Append a line to the iteration table and emit it; `values` of all parameters in the solvers' frame.

        `sigmas` are standard errors in the same order, NaN where none is known.
        """
        if self.to_rig is not None:
            values = self.to_rig(np.asarray(values, float))
            sigmas = None if sigmas is None else np.abs(self.to_rig(sigmas))
        errors = None if sigmas is None else tuple(float(s) if np.isfinite(s) else None for s in sigmas)
        step = sum(1 for r in self.table if r.stage == self._stage)
        entry = IterationRow(self._stage, step, self.elapsed_s, float(score), tuple(float(v) for v in values), errors)
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
        self.stages.append(StageReport(self._stage, self._label, seconds, self._done, score))
        self.emit(StageFinished(self._stage, self._label, seconds, score))

    def message(self, text: str, level: str = "info") -> None:
        self.emit(Message(level, text))
