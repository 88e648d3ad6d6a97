"""Where noise alone pulls a fit: the gradient that a picture of nothing but noise would have.

The scene estimate follows noise too, and better where the mask pattern is sharp, on whole pixels, than between them. For noise ``n`` the
gradient ``g_i = Z_i^T (I - A G)^T W (I - A G) n`` of :mod:`cassi_core.calibration.linearisation`, with ``Z_i = d(A x)/dp_i`` at the estimate
``x = G n``, has a mean that is not zero; it pulls every parameter towards whole pixels, by up to a hundredth of a pixel on clear pictures, and the same in every picture of a rig. Its
mean depends on the mask and the strength of the noise only, so that one random picture tells it: noise as strong from place to place as what
the estimate leaves of the real one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cassi_core.calibration.linearisation import Linearisation, derivative_images, inner_products, local_energy
from cassi_core.calibration.rig_model import Optics, RigModel, named
from cassi_core.run import RunControl
from cassi_core.solvers.protocol import GapSettings, GapSolver


def gradient_of_noise(
    models: Sequence[RigModel],
    parts: Sequence[Linearisation],
    solver: GapSolver,
    vector: NDArray[np.float64],
    names: Sequence[str],
    settings: GapSettings,
    optics: Optics,
    control: RunControl,
    *,
    seed: int = 0,
) -> NDArray[np.float64]:
    """The gradient ``J^T W r`` that noise alone has, summed over the snapshots, ``(k,)``; `parts` are these compared at the vector.

    The random pictures depend on `seed` only. What the estimate leaves of them is scaled to the weighted energy of the real residual.
    """
    total = np.zeros(len(names))
    random = np.random.default_rng(seed)
    for model, part in zip(models, parts, strict=True):
        control.checkpoint()
        spline = optics.spline(model, vector)
        candidate = model.candidate(named(vector), spline)
        strength = np.sqrt(local_energy(model, part.residual)) * model.observed
        noise = strength * random.standard_normal(strength.shape, np.float32)
        cube, left = solver.reconstruct(noise, candidate, settings, weight=model.observed, control=control)
        images = derivative_images(model, solver, vector, names, cube, spline, candidate, optics)
        images *= model.observed
        control.checkpoint()
        pulled = (part.weight * left)[None]
        energy = float(np.sum(pulled * left, dtype=np.float64))
        if energy <= 0:
            continue
        pulled = solver.filter_transposed(pulled, candidate, settings, weight=model.observed, control=control)
        scale = float(np.sum(part.weight * part.residual**2, dtype=np.float64)) / energy
        total += scale * inner_products(images, pulled)[:, 0]
    return total
