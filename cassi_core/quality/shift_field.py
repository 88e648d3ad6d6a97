"""Where in the picture the mask pattern is still shifted, in the rig's frame: the proof that the calibration holds everywhere.

The measurement itself is :mod:`cassi_core.calibration.block_shifts`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cassi_core.calibration.block_shifts import BlockShift, block_shifts
from cassi_core.calibration.rig_model import CANVAS_PAD, Optics, RigModel
from cassi_core.dispersion import Direction, vector_from_dispersion_frame
from cassi_core.result import LocalShift
from cassi_core.run import RunControl
from cassi_core.solvers.protocol import GapSolver


def local_shifts(
    models: Sequence[RigModel],
    solver: GapSolver,
    vector: NDArray[np.float64],
    optics: Optics,
    control: RunControl,
    direction: Direction,
    *,
    blocks: int = 6,
) -> tuple[LocalShift, ...]:
    """Shifts of the mask pattern left over with a parameter vector (dispersion frame), one per block, in the rig's frame."""
    height, width = models[0].y.shape
    shape = (height, width - 2 * CANVAS_PAD)
    found = block_shifts(models, solver, vector, optics, control, blocks=blocks)
    return tuple(_in_rig(block, shape, direction) for block in found)


def _in_rig(block: BlockShift, shape: tuple[int, int], direction: Direction) -> LocalShift:
    """A block of the dispersion frame in the rig's frame: place, displacement and standard errors."""
    right, down = vector_from_dispersion_frame(block.right, block.down, direction)
    across, along = block.col - (shape[1] - 1) / 2, block.row - (shape[0] - 1) / 2
    across, along = vector_from_dispersion_frame(across, along, direction)
    sideways = direction in ("down", "up")
    height, width = (shape[1], shape[0]) if sideways else shape
    sigma_right, sigma_down = (block.sigma_down, block.sigma_right) if sideways else (block.sigma_right, block.sigma_down)
    return LocalShift(along + (height - 1) / 2, across + (width - 1) / 2, right, down, sigma_right, sigma_down)
