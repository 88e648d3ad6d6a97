"""A logbook with a rig that never was, for the program's own pictures and for tests: its dy creeps over its limit."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cassi_core.logbook.entry import LogEntry, Measured
from cassi_core.logbook.limits import Limit, RigLimits
from cassi_core.logbook.store import Logbook
from cassi_core.result import Reason, Scores, Verdict, VerdictStatus

RIG = "Left bench"
FIRST_DAY = datetime(2026, 5, 18, 9, 30, tzinfo=UTC)
DAYS_APART = 16
DY_LIMIT = 0.5
NOTES = {3: "new lamp", 6: "after the lens was changed", 9: "room at 27 degrees"}
FAILED = 5
"""This entry failed: it is shown, and nothing is held against it."""


def made_up_entries(count: int = 12) -> tuple[LogEntry, ...]:
    """Calibrations every sixteen days: dx, theta and the scales scatter within their errors, dy creeps from 0.08 to 0.61 px."""
    return tuple(_entry(i) for i in range(count))


def fill(path: Path, count: int = 12) -> None:
    """Put the first `count` entries, and limits, into a logbook."""
    book = Logbook(path)
    for entry in made_up_entries(count):
        book.add(entry)
    book.set_limits(RigLimits(RIG, parameters={"dy": Limit(-DY_LIMIT, DY_LIMIT), "theta": Limit(None, 0.4)}))


def _entry(i: int) -> LogEntry:
    wobble = [math.sin(2.4 * i + k) for k in range(5)]
    dy = 0.08 + 0.0044 * i * i + 0.012 * wobble[1] + (0.3 if i == FAILED else 0.0)
    parameters = {
        "dx": Measured(0.74 + 0.03 * wobble[0], 0.041, True),
        "dy": Measured(dy, 0.019, True),
        "theta": Measured(0.214 + 0.004 * wobble[2], 0.0052, True),
        "scale_x": Measured(0.0011 + 0.0002 * wobble[3], 0.00031, True),
        "scale_y": Measured(-0.0008 + 0.00008 * wobble[4], 0.00012, True),
        "slope": Measured(0.0, None, False),
        "curve": Measured(0.0, None, False),
        "alpha": Measured(0.0, None, False),
    }
    status: VerdictStatus = "fail" if i == FAILED else "warn" if i == 8 else "pass"
    words = {
        "pass": "the pattern left over is off by 0.02 px (rms)",
        "warn": "the pattern left over is off by 0.14 px (rms); reconstructions suffer from 0.1 px on",
        "fail": "the pattern left over is off by 0.7 px (rms): the mask is in the wrong place",
    }
    when = FIRST_DAY + timedelta(days=DAYS_APART * i)
    return LogEntry(
        RIG,
        when,
        when,
        parameters,
        Verdict(status, (Reason("leftover shift", status, 0.02, 0.1, words[status]),)),
        Scores(0.41, 0.16 + 0.002 * i, 0.43, 0.19 + 0.002 * i),
        "auto",
        path=f"/data/left-bench/{when:%Y-%m-%d}.cassi.json",
        sha256=f"{i:064x}",
        note=NOTES.get(i, ""),
        program="0.1.0",
    )
