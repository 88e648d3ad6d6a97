"""The mask is found where it was put, in the orientation it was put, and the train of bands has the length it was given."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cassi_core.dispersion import Dispersion
from cassi_core.errors import RunCancelled
from cassi_core.inputs import CalibrationInputs
from cassi_core.io.inputs_from_files import load_inputs
from cassi_core.quality.detection import detect_mask
from cassi_core.quality.orientation import (
    NAMES,
    Orientation,
    find_band_train,
    find_orientation,
    find_position,
)
from cassi_core.run import RunControl


def coded_snapshot(dx: int, dy: int, *, height: int = 96, width: int = 96, bands: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """A snapshot whose mask sits `dx` px right and `dy` px down of the nominal one, cut from a larger mask: no warp is used."""
    rng = np.random.default_rng(8)
    big = (rng.random((height + 40, width + 40)) > 0.5).astype(np.float32)
    nominal = big[20 : 20 + height, 20 : 20 + width]
    true = big[20 - dy : 20 - dy + height, 20 - dx : 20 - dx + width]
    y = np.zeros((height, width + 2 * (bands - 1)), np.float32)
    for band in range(bands):
        y[:, 2 * band : 2 * band + width] += true * (1.5 + 0.5 * np.sin(band))
    return y + 0.01 * rng.random(y.shape).astype(np.float32), nominal


def inputs_of(y: np.ndarray, mask: np.ndarray, bands: int = 8, **options: str) -> CalibrationInputs:
    return CalibrationInputs.from_arrays(y, mask, Dispersion.constant(bands, 2.0, **options))


def test_the_position_is_found_in_the_rigs_frame():
    y, mask = coded_snapshot(3, -2)
    right = find_position(inputs_of(y, mask))
    assert (right.dx, right.dy) == (pytest.approx(3, abs=0.5), pytest.approx(-2, abs=0.5))
    down = find_position(inputs_of(y.T, mask.T, direction="down"))
    assert (down.dx, down.dy) == (pytest.approx(-2, abs=0.5), pytest.approx(3, abs=0.5))
    left = find_position(inputs_of(y[:, ::-1], mask[:, ::-1], direction="left"))
    assert (left.dx, left.dy) == (pytest.approx(-3, abs=0.5), pytest.approx(-2, abs=0.5))


@pytest.mark.parametrize(("mirrored", "turns"), NAMES)
def test_each_orientation_is_found_and_undone(mirrored: bool, turns: int):
    y, mask = coded_snapshot(1, 2)
    wrong = Orientation(mirrored, turns, 0.0).apply(mask)
    found = find_orientation(inputs_of(y, wrong), reach_deg=0.0)
    assert len(found) == 8 and found[0].z > 2 * found[1].z
    np.testing.assert_array_equal(found[0].apply(wrong), mask)


def test_a_mask_that_is_not_square_is_not_turned_by_a_quarter():
    y, mask = coded_snapshot(0, 0, height=80)
    found = find_orientation(inputs_of(y, mask[::-1]), reach_deg=0.0)
    assert {o.quarter_turns for o in found} == {0, 2} and found[0].name == "mirrored upside down"


@pytest.mark.parametrize("direction", ["right", "down"])
@pytest.mark.parametrize("bands", [6, 12])
def test_the_train_of_bands_begins_and_ends_where_the_light_does(bands: int, direction: str):
    """Eight bands are said; the snapshot holds fewer or more, on a canvas as wide as they need."""
    y, mask = coded_snapshot(2, 1, bands=bands)
    inputs = inputs_of(y, mask) if direction == "right" else inputs_of(y.T, mask.T, direction="down")
    dx, dy = (2.0, 1.0) if direction == "right" else (1.0, 2.0)
    train = find_band_train(inputs, replace(find_position(inputs), dx=dx, dy=dy))
    assert train.begin_px == pytest.approx(0, abs=1) and train.end_px == pytest.approx(2 * (bands - 1), abs=1)


@pytest.mark.parametrize(
    ("said", "severity", "title"),
    [
        (8, "info", "Dispersion found"),
        (5, "warning", "Dispersion longer than said"),
        (12, "warning", "Dispersion shorter than said"),
    ],
)
def test_a_wrong_number_of_bands_is_told(said: int, severity: str, title: str):
    y, mask = coded_snapshot(0, 0)
    found = {f.code: f for f in detect_mask(inputs_of(y, mask, said)).findings}
    assert found["mask_found"].severity == "info"
    assert (found["band_train"].severity, found["band_train"].title) == (severity, title)
    assert found["band_train"].value == pytest.approx(14, abs=2)


def test_a_mask_of_another_rig_is_not_found():
    y, _ = coded_snapshot(0, 0)
    other = (np.random.default_rng(99).random((96, 96)) > 0.5).astype(np.float32)
    (found,) = detect_mask(inputs_of(y, other)).findings
    assert found.code == "mask_not_found" and found.severity == "error" and found.value < 12


def test_nothing_above_the_noise_gives_no_train():
    y, mask = coded_snapshot(0, 0)
    inputs = inputs_of(y, mask)
    other = replace(inputs, mask=(np.random.default_rng(99).random((96, 96)) > 0.5).astype(np.float32))
    train = find_band_train(other, find_position(inputs))
    assert train.begin_px is None and train.length_px is None and np.abs(train.z).max() < 6


def test_the_search_can_be_cancelled():
    control = RunControl()
    control.cancel()
    with pytest.raises(RunCancelled):
        find_orientation(inputs_of(*coded_snapshot(0, 0)), control=control)


def test_the_real_rig_shows_its_28_bands(data_dir: Path):
    """The data's own description: 28 bands at 0, 2, ... 54 px to the right."""
    name = "tsa_net_real_scene2_realplant1"
    inputs = load_inputs([data_dir / "measurements" / f"{name}.npz"], mask=data_dir / "masks" / "tsa_net_real_mask_660.npz")
    found = {f.code: f for f in detect_mask(inputs, reach_deg=0.0).findings}
    assert found["mask_found"].value > 20
    assert found["band_train"].severity == "info" and found["band_train"].value == pytest.approx(54, abs=2)
