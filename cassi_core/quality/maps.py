"""Pictures and numbers of a calibration that need no truth: residuals, reconstructions, held-out residual."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cassi_core.calibration.frames import parameters_to_dispersion_frame
from cassi_core.calibration.rig_model import Optics, RigModel, relative_residual
from cassi_core.calibration.scene_prior import BRIEF
from cassi_core.config import CalibrationConfig, QualitySettings
from cassi_core.dispersion import Direction, from_dispersion_frame
from cassi_core.inputs import CalibrationInputs
from cassi_core.parameters import ParameterSet
from cassi_core.run import RunControl
from cassi_core.solvers.fused_cpu import FusedCpuSolver
from cassi_core.solvers.protocol import GapSettings, GapSolver


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
    terms: Mapping[str, float] | None = None,
) -> Evaluation:
    """Explain one snapshot with given parameters (rig's frame): a quick look, a second or less at 256 x 256 x 28.

    The residual is in units of the measurement; the cube is the estimate of a smooth scene, see :data:`BRIEF`. `terms` of the optics bend the masks.
    """
    config = config or CalibrationConfig()
    turned = inputs.in_dispersion_frame()
    model = RigModel.from_frame(turned, turned.frames[frame], margin_px=config.auto.margin_px)
    vector = parameters_to_dispersion_frame(parameters, inputs.dispersion.direction).vector()
    cube, residual = explain(
        model,
        solver or FusedCpuSolver(config.threads),
        vector,
        BRIEF,
        Optics(config.auto.smear_px, terms=terms or {}),
        control or RunControl(),
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
    candidate = optics.candidate(model, vector)
    used = model.observed if weight is None else weight
    return solver.reconstruct(model.y, candidate, settings, weight=used, control=control)


def residual_in_rig(model: RigModel, residual: NDArray[np.float32], direction: Direction) -> NDArray[np.float32]:
    """A canvas residual cut to the measurement, in its units, turned into the rig's frame; unusable pixels are zero."""
    seen = residual * model.observed * np.float32(model.scale)
    return from_dispersion_frame(model.crop(seen), direction)


def reconstruction_settings(settings: QualitySettings) -> GapSettings:
    """Solver settings of the reconstructions shown: GAP with total variation, accelerated."""
    return GapSettings(settings.n_iter, denoiser="tv", tv_weight=settings.tv_weight, tv_iter=settings.tv_iter, accelerated=True)
