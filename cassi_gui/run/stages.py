"""What a run has told of its stages so far: their state, how far they are, and where each of them stood after every step."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from cassi_core.formatting import format_duration, format_number
from cassi_core.parameters import SPECS, ParameterSet, index_of
from cassi_core.result import CalibrationResult
from cassi_core.run import Event, GridScores, IterationRow, Progress, RunStarted, StageFinished, StageStarted

StageState = Literal["waiting", "running", "done"]
NO_ERROR_YET = "No \N{PLUS-MINUS SIGN} yet: errors are worked out when the fit has ended."
NOT_KNOWN = "No \N{PLUS-MINUS SIGN}: the search was not finished, how wrong these values are is not known."


@dataclass
class Stage:
    """One stage of a run; `bests` are the best places of its grids so far, `rows` the lines of its iteration table."""

    name: str
    label: str
    state: StageState = "waiting"
    done: int = 0
    total: int = 0
    seconds: float = 0.0
    rows: list[IterationRow] = field(default_factory=list)
    bests: list[IterationRow] = field(default_factory=list)
    grid: GridScores | None = None
    """The latest state of its latest grid."""
    _tried: dict[tuple[float, ...], int] = field(default_factory=dict)

    @property
    def count(self) -> str:
        """How far it is, in words: `167 of 375`, `567 in 21 s`."""
        if self.state == "waiting":
            return "waiting"
        if self.state == "running":
            return f"{self.done} of {self.total}" if self.total > 1 else "running"
        return f"{self.done} in {format_duration(self.seconds)}" if self.done > 1 else format_duration(self.seconds)

    @property
    def curve(self) -> list[IterationRow]:
        """Where the stage stood after each step; a correlation, whose heights are no residual, has none."""
        if self.grid is None:
            return self.rows
        return [] if self.grid.peak_heights else self.bests

    @property
    def stands_at(self) -> tuple[float, ...] | None:
        """Values of all parameters where the stage stands."""
        told = self.rows if self.grid is None else self.bests or self.rows
        return told[-1].values if told else None

    def take_grid(self, grid: GridScores, base: tuple[float, ...]) -> None:
        """Note the best of all grids of this stage; `base` are the values of what they do not search."""
        self.grid = grid
        finite = grid.scores[np.isfinite(grid.scores)]
        if not finite.size:
            return
        self._tried[(*(float(a[0]) for a in grid.axes), *map(float, grid.scores.shape))] = int(finite.size)
        score, values = float(finite.min()), list(base)
        for name, value in zip(grid.names, grid.best, strict=True):
            values[index_of(name)] = value
        last = self.bests[-1] if self.bests else None
        if last is not None and last.score <= score:
            score, values = last.score, list(last.values)
        tried = sum(self._tried.values())
        if last is None or tried > last.step or score < last.score:
            self.bests.append(IterationRow(self.name, tried, 0.0, score, tuple(values)))


class StageBook:
    """The stages of one run in order, filled from its events or from its result."""

    def __init__(self, start: ParameterSet | None = None) -> None:
        self.start = start
        self._stages: dict[str, Stage] = {}
        self._running = ""

    @classmethod
    def of_result(cls, result: CalibrationResult) -> StageBook:
        """The stages of a run that has ended."""
        book = cls(result.start)
        for report in result.stages:
            book._stages[report.name] = Stage(report.name, report.label, "done", report.steps, report.steps, report.seconds)
        book.take((*result.grids, *result.table))
        for stage in book.stages:
            # Of a run that has ended nothing waits, whatever its record says of its stages.
            stage.state = "done"
        return book

    @property
    def stages(self) -> tuple[Stage, ...]:
        return tuple(self._stages.values())

    @property
    def running(self) -> str:
        """Name of the stage that runs or ran last; empty before the first."""
        return self._running

    def stage(self, name: str) -> Stage | None:
        """A stage by its name."""
        return self._stages.get(name)

    def number(self, name: str) -> int:
        """Which stage it is, counted from 1."""
        return list(self._stages).index(name) + 1 if name in self._stages else 0

    def take(self, events: Iterable[Event]) -> None:
        """Take events of the run."""
        for event in events:
            if isinstance(event, RunStarted):
                self._stages = {name: Stage(name, label) for name, label in event.stages}
            elif isinstance(event, StageStarted):
                stage = self._of(event.name, event.label)
                stage.state, stage.total, self._running = "running", event.steps, event.name
            elif isinstance(event, StageFinished):
                stage = self._of(event.name, event.label)
                stage.state, stage.seconds, stage.done = "done", event.seconds, max(stage.done, stage.total)
            elif isinstance(event, Progress):
                stage = self._of(event.stage)
                if stage.state == "running":
                    stage.done, stage.total = event.done, event.total
            elif isinstance(event, IterationRow):
                self._of(event.stage).rows.append(event)
            elif isinstance(event, GridScores):
                self._of(event.stage).take_grid(event, self._base())

    def found(self) -> ParameterSet | None:
        """The best values so far, without errors: those belong to a result; None before there is any."""
        values = self._latest()
        if values is None or self.start is None:
            return None
        return self.start.with_vector(np.array(values, float)).with_sigmas({})

    def why_no_error(self) -> str:
        """Why no error stands beside the values of a run that goes on."""
        stage = self._stages.get(self._running)
        if stage is None or stage.grid is None or stage.grid.peak_heights or "dx" not in stage.grid.names:
            return NO_ERROR_YET
        axis = stage.grid.axes[stage.grid.names.index("dx")]
        cell = abs(float(axis[-1] - axis[0])) / max(1, len(axis) - 1)
        if cell == 0 or not math.isfinite(cell):
            return NO_ERROR_YET
        return f"No \N{PLUS-MINUS SIGN} yet: a grid only knows its own cells, here {format_number(cell, 3)} {SPECS['dx'].unit}."

    def _of(self, name: str, label: str = "") -> Stage:
        return self._stages.setdefault(name, Stage(name, label or name))

    def _base(self) -> tuple[float, ...]:
        latest = self._latest()
        if latest is not None:
            return latest
        return tuple(self.start.vector()) if self.start is not None else tuple(0.0 for _ in SPECS)

    def _latest(self) -> tuple[float, ...] | None:
        """Values of the last stage that has told any."""
        told = (stage.stands_at for stage in reversed(self._stages.values()))
        return next((values for values in told if values is not None), None)
