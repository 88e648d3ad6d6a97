"""Is the mask the right way round, and where does the train of bands begin and end? Told by correlation, before any fit.

Orientation: the pre-alignment is tried with the mask mirrored and turned in every way that fits the measurement. Train of
bands: the high-passed mask, at the pose that the pre-alignment found, is correlated with the measurement at every whole shift
along the dispersion; it stands above the noise exactly where bands carry light.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cassi_core.calibration.contrast import high_pass, local_contrast
from cassi_core.calibration.prealign import PreAlignment, prealign
from cassi_core.calibration.rig_model import RigModel
from cassi_core.dispersion import vector_from_dispersion_frame, vector_to_dispersion_frame
from cassi_core.errors import InputError
from cassi_core.geometry import warp_mask
from cassi_core.inputs import BoolImage, CalibrationInputs, Float32Image, Frame
from cassi_core.run import RunControl

NAMES: dict[tuple[bool, int], str] = {
    (False, 0): "as it is",
    (False, 1): "turned by 90 degrees to the left",
    (False, 2): "turned by 180 degrees",
    (False, 3): "turned by 90 degrees to the right",
    (True, 0): "mirrored left to right",
    (True, 1): "mirrored left to right, then turned by 90 degrees to the left",
    (True, 2): "mirrored upside down",
    (True, 3): "mirrored left to right, then turned by 90 degrees to the right",
}
WRONG_ROWS = (-17, -13, -9, 9, 13, 17)
"""Displacements across the dispersion at which the mask cannot match: they show the correlation's noise."""
TRAIN_Z = 6.0
TRAIN_BLUR_PX = 1.5
"""How much longer than its travel a train looks, because neighbouring pixels of a real mask resemble each other.

Measured: 0.5-2.0 px in ten real and seven simulated frames, whose ends lie within 1.2 px of the nominal ones."""
REACH_BEYOND = 0.5
"""The train is looked for this share of its length beyond either end."""


@dataclass(frozen=True)
class Orientation:
    """The mask mirrored (left to right) and then turned by quarter turns counter-clockwise, and how well it matches."""

    mirrored: bool
    quarter_turns: int
    z: float

    @property
    def name(self) -> str:
        """In words, as something that is done to the mask."""
        return NAMES[self.mirrored, self.quarter_turns]

    def apply(self, mask: Float32Image) -> Float32Image:
        """The mask `(H, W)` brought to this orientation."""
        return np.ascontiguousarray(np.rot90(mask[:, ::-1] if self.mirrored else mask, self.quarter_turns))


@dataclass(frozen=True, eq=False)
class BandTrain:
    """Where the mask's pattern appears along the dispersion: the correlation `z` at whole `shifts_px`, and both ends.

    `begin_px` and `end_px` are the first and the last shift of the train, corrected by the pre-alignment's `dx`: nominally 0 and
    the travel. They are None when nothing stands above the noise.
    """

    shifts_px: NDArray[np.float64]
    z: NDArray[np.float64]
    begin_px: float | None
    end_px: float | None

    @property
    def length_px(self) -> float | None:
        """The travel from the first to the last band that carries light, as it is measured."""
        if self.begin_px is None or self.end_px is None:
            return None
        return max(0.0, self.end_px - self.begin_px - TRAIN_BLUR_PX)


def find_position(
    inputs: CalibrationInputs, *, reach_px: float = 25.0, reach_deg: float = 3.0, control: RunControl | None = None
) -> PreAlignment:
    """The pre-alignment of inputs as they are given, its `dx` and `dy` in the rig's frame."""
    found = prealign(_models(inputs), reach_px=reach_px, reach_deg=reach_deg, control=control)
    dx, dy = vector_from_dispersion_frame(found.dx, found.dy, inputs.dispersion.direction)
    return replace(found, dx=dx, dy=dy)


def find_orientation(
    inputs: CalibrationInputs,
    *,
    reach_px: float = 15.0,
    reach_deg: float = 1.0,
    control: RunControl | None = None,
    tried: Callable[[Orientation], None] | None = None,
) -> tuple[Orientation, ...]:
    """All orientations of the mask that fit the measurement, the best match first (8 for a square mask, else 4).

    `tried` is told of each as soon as it is known.
    """
    found = []
    for mirrored, turns in NAMES:
        candidate = Orientation(mirrored, turns, 0.0)
        try:
            turned = replace(inputs, mask=candidate.apply(inputs.mask), reference=None)
        except InputError:
            continue  # a mask that is not square does not fit when it is turned by a quarter
        aligned = prealign(_models(turned), reach_px=reach_px, reach_deg=reach_deg, control=control)
        found.append(replace(candidate, z=aligned.z))
        if tried is not None:
            tried(found[-1])
    return tuple(sorted(found, key=lambda orientation: -orientation.z))


def find_band_train(inputs: CalibrationInputs, position: PreAlignment) -> BandTrain:
    """Where the train of bands begins and ends along the dispersion, all snapshots together.

    `position` comes from :func:`find_position`.
    """
    turned = inputs.in_dispersion_frame()
    dx, dy = vector_to_dispersion_frame(position.dx, position.dy, inputs.dispersion.direction)
    pattern = high_pass(warp_mask(turned.mask, {"dy": dy, "theta": position.theta}))
    room = turned.frames[0].image.shape[1] - turned.mask.shape[1]
    travel = max(1, round(turned.dispersion.travel_px), room)
    beyond = max(8, round(REACH_BEYOND * travel), round(abs(dx)) + 8)
    shifts = np.arange(-beyond, travel + beyond + 1)
    pictures = [_contrast(frame) for frame in turned.frames]
    signal = _profile(pictures, pattern, shifts)
    noise = np.concatenate([_profile(pictures, np.roll(pattern, rows, axis=0), shifts) for rows in WRONG_ROWS])
    sigma = 1.4826 * float(np.median(np.abs(noise - np.median(noise)))) or 1.0
    z = signal / sigma
    relative = shifts.astype(np.float64) - dx
    above = np.flatnonzero(z > TRAIN_Z)
    if not len(above):
        return BandTrain(relative, z, None, None)
    return BandTrain(relative, z, float(relative[above[0]]), float(relative[above[-1]]))


def _models(inputs: CalibrationInputs) -> list[RigModel]:
    turned = inputs.in_dispersion_frame()
    return [RigModel.from_frame(turned, frame) for frame in turned.frames]


def _contrast(frame: Frame) -> Float32Image:
    usable: BoolImage = np.ones(frame.image.shape, bool) if frame.usable is None else frame.usable
    return local_contrast(frame.image, usable.astype(np.float32))


def _profile(pictures: Sequence[Float32Image], pattern: Float32Image, shifts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Normalised correlation of the pattern with the pictures at whole shifts to the right."""
    width = pattern.shape[1]
    out = np.zeros(len(shifts))
    for i, s in enumerate(shifts):
        for picture in pictures:
            first, last = max(0, -s), min(width, picture.shape[1] - s)
            if last - first > width // 2:
                light, part = picture[:, first + s : last + s], pattern[:, first:last]
                norm = float(np.sqrt(np.vdot(light, light) * np.vdot(part, part)))
                out[i] += float(np.vdot(light, part)) / norm if norm > 0 else 0.0
    return out
