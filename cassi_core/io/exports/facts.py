"""What stands beside a file in a list of files: its meaning with the real sizes, what its layout loses, how large it gets."""

from __future__ import annotations

from dataclasses import dataclass

from cassi_core.io.exports.profiles import NEGLECTED_PX, PROFILES
from cassi_core.io.exports.rig_masks import CalibratedMask
from cassi_core.io.exports.table import ExportChoices
from cassi_core.result import CalibrationResult

FLOAT_BYTES = 4
REPORT_BYTES = {"report": 600_000, "report-pdf": 400_000}
"""Reports of the demo: mostly pictures, which are reduced to the same size for every rig."""
ROW_BYTES, POINT_BYTES, BAND_BYTES = 280, 48, 70
"""About the length of a line of the table of steps, of grid points, of bands."""
CUBE_WORDS = {
    ".h5": "HDF5 with wavelengths",
    ".mat": "MATLAB with wavelengths",
    ".hdr": "ENVI with wavelengths; the numbers in .raw",
    ".tif": "TIFF, one page a band",
}


@dataclass(frozen=True)
class FileFacts:
    """Meaning and warning in words, expected size in bytes (of files that are compressed: at most)."""

    meaning: str
    warning: str = ""
    bytes: int = 0
    at_most: bool = False


def facts_of(export_id: str, result: CalibrationResult, choices: ExportChoices) -> FileFacts:
    """The facts about one file of the table of exports, a report or the calibration file, before it is written."""
    if export_id in PROFILES:
        return _mask_facts(export_id, result, choices)
    if export_id.startswith("cube"):
        return _cube_facts(export_id.removeprefix("cube"), result, choices)
    if export_id in REPORT_BYTES:
        words = "Report to read and keep, opens in a browser" if export_id == "report" else "The same report on A4"
        return FileFacts(words, bytes=REPORT_BYTES[export_id])
    if export_id == "bands":
        count = result.dispersion.n_bands
        return FileFacts(f"Offset and wavelength of the {count} bands", bytes=BAND_BYTES * count)
    if export_id == "iterations":
        return FileFacts("Every step of the run", bytes=ROW_BYTES * len(result.table))
    if export_id == "grids":
        return FileFacts("Every place that was tried", bytes=POINT_BYTES * sum(g.scores.size for g in result.grids))
    from cassi_core.io.calibration_file import calibration_bytes

    return FileFacts("Calibration file: values, errors, verdict, inputs", bytes=len(calibration_bytes(result)))


def _mask_facts(profile: str, result: CalibrationResult, choices: ExportChoices) -> FileFacts:
    rig = CalibratedMask.from_result(result)
    bands = rig.dispersion.n_bands
    height, width = rig.mask.shape if rig.quarter_turns % 2 == 0 else rig.mask.shape[::-1]
    canvas = width + int(rig.whole_offsets[-1])
    flat, every = height * width, height * canvas * bands
    words, cells = {
        "mst-real": (f"Mask where it is, {height} \N{MULTIPLICATION SIGN} {width}", flat + every),
        "mst-simulation": (f"Mask of every band, {_times(height, canvas, bands)}", flat + every),
        "dauhst": (f"Phi and Phi_s, {_times(bands, height, canvas)}", every + height * canvas),
        "plain": ("Mask with exact offsets, HDF5", flat + every + 2 * bands),
    }[profile]
    warning = ""
    if (choices.shifts or PROFILES[profile].shifts) == "integer" and rig.neglected_px() >= NEGLECTED_PX:
        warning = f"whole-pixel shifts: {rig.neglected_px():.2f} px lost"
    elif PROFILES[profile].fixed_steps and (bands != 28 or round(rig.dispersion.step_px, 6) != 2):
        warning = "public code expects 28 bands, 2 px: change it there"
    return FileFacts(words, warning, FLOAT_BYTES * cells, at_most=True)


def _cube_facts(suffix: str, result: CalibrationResult, choices: ExportChoices) -> FileFacts:
    cells = 0 if result.maps is None else result.maps.cube_after.size
    bands = result.dispersion.n_bands
    if suffix == ".png":
        return FileFacts("Picture in false colours", "colours only, no spectra", 3 * cells // bands, at_most=True)
    if suffix == ".csv":
        where = f"the {len(choices.points)} picked points" if choices.points else "bright points"
        return FileFacts(f"Spectra at {where}", bytes=12 * bands * (2 + len(choices.points)))
    return FileFacts(
        f"Spectral cube, {CUBE_WORDS[suffix]}", bytes=FLOAT_BYTES * cells, at_most=suffix in (".h5", ".mat", ".tif")
    )


def _times(*sizes: int) -> str:
    return " \N{MULTIPLICATION SIGN} ".join(str(size) for size in sizes)
