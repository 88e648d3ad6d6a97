"""Where the mask lies on the measurement, in all four directions of dispersion."""

from __future__ import annotations

import numpy as np
import pytest

from cassi_core.dispersion import Dispersion, from_dispersion_frame
from cassi_core.errors import InputError
from cassi_core.inputs import CalibrationInputs
from cassi_core.quality.placement import axis_profile, footprint, start_from_footprint, turn_mask

DIRECTIONS = ("right", "down", "left", "up")


def rig(direction: str, *, bands: int = 5, step: float = 3.0) -> CalibrationInputs:
    """A rig whose mask has one open pixel, in the dispersion frame at row 4 and column 6 of 20 x 16, one band lit at a time."""
    measurement = np.zeros((20, 16 + 12), np.float32)
    mask = np.zeros((20, 16), np.float32)
    mask[4, 6] = 1
    measurement[:, 12:16] = 2
    measurement[:, 4:24] += 1
    dispersion = Dispersion.constant(bands, step, direction=direction)
    return CalibrationInputs.from_arrays(
        from_dispersion_frame(measurement, direction), from_dispersion_frame(mask, direction), dispersion
    )


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("band", [0, 3])
def test_the_open_pixel_lands_where_the_footprint_says(direction: str, band: int) -> None:
    inputs = rig(direction)
    canvas = np.zeros((20, 28), np.float32)
    canvas[4, 6 + 3 * band] = 1
    seen = from_dispersion_frame(canvas, direction)
    row, col, height, width = footprint(inputs, {}, band)
    assert (height, width) == inputs.mask.shape
    r, c = int(row), int(col)
    np.testing.assert_array_equal(seen[r : r + int(height), c : c + int(width)], inputs.mask)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_dragging_the_footprint_right_and_down_raises_dx_and_dy(direction: str) -> None:
    inputs = rig(direction)
    values = {"dx": 1.5, "dy": -2.25, "slope": 0.1}
    row, col, _, _ = footprint(inputs, values, 2)
    assert start_from_footprint(inputs, values, 2, row, col) == pytest.approx((1.5, -2.25))
    assert start_from_footprint(inputs, values, 2, row + 3, col + 4) == pytest.approx((5.5, 0.75))


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_the_profile_runs_from_the_first_band_to_the_last(direction: str) -> None:
    profile = axis_profile(rig(direction), {})
    assert profile.level.shape == (28,)
    assert profile.level[2] == 0 and profile.level[5] == 1 and profile.level[13] == 3
    assert (profile.begin, profile.end, profile.full_begin, profile.full_end) == (-0.5, 27.5, 11.5, 15.5)


def test_a_turned_mask_is_mirrored_first_and_then_turned() -> None:
    mask = np.zeros((16, 16), np.float32)
    mask[2, 5] = 1
    inputs = CalibrationInputs.from_arrays(np.eye(16, 20, dtype=np.float32), mask, Dispersion.constant(3, 2.0))
    assert turn_mask(inputs, False, 4) is inputs
    assert turn_mask(inputs, True, 0).mask[2, 10] == 1
    assert turn_mask(inputs, False, 1).mask[10, 2] == 1, "counter-clockwise: the right edge comes to the top"
    assert turn_mask(inputs, True, 1).mask[5, 2] == 1


def test_a_mask_that_does_not_fit_when_turned_is_refused() -> None:
    mask = np.eye(16, 12, dtype=np.float32)
    inputs = CalibrationInputs.from_arrays(np.eye(16, 20, dtype=np.float32), mask, Dispersion.constant(3, 2.0))
    with pytest.raises(InputError, match="across the dispersion"):
        turn_mask(inputs, False, 1)
