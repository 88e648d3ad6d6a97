"""What is wrong with the inputs of a calibration, found before anything is fitted: a number, a threshold, words, and a place.

Position and orientation of the mask and the length of the dispersion: :mod:`cassi_core.quality.orientation`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from cassi_core.dispersion import QUARTER_TURNS
from cassi_core.inputs import BoolImage, CalibrationInputs, Float32Image, Frame
from cassi_core.io.detector import saturation_level

Severity = Literal["info", "warning", "error"]
Place = tuple[int, int, int, int]

SATURATED_WARNING, SATURATED_ERROR = 0.01, 0.2
PEDESTAL_INFO, PEDESTAL_WARNING = 0.004, 0.05
"""Level of the darkest tenth of the border columns, where one band at most sends light, against the 99.9th percentile.

Measured: 0.0000-0.0003 in simulated frames without a pedestal, 0.0055-0.008 with one of 1 % of the range, 0.011-0.019 in ten
real frames."""
BORDER_PX = 2
TOP_QUANTILE = 0.999
"""The brightest light of a picture: hot pixels are fewer than those above it."""
HOT_EXCESS, HOT_FACTOR, HOT_REACH = 0.1, 1.4, 3
"""A hot pixel is brighter than its neighbours by a tenth of the range, and 1.4 times brighter than all but one of the pixels
within 3 px. Measured: 35-39 of 40 put into noisy simulated frames are found, none in ten real frames, and none where sharp
random masks make single bright pixels of their own (a comparison with the 8 neighbours alone finds up to 106 there)."""
HOT_WARNING = 1e-4
FEW_LEVELS = 64
LOW_CONTRAST = 0.2
DIM_LEVEL, DIM_SHARE = 0.03, 0.9
MASK_CONTRAST = 0.3
"""Real masks photographed in place reach 0.94."""
OPEN_LOW, OPEN_HIGH = 0.1, 0.9
BLOCKS = 8


@dataclass(frozen=True)
class Finding:
    """One observation about the inputs.

    `value` was held against `threshold`; `place` is a box `(row0, col0, row1, col1)` of the picture to look at (rig's frame,
    ends excluded). `frame` is the number of the snapshot, None for the mask and the sizes.
    """

    code: str
    severity: Severity
    title: str
    text: str
    value: float
    threshold: float
    place: Place | None = None
    frame: int | None = None


def find_problems(inputs: CalibrationInputs) -> tuple[Finding, ...]:
    """Everything noteworthy about snapshots, mask and sizes, the gravest first.

    Looked for: saturation, pixels lost in the dark or flat frame, background level, hot pixels, coarse grey levels, low
    contrast, little light, a mask of low contrast or nearly closed or open, and a measurement whose width is not the mask's
    plus the travel of the dispersion.
    """
    found: list[Finding] = []
    for i, frame in enumerate(inputs.frames):
        found += _frame_findings(inputs, frame, i)
    found += _mask_findings(inputs.mask)
    found += _width_findings(inputs)
    grave = {"error": 0, "warning": 1, "info": 2}
    return tuple(sorted(found, key=lambda finding: grave[finding.severity]))


def _frame_findings(inputs: CalibrationInputs, frame: Frame, index: int) -> Iterator[Finding]:
    image = frame.image
    top = float(np.quantile(image, TOP_QUANTILE))
    saturated, lost = _unusable(frame)
    yield from _saturation(saturated, index)
    yield from _lost(lost, index)
    yield from _bad(frame, index)
    yield from _pedestal(image, inputs, top, index)
    yield from _hot_pixels(image, top, index)
    yield from _light(image, top, index)


def flagged_pixels(frame: Frame, code: str) -> BoolImage | None:
    """The pixels `(H, W)` of a snapshot that a finding with this code counts; None for one that counts none."""
    if code in ("saturation", "lost"):
        return _unusable(frame)[("saturation", "lost").index(code)]
    if code == "hot_pixels":
        return hot_pixels(frame.image, float(np.quantile(frame.image, TOP_QUANTILE)))
    return frame.bad if code == "bad" else None


def _unusable(frame: Frame) -> tuple[BoolImage, BoolImage]:
    """Saturated pixels, and pixels that the dark or flat frame lost; bad pixels are neither."""
    if frame.usable is None:
        level = saturation_level(frame.image)
        none = np.zeros(frame.image.shape, bool)
        return (none, none) if level is None else (frame.image >= level, none)
    # After correction the saturated pixels are still the bright ones of those that are not usable.
    bright = frame.image >= 0.5 * frame.image.max()
    unusable = ~frame.usable if frame.bad is None else ~frame.usable & ~frame.bad
    return unusable & bright, unusable & ~bright


def _saturation(saturated: BoolImage, index: int) -> Iterator[Finding]:
    count = int(np.count_nonzero(saturated))
    if count:
        share = count / saturated.size
        severity: Severity = "error" if share > SATURATED_ERROR else "warning" if share > SATURATED_WARNING else "info"
        advice = "they are left out of the fit" if severity == "info" else "expose shorter: the mask's pattern is lost there"
        text = f"{count} pixels ({_percent(share)}) are saturated; {advice}"
        yield Finding(
            "saturation", severity, "Saturated pixels", text, share, SATURATED_WARNING, fullest_block(saturated), index
        )


def _lost(lost: BoolImage, index: int) -> Iterator[Finding]:
    count = int(np.count_nonzero(lost))
    if count:
        share = count / lost.size
        severity: Severity = "warning" if share > SATURATED_WARNING else "info"
        text = f"{count} pixels ({_percent(share)}) cannot be corrected by the dark or flat frame and are left out of the fit"
        yield Finding("lost", severity, "Pixels without correction", text, share, SATURATED_WARNING, fullest_block(lost), index)


def _bad(frame: Frame, index: int) -> Iterator[Finding]:
    count = 0 if frame.bad is None else int(np.count_nonzero(frame.bad))
    if frame.bad is not None and count:
        share = count / frame.bad.size
        text = (
            f"{count} pixels ({_percent(share)}) are bad by the map; they are left out of the fit and shown as their neighbours"
        )
        yield Finding("bad", "info", "Bad pixels", text, share, SATURATED_WARNING, fullest_block(frame.bad), index)


def _pedestal(image: Float32Image, inputs: CalibrationInputs, top: float, index: int) -> Iterator[Finding]:
    """Background: the border columns along the dispersion see one band at most, so that they are dark without one."""
    along = 1 if QUARTER_TURNS[inputs.dispersion.direction] % 2 == 0 else 0
    turned = image if along == 1 else image.T
    border = np.concatenate([turned[:, :BORDER_PX], turned[:, -BORDER_PX:]], axis=1)
    level = float(np.quantile(border, 0.1)) / top if top > 0 else 0.0
    if inputs.dispersion.n_bands > 1 and level > PEDESTAL_INFO:
        severity: Severity = "warning" if level > PEDESTAL_WARNING else "info"
        across = turned.shape[0]
        box = (0, 0, across, BORDER_PX) if along == 1 else (0, 0, BORDER_PX, across)
        text = (
            f"the background lies at {_percent(level)} of the brightest light; the fit subtracts an estimate, a dark frame "
            "(--dark) does it exactly"
        )
        yield Finding("pedestal", severity, "Background level", text, level, PEDESTAL_INFO, box, index)


def _hot_pixels(image: Float32Image, top: float, index: int) -> Iterator[Finding]:
    hot = hot_pixels(image, top)
    count = int(np.count_nonzero(hot))
    if count:
        share = count / image.size
        severity: Severity = "warning" if share > HOT_WARNING else "info"
        text = f"{count} single pixels are far brighter than all their neighbours; a dark frame (--dark) removes hot pixels"
        yield Finding(
            "hot_pixels", severity, "Hot pixels", text, float(count), HOT_WARNING * image.size, fullest_block(hot), index
        )


def hot_pixels(image: Float32Image, top: float) -> BoolImage:
    """Pixels `(H, W)` that stand alone above everything near them; `top` is the level of the brightest light."""
    floor = float(np.quantile(image, 0.005))
    ring = np.ones((3, 3), bool)
    ring[1, 1] = False
    excess = image - ndi.maximum_filter(image, footprint=ring, mode="nearest")
    rows, cols = np.nonzero(excess > HOT_EXCESS * (top - floor))
    reach = np.arange(2 * HOT_REACH + 1)
    padded = np.pad(image, HOT_REACH, mode="reflect")
    near = padded[rows[:, None, None] + reach[:, None], cols[:, None, None] + reach].reshape(len(rows), reach.size**2)
    # The largest is the pixel itself; the second may be another hot pixel.
    third = np.partition(near, -3, axis=1)[:, -3] if len(rows) else np.empty(0, np.float32)
    alone = image[rows, cols] - floor > HOT_FACTOR * (third - floor)
    hot = np.zeros(image.shape, bool)
    hot[rows[alone], cols[alone]] = True
    return hot


def _light(image: Float32Image, top: float, index: int) -> Iterator[Finding]:
    low = float(np.quantile(image, 0.005))
    contrast = (top - low) / top if top > 0 else 0.0
    if contrast < LOW_CONTRAST:
        text = f"light and dark differ by {_percent(contrast)} of the level only; stray light or a dark frame that is missing?"
        yield Finding("low_contrast", "warning", "Low contrast", text, contrast, LOW_CONTRAST, None, index)
    levels = len(np.unique(image[(image >= low) & (image <= top)]))
    if levels < FEW_LEVELS:
        text = f"the picture has only {levels} grey levels; expose longer or record more bits"
        yield Finding("few_levels", "warning", "Too dark or too few levels", text, float(levels), FEW_LEVELS, None, index)
    dim = np.asarray(image - low < DIM_LEVEL * (top - low))
    share = float(np.count_nonzero(dim)) / image.size
    if share > DIM_SHARE:
        text = f"{_percent(share)} of the picture holds hardly any light; only the rest can tell where the mask sits"
        yield Finding("dark_scene", "warning", "Little light", text, share, DIM_SHARE, fullest_block(~dim), index)


def _mask_findings(mask: Float32Image) -> Iterator[Finding]:
    low, high = (float(v) for v in np.quantile(mask, (0.05, 0.95)))
    contrast = (high - low) / (high + low) if high + low > 0 else 0.0
    if contrast < MASK_CONTRAST:
        text = f"the mask's contrast is {contrast:.2f}; a blurred or wrong picture of the mask gives an unsure calibration"
        yield Finding("mask_contrast", "warning", "Mask without contrast", text, contrast, MASK_CONTRAST)
    open_share = float(np.mean(mask)) / float(mask.max())
    if not OPEN_LOW <= open_share <= OPEN_HIGH:
        word, bound = ("closed", OPEN_LOW) if open_share < OPEN_LOW else ("open", OPEN_HIGH)
        text = f"{_percent(open_share)} of the mask is open; a mask that is nearly all {word} holds little pattern"
        yield Finding("mask_open", "warning", f"Mask nearly {word}", text, open_share, bound)


def _width_findings(inputs: CalibrationInputs) -> Iterator[Finding]:
    grown, travel, text = width_mismatch(inputs)
    if text:
        yield Finding("width", "warning", "Width does not fit the dispersion", text, float(grown), float(travel))


def width_mismatch(inputs: CalibrationInputs) -> tuple[int, int, str]:
    """Pixels of the measurement beyond the mask, pixels that the bands travel, and in words what is wrong (empty: they agree)."""
    along = 1 if QUARTER_TURNS[inputs.dispersion.direction] % 2 == 0 else 0
    grown = inputs.frames[0].image.shape[along] - inputs.mask.shape[along]
    travel = round(inputs.dispersion.travel_px)
    if grown == travel:
        return grown, travel, ""
    side = "columns" if along == 1 else "rows"
    relation = (
        f"{travel - grown} fewer {side} than the bands need: the last ones are cut off"
        if grown < travel
        else f"{grown - travel} more {side} than the bands need"
    )
    return (
        grown,
        travel,
        f"the measurement has {relation} ({grown} {side} beyond the mask, travel of {inputs.dispersion.n_bands} bands "
        f"{inputs.dispersion.travel_px:g} px); check --bands and --step",
    )


def fullest_block(flags: NDArray[np.bool_]) -> Place:
    """The box, of a grid of 8 x 8 over the picture, that holds most of the flagged pixels."""
    height, width = flags.shape
    rows = np.unique(np.linspace(0, height, BLOCKS + 1).astype(int))
    cols = np.unique(np.linspace(0, width, BLOCKS + 1).astype(int))
    counts = np.add.reduceat(np.add.reduceat(flags.astype(np.int64), rows[:-1], axis=0), cols[:-1], axis=1)
    i, j = np.unravel_index(int(np.argmax(counts)), counts.shape)
    return int(rows[i]), int(cols[j]), int(rows[i + 1]), int(cols[j + 1])


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %" if share < 0.1 else f"{100 * share:.0f} %"
