"""The mask pattern of every band on the detector grid: the mask sampled once, at the exact place where a pixel looks.

The forward model of the solvers is ``y[r, c] = sum_l M_l(r, c - co_l) x_l(r, c - co_l)`` with nominal whole offsets ``co_l``; the fraction
``(fc_l, fr_l)`` that is left over moves the pattern, ``M_l(r, c) = mask(pose^-1(c - fc_l, r - fr_l))``: fraction and pose are one affine map,
one cubic spline is sampled, and nothing is blurred that is not blurred in the rig. The unknown scene absorbs its own shift.
"""

from __future__ import annotations

import numba as nb
import numpy as np
from numpy.typing import NDArray

POSE_NAMES = ("dx", "dy", "theta", "scale_x", "scale_y")
"""What moves the mask as a whole; the other parameters move band against band."""


@nb.njit(nogil=True, cache=True)
def mirrored(index, last):  # type: ignore[no-untyped-def]
    """An index reflected at 0 and at `last`, once."""
    return min(max(last - abs(last - abs(index)), 0), last)


@nb.njit(nogil=True, fastmath=True, cache=True, error_model="numpy", inline="always")
def spline_value(coefficients, row, col):  # type: ignore[no-untyped-def]
    """Value of a cubic B-spline ``(H, W)`` at a place; edges are repeated, values below zero are zero.

    What the spline overshoots above the largest value stays: cut off, it would blur the pattern between the pixels, and more so the
    sharper the mask is.
    """
    last_r, last_c = coefficients.shape[0] - 1, coefficients.shape[1] - 1
    sixth = np.float32(1.0 / 6.0)
    ci = min(max(col, 0.0), float(last_c))
    ri = min(max(row, 0.0), float(last_r))
    ic, ir = int(ci), int(ri)
    t, u = np.float32(ci - ic), np.float32(ri - ir)
    a, b = np.float32(1.0) - t, np.float32(1.0) - u
    w0, w3 = a * a * a * sixth, t * t * t * sixth
    w1 = (np.float32(4.0) - t * t * (np.float32(6.0) - np.float32(3.0) * t)) * sixth
    w2 = (np.float32(4.0) - a * a * (np.float32(6.0) - np.float32(3.0) * a)) * sixth
    v0, v3 = b * b * b * sixth, u * u * u * sixth
    v1 = (np.float32(4.0) - u * u * (np.float32(6.0) - np.float32(3.0) * u)) * sixth
    v2 = (np.float32(4.0) - b * b * (np.float32(6.0) - np.float32(3.0) * b)) * sixth
    # Coefficients continue as in a mirror at the edges, as they were made.
    j0, j1, j2, j3 = mirrored(ic - 1, last_c), ic, mirrored(ic + 1, last_c), mirrored(ic + 2, last_c)
    k0, k2, k3 = mirrored(ir - 1, last_r), mirrored(ir + 1, last_r), mirrored(ir + 2, last_r)
    line = coefficients[k0]
    value = v0 * (w0 * line[j0] + w1 * line[j1] + w2 * line[j2] + w3 * line[j3])
    line = coefficients[ir]
    value += v1 * (w0 * line[j0] + w1 * line[j1] + w2 * line[j2] + w3 * line[j3])
    line = coefficients[k2]
    value += v2 * (w0 * line[j0] + w1 * line[j1] + w2 * line[j2] + w3 * line[j3])
    line = coefficients[k3]
    value += v3 * (w0 * line[j0] + w1 * line[j1] + w2 * line[j2] + w3 * line[j3])
    return max(value, np.float32(0.0))


@nb.njit(nogil=True, fastmath=True, cache=True, error_model="numpy")
def sample_pose(coefficients, pose, first_row, last_row, out):  # type: ignore[no-untyped-def]
    """Sample cubic B-spline coefficients ``(H, W)`` at an affine grid, rows ``first_row .. last_row-1`` of ``out[H, W]`` float32.

    ``pose = (cc, cr, c0, rc, rr, r0)`` maps output pixels to mask pixels, ``col_in = cc*col + cr*row + c0`` and
    ``row_in = rc*col + rr*row + r0``.
    """
    cc, cr, c0, rc, rr, r0 = pose[0], pose[1], pose[2], pose[3], pose[4], pose[5]
    for row in range(first_row, last_row):
        for col in range(out.shape[1]):
            out[row, col] = spline_value(coefficients, rc * col + rr * row + r0, cc * col + cr * row + c0)


@nb.njit(nogil=True, fastmath=True, cache=True, error_model="numpy")
def sample_places(coefficients, rows, cols, out):  # type: ignore[no-untyped-def]
    """Sample cubic B-spline coefficients ``(H, W)`` at any places ``rows, cols`` into ``out``, all of one shape."""
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = spline_value(coefficients, rows[i, j], cols[i, j])


def pose_coefficients(
    shape: tuple[int, int], dx: float, dy: float, theta: float, scale_x: float, scale_y: float
) -> NDArray[np.float64]:
    """The affine map of :mod:`cassi_core.geometry` in pixel indices, ``(cc, cr, c0, rc, rr, r0)`` as :func:`sample_pose` takes it."""
    centre_row, centre_col = (shape[0] - 1) / 2, (shape[1] - 1) / 2
    angle = np.deg2rad(theta)
    cos, sin = np.cos(angle), np.sin(angle)
    cc, cr = cos / (1 + scale_x), -sin / (1 + scale_y)
    rc, rr = sin / (1 + scale_x), cos / (1 + scale_y)
    c0 = centre_col - dx - cc * centre_col - cr * centre_row
    r0 = centre_row - dy - rc * centre_col - rr * centre_row
    return np.array([cc, cr, c0, rc, rr, r0], np.float64)


def displaced(pose: NDArray[np.float64], right: float, down: float) -> NDArray[np.float64]:
    """The affine map of a pattern that lies further to the right and down by so many pixels."""
    cc, cr, c0, rc, rr, r0 = pose
    return np.array([cc, cr, c0 - cc * right - cr * down, rc, rr, r0 - rc * right - rr * down], np.float64)
