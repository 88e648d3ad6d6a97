"""What a fit assumes about the unknown scene, as the solver takes it."""

from __future__ import annotations

from cassi_core.config import PriorSettings
from cassi_core.solvers.protocol import GapSettings


def gap_settings(prior: PriorSettings) -> GapSettings:
    """Solver settings of a scene prior."""
    return GapSettings(prior.n_iter, prior.sigma_px, prior.sigma_bands, accelerated=prior.accelerated)
