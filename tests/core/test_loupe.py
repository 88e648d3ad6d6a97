"""The loupe on the mask's edges: its match is high where the mask is, and falls when the mask is moved, along each axis and either way."""

from __future__ import annotations

import numpy as np
import pytest

from cassi_core.dispersion import Dispersion
from cassi_core.errors import RunCancelled
from cassi_core.inputs import CalibrationInputs
from cassi_core.parameters import ParameterSet
from cassi_core.quality.loupe import SPOTS, Loupe, correlation, lay_loupe, spots
from cassi_core.run import RunControl
from cassi_core.simulate import Misalignment, default_wavelengths, make_mask, make_scene, simulate_rig

SHAPE, BANDS = (110, 130), 8
TRUTH = {"dx": 0.8, "dy": -0.6, "theta": 0.3}


def inputs_of(direction: str = "right") -> CalibrationInputs:
    capture = make_mask("grey", (SHAPE[0] + 40, SHAPE[1] + 40), seed=1)
    cube = make_scene("materials", SHAPE, default_wavelengths(BANDS), seed=2)
    dispersion = Dispersion.constant(BANDS, 2.0, direction=direction)
    rig = simulate_rig(cube, capture, dispersion, Misalignment.of(TRUTH), seed=3)
    return CalibrationInputs.from_arrays(rig.measurement, rig.mask, dispersion)


def moved(**by: float) -> ParameterSet:
    return ParameterSet.default(values={name: TRUTH.get(name, 0.0) + by.get(name, 0.0) for name in (*TRUTH, *by)})


def means(loupe: Loupe, predicted: np.ndarray) -> tuple[float, float]:
    """Mean match of all five places: of everything, and of what tells the place along the bands."""
    matches = [loupe.match(predicted, spot) for spot in loupe.spots]
    return float(np.mean([m.whole for m in matches])), float(np.mean([m.along for m in matches]))


@pytest.fixture(scope="module")
def given() -> CalibrationInputs:
    return inputs_of()


@pytest.fixture(scope="module")
def right(given: CalibrationInputs) -> tuple[float, float]:
    loupe = lay_loupe(given, moved(), moved())
    return means(loupe, loupe.after)


def test_the_match_is_high_where_the_mask_is(right: tuple[float, float]) -> None:
    assert right[0] > 0.75 and right[1] > 0.4


@pytest.mark.parametrize("by", [1.0, -1.0])
def test_a_pixel_across_the_bands_spoils_the_match(given: CalibrationInputs, right: tuple[float, float], by: float) -> None:
    loupe = lay_loupe(given, moved(dy=by), moved())
    assert means(loupe, loupe.before)[0] < right[0] - 0.3
    assert means(loupe, loupe.after)[0] == pytest.approx(right[0], abs=0.02), "before and after are not confused"


@pytest.mark.parametrize("by", [1.0, -1.0])
def test_a_pixel_along_the_bands_spoils_the_fine_part_of_the_match(
    given: CalibrationInputs, right: tuple[float, float], by: float
) -> None:
    loupe = lay_loupe(given, moved(dx=by), moved())
    assert means(loupe, loupe.before)[1] < right[1] - 0.2


def test_the_sign_of_a_shift_matters(given: CalibrationInputs) -> None:
    mirrored = ParameterSet.default(values={"dx": TRUTH["dx"], "dy": -TRUTH["dy"], "theta": TRUTH["theta"]})
    loupe = lay_loupe(given, mirrored, moved())
    assert means(loupe, loupe.before)[0] < means(loupe, loupe.after)[0] - 0.3


def test_a_rig_that_disperses_downwards_has_its_streaks_and_shifts_turned() -> None:
    given = inputs_of("down")
    loupe = lay_loupe(given, moved(dx=1.0), moved())
    assert loupe.along_axis == 0 and loupe.picture.shape == given.frames[0].image.shape == loupe.after.shape
    # Across the bands is to the right now.
    assert means(loupe, loupe.before)[0] < means(loupe, loupe.after)[0] - 0.3


def test_the_places_lie_in_the_middle_and_in_the_corners_of_the_picture() -> None:
    clear = np.zeros((90, 120), np.float32)
    for row, col in ((45, 60), (12, 14), (13, 100), (80, 15), (79, 104)):
        clear[row, col] = 1
    found = {s.name: (s.row + 11, s.col + 11) for s in spots(clear)}
    assert found == dict(zip(SPOTS, ((45, 60), (12, 14), (13, 100), (79, 15), (79, 104)), strict=True))


def test_correlation_of_opposite_and_of_flat_pictures() -> None:
    ramp = np.arange(6.0).reshape(2, 3)
    assert correlation(ramp, 5 - 2 * ramp) == pytest.approx(-1)
    assert correlation(ramp, np.ones((2, 3))) == 0


def test_the_loupe_can_be_taken_away(given: CalibrationInputs) -> None:
    control = RunControl()
    control.cancel()
    with pytest.raises(RunCancelled):
        lay_loupe(given, moved(), moved(), control=control)


def test_optics_that_were_found_are_in_what_is_calculated(given: CalibrationInputs) -> None:
    """A lateral colour of two pixels spoils the match of a rig that has none: the terms reach the calculation."""
    bent = lay_loupe(given, moved(), moved(), terms={"colour1": 4.0})
    straight = lay_loupe(given, moved(), moved())
    assert means(bent, bent.after)[0] < means(straight, straight.after)[0] - 0.02
