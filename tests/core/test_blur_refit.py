"""The blur of a sharp picture, found by fitting with other widths."""

from __future__ import annotations

import numpy as np
import pytest

from cassi_core.calibration.blur_choice import Blur
from cassi_core.calibration.blur_refit import (
    OWN_SQUARE,
    SIGMA_SQUARE,
    Trial,
    blur_of,
    chosen_square,
    looks_sharp,
    vector_with,
    with_error_of_blur,
    worth_another,
)
from cassi_core.calibration.error_bars import Priors
from cassi_core.calibration.gauss_newton import Fit
from cassi_core.calibration.pipeline import calibrate
from cassi_core.config import CalibrationConfig, QualitySettings
from cassi_core.inputs import CalibrationInputs
from cassi_core.parameters import PARAMETER_NAMES, ParameterSet
from cassi_core.simulate import Misalignment
from cassi_core.simulate.recipe import Recipe, make_rig

SEEN = Blur(0.1, 0.2, 1.0, 0.3)


def trials(least: float, squares: tuple[float, ...] = (0.0, 0.1, 0.25)) -> tuple[Trial, ...]:
    """Residuals with their least value at a square; dx falls by 3 px a unit, alpha grows by 2."""
    made = []
    for square in squares:
        vector = np.zeros(len(PARAMETER_NAMES))
        vector[PARAMETER_NAMES.index("dx")] = 0.5 - 3 * square
        vector[PARAMETER_NAMES.index("alpha")] = 2 * square
        made.append(Trial(square, vector, float(np.sqrt(0.001 + 0.004 * (square - least) ** 2))))
    return tuple(made)


def test_the_least_residual_names_the_blur_and_a_small_one_is_none() -> None:
    assert chosen_square(trials(0.2)) == pytest.approx(0.2 + OWN_SQUARE)
    assert chosen_square(trials(-0.3)) == 0 and chosen_square(trials(0.04)) == 0
    assert chosen_square(trials(0.06)) == pytest.approx(0.06 + OWN_SQUARE)
    assert chosen_square(trials(0.31, (0.0, 0.1, 0.25, 0.45))) == pytest.approx(0.31 + OWN_SQUARE)


def test_a_wider_blur_is_tried_while_it_may_be_right() -> None:
    assert worth_another(trials(0.3, (0.0,))) and worth_another(trials(0.3, (0.0, 0.1)))
    assert worth_another(trials(0.3)) and not worth_another(trials(0.1))
    sharp = trials(-0.3, (0.0, 0.1))
    assert not worth_another(sharp) and chosen_square(sharp) == 0


def test_residuals_without_a_least_value_between_take_the_lowest() -> None:
    bent = [Trial(s, np.zeros(len(PARAMETER_NAMES)), r) for s, r in ((0.0, 0.04), (0.1, 0.039), (0.25, 0.03))]
    assert chosen_square(bent) == pytest.approx(0.25 + OWN_SQUARE)


def test_parameters_lie_between_those_of_the_trials() -> None:
    vector = dict(zip(PARAMETER_NAMES, vector_with(trials(0.2), 0.16), strict=True))
    assert vector["dx"] == pytest.approx(0.02) and vector["alpha"] == pytest.approx(0.32)
    assert vector["psf"] == pytest.approx(0.4) and vector["dy"] == 0


@pytest.mark.parametrize("square", [0.0, 0.18, 0.3])
def test_what_the_blur_moves_counts_in_the_errors(square: float) -> None:
    names = ("dx", "dy", "alpha")
    fitted = Fit(np.zeros(len(PARAMETER_NAMES)), 0.03, names, np.eye(3) * 1e-6, 3, Priors.none(3))
    found = with_error_of_blur(fitted, trials(0.2), square)
    assert found.sigmas["dx"] == pytest.approx(3 * SIGMA_SQUARE, rel=1e-3)
    assert found.sigmas["alpha"] == pytest.approx(2 * SIGMA_SQUARE, rel=1e-3)
    assert found.sigmas["dy"] == pytest.approx(1e-3) and found.covariance[0, 2] < 0


def test_a_small_blur_is_known_worse_than_a_large_one() -> None:
    none, some = blur_of(0.0, SEEN), blur_of(0.16, SEEN)
    assert none.psf == 0 and none.sigma == pytest.approx(np.sqrt(SIGMA_SQUARE))
    assert some.psf == pytest.approx(0.4) and some.sigma < none.sigma / 2


def test_only_sharp_pictures_of_many_bands_are_tried() -> None:
    free = ParameterSet.default(("psf",))
    assert looks_sharp(SEEN, free["psf"], 28)
    assert not looks_sharp(Blur(0.6, 0.1, 1.0, 0.7), free["psf"], 28) and not looks_sharp(SEEN, free["psf"], 12)
    assert not looks_sharp(SEEN, free.edit("psf", upper=0.4)["psf"], 28)
    assert not looks_sharp(SEEN, free.edit("psf", value=0.3, lower=0.05)["psf"], 28)


def test_a_blur_of_half_a_pixel_is_not_made_up_for_by_the_dispersion_axis() -> None:
    """Taken for sharp, such a rig came out 0.3 deg and 0.13 px off, at errors of 0.04 deg and 0.02 px."""
    truth = Misalignment.of({"dx": 1.6, "dy": -1.2, "theta": -0.4, "slope": 0.006, "alpha": 0.2, "psf": 0.5})
    rig = make_rig(Recipe(shape=(200, 212), n_bands=28, truth=truth, seed=7))
    inputs = CalibrationInputs.from_arrays(rig.measurement, rig.mask, rig.dispersion)
    result = calibrate(inputs, CalibrationConfig(quality=QualitySettings(maps=False)))
    assert 0.25 < result.parameters["psf"].value < 0.65
    for name, allowed in {"dx": 0.08, "dy": 0.06, "alpha": 0.17, "slope": 0.006}.items():
        p = result.parameters[name]
        error = p.value - getattr(truth, name)
        assert abs(error) < allowed and p.sigma is not None and abs(error) < 3 * p.sigma, name
