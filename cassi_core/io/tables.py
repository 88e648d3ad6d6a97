"""Tables of a run as CSV, for spreadsheets and scripts."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from cassi_core.io.atomic import atomic_write
from cassi_core.parameters import PARAMETER_NAMES, SPECS
from cassi_core.result import CalibrationResult


def iterations_csv(result: CalibrationResult) -> str:
    """The iteration table: stage, step, elapsed seconds, residual, then value and standard error of every parameter.

    Columns carry their unit in brackets; numbers have all their digits, unknown errors are empty.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    named = [f"{n} [{SPECS[n].unit}]" if SPECS[n].unit else n for n in PARAMETER_NAMES]
    writer.writerow(["stage", "step", "elapsed [s]", "residual", *named, *(f"sigma {n}" for n in named)])
    for row in result.table:
        sigmas = row.sigmas or (None,) * len(PARAMETER_NAMES)
        values = [repr(v) for v in row.values]
        errors = ["" if s is None else repr(s) for s in sigmas]
        writer.writerow([row.stage, row.step, f"{row.elapsed_s:.4f}", repr(row.score), *values, *errors])
    return stream.getvalue()


def write_iterations(result: CalibrationResult, path: str | Path) -> Path:
    """Write :func:`iterations_csv` in one step and return the absolute path; OutputError where that cannot be done."""
    return atomic_write(path, iterations_csv(result).encode("utf-8"))
