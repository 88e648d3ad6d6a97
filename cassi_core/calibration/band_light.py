"""How much light each band of a snapshot carries, read from where the mask's pattern appears along the dispersion.

The contrast of the picture, correlated with the mask at its pose, is a sum over the bands, ``c(s) = sum_l b_l R(s - o_l) + noise``, with the
offsets ``o_l`` and the autocorrelation ``R`` of the pattern: every band shows at its own shift. ``b`` are non-negative least squares on shifts
whitened by the noise of rows where no pattern lies, with little curvature along the bands. No scene is needed for it, so that a reconstruction
that spreads the light evenly cannot hide that a lamp is red.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy import ndimage as ndi
from scipy.optimize import minimize, nnls

from cassi_core.calibration.contrast import high_pass
from cassi_core.calibration.rig_model import CANVAS_PAD, Optics, RigModel, named
from cassi_core.run import RunControl

REACH_PX = 8
"""Shifts looked at before the first and after the last band."""
NOISE_ROWS = (12, 20)
"""Shifts across the dispersion, both ways, at which no band's pattern lies: they show the noise of the correlation."""
NOISE_LAGS = 12
"""Noise further apart than this is taken for independent."""
PATTERN_PX = 24
"""The autocorrelation of the pattern is known out to here; beyond the mask is random."""
CURVATURE = 3.0
"""Weight of the second differences of `b` in units of the noise."""
ENDS_PX = 0.5
"""How far the ends of the band train may lie off (standard error): they are not known yet, and a band may not look dark for it."""
LEAST_LIGHT = 0.05
"""Share of the brightest band that every band may have: what seems dark is never excluded."""
SMALLEST_Z = 4.0
"""Below this many times its noise the correlation tells nothing about the bands."""


def with_light(models: Sequence[RigModel], vector: NDArray[np.float64], optics: Optics, control: RunControl) -> list[RigModel]:
    """The snapshots with the light that their scenes are expected to have in each band, from the correlation at a parameter vector.

    ``light_l = sqrt(b_l)``, its mean square 1: a scene estimate between one that expects the same in all bands, and one that expects what is
    seen and cannot be talked out of it.
    """
    lit = []
    for model in models:
        control.checkpoint()
        bands = band_light(model, vector, optics, control)
        share = np.sqrt(np.maximum(bands, LEAST_LIGHT))
        lit.append(replace(model, light=(share / np.sqrt(np.mean(share**2))).astype(np.float32)))
    return lit


def band_light(
    model: RigModel, vector: NDArray[np.float64], optics: Optics, control: RunControl | None = None
) -> NDArray[np.float64]:
    """Light of the bands relative to the brightest one, ``(L,)``; all 1 where the picture does not tell."""
    control = control or RunControl()
    dispersion = model.dispersion
    flat = np.ones(dispersion.n_bands)
    if dispersion.n_bands < 3:
        return flat
    cols, rows = dispersion.offsets(named(vector))
    shifts = np.arange(int(np.floor(cols.min())) - REACH_PX, int(np.ceil(cols.max())) + REACH_PX + 1)
    pattern = high_pass(model.posed(named(vector), model.spline()))
    seen = high_pass(model.posed(named(vector), optics.spline(model, vector)))
    plane = _correlation(model.contrast * model.observed, pattern, shifts + CANVAS_PAD, NOISE_ROWS[1])
    far = np.concatenate([plane[: NOISE_ROWS[1] - NOISE_ROWS[0] + 1], plane[NOISE_ROWS[1] + NOISE_ROWS[0] :]])
    sigma = float(np.std(far))
    z = plane[NOISE_ROWS[1]] / sigma if sigma > 0 else np.zeros(len(shifts))
    if z.max() < SMALLEST_Z:
        return flat
    across = int(np.ceil(np.abs(rows).max())) + 3
    shape = _correlation(seen, pattern, np.arange(-PATTERN_PX, PATTERN_PX + 1), across)
    spline = ndi.spline_filter(shape / shape.max(), 3, mode="constant")
    whiten = _whitening(far / sigma, len(shifts))
    bending = CURVATURE * np.diff(np.eye(len(cols)), 2, axis=0)
    wanted = np.concatenate([whiten @ z, np.zeros(len(bending))])
    along = (cols - cols[0]) / (cols[-1] - cols[0]) if cols[-1] != cols[0] else np.zeros(len(cols))

    def bands_at(ends: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
        """The bands, and the misfit, with the first and the last one moved by so many pixels."""
        moved = cols + ends[0] * (1 - along) + ends[1] * along
        at = np.stack([np.broadcast_to(across - rows, (len(shifts), len(rows))), shifts[:, None] - moved + PATTERN_PX])
        expected = ndi.map_coordinates(spline, at, order=3, prefilter=False, mode="constant")
        bands, misfit = nnls(np.concatenate([whiten @ expected, bending]), wanted)
        return np.asarray(bands, np.float64), float(misfit)

    def misfit(ends: NDArray[np.float64]) -> float:
        control.checkpoint()  # with hundreds of bands each look takes a while
        return bands_at(ends)[1] ** 2 + float(np.sum(np.square(ends / ENDS_PX)))

    corners = ENDS_PX * np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    options = {"initial_simplex": corners, "xatol": 0.05, "fatol": 0.5, "maxfev": 40}
    try:
        found = bands_at(minimize(misfit, corners[0], method="Nelder-Mead", options=options).x)[0]
    except RuntimeError:  # the least squares do not close in
        return flat
    return found / found.max() if found.max() > 0 else flat


def _correlation(
    image: NDArray[np.float32], pattern: NDArray[np.float32], shifts: NDArray[np.int64], rows: int
) -> NDArray[np.float64]:
    """``c(r, s) = sum image(y + r, x + s) pattern(y, x)`` for `shifts` to the right and up to `rows` down and up, ``(2 rows + 1, S)``."""
    reach = int(np.abs(shifts).max()) + 1
    size = [
        fft.next_fast_len(max(a, b) + margin, real=True)
        for a, b, margin in zip(image.shape, pattern.shape, (rows + 1, reach), strict=True)
    ]
    product = fft.irfft2(fft.rfft2(image, size) * np.conj(fft.rfft2(pattern, size)), size)
    return np.asarray(product[np.ix_(np.arange(-rows, rows + 1), shifts)], np.float64)


def _whitening(noise: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """The matrix ``(count, count)`` that makes `noise` ``(R, S)`` along its rows independent, from its autocovariance.

    Sums over the overlap in shares of the whole, and a triangular taper: the matrix is positive whatever the noise.
    """
    lags = np.arange(min(NOISE_LAGS, noise.shape[1]))
    covariance = np.array([np.sum(noise[:, : noise.shape[1] - lag] * noise[:, lag:]) for lag in lags]) / noise.size
    tapered = np.zeros(count)
    tapered[: len(lags)] = covariance[:count] * (1 - lags[:count] / NOISE_LAGS)
    apart = np.abs(np.subtract.outer(np.arange(count), np.arange(count)))
    return np.asarray(np.linalg.inv(np.linalg.cholesky(tapered[apart] + 1e-3 * np.eye(count))), np.float64)
