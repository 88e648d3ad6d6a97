"""A snapshot compared with one hypothesis: the residual, how it changes with every parameter, and the weights of its pixels.

For parameters ``p`` the scene estimate is ``x = G_p y`` (GAP with a blur as its denoiser, linear in ``y``), the residual ``r = (I - A G) y``
and the derivative of the residual with the scene held is ``J_i = (I - A G) Z_i`` with ``Z_i = d(A x)/dp_i``: variable projection in
Kaufman's form (Kaufman 1975). The term that is left out, how the fit's own efficiency changes with the parameters, is no information
about the rig; leaving it out removes most of the bias that the scene prior causes, and one solve per parameter replaces two.

The gradient alone, ``g_i = J_i^T W r = Z_i^T (I - A G)^T W r``, needs one solve with the transposed filter for all parameters together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from cassi_core.calibration.derivatives import accumulate_derivatives, movement_rates
from cassi_core.calibration.rig_model import Optics, RigModel, named, relative_residual, spline_coefficients
from cassi_core.geometry import source_coordinates
from cassi_core.parameters import GEOMETRY_NAMES, PARAMETER_NAMES, SPECS
from cassi_core.run import RunControl
from cassi_core.solvers.protocol import Candidate, GapSettings, GapSolver

Vector = NDArray[np.float64]

WEIGHT_PX = 2.0
WEIGHT_QUANTILE = 0.3
KNOWN_POWER = 8


@dataclass(frozen=True, eq=False)
class Linearisation:
    """A snapshot compared with one hypothesis: residual `r` `(H, Wc)`, derivative images `J` `(k, H, Wc)`, weights `(H, Wc)`, the
    gradient ``J^T W r`` `(k,)` and the score.

    `J` may come from a point nearby; the gradient never does.
    """

    residual: NDArray[np.float32]
    jacobian: NDArray[np.float32]
    weight: NDArray[np.float32]
    gradient: Vector
    score: float


def linearise(
    model: RigModel,
    solver: GapSolver,
    vector: Vector,
    names: Sequence[str],
    settings: GapSettings,
    optics: Optics,
    control: RunControl,
    *,
    jacobian: NDArray[np.float32] | None = None,
) -> Linearisation:
    """Residual, derivative images and gradient of one snapshot at a parameter vector; see the module's formulas.

    With `jacobian` (from a point nearby) two solves are enough, whatever the number of parameters.
    """
    spline = optics.spline(model, vector)
    candidate = model.candidate(named(vector), spline)
    cube, residual = solver.reconstruct(model.y, candidate, settings, weight=model.observed, control=control)
    weight = local_weight(model, residual) * known_share(model, vector, candidate)
    images = derivative_images(model, solver, vector, names, cube, spline, candidate, optics)
    images *= model.observed
    control.checkpoint()
    pulled = (weight * residual)[None]
    if jacobian is None:
        jacobian = solver.filter_images(images, candidate, settings, weight=model.observed, control=control)
        gradient = inner_products(jacobian, pulled)
    else:
        pulled = solver.filter_transposed(pulled, candidate, settings, weight=model.observed, control=control)
        gradient = inner_products(images, pulled)
    return Linearisation(residual, jacobian, weight, gradient[:, 0], relative_residual(residual, model))


def linearise_all(
    models: Sequence[RigModel],
    solver: GapSolver,
    vector: Vector,
    names: Sequence[str],
    settings: GapSettings,
    optics: Optics,
    control: RunControl,
    *,
    known: Sequence[Linearisation] = (),
) -> list[Linearisation]:
    """:func:`linearise` for every snapshot of a rig, with the derivative images of `known` if there are any."""
    jacobians: Sequence[NDArray[np.float32] | None] = [part.jacobian for part in known] or [None] * len(models)
    return [
        linearise(model, solver, vector, names, settings, optics, control, jacobian=jacobian)
        for model, jacobian in zip(models, jacobians, strict=True)
    ]


def inner_products(images: NDArray[np.float32], others: NDArray[np.float32]) -> Vector:
    """Sums over the pixels of every product, ``(k, H, Wc)`` and ``(m, H, Wc)`` to ``(k, m)``."""
    pixels = others[0].size
    return np.asarray(images.reshape(len(images), pixels) @ others.reshape(len(others), pixels).T, np.float64)


def derivative_images(
    model: RigModel,
    solver: GapSolver,
    vector: Vector,
    names: Sequence[str],
    cube: NDArray[np.float32],
    spline: NDArray[np.float32],
    candidate: Candidate,
    optics: Optics,
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
    cuts = np.linspace(0, shape[0], model.threads + 1).astype(int)
    images = np.zeros((model.threads, len(geometric), *model.y.shape), np.float32)
    columns, rows = whole_cols.astype(np.int64), whole_rows.astype(np.int64)

    def add(parts: slice) -> None:
        for i in range(parts.start, parts.stop):
            accumulate_derivatives(
                cube, posed, slopes, fractions, columns, rows, rates, dispersive, cuts[i], cuts[i + 1], images[i]
            )

    model.in_threads(add, model.threads)
    by_name = dict(zip(geometric, images.sum(axis=0), strict=True))
    if "psf" in names:
        by_name["psf"] = _blur_derivative(model, solver, vector, cube, candidate, optics)
    found = np.empty((len(names), *model.y.shape), np.float32)
    for image, name in zip(found, names, strict=True):
        image[:] = by_name[name]
    return found


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


def local_energy(model: RigModel, residual: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean square of the residual around each pixel, over pixels that are scored."""
    inside = np.maximum(ndi.gaussian_filter(model.scored, WEIGHT_PX), 0.1)
    return np.asarray(ndi.gaussian_filter(residual * residual * model.scored, WEIGHT_PX) / inside, np.float32)


def local_weight(model: RigModel, residual: NDArray[np.float32]) -> NDArray[np.float32]:
    """``1 / (local residual energy + floor)`` where the residual counts, 0 elsewhere: bright textured places do not drown the rest."""
    energy = local_energy(model, residual)
    counted = energy[model.scored > 0]
    floor = float(np.quantile(counted, WEIGHT_QUANTILE)) if counted.size else 1.0
    return np.asarray(model.scored / (energy + floor + 1e-12), np.float32)


def known_share(model: RigModel, vector: Vector, candidate: Candidate) -> NDArray[np.float32]:
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
    seen, everything = (
        spread(image, candidate, model.y.shape) for image in (known.astype(np.float32), np.ones(shape, np.float32))
    )
    share = np.where(everything > 0, seen / np.maximum(everything, 1e-6), 0)
    return np.asarray(share**KNOWN_POWER, np.float32)


def spread(image: NDArray[np.float32], candidate: Candidate, canvas: tuple[int, int]) -> NDArray[np.float32]:
    """The sum over the bands of an image `(H, W)` at the band's whole offset; what leaves the canvas is lost."""
    out = np.zeros(canvas, np.float32)
    for col, row in zip(candidate.cols.astype(int), candidate.rows.astype(int), strict=True):
        top, left = max(0, row), max(0, col)
        part = image[top - row : canvas[0] - row, left - col : canvas[1] - col]
        out[top : top + part.shape[0], left : left + part.shape[1]] += part
    return out
