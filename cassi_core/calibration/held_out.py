"""Pixels that a reconstruction does not see, and how well it predicts them: a score that no scene estimate can talk its way round."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cassi_core.calibration.rig_model import Optics, RigModel
from cassi_core.run import RunControl
from cassi_core.solvers.protocol import GapSettings, GapSolver

HELD_OUT_SHARE = 0.03
"""Share of the measurement pixels hidden from the reconstruction; few enough to leave its quality alone."""


def held_out_image(
    model: RigModel,
    solver: GapSolver,
    vector: NDArray[np.float64],
    settings: GapSettings,
    optics: Optics,
    control: RunControl,
    *,
    seed: int = 0,
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Residual ``y - A x`` `(H, Wc)` of an estimate that did not see some pixels, and which these are (3 % of the scored ones)."""
    rng = np.random.default_rng(seed)
    hidden = (rng.random(model.y.shape) < HELD_OUT_SHARE) & (model.scored > 0)
    weight = np.where(hidden, np.float32(0), model.observed)
    candidate = optics.candidate(model, vector)
    (residual,) = solver.filter_images(model.y[None], candidate, settings, weight=weight, control=control)
    return residual, hidden


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
    """Relative residual on the pixels that the reconstruction did not see: ``||y - A x|| / ||y||``."""
    residual, hidden = held_out_image(model, solver, vector, settings, optics, control, seed=seed)
    top = float(np.sum(residual[hidden].astype(np.float64) ** 2))
    bottom = float(np.sum(model.y[hidden].astype(np.float64) ** 2))
    return float(np.sqrt(top / bottom)) if bottom > 0 else float("nan")
