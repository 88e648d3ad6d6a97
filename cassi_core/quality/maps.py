"""Pictures and numbers of a calibration that need no truth: residuals, reconstructions, held-out residual, leftover shifts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cassi_core.calibration.frames import parameters_to_dispersion_frame
from cassi_core.calibration.gauss_newton import Optics, linearise, solve_scaled
from cassi_core.calibration.rig_model import CANVAS_PAD, RigModel, named, relative_residual
from cassi_core.config import CalibrationConfig, QualitySettings
from cassi_core.dispersion import Direction, from_dispersion_frame, vector_from_dispersion_frame
from cassi_core.inputs import CalibrationInputs
from cassi_core.parameters import ParameterSet
from cassi_core.result import LocalShift
from cassi_core.run import RunControl
from cassi_core.solvers.fused_cpu import FusedCpuSolver
from cassi_core.solvers.protocol import GapSettings, GapSolver

HELD_OUT_SHARE = 0.03
"""Share of the measurement pixels hidden from the reconstruction; few enough to leave its quality alone."""
SUB_BLOCK_PX = 8
"""Side of the patches whose scatter gives the standard error of a block's leftover shift."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The measurement explained with given parameters: residual `(H, Wm)` and cube `(L, H, W)` in the rig's frame, and the score."""

    residual: NDArray[np.float32]
    cube: NDArray[np.float32]
    score: float


def evaluate(
    inputs: CalibrationInputs,
    parameters: ParameterSet,
    *,
    config: CalibrationConfig | None = None,
    frame: int = 0,
    control: RunControl | None = None,
    solver: GapSolver | None = None,
) -> Evaluation:
    """Explain one snapshot with given parameters (rig's frame): a quick look, a second or less at 256 x 256 x 28.

    The residual is in units of the measurement; the cube is the estimate of a smooth scene with the precise prior.
    """
    config = config or CalibrationConfig()
    turned = inputs.in_dispersion_frame()
    model = RigModel.from_frame(turned, turned.frames[frame], margin_px=config.auto.margin_px)
    vector = parameters_to_dispersion_frame(parameters, inputs.dispersion.direction).vector()
    prior = config.auto.precise
    settings = GapSettings(prior.n_iter, prior.sigma_px, prior.sigma_bands)
    cube, residual = explain(
        model, solver or FusedCpuSolver(config.threads), vector, settings, Optics(config.auto.smear_px), control or RunControl()
    )
    direction = inputs.dispersion.direction
    return Evaluation(
        residual_in_rig(model, residual, direction),
        from_dispersion_frame(cube * np.float32(model.scale), direction),
        relative_residual(residual, model),
    )


def explain(
    model: RigModel,
    solver: GapSolver,
    vector: NDArray[np.float64],
    settings: GapSettings,
    optics: Optics,
    control: RunControl,
    *,
    weight: NDArray[np.float32] | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Cube `(L, H, W)` and residual on the canvas with a parameter vector, in the dispersion frame and the model's scale."""
    candidate = model.candidate(named(vector), optics.spline(model, vector))
    used = model.observed if weight is None else weight
    return solver.reconstruct(model.y, candidate, settings, weight=used, control=control)


def residual_in_rig(model: RigModel, residual: NDArray[np.float32], direction: Direction) -> NDArray[np.float32]:
    """A canvas residual cut to the measurement, in its units, turned into the rig's frame; unusable pixels are zero."""
    seen = residual * model.observed * np.float32(model.scale)
    return from_dispersion_frame(model.crop(seen), direction)


def held_out_residual(
    model: RigModel,
    solver: GapSolver,
    vector: NDArray[np.float64],
    settings: GapSettings,
    optics: Optics,
    control: RunControl,
    *,
    seed: int = 0,
) -> float:
    """Relative residual on pixels that the reconstruction did not see: ``||y - A x|| / ||y||`` over 3 % of the scored pixels."""
    rng = np.random.default_rng(seed)
    hidden = (rng.random(model.y.shape) < HELD_OUT_SHARE) & (model.scored > 0)
    weight = np.where(hidden, np.float32(0), model.observed)
    _, residual = explain(model, solver, vector, settings, optics, control, weight=weight)
    top = float(np.sum(residual[hidden].astype(np.float64) ** 2))
    bottom = float(np.sum(model.y[hidden].astype(np.float64) ** 2))
    return float(np.sqrt(top / bottom)) if bottom > 0 else float("nan")


def local_shifts(
    models: Sequence[RigModel],
    solver: GapSolver,
    vector: NDArray[np.float64],
    settings: GapSettings,
    optics: Optics,
    control: RunControl,
    direction: Direction,
    *,
    blocks: int = 6,
    threads: int = 1,
) -> tuple[LocalShift, ...]:
    """Shift of the mask pattern that is left over in each block of the measurement, in the rig's frame.

    Each block solves the two normal equations for (dx, dy) of its own pixels; the standard error comes from the scatter of 8 x 8 px
    patches (sandwich). Blocks without enough light or texture are left out.
    """
    height, width = models[0].y.shape
    normal = np.zeros((blocks, blocks, 2, 2))
    gradient = np.zeros((blocks, blocks, 2))
    meat = np.zeros((blocks, blocks, 2, 2))
    right = width - CANVAS_PAD
    row_cuts = np.linspace(0, height, blocks + 1).astype(int)
    col_cuts = np.linspace(CANVAS_PAD, right, blocks + 1).astype(int)
    for model in models:
        part = linearise(model, solver, vector, ("dx", "dy"), settings, optics, control, threads=threads)
        weighted = part.jacobian * part.weight
        products = np.stack([weighted[i] * part.jacobian[j] for i in range(2) for j in range(2)])
        shares = weighted * part.residual
        for i in range(blocks):
            for j in range(blocks):
                area = (slice(None), slice(row_cuts[i], row_cuts[i + 1]), slice(col_cuts[j], col_cuts[j + 1]))
                normal[i, j] += products[area].sum((1, 2), dtype=np.float64).reshape(2, 2)
                gradient[i, j] += shares[area].sum((1, 2), dtype=np.float64)
                patches = _patch_sums(shares[area])
                meat[i, j] += patches @ patches.T
    level = float(np.median(normal[..., 0, 0])), float(np.median(normal[..., 1, 1]))
    found = []
    for i in range(blocks):
        for j in range(blocks):
            n = normal[i, j]
            if n[0, 0] < 0.02 * level[0] or n[1, 1] < 0.02 * level[1] or n[0, 0] <= 0 or n[1, 1] <= 0:
                continue
            inverse = solve_scaled(n, np.eye(2))
            shift = inverse @ gradient[i, j]
            sigma = np.sqrt(np.maximum(np.diag(inverse @ meat[i, j] @ inverse), 0))
            row = (row_cuts[i] + row_cuts[i + 1] - 1) / 2
            col = (col_cuts[j] + col_cuts[j + 1] - 1) / 2 - CANVAS_PAD
            found.append((row, col, shift, sigma))
    shape = (height, right - CANVAS_PAD)
    return tuple(_shift_in_rig(row, col, shift, sigma, shape, direction) for row, col, shift, sigma in found)


def _patch_sums(images: NDArray[np.float32]) -> NDArray[np.float64]:
    rows = np.arange(0, images.shape[1], SUB_BLOCK_PX)
    cols = np.arange(0, images.shape[2], SUB_BLOCK_PX)
    sums = np.add.reduceat(np.add.reduceat(images.astype(np.float64), rows, axis=1), cols, axis=2)
    return np.asarray(sums.reshape(images.shape[0], -1))


def _shift_in_rig(
    row: float,
    col: float,
    shift: NDArray[np.float64],
    sigma: NDArray[np.float64],
    shape: tuple[int, int],
    direction: Direction,
) -> LocalShift:
    """A block of the dispersion frame in the rig's frame: place, displacement and standard errors."""
    right, down = vector_from_dispersion_frame(float(shift[0]), float(shift[1]), direction)
    across, along = col - (shape[1] - 1) / 2, row - (shape[0] - 1) / 2
    across, along = vector_from_dispersion_frame(across, along, direction)
    turned = shape if direction in ("right", "left") else (shape[1], shape[0])
    sigmas = sigma if direction in ("right", "left") else sigma[::-1]
    return LocalShift(
        along + (turned[0] - 1) / 2, across + (turned[1] - 1) / 2, right, down, float(sigmas[0]), float(sigmas[1])
    )


def reconstruction_settings(settings: QualitySettings) -> GapSettings:
    """Solver settings of the reconstructions shown: GAP with total variation, accelerated."""
    return GapSettings(settings.n_iter, denoiser="tv", tv_weight=settings.tv_weight, tv_iter=settings.tv_iter, accelerated=True)
