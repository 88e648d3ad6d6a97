"""The engine's fit: Gauss-Newton on what the best smooth scene cannot explain, for any subset of the parameters.

For parameters ``p`` the scene estimate is ``x = G_p y`` (GAP with a Gaussian denoiser, linear in ``y``), the residual ``r = (I - A G) y``
and the derivative of the residual with the scene held is ``J_i = (I - A G) Z_i`` with ``Z_i = d(A x)/dp_i``: variable projection in
Kaufman's form (Kaufman 1975). The term that is left out, how the fit's own efficiency changes with the parameters, is no information
about the rig; leaving it out removes most of the bias that the scene prior causes, and one solve per parameter replaces two.

The step solves ``N d = g`` with ``N = J^T W J``, ``g = J^T W r`` and weights ``W = 1/(local residual energy)``. Standard errors come from the
sandwich ``H^-1 (sum_b g_b g_b^T) H^-T`` over spatial blocks ``b``, ``g_b`` being the block's share of ``g``: neighbouring residuals are not
independent, and the formal ``N^-1`` alone is 3 to 5 times too small. ``H_ij = -J_i^T W dr/dp_j`` is how the gradient really responds, from
differences of the residual with the scene estimate following: noise in that estimate inflates ``N``, most on dark and imperfect pictures.

Where a parameter has a prior ``p0 +- s``, ``k/s^2`` is added to its diagonal and ``k (p0 - p)/s^2`` to its share of ``g``; ``k`` is how many times
``N^-1`` the covariance really is, so that the prior counts as what it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import repeat

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from cassi_core.calibration.derivatives import accumulate_derivatives, movement_rates
from cassi_core.calibration.rig_model import RigModel, named, relative_residual, spline_coefficients
from cassi_core.errors import NumericsError
from cassi_core.geometry import source_coordinates
from cassi_core.parameters import GEOMETRY_NAMES, PARAMETER_NAMES, SPECS, ParameterSet
from cassi_core.run import RunControl, RunRecorder
from cassi_core.solvers.protocol import Candidate, GapSettings, GapSolver

Vector = NDArray[np.float64]

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
WEIGHT_PX = 2.0
WEIGHT_QUANTILE = 0.3
BLOCK_PX = 24
"""Side of the blocks of the sandwich: a few times the reach of the scene prior and of a mask detail."""
KNOWN_POWER = 8
MAX_HALVINGS = 3
TOO_MUCH_WORSE = 1.02
"""A residual larger by this factor after a step means that the step was too long, not that the weights changed."""
SIGMA_SHARE = 0.1
"""Changes below this share of the standard error end the fit too: walking on inside the error bar tells nothing."""
LEAST_STEPS = 2
"""Before the mixing has seen two steps a short one proves nothing: on dark pictures plain steps are far too short."""
REUSE_SHARE = 0.05
"""Derivative images serve as long as no parameter has moved by more than this share of LARGEST_STEP since they were made."""
LEAST_RESPONSE = 0.1
"""The smallest response, in units of ``N``, that is believed: in such a direction the picture tells ten times less than ``N`` says."""
HISTORY = 5
"""Steps that the mixing remembers."""


@dataclass(frozen=True, eq=False)
class Linearisation:
    """A snapshot compared with one hypothesis: residual `r` `(H, Wc)`, derivative images `J` `(k, H, Wc)`, weights `(H, Wc)`, the score."""

    residual: NDArray[np.float32]
    jacobian: NDArray[np.float32]
    weight: NDArray[np.float32]
    score: float


@dataclass(frozen=True, eq=False)
class Fit:
    """Where a fit ended: vector of all parameters, score, the refined names with covariance and prior errors, and how many steps it took."""

    vector: Vector
    score: float
    names: tuple[str, ...]
    covariance: Vector
    formal_covariance: Vector
    steps: int
    prior_sigma: Vector

    @property
    def sigmas(self) -> dict[str, float]:
        return {n: float(np.sqrt(v)) for n, v in zip(self.names, np.diag(self.covariance), strict=True)}


@dataclass(frozen=True, eq=False)
class Optics:
    """What blurs the mask besides the sampling: the length of a band's own smear along the dispersion, in pixels."""

    smear_px: float = 0.0

    def spline(self, model: RigModel, vector: Vector) -> NDArray[np.float32]:
        """Spline coefficients of the mask as the optics show it with the blur of a parameter vector."""
        return model.spline(max(0.0, float(vector[PARAMETER_NAMES.index("psf")])), self.smear_px)


