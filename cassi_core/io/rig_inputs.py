"""The inputs of a stored calibration: the snapshots that it was made from, or new ones of the same rig."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cassi_core.inputs import CalibrationInputs
from cassi_core.io.calibration_file import StoredCalibration
from cassi_core.io.camera import CameraReading
from cassi_core.io.exports.from_file import DEMO_PREFIX, find_file, mask_spec
from cassi_core.io.inputs_from_files import load_inputs
from cassi_core.io.readers import ReadMeter


def inputs_of(
    stored: StoredCalibration,
    measurements: Sequence[str | Path] = (),
    *,
    mask: str | Path | None = None,
    dark: str | Path | None = None,
    flat: str | Path | None = None,
    camera: CameraReading | None = None,
    meter: ReadMeter | None = None,
) -> CalibrationInputs:
    """Snapshots with the mask and the dispersion of a calibration.

    Without `measurements` those that the calibration names are read again, averaged, cut and turned as they were; dark and flat
    frames and bad pixels (in `camera`) have to be named again, as the calibration file does not know them. A session may have
    kept the snapshots themselves.

    Raises
    ------
    InputError
        A file is missing, has changed since the calibration, or does not fit the rig.
    """
    if not measurements and stored.inputs and all(source.path.startswith(DEMO_PREFIX) for source in stored.inputs):
        from cassi_core.demo import load_demo

        return replace(load_demo().inputs, dispersion=stored.dispersion)
    camera = camera or CameraReading()
    if stored.snapshots is not None and not measurements and (mask, dark, flat, camera) == (None, None, None, CameraReading()):
        return replace(stored.snapshots, dispersion=stored.dispersion)
    named = list(measurements) or [find_file(stored, source, "measurement", "MEAS") for source in stored.inputs]
    others = stored.inputs[0].averaged_with if stored.inputs else ()
    if others and not measurements:
        named, camera = [*named, *others], replace(camera, average="all")
    where = mask_spec(stored, mask)
    dispersion = stored.dispersion
    found = load_inputs(
        named,
        mask=where,
        bands=dispersion.n_bands,
        step=dispersion.step_px or 1.0,
        dark=dark,
        flat=flat,
        direction=dispersion.direction,
        mode=dispersion.mode,
        camera=camera,
        meter=meter,
    )
    return replace(found, dispersion=dispersion)
