"""Fisher scoring: from a start to where the score of the likelihood vanishes, with a named reason for stopping."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from cassi_core.calibration.likelihood.problem import (
    LIGHT_NAMES,
    LIGHT_TERMS,
    NUISANCE_NAMES,
    TREND_NAMES,
    Evaluation,
    Indices,
    RigProblem,
    Vector,
)
from cassi_core.optics import OPTICS_NAMES

LARGEST_STEP = {
    "dx": 1.0,
    "dy": 1.0,
    "theta": 0.4,
    "scale_x": 4e-3,
    "scale_y": 4e-3,
    "slope": 0.02,
    "curve": 1e-3,
    "alpha": 0.4,
    "smear": 4.0,
    **dict.fromkeys(OPTICS_NAMES, 1.0),
    **dict.fromkeys((*LIGHT_NAMES, *TREND_NAMES), 0.7),
    **dict.fromkeys(NUISANCE_NAMES, 1.5),
}
"""Largest change of one step: the linear model holds for about one mask detail."""
BLUR_STEP = 1.2
"""The same for the blur, in the logarithm of its variance plus BLUR_OFFSET: far from the right blur the score says little of the distance."""
BLUR_OFFSET = 0.05
NUISANCE_STEP = 0.6
"""Share of a step that scene and noise take: their information changes with themselves."""
LEAST_NOISE = 1e-6
"""Variance of the read noise, relative to the brightest place: a thousandth of it, below which single precision ends."""
NUISANCE_SIGMA = 2.0
"""What is known before of the logarithms of the scene's weights and the noise."""
LIGHT_SIGMAS = (0.7, 0.5, 0.35, 0.25, 0.2)
"""What is known before of the polynomials of the logarithm of the light: lamps and filters are smooth; a band train that turns from blue to
red by a factor of eight is 1.04 in the first."""

TREND_SIGMAS = (0.5, 0.35, 0.25)
"""The same for how they change from the middle of the scene to its side."""


class Stop(Enum):
    """Why an iteration ended."""

    CONVERGED = "the next step is below the tolerance"
    STEPS = "all steps taken"
    ASKED = "asked to finish early"


@dataclass(frozen=True, eq=False)
class Free:
    """Which parameters move: places in x, what is known of them before (mean, standard error), and their bounds."""

    index: Indices
    mean: Vector
    sigma: Vector
    lower: Vector
    upper: Vector
    largest: Vector
    nuisance: bool

    def precision(self) -> Vector:
        return np.where(np.isfinite(self.sigma), 1 / self.sigma**2, 0.0)


@dataclass(frozen=True, eq=False)
class Scored:
    """Where scoring ended: x, the evaluation at the last place looked at, the step from there, the inverse of the information."""

    x: Vector
    at: Vector
    evaluation: Evaluation
    free: Free
    step: Vector
    inverse: Vector
    stop: Stop


def free_parameters(
    problem: RigProblem,
    names: Sequence[str],
    *,
    light_terms: int,
    nuisance: bool,
    known: dict[str, tuple[float, float]],
    bounds: dict[str, tuple[float, float]],
    start: Vector,
) -> Free:
    """The named shared parameters, the first terms of the light of every snapshot and, if wanted, scene and noise."""
    rows: list[tuple[int, float, float, float, float, float]] = []
    for name in names:
        mean, sigma = known.get(name, (0.0, np.inf))
        lower, upper = bounds.get(name, (-np.inf, np.inf))
        rows.append((problem.index(name), mean, sigma, lower, upper, LARGEST_STEP.get(name, np.inf)))
    for frame in range(len(problem.snapshots)):
        for name, sigma in zip(LIGHT_NAMES[: min(light_terms, problem.light_terms)], LIGHT_SIGMAS, strict=False):
            rows.append((problem.index(name, frame), 0.0, sigma, -np.inf, np.inf, LARGEST_STEP[name]))
        for name, sigma in zip(
            TREND_NAMES[: problem.light_terms if light_terms >= LIGHT_TERMS else 0], TREND_SIGMAS, strict=False
        ):
            rows.append((problem.index(name, frame), 0.0, sigma, -np.inf, np.inf, LARGEST_STEP[name]))
        for name in NUISANCE_NAMES if nuisance else ():
            at = problem.index(name, frame)
            rows.append(
                (
                    at,
                    problem.start()[at],
                    NUISANCE_SIGMA,
                    np.log(LEAST_NOISE) if name == "read noise" else -np.inf,
                    np.inf,
                    LARGEST_STEP[name],
                )
            )
    table = np.array(rows, float).reshape(-1, 6)
    columns: list[Vector] = [table[:, k] for k in range(6)]
    return Free(columns[0].astype(np.int64), columns[1], columns[2], columns[3], columns[4], columns[5], nuisance)


