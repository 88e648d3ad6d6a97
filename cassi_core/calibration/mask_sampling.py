"""The mask pattern of every band on the detector grid: the mask at its pose, then moved by what its offset has beyond whole pixels.

The engine writes the forward model as ``y[r, c] = sum_l M_l(r, c - co_l) x_l(r, c - co_l)`` with nominal whole offsets ``co_l``; the
fraction ``(fc_l, fr_l)`` that is left over moves the pattern, ``M_l = shift_(fc_l, fr_l) M``, ``M(r, c) = mask(pose^-1(c, r))``, both by
cubic splines, instead of being split between two pixels: nothing is blurred that is not blurred in the rig. The unknown scene absorbs its
own shift. Pose first, dispersion second is the order of the rig (and of :mod:`cassi_core.geometry`): sampling both at once gives another
pattern wherever the mask is as fine as a pixel, which bent alpha by up to 0.04 degrees on simulated rigs.
"""

from __future__ import annotations

import numba as nb
import numpy as np
from numpy.typing import NDArray

POSE_NAMES = ("dx", "dy", "theta", "scale_x", "scale_y")
"""What moves the mask as a whole; the other parameters move band against band."""
PAD = 32
"""Columns that a band's pattern may be moved beyond its nominal whole offset."""


@nb.njit(nogil=True, cache=True)
def mirrored(index, last):  # type: ignore[no-untyped-def]
    """An index reflected at 0 and at `last`, once."""
    return min(max(last - abs(last - abs(index)), 0), last)


@nb.njit(nogil=True, fastmath=True, cache=True, error_model="numpy")
def sample_pose(coefficients, pose, first_row, last_row, out):  # type: ignore[no-untyped-def]
    """Sample cubic B-spline coefficients ``(H, W)`` at an affine grid, rows ``first_row .. last_row-1`` of ``out[H, W]`` float32.

    ``pose = (cc, cr, c0, rc, rr, r0)`` maps output pixels to mask pixels, ``col_in = cc*col + cr*row + c0`` and
    ``row_in = rc*col + rr*row + r0``. Edges are repeated, values below zero are zero.

    What the spline overshoots above the largest value stays: cut off, it would blur the pattern between the pixels, and more so the
    sharper the mask is.
    """
    width = out.shape[1]
    last_r, last_c = coefficients.shape[0] - 1, coefficients.shape[1] - 1
    cc, cr, c0, rc, rr, r0 = pose[0], pose[1], pose[2], pose[3], pose[4], pose[5]
    sixth = np.float32(1.0 / 6.0)
    for row in range(first_row, last_row):
        for col in range(width):
            ci = min(max(cc * col + cr * row + c0, 0.0), float(last_c))
            ri = min(max(rc * col + rr * row + r0, 0.0), float(last_r))
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
            out[row, col] = max(value, np.float32(0.0))


@nb.njit(nogil=True, fastmath=True, cache=True, error_model="numpy")
def sample_gradient(coefficients, pose, first_row, last_row, out):  # type: ignore[no-untyped-def]
    """Slopes of the spline along the mask's columns, ``out[0]``, and rows, ``out[1]``, where :func:`sample_pose` samples it.

    Where an edge of the mask is repeated, the slope across that edge is zero.
    """
    width = out.shape[2]
    last_r, last_c = coefficients.shape[0] - 1, coefficients.shape[1] - 1
    cc, cr, c0, rc, rr, r0 = pose[0], pose[1], pose[2], pose[3], pose[4], pose[5]
    half, sixth = np.float32(0.5), np.float32(1.0 / 6.0)
    for row in range(first_row, last_row):
        for col in range(width):
            ci = cc * col + cr * row + c0
            ri = rc * col + rr * row + r0
            inside_col, inside_row = 0.0 <= ci <= last_c, 0.0 <= ri <= last_r
            ci = min(max(ci, 0.0), float(last_c))
            ri = min(max(ri, 0.0), float(last_r))
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
            j0, j1, j2, j3 = mirrored(ic - 1, last_c), ic, mirrored(ic + 1, last_c), mirrored(ic + 2, last_c)
            k0, k2, k3 = mirrored(ir - 1, last_r), mirrored(ir + 1, last_r), mirrored(ir + 2, last_r)
            l0, l1, l2, l3 = coefficients[k0], coefficients[ir], coefficients[k2], coefficients[k3]
            s0 = w0 * l0[j0] + w1 * l0[j1] + w2 * l0[j2] + w3 * l0[j3]
            s1 = w0 * l1[j0] + w1 * l1[j1] + w2 * l1[j2] + w3 * l1[j3]
            s2 = w0 * l2[j0] + w1 * l2[j1] + w2 * l2[j2] + w3 * l2[j3]
            s3 = w0 * l3[j0] + w1 * l3[j1] + w2 * l3[j2] + w3 * l3[j3]
            d0 = dw0 * l0[j0] + dw1 * l0[j1] + dw2 * l0[j2] + dw3 * l0[j3]
            d1 = dw0 * l1[j0] + dw1 * l1[j1] + dw2 * l1[j2] + dw3 * l1[j3]
            d2 = dw0 * l2[j0] + dw1 * l2[j1] + dw2 * l2[j2] + dw3 * l2[j3]
            d3 = dw0 * l3[j0] + dw1 * l3[j1] + dw2 * l3[j2] + dw3 * l3[j3]
            out[0, row, col] = v0 * d0 + v1 * d1 + v2 * d2 + v3 * d3 if inside_col else np.float32(0.0)
            out[1, row, col] = dv0 * s0 + dv1 * s1 + dv2 * s2 + dv3 * s3 if inside_row else np.float32(0.0)


