"""Errors that the scatter of a picture cannot know: between the pixels, of a noisy scene's estimate, of parameters that are held."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cassi_core.calibration.auto import with_kept
from cassi_core.calibration.error_bars import Priors
from cassi_core.calibration.gauss_newton import Fit
from cassi_core.calibration.systematic_errors import (
    with_held_dispersion,
    with_prior_sensitivity,
    with_pull_of_noise,
    with_pull_of_scene,
    with_sampling_error,
)
from cassi_core.dispersion import Dispersion
from cassi_core.parameters import PARAMETER_NAMES

DISPERSION = Dispersion.constant(28, 2.0)
NAMES = ("dx", "dy", "scale_x", "slope", "alpha")


def certain(names: tuple[str, ...] = NAMES, **values: float) -> Fit:
    """A fit whose scatter is next to nothing."""
    vector = np.array([values.get(name, 0.0) for name in PARAMETER_NAMES])
    return Fit(vector, 0.1, names, np.eye(len(names)) * 1e-12, 3, Priors.none(len(names)))


def test_the_error_between_the_pixels_is_added_where_bands_lie_there() -> None:
    sigmas = with_sampling_error(certain(), DISPERSION).sigmas
    assert sigmas["dx"] == pytest.approx(0.012, rel=1e-3) and sigmas["dy"] == pytest.approx(0.006, rel=1e-3)
    assert 27 * sigmas["slope"] == pytest.approx(0.022, rel=1e-3)
    assert 54 * np.tan(np.deg2rad(sigmas["alpha"])) == pytest.approx(0.006, rel=1e-3)
    assert sigmas["scale_x"] == pytest.approx(1e-6)
    rigid = certain(("dx", "dy"))
    assert with_sampling_error(rigid, DISPERSION) is rigid
    one_band = certain()
    assert with_sampling_error(one_band, Dispersion.constant(1, 2.0)) is one_band


def test_every_scene_pulls_a_little_and_a_large_mask_turns_less() -> None:
    fitted = certain(("dx", "dy", "theta", "scale_y"))
    small, large = with_pull_of_scene(fitted, (200, 256)).sigmas, with_pull_of_scene(fitted, (660, 128)).sigmas
    assert small["dx"] == large["dx"] == pytest.approx(0.002, rel=1e-3) and small["dy"] == pytest.approx(0.001, rel=1e-3)
    assert 128 * np.tan(np.deg2rad(small["theta"])) == pytest.approx(0.003, rel=1e-3)
    assert 330 * np.tan(np.deg2rad(large["theta"])) == pytest.approx(0.003, rel=1e-3)
    assert small["scale_y"] == pytest.approx(1e-6)


@pytest.mark.parametrize("share", [0.25, 1.0])
def test_a_noisy_scene_pulls_along_the_dispersion_as_far_as_noise_hides_it(share: float) -> None:
    sigmas = with_pull_of_noise(certain(), DISPERSION, share).sigmas
    assert sigmas["dx"] == pytest.approx(0.055 * share, rel=1e-3) and sigmas["dy"] == pytest.approx(0.01 * share, rel=1e-3)
    assert 27 * sigmas["slope"] == pytest.approx(0.07 * share, rel=1e-3)
    assert 54 * np.tan(np.deg2rad(sigmas["alpha"])) == pytest.approx(0.02 * share, rel=1e-3)
    assert sigmas["scale_x"] == pytest.approx(5e-4 * share, rel=1e-3)
    turned = with_pull_of_noise(certain(("theta", "alpha")), DISPERSION, share).sigmas
    assert turned["theta"] == pytest.approx(0.005 * share, rel=1e-3)


def test_what_an_earlier_fit_kept_comes_back_with_its_own_errors() -> None:
    kept = replace(certain(dx=0.4, slope=0.01), covariance=np.diag([0.04, 9.0, 1e-6, 1e-4, 9.0]) + 0.001)
    later = replace(certain(("dy", "alpha"), dx=0.4, dy=0.3, slope=0.01), covariance=np.array([[0.01, 0.002], [0.002, 0.09]]))
    fitted = with_kept(later, kept)
    assert fitted.names == NAMES and fitted.vector is later.vector
    assert (
        fitted.covariance[1, 4] == 0.002 and fitted.covariance[4, 4] == 0.09 and fitted.covariance[0, 0] == pytest.approx(0.041)
    )
    assert fitted.covariance[0, 3] == pytest.approx(0.001) and fitted.covariance[0, 1] == 0
    assert fitted.prior is kept.prior


def test_a_clear_scene_does_not_pull() -> None:
    fitted = certain()
    assert with_pull_of_noise(fitted, DISPERSION, 0.0) is fitted


@pytest.mark.parametrize("name", ["slope", "curve", "alpha"])
def test_a_held_dispersion_leaves_the_first_band_as_uncertain_as_the_middle_of_the_train_is_sure(name: str) -> None:
    error = {"slope": 0.03, "curve": 5e-4, "alpha": 0.7}[name]
    sigmas = with_held_dispersion(certain(("dx", "dy", "theta")), DISPERSION, {name: error}).sigmas
    wrong, right = (np.stack(DISPERSION.offsets(values)) for values in ({name: error}, {}))
    moved = np.abs((wrong - right).mean(axis=1))  # what dx and dy have to make up for
    assert sigmas["dx"] == pytest.approx(moved[0], rel=0.05, abs=4e-3) and sigmas["dy"] == pytest.approx(
        moved[1], rel=0.02, abs=1e-5
    )
    assert sigmas["theta"] == pytest.approx(1e-6)


def test_a_third_of_the_move_between_the_estimates_counts() -> None:
    brief, precise = certain(dx=0.2, slope=0.01), certain(dx=0.5, slope=0.004)
    fitted = with_prior_sensitivity(brief, precise)
    assert fitted.sigmas["dx"] == pytest.approx(0.1) and fitted.sigmas["slope"] == pytest.approx(0.002)
    assert fitted.covariance[0, 3] == pytest.approx(-2e-4)
