"""Rigs that disperse to the left, down or up: the turned parameters describe the turned mask."""

from __future__ import annotations

import numpy as np
import pytest

from cassi_core.calibration.frames import (
    grid_from_frame,
    parameters_from_dispersion_frame,
    parameters_to_dispersion_frame,
    vector_from_frame,
)
from cassi_core.dispersion import (
    from_dispersion_frame,
    to_dispersion_frame,
    vector_from_dispersion_frame,
    vector_to_dispersion_frame,
)
from cassi_core.geometry import warp_mask
from cassi_core.parameters import ParameterSet
from cassi_core.run import GridScores

DIRECTIONS = ("right", "down", "left", "up")
VALUES = {"dx": 1.3, "dy": -0.7, "theta": 2.5, "scale_x": 0.01, "scale_y": -0.004, "slope": 0.01, "alpha": 0.3}


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("shape", [(31, 44), (30, 23)])
def test_warping_commutes_with_turning(direction, shape):
    mask = np.random.default_rng(0).random(shape).astype(np.float32)
    parameters = ParameterSet.default(values=VALUES)
    warped_then_turned = to_dispersion_frame(warp_mask(mask, parameters.values(), order=1), direction)
    turned = parameters_to_dispersion_frame(parameters, direction).values()
    turned_then_warped = warp_mask(to_dispersion_frame(mask, direction), turned, order=1)
    assert np.abs(warped_then_turned - turned_then_warped).max() < 1e-5


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_there_and_back_is_bit_identical(direction):
    parameters = ParameterSet.default(("dy", "scale_x"), VALUES).edit("dx", lower=-3.0, upper=7.0).edit("dy", sigma=0.25)
    back = parameters_from_dispersion_frame(parameters_to_dispersion_frame(parameters, direction), direction)
    assert back == parameters


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_the_vector_form_agrees(direction):
    parameters = ParameterSet.default(values=VALUES)
    vector = parameters_to_dispersion_frame(parameters, direction).vector()
    assert np.array_equal(vector_from_frame(vector, direction), parameters.vector())


@pytest.mark.parametrize(("direction", "unit"), [("right", (1, 0)), ("down", (0, 1)), ("left", (-1, 0)), ("up", (0, -1))])
def test_the_dispersion_direction_becomes_right(direction, unit):
    assert vector_to_dispersion_frame(*unit, direction) == pytest.approx((1, 0))
    assert vector_from_dispersion_frame(1, 0, direction) == pytest.approx(unit)
    image = np.zeros((5, 5))
    image[2 + unit[1], 2 + unit[0]] = 1
    assert to_dispersion_frame(image, direction)[2, 3] == 1
    assert np.array_equal(from_dispersion_frame(to_dispersion_frame(image, direction), direction), image)


def test_a_grid_found_upwards_is_shown_in_the_rig():
    grid = GridScores(
        "0",
        ("dx", "dy", "theta"),
        (np.array([-1.0, 0, 1]), np.array([-2.0, 2.0]), np.zeros(1)),
        np.zeros((3, 2, 1), np.float32),
        (1, -2, 0),
    )
    grid.scores[2, 0, 0] = 7
    rig = grid_from_frame(grid, "up")
    best = dict(zip(rig.names, rig.best, strict=True))
    expected = vector_from_dispersion_frame(1, -2, "up")
    assert (best["dx"], best["dy"]) == pytest.approx(expected)
    place = tuple(int(np.flatnonzero(axis == best[name])[0]) for name, axis in zip(rig.names, rig.axes, strict=True))
    assert rig.names == ("dx", "dy", "theta")
    assert rig.scores[place] == 7
    assert all(np.all(np.diff(axis) > 0) for axis in rig.axes)
