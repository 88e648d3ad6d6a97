"""Where the mask lies on the measurement: its footprint for a band, the start values that a dragged footprint means, and the
light along the dispersion axis, which shows where the train of bands begins and ends.

Rectangles are (row, col, height, width) in pixels of the rig's frame: the first pixel and the size.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cassi_core.dispersion import (
    QUARTER_TURNS,
    Direction,
    to_dispersion_frame,
    vector_to_dispersion_frame,
)
from cassi_core.inputs import CalibrationInputs

Rect = tuple[float, float, float, float]


def turn_mask(inputs: CalibrationInputs, flip: bool, quarter_turns: int) -> CalibrationInputs:
    """The inputs with the mask mirrored left-right (if `flip`) and then turned counter-clockwise by quarter turns.

    Raises
    ------
    InputError
        When the turned mask does not fit the measurement any more (rows and columns differ).
    """
    if not flip and quarter_turns % 4 == 0:
        return inputs
    mask = np.fliplr(inputs.mask) if flip else inputs.mask
    return replace(inputs, mask=np.ascontiguousarray(np.rot90(mask, quarter_turns)))


def footprint(inputs: CalibrationInputs, parameters: Mapping[str, float], band: int) -> Rect:
    """Where the light of one band lands on the measurement: the mask's rectangle moved by (dx, dy) and the band's offset.

    Rotation and magnification are not in a rectangle and are left out.
    """
    direction = inputs.dispersion.direction
    height, width = _canvas(inputs)
    rows, cols = _mask_shape(inputs)
    offset_cols, offset_rows = inputs.dispersion.offsets(parameters)
    dx, dy = vector_to_dispersion_frame(float(parameters.get("dx", 0.0)), float(parameters.get("dy", 0.0)), direction)
    rect = (dy + float(offset_rows[band]), dx + float(offset_cols[band]), float(rows), float(cols))
    return _turn_back(rect, (height, width), QUARTER_TURNS[direction])


def start_from_footprint(
    inputs: CalibrationInputs, parameters: Mapping[str, float], band: int, row: float, col: float
) -> tuple[float, float]:
    """(dx, dy) in pixels that put the footprint of a band at (row, col): the inverse of :func:`footprint`."""
    at_rest = footprint(inputs, {**parameters, "dx": 0.0, "dy": 0.0}, band)
    return col - at_rest[1], row - at_rest[0]


@dataclass(frozen=True, eq=False)
class AxisProfile:
    """Light along the dispersion axis: `level[i]` is the median over the lines across it, at pixel `i` of the dispersion frame.

    The train of bands reaches, nominally, from `begin` to `end`; between `full_begin` and `full_end` every band sends light.
    """

    level: NDArray[np.float32]
    begin: float
    end: float
    full_begin: float
    full_end: float


def axis_profile(inputs: CalibrationInputs, parameters: Mapping[str, float], frame: int = 0) -> AxisProfile:
    """The light of a snapshot along the dispersion axis, with the nominal ends of the band train."""
    direction: Direction = inputs.dispersion.direction
    image = to_dispersion_frame(inputs.frames[frame].image, direction)
    dx, _ = vector_to_dispersion_frame(float(parameters.get("dx", 0.0)), float(parameters.get("dy", 0.0)), direction)
    cols, _ = inputs.dispersion.offsets(parameters)
    width = _mask_shape(inputs)[1]
    level = np.median(image, axis=0).astype(np.float32)
    return AxisProfile(level, dx - 0.5, dx + float(cols[-1]) + width - 0.5, dx + float(cols[-1]) - 0.5, dx + width - 0.5)


def _canvas(inputs: CalibrationInputs) -> tuple[int, int]:
    height, width = inputs.frames[0].image.shape
    return (height, width) if QUARTER_TURNS[inputs.dispersion.direction] % 2 == 0 else (width, height)


def _mask_shape(inputs: CalibrationInputs) -> tuple[int, int]:
    rows, cols = inputs.mask.shape
    return (rows, cols) if QUARTER_TURNS[inputs.dispersion.direction] % 2 == 0 else (cols, rows)


def _turn_back(rect: Rect, shape: tuple[int, int], turns: int) -> Rect:
    """A rectangle of the dispersion frame, a picture of `shape`, in the rig's frame."""
    for _ in range(turns):
        row, col, height, width = rect
        rect = (col, shape[0] - row - height, width, height)
        shape = (shape[1], shape[0])
    return rect
