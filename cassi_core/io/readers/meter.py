"""How far reading has come, told to whoever waits, with a place to stop at."""

from __future__ import annotations

import time
from collections.abc import Callable

from cassi_core.run import RunControl

Report = Callable[[str, float], None]
"""Hears what is being read and the fraction (0..1) of it that is done, in the thread that reads."""

REPORT_INTERVAL_S = 0.1


class ReadMeter:
    """Counts the bytes that were read; every step passes a checkpoint, so that reading a large file can be cancelled."""

    def __init__(self, control: RunControl | None = None, report: Report | None = None) -> None:
        self._control, self._report = control, report
        self._name, self._total, self._done = "", 1, 0
        self._told = 0.0

    def begin(self, name: str, total_bytes: int) -> None:
        """Something else is read from now on: its name, for the person who waits, and its size.

        Raises
        ------
        RunCancelled
            After ``control.cancel()``.
        """
        self._name, self._total, self._done = name, max(1, total_bytes), 0
        self._told = time.perf_counter()
        self.advance(0)

    def advance(self, size_bytes: int) -> None:
        """Count bytes; RunCancelled after ``control.cancel()``."""
        if self._control is not None:
            self._control.checkpoint()
        self._done += size_bytes
        now = time.perf_counter()
        # Small files are read before the first report is due: nobody needs to hear of them.
        if self._report is not None and now - self._told >= REPORT_INTERVAL_S:
            self._told = now
            self._report(self._name, min(1.0, self._done / self._total))
