"""From raw camera counts to a frame that can be fitted: dark and flat correction, and which pixels can be used.

image = (raw - dark) / gain,    gain = (flat - dark) / median(flat - dark)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cassi_core.errors import InputError
from cassi_core.inputs import BoolImage, Float32Image
from cassi_core.io.bad_pixels import repair

PLATEAU_PIXELS = 4
"""So many pixels at the very maximum are the least that counts as a plateau: a frame normalised to 1 has one pixel there."""
PLATEAU_FACTOR = 3.0
"""A plateau holds this many times more pixels than the fullest of the levels just below it: clipped light piles up."""
LEVELS_BELOW = 8
FULL_SCALE = {"uint8": 255, "int16": 32767, "uint16": 65535}
SMALLEST_GAIN = 0.05
"""Pixels with less of the flat field's median are too dark to be corrected."""


def saturation_level(raw: NDArray[np.generic]) -> float | None:
    """The value from which on pixels of a raw frame are saturated; None when none is.

    Saturated is the full scale of an 8- or 16-bit type, or a plateau: several pixels at the very maximum, clearly more than at
    the levels just below it. A frame normalised to a maximum of one with a single pixel there is not saturated.
    """
    values = raw[np.isfinite(raw)] if raw.dtype.kind == "f" else raw.reshape(-1)
    if values.size == 0 or raw.dtype.kind == "b":
        return None
    top = values.max()
    if raw.dtype.name in FULL_SCALE and top == FULL_SCALE[raw.dtype.name]:
        return float(top)
    # The upper levels are enough and quick to sort, unless so much is clipped that the maximum fills them.
    high = np.quantile(values, 0.95)
    levels, counts = np.unique(values[values >= high] if high < top else values, return_counts=True)
    if len(levels) < 2 or counts[-1] < PLATEAU_PIXELS:
        return None
    below = counts[-1 - LEVELS_BELOW : -1]
    return float(top) if counts[-1] >= PLATEAU_FACTOR * below.max() else None


def correct_frame(
    raw: NDArray[np.generic],
    dark: NDArray[np.float32] | None,
    flat: NDArray[np.float32] | None,
    *,
    saturation: float | None = None,
    saturated: BoolImage | None = None,
    bad: BoolImage | None = None,
    name: str = "measurement",
) -> tuple[Float32Image, BoolImage | None]:
    """Subtract the dark frame, divide by the flat field, and find the usable pixels.

    Parameters
    ----------
    raw, dark, flat
        Images of one shape; `flat` includes its own dark level, which is subtracted when `dark` is given.
    saturation
        Raw value from which on a pixel counts as saturated; None: found by :func:`saturation_level`.
    saturated
        Which pixels are saturated, where that is known better than from a level (in a mean of several exposures).
    bad
        Which pixels of the camera are bad; they are not usable and get the median of their neighbours.

    Returns
    -------
    The image `(H, Wm)` float32, and which pixels are neither saturated, bad nor lost in the dark or flat frame (None: all).

    Raises
    ------
    InputError
        Shapes differ, or hardly any pixel is left.
    """
    for other, what in ((dark, "dark frame"), (flat, "flat field")):
        if other is not None and other.shape != raw.shape:
            raise InputError(f"{name}: the {what} has shape {other.shape} and the measurement {raw.shape}; both must be equal")
    if saturated is not None:
        usable = ~saturated
    else:
        level = saturation_level(raw) if saturation is None else saturation
        usable = np.ones(raw.shape, bool) if level is None else np.asarray(np.less(raw, level), bool)
    image = raw.astype(np.float32)
    offset = np.zeros(raw.shape, np.float32)
    if dark is not None:
        known = np.isfinite(dark)
        usable &= known
        offset = np.asarray(np.where(known, dark, 0), np.float32)
        image -= offset
    if flat is not None:
        gain = _gain(flat - offset, name)
        good = gain >= SMALLEST_GAIN
        usable &= good
        image /= np.where(good, gain, 1).astype(np.float32)
    if bad is not None and bad.any():
        usable &= ~bad
        image = repair(image, bad)
    if usable.all():
        return image, None
    if np.count_nonzero(usable) < 0.05 * usable.size:
        share = 100 * np.count_nonzero(usable) / usable.size
        raise InputError(
            f"{name}: only {share:.1f} % of the pixels are usable, the others are saturated, bad or lost in the dark or flat frame; "
            "expose shorter or check those frames"
        )
    return image, usable


def _gain(light: Float32Image, name: str) -> Float32Image:
    """Sensitivity of each pixel relative to the median; 0 where unknown."""
    known = np.isfinite(light) & (light > 0)
    if not known.any():
        raise InputError(f"{name}: the flat field holds no light above the dark level; is it the right file?")
    return np.asarray(np.where(known, light, 0) / np.median(light[known]), np.float32)
