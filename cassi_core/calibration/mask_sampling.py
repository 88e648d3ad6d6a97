"""The mask pattern of every band on the detector grid, sampled where the pattern really lands.

The engine writes the forward model as ``y[r, c] = sum_l M_l(r - ro_l, c - co_l) x_l(r - ro_l, c - co_l)`` with whole offsets
``(co_l, ro_l)``; the fraction of a pixel that is left over moves the mask pattern instead of being split between two pixels:
``M_l(r, c) = mask(pose^-1(c - fc_l, r - fr_l))``. The unknown scene absorbs its own sub-pixel shift, so nothing is blurred that
is not blurred in the rig.
"""

from __future__ import annotations

import numba as nb
import numpy as np
from numpy.typing import NDArray


@nb.njit(nogil=True, fastmath=True, cache=True, error_model="numpy")
def sample_spline(coefficients, pose, fractions, lowest, highest, out):  # type: ignore[no-untyped-def]
    """Sample cubic B-spline coefficients ``(H, W)`` at an affine grid for each band, into ``out[L, H, W]`` float32.

    ``pose = (cc, cr, c0, rc, rr, r0)`` maps output pixels to mask pixels, ``col_in = cc*col + cr*row + c0`` and
    ``row_in = rc*col + rr*row + r0``; ``fractions[l] = (fc, fr)`` is subtracted from the output pixel first. Edges are repeated,
    values clamped to ``lowest .. highest``.
    """
    bands, height, width = out.shape
    last_row, last_col = coefficients.shape[0] - 1, coefficients.shape[1] - 1
    cc, cr, c0, rc, rr, r0 = pose[0], pose[1], pose[2], pose[3], pose[4], pose[5]
    sixth = np.float32(1.0 / 6.0)
    for band in range(bands):
        shift_col, shift_row = fractions[band, 0], fractions[band, 1]
        for row in range(height):
            y = row - shift_row
            for col in range(width):
                x = col - shift_col
                ci = min(max(cc * x + cr * y + c0, 0.0), float(last_col))
                ri = min(max(rc * x + rr * y + r0, 0.0), float(last_row))
                ic, ir = int(ci), int(ri)
                t, u = np.float32(ci - ic), np.float32(ri - ir)
                a, b = np.float32(1.0) - t, np.float32(1.0) - u
                w0, w3 = a * a * a * sixth, t * t * t * sixth
                w1 = (np.float32(4.0) - t * t * (np.float32(6.0) - np.float32(3.0) * t)) * sixth
                w2 = (np.float32(4.0) - a * a * (np.float32(6.0) - np.float32(3.0) * a)) * sixth
                v0, v3 = b * b * b * sixth, u * u * u * sixth
                v1 = (np.float32(4.0) - u * u * (np.float32(6.0) - np.float32(3.0) * u)) * sixth
                v2 = (np.float32(4.0) - b * b * (np.float32(6.0) - np.float32(3.0) * b)) * sixth
                j0, j1, j2, j3 = max(ic - 1, 0), ic, min(ic + 1, last_col), min(ic + 2, last_col)
                k0, k2, k3 = max(ir - 1, 0), min(ir + 1, last_row), min(ir + 2, last_row)
                line = coefficients[k0]
                value = v0 * (w0 * line[j0] + w1 * line[j1] + w2 * line[j2] + w3 * line[j3])
                line = coefficients[ir]
                value += v1 * (w0 * line[j0] + w1 * line[j1] + w2 * line[j2] + w3 * line[j3])
                line = coefficients[k2]
                value += v2 * (w0 * line[j0] + w1 * line[j1] + w2 * line[j2] + w3 * line[j3])
                line = coefficients[k3]
                value += v3 * (w0 * line[j0] + w1 * line[j1] + w2 * line[j2] + w3 * line[j3])
                out[band, row, col] = min(max(value, lowest), highest)


def pose_coefficients(
    shape: tuple[int, int], dx: float, dy: float, theta: float, scale_x: float, scale_y: float
) -> NDArray[np.float64]:
    """The affine map of :mod:`cassi_core.geometry` in pixel indices, ``(cc, cr, c0, rc, rr, r0)`` as :func:`sample_spline` takes it."""
    centre_row, centre_col = (shape[0] - 1) / 2, (shape[1] - 1) / 2
    angle = np.deg2rad(theta)
    cos, sin = np.cos(angle), np.sin(angle)
    cc, cr = cos / (1 + scale_x), -sin / (1 + scale_y)
    rc, rr = sin / (1 + scale_x), cos / (1 + scale_y)
    c0 = centre_col - dx - cc * centre_col - cr * centre_row
    r0 = centre_row - dy - rc * centre_col - rr * centre_row
    return np.array([cc, cr, c0, rc, rr, r0], np.float64)
