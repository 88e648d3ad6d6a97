"""How far reading or writing has come, told to whoever waits, with a place to stop at."""

from __future__ import annotations

from collections.abc import Callable

from cassi_core.run import RunControl

Report = Callable[[float], None]
"""Hears the fraction (0..1) that is done, in the thread that does it."""


class Meter:
    """Counts the bytes of arrays that went through; every step passes a checkpoint, so that the work can be cancelled."""

    def __init__(self, total_bytes: int, control: RunControl | None = None, report: Report | None = None) -> None:
        self._total, self._done = max(1, total_bytes), 0
        self._control, self._report = control, report

    def advance(self, size_bytes: int) -> None:
        """Count bytes; RunCancelled after ``control.cancel()``."""
        if self._control is not None:
            self._control.checkpoint()
        self._done += size_bytes
        if self._report is not None:
            self._report(min(1.0, self._done / self._total))
