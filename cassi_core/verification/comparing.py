"""The change since the earlier calibration, its error, and what it means.

Errors: the covariance of the change is the sum of both calibrations' covariances. That is what it is for independent errors; what both share (the
term `model` of the same mask and optics, bent optics) would cancel in the difference, so that the sum is on the safe side: it never makes
a rig drift that stands still. An earlier calibration without error bars counts as exact, and a sentence says so.

Told: a parameter whose error today is beyond a share of what the drawing says of it is not told by one picture and is left out.

Significance: ``chi^2 = d' C^-1 d`` of the told changes d. Size: ``d' G d``, the mean square shift of mask details in the lit picture
(:func:`cassi_core.calibration.likelihood.registration_error.sensitivity`), across the dispersion, of the pattern along it, and common along it.
Its chance for a mask that stands still is that of a sum of squares with weights (the eigenvalues of C G), by Satterthwaite's chi-square of the
same mean and variance. A calibration has drifted when the changes together are significant and one size is both significant
and beyond what is allowed; it holds when the errors are small enough to have shown that.

Common along: only the ends of the band train tell it, and a picture whose ends are dim may be read wrong, mostly at one of them, which
stretches the train (2 of 40 simulated pairs, seeds 0 to 39: by 0.1 and 0.8 of a band, where the error bars said a tenth of that). A mask that
moves takes all bands with it. So a common shift counts where the train has kept its length, or from a whole band on; otherwise it cannot be told.

Source: Satterthwaite 1946, Biometrics Bulletin 2, 110.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from cassi_core.calibration.frames import names_from_frame
from cassi_core.calibration.likelihood.estimate import Estimate
from cassi_core.calibration.likelihood.registration_error import sensitivity
from cassi_core.dispersion import Direction
from cassi_core.parameters import GEOMETRY_NAMES, PARAMETER_NAMES, ParameterSet
from cassi_core.quality.fit_checks import FAR_PX
from cassi_core.quality.identifiability import UNTOLD
from cassi_core.verification.result import Movement, ParameterChange, VerificationState

Vector = NDArray[np.float64]

LIMIT_PX = FAR_PX
"""Allowed shift: where a calibration's verdict begins to warn, because reconstructions visibly suffer."""
STRETCHED = 2.0
"""Standard errors from which on slope or curve say that the train of bands has another length."""
CHANCE = 0.01
"""A change that chance shows in more than one of a hundred pictures of a rig that stands still is none."""


@dataclass(frozen=True)
class Comparison:
    """What changed, and what it amounts to."""

    state: VerificationState
    changes: tuple[ParameterChange, ...]
    across: Movement
    pattern: Movement
    common: Movement
    chi_square: float
    degrees: int
    probability: float


def compare(old: ParameterSet, old_covariance: Vector, today: Estimate, direction: Direction) -> Comparison:
    """Hold today's estimate against the old values; both and the old covariance `(9, 9)` in the dispersion frame, the changes in the rig's."""
    names = tuple(n for n in today.names if n in GEOMETRY_NAMES)
    at = [PARAMETER_NAMES.index(n) for n in names]
    own = [today.names.index(n) for n in names]
    change = today.vector[at] - old.vector()[at]
    now = today.covariance[np.ix_(own, own)]
    covariance = now + old_covariance[np.ix_(at, at)]
    told = np.sqrt(np.maximum(np.diag(now), 0)) < UNTOLD * today.prior_sigma[own]
    moves = sensitivity(today.problem, today.x, names)
    keep = np.flatnonzero(told)
    d, c = change[keep], covariance[np.ix_(keep, keep)]
    sizes = [movement(d, c, gram[np.ix_(keep, keep)]) for gram in (moves.across, moves.pattern, moves.common)]
    chi_square = float(d @ np.linalg.pinv(c, rcond=1e-12, hermitian=True) @ d) if keep.size else 0.0
    probability = float(stats.chi2.sf(chi_square, keep.size)) if keep.size else 1.0
    reach = np.sqrt(np.maximum(np.diag(moves.across + moves.pattern + moves.common), 1e-300))
    changes = []
    for k, (rig_name, sign) in enumerate(names_from_frame(names, direction)):
        before, after = (sign * float(v[at[k]]) for v in (old.vector(), today.vector))
        sigmas = [float(np.sqrt(max(v, 0.0))) for v in (old_covariance[at[k], at[k]], now[k, k], covariance[k, k])]
        changes.append(
            ParameterChange(
                rig_name, before, sigmas[0] or None, after, sigmas[1], sigmas[2], LIMIT_PX / float(reach[k]), bool(told[k])
            )
        )
    changes.sort(key=lambda found: PARAMETER_NAMES.index(found.name))
    along = _common_state(sizes[2], changes, today.problem.dispersion.step_px)
    state = _state(probability, sizes, along)
    return Comparison(state, tuple(changes), sizes[0], sizes[1], sizes[2], chi_square, len(d), probability)


def movement(change: Vector, covariance: Vector, gram: Vector) -> Movement:
    """The rms shift ``sqrt(d' G d)`` of a change with its error and its chance; `change` `(k,)`, matrices `(k, k)`."""
    square = max(float(change @ gram @ change), 0.0)
    product = covariance @ gram
    mean, variance = float(np.trace(product)), 2 * float(np.trace(product @ product))
    if mean <= 0 or variance <= 0:
        return Movement(float(np.sqrt(square)), 0.0, 0.0, 1.0)
    slope = gram @ change
    expected = float(np.sqrt(mean))
    sigma = float(np.sqrt(max(float(slope @ covariance @ slope), 0.0) / square)) if square > mean else expected
    probability = float(stats.chi2.sf(square * 2 * mean / variance, 2 * mean**2 / variance))
    return Movement(float(np.sqrt(square)), sigma, expected, probability)


def beyond(moved: Movement) -> bool:
    """Whether a shift is both significant and more than is allowed."""
    return moved.probability < CHANCE and moved.moved_px > LIMIT_PX


def _common_state(common: Movement, changes: Sequence[ParameterChange], step_px: float) -> VerificationState:
    """What the common shift along the dispersion alone says."""
    if not beyond(common):
        return "holds"
    train = [c for c in changes if c.name in ("slope", "curve")]
    stretched = any(not c.told or abs(c.significance) > STRETCHED for c in train)
    return "cannot_tell" if stretched and common.moved_px < step_px else "drifted"


def _state(probability: float, sizes: Sequence[Movement], along: VerificationState) -> VerificationState:
    across, pattern, _ = sizes
    if probability < CHANCE and (along == "drifted" or beyond(across) or beyond(pattern)):
        return "drifted"
    sure = max(across.expected_px, pattern.expected_px) <= LIMIT_PX
    return "holds" if sure and (along == "holds" or probability >= CHANCE) else "cannot_tell"
