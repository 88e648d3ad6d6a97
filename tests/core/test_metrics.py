"""The quality metrics against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from cassi_core.errors import InputError
from cassi_core.quality.metrics import compare_cubes, psnr, sam, ssim


def test_psnr_of_a_constant_error_is_the_textbook_number() -> None:
    truth = np.full((2, 12, 12), 0.5)
    assert psnr(truth + 0.1, truth) == pytest.approx(20.0)
    assert psnr((truth + 0.1) * 255, truth * 255, data_range=255.0) == pytest.approx(20.0)


def test_psnr_is_the_mean_over_bands_not_of_the_pooled_error() -> None:
    truth = np.zeros((2, 12, 12))
    cube = truth.copy()
    cube[0], cube[1] = 0.1, 0.001
    assert psnr(cube, truth) == pytest.approx((20.0 + 60.0) / 2)


def test_equal_cubes_score_perfectly(rng: np.random.Generator) -> None:
    cube = rng.random((3, 16, 20))
    scores = compare_cubes(cube, cube)
    assert scores.psnr_db == np.inf
    assert scores.ssim == pytest.approx(1.0, abs=1e-12)
    assert scores.sam_deg == pytest.approx(0.0, abs=1e-9)


def test_ssim_equals_the_formula_written_out_for_one_window(rng: np.random.Generator) -> None:
    a, b = rng.random((1, 11, 11)), rng.random((1, 11, 11))
    k = np.arange(-5, 6)
    window = np.exp(-0.5 * (k[:, None] ** 2 + k[None] ** 2) / 1.5**2)
    window /= window.sum()
    mean_a, mean_b = (window * a[0]).sum(), (window * b[0]).sum()
    var_a, var_b = (window * (a[0] - mean_a) ** 2).sum(), (window * (b[0] - mean_b) ** 2).sum()
    cov = (window * (a[0] - mean_a) * (b[0] - mean_b)).sum()
    c1, c2 = 0.01**2, 0.03**2
    expected = (2 * mean_a * mean_b + c1) * (2 * cov + c2) / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))
    assert ssim(a, b) == pytest.approx(expected, rel=1e-10)


def test_ssim_of_two_constants_is_the_luminance_term() -> None:
    a, b = np.full((1, 20, 20), 0.2), np.full((1, 20, 20), 0.6)
    assert ssim(a, b) == pytest.approx((2 * 0.12 + 1e-4) / (0.04 + 0.36 + 1e-4), rel=1e-6)


def test_sam_is_the_angle_between_spectra_and_ignores_brightness() -> None:
    truth = np.zeros((2, 1, 3))
    cube = np.zeros((2, 1, 3))
    truth[:, 0, 0], cube[:, 0, 0] = (1.0, 0.0), (2.0, 2.0)  # 45 degrees
    truth[:, 0, 1], cube[:, 0, 1] = (0.0, 3.0), (0.0, 0.1)  # 0 degrees
    truth[:, 0, 2], cube[:, 0, 2] = (0.0, 1.0), (0.0, 0.0)  # no light: does not count
    assert sam(cube, truth) == pytest.approx(22.5)
    assert np.isnan(sam(cube[:, :, 2:], truth[:, :, 2:]))


def test_wrong_shapes_and_ranges_are_refused() -> None:
    cube = np.zeros((2, 12, 12))
    with pytest.raises(InputError, match=r"\(2, 12, 12\) and \(12, 12, 2\)"):
        psnr(cube, cube.transpose(1, 2, 0))
    with pytest.raises(InputError, match="11 x 11"):
        ssim(cube[:, :8], cube[:, :8])
    with pytest.raises(InputError, match="positive"):
        psnr(cube, cube, data_range=0.0)
