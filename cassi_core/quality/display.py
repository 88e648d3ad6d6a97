"""Small computations behind what is shown: contrast limits, reduced copies for zooming out, predictions, spectra at points.

They live in the core so that the desktop application and the report show the same numbers, computed once and tested without
a window.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from cassi_core.errors import InputError
from cassi_core.quality.shift_pattern import SCATTER_PX
from cassi_core.result import LocalShift

MAX_SAMPLES = 250_000
"""Percentiles are taken over at most about this many pixels: 2 ms instead of 60 ms for a 2048 x 2048 picture."""


def robust_levels(image: NDArray[np.generic], low: float = 1.0, high: float = 99.0) -> tuple[float, float]:
    """Contrast limits that survive hot pixels: the `low` and `high` percentile of the finite values.

    A picture without finite values gives (0, 1), a constant one a range of width 1 round its value. A picture whose
    percentiles coincide though it is not constant (a sparse mask) gets its full range.
    """
    stride = max(1, math.isqrt(max(1, image.size // MAX_SAMPLES)))
    sample = np.asarray(image[::stride, ::stride] if image.ndim == 2 else image.reshape(-1)[::stride], np.float32)
    sample = sample[np.isfinite(sample)]
    if sample.size == 0:
        return 0.0, 1.0
    lower, upper = (float(v) for v in np.percentile(sample, (low, high)))
    if lower == upper:
        lower, upper = float(sample.min()), float(sample.max())
    if lower == upper:
        return lower - 0.5, upper + 0.5
    return lower, upper


def symmetric_levels(image: NDArray[np.generic], high: float = 99.0) -> tuple[float, float]:
    """Contrast limits symmetric about zero: plus and minus the `high` percentile of the finite magnitudes."""
    stride = max(1, math.isqrt(max(1, image.size // MAX_SAMPLES)))
    sample = np.abs(np.asarray(image[::stride, ::stride] if image.ndim == 2 else image.reshape(-1)[::stride], np.float32))
    sample = sample[np.isfinite(sample)]
    limit = float(np.percentile(sample, high)) if sample.size else 1.0
    if limit <= 0:
        limit = float(sample.max()) or 1.0
    return -limit, limit


def reduced_copies(image: NDArray[np.generic], smallest: int = 512) -> list[NDArray[np.generic]]:
    """The image followed by copies reduced by 2, 4, 8 ... (means of 2 x 2 blocks) until the longer side is under `smallest`.

    An odd last row or column is left out of the means. What is shown zoomed out is the mean of the pixels it stands for, so
    that a mask of one-pixel dots does not turn into moiré.
    """
    copies = [image]
    while max(copies[-1].shape) > smallest and min(copies[-1].shape) >= 2:
        last = copies[-1]
        even = np.asarray(last[: last.shape[0] // 2 * 2, : last.shape[1] // 2 * 2], np.float32)
        copies.append(0.25 * (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]))
    return copies


def predicted_measurement(measurement: NDArray[np.floating], residual: NDArray[np.floating]) -> NDArray[np.float32]:
    """What the model says the camera should have seen, ``A x = y - (y - A x)``, `(H, Wm)` float32."""
    if measurement.shape != residual.shape:
        raise InputError(f"the residual map {residual.shape} does not belong to a measurement of shape {measurement.shape}")
    return np.asarray(np.asarray(measurement, np.float32) - np.asarray(residual, np.float32), np.float32)


def spectrum_at(cube: NDArray[np.floating], row: int, col: int, radius: int = 1) -> NDArray[np.float64]:
    """Mean spectrum of the pixels within `radius` rows and columns of a point of a cube `(L, H, W)`, shape `(L,)` float64."""
    _, height, width = cube.shape
    if not (0 <= row < height and 0 <= col < width):
        raise InputError(f"the point (row {row}, column {col}) lies outside the cube of {height} x {width} pixels")
    block = cube[:, max(0, row - radius) : row + radius + 1, max(0, col - radius) : col + radius + 1]
    return np.asarray(block.mean(axis=(1, 2)), np.float64)


def mean_spectrum(cube: NDArray[np.floating]) -> NDArray[np.float64]:
    """Mean spectrum of a whole cube `(L, H, W)`, shape `(L,)` float64."""
    return np.asarray(cube.mean(axis=(1, 2), dtype=np.float64), np.float64)


BEYOND = 2.0
"""A block beyond so many of its errors, right and down together, is shifted."""


def block_errors(shift: LocalShift) -> tuple[float, float]:
    """Errors of a block's shift to the right and down (px): that of its peak, and by how much its scene pulls it."""
    return math.hypot(shift.sigma_right, SCATTER_PX), math.hypot(shift.sigma_down, SCATTER_PX)


def within_errors(shift: LocalShift) -> bool:
    """True for a leftover shift within two of its errors, right and down together: it tells nothing."""
    right, down = block_errors(shift)
    return math.hypot(shift.right / right, shift.down / down) <= BEYOND
