"""How close a reconstructed cube is to the true one: PSNR, SSIM and SAM as this field reports them.

All take cubes `(L, H, W)` of real numbers. They need a ground truth, which only a simulation has: nothing that fits a
calibration may use them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from cassi_core.errors import InputError

SSIM_SIGMA = 1.5
SSIM_RADIUS = 5
SSIM_K1, SSIM_K2 = 0.01, 0.03


@dataclass(frozen=True)
class CubeScores:
    """PSNR in dB, SSIM (at most 1) and SAM in degrees of one cube against the truth."""

    psnr_db: float
    ssim: float
    sam_deg: float


def compare_cubes(cube: NDArray[np.floating], truth: NDArray[np.floating], data_range: float = 1.0) -> CubeScores:
    """All three metrics of a cube ``(L, H, W)`` against the truth of the same shape."""
    return CubeScores(psnr(cube, truth, data_range), ssim(cube, truth, data_range), sam(cube, truth))


def psnr(cube: NDArray[np.floating], truth: NDArray[np.floating], data_range: float = 1.0) -> float:
    """Peak signal-to-noise ratio in dB, the mean over the bands.

    ``psnr_l = 10 log10(data_range^2 / mean_pixels (cube_l - truth_l)^2)``; infinite when a band is equal to the truth.

    Parameters
    ----------
    cube, truth
        ``(L, H, W)``, any real type, same unit.
    data_range
        The largest value that the unit can hold (1 for scenes in 0..1).

    Raises
    ------
    InputError
        When the shapes differ or `data_range` is not positive.
    """
    a, b = _checked(cube, truth, data_range)
    mse = np.mean((a - b) ** 2, axis=(1, 2))
    with np.errstate(divide="ignore"):
        return float(np.mean(10.0 * np.log10(data_range**2 / mse)))


def ssim(cube: NDArray[np.floating], truth: NDArray[np.floating], data_range: float = 1.0) -> float:
    """Structural similarity, the mean over pixels and bands.

    With local means, variances and covariance under a Gaussian window of 11 x 11 pixels and sigma 1.5::

        ssim = (2 mu_a mu_b + C1)(2 cov_ab + C2) / ((mu_a^2 + mu_b^2 + C1)(var_a + var_b + C2))
        C1 = (0.01 data_range)^2, C2 = (0.03 data_range)^2          (Wang, Bovik, Sheikh, Simoncelli 2004, eq. 13)

    Only pixels whose window lies inside the picture count, as in the authors' own code.

    Raises
    ------
    InputError
        When the shapes differ, `data_range` is not positive, or a side is below 11 pixels.
    """
    a, b = _checked(cube, truth, data_range)
    if min(a.shape[1:]) < 2 * SSIM_RADIUS + 1:
        raise InputError(f"SSIM needs pictures of at least 11 x 11 pixels; these have {a.shape[1]} x {a.shape[2]}")
    c1, c2 = (SSIM_K1 * data_range) ** 2, (SSIM_K2 * data_range) ** 2
    scores = []
    for p, q in zip(a, b, strict=True):  # band by band: the window means of a whole cube would take six times its memory
        mean_p, mean_q = _window_mean(p), _window_mean(q)
        var_p, var_q = _window_mean(p * p) - mean_p**2, _window_mean(q * q) - mean_q**2
        cov = _window_mean(p * q) - mean_p * mean_q
        top = (2 * mean_p * mean_q + c1) * (2 * cov + c2)
        scores.append(np.mean(top / ((mean_p**2 + mean_q**2 + c1) * (var_p + var_q + c2))))
    return float(np.mean(scores))


def sam(cube: NDArray[np.floating], truth: NDArray[np.floating]) -> float:
    """Spectral angle in degrees, the mean over the pixels where both spectra hold light.

    ``angle = arccos( <a, b> / (|a| |b|) )`` of the spectra ``a, b`` of a pixel (Kruse et al. 1993); NaN without
    any light.
    """
    a, b = _checked(cube, truth, 1.0)
    norm_a, norm_b = np.linalg.norm(a, axis=0), np.linalg.norm(b, axis=0)
    lit = (norm_a > 0) & (norm_b > 0)
    if not lit.any():
        return float("nan")
    # |u - v| and |u + v| of unit spectra: arccos of a rounded product turns 1e-16 into a millionth of a degree.
    u, v = a[:, lit] / norm_a[lit], b[:, lit] / norm_b[lit]
    angle = 2.0 * np.arctan2(np.linalg.norm(u - v, axis=0), np.linalg.norm(u + v, axis=0))
    return float(np.rad2deg(angle).mean())


def _window_mean(image: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gaussian window means where the whole window lies inside."""
    blurred = ndi.gaussian_filter(image, SSIM_SIGMA, radius=SSIM_RADIUS, mode="nearest")
    return np.asarray(blurred[SSIM_RADIUS:-SSIM_RADIUS, SSIM_RADIUS:-SSIM_RADIUS], np.float64)


def _checked(
    cube: NDArray[np.floating], truth: NDArray[np.floating], data_range: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if cube.shape != truth.shape or cube.ndim != 3:
        raise InputError(f"cubes of shapes {cube.shape} and {truth.shape}; two equal shapes (bands, rows, columns) are needed")
    if not data_range > 0:
        raise InputError(f"a data range of {data_range:g}; it must be positive")
    return np.asarray(cube, np.float64), np.asarray(truth, np.float64)
