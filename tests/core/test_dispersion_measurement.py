"""The dispersion measured with monochromatic frames is the one that was put in, and what does not fit is named and left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from monochromatic_rig import TRUTH, WAVELENGTHS, MonochromaticRig, travel

from cassi_core.dispersion import Direction, to_dispersion_frame, vector_from_dispersion_frame
from cassi_core.dispersion_measurement import (
    DispersionMeasurement,
    MonochromaticFrame,
    band_table,
    fit_curve,
    measure_dispersion,
)
from cassi_core.dispersion_measurement.bands import equal_bands
from cassi_core.dispersion_measurement.curve import find_outliers
from cassi_core.errors import InputError, RunCancelled
from cassi_core.run import RunControl

NM = np.array(WAVELENGTHS)
ALLOWED_PX = 0.02


@pytest.fixture(scope="module")
def rig() -> MonochromaticRig:
    return MonochromaticRig()


@pytest.fixture(scope="module")
def frames(rig: MonochromaticRig) -> list[MonochromaticFrame]:
    return rig.frames()


@pytest.fixture(scope="module")
def measured(rig: MonochromaticRig, frames: list[MonochromaticFrame]) -> DispersionMeasurement:
    return measure_dispersion(frames, rig.mask)


def test_offsets_are_right_to_a_fiftieth_of_a_pixel(measured: DispersionMeasurement) -> None:
    bands = band_table(measured.curve, NM)
    np.testing.assert_allclose(bands.offsets_px, travel(NM), atol=ALLOWED_PX)
    assert bands.offsets_px[0] == 0 and bands.sigma_px[0] == 0
    assert np.all(bands.sigma_px[1:] > 5e-4) and np.all(bands.sigma_px < ALLOWED_PX)
    assert measured.direction == "right" and measured.left_out == () and measured.notes == ()
    between = np.array([460.0, 507.0, 570.0, 612.0])
    errors = measured.curve.travel(between) - measured.curve.travel(NM[:1]) - travel(between)
    assert np.abs(errors).max() < ALLOWED_PX


def test_what_the_frames_share_is_the_place_of_the_mask(measured: DispersionMeasurement) -> None:
    place = measured.place(WAVELENGTHS[0])
    for name, allowed in (("dx", 0.02), ("dy", 0.02), ("theta", 0.02), ("scale_x", 3e-4), ("scale_y", 3e-4), ("alpha", 0.04)):
        assert place[name].value == pytest.approx(TRUTH[name], abs=allowed), name
        assert 0 < (place[name].sigma or 0) < allowed, name
    # With another band as band 0 the mask lies where that band lands.
    other = measured.place(WAVELENGTHS[3])
    assert other["dx"].value - place["dx"].value == pytest.approx(float(travel(WAVELENGTHS[3])), abs=0.1)


def test_every_frame_says_how_sure_it_is(measured: DispersionMeasurement) -> None:
    assert [f.wavelength_nm for f in measured.frames] == list(WAVELENGTHS)
    along = np.array([f.along_px for f in measured.frames])
    errors = along - along.mean() - (travel(NM) - travel(NM).mean())
    sigmas = np.array([f.sigma_along_px for f in measured.frames])
    assert np.sqrt(np.mean((errors / sigmas) ** 2)) < 3, "errors and error bars have the same size"
    assert all(0.9 < f.agreement <= 1 and f.z > 20 for f in measured.frames)
    assert max(abs(f.residual_along_px) for f in measured.frames) < ALLOWED_PX
    assert max(abs(f.residual_across_px) for f in measured.frames) < ALLOWED_PX


@pytest.mark.parametrize("direction", ["down", "left", "up"])
def test_rigs_that_disperse_elsewhere(rig: MonochromaticRig, frames: list[MonochromaticFrame], direction: Direction) -> None:
    """The frames turned by quarter turns: the same travel; the mask's shift and its scales turn with them."""
    turns = {"down": 3, "left": 2, "up": 1}[direction]
    turned = [replace(f, image=np.ascontiguousarray(np.rot90(f.image, turns))) for f in frames[::2]]
    np.testing.assert_array_equal(to_dispersion_frame(turned[0].image, direction), frames[0].image)
    found = measure_dispersion(turned, np.ascontiguousarray(np.rot90(rig.mask, turns)), order=3, direction=direction)
    np.testing.assert_allclose(found.curve.travel(NM[::2]) - found.curve.travel(NM[:1]), travel(NM[::2]), atol=ALLOWED_PX)
    place = found.place(WAVELENGTHS[0])
    dx, dy = vector_from_dispersion_frame(TRUTH["dx"], TRUTH["dy"], direction)
    scale = "scale_x" if direction == "left" else "scale_y"
    assert place[scale].value == pytest.approx(TRUTH["scale_x"], abs=3e-4)
    assert place["alpha"].value == pytest.approx(TRUTH["alpha"], abs=0.05)
    for name, value in (("dx", dx), ("dy", dy)):
        assert place[name].value == pytest.approx(value, abs=ALLOWED_PX), name
    if direction == "down":
        assert measure_dispersion(turned, np.ascontiguousarray(np.rot90(rig.mask, 3)), order=2).direction == "down"


