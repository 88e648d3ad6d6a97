"""Contrast limits, reduced copies, predictions, spectra at points, shift statistics, pseudo-colour."""

from __future__ import annotations

import numpy as np
import pytest

from cassi_core.dispersion import Dispersion
from cassi_core.errors import InputError
from cassi_core.inputs import CalibrationInputs
from cassi_core.quality.colour import band_colour, colour_matching, display_wavelengths, pseudo_colour, pseudo_colours
from cassi_core.quality.display import (
    mean_spectrum,
    predicted_measurement,
    reduced_copies,
    robust_levels,
    spectrum_at,
    symmetric_levels,
)
from cassi_core.quality.pictures import light_scale


def test_levels_survive_hot_pixels_and_nan(rng: np.random.Generator) -> None:
    image = rng.uniform(10, 20, (200, 300)).astype(np.float32)
    image[3, 4], image[5, 6] = 60000, np.nan
    low, high = robust_levels(image)
    assert 10 <= low < 10.5 and 19.5 < high <= 20
    assert robust_levels(image, 0, 100)[1] == 60000


def test_levels_of_degenerate_pictures() -> None:
    assert robust_levels(np.full((9, 9), np.nan)) == (0.0, 1.0)
    assert robust_levels(np.full((9, 9), 7.0)) == (6.5, 7.5)
    sparse = np.zeros((100, 100), np.float32)
    sparse[50, 50] = 3  # 1st and 99th percentile are both zero
    assert robust_levels(sparse) == (0.0, 3.0)


def test_symmetric_levels_are_symmetric_about_zero(rng: np.random.Generator) -> None:
    low, high = symmetric_levels(rng.normal(5, 1, (100, 100)))
    assert low == -high and 6.5 < high < 8.5
    assert symmetric_levels(np.zeros((4, 4))) == (-1.0, 1.0)


def test_reduced_copies_are_means_of_blocks_in_place() -> None:
    image = np.arange(1024 * 600, dtype=np.float32).reshape(1024, 600)
    copies = reduced_copies(image, smallest=512)
    assert [c.shape for c in copies] == [(1024, 600), (512, 300)]
    assert copies[1][3, 7] == image[6:8, 14:16].mean()
    assert reduced_copies(image[:100, :90])[0].shape == (100, 90)
    assert [c.shape for c in reduced_copies(np.zeros((1025, 33)), smallest=300)] == [(1025, 33), (512, 16), (256, 8)]


def test_prediction_is_measurement_less_residual() -> None:
    y, r = np.array([[5.0, 7.0]]), np.array([[1.0, -2.0]])
    assert predicted_measurement(y, r).tolist() == [[4.0, 9.0]]
    with pytest.raises(InputError, match="does not belong"):
        predicted_measurement(y, r.T)


def test_spectrum_is_read_at_row_and_column_not_swapped() -> None:
    cube = np.zeros((3, 8, 12), np.float32)
    cube[:, 2, 9] = (1, 2, 3)
    assert spectrum_at(cube, 2, 9, radius=0).tolist() == [1, 2, 3]
    assert spectrum_at(cube, 2, 9).tolist() == pytest.approx([1 / 9, 2 / 9, 3 / 9])
    assert spectrum_at(cube, 0, 11, radius=1).shape == (3,)
    assert mean_spectrum(cube).tolist() == pytest.approx([1 / 96, 2 / 96, 3 / 96])
    with pytest.raises(InputError, match="row 9, column 2"):
        spectrum_at(cube, 9, 2)


# Landmarks of the CIE 1931 standard observer (2 degrees): nm, x, y, z.
LANDMARKS = (
    (450, 0.3362, 0.038, 1.7721),
    (500, 0.0049, 0.323, 0.272),
    (550, 0.4334, 0.995, 0.0087),
    (600, 1.0622, 0.631, 0.0008),
)


@pytest.mark.parametrize(("nm", "x", "y", "z"), LANDMARKS)
def test_colour_matching_is_close_to_the_standard_observer(nm: float, x: float, y: float, z: float) -> None:
    assert colour_matching(np.array([float(nm)]))[:, 0] == pytest.approx((x, y, z), abs=0.08)


