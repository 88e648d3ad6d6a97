"""How the snapshot changes when a parameter moves and the scene stays: derivative images of the forward model.

With the scene estimate ``x`` held, ``Z_i = d(A x)/d p_i = sum_l shift_l(x_l . (g_col . d col_in/d p_i + g_row . d row_in/d p_i))``, where
``(g_col, g_row)`` is the gradient of the mask's cubic spline at the place that the pixel of band ``l`` looks at. Both coordinates are
affine in the pixel, so each parameter and band needs six numbers (:func:`coordinate_rates`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numba as nb
import numpy as np
from numpy.typing import NDArray

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


@nb.njit(nogil=True, fastmath=True, cache=True, error_model="numpy")
def accumulate_derivatives(x, spline, pose, fractions, cols, rows, rates, first_row, last_row, out):  # type: ignore[no-untyped-def]
    """Add the derivative images of scene rows ``first_row .. last_row-1`` to ``out[k, H, canvas]`` float32.

    ``x[L, H, W]`` float32 scene; `spline`, `pose` and `fractions` as in :func:`cassi_core.calibration.mask_sampling.sample_spline`;
    ``cols, rows`` int64 whole offsets on the canvas. Where an edge of the mask is repeated, the gradient across that edge is zero.
    """
    bands, _, width = x.shape
    count, height, canvas = out.shape
    end_row, end_col = spline.shape[0] - 1, spline.shape[1] - 1
    cc, cr, c0, rc, rr, r0 = pose[0], pose[1], pose[2], pose[3], pose[4], pose[5]
    half, sixth = np.float32(0.5), np.float32(1.0 / 6.0)
    along = np.empty(width, np.float32)
    across = np.empty(width, np.float32)
    for row in range(first_row, last_row):
        for band in range(bands):
            at = row + rows[band]
            if not 0 <= at < height:
                continue
            y = row - fractions[band, 1]
            for col in range(width):
                px = col - fractions[band, 0]
                ci = cc * px + cr * y + c0
                ri = rc * px + rr * y + r0
                inside_col, inside_row = 0.0 <= ci <= end_col, 0.0 <= ri <= end_row
                ci = min(max(ci, 0.0), float(end_col))
                ri = min(max(ri, 0.0), float(end_row))
                ic, ir = int(ci), int(ri)
                t, u = np.float32(ci - ic), np.float32(ri - ir)
                a, b = np.float32(1.0) - t, np.float32(1.0) - u
                w0, w3 = a * a * a * sixth, t * t * t * sixth
                w1 = (np.float32(4.0) - t * t * (np.float32(6.0) - np.float32(3.0) * t)) * sixth
                w2 = (np.float32(4.0) - a * a * (np.float32(6.0) - np.float32(3.0) * a)) * sixth
                v0, v3 = b * b * b * sixth, u * u * u * sixth
                v1 = (np.float32(4.0) - u * u * (np.float32(6.0) - np.float32(3.0) * u)) * sixth
                v2 = (np.float32(4.0) - b * b * (np.float32(6.0) - np.float32(3.0) * b)) * sixth
                dw0, dw3 = -half * a * a, half * t * t
                dw1 = half * t * (np.float32(3.0) * t - np.float32(4.0))
                dw2 = -half * a * (np.float32(3.0) * a - np.float32(4.0))
                dv0, dv3 = -half * b * b, half * u * u
                dv1 = half * u * (np.float32(3.0) * u - np.float32(4.0))
                dv2 = -half * b * (np.float32(3.0) * b - np.float32(4.0))
                j0, j1, j2, j3 = max(ic - 1, 0), ic, min(ic + 1, end_col), min(ic + 2, end_col)
                l0, l1 = spline[max(ir - 1, 0)], spline[ir]
                l2, l3 = spline[min(ir + 1, end_row)], spline[min(ir + 2, end_row)]
                s0 = w0 * l0[j0] + w1 * l0[j1] + w2 * l0[j2] + w3 * l0[j3]
                s1 = w0 * l1[j0] + w1 * l1[j1] + w2 * l1[j2] + w3 * l1[j3]
                s2 = w0 * l2[j0] + w1 * l2[j1] + w2 * l2[j2] + w3 * l2[j3]
                s3 = w0 * l3[j0] + w1 * l3[j1] + w2 * l3[j2] + w3 * l3[j3]
                d0 = dw0 * l0[j0] + dw1 * l0[j1] + dw2 * l0[j2] + dw3 * l0[j3]
                d1 = dw0 * l1[j0] + dw1 * l1[j1] + dw2 * l1[j2] + dw3 * l1[j3]
                d2 = dw0 * l2[j0] + dw1 * l2[j1] + dw2 * l2[j2] + dw3 * l2[j3]
                d3 = dw0 * l3[j0] + dw1 * l3[j1] + dw2 * l3[j2] + dw3 * l3[j3]
                light = x[band, row, col]
                along[col] = light * (v0 * d0 + v1 * d1 + v2 * d2 + v3 * d3) if inside_col else np.float32(0.0)
                across[col] = light * (dv0 * s0 + dv1 * s1 + dv2 * s2 + dv3 * s3) if inside_row else np.float32(0.0)
            whole = cols[band]
            low, high = max(0, -whole), min(width, canvas - whole)
            for k in range(count):
                base_col = np.float32(rates[k, band, 0] + rates[k, band, 2] * row)
                base_row = np.float32(rates[k, band, 3] + rates[k, band, 5] * row)
                rate_col, rate_row = np.float32(rates[k, band, 1]), np.float32(rates[k, band, 4])
                target = out[k, at]
                for col in range(low, high):
                    target[col + whole] += along[col] * (base_col + rate_col * np.float32(col)) + across[col] * (
                        base_row + rate_row * np.float32(col)
                    )
