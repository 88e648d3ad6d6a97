"""The files that can be written for a run, and the bundles of them: tables, from which the Export page is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cassi_core.errors import CassiError
from cassi_core.io.exports import EXPORTS, ExportChoices
from cassi_core.io.exports.facts import FileFacts, facts_of
from cassi_core.result import CalibrationResult


@dataclass(frozen=True)
class ExportItem:
    """One kind of file: `suffix` follows the common name unless `fixed_name` is what public code loads.

    `write(result, path, choices)` returns the paths that were written.
    """

    id: str
    group: str
    suffix: str
    write: Callable[[CalibrationResult, Path, ExportChoices], Sequence[Path]]
    missing: Callable[[CalibrationResult], str] = lambda result: ""
    """Why this file cannot be written for a run, in words; empty when it can."""
    fixed_name: str = ""

    def file_name(self, stem: str) -> str:
        """The exact name of the file for a common name."""
        return self.fixed_name or f"{stem}{self.suffix}"


@dataclass(frozen=True)
class Bundle:
    """Files that belong together for one purpose; choosing it ticks their boxes, nothing more."""

    id: str
    title: str
    icon: str
    items: tuple[str, ...]


def _write_calibration(result: CalibrationResult, path: Path, choices: ExportChoices) -> Sequence[Path]:
    from cassi_core.io.calibration_file import write_calibration

    return (write_calibration(result, path),)


def _write_report(result: CalibrationResult, path: Path, choices: ExportChoices) -> Sequence[Path]:
    from cassi_core.report import write_report

    return (write_report(result, path),)


CALIBRATION, MASKS, RECORD = "Calibration", "Mask for reconstruction software", "Reconstruction and record"
GROUPS = (CALIBRATION, MASKS, RECORD)
"""Headings of the list, in order."""
MASK_IDS = ("mst-real", "mst-simulation", "bands", "dauhst", "plain")
_BY_ID = {e.id: e for e in EXPORTS}
_IN_ORDER = (*(_BY_ID[i] for i in MASK_IDS), *(e for e in EXPORTS if e.id not in MASK_IDS))

EXPORT_ITEMS: tuple[ExportItem, ...] = (
    ExportItem("calibration", CALIBRATION, ".cassi.json", _write_calibration),
    ExportItem("report", CALIBRATION, "-report.html", _write_report),
    ExportItem("report-pdf", CALIBRATION, "-report.pdf", _write_report),
    *(
        ExportItem(e.id, MASKS if e.id in MASK_IDS else RECORD, e.suffix, e.function, e.missing, e.fixed_name)
        for e in _IN_ORDER
    ),
)
FIRST_CHOICE = ("calibration",)
"""What is ticked for a rig that nothing was written for yet."""
BUNDLES: tuple[Bundle, ...] = (
    Bundle("mst", "For MST / TSA-Net", "mask", ("calibration", "mst-real", "mst-simulation", "bands")),
    Bundle("dauhst", "For DAUHST", "cube", ("calibration", "dauhst")),
    Bundle("report", "Report for the folder", "log", ("calibration", "report", "report-pdf")),
    Bundle("everything", "Everything", "folder", tuple(item.id for item in EXPORT_ITEMS)),
)


def preview_text(result: CalibrationResult) -> str:
    """The calibration file as it will be written."""
    from cassi_core.io.calibration_file import calibration_bytes

    return calibration_bytes(result).decode("utf-8")


def all_facts(result: CalibrationResult, choices: ExportChoices) -> dict[str, FileFacts]:
    """Meaning, warning and expected size of every file, by its identifier (in the worker's thread)."""
    return {item.id: facts_of(item.id, result, choices) for item in EXPORT_ITEMS}


@dataclass(frozen=True)
class Written:
    """How one file of the list turned out: paths, size and how it was read back, or the problem in words."""

    item: ExportItem
    paths: tuple[Path, ...] = ()
    bytes: int = 0
    read_back: str = ""
    problem: str = ""


def write_items(
    result: CalibrationResult, targets: Sequence[tuple[ExportItem, Path]], choices: ExportChoices
) -> tuple[Written, ...]:
    """Write files one after the other and read each again (in the worker's thread); a problem with one does not stop the others."""
    from cassi_core.io.exports.read_back import read_back

    written = []
    for item, path in targets:
        try:
            paths = tuple(Path(p).absolute() for p in item.write(result, path, choices))
            found = read_back(item.id, result, paths, choices)
            written.append(Written(item, paths, sum(p.stat().st_size for p in paths), found))
        except (CassiError, OSError) as error:
            written.append(Written(item, problem=str(error)))
    return tuple(written)
