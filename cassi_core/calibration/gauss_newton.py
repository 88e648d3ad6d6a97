"""The engine's fit: Gauss-Newton on what the best smooth scene cannot explain, for any subset of the parameters.

The step solves ``N d = g`` with ``N = J^T W J``, ``g = J^T W r`` and weights ``W = 1/(local residual energy)``; residual ``r`` and derivative
images ``J``: :mod:`cassi_core.calibration.linearisation`. ``N`` is a metric, it may come from a point nearby; ``g`` is that of the point.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cassi_core.calibration.error_bars import (
    Priors,
    Vector,
    believable,
    normal_equations,
    prior_weight,
    respond,
    sandwich,
    solve_scaled,
)
from cassi_core.calibration.linearisation import Linearisation, linearise_all
from cassi_core.calibration.noise_bias import gradient_of_noise
from cassi_core.calibration.rig_model import Optics, RigModel
from cassi_core.errors import NumericsError
from cassi_core.parameters import PARAMETER_NAMES, ParameterSet
from cassi_core.run import RunControl, RunRecorder
from cassi_core.solvers.protocol import GapSettings, GapSolver

LARGEST_STEP = {
    "dx": 1.0,
    "dy": 1.0,
    "theta": 0.4,
    "scale_x": 4e-3,
    "scale_y": 4e-3,
    "slope": 0.02,
    "curve": 1e-3,
    "alpha": 0.4,
    "psf": 0.3,
}
"""Largest change of one step: the linear model of the residual holds for about one mask detail."""
DONE_STEP = {
    "dx": 3e-3,
    "dy": 3e-3,
    "theta": 1.5e-3,
    "scale_x": 2e-5,
    "scale_y": 2e-5,
    "slope": 2e-4,
    "curve": 1e-5,
    "alpha": 2e-3,
    "psf": 1e-2,
}
"""Changes below these end the fit: well under the standard error that one snapshot allows."""
MAX_HALVINGS = 3
TOO_MUCH_WORSE = 1.02
"""A residual larger by this factor after a step means that the step was too long, not that the weights changed."""
MIXED_WORSE = 1.002
"""The same for a mixture of steps: along what the picture hardly tells it may go far astray at little cost, so that a plain step is taken."""
SIGMA_SHARE = 0.1
"""Changes below this share of the standard error end the fit too: walking on inside the error bar tells nothing."""
LEAST_STEPS = 2
"""Before the mixing has seen two steps a short one proves nothing: on dark pictures plain steps are far too short."""
REUSE_SHARE = 0.5
"""Derivative images serve as a metric as long as no parameter has moved by more than this share of LARGEST_STEP since they were made."""
EXACT_SHARE = 0.1
"""The same for the standard errors, which need them where the fit ended."""
MOST_PULL = 3.0
"""The pull of noise is small; one of more standard errors than this is not believed in full."""
HISTORY = 5
"""Steps that the mixing remembers."""


@dataclass(frozen=True, eq=False)
class Fit:
    """Where a fit ended: vector of all parameters, score, the refined names with covariance and prior, and how many steps it took.

    `parts` are the snapshots compared at the vector `parts_at` (the last step, too small to matter, is not looked at again), their
    derivative images are of `linear_at`.
    """

    vector: Vector
    score: float
    names: tuple[str, ...]
    covariance: Vector
    steps: int
    prior: Priors
    parts: tuple[Linearisation, ...] = ()
    parts_at: Vector | None = None
    linear_at: Vector | None = None

    @property
    def sigmas(self) -> dict[str, float]:
        return {n: float(np.sqrt(v)) for n, v in zip(self.names, np.diag(self.covariance), strict=True)}


def fit(
    models: Sequence[RigModel],
    start: ParameterSet,
    settings: GapSettings,
    solver: GapSolver,
    recorder: RunRecorder,
    *,
    optics: Optics | None = None,
    priors: Mapping[str, tuple[float, float]] | None = None,
    max_steps: int = 8,
    tolerance: float = 1.0,
    known: Fit | None = None,
) -> Fit:
    """Refine the parameters that `start` marks, jointly for all snapshots, from its values; the others stay bit-identical.

    `priors` maps names to (centre, standard error). An earlier fit of the same parameters that ended near `start` may be `known`: its
    derivative images serve as the metric of the first steps, which cost a third then.

    Noise in the scene estimate inflates ``J^T W J``, so plain steps are too short by up to a factor of five on dark pictures; Anderson
    mixing over the last steps (Walker and Ni 2011) restores them. A step after which the residual is clearly larger is done again with
    derivative images of its own point, then halved; a mixture after which it is a little larger gives way to a plain step. The fit ends
    when the next change is below `tolerance` times DONE_STEP everywhere, after `max_steps`, or when the run is asked to finish early.

    Raises
    ------
    NumericsError
        When the residual is not finite.
    """
    names = start.refined
    before = [(priors or {}).get(n, (0.0, float("inf"))) for n in names]
    prior = Priors(np.array([k[0] for k in before]), np.array([k[1] for k in before]))
    walk = _Walk(models, start, settings, solver, recorder, optics or Optics(), prior)
    here = walk.look(start.vector()[walk.index], walk.place_of(known))
    end, steps = here.at, 0
    history: list[tuple[Vector, Vector]] = []
    while steps < max_steps and names and not recorder.control.finishing:
        normal, gradient = _with_prior(here.parts, prior, here.at)
        history.append((here.at, _free_step(normal, gradient, here.at, walk.lower, walk.upper)))
        target = walk.target(history, normal)
        if steps >= LEAST_STEPS and walk.is_next_to_nothing(target - here.at, here, tolerance):
            end = target
            break
        there = walk.follow(target, here)
        if there.score > TOO_MUCH_WORSE * here.score and np.any(here.linear_at != here.at):
            # The metric of a point nearby led astray: make the derivative images here before the step is blamed.
            history.clear()
            here = walk.look(here.at)
            continue
        if len(history) > 1 and there.score > MIXED_WORSE * here.score:
            history.clear()
            steps += 1
            continue
        halvings = 0
        while there.score > TOO_MUCH_WORSE * here.score and halvings < MAX_HALVINGS:
            halvings += 1
            history.clear()
            there = walk.follow(here.at + (there.at - here.at) / 2, here)
        steps += 1
        if there.score > TOO_MUCH_WORSE * here.score:
            break
        here = there
        end = here.at
    points = [walk.vector(at) for at in (end, here.at, here.linear_at)]
    return Fit(points[0], here.score, names, sandwich(here.parts, prior), steps, prior, tuple(here.parts), *points[1:])


@dataclass(frozen=True, eq=False)
class _Place:
    """Values of the refined parameters, the snapshots compared there, and where their derivative images come from."""

    at: Vector
    parts: Sequence[Linearisation]
    linear_at: Vector

    @property
    def score(self) -> float:
        return float(np.sqrt(np.mean([part.score**2 for part in self.parts])))


class _Walk:
    """What the steps of a fit share: how a place is looked at, how far a step may go, and when it is too short to matter."""

    def __init__(
        self,
        models: Sequence[RigModel],
        start: ParameterSet,
        settings: GapSettings,
        solver: GapSolver,
        recorder: RunRecorder,
        optics: Optics,
        prior: Priors,
    ) -> None:
        self.models, self.start, self.settings, self.solver, self.recorder = models, start, settings, solver, recorder
        self.optics, self.prior = optics, prior
        self.index = np.array([PARAMETER_NAMES.index(n) for n in start.refined], int)
        self.lower, self.upper = start.lower()[self.index], start.upper()[self.index]
        self.largest, self.done = (np.array([table[n] for n in start.refined]) for table in (LARGEST_STEP, DONE_STEP))

    def vector(self, at: Vector) -> Vector:
        """All parameters, with the refined ones as given."""
        full = self.start.vector()
        full[self.index] = at
        return full

    def place_of(self, known: Fit | None) -> _Place | None:
        """Where an earlier fit made its derivative images."""
        if known is None or known.linear_at is None or known.names != self.start.refined:
            return None
        linear_at = known.linear_at[self.index]
        return _Place(linear_at, known.parts, linear_at)

    def look(self, at: Vector, known: _Place | None = None) -> _Place:
        """Compare the snapshots at a place, with the derivative images of a `known` one if given, and report it."""
        full, control = self.vector(at), self.recorder.control
        parts = linearise_all(
            self.models,
            self.solver,
            full,
            self.start.refined,
            self.settings,
            self.optics,
            control,
            known=known.parts if known else (),
        )
        place = _Place(at, parts, known.linear_at if known else at)
        if not np.isfinite(place.score):
            raise NumericsError("the residual of the fit is not finite; check the measurement and the mask for extreme values")
        errors = np.full(len(full), np.nan)
        errors[self.index] = self.sigmas(place)
        self.recorder.row(place.score, full, errors)
        self.recorder.advance()
        return place

    def follow(self, target: Vector, here: _Place) -> _Place:
        """Look at a new place, with the derivative images known here as long as they serve."""
        near = bool(np.all(np.abs(target - here.linear_at) <= REUSE_SHARE * self.largest))
        return self.look(target, here if near else None)

    def sigmas(self, place: _Place) -> Vector:
        return np.asarray(np.sqrt(np.maximum(np.diag(sandwich(place.parts, self.prior)), 0)))

    def target(self, history: Sequence[tuple[Vector, Vector]], normal: Vector) -> Vector:
        """Where the mixture of the last steps leads, within the bounds and not further than the linear model holds."""
        at, plain = history[-1]
        proposed = _mixed(history[-HISTORY:], np.sqrt(np.diag(normal)))
        # A plain step is never too long: where it already leaves the bounds, the mixture must not creep back inside.
        proposed = np.where(at + plain >= self.upper, self.upper, np.where(at + plain <= self.lower, self.lower, proposed))
        return np.clip(at + np.clip(proposed - at, -self.largest, self.largest), self.lower, self.upper)

    def is_next_to_nothing(self, step: Vector, here: _Place, tolerance: float) -> bool:
        """Whether a step changes less than anybody could tell."""
        return bool(np.all(np.abs(step) <= tolerance * np.maximum(self.done, SIGMA_SHARE * self.sigmas(here))))


def concluded(
    fitted: Fit,
    models: Sequence[RigModel],
    parameters: ParameterSet,
    settings: GapSettings,
    solver: GapSolver,
    control: RunControl,
    *,
    optics: Optics | None = None,
) -> Fit:
    """The fit with the pull of noise (:mod:`cassi_core.calibration.noise_bias`) taken off its vector and with true error bars.

    The covariance is that of :mod:`cassi_core.calibration.error_bars`: one solve per parameter, two if it has moved far. What a plain step
    would still change counts as an error: it is next to nothing when the fit has ended by itself, and tells how far off a fit is that was
    made to end.
    """
    if not fitted.names or fitted.parts_at is None or fitted.linear_at is None:
        return replace(fitted, parts=())
    optics = optics or Optics()
    parts: Sequence[Linearisation] = fitted.parts
    largest = np.array([LARGEST_STEP[n] for n in PARAMETER_NAMES])
    compared_at = fitted.parts_at
    if np.any(np.abs(fitted.vector - fitted.linear_at) > EXACT_SHARE * largest):
        compared_at = fitted.vector
        parts = linearise_all(models, solver, compared_at, fitted.names, settings, optics, control)
    response = respond(models, parts, solver, compared_at, parameters, settings, optics, control)
    covariance = sandwich(parts, fitted.prior, response)
    index = [PARAMETER_NAMES.index(n) for n in fitted.names]
    at, lower, upper = compared_at[index], parameters.lower()[index], parameters.upper()[index]
    normal, gradient = _with_prior(parts, fitted.prior, at)
    to_go = np.clip(at + _free_step(normal, gradient, at, lower, upper), lower, upper) - fitted.vector[index]
    noise = gradient_of_noise(models, parts, solver, compared_at, fitted.names, settings, optics, control)
    plain, _ = normal_equations(parts)
    pull = solve_scaled(believable(response, plain) + normal - plain, noise)
    most = MOST_PULL * np.sqrt(np.maximum(np.diag(covariance), 0))
    vector = fitted.vector.copy()
    vector[index] = np.clip(vector[index] - np.clip(pull, -most, most), lower, upper)
    return replace(fitted, vector=vector, covariance=covariance + np.outer(to_go, to_go), parts=())


def _mixed(history: Sequence[tuple[Vector, Vector]], scale: Vector) -> Vector:
    """Next point by Anderson mixing: the combination of past points whose combined step is smallest, plus that step."""
    at, step = history[-1]
    if len(history) == 1:
        return at + step
    points = np.diff(np.array([h[0] for h in history]), axis=0).T
    steps = np.diff(np.array([h[1] for h in history]), axis=0).T
    share = np.linalg.lstsq(steps * scale[:, None], step * scale, rcond=1e-3)[0]
    return np.asarray(at + step - (points + steps) @ share)


def _free_step(normal: Vector, gradient: Vector, at: Vector, lower: Vector, upper: Vector) -> Vector:
    """Gauss-Newton step with parameters held that lie on a bound and are pushed outwards."""
    free = np.ones(len(at), bool)
    step = np.zeros(len(at))
    for _ in range(len(at)):
        step[:] = 0
        step[free] = solve_scaled(normal[np.ix_(free, free)], gradient[free])
        out = free & (((at <= lower) & (step < 0)) | ((at >= upper) & (step > 0)))
        if not out.any():
            break
        free &= ~out
    return step


def _with_prior(parts: Sequence[Linearisation], prior: Priors, at: Vector) -> tuple[Vector, Vector]:
    """Normal matrix and gradient with the prior counted in the picture's own currency."""
    normal, gradient = normal_equations(parts)
    weight = prior_weight(normal, sandwich(parts, Priors.none(len(at))), prior)
    return normal + np.diag(weight), gradient + weight * (prior.centre - at)