def test_frames_that_cannot_be_used_are_named_and_cost_nothing(rig: MonochromaticRig, frames: list[MonochromaticFrame]) -> None:
    rng = np.random.default_rng(1)
    shape = frames[0].image.shape
    bad = [
        MonochromaticFrame("noise", 560.0, rng.normal(100, 5, shape).astype(np.float32)),
        MonochromaticFrame("dark", 561.0, np.zeros(shape, np.float32)),
        MonochromaticFrame("cut", 562.0, frames[2].image[:-4]),
        replace(frames[4], name="mislabelled", wavelength_nm=500.0),
    ]
    burnt = frames[1].image > np.quantile(frames[1].image, 0.8)
    image = np.where(burnt, np.quantile(frames[1].image, 0.8), frames[1].image).astype(np.float32)
    kept = [frames[0], replace(frames[1], image=image, usable=~burnt), *frames[2:]]
    found = measure_dispersion([*bad, *kept], rig.mask)
    reasons = {left.name: left.reason for left in found.left_out}
    assert list(reasons) == ["dark", "cut", "noise", "mislabelled"]
    assert "all zero" in reasons["dark"] and "72 x 134" in reasons["cut"] and "not found" in reasons["noise"]
    assert "500 nm" in reasons["mislabelled"]
    np.testing.assert_allclose(band_table(found.curve, NM).offsets_px, travel(NM), atol=ALLOWED_PX)


def test_too_few_frames_are_refused_with_their_reasons(rig: MonochromaticRig, frames: list[MonochromaticFrame]) -> None:
    noise = MonochromaticFrame("noise", 560.0, np.random.default_rng(0).normal(100, 5, (76, 134)).astype(np.float32))
    with pytest.raises(InputError, match=r"1 wavelength has a usable frame.*noise: the mask is not found"):
        measure_dispersion([frames[0], noise], rig.mask)
    with pytest.raises(InputError, match="order 2 cannot be fitted to frames at 2 wavelengths"):
        measure_dispersion(frames[:2], rig.mask, order=2)
    control = RunControl()
    control.cancel()
    with pytest.raises(RunCancelled):
        measure_dispersion(frames, rig.mask, control=control)


def test_the_order_is_the_lowest_that_predicts() -> None:
    nm = np.linspace(400, 700, 16)
    noise = np.random.default_rng(2).normal(0, 0.004, 16)
    sigma = np.full(16, 0.004)
    for order, curve in ((1, 0.1 * nm), (2, 1e-4 * (nm - 300) ** 2), (3, 1e-6 * (nm - 350) ** 3)):
        fitted = fit_curve(nm, curve + noise, sigma)
        assert fitted.order == order
        np.testing.assert_allclose(fitted.travel(nm), curve, atol=0.01)
        assert fitted.chi2 is not None and 0.2 < fitted.chi2 < 3
    assert fit_curve(nm, 0.1 * nm, sigma, 4).order == 4


def test_a_stray_value_is_found_but_not_an_end_that_is_hard_to_predict() -> None:
    nm = np.linspace(450, 650, 8)
    values = 1e-6 * (nm - 350) ** 3 + np.random.default_rng(0).normal(0, 0.02, 8)
    sigma = np.full(8, 0.02)
    assert find_outliers(nm, values, sigma, 3) == ()
    values[5] += 1.5
    ((index, distance),) = find_outliers(nm, values, sigma, 3)
    assert index == 5 and distance == pytest.approx(1.5, abs=0.3)


def test_bands_in_equal_steps_and_in_the_order_in_which_they_land() -> None:
    nm = np.linspace(450, 650, 9)
    curve = fit_curve(nm, -30 * ((nm - 400) / 250) ** 0.7, np.full(9, 0.01), 4)
    by_pixel = band_table(curve, equal_bands(curve, 6, "px"))
    assert by_pixel.wavelengths_nm[0] == 650, "the red end lands first"
    np.testing.assert_allclose(np.diff(by_pixel.offsets_px), by_pixel.offsets_px[-1] / 5, rtol=1e-4)
    by_wavelength = band_table(curve, equal_bands(curve, 6, "nm"))
    np.testing.assert_allclose(np.diff(by_wavelength.wavelengths_nm), -40)
    assert np.all(np.diff(by_wavelength.offsets_px) > 0)
    parabola = fit_curve(nm, (nm - 520) ** 2 / 100, np.full(9, 0.01), 2)
    with pytest.raises(InputError, match="turns round between 450 and 650 nm"):
        band_table(parabola, nm)
