"""A measured dispersion as a table that `--dispersion` reads, and as a JSON document."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from cassi_core.dispersion_measurement import BandTable, DispersionMeasurement
from cassi_core.io.atomic import atomic_write
from cassi_core.io.software import software_versions
from cassi_core.parameters import GEOMETRY_NAMES, ParameterSet

KEPT = ("alpha", "dx", "dy", "theta", "scale_x", "scale_y")
"""What a measurement with monochromatic frames says about a rig beside its offsets."""


def dispersion_csv(measurement: DispersionMeasurement, bands: BandTable) -> str:
    """The bands as text: comments with alpha and the place of the mask, then `wavelength_nm,offset_px,sigma_px`."""
    curve, place = measurement.curve, measurement.place(float(bands.wavelengths_nm[0]))
    lines = [
        f"# dispersion measured with {len(measurement.frames)} monochromatic frames of the mask",
        f"# polynomial of order {curve.order}, measured from {curve.low_nm:g} to {curve.high_nm:g} nm, bands to the {measurement.direction}",
        "# offsets in pixels along the dispersion axis, band 0 at 0, with standard errors; the mask lies at (band 0):",
    ]
    for name in KEPT:
        p = place[name]
        lines.append(f"# {name} = {p.value!r} +- {p.sigma or 0.0!r} {p.unit}".rstrip())
    lines.append("wavelength_nm,offset_px,sigma_px")
    for nm, offset, sigma in zip(bands.wavelengths_nm, bands.offsets_px, bands.sigma_px, strict=True):
        lines.append(f"{float(nm)!r},{float(offset)!r},{float(sigma)!r}")
    return "\n".join(lines) + "\n"


def write_dispersion(measurement: DispersionMeasurement, bands: BandTable, path: str | Path) -> Path:
    """Write :func:`dispersion_csv` in one step and return the absolute path; OutputError where that cannot be done."""
    return atomic_write(path, dispersion_csv(measurement, bands).encode("utf-8"))


def dispersion_document(measurement: DispersionMeasurement, bands: BandTable) -> dict[str, Any]:
    """Everything about a measured dispersion as plain values: frames with residuals, curve, bands, place of the mask."""
    curve, place = measurement.curve, measurement.place(float(bands.wavelengths_nm[0]))
    return {
        "format": "cassi-dispersion",
        "version": 1,
        "direction": measurement.direction,
        "curve": {
            "order": curve.order,
            "coefficients_px": curve.coefficients.tolist(),
            "covariance": curve.covariance.tolist(),
            "variable": "u = (wavelength_nm - (low_nm + high_nm)/2) / ((high_nm - low_nm)/2), lowest power first",
            "low_nm": curve.low_nm,
            "high_nm": curve.high_nm,
            "chi2_per_degree": curve.chi2,
            "predicted_rms_px_by_order": list(curve.predicted_rms),
        },
        "bands": {
            "wavelength_nm": bands.wavelengths_nm.tolist(),
            "offset_px": bands.offsets_px.tolist(),
            "sigma_px": bands.sigma_px.tolist(),
        },
        "parameters": parameters_document(place),
        "frames": [asdict(frame) for frame in measurement.frames],
        "left_out": [asdict(frame) for frame in measurement.left_out],
        "notes": list(measurement.notes),
        "software": software_versions(),
    }


def parameters_document(place: ParameterSet) -> dict[str, Any]:
    """Value, standard error and unit of what was measured, by parameter name."""
    return {n: {"value": place[n].value, "sigma": place[n].sigma, "unit": place[n].unit} for n in GEOMETRY_NAMES if n in KEPT}
