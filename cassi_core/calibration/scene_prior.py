"""What a fit assumes about the unknown scene, as the solver takes it, and how much of it a noisy picture needs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cassi_core.calibration.held_out import held_out_residual
from cassi_core.calibration.rig_model import Optics, RigModel, named
from cassi_core.config import PriorSettings
from cassi_core.run import RunControl
from cassi_core.solvers.protocol import GapSettings, GapSolver

BRIEF = GapSettings(8, 0.8, 2.6, accelerated=True)
"""The scene estimate by which a picture and a mask are judged, with a Gaussian blur. A brief one tells a wrong mask from a right one better
than that of the fit, which follows the picture further with either (0.3 px off: held-out residual +6 to +15 % instead of +4 to +8 % on simulated rigs, +6 instead
of +3 % on a real one)."""
CLEAR, NOISY = 0.022, 0.0245
"""Noise (:func:`noise_floor`) of pictures whose scene the precise estimate can follow (simulated rigs 0.011 to 0.019, real ones 0.0166 to 0.0217),
and of those whose details it hides (simulated dark rigs 0.0244 to 0.040). In between the fit depends on which details it happens to follow."""
TYPICAL = 0.028
"""Noise of a dark rig for which the width of the setting `noisy_sigma_px` is meant."""
GROWTH, WIDEST = 2.0, 2.0
"""Power of the noise by which that width grows, and how far it may."""
BLOCK_PX, BRIGHTNESSES, QUIET = 8, 10, 0.2
"""Places whose noise is looked at, classes of their brightness, and the share of each class that is taken as free of texture."""


def gap_settings(prior: PriorSettings) -> GapSettings:
    """Solver settings of a scene prior."""
    return GapSettings(prior.n_iter, prior.sigma_px, prior.sigma_bands, "matern", accelerated=prior.accelerated)


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


def noise_floor(residual: NDArray[np.float32], model: RigModel) -> float:
    """Noise relative to the picture, rms: the residual of the quietest fifth of the places of every brightness.

    What the scene estimate cannot follow raises the residual where the scene has texture, a hot pixel where it lies; noise everywhere.
    """
    rows, cols = (size // BLOCK_PX for size in model.y.shape)

    def means(image: NDArray[np.float32]) -> NDArray[np.float64]:
        inner = image[: rows * BLOCK_PX, : cols * BLOCK_PX].astype(np.float64)
        return np.asarray(inner.reshape(rows, BLOCK_PX, cols, BLOCK_PX).mean(axis=(1, 3)))

    share = means(model.scored)
    seen = share >= 0.5
    energy, light = (means(image * model.scored)[seen] / share[seen] for image in (residual**2, model.y))
    power = float(np.mean(model.y[model.scored > 0] ** 2)) if seen.any() else 0.0
    if power <= 0:
        return 0.0
    classes = np.array_split(np.argsort(light), min(BRIGHTNESSES, light.size))
    return float(np.sqrt(np.mean([np.quantile(energy[places], QUIET) for places in classes]) / power))


def noise_level(
    prior: PriorSettings,
    models: Sequence[RigModel],
    solver: GapSolver,
    vector: NDArray[np.float64],
    optics: Optics,
    control: RunControl,
) -> float:
    """Noise relative to the picture (:func:`noise_floor`) beside the estimate with this prior, rms over the snapshots."""
    settings = gap_settings(prior)
    floors = []
    for model in models:
        candidate = model.candidate(named(vector), optics.spline(model, vector))
        _, residual = solver.reconstruct(model.y, candidate, settings, weight=model.observed, control=control)
        floors.append(noise_floor(residual, model))
    return float(np.sqrt(np.mean(np.square(floors))))


def hidden_share(noise: float) -> float:
    """How far noise hides the details of the scene, 0 (the estimate can follow them) to 1."""
    return float(np.clip((noise - CLEAR) / (NOISY - CLEAR), 0, 1))


def softened(prior: PriorSettings, noise: float, noisy_px: float) -> PriorSettings:
    """The prior with its spatial blur between its own width, where noise hides nothing, and `noisy_px` times a power of the noise.

    A narrow blur lets the estimate follow the picture, so that the scene pulls the fit less; where noise is what it would follow, it only
    scatters. On simulated dark rigs 4.5 px instead of 1.2 px halve the errors across the dispersion and of theta (0.040 to 0.020 px, 0.013 to
    0.006 deg); on clear ones all errors are a third to two thirds larger with them.
    """
    wide = noisy_px * min((noise / TYPICAL) ** GROWTH, WIDEST)
    return prior.model_copy(update={"sigma_px": prior.sigma_px + hidden_share(noise) * max(0.0, wide - prior.sigma_px)})