def test_a_flat_spectrum_is_grey_and_ends_of_the_band_are_blue_and_red() -> None:
    nm = np.linspace(450, 650, 28)
    cube = np.zeros((28, 1, 3), np.float32)
    cube[:, 0, 0] = 0.4
    cube[:5, 0, 1] = 2.0
    cube[-8:-3, 0, 2] = 2.0
    grey, blue, red = (pseudo_colour(cube, nm, white=1.0)[0, i].astype(int) for i in range(3))
    assert np.ptp(grey) <= 1 and 160 < grey[0] < 175  # sRGB of 0.4 is 0.665
    assert blue[2] > blue[0] and blue[2] > blue[1]
    assert red[0] > red[1] and red[0] > red[2]


def test_reversed_wavelengths_swap_red_and_blue() -> None:
    nm = np.linspace(450, 650, 16)
    cube = np.zeros((16, 2, 2), np.float32)
    cube[:3] = 1.0
    blue, red = pseudo_colour(cube, nm)[0, 0], pseudo_colour(cube, nm[::-1])[0, 0]
    assert blue[2] > blue[0] and red[0] > red[2]


def test_infrared_and_unknown_wavelengths_are_mapped_to_the_visible() -> None:
    assert display_wavelengths(3, None).tolist() == [450, 550, 650]
    assert display_wavelengths(3, np.array([900.0, 1000.0, 1100.0])).tolist() == [450, 550, 650]
    assert display_wavelengths(2, np.array([500.0, 600.0])).tolist() == [500, 600]
    with pytest.raises(InputError, match="2 wavelengths for 3 bands"):
        display_wavelengths(3, np.array([1.0, 2.0]))


def test_two_cubes_share_one_white() -> None:
    bright, dim = np.full((4, 5, 5), 1.0, np.float32), np.full((4, 5, 5), 0.25, np.float32)
    a, b, missing = pseudo_colours((bright, dim, None))
    assert missing is None and a is not None and b is not None
    assert a.max() == 255 and 130 < b.max() < 145  # sRGB of a quarter is 0.537
    assert pseudo_colour(dim).max() == 255


def test_band_colours_name_their_part_of_the_spectrum() -> None:
    blue, green, red = (tuple(int(band_colour(nm)[i : i + 2], 16) for i in (1, 3, 5)) for nm in (455.0, 535.0, 640.0))
    assert max(range(3), key=blue.__getitem__) == 2
    assert max(range(3), key=green.__getitem__) == 1
    assert max(range(3), key=red.__getitem__) == 0


def test_look_at_a_candidate_prefers_the_right_shift(rng: np.random.Generator) -> None:
    pytest.importorskip("cassi_core.quality.maps")
    from cassi_core.parameters import ParameterSet
    from cassi_core.quality.candidates import look_at

    mask = (rng.random((48, 40)) > 0.5).astype(np.float32)
    image = np.zeros((48, 48), np.float32)
    shifted = np.roll(mask, (0, 1), (0, 1))  # the rig's mask sits one pixel to the right
    for band in range(5):
        image[:, 2 * band : 2 * band + 40] += 100 * shifted
    inputs = CalibrationInputs.from_arrays(image, mask, Dispersion.constant(5, 2.0))
    looks = {dx: look_at(inputs, ParameterSet.default(values={"dx": dx})) for dx in (-1.0, 0.0, 1.0)}
    assert looks[1.0].score < 0.5 * min(looks[0.0].score, looks[-1.0].score)
    assert looks[1.0].residual.shape == image.shape and looks[1.0].colour.shape == (48, 40, 3)


def test_a_reference_is_scaled_to_the_light_of_a_smoother_reconstruction(rng: np.random.Generator) -> None:
    reference = rng.uniform(0, 2, (3, 20, 31)).astype(np.float32)
    smooth = np.full_like(reference, 0.5 * reference.mean())
    assert light_scale(reference, smooth) == pytest.approx(0.5, rel=1e-5), "least squares would say 0.37"
    assert light_scale(np.zeros_like(reference), smooth) == 1.0
