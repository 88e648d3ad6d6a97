"""The blur of a sharp picture, by fitting with other widths: which one leaves the least unexplained.

How sharply the pattern stands in the picture (:mod:`cassi_core.calibration.blur_choice`) hardly tells a width below half a pixel: sampling
blurs as much. But a fit with too sharp a mask imitates the missing blur, by bands at fractions of a pixel: on simulated rigs with a mask of
1 px squares and a blur of 0.5 px, taken for sharp, alpha ended 0.3 deg and the last band 0.2 px off. So the fit is done again with two
other widths, and the square of the relative residual, a parabola over ``psf^2``, has its least value near the width that is there.

Least values found on rigs of 20 and 28 bands where ``psf^2`` was 0: up to 0.04; 0.03: up to 0.03; 0.08: 0.01; 0.21: 0.07 to 0.28 (of two
simulators). The residual is that of an estimate that takes all bands as equally bright: the light of the bands explains part of a blur.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cassi_core.calibration.blur_choice import Blur
from cassi_core.calibration.gauss_newton import Fit
from cassi_core.parameters import PARAMETER_NAMES, Parameter

SHARP_PX = 0.35
"""Pictures that look blurred by less are looked at again; a wider blur the picture itself tells."""
LEAST_BANDS = 16
"""With fewer bands the residual holds texture that a blur of the mask explains (12 bands, no blur: least residual at 0.10 to 0.13)."""
TRIED = (0.1, 0.25, 0.45)
"""Squares of the widths tried beside none."""
CLEARLY_WORSE = 1.02
"""Where the first of them raises the square of the residual by this factor there is no blur, and no need for another trial."""
OWN_SQUARE = 0.04
"""What the least residual comes out too sharp by."""
LEAST_SQUARE = 0.09
"""A smaller square counts as none: where there is no blur, any would do harm."""
SIGMA_SQUARE = 0.045
"""Standard error of ``psf^2``."""


@dataclass(frozen=True, eq=False)
class Trial:
    """A fit with a blur of this square: where it ended, and the relative residual there."""

    square: float
    vector: NDArray[np.float64]
    residual: float


def looks_sharp(blur: Blur, bounds: Parameter, bands: int) -> bool:
    """Whether the blur that was seen is too small to be sure of, and other widths may and can be tried."""
    free = bounds.lower == 0 and bounds.upper >= np.sqrt(TRIED[-1])
    return bool(free and blur.psf < SHARP_PX and bands >= LEAST_BANDS)


def worth_another(trials: Sequence[Trial]) -> bool:
    """Whether a wider blur than those tried may be the right one; a parabola needs three."""
    if len(trials) < 2:
        return True
    if len(trials) == 2:
        return bool(trials[1].residual ** 2 <= CLEARLY_WORSE * trials[0].residual ** 2)
    return trials[-1].residual < trials[-2].residual


def chosen_square(trials: Sequence[Trial]) -> float:
    """``psf^2`` with the least residual, by the parabola through the last three trials; 0 for a picture without blur."""
    if len(trials) < 3:
        return 0.0
    squares = np.array([t.square for t in trials[-3:]])
    curve = np.polyfit(squares, [t.residual**2 for t in trials[-3:]], 2)
    if curve[0] <= 0:
        best = min(trials, key=lambda t: t.residual).square
    else:
        best = float(np.clip(-curve[1] / (2 * curve[0]), -OWN_SQUARE, squares[-1]))
    square = best + OWN_SQUARE
    return square if square >= LEAST_SQUARE else 0.0


def vector_with(trials: Sequence[Trial], square: float) -> NDArray[np.float64]:
    """All parameters of a fit with a blur of this square, between those of the trials."""
    squares = [t.square for t in trials]
    vectors = np.array([t.vector for t in trials])
    between = np.array([np.interp(square, squares, column) for column in vectors.T])
    between[PARAMETER_NAMES.index("psf")] = np.sqrt(square)
    return between


def blur_of(square: float, seen: Blur) -> Blur:
    """The blur of this square, with its standard error."""
    psf = float(np.sqrt(square))
    return replace(seen, psf=psf, sigma=float(np.sqrt(square + SIGMA_SQUARE)) - psf)


def with_error_of_blur(fitted: Fit, trials: Sequence[Trial], square: float) -> Fit:
    """The fit with what its parameters move by when ``psf^2`` moves by its standard error."""
    after = [i for i, t in enumerate(trials) if t.square > square]
    at = min(after, default=len(trials) - 1)
    one, other = trials[max(at, 1) - 1], trials[max(at, 1)]
    index = [PARAMETER_NAMES.index(name) for name in fitted.names]
    moved = (other.vector - one.vector)[index] / (other.square - one.square) * SIGMA_SQUARE
    return replace(fitted, covariance=fitted.covariance + np.outer(moved, moved))
