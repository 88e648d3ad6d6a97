"""What a picture is by its content: masks and snapshots of simulated and of real rigs are told apart, doubtful ones are left alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage as ndi

from cassi_core.io.content import looks_like
from cassi_core.io.examine import examine
from cassi_core.io.overview import describe


def mask(rng: np.random.Generator, element_px: int, blur_px: float, size: int = 120) -> np.ndarray:
    """Random elements of a whole number of pixels, photographed with a blur and some noise."""
    count = -(-size // element_px)
    codes = (rng.random((count, count)) < 0.5).astype(float)
    open_ = np.kron(codes, np.ones((element_px, element_px)))[:size, :size]
    return ndi.gaussian_filter(0.05 + 0.9 * open_, blur_px) + 0.01 * rng.standard_normal((size, size))


def snapshot(rng: np.random.Generator, bands: int, step: int, element_px: int) -> np.ndarray:
    """The sum of the masked scene moved right by `step` a band; the scene has a bright disc and grey ground."""
    code = mask(rng, element_px, 0.5)
    rows, cols = np.mgrid[0:120, 0:120]
    scene = 0.2 + 0.8 * (np.hypot(rows - 50, cols - 70) < 40)
    y = np.zeros((120, 120 + step * (bands - 1)))
    for band in range(bands):
        y[:, step * band : step * band + 120] += code * scene * (1 + 0.5 * np.sin(band))
    return 300 * y + 5 * rng.standard_normal(y.shape)


@pytest.mark.parametrize(("element_px", "blur_px"), [(1, 0.0), (2, 0.0), (2, 0.6), (3, 0.6), (5, 0.0), (5, 0.6)])
def test_masks_look_like_masks_whatever_their_elements(rng: np.random.Generator, element_px: int, blur_px: float) -> None:
    picture = mask(rng, element_px, blur_px)
    assert looks_like(picture) == "mask"
    assert looks_like(1 - picture) == looks_like(picture.T) == "mask"


@pytest.mark.parametrize(
    ("bands", "step", "element_px"), [(6, 2, 1), (6, 2, 2), (10, 1, 2), (24, 2, 2), (28, 2, 3), (31, 1, 1)]
)
def test_snapshots_look_like_measurements_in_every_direction(
    rng: np.random.Generator, bands: int, step: int, element_px: int
) -> None:
    picture = snapshot(rng, bands, step, element_px)
    for turns in range(4):
        assert looks_like(np.rot90(picture, turns)) == "measurement"


def test_what_is_neither_is_left_where_it_was_put(rng: np.random.Generator) -> None:
    blurred = ndi.gaussian_filter(mask(rng, 3, 0.0), 2.5)
    stripes = np.tile(rng.random(120) < 0.5, (120, 1)).astype(float)
    flat = 900 + 3 * rng.standard_normal((120, 150))
    for doubtful in (blurred, stripes, flat, np.zeros((120, 150)), np.full((120, 150), np.nan), np.ones((2, 2))):
        assert looks_like(doubtful) == ""
    hot = snapshot(rng, 12, 2, 2)
    hot[::40, ::37] = 4095
    assert looks_like(hot) == "measurement", "hot pixels have no direction and change nothing"


def test_a_mask_given_shifted_by_band_is_a_mask(rng: np.random.Generator) -> None:
    code = mask(rng, 2, 0.4)
    shifted = np.zeros((8, 120, 134))
    for band in range(8):
        shifted[band, :, 2 * band : 2 * band + 120] = code
    assert describe(shifted, "m", "mask").looks == "mask"


def test_a_file_given_for_the_wrong_slot_comes_back_with_the_right_one(tmp_path: Path, rng: np.random.Generator) -> None:
    code, light = mask(rng, 2, 0.4), snapshot(rng, 12, 2, 2)
    np.save(tmp_path / "a.npy", code)
    np.save(tmp_path / "mask.npy", light)
    np.savez(tmp_path / "c.npz", mask=code)
    np.savez(tmp_path / "d.npz", mask=ndi.gaussian_filter(code, 3))
    given = (("a.npy", "measurement"), ("mask.npy", "mask"), ("mask.npy", ""), ("c.npz", "measurement"), ("a.npy", "mask"))
    found = [examine([str(tmp_path / name)], role)[0] for name, role in given]
    assert [item.role for item in found] == ["mask", "measurement", "measurement", "mask", "mask"]
    assert found[0].reason == "it looks like a mask" and found[4].reason == ""
    (doubtful,) = examine([str(tmp_path / "d.npz")], "measurement")
    assert doubtful.role == "measurement" and "no array in it could be the measurement" in doubtful.problem


def test_light_is_told_where_full_scale_is_known(rng: np.random.Generator) -> None:
    eight = np.full((60, 80), 20, np.uint8)
    eight[10:40, 10:40] = 102
    assert describe(eight, "y").light == pytest.approx(0.4)
    twelve = rng.integers(0, 900, (60, 80)).astype(np.uint16)
    assert describe(twelve, "y").light is None, "a camera of 10 bits or of 14: nobody knows"


def test_real_masks_and_snapshots_are_told_apart(data_dir: Path) -> None:
    found = {}
    for folder, key, expected in (("masks", "mask", "mask"), ("measurements", "meas", "measurement")):
        for path in sorted((data_dir / folder).glob("*.npz")):
            found[path.stem] = looks_like(np.load(path)[key]) == expected
    assert len(found) == 13 and all(found.values()), found
