"""How far off the mask may be in the picture: the covariance of the parameters as pixels on the detector and as bands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cassi_core.calibration.likelihood.problem import RigProblem
from cassi_core.optics import OPTICS_NAMES, mask_places
from cassi_core.parameters import GEOMETRY_NAMES
from cassi_core.result import RegistrationError

Vector = NDArray[np.float64]

SPACING_PX = 12
"""Distance of the places on the detector that stand for the lit picture."""


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """What parameters do in the lit picture: for a change d of those in `names`, ``d' G d`` is the mean square shift of the mask in px^2.

    `across` the dispersion, of the `pattern` along it, and `common`: what a band's whole picture shares, which only renames wavelengths; each
    `(k, k)`, the mean over bands and places, weighted by the light, of the products of the derivatives of where a detector pixel looks.
    """

    names: tuple[str, ...]
    across: Vector
    pattern: Vector
    common: Vector


def sensitivity(problem: RigProblem, x: Vector, names: Sequence[str]) -> Sensitivity:
    """The sensitivity of the lit picture to the named parameters of the geometry at x."""
    snapshot = problem.snapshots[0]
    mask_shape = (problem.mask.mask.shape[0], problem.mask.mask.shape[1])
    height, width = snapshot.picture.shape
    rows, cols = (g.ravel() for g in np.mgrid[4 : height - 4 : SPACING_PX, 4 : width - 4 : SPACING_PX].astype(float))
    here = {n: float(x[problem.index(n)]) for n in (*GEOMETRY_NAMES, *OPTICS_NAMES)}
    u = cols - problem.dispersion.travel(here["slope"], here["curve"])[:, None]
    lit = (u > 0) & (u < problem.mask.mask.shape[1] - 1)
    amplitude = snapshot.amplitude[np.clip(rows, 0, height - 1).astype(int), :]
    scene = np.take_along_axis(amplitude.T, np.clip(np.round(u), 0, amplitude.shape[1] - 1).astype(int), axis=0)
    light = lit * problem.light(x)[:, None] * scene
    total = max(float(light.sum()), 1e-300)
    per_band = np.maximum(light.sum(axis=1), 1e-300)
    right, down = [], []
    for name in names:
        h = 1e-4
        sides = []
        for sign in (1, -1):
            moved = {**here, name: here[name] + sign * h}
            sides.append(mask_places(moved, moved, problem.dispersion, mask_shape, (height, width), rows, cols))
        right.append((sides[0][1] - sides[1][1]) / (2 * h))
        down.append((sides[0][0] - sides[1][0]) / (2 * h))
    along, across = np.array(right), np.array(down)
    common = (along * light).sum(axis=2) / per_band
    pattern = along - common[:, :, None]

    def gram(field: Vector, weight: Vector, norm: float) -> Vector:
        flat = field.reshape(len(names), -1)
        return np.asarray((flat * weight.ravel()) @ flat.T / norm, np.float64)

    return Sensitivity(
        tuple(names), gram(across, light, total), gram(pattern, light, total), gram(common, per_band, float(per_band.sum()))
    )


def registration_error(problem: RigProblem, x: Vector, names: Sequence[str], covariance: Vector) -> RegistrationError | None:
    """Expected rms errors over the lit picture, ``sqrt(trace(C G))`` with the matrices G of :func:`sensitivity`."""
    geometry = [n for n in names if n in (*GEOMETRY_NAMES, *OPTICS_NAMES)]
    if not geometry:
        return None
    at = [list(names).index(n) for n in geometry]
    covariance = covariance[np.ix_(at, at)]
    moves = sensitivity(problem, x, geometry)

    def expected(gram: Vector) -> tuple[float, float]:
        """Expected rms, and its own standard deviation for Gaussian errors."""
        product = covariance @ gram
        square, spread = float(np.trace(product)), float(np.sqrt(max(2 * np.trace(product @ product), 0.0)))
        rms = float(np.sqrt(max(square, 0.0)))
        return rms, spread / (2 * rms) if rms > 0 else 0.0

    step = problem.dispersion.step_px or 1.0
    nm = problem.dispersion.wavelengths_nm
    nm_per_band = None if nm is None or len(nm) < 2 else float(np.mean(np.abs(np.diff(nm))))
    bands, bands_sigma = (value / step for value in expected(moves.common))
    return RegistrationError(*expected(moves.across), *expected(moves.pattern), bands, bands_sigma, nm_per_band)
