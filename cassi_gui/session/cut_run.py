"""Keeps in the session how far the run that is going on has come, so that the recovery file has it when the program dies."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime

import numpy as np
from PySide6.QtCore import QObject, Slot

from cassi_core.run import IterationRow
from cassi_core.session import CutRun
from cassi_gui.run.controller import RunBatch, RunController, RunPhase
from cassi_gui.session.state import AppState

INTERVAL_S = 10.0
"""Between two notes of the values: each is followed by an autosave, which writes the inputs too."""


class CutRunKeeper(QObject):
    """Sets `cut` of the state while a run goes on, and takes it away when the run ends in whichever way."""

    def __init__(self, state: AppState, runner: RunController, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state, self._runner = state, runner
        self._best: IterationRow | None = None
        self._noted_at = 0.0
        runner.state_changed.connect(self._on_phase)
        runner.batch.connect(self._on_batch)

    @Slot(object)
    def _on_phase(self, phase: RunPhase) -> None:
        shot = self._state.snapshot
        if phase is RunPhase.IDLE:
            self._state.replace(cut=None)
        elif phase is RunPhase.RUNNING and shot.cut is None:
            self._best, self._noted_at = None, time.monotonic()
            self._state.replace(cut=CutRun(datetime.now(), shot.config.preset, shot.parameters))

    @Slot(object)
    def _on_batch(self, batch: RunBatch) -> None:
        for row in batch.events:
            # Scores of different stages do not compare: the best of the latest stage counts.
            if isinstance(row, IterationRow) and (
                self._best is None or row.stage != self._best.stage or row.score <= self._best.score
            ):
                self._best = row
        cut = self._state.snapshot.cut
        if cut is not None and self._best is not None and time.monotonic() - self._noted_at >= INTERVAL_S:
            self._noted_at = time.monotonic()
            values = cut.parameters.with_vector(np.array(self._best.values))
            self._state.replace(cut=replace(cut, when=datetime.now(), parameters=values))
