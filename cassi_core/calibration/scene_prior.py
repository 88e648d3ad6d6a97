"""What a fit assumes about the unknown scene, as the solver takes it, and how much of it a noisy picture needs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cassi_core.calibration.held_out import held_out_residual
from cassi_core.calibration.rig_model import Optics, RigModel, named, relative_residual
from cassi_core.config import PriorSettings
from cassi_core.run import RunControl
from cassi_core.solvers.protocol import GapSettings, GapSolver

BRIEF = GapSettings(8, 0.8, 2.6, accelerated=True)
"""The scene estimate by which a picture and a mask are judged: a brief one tells a wrong mask from a right one better than that of the fit,
which follows the picture further with either (0.3 px off: held-out residual +6 to +15 % instead of +4 to +8 % on simulated rigs, +6 instead
of +3 % on a real one)."""
CLEAR, NOISY = 0.028, 0.037
"""Residuals that the precise estimate leaves of a picture it can follow (simulated rigs 0.012 to 0.023, real ones 0.020 to 0.026), and of
one where noise hides the details (simulated dark rigs 0.038 to 0.12). In between the fit depends on which details it happens to follow."""


def gap_settings(prior: PriorSettings) -> GapSettings:
    """Solver settings of a scene prior."""
    return GapSettings(prior.n_iter, prior.sigma_px, prior.sigma_bands, accelerated=prior.accelerated)


def unexplained_share(
    models: Sequence[RigModel],
    solver: GapSolver,
    vector: NDArray[np.float64],
    optics: Optics,
    control: RunControl,
    *,
    seed: int = 0,
) -> float:
    """Relative residual on pixels that the brief estimate has not seen, rms over the snapshots: noise, and what the model does not know."""
    held = [held_out_residual(m, solver, vector, BRIEF, optics, control, seed=seed) for m in models]
    return float(np.sqrt(np.mean(np.square(held))))


def noise_share(
    prior: PriorSettings,
    models: Sequence[RigModel],
    solver: GapSolver,
    vector: NDArray[np.float64],
    optics: Optics,
    control: RunControl,
) -> float:
    """How far noise hides the details of the scene, 0 (the estimate with this prior explains the snapshots) to 1."""
    settings = gap_settings(prior)
    left = []
    for model in models:
        candidate = model.candidate(named(vector), optics.spline(model, vector))
        _, residual = solver.reconstruct(model.y, candidate, settings, weight=model.observed, control=control)
        left.append(relative_residual(residual, model))
    return float(np.clip((np.sqrt(np.mean(np.square(left))) - CLEAR) / (NOISY - CLEAR), 0, 1))


def softened(prior: PriorSettings, share: float, widest_px: float) -> PriorSettings:
    """The prior with its spatial blur between its own width, for a share of noise of 0, and `widest_px` for 1.

    A narrow blur lets the estimate follow the picture, so that the scene pulls the fit less; where noise is what it would follow, it only
    scatters. On simulated dark rigs 2 px instead of 0.8 px halve the errors across the dispersion and of theta; on clear ones they double them.
    """
    return prior.model_copy(update={"sigma_px": prior.sigma_px + share * max(0.0, widest_px - prior.sigma_px)})
