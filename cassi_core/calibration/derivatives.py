"""How the snapshot changes when a parameter moves and the scene stays: derivative images of the forward model.

With the scene estimate ``x`` held, ``Z_i = d(A x)/d p_i = sum_l shift_l(x_l . (g_col . d col_in/d p_i + g_row . d row_in/d p_i))``, where
``(g_col, g_row)`` is the gradient of the mask where the pixel of band ``l`` looks at it. Both coordinates are affine in the pixel,
 so each parameter and band needs six numbers (:func:`movement_rates`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numba as nb
import numpy as np
from numpy.typing import NDArray

from cassi_core.calibration.mask_sampling import PAD, POSE_NAMES, mix_rows, pose_coefficients, spline_taps
from cassi_core.dispersion import Dispersion


def coordinate_rates(
    shape: tuple[int, int], dispersion: Dispersion, values: Mapping[str, float], names: Sequence[str]
) -> NDArray[np.float64]:
    """Rates of the mask coordinates, ``(k, L, 6)`` float64: ``d col_in = r0 + r1*col + r2*row``, ``d row_in = r3 + r4*col + r5*row``.

    ``(col, row)`` are pixel indices of the mask-sized grid of the band at its whole offset; units px per unit of the parameter.
    """
    n = dispersion.n_bands
    band = np.arange(n, dtype=np.float64)
    cols, rows = dispersion.offsets(values)
    whole_cols, whole_rows = dispersion.whole_offsets()
    fractions = np.stack([cols - whole_cols, rows - whole_rows])
    s = dispersion.travel(values.get("slope", 0.0), values.get("curve", 0.0))
    axis = np.deg2rad(values.get("alpha", 0.0))
    along = np.array([np.cos(axis), np.sin(axis)])
    angle = np.deg2rad(values.get("theta", 0.0))
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[cos, -sin], [sin, cos]])
    turn_rate = np.deg2rad(1.0) * np.array([[-sin, -cos], [cos, -sin]])
    shrink = np.diag([1 / (1 + values.get("scale_x", 0.0)), 1 / (1 + values.get("scale_y", 0.0))])
    centre = np.array([(shape[1] - 1) / 2, (shape[0] - 1) / 2])[:, None] + fractions

    def linear(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Rates of ``matrix @ (pixel - centre)`` for each band."""
        constant = -(matrix @ centre)
        out = np.empty((n, 6))
        out[:, 0], out[:, 1], out[:, 2] = constant[0], matrix[0, 0], matrix[0, 1]
        out[:, 3], out[:, 4], out[:, 5] = constant[1], matrix[1, 0], matrix[1, 1]
        return out

    def moved(offset_rate: NDArray[np.float64]) -> NDArray[np.float64]:
        """Rates when the offsets ``(2, L)`` of the bands change."""
        change = -(turn @ shrink @ offset_rate)
        out = np.zeros((n, 6))
        out[:, 0], out[:, 3] = change[0], change[1]
        return out

    def shifted(col: float, row: float) -> NDArray[np.float64]:
        out = np.zeros((n, 6))
        out[:, 0], out[:, 3] = col, row
        return out

    rates = {
        "dx": lambda: shifted(-1.0, 0.0),
        "dy": lambda: shifted(0.0, -1.0),
        "theta": lambda: linear(turn_rate @ shrink),
        "scale_x": lambda: linear(turn @ np.diag([-(shrink[0, 0] ** 2), 0.0])),
        "scale_y": lambda: linear(turn @ np.diag([0.0, -(shrink[1, 1] ** 2)])),
        "slope": lambda: moved(along[:, None] * band),
        "curve": lambda: moved(along[:, None] * (band * (band - (n - 1)))),
        "alpha": lambda: moved(np.deg2rad(1.0) * np.array([-along[1], along[0]])[:, None] * s),
    }
    return np.stack([rates[name]() for name in names]) if names else np.zeros((0, n, 6))


