"""The light of the bands, told by where the pattern of the mask appears along the dispersion."""

from __future__ import annotations

import numpy as np
import pytest

from cassi_core.calibration.band_light import LEAST_LIGHT, band_light, with_light
from cassi_core.calibration.rig_model import Optics, RigModel
from cassi_core.dispersion import Dispersion
from cassi_core.errors import RunCancelled
from cassi_core.inputs import CalibrationInputs
from cassi_core.parameters import PARAMETER_NAMES
from cassi_core.run import RunControl

RED_LAMP = np.array([0.1, 0.1, 0.11, 0.14, 0.18, 0.25, 0.35, 0.47, 0.61, 0.75, 0.87, 0.96, 1.0])
"""Nothing in it is symmetric: a train read backwards would not pass."""


def snapshot(
    light: np.ndarray, *, dx: int = 0, dy: int = 0, rows_down: tuple[int, ...] | None = None, noise: float = 0.0
) -> RigModel:
    """A scene that is grey everywhere behind a mask cut `dx` px right and `dy` px down of the nominal one: no warp is used."""
    height, width = 181, 158
    rng = np.random.default_rng(4)
    big = (rng.random((height + 40, width + 40)) > 0.5).astype(np.float32)
    true = big[20 - dy : 20 - dy + height, 20 - dx : 20 - dx + width]
    scene = 1 + 0.3 * np.add.outer(np.sin(np.arange(height) / 19), np.cos(np.arange(width) / 11))
    y = np.zeros((height, width + 2 * (len(light) - 1)))
    for band, bright in enumerate(light):
        down = rows_down[band] if rows_down else 0
        y[:, 2 * band : 2 * band + width] += bright * np.roll(true, down, axis=0) * scene
    y += noise * y.mean() * rng.standard_normal(y.shape)
    inputs = CalibrationInputs.from_arrays(
        y.clip(0).astype(np.float32), big[20 : 20 + height, 20 : 20 + width], Dispersion.constant(len(light), 2.0)
    )
    return RigModel.from_frame(inputs, inputs.frames[0])


def vector(**values: float) -> np.ndarray:
    return np.array([values.get(name, 0.0) for name in PARAMETER_NAMES])


@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_a_red_lamp_is_seen_as_one(noise: float) -> None:
    found = band_light(snapshot(RED_LAMP, dx=3, dy=-2, noise=noise), vector(dx=3, dy=-2), Optics())
    assert found.max() == 1 and found == pytest.approx(RED_LAMP, abs=0.09)


def test_ends_that_lie_off_do_not_look_dark() -> None:
    """The position is known to part of a pixel when the light is asked for, and the length of the train less well."""
    flat = np.ones(13)
    found = band_light(snapshot(flat, dx=1), vector(dx=1.6, slope=-0.05), Optics())
    assert found == pytest.approx(flat, abs=0.12)


def test_the_train_is_followed_where_its_axis_is_tilted() -> None:
    rows = (0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3)
    tilt = float(np.rad2deg(np.arctan2(3, 24)))
    followed = band_light(snapshot(RED_LAMP, rows_down=rows), vector(alpha=tilt), Optics())
    straight = band_light(snapshot(RED_LAMP, rows_down=rows), vector(), Optics())
    assert followed[0] < 0.5 and followed.argmax() == 12
    assert straight[12] < 0.1 and straight.argmax() == 0, "without the tilt the red end is out of sight"


def test_what_a_picture_does_not_tell_is_taken_for_even() -> None:
    assert np.array_equal(band_light(snapshot(RED_LAMP), vector(dy=30), Optics()), np.ones(13))
    assert np.array_equal(band_light(snapshot(np.array([0.2, 1.0])), vector(), Optics()), np.ones(2))


def test_a_model_expects_the_root_of_the_light_and_excludes_no_band() -> None:
    dark_end = np.array([0.0, 0.0, 0.0, 0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0, 1.0, 1.0, 1.0])
    first, second = with_light([snapshot(dark_end), snapshot(RED_LAMP)], vector(), Optics(), RunControl())
    assert first.light is not None and second.light is not None and first.light.dtype == np.float32
    for light in (first.light, second.light):
        assert np.mean(light**2) == pytest.approx(1, rel=1e-5)
        assert light.min() / light.max() >= np.sqrt(LEAST_LIGHT) - 1e-6
    assert second.light / second.light.max() == pytest.approx(np.sqrt(RED_LAMP), abs=0.09)
    assert first.light[0] / first.light.max() == pytest.approx(np.sqrt(LEAST_LIGHT), abs=0.1)
    assert first.candidate({}, first.spline()).light is first.light


def test_asking_for_the_light_can_be_cancelled() -> None:
    control = RunControl()
    control.cancel()
    with pytest.raises(RunCancelled):
        band_light(snapshot(RED_LAMP), vector(), Optics(), control)