def linearise(
    model: RigModel,
    solver: GapSolver,
    vector: Vector,
    names: Sequence[str],
    settings: GapSettings,
    optics: Optics,
    control: RunControl,
    *,
    threads: int = 1,
    jacobian: NDArray[np.float32] | None = None,
) -> Linearisation:
    """Residual and derivative images of one snapshot at a parameter vector; see the module's formulas.

    With `jacobian` (from a point close by) only the residual is computed anew: one solve instead of one per parameter.
    """
    spline = optics.spline(model, vector)
    candidate = model.candidate(named(vector), spline)
    cube, residual = solver.reconstruct(model.y, candidate, settings, weight=model.observed, control=control)
    if jacobian is None:
        images = derivative_images(model, solver, vector, names, cube, spline, candidate, optics, threads=threads)
        images *= model.observed
        control.checkpoint()
        jacobian = solver.filter_images(images, candidate, settings, weight=model.observed, control=control)
    weight = local_weight(model, residual) * known_share(model, solver, vector, candidate)
    return Linearisation(residual, jacobian, weight, relative_residual(residual, model))


def derivative_images(
    model: RigModel,
    solver: GapSolver,
    vector: Vector,
    names: Sequence[str],
    cube: NDArray[np.float32],
    spline: NDArray[np.float32],
    candidate: Candidate,
    optics: Optics,
    *,
    threads: int = 1,
) -> NDArray[np.float32]:
    """``Z_i = d(A x)/d p_i`` with the scene held, ``(k, H, canvas)`` float32 in the order of `names`."""
    values = named(vector)
    geometric = [n for n in names if n in GEOMETRY_NAMES]
    shape = (model.mask.shape[0], model.mask.shape[1])
    whole_cols, whole_rows = candidate.cols, candidate.rows
    posed = spline_coefficients(model.posed(values, spline))
    slopes = np.stack([spline_coefficients(image) for image in model.posed_slopes(values, spline)])
    fractions = model.fractions(values)
    rates, dispersive = movement_rates(shape, model.dispersion, values, geometric)
    cuts = np.linspace(0, shape[0], threads + 1).astype(int)

    def part(index: int) -> NDArray[np.float32]:
        out = np.zeros((len(geometric), *model.y.shape), np.float32)
        accumulate_derivatives(
            cube,
            posed,
            slopes,
            fractions,
            whole_cols.astype(np.int64),
            whole_rows.astype(np.int64),
            rates,
            dispersive,
            cuts[index],
            cuts[index + 1],
            out,
        )
        return out

    with ThreadPoolExecutor(threads) as pool:
        summed = sum(pool.map(part, range(threads)))
    by_name = dict(zip(geometric, np.asarray(summed), strict=True))
    if "psf" in names:
        by_name["psf"] = _blur_derivative(model, solver, vector, cube, candidate, optics)
    return np.stack([by_name[n] for n in names]).astype(np.float32)


def _blur_derivative(
    model: RigModel, solver: GapSolver, vector: Vector, cube: NDArray[np.float32], candidate: Candidate, optics: Optics
) -> NDArray[np.float32]:
    """Derivative with respect to the width of the blur, by differences over 0.2 px (from zero, where it starts flat)."""
    at = PARAMETER_NAMES.index("psf")
    low, high = vector.copy(), vector.copy()
    low[at] = max(0.0, vector[at] - SPECS["psf"].step)
    high[at] = low[at] + 2 * SPECS["psf"].step
    images = [solver.project(cube, model.candidate(named(v), optics.spline(model, v)), model.y.shape) for v in (low, high)]
    return np.asarray((images[1] - images[0]) / (high[at] - low[at]), np.float32)


def local_weight(model: RigModel, residual: NDArray[np.float32]) -> NDArray[np.float32]:
    """``1 / (local residual energy + floor)`` where the residual counts, 0 elsewhere: bright textured places do not drown the rest."""
    inside = np.maximum(ndi.gaussian_filter(model.scored, WEIGHT_PX), 0.1)
    energy = ndi.gaussian_filter(residual * residual * model.scored, WEIGHT_PX) / inside
    counted = energy[model.scored > 0]
    floor = float(np.quantile(counted, WEIGHT_QUANTILE)) if counted.size else 1.0
    return np.asarray(model.scored / (energy + floor + 1e-12), np.float32)


