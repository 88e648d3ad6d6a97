"""Written files are read again and held against what was to be written: what cannot be read back is worth nothing."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cassi_core.errors import OutputError
from cassi_core.io.exports.containers import read_arrays
from cassi_core.io.exports.profiles import PROFILES, profile_arrays, scaled_masks
from cassi_core.io.exports.rig_masks import CalibratedMask
from cassi_core.io.exports.table import ExportChoices
from cassi_core.result import CalibrationResult

EQUAL, COMPLETE = "read back, equal", "read back, complete"


def read_back(export_id: str, result: CalibrationResult, paths: Sequence[Path], choices: ExportChoices) -> str:
    """Read the files of one export again and say how they were found: equal, or (reports, which are for eyes) complete.

    Raises
    ------
    OutputError
        What is in the file is not what was to be written.
    """
    if not paths:
        return ""
    path = paths[0]
    if export_id.startswith("report"):
        return _report(path)
    equal = _equal(export_id, result, path, choices)
    if not equal:
        raise OutputError(
            f"{path}: what was read back is not what was to be written; write it again, to another disk if it stays so"
        )
    return EQUAL


def _report(path: Path) -> str:
    data = path.read_bytes()
    start, end = (b"%PDF-", b"%%EOF") if path.suffix.lower() == ".pdf" else (b"<!", b"</html>")
    if not data.lower().startswith(start.lower()) or end not in data[-64:]:
        raise OutputError(f"{path}: the report was not written to its end; write it again")
    return COMPLETE


def _equal(export_id: str, result: CalibrationResult, path: Path, choices: ExportChoices) -> bool:
    if export_id == "calibration":
        from cassi_core.io.calibration_file import read_calibration

        return read_calibration(path).parameters == result.parameters
    if export_id in PROFILES:
        rig, profile = CalibratedMask.from_result(result), PROFILES[export_id]
        masks, warped = scaled_masks(rig, choices.shifts or profile.shifts, normalise=choices.normalise)
        wanted = profile_arrays(rig, masks, warped, profile)
        stored = read_arrays(path, tuple(wanted))
        return all(np.array_equal(stored[key], wanted[key]) for key in wanted)
    if export_id.startswith("cube"):
        return _cube_equal(result, path)
    from cassi_core.io.exports.bands import bands_csv
    from cassi_core.io.tables import grids_csv, iterations_csv

    texts = {
        "bands": lambda: bands_csv(CalibratedMask.from_result(result)),
        "iterations": lambda: iterations_csv(result),
        "grids": lambda: grids_csv(result),
    }
    return path.read_text("utf-8") == texts[export_id]()


def _cube_equal(result: CalibrationResult, path: Path) -> bool:
    if result.maps is None:
        return False
    cube = np.asarray(result.maps.cube_after, np.float32)
    suffix = path.suffix.lower()
    if suffix == ".png":
        return _png_equal(result, path)
    if suffix == ".csv":
        rows = np.genfromtxt(io.StringIO(path.read_text("utf-8")), delimiter=",", skip_header=1)
        return bool(len(rows) == len(cube) and np.isfinite(rows[:, 2:]).all())
    if suffix == ".tif":
        import tifffile

        stored: NDArray[np.generic] = np.asarray(tifffile.imread(path))
    elif suffix == ".hdr":
        stored = np.fromfile(path.with_suffix(".raw"), "<f4").reshape(cube.shape)
    else:
        stored = read_arrays(path, ("cube",))["cube"]
        stored = stored.transpose(2, 0, 1) if suffix == ".mat" else stored
    return bool(np.array_equal(stored.reshape(cube.shape), cube))


def _png_equal(result: CalibrationResult, path: Path) -> bool:
    from PIL import Image

    from cassi_core.quality.colour import pseudo_colour

    assert result.maps is not None
    with Image.open(path) as picture:
        return bool(
            np.array_equal(np.asarray(picture), pseudo_colour(result.maps.cube_after, result.dispersion.wavelengths_nm))
        )
