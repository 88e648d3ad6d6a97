"""The files that can be written for a run: one table, from which the checklist of the Export page is made."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cassi_core.io.exports import EXPORTS, ExportChoices
from cassi_core.result import CalibrationResult


@dataclass(frozen=True)
class ExportItem:
    """One kind of file: `suffix` follows the common name; `write(result, path, choices)` returns the paths that were written."""

    id: str
    group: str
    title: str
    text: str
    suffix: str
    write: Callable[[CalibrationResult, Path, ExportChoices], Sequence[Path]]
    missing: Callable[[CalibrationResult], str] = lambda result: ""
    """Why this file cannot be written for a run, in words; empty when it can."""
    ticked: bool = False


def _write_calibration(result: CalibrationResult, path: Path, choices: ExportChoices) -> Sequence[Path]:
    """Write the calibration file and read it again: what cannot be read back is worth nothing."""
    from cassi_core.io.calibration_file import read_calibration, write_calibration

    written = write_calibration(result, path)
    read_calibration(written)
    return (written,)


def _write_report(result: CalibrationResult, path: Path, choices: ExportChoices) -> Sequence[Path]:
    from cassi_core.report import write_report

    return (write_report(result, path),)


def _group(export_id: str) -> str:
    if export_id.startswith("cube"):
        return RECONSTRUCTION
    return TABLES if export_id in ("iterations", "grids") else MASKS


CALIBRATION, MASKS, RECONSTRUCTION, TABLES = (
    "Calibration",
    "Mask for reconstruction software",
    "Reconstruction",
    "Record of the run",
)
GROUPS = (CALIBRATION, MASKS, RECONSTRUCTION, TABLES)
"""Headings of the checklist, in order."""

EXPORT_ITEMS: tuple[ExportItem, ...] = (
    ExportItem(
        "calibration",
        CALIBRATION,
        "Calibration file",
        "Parameters with error bars, verdict, dispersion, inputs with checksums. Scripts and the command line read it.",
        ".cassi.json",
        _write_calibration,
        ticked=True,
    ),
    ExportItem(
        "report",
        CALIBRATION,
        "Report",
        "One page to read, print and keep: verdict, parameters, residual maps, spectra, convergence. Opens in any browser.",
        "-report.html",
        _write_report,
    ),
    ExportItem(
        "report-pdf",
        CALIBRATION,
        "Report for printing",
        "The same report as PDF on A4, with page numbers.",
        "-report.pdf",
        _write_report,
    ),
    *(ExportItem(e.id, _group(e.id), e.label, e.description, e.suffix, e.function, e.missing) for e in EXPORTS),
)


def preview_text(result: CalibrationResult) -> str:
    """The calibration file as it will be written."""
    from cassi_core.io.calibration_file import calibration_document

    return json.dumps(calibration_document(result), indent=1, ensure_ascii=False)


@dataclass(frozen=True)
class Written:
    """How one file of the checklist turned out: its paths and size, or the problem in words."""

    item: ExportItem
    paths: tuple[Path, ...] = ()
    bytes: int = 0
    problem: str = ""


def write_items(
    result: CalibrationResult, targets: Sequence[tuple[ExportItem, Path]], choices: ExportChoices
) -> tuple[Written, ...]:
    """Write files one after the other (in the worker's thread); a problem with one does not stop the others."""
    from cassi_core.errors import CassiError

    written = []
    for item, path in targets:
        try:
            paths = tuple(Path(p).absolute() for p in item.write(result, path, choices))
            written.append(Written(item, paths, sum(p.stat().st_size for p in paths)))
        except (CassiError, OSError) as error:
            written.append(Written(item, problem=str(error)))
    return tuple(written)
