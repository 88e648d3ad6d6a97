"""The error budget of a fit: named terms of the covariance, each with its formula and origin, summed once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from cassi_core.assets import read_asset
from cassi_core.calibration.likelihood.scoring import Scored

Vector = NDArray[np.float64]

MODEL_ERRORS = "model_errors.json"
"""Errors of simulated rigs over the scatter term: what scene, sampling and light of the model do not know. Made by
``python -m tests.benchmarks.wild --derive`` on the seeds that the file names; checked on others."""
DISTORTION_PLACES = 3
"""Distortions are smooth: so many places along each side of the picture are shifted independently of each other."""


@cache
def model_errors() -> dict[str, float]:
    """Factor by parameter from the shipped file; ``others``: of those that it does not name."""
    stored = json.loads(read_asset(MODEL_ERRORS))
    return {**stored["factors"], "others": float(stored["others"])}


@dataclass(frozen=True, eq=False)
class ErrorTerm:
    """One term: its covariance `(k, k)` of the refined parameters, and in words how it is made and where it comes from."""

    name: str
    formula: str
    origin: str
    covariance: Vector


@dataclass(frozen=True, eq=False)
class ErrorBudget:
    """All terms in the order of `names`; ``covariance`` is their sum."""

    names: tuple[str, ...]
    terms: tuple[ErrorTerm, ...]

    @property
    def covariance(self) -> Vector:
        total = np.zeros((len(self.names), len(self.names)))
        for term in self.terms:
            total = total + term.covariance
        return total

    def term(self, name: str) -> ErrorTerm:
        """The term of that name."""
        return next(t for t in self.terms if t.name == name)

    def plus(self, term: ErrorTerm) -> ErrorBudget:
        """The budget with one more term."""
        return ErrorBudget(self.names, (*self.terms, term))


def budget_of(scored: Scored, names: Sequence[str], columns: Sequence[int], factors: Mapping[str, float]) -> ErrorBudget:
    """The budget of a fit: scatter over the picture, what model and sampling add, and what the last step still changed.

    `names` are refined parameters and `columns` their places in x; `factors` turns the unit of x into theirs (the blur: px^2 to px).
    """
    at = [int(np.flatnonzero(scored.free.index == column)[0]) for column in columns]
    scale = np.array([factors.get(name, 1.0) for name in names])
    strips = scored.evaluation.by_strip[:, scored.free.index]
    # The score of the whole vanishes at the end; what is left of it is no scatter.
    strips = strips - strips.mean(axis=0)
    spread = strips.T @ strips * (len(strips) / max(len(strips) - 1, 1))
    scatter = (scored.inverse @ spread @ scored.inverse)[np.ix_(at, at)]
    formal = scored.inverse[np.ix_(at, at)]
    # Fewer strips than parameters cannot show less than the noise that the model itself expects.
    own = np.sqrt(np.maximum(np.diag(formal) / np.maximum(np.diag(scatter), 1e-300), 1.0))
    scatter = scatter * np.outer(own, own) * np.outer(scale, scale)
    measured = model_errors()
    shares = np.array([measured.get(name, measured["others"]) for name in names])
    step = scored.step[at] * scale
    return ErrorBudget(
        tuple(names),
        (
            ErrorTerm("scatter", "I^-1 V I^-1, V from the score of rows of patches", "this picture", scatter),
            ErrorTerm(
                "model",
                "(f f' - 1) . scatter, f per parameter",
                "simulated rigs of every kind: scene, sampling and light that the model does not know",
                scatter * (np.outer(shares, shares) - 1),
            ),
            ErrorTerm("convergence", "d d', d the last step", "this fit", np.outer(step, step)),
        ),
    )


def distortion_term(names: Sequence[str], shift_px: float, shape: tuple[int, int], bands: int) -> ErrorTerm:
    """What bent optics add where the pattern is shifted by `shift_px` (rms, each way) beyond the model.

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
    return ErrorTerm(
        "distortion", "a straight line through places that are off by the leftover shifts", "leftover shifts", added
    )
