"""What a picture is by its content alone: the mask, a dispersed snapshot, a dark frame or a flat field."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Look = Literal["mask", "measurement", ""]

TWO_LEVEL_SHARE = 0.15
"""A picture with more than this share of its pixels near the darkest and as many near the brightest level is a mask; measured
on real rigs: masks 0.32-0.44 for the lesser of the two shares, dispersed pictures 0.01-0.05."""
SMEARED = 2.0
"""Pixels across the dispersion differ this many times more (in power) than pixels along it: the picture is dispersed.

A train of N bands of a mask without a preferred direction gives about N at the lag of its step; a mask that lies still gives 1
(simulated masks 0.95-1.05)."""
LAGS_PX = (1, 2, 3, 4)
"""Distances of the pixels that are compared: up to the largest step of the rigs that are known."""
SMOOTH_STEP = 0.02
"""A picture whose neighbouring pixels differ by less than this share of its mean is a flat field: nothing modulates it."""
DARK_SHARE = 0.15
"""A picture this much darker than the others of its size is a dark frame."""


def two_level_share(picture: NDArray[np.generic]) -> tuple[float, float]:
    """Share of pixels of a picture `(H, W)` near its darkest and near its brightest level, dark first."""
    values = picture[np.isfinite(picture)]
    if values.size == 0:
        return 0.0, 0.0
    low, high = (float(v) for v in np.percentile(values, (0.5, 99.5)))
    span = high - low
    dark, bright = np.count_nonzero(values < low + 0.15 * span), np.count_nonzero(values > high - 0.15 * span)
    return dark / values.size, bright / values.size


def smear(picture: NDArray[np.generic]) -> float:
    """Power of the differences at a lag in one direction over that in the other, at its largest; 1: no preferred direction."""
    values = np.nan_to_num(np.asarray(picture, np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = (float(v) for v in np.percentile(values, (0.5, 99.5)))
    # Hot pixels have no direction, and a few of them would outweigh the picture.
    held = np.clip(values, low, high)
    most = 1.0
    for lag in LAGS_PX:
        down, right = (
            float(np.mean(np.square(d), dtype=np.float64)) for d in (held[lag:] - held[:-lag], held[:, lag:] - held[:, :-lag])
        )
        most = max(most, max(down, right) / max(min(down, right), 1e-30))
    return most


def looks_like(picture: NDArray[np.generic]) -> Look:
    """The mask or a dispersed snapshot where the content leaves no doubt, else an empty word.

    A mask has two levels and no preferred direction; a snapshot has neither two levels nor, along the dispersion, much detail.

    Parameters
    ----------
    picture
        `(H, W)`, any real type.
    """
    if min(picture.shape) <= max(LAGS_PX):
        return ""
    lesser, directed = min(two_level_share(picture)), smear(picture)
    if lesser > TWO_LEVEL_SHARE and directed < SMEARED:
        return "mask"
    if lesser < TWO_LEVEL_SHARE / 2 and directed > SMEARED:
        return "measurement"
    return ""


def role_by_content(picture: NDArray[np.float32], others: Sequence[float]) -> tuple[str, str]:
    """Role of a picture that has to be one of them (mask, dark, flat or measurement), and why; an empty role: it holds no numbers.

    `others` are the means of the other pictures of its size.
    """
    values = picture[np.isfinite(picture)]
    if values.size == 0:
        return "", "none of its values is a number"
    if others and float(values.mean()) < DARK_SHARE * max(others):
        return "dark", "it is much darker than the others of its size"
    dark, bright = two_level_share(picture)
    if min(dark, bright) > TWO_LEVEL_SHARE:
        return "mask", f"{100 * (dark + bright):.0f} % of its pixels are either dark or bright"
    step = float(np.nanmedian(np.abs(np.diff(picture, axis=1)))) / max(abs(float(values.mean())), 1e-12)
    if step < SMOOTH_STEP and others:
        return "flat", "it is smooth: no mask modulates it"
    return "measurement", "its grey values are spread like a picture's"
