"""The cube behind a snapshot: GAP with total variation and the calibrated geometry."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cassi_core.calibration.frames import parameters_to_dispersion_frame
from cassi_core.calibration.rig_model import Optics, RigModel, relative_residual
from cassi_core.config import CalibrationConfig
from cassi_core.dispersion import from_dispersion_frame
from cassi_core.inputs import CalibrationInputs
from cassi_core.parameters import ParameterSet
from cassi_core.quality.maps import Evaluation, explain, reconstruction_settings, residual_in_rig
from cassi_core.run import RunControl
from cassi_core.solvers.fused_cpu import FusedCpuSolver
from cassi_core.solvers.protocol import GapSolver


def reconstruct(
    inputs: CalibrationInputs,
    parameters: ParameterSet,
    *,
    config: CalibrationConfig | None = None,
    frame: int = 0,
    control: RunControl | None = None,
    solver: GapSolver | None = None,
    terms: Mapping[str, float] | None = None,
) -> Evaluation:
    """Rebuild the spectral cube of one snapshot by accelerated GAP-TV (Yuan 2016) with calibrated parameters (rig's frame).

    The number of iterations and the strength of the total variation are those of ``config.quality``. Cube `(L, H, W)` and residual
    `(H, Wm)` are float32 in units of the measurement, in the rig's frame. `terms` of the optics (:mod:`cassi_core.optics`) bend the masks.

    Raises
    ------
    RunCancelled
        After ``control.cancel()``.
    """
    config = config or CalibrationConfig()
    direction = inputs.dispersion.direction
    turned = inputs.in_dispersion_frame()
    model = RigModel.from_frame(turned, turned.frames[frame], margin_px=config.auto.margin_px)
    vector = parameters_to_dispersion_frame(parameters, direction).vector()
    settings = reconstruction_settings(config.quality)
    optics, used = Optics(config.auto.smear_px, terms=terms or {}), solver or FusedCpuSolver(config.threads)
    cube, residual = explain(model, used, vector, settings, optics, control or RunControl())
    return Evaluation(
        residual_in_rig(model, residual, direction),
        from_dispersion_frame(cube * np.float32(model.scale), direction),
        relative_residual(residual, model),
    )