def known_share(model: RigModel, solver: GapSolver, vector: Vector, candidate: Candidate) -> NDArray[np.float32]:
    """Weight 0..1 of canvas pixels by how much of their light comes through parts of the mask that the nominal mask shows.

    A mask that was moved by several pixels shows content at its border that nobody has captured; repeating the edge there is a guess
    that pulls the fit. The share of known bands counts with a power, so that a pixel with one unknown band in seven counts a third.
    """
    shape = (model.mask.shape[0], model.mask.shape[1])
    pose = {k: named(vector)[k] for k in ("dx", "dy", "theta", "scale_x", "scale_y")}
    row, col = source_coordinates(shape, **pose)
    known = (row >= 0) & (row <= shape[0] - 1) & (col >= 0) & (col <= shape[1] - 1)
    if known.all():
        return np.ones_like(model.y)
    ones = np.ones((len(candidate.cols), *shape), np.float32)
    seen, everything = (
        solver.project(ones, Candidate(mask, candidate.cols, candidate.rows), model.y.shape)
        for mask in (known.astype(np.float32), ones[0])
    )
    share = np.where(everything > 0, seen / np.maximum(everything, 1e-6), 0)
    return np.asarray(share**KNOWN_POWER, np.float32)


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
    threads: int = 1,
) -> Fit:
    """Refine the parameters that `start` marks, jointly for all snapshots, from its values; the others stay bit-identical.

    `priors` maps names to (centre, standard error).

    Noise in the scene estimate inflates ``J^T W J``, so plain steps are too short by up to a factor of five on dark pictures; Anderson
    mixing over the last steps (Walker and Ni 2011) restores them. A step after which the residual is clearly larger is halved. The fit
    ends when the next change is below `tolerance` times DONE_STEP everywhere, after `max_steps`, or when the run is asked to finish early.

    Raises
    ------
    NumericsError
        When the residual is not finite.
    """
    optics = optics or Optics()
    names = start.refined
    index = np.array([PARAMETER_NAMES.index(n) for n in names], int)
    lower, upper = start.lower()[index], start.upper()[index]
    largest, done = (np.array([table[n] for n in names]) for table in (LARGEST_STEP, DONE_STEP))
    known = [(priors or {}).get(n, (0.0, float("inf"))) for n in names]
    prior = Priors(np.array([k[0] for k in known]), np.array([k[1] for k in known]))
    vector = start.vector()
    control = recorder.control

    def evaluate(at: Vector, known: Sequence[Linearisation] = ()) -> list[Linearisation]:
        full = start.vector()
        full[index] = at
        parts = [
            linearise(m, solver, full, names, settings, optics, control, threads=threads, jacobian=j)
            for m, j in zip(models, [k.jacobian for k in known] if known else repeat(None, len(models)), strict=True)
        ]
        score = _score(parts)
        if not np.isfinite(score):
            raise NumericsError("the residual of the fit is not finite; check the measurement and the mask for extreme values")
        errors = np.full(len(full), np.nan)
        errors[index] = np.sqrt(np.maximum(np.diag(sandwich(parts, prior)), 0))
        recorder.row(score, full, errors)
        recorder.advance()
        return parts

    at = vector[index]
    parts = evaluate(at)
    linear_at = at
    history: list[tuple[Vector, Vector]] = []
    steps = 0
    while steps < max_steps and len(names) and not control.finishing:
        normal, gradient = _with_prior(parts, prior, at)
        plain = _free_step(normal, gradient, at, lower, upper)
        history.append((at, plain))
        proposed = _mixed(history[-HISTORY:], np.sqrt(np.diag(normal)))
        # A plain step is never too long: where it already leaves the bounds, the mixture must not creep back inside.
        proposed = np.where(at + plain >= upper, upper, np.where(at + plain <= lower, lower, proposed))
        target = np.clip(at + np.clip(proposed - at, -largest, largest), lower, upper)
        sigmas = np.sqrt(np.maximum(np.diag(sandwich(parts, prior)), 0))
        if steps >= LEAST_STEPS and np.all(np.abs(target - at) <= tolerance * np.maximum(done, SIGMA_SHARE * sigmas)):
            at = target
            break
        near = bool(np.all(np.abs(target - linear_at) <= REUSE_SHARE * largest))
        new = evaluate(target, parts if near else ())
        linear_at = linear_at if near else target
        halvings = 0
        while _score(new) > TOO_MUCH_WORSE * _score(parts) and halvings < MAX_HALVINGS:
            halvings += 1
            history.clear()
            target = at + (target - at) / 2
            new = evaluate(target)
        steps += 1
        if _score(new) > TOO_MUCH_WORSE * _score(parts):
            break
        at, parts = target, new
    vector[index] = at
    response = respond(models, parts, solver, vector, start, settings, optics, control) if len(names) else None
    return Fit(vector, _score(parts), names, sandwich(parts, prior, response), formal_covariance(parts), steps, prior.sigma)


