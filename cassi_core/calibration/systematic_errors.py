"""What a fit may be off by and its scatter from place to place cannot know: what is common to the whole picture or to all pictures.

The sandwich covariance (:mod:`cassi_core.calibration.error_bars`) knows how the picture scatters. It does not know the pull of the scene
estimate, the pattern of the mask between its pixels, nor what is held because the picture does not tell it. The figures are rms errors beyond
the scatter on simulated rigs whose bands another program had moved by another spline (126 of them, none left over as a check).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from cassi_core.calibration.gauss_newton import Fit
from cassi_core.dispersion import Dispersion
from cassi_core.parameters import PARAMETER_NAMES

DISPERSION_NAMES = ("slope", "curve", "alpha")
"""Parameters by which bands come to lie at fractions of a pixel."""
PRIOR_SHARE = 1 / 3
"""Share of the move between the two scene estimates that counts as a standard error."""
LEAST_PX = {"dx": 0.002, "dy": 0.001}
LEAST_EDGE_PX = {"theta": 0.003}
"""How far the scene estimate pulls any fit, a clear one too: as a whole, and at the edge of the mask."""
SAMPLING_PX = {"dx": 0.012, "dy": 0.006}
SAMPLING_END_PX = {"slope": 0.022, "alpha": 0.006}
"""What the pattern between the pixels is known to, where bands lie at fractions of a pixel: as a whole, and at the end of the band train."""
NOISY = {"dx": 0.055, "dy": 0.01, "theta": 0.005, "scale_x": 5e-4, "scale_y": 1e-4}
NOISY_END_PX = {"slope": 0.07, "alpha": 0.02}
"""How far the estimate of a scene that noise hides pulls the fit, most of it along the dispersion."""


def with_prior_sensitivity(brief: Fit, precise: Fit) -> Fit:
    """The precise fit with what the choice of the scene prior may cost added to its covariance.

    ``C + d d^T / 9``, where ``d`` is how far the parameters moved from the brief to the precise estimate: the sandwich covariance knows the
    scatter of the picture, not the bias of the prior. On simulated rigs the bias left was about a third of that move.
    """
    index = [PARAMETER_NAMES.index(name) for name in precise.names]
    moved = (precise.vector[index] - brief.vector[index]) * PRIOR_SHARE
    return replace(precise, covariance=precise.covariance + np.outer(moved, moved))


def with_pull_of_scene(fitted: Fit, shape: tuple[int, int]) -> Fit:
    """The fit with what the scene estimate pulls any fit of a mask of this shape ``(H, W)`` by."""
    half = np.deg2rad(max(shape) / 2)
    return _with_errors(fitted, LEAST_PX | {name: float(error / half) for name, error in LEAST_EDGE_PX.items()})


def with_sampling_error(fitted: Fit, dispersion: Dispersion) -> Fit:
    """The fit with the error of the mask pattern between the pixels added, if its bands may lie at fractions of a pixel.

    It is the same for all snapshots of a rig, so that more of them do not lower it.
    """
    if not _places_bands(fitted, dispersion):
        return fitted
    return _with_errors(fitted, SAMPLING_PX | _at_the_end(SAMPLING_END_PX, dispersion))


def with_pull_of_noise(fitted: Fit, dispersion: Dispersion, share: float) -> Fit:
    """The fit with the pull of the scene estimate of a noisy picture added; `share` 0..1 says how far noise hides the scene."""
    if share <= 0 or not _places_bands(fitted, dispersion):
        return fitted
    errors = NOISY | _at_the_end(NOISY_END_PX, dispersion)
    return _with_errors(fitted, {name: share * error for name, error in errors.items()})


def with_held_dispersion(fitted: Fit, dispersion: Dispersion, held: Mapping[str, float]) -> Fit:
    """The fit with what parameters of the dispersion may move that are held, because the picture does not tell them.

    `held` are their standard errors. The pattern fixes the middle of the band train, its first band moves by what the train is longer or
    turned: ``d_dx = d_slope (L-1)/2 + d_curve (L-1)^2/6``, ``d_dy = d_alpha S/2`` with ``S`` the length of the train.
    """
    last = dispersion.n_bands - 1
    along = np.hypot(held.get("slope", 0.0) * last / 2, held.get("curve", 0.0) * last**2 / 6)
    across = np.deg2rad(held.get("alpha", 0.0)) * dispersion.travel_px / 2
    return _with_errors(fitted, {"dx": float(along), "dy": float(across)})


def _places_bands(fitted: Fit, dispersion: Dispersion) -> bool:
    return dispersion.n_bands > 1 and bool(set(fitted.names) & set(DISPERSION_NAMES))


def _at_the_end(errors_px: Mapping[str, float], dispersion: Dispersion) -> dict[str, float]:
    """Errors of slope and alpha that move the end of the band train by so many pixels."""
    units = {"slope": dispersion.n_bands - 1, "alpha": float(np.deg2rad(dispersion.travel_px))}
    return {name: error / units[name] for name, error in errors_px.items()}


def _with_errors(fitted: Fit, errors: Mapping[str, float]) -> Fit:
    """The fit with independent standard errors added to those of the named parameters."""
    added = np.array([errors.get(name, 0.0) for name in fitted.names])
    return replace(fitted, covariance=fitted.covariance + np.diag(np.square(added)))