def score_steps(
    problem: RigProblem,
    x: Vector,
    free: Free,
    *,
    patches: Sequence[Indices] | None,
    steps: int,
    tolerance: float,
    look: Callable[[Vector, Evaluation, Vector, Free], None] | None = None,
) -> Scored:
    """Steps ``d = (I + P)^-1 (g - P (x - mean))`` until they are below `tolerance` standard errors; `look` sees every place.

    The blur moves in the logarithm of its variance. A parameter on a bound that is pushed outwards stays there. What is known of the mask
    is decided anew at the start (:meth:`RigProblem.hold`).
    """
    x = x.copy()
    problem.hold(x)
    blur = problem.index("blur")
    precision = free.precision()
    is_scene = free.index >= problem.index(NUISANCE_NAMES[0])
    is_scene &= ~np.isin(
        free.index, [problem.index(n, k) for k in range(len(problem.snapshots)) for n in (*LIGHT_NAMES, *TREND_NAMES)]
    )
    stop = Stop.STEPS
    for count in range(max(steps, 1)):
        found = problem.evaluate(x, patches, nuisance=free.nuisance)
        gradient = found.score[free.index] - precision * (x[free.index] - free.mean)
        information = found.information[np.ix_(free.index, free.index)] + np.diag(precision)
        scale = np.where(free.index == blur, x[blur] + BLUR_OFFSET, 1.0)
        information = information * np.outer(scale, scale)
        gradient = gradient * scale
        information[np.diag_indices_from(information)] *= 1 + 1e-3
        at = x[free.index]
        out = ((at <= free.lower) & (gradient < 0)) | ((at >= free.upper) & (gradient > 0)) | (np.diag(information) <= 0)
        step, inverse = np.zeros(len(at)), np.zeros_like(information)
        inner = np.flatnonzero(~out)
        inverse[np.ix_(inner, inner)] = _inverse(information[np.ix_(inner, inner)])
        step = inverse @ gradient
        largest = np.where(free.index == blur, BLUR_STEP, free.largest)
        share = np.minimum(1.0, largest / np.maximum(np.abs(step), 1e-300))
        share[~is_scene] = share[~is_scene].min(initial=1.0)
        step = step * share * np.where(is_scene, NUISANCE_STEP, 1.0)
        sigma = np.sqrt(np.maximum(np.diag(inverse), 1e-300))
        place = x.copy()
        moved = np.where(free.index == blur, (at + BLUR_OFFSET) * np.exp(step) - BLUR_OFFSET, at + step)
        x[free.index] = np.clip(moved, free.lower, free.upper)
        if look is not None:
            look(x, found, inverse * np.outer(scale, scale), free)
        done = np.all(np.abs(step[~is_scene]) <= tolerance * sigma[~is_scene])
        if done and count:
            stop = Stop.CONVERGED
            break
        if problem.control.finishing:
            stop = Stop.ASKED
            break
    # A pose that rests on a bound is as uncertain as the picture leaves it; a blur of nothing has no error that is symmetric.
    known = np.flatnonzero((~out | (free.index < blur)) & (np.diag(information) > 0))
    errors = np.zeros_like(information)
    errors[np.ix_(known, known)] = _inverse(information[np.ix_(known, known)])
    return Scored(x, place, found, free, (x - place)[free.index], errors * np.outer(scale, scale), stop)


def _inverse(matrix: Vector) -> Vector:
    """Inverse of a positive matrix whose rows have very different units."""
    scale = 1 / np.sqrt(np.maximum(np.diag(matrix), 1e-300))
    scaled = matrix * np.outer(scale, scale)
    values, vectors = np.linalg.eigh((scaled + scaled.T) / 2)
    inverse = (vectors / np.maximum(values, 1e-10 * values.max(initial=1.0))) @ vectors.T
    return np.asarray(inverse * np.outer(scale, scale), np.float64)
