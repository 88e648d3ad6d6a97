"""Tables of a run as CSV, for spreadsheets and scripts."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np

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
        values = [repr(float(v)) for v in row.values]
        errors = ["" if s is None else repr(float(s)) for s in sigmas]
        writer.writerow([row.stage, row.step, f"{row.elapsed_s:.4f}", repr(float(row.score)), *values, *errors])
    return stream.getvalue()


def write_iterations(result: CalibrationResult, path: str | Path) -> Path:
    """Write :func:`iterations_csv` in one step and return the absolute path; OutputError where that cannot be done."""
    return atomic_write(path, iterations_csv(result).encode("utf-8"))


def grids_csv(result: CalibrationResult) -> str:
    """The scores of all grid searches, one point a line: stage, the values of the searched parameters, score, and 1 for the best.

    Parameters that a stage did not search are empty; points that were not scored have an empty score.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    used = [n for n in PARAMETER_NAMES if any(n in grid.names for grid in result.grids)]
    writer.writerow(["stage", *(f"{n} [{SPECS[n].unit}]" if SPECS[n].unit else n for n in used), "score", "best"])
    for grid in result.grids:
        for index in np.ndindex(grid.scores.shape):
            at = {name: float(axis[i]) for name, axis, i in zip(grid.names, grid.axes, index, strict=True)}
            score = float(grid.scores[index])
            best = int(all(at[name] == value for name, value in zip(grid.names, grid.best, strict=True)))
            cells = [repr(at[n]) if n in at else "" for n in used]
            writer.writerow([grid.stage, *cells, repr(score) if np.isfinite(score) else "", best])
    return stream.getvalue()


def write_grids(result: CalibrationResult, path: str | Path) -> Path:
    """Write :func:`grids_csv` in one step and return the absolute path; OutputError where that cannot be done."""
    return atomic_write(path, grids_csv(result).encode("utf-8"))
