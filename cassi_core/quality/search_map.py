"""Where a mask could be in a picture: the correlation of both over all shifts, beside how it looks when a mask is there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cassi_core.demo import load_demo
from cassi_core.dispersion import from_dispersion_frame
from cassi_core.inputs import CalibrationInputs
from cassi_core.quality.orientation import find_position
from cassi_core.run import RunControl


@dataclass(frozen=True, eq=False)
class SearchMap:
    """Correlation of picture and mask in units of its noise, `(2n+1, 2n+1)` float32 over shifts of -n..n px down and right (rig's frame).

    `z` is the height of the strongest place, which lies at `right`, `down` px.
    """

    height: NDArray[np.float32]
    z: float
    right: float
    down: float

    @property
    def reach_px(self) -> int:
        return int(self.height.shape[0]) // 2


@dataclass(frozen=True, eq=False)
class SearchPair:
    """The map of a picture, and that of the demo rig, where the mask is found."""

    here: SearchMap
    found: SearchMap


def search_map(inputs: CalibrationInputs, control: RunControl | None = None) -> SearchMap:
    """The correlation at the angle where it is highest."""
    position = find_position(inputs, control=control)
    angle = int(np.argmax(position.maps.max(axis=(1, 2))))
    height = from_dispersion_frame(position.maps[angle], inputs.dispersion.direction)
    return SearchMap(height, position.z, position.dx, position.dy)


def search_pair(inputs: CalibrationInputs, control: RunControl | None = None) -> SearchPair:
    """Both maps, some seconds for large pictures.

    Raises
    ------
    RunCancelled
        After ``control.cancel()``.
    """
    return SearchPair(search_map(inputs, control), search_map(load_demo().inputs, control))
