"""Units and axes of the fields that a session stores, for whoever opens the file in a viewer."""

from __future__ import annotations

from cassi_core.parameters import PARAMETER_NAMES, SPECS

MEASURED = "units of the measurement"
PICTURE, CUBE = "row, column", "band, row, column"
PER_PARAMETER = ", ".join(SPECS[name].unit or "1" for name in PARAMETER_NAMES)

UNITS: dict[str, str] = {
    "Dispersion.s_nom": "px",
    "Dispersion.wavelengths_nm": "nm",
    "CalibrationInputs.mask": "transmission, 1",
    "CalibrationInputs.reference": "as in the reference file",
    "CalibrationResult.mask": "transmission, 1",
    "CalibrationResult.seconds_total": "s",
    "CalibrationResult.correlation": "1",
    "StageReport.seconds": "s",
    "StageReport.score": "relative residual, 1",
    "IterationRow.elapsed_s": "s",
    "IterationRow.score": "1",
    "IterationRow.values": PER_PARAMETER,
    "IterationRow.sigmas": PER_PARAMETER,
    "GridScores.scores": "1, lower is better",
    "QualityMaps.residual_before": MEASURED,
    "QualityMaps.residual_after": MEASURED,
    "QualityMaps.cube_before": MEASURED,
    "QualityMaps.cube_after": MEASURED,
    "LocalShift.row": "px",
    "LocalShift.col": "px",
    "LocalShift.right": "px",
    "LocalShift.down": "px",
    "LocalShift.sigma_right": "px",
    "LocalShift.sigma_down": "px",
    "Frame.image": MEASURED,
    "Scores.residual_before": "1",
    "Scores.residual_after": "1",
    "Scores.held_out_before": "1",
    "Scores.held_out_after": "1",
    "PickedPoint.row": "px",
    "PickedPoint.col": "px",
    "FileSelection.step_px": "px/band",
}
"""Unit of a field, by class and field; scalars that have one are stored as datasets, because attributes carry none."""

AXES: dict[str, str] = {
    "CalibrationInputs.mask": PICTURE,
    "CalibrationInputs.reference": CUBE,
    "CalibrationResult.mask": PICTURE,
    "QualityMaps.residual_before": PICTURE,
    "QualityMaps.residual_after": PICTURE,
    "QualityMaps.cube_before": CUBE,
    "QualityMaps.cube_after": CUBE,
    "Frame.image": PICTURE,
    "Frame.usable": PICTURE,
    "IterationRow.values": f"row of the table, parameter ({', '.join(PARAMETER_NAMES)})",
    "IterationRow.sigmas": f"row of the table, parameter ({', '.join(PARAMETER_NAMES)})",
}
"""What the axes of a dataset are."""
