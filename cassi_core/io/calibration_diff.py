"""Two calibrations of one rig side by side: differences in units, in standard errors, and in pixels on the mask."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from cassi_core.geometry import source_coordinates
from cassi_core.io.calibration_file import StoredCalibration
from cassi_core.parameters import GEOMETRY_NAMES, Parameter, ParameterSet

POSE = ("dx", "dy", "theta", "scale_x", "scale_y")


@dataclass(frozen=True)
class ParameterDifference:
    """One parameter in both files; `in_sigmas` is ``(b - a) / sqrt(sigma_a^2 + sigma_b^2)``, None where no error is known."""

    name: str
    a: Parameter
    b: Parameter

    @property
    def difference(self) -> float:
        return self.b.value - self.a.value

    @property
    def in_sigmas(self) -> float | None:
        sigma = math.hypot(self.a.sigma or 0.0, self.b.sigma or 0.0)
        return self.difference / sigma if sigma > 0 else None


@dataclass(frozen=True)
class CalibrationDifference:
    """All parameters; how far apart both put the mask (largest and rms over its pixels) and the bands; other differences in words."""

    parameters: tuple[ParameterDifference, ...]
    mask_largest_px: float
    mask_rms_px: float
    bands_largest_px: float | None
    remarks: tuple[str, ...] = ()


def compare_calibrations(a: StoredCalibration, b: StoredCalibration) -> CalibrationDifference:
    """Compare two stored calibrations; remarks say where they do not belong to the same rig."""
    names = [n for n in (*GEOMETRY_NAMES, "psf") if n in GEOMETRY_NAMES or a.parameters[n].value or b.parameters[n].value]
    shape = tuple(int(n) for n in a.document["mask"]["shape"])
    distance = mask_distance(a.parameters, b.parameters, (shape[0], shape[1]))
    bands = None
    if a.dispersion.n_bands == b.dispersion.n_bands:
        offsets = [np.stack(c.dispersion.offsets(c.parameters.values())) for c in (a, b)]
        bands = float(np.hypot(*(offsets[1] - offsets[0])).max())
    return CalibrationDifference(
        tuple(ParameterDifference(n, a.parameters[n], b.parameters[n]) for n in names), *distance, bands, _remarks(a, b)
    )


def mask_distance(a: ParameterSet, b: ParameterSet, shape: tuple[int, int]) -> tuple[float, float]:
    """Largest and rms distance in pixels between the places where two parameter sets look at a mask `(H, W)`."""
    coordinates = [source_coordinates(shape, **{name: p[name].value for name in POSE}) for p in (a, b)]
    rows, cols = (coordinates[1][k] - coordinates[0][k] for k in (0, 1))
    squared = rows**2 + cols**2
    return float(np.sqrt(squared.max())), float(np.sqrt(squared.mean()))


def _remarks(a: StoredCalibration, b: StoredCalibration) -> tuple[str, ...]:
    remarks = []
    if a.mask_source.sha256 != b.mask_source.sha256 or a.document["mask"]["shape"] != b.document["mask"]["shape"]:
        remarks.append(f"different masks: {a.mask_source.path} and {b.mask_source.path}")
    p, q = a.dispersion, b.dispersion
    if p.direction != q.direction:
        remarks.append(f"different directions: {p.direction} and {q.direction}")
    if p.n_bands != q.n_bands:
        remarks.append(f"different numbers of bands: {p.n_bands} and {q.n_bands}")
    elif not np.array_equal(p.s_nom, q.s_nom):
        remarks.append(f"different nominal dispersions, by up to {float(np.abs(p.s_nom - q.s_nom).max()):.4g} px")
    refined = [set(c.parameters.refined) for c in (a, b)]
    for name in sorted(refined[0] ^ refined[1]):
        remarks.append(f"{name} was refined only in the {'first' if name in refined[0] else 'second'}")
    if a.preset != b.preset:
        remarks.append(f"different presets: {a.preset} and {b.preset}")
    return tuple(remarks)