def _mixed(history: Sequence[tuple[Vector, Vector]], scale: Vector) -> Vector:
    """Next point by Anderson mixing: the combination of past points whose combined step is smallest, plus that step."""
    at, step = history[-1]
    if len(history) == 1:
        return at + step
    points = np.diff(np.array([h[0] for h in history]), axis=0).T
    steps = np.diff(np.array([h[1] for h in history]), axis=0).T
    share = np.linalg.lstsq(steps * scale[:, None], step * scale, rcond=1e-3)[0]
    return np.asarray(at + step - (points + steps) @ share)


def _score(parts: Sequence[Linearisation]) -> float:
    return float(np.sqrt(np.mean([p.score**2 for p in parts])))


def _normal_equations(parts: Sequence[Linearisation]) -> tuple[Vector, Vector]:
    count = parts[0].jacobian.shape[0]
    normal, gradient = np.zeros((count, count)), np.zeros(count)
    for part in parts:
        weighted = (part.jacobian * part.weight).reshape(count, -1)
        normal += weighted @ part.jacobian.reshape(count, -1).T
        gradient += weighted @ part.residual.ravel()
    return normal, gradient


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


def solve_scaled(normal: Vector, right: Vector) -> Vector:
    """Solve ``N d = g`` after scaling the diagonal to one, with a tiny ridge: the parameters' units differ by factors of 10^4."""
    if not len(normal):
        return np.asarray(right, float)
    scale = np.sqrt(np.maximum(np.diag(normal), 1e-300))
    scaled = normal / np.outer(scale, scale) + 1e-9 * np.eye(len(normal))
    inner = right / scale if right.ndim == 1 else right / scale[:, None]
    solved = np.linalg.solve(scaled, inner)
    return np.asarray(solved / scale if right.ndim == 1 else solved / scale[:, None])


def _with_prior(parts: Sequence[Linearisation], prior: Priors, at: Vector) -> tuple[Vector, Vector]:
    """Normal matrix and gradient with the prior counted in the picture's own currency."""
    normal, gradient = _normal_equations(parts)
    weight = _prior_weight(normal, sandwich(parts, Priors.none(len(at))), prior)
    return normal + np.diag(weight), gradient + weight * (prior.centre - at)


def _prior_weight(normal: Vector, covariance: Vector, prior: Priors) -> Vector:
    """``k/s^2`` with ``k`` how many times ``N^-1`` the covariance is."""
    if not prior.precision().any():
        return np.zeros(len(normal))
    formal = np.diag(solve_scaled(normal, np.eye(len(normal))))
    return np.asarray(np.diag(covariance) / np.maximum(formal, 1e-300) * prior.precision(), np.float64)


def sandwich(parts: Sequence[Linearisation], prior: Priors, response: Vector | None = None) -> Vector:
    """Sandwich covariance over spatial blocks, `(k, k)`, with the prior; without a measured response ``N`` stands for it."""
    count = len(prior.sigma)
    if not count:
        return np.zeros((0, 0))
    normal, _ = _normal_equations(parts)
    bread = normal if response is None else _believable(response, normal)
    meat = np.zeros((count, count))
    for part in parts:
        shares = _block_sums(part.jacobian * (part.weight * part.residual))
        meat += shares @ shares.T
    inverse = solve_scaled(bread, np.eye(count))
    covariance = inverse @ meat @ inverse
    weight = _prior_weight(normal, covariance, prior)
    if weight.any():
        inverse = solve_scaled(bread + np.diag(weight), np.eye(count))
        # The prior's own scatter is k/s^2 times its weight: a parameter that only the prior knows keeps the prior's error.
        spread = np.square(weight * np.where(np.isfinite(prior.sigma), prior.sigma, 0.0))
        covariance = inverse @ (meat + np.diag(spread)) @ inverse
    return np.asarray(covariance, np.float64)


def formal_covariance(parts: Sequence[Linearisation]) -> Vector:
    """What the covariance would be if the weighted residuals were independent noise and the scene were known."""
    normal, _ = _normal_equations(parts)
    if not len(normal):
        return normal
    energy = sum(float(np.sum(p.weight * p.residual.astype(float) ** 2)) for p in parts)
    pixels = sum(float(np.count_nonzero(p.weight)) for p in parts)
    return solve_scaled(normal, np.eye(len(normal))) * energy / max(pixels, 1.0)


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


def _believable(response: Vector, normal: Vector) -> Vector:
    """The symmetric response, between LEAST_RESPONSE and one times ``N`` in every direction."""
    scale = np.sqrt(np.maximum(np.diag(normal), 1e-300))
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