@nb.njit(nogil=True, cache=True)
def spline_taps(fraction):  # type: ignore[no-untyped-def]
    """Whole part and weights of a shift by `fraction`: ``f(i - fraction) = sum_k w[k] c[i + whole - 1 + k]``; weights of the slope too."""
    whole = int(np.floor(-fraction))
    t = -fraction - whole
    a = 1.0 - t
    value = np.array([a**3 / 6, (4 - 6 * t * t + 3 * t**3) / 6, (4 - 6 * a * a + 3 * a**3) / 6, t**3 / 6]).astype(np.float32)
    slope = np.array([-a * a / 2, t * (3 * t - 4) / 2, -a * (3 * a - 4) / 2, t * t / 2]).astype(np.float32)
    return whole, value, slope


@nb.njit(nogil=True, fastmath=True, cache=True, error_model="numpy")
def mix_rows(coefficients, row, whole, taps, out):  # type: ignore[no-untyped-def]
    """``out[2:-2] = sum_k taps[k] coefficients[row + whole - 1 + k]`` with two mirrored pixels at either end; edges mirrored."""
    last, width = coefficients.shape[0] - 1, coefficients.shape[1]
    at = row + whole
    i0, i1, i2, i3 = mirrored(at - 1, last), mirrored(at, last), mirrored(at + 1, last), mirrored(at + 2, last)
    t0, t1, t2, t3 = taps[0], taps[1], taps[2], taps[3]
    for col in range(width):
        inner = t0 * coefficients[i0, col] + t1 * coefficients[i1, col]
        out[PAD + col] = inner + t2 * coefficients[i2, col] + t3 * coefficients[i3, col]
    for k in range(1, PAD + 1):
        out[PAD - k] = out[PAD + min(k, width - 1)]
        out[PAD + width - 1 + k] = out[PAD + width - 1 - min(k, width - 1)]


@nb.njit(nogil=True, fastmath=True, cache=True, error_model="numpy")
def shift_bands(coefficients, fractions, out):  # type: ignore[no-untyped-def]
    """``out[l](r, c) = f(r - fr_l, c - fc_l)`` from the spline coefficients of ``f`` `(H, W)`; ``fractions[l] = (fc, fr)``."""
    bands, height, width = out.shape
    line = np.empty(width + 2 * PAD, np.float32)
    for band in range(bands):
        right, along, _ = spline_taps(fractions[band, 0])
        down, across, _ = spline_taps(fractions[band, 1])
        right = min(max(right, 1 - PAD), PAD - 2)
        t0, t1, t2, t3 = along[0], along[1], along[2], along[3]
        base = PAD + right - 1
        for row in range(height):
            mix_rows(coefficients, row, down, across, line)
            if base >= 0:
                for col in range(width):
                    inner = t0 * line[base + col] + t1 * line[base + col + 1]
                    out[band, row, col] = inner + t2 * line[base + col + 2] + t3 * line[base + col + 3]


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
