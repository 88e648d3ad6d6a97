"""Every file that can be written for a finished calibration: the one table behind the checklist of the desktop application."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from cassi_core.io.exports.bands import write_bands
from cassi_core.io.exports.profiles import PROFILES, export_mask
from cassi_core.io.exports.rig_masks import CalibratedMask, Shifts
from cassi_core.io.reconstruction_files import FORMATS, Reconstruction, write_reconstruction
from cassi_core.io.tables import write_grids, write_iterations
from cassi_core.result import CalibrationResult


@dataclass(frozen=True)
class ExportChoices:
    """What a person may choose: band shifts of masks (None: as the consumer assumes), their scale, points `(row, col)` of spectra."""

    shifts: Shifts | None = None
    normalise: bool = False
    points: tuple[tuple[int, int], ...] = ()


AS_PROPOSED = ExportChoices()


class Writer(Protocol):
    """Writes one kind of file for a result and returns the paths."""

    def __call__(self, result: CalibrationResult, path: Path, choices: ExportChoices = AS_PROPOSED) -> Sequence[Path]: ...


def _always(result: CalibrationResult) -> str:
    return ""


@dataclass(frozen=True)
class Export:
    """One kind of file: `suffix` follows a common name, `function(result, path, choices)` writes it and returns the paths written.

    `missing(result)` says in words why it cannot be written for a result; empty when it can.
    """

    id: str
    label: str
    suffix: str
    description: str
    function: Writer
    missing: Callable[[CalibrationResult], str] = _always
    fixed_name: str = ""
    """The name that public code loads, whatever the common name is; empty: common name and suffix."""

    def file_name(self, stem: str) -> str:
        """The name of the file for a common name."""
        return self.fixed_name or f"{stem}{self.suffix}"


def _mask(profile: str, result: CalibrationResult, path: Path, choices: ExportChoices = AS_PROPOSED) -> Sequence[Path]:
    rig = CalibratedMask.from_result(result)
    return export_mask(rig, profile, path, shifts=choices.shifts, normalise=choices.normalise).paths


def _reconstruction(result: CalibrationResult, path: Path, choices: ExportChoices = AS_PROPOSED) -> Sequence[Path]:
    if result.maps is None:
        return ()
    cube = result.maps.cube_after
    points = choices.points
    if path.suffix == ".csv" and not points:
        from cassi_core.quality.points import spectrum_points

        points = spectrum_points(cube)
    return write_reconstruction(Reconstruction(cube, result.dispersion.wavelengths_nm, points), path)


def _iterations(result: CalibrationResult, path: Path, choices: ExportChoices = AS_PROPOSED) -> Sequence[Path]:
    return (write_iterations(result, path),)


def _grids(result: CalibrationResult, path: Path, choices: ExportChoices = AS_PROPOSED) -> Sequence[Path]:
    return (write_grids(result, path),)


def _no_maps(result: CalibrationResult) -> str:
    return "" if result.maps is not None else "this run carries no reconstruction"


def _no_table(result: CalibrationResult) -> str:
    return "" if result.table else "this run has no iteration table"


def _no_grids(result: CalibrationResult) -> str:
    return "" if result.grids else "this run searched no grid"


def _bands(result: CalibrationResult, path: Path, choices: ExportChoices = AS_PROPOSED) -> Sequence[Path]:
    return (write_bands(CalibratedMask.from_result(result), path),)


MASK_SUFFIXES = {"mst-real": "-mask.mat", "mst-simulation": "-mask_3d_shift.mat", "dauhst": "-dauhst.mat", "plain": "-masks.h5"}
FIXED_NAMES = {"mst-real": "mask.mat", "mst-simulation": "mask_3d_shift.mat"}
"""What the public code of these consumers has built in."""
RECONSTRUCTION_SUFFIXES = (".h5", ".mat", ".hdr", ".tif", ".png")

EXPORTS: tuple[Export, ...] = (
    *(
        Export(
            p.id,
            p.label,
            MASK_SUFFIXES[p.id],
            p.description[0].upper() + p.description[1:] + ".",
            partial(_mask, p.id),
            fixed_name=FIXED_NAMES.get(p.id, ""),
        )
        for p in PROFILES.values()
    ),
    Export(
        "bands",
        "Bands",
        "-bands.csv",
        "Offset and wavelength of every band, in the frame of the masks.",
        _bands,
    ),
    *(
        Export(
            f"cube{suffix}",
            f"Reconstruction, {FORMATS[suffix].label}",
            f"-cube{suffix}",
            FORMATS[suffix].description,
            _reconstruction,
            _no_maps,
        )
        for suffix in RECONSTRUCTION_SUFFIXES
    ),
    Export(
        "cube.csv",
        "Spectra",
        "-spectra.csv",
        "Spectra of the reconstruction at the picked points (bright ones when none is picked), one band a line.",
        _reconstruction,
        _no_maps,
    ),
    Export(
        "iterations",
        "Iteration table",
        "-iterations.csv",
        "Every step of the search: stage, time, residual, all parameters. Opens in a spreadsheet.",
        _iterations,
        _no_table,
    ),
    Export(
        "grids",
        "Grid scores",
        "-grids.csv",
        "Every point of the grid searches with its score.",
        _grids,
        _no_grids,
    ),
)
