"""From a rough position to one that is right everywhere: a straight-line fit through the block-wise shifts.

A magnification or a rotation that the pre-alignment cannot see shifts the corners of a large mask by more than one of its details, and a
fit by gradients then ends in a false minimum. The shifts of blocks (:mod:`cassi_core.calibration.block_shifts`) have no such limit.
Only those across the dispersion are used: along it a block cannot tell a shift from a change of its spectrum. With ``(u, v)`` the
place on the mask relative to its centre, the pattern moves by ``d_down = d_dy + v d_scale_y - u d_theta``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cassi_core.calibration.block_shifts import BlockShift, block_shifts
from cassi_core.calibration.rig_model import Optics, RigModel
from cassi_core.parameters import PARAMETER_NAMES, ParameterSet
from cassi_core.run import RunControl
from cassi_core.solvers.protocol import GapSolver

ROUNDS = 2
"""The second round sees blocks that the first one has brought within reach."""
SCATTER_PX = 0.1
"""Scatter of a block's shift beyond its own standard error: the scene pulls it."""
OUTLIER = 3.0
LEAST_BLOCKS = 5


def straighten(
    models: Sequence[RigModel],
    solver: GapSolver,
    start: ParameterSet,
    optics: Optics,
    control: RunControl,
    *,
    blocks: int = 8,
) -> ParameterSet:
    """The start with the refined ones of dy, theta and scale_y moved so that the blocks' shifts across the dispersion vanish."""
    names = tuple(n for n in ("dy", "theta", "scale_y") if n in start.refined)
    current = start
    for _ in range(ROUNDS if names else 0):
        found = block_shifts(models, solver, current.vector(), optics, control, blocks=blocks)
        step = line_through(found, models[0], names)
        if step is None:
            break
        vector = current.vector()
        for name, change in zip(names, step, strict=True):
            vector[PARAMETER_NAMES.index(name)] += change
        current = current.with_vector(np.clip(vector, current.lower(), current.upper()))
    return current


def line_through(found: Sequence[BlockShift], model: RigModel, names: Sequence[str]) -> NDArray[np.float64] | None:
    """Changes of the named parameters by a robust fit through the shifts down; None when too few blocks tell anything."""
    line = line_with_errors(found, model, names, scatter_px=SCATTER_PX)
    return None if line is None else line[0]


def line_with_errors(
    found: Sequence[BlockShift], model: RigModel, names: Sequence[str], *, scatter_px: float = 0.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Changes of the named parameters ``(k,)`` by a robust fit through the shifts down, and their covariance ``(k, k)``.

    Blocks count by their standard errors and `scatter_px`; where they scatter by more, the covariance is larger.
    """
    if len(found) < max(LEAST_BLOCKS, 2 * len(names)):
        return None
    middle = model.dispersion.travel_px / 2
    v = np.array([b.row for b in found]) - (model.mask.shape[0] - 1) / 2
    u = np.array([b.col for b in found]) - middle - (model.mask.shape[1] - 1) / 2
    columns = {"dy": np.ones_like(v), "theta": -np.deg2rad(1.0) * u, "scale_y": v}
    design = np.stack([columns[n] for n in names], axis=1)
    shift = np.array([b.down for b in found])
    sigma = np.hypot([b.sigma_down for b in found], scatter_px)
    weight = 1 / sigma
    solution = np.zeros(len(names))
    for _ in range(8):
        solution = np.linalg.lstsq(design * weight[:, None], shift * weight, rcond=None)[0]
        off = np.abs(shift - design @ solution)
        scale = max(1.4826 * float(np.median(off)), SCATTER_PX)
        weight = np.where(off < OUTLIER * scale, 1 / sigma, 0.0)
    used = int(np.count_nonzero(weight))
    if used <= len(names) or np.linalg.matrix_rank(design * weight[:, None]) < len(names):
        return None  # blocks in one line do not tell a turn, or a magnification, from a shift
    scatter = float(np.sum(np.square(weight * (shift - design @ solution)))) / (used - len(names))
    inverse = np.linalg.inv((design * weight[:, None]).T @ (design * weight[:, None]))
    return np.asarray(solution, np.float64), np.asarray(inverse * max(1.0, scatter), np.float64)