def movement_rates(
    shape: tuple[int, int], dispersion: Dispersion, values: Mapping[str, float], names: Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """:func:`coordinate_rates` with those of the dispersion as movements of the posed mask, and which ones these are, ``(k,)``.

    The pose moves the places on the nominal mask, the dispersion moves what the pose has made of it: ``A^-1 d(col_in, row_in)`` with the
    matrix ``A`` of the pose.
    """
    rates = coordinate_rates(shape, dispersion, values, names)
    pose = pose_coefficients(shape, *(float(values.get(k, 0.0)) for k in POSE_NAMES))
    inverse = np.linalg.inv(np.array([[pose[0], pose[1]], [pose[3], pose[4]]]))
    pairs = rates.reshape(*rates.shape[:2], 2, 3)
    turned = np.einsum("ij,kljm->klim", inverse, pairs).reshape(rates.shape)
    dispersive = np.array([name not in POSE_NAMES for name in names], np.bool_)
    return np.where(dispersive[:, None, None], turned, rates), dispersive


@nb.njit(nogil=True, fastmath=True, cache=True, error_model="numpy")
def accumulate_derivatives(  # type: ignore[no-untyped-def]
    x, posed, slopes, fractions, cols, rows, rates, dispersive, first_row, last_row, out
):
    """Add the derivative images of scene rows ``first_row .. last_row-1`` to ``out[k, H, canvas]`` float32.

    ``x[L, H, W]`` float32 scene; spline coefficients ``posed[H, W]`` of the mask at its pose and ``slopes[2, H, W]`` of its slopes on the
    nominal mask; `fractions` as in :func:`cassi_core.calibration.mask_sampling.shift_bands`; ``cols, rows`` int64 whole offsets on the
    canvas; `rates` and `dispersive` of :func:`movement_rates`.
    """
    bands, _, width = x.shape
    count, height, canvas = out.shape
    any_pose, any_dispersion = not dispersive.all(), dispersive.any()
    one, two = np.empty(width + 2 * PAD, np.float32), np.empty(width + 2 * PAD, np.float32)
    # Light times slope along columns and rows: of the pose (0, 1) and of the dispersion (2, 3).
    lit = np.zeros((4, width), np.float32)
    right, down = np.empty(bands, np.int64), np.empty(bands, np.int64)
    value_col, slope_col = np.empty((bands, 4), np.float32), np.empty((bands, 4), np.float32)
    value_row, slope_row = np.empty((bands, 4), np.float32), np.empty((bands, 4), np.float32)
    for band in range(bands):
        right[band], value_col[band], slope_col[band] = spline_taps(fractions[band, 0])
        down[band], value_row[band], slope_row[band] = spline_taps(fractions[band, 1])
    for row in range(first_row, last_row):
        for band in range(bands):
            at = row + rows[band]
            if not 0 <= at < height:
                continue
            base = PAD + min(max(right[band], 1 - PAD), PAD - 2) - 1
            if any_pose:
                mix_rows(slopes[0], row, down[band], value_row[band], one)
                mix_rows(slopes[1], row, down[band], value_row[band], two)
                _light_lines(x, band, row, one, two, base, value_col[band], value_col[band], lit, 0)
            if any_dispersion:
                mix_rows(posed, row, down[band], value_row[band], one)
                mix_rows(posed, row, down[band], slope_row[band], two)
                _light_lines(x, band, row, one, two, base, slope_col[band], value_col[band], lit, 2)
            whole = cols[band]
            low, high = max(0, -whole), min(width, canvas - whole)
            for k in range(count):
                base_col = np.float32(rates[k, band, 0] + rates[k, band, 2] * row)
                base_row = np.float32(rates[k, band, 3] + rates[k, band, 5] * row)
                rate_col, rate_row = np.float32(rates[k, band, 1]), np.float32(rates[k, band, 4])
                of = 2 if dispersive[k] else 0
                if whole >= 0 and low >= 0:
                    for col in range(low, high):
                        place = np.float32(col)
                        change = lit[of, col] * (base_col + rate_col * place) + lit[of + 1, col] * (base_row + rate_row * place)
                        out[k, at, col + whole] += change


@nb.njit(nogil=True, fastmath=True, error_model="numpy", forceinline=True)
def _light_lines(x, band, row, one, two, base, taps, others, out, at):  # type: ignore[no-untyped-def]
    """``out[at] = x . (taps over one)`` and ``out[at + 1] = x . (others over two)`` for a row of a band."""
    s0, s1, s2, s3 = taps[0], taps[1], taps[2], taps[3]
    v0, v1, v2, v3 = others[0], others[1], others[2], others[3]
    if base >= 0:
        for col in range(x.shape[2]):
            j = base + col
            light = x[band, row, col]
            out[at, col] = light * (s0 * one[j] + s1 * one[j + 1] + s2 * one[j + 2] + s3 * one[j + 3])
            out[at + 1, col] = light * (v0 * two[j] + v1 * two[j + 1] + v2 * two[j + 2] + v3 * two[j + 3])
