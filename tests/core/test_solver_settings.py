"""The blurs of the scene estimate: what their widths mean, and which settings have one."""

from __future__ import annotations

import numpy as np
import pytest

from cassi_core.solvers.protocol import GapSettings


def two_sided(settings: GapSettings) -> tuple[np.ndarray, np.ndarray]:
    half = settings.taps().astype(float)
    return np.arange(-len(half) + 1, len(half)), np.concatenate([half[:0:-1], half])


@pytest.mark.parametrize("denoiser", ["gaussian", "matern"])
@pytest.mark.parametrize("sigma", [0.1, 0.5, 1.2, 4.5])
def test_a_blur_keeps_the_light(denoiser, sigma):
    _, taps = two_sided(GapSettings(sigma_px=sigma, denoiser=denoiser))
    assert taps.sum() == pytest.approx(1, abs=1e-6) and np.all(np.diff(taps[len(taps) // 2 :]) < 0) and len(taps) >= 3


@pytest.mark.parametrize(("denoiser", "sigma"), [("gaussian", 1.2), ("gaussian", 4.0), ("matern", 1.2), ("matern", 4.0)])
def test_the_width_is_the_standard_deviation_of_the_blur(denoiser, sigma):
    r, taps = two_sided(GapSettings(sigma_px=sigma, denoiser=denoiser))
    # The Matern blur ends where it is a 25th of its height; a fifth of its variance lies beyond.
    assert np.sqrt(np.sum(taps * r**2)) == pytest.approx(sigma, rel=0.02 if denoiser == "gaussian" else 0.1)


def test_the_matern_blur_falls_off_as_its_formula_says():
    r, taps = two_sided(GapSettings(sigma_px=3.0, denoiser="matern"))
    assert r.max() == 8
    height = {int(at): tap / taps.max() for at, tap in zip(r, taps, strict=True)}
    # (1 + 2) exp(-2) and (1 + 4) exp(-4) at one and at two standard deviations.
    assert height[3] == height[-3] == pytest.approx(0.40601, abs=1e-4)
    assert height[6] == pytest.approx(0.09158, abs=1e-4)


def test_only_blurs_have_widths():
    assert GapSettings(sigma_px=0.0, denoiser="matern").taps().tolist() == [1]
    assert GapSettings(sigma_px=2.0, sigma_bands=1.5, denoiser="tv").taps().tolist() == [1]
    assert GapSettings(sigma_bands=1.5, denoiser="tv").spectral_width() == 0
    assert GapSettings(sigma_bands=1.5, denoiser="matern").spectral_width() == 1.5
