"""Standard errors of a fit that are true: how the gradient scatters from place to place, and how it really responds.

They come from the sandwich ``H^-1 (sum_b g_b g_b^T) H^-T`` over spatial blocks ``b``, ``g_b`` being the block's share of the gradient:
neighbouring residuals are not independent, and the formal ``N^-1`` (``N = J^T W J``) alone is 3 to 5 times too small.
``H_ij = -J_i^T W dr/dp_j`` is how the gradient really responds, from differences of the residual with the scene estimate following: noise
in that estimate inflates ``N``, most on dark and imperfect pictures.

Where a parameter has a prior ``p0 +- s``, ``k/s^2`` is added to its diagonal and ``k (p0 - p)/s^2`` to its share of ``g``; ``k`` is how many times
``N^-1`` the covariance really is, so that the prior counts as what it is.

Neither knows what the model cannot express. Optics that distort leave shifts of the pattern that differ from place to place, and each scene
weighs the places by its own light: :func:`distortion_error` adds what that may move.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cassi_core.calibration.linearisation import Linearisation, inner_products
from cassi_core.calibration.rig_model import Optics, RigModel, named
from cassi_core.parameters import PARAMETER_NAMES, SPECS, ParameterSet
from cassi_core.run import RunControl
from cassi_core.solvers.protocol import GapSettings, GapSolver

Vector = NDArray[np.float64]

BLOCK_PX = 24
"""Side of the blocks of the sandwich: a few times the reach of the scene prior and of a mask detail."""
DISTORTION_PLACES = 3
"""Distortions are smooth: so many places along each side of the picture are shifted independently of each other."""
LEAST_RESPONSE = 0.1
"""The smallest response, in units of ``N``, that is believed: in such a direction the picture tells ten times less than ``N`` says."""


@dataclass(frozen=True, eq=False)
class Priors:
    """What is known before the picture: centre and standard error of every refined parameter (infinite: nothing)."""

    centre: Vector
    sigma: Vector

    @classmethod
    def none(cls, count: int) -> Priors:
        return cls(np.zeros(count), np.full(count, np.inf))

    def precision(self) -> Vector:
        return np.asarray(np.where(np.isfinite(self.sigma), 1 / np.square(self.sigma), 0.0), np.float64)


def sandwich(parts: Sequence[Linearisation], prior: Priors, response: Vector | None = None) -> Vector:
    """Sandwich covariance over spatial blocks, `(k, k)`, with the prior; without a measured response ``N`` stands for it."""
    count = len(prior.sigma)
    if not count:
        return np.zeros((0, 0))
    normal, _ = normal_equations(parts)
    bread = normal if response is None else believable(response, normal)
    meat = np.zeros((count, count))
    for part in parts:
        shares = _block_sums(part.jacobian * (part.weight * part.residual))
        meat += shares @ shares.T
    inverse = solve_scaled(bread, np.eye(count))
    covariance = inverse @ meat @ inverse
    weight = prior_weight(normal, covariance, prior)
    if weight.any():
        inverse = solve_scaled(bread + np.diag(weight), np.eye(count))
        # The prior's own scatter is k/s^2 times its weight: a parameter that only the prior knows keeps the prior's error.
        spread = np.square(weight * np.where(np.isfinite(prior.sigma), prior.sigma, 0.0))
        covariance = inverse @ (meat + np.diag(spread)) @ inverse
    return np.asarray(covariance, np.float64)


def prior_weight(normal: Vector, covariance: Vector, prior: Priors) -> Vector:
    """``k/s^2`` with ``k`` how many times ``N^-1`` the covariance is."""
    if not prior.precision().any():
        return np.zeros(len(normal))
    formal = np.diag(solve_scaled(normal, np.eye(len(normal))))
    return np.asarray(np.diag(covariance) / np.maximum(formal, 1e-300) * prior.precision(), np.float64)


def distortion_error(names: Sequence[str], shift_px: float, shape: tuple[int, int], bands: int) -> Vector:
    """What is added to a covariance `(k, k)` where the pattern is shifted by `shift_px` (rms, each way) beyond the model.

    The variance of dx, dy, theta, scale_x and scale_y from a straight-line fit through DISTORTION_PLACES squared places of a mask ``(H, W)``,
    each off by that much: ``d_down = d_dy + v d_scale_y - u d_theta``. Along the dispersion a shift is also taken for a change of the length
    of the band train, by as much at its end (six real frames of one rig: slope scatters by 0.0032 px/band, 0.0043 px/band by this rule); its
    middle stays where the pattern is, so that dx moves by half of that the other way.
    """
    height, width = shape
    places = (np.arange(DISTORTION_PLACES) + 0.5) / DISTORTION_PLACES - 0.5
    count, square = DISTORTION_PLACES**2, DISTORTION_PLACES * float(np.sum(places**2))
    variance = {
        "dx": 1 / count,
        "dy": 1 / count,
        "theta": float(np.rad2deg(1.0)) ** 2 / (square * width**2),
        "scale_x": 1 / (square * width**2),
        "scale_y": 1 / (square * height**2),
    }
    added = np.diag([shift_px**2 * variance.get(name, 0.0) for name in names])
    if "slope" in names and bands > 1:
        longer = {"slope": shift_px / (bands - 1), "dx": -shift_px / 2}
        train = np.array([longer.get(name, 0.0) for name in names])
        added = added + np.outer(train, train)
    return added


def respond(
    models: Sequence[RigModel],
    parts: Sequence[Linearisation],
    solver: GapSolver,
    vector: Vector,
    parameters: ParameterSet,
    settings: GapSettings,
    optics: Optics,
    control: RunControl,
) -> Vector:
    """The response ``H_ij = -J_i^T W dr/dp_j`` of the refined parameters at a vector, ``(k, k)``.

    Differences of the residual over the step of each parameter, forwards, or backwards near the upper bound; whole offsets stay.
    """
    names = parameters.refined
    total = np.zeros((len(names), len(names)))
    lengths = np.array([SPECS[n].step for n in names])
    for i, name in enumerate(names):
        value = vector[PARAMETER_NAMES.index(name)]
        if value + lengths[i] > parameters[name].upper:
            lengths[i] = -lengths[i]
        if name == "psf" and value < SPECS["psf"].step:
            lengths[i] *= 2  # a blur starts flat: its first tenth of a pixel changes nothing
    for model, part in zip(models, parts, strict=True):
        moved = []
        for name, length in zip(names, lengths, strict=True):
            other = vector.copy()
            other[PARAMETER_NAMES.index(name)] += length
            moved.append(model.candidate(named(other), optics.spline(model, other)))
        residuals = solver.residuals(model.y, moved, settings, weight=model.observed, control=control)
        weighted = (part.jacobian * part.weight).reshape(len(names), -1)
        for j, length in enumerate(lengths):
            total[:, j] += weighted @ ((part.residual - residuals[j]).ravel() / np.float32(length))
    return total


def _scale(normal: Vector) -> Vector:
    """What brings the diagonal to one; a parameter that changes nothing in the picture keeps its unit."""
    diagonal = np.diag(normal)
    return np.asarray(np.sqrt(np.where(diagonal > 0, diagonal, 1.0)), np.float64)


def believable(response: Vector, normal: Vector) -> Vector:
    """The symmetric response, between LEAST_RESPONSE and one times ``N`` in every direction."""
    scale = _scale(normal)
    values, vectors = np.linalg.eigh(normal / np.outer(scale, scale) + 1e-9 * np.eye(len(normal)))
    root = vectors * np.sqrt(np.maximum(values, 1e-12))
    inverse = vectors / np.sqrt(np.maximum(values, 1e-12))
    ratio = inverse.T @ (response / np.outer(scale, scale)) @ inverse
    strength, directions = np.linalg.eigh((ratio + ratio.T) / 2)
    lifted = root @ (directions * np.clip(strength, LEAST_RESPONSE, 1.0)) @ directions.T @ root.T
    return np.asarray(lifted * np.outer(scale, scale), np.float64)


def _block_sums(images: NDArray[np.float32], side: int = BLOCK_PX) -> Vector:
    """Sums of images `(k, H, W)` over square blocks, `(k, blocks)` float64."""
    rows = np.arange(0, images.shape[1], side)
    cols = np.arange(0, images.shape[2], side)
    sums = np.add.reduceat(np.add.reduceat(images.astype(np.float64), rows, axis=1), cols, axis=2)
    return np.asarray(sums.reshape(images.shape[0], -1))


def solve_scaled(normal: Vector, right: Vector) -> Vector:
    """Solve ``N d = g`` after scaling the diagonal to one, with a tiny ridge: the parameters' units differ by factors of 10^4."""
    if not len(normal):
        return np.asarray(right, float)
    scale = _scale(normal)
    scaled = normal / np.outer(scale, scale) + 1e-9 * np.eye(len(normal))
    inner = right / scale if right.ndim == 1 else right / scale[:, None]
    solved = np.linalg.solve(scaled, inner)
    return np.asarray(solved / scale if right.ndim == 1 else solved / scale[:, None])


def normal_equations(parts: Sequence[Linearisation]) -> tuple[Vector, Vector]:
    """``N = J^T W J`` and ``g = J^T W r`` summed over the snapshots."""
    normal = sum(inner_products(part.jacobian * part.weight, part.jacobian) for part in parts if len(part.jacobian))
    if not len(parts[0].jacobian):
        return np.zeros((0, 0)), np.zeros(0)
    return np.asarray(normal), np.asarray(sum(part.gradient for part in parts))
