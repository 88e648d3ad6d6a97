"""From files to calibration inputs: bands, step, mask, dark and flat, usable pixels, several frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cassi_core.dispersion import Dispersion
from cassi_core.errors import InputError
from cassi_core.io.detector import correct_frame, saturation_level
from cassi_core.io.dispersion_from_files import choose_dispersion, read_dispersion_csv
from cassi_core.io.inputs_from_files import load_inputs
from cassi_core.io.mask_from_files import reduce_mask_3d
from cassi_core.io.readers import Metadata

RNG = np.random.default_rng(5)
MASK = RNG.random((12, 16)).astype(np.float32)
MASK /= MASK.max()
MEAS = RNG.random((12, 16 + 6)).astype(np.float32)


def write(path: Path, **arrays: object) -> Path:
    np.savez(path, **arrays)
    return path


def test_the_measurements_own_mask_and_metadata_are_used(tmp_path: Path):
    path = write(tmp_path / "a.npz", meas=MEAS, mask=MASK, step_px=2, n_bands=4, wavelengths_nm=[450, 500, 550, 600])
    inputs = load_inputs([path])
    np.testing.assert_array_equal(inputs.frames[0].image, MEAS)
    np.testing.assert_array_equal(inputs.mask, MASK)
    np.testing.assert_array_equal(inputs.dispersion.s_nom, [0, 2, 4, 6])
    np.testing.assert_array_equal(inputs.dispersion.wavelengths_nm, [450, 500, 550, 600])
    assert inputs.frames[0].image.dtype == np.float32 and inputs.mask.dtype == np.float32
    assert (inputs.frames[0].source.key, inputs.mask_source.key) == ("meas", "mask")
    assert len(inputs.frames[0].source.sha256) == 64


@pytest.mark.parametrize(
    ("metadata", "options", "s_nom"),
    [
        ({}, {"bands": 4}, [0, 2, 4, 6]),
        ({}, {"step": 3}, [0, 3, 6]),
        ({}, {"bands": 5}, [0, 1.5, 3, 4.5, 6]),
        ({}, {"bands": 3, "step": 2.5}, [0, 2.5, 5]),
        ({"n_bands": 4}, {}, [0, 2, 4, 6]),
        ({"step_px": 2}, {}, [0, 2, 4, 6]),
        ({"n_bands": 4, "step_px": 2}, {"bands": 7, "step": 1}, [0, 1, 2, 3, 4, 5, 6]),
        ({"wavelengths_nm": np.array([1.0, 2, 3, 4])}, {}, [0, 2, 4, 6]),
        ({}, {"bands": 1}, [0]),
    ],
)
def test_bands_and_step_from_options_metadata_or_widths(metadata: dict, options: dict, s_nom: list[float]):
    np.testing.assert_allclose(choose_dispersion(Metadata(**metadata), 6, **options).s_nom, s_nom)


@given(st.integers(2, 60), st.floats(0.3, 4.0))
@settings(deadline=None)
def test_the_number_of_bands_follows_from_step_and_widths(n: int, step: float):
    travel = round(step * (n - 1))
    found = choose_dispersion(Metadata(), travel, step=step)
    assert round(found.travel_px) == travel
    assert abs(found.n_bands - n) * step <= 1, "a step below a pixel leaves the rounding of the width open"


@pytest.mark.parametrize(
    ("options", "travel", "words"),
    [
        ({}, 6, "give --bands"),
        ({"bands": 0}, 6, "0 bands.*--bands"),
        ({"bands": -3}, 6, "-3 bands"),
        ({"step": -2.0}, 6, "step of -2 px; it must be positive"),
        ({"step": float("nan"), "bands": 3}, 6, "must be positive"),
        ({"bands": 4}, 0, "as wide as the mask.*--step"),
        ({"step": 4.0}, 6, "no whole number of steps of 4 px"),
    ],
)
def test_what_cannot_be_told_names_the_option_to_give(options: dict, travel: int, words: str):
    with pytest.raises(InputError, match=words):
        choose_dispersion(Metadata(), travel, **options)


def test_wavelengths_of_another_number_of_bands(tmp_path: Path):
    metadata = Metadata(n_bands=4, wavelengths_nm=np.array([1.0, 2, 3]))
    with pytest.raises(InputError, match="3 wavelengths for 4 bands"):
        choose_dispersion(metadata, 6)
    assert choose_dispersion(metadata, 6, bands=4).wavelengths_nm is None


@pytest.mark.parametrize(
    ("text", "offsets", "nm"),
    [
        ("0\n1.5\n3.2\n", [0, 1.5, 3.2], None),
        ("offset_px\n0\n1.5\n", [0, 1.5], None),
        ("wavelength_nm, offset_px\n450, 0\n# comment\n\n500, 1.5\n", [0, 1.5], [450, 500]),
        ("450;0\n500,5;1,5\n", [0, 1.5], [450, 500.5]),
        ("\ufeff450\t10\r\n500\t11.5\r\n", [10, 11.5], [450, 500]),
    ],
)
def test_dispersion_tables(tmp_path: Path, text: str, offsets: list[float], nm: list[float] | None):
    path = tmp_path / "d.csv"
    path.write_text(text, encoding="utf-8")
    found, wavelengths = read_dispersion_csv(path)
    np.testing.assert_array_equal(found, offsets)
    assert (wavelengths is None) if nm is None else (wavelengths.tolist() == nm)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no numbers"),
        ("offset\n0\nabc\n", "line 3 is 'abc'"),
        ("0\n1,2\n", "line 2 has 2 columns and the lines before it 1"),
        ("1,2,3,4\n", "line 1"),
        ("1,2,-3\n", "line 1 says a standard error of -3 px"),
        ("0\nnan\n", "line 2 is 'nan'"),
    ],
)
def test_bad_dispersion_tables_name_the_line(tmp_path: Path, text: str, words: str):
    (tmp_path / "d.csv").write_text(text)
    with pytest.raises(InputError, match=words):
        read_dispersion_csv(tmp_path / "d.csv")


def test_a_table_gives_the_dispersion_and_must_agree_with_bands(tmp_path: Path):
    path = write(tmp_path / "a.npz", meas=MEAS, mask=MASK)
    (tmp_path / "d.csv").write_text("450,1\n500,2.5\n600,7\n")
    dispersion = load_inputs([path], dispersion_csv=tmp_path / "d.csv", mode="integer").dispersion
    np.testing.assert_array_equal(dispersion.s_nom, [0, 1.5, 6])
    assert dispersion.mode == "integer"
    with pytest.raises(InputError, match="holds 3 offsets and --bands says 4"):
        load_inputs([path], dispersion_csv=tmp_path / "d.csv", bands=4)
    (tmp_path / "falls.csv").write_text("3\n2\n")
    with pytest.raises(InputError, match="must grow from band to band"):
        load_inputs([path], dispersion_csv=tmp_path / "falls.csv")


def test_a_rig_that_disperses_down_takes_the_step_from_the_heights(tmp_path: Path):
    path = write(tmp_path / "a.npz", meas=MEAS.T, mask=MASK.T)
    inputs = load_inputs([path], bands=4, direction="down")
    assert inputs.dispersion.step_px == 2 and inputs.dispersion.direction == "down"


def test_several_files_are_frames_of_one_rig(tmp_path: Path):
    a = write(tmp_path / "a.npz", meas=MEAS, mask=MASK, n_bands=4)
    b = write(tmp_path / "b.npz", meas=MEAS[:, ::-1], mask=MASK)
    inputs = load_inputs([a, b])
    assert [Path(f.source.path).name for f in inputs.frames] == ["a.npz", "b.npz"]
    np.testing.assert_array_equal(inputs.frames[1].image, MEAS[:, ::-1])
    c = write(tmp_path / "c.npz", meas=MEAS, mask=MASK[::-1], n_bands=4)
    with pytest.raises(InputError, match=r"c\.npz: its mask differs"):
        load_inputs([a, c])
    d = write(tmp_path / "d.npz", meas=MEAS, n_bands=3)
    with pytest.raises(InputError, match=r"d\.npz: its n_bands differs"):
        load_inputs([a, d], mask=a)
    e = write(tmp_path / "e.npz", meas=MEAS[:, :-1])
    with pytest.raises(InputError, match=r"e\.npz: shape"):
        load_inputs([a, e], mask=a)


def test_a_stack_is_several_frames(tmp_path: Path):
    tifffile.imwrite(tmp_path / "a.tif", np.stack([MEAS, 2 * MEAS]), photometric="minisblack")
    mask = write(tmp_path / "m.npz", mask=MASK)
    inputs = load_inputs([tmp_path / "a.tif"], mask=mask, bands=4)
    np.testing.assert_array_equal(inputs.frames[1].image, 2 * MEAS)
    assert [f.source.key for f in inputs.frames] == ["[0]", "[1]"]


def test_a_mask_of_any_scale_is_brought_to_one(tmp_path: Path):
    Image.fromarray((MASK * 200).astype(np.uint8)).save(tmp_path / "mask.png")
    meas = write(tmp_path / "a.npz", meas=MEAS)
    mask = load_inputs([meas], mask=tmp_path / "mask.png", bands=4).mask
    assert mask.max() == 1.0 and mask.dtype == np.float32
    np.testing.assert_allclose(mask, MASK, atol=0.006)


def shifted_mask(offsets: list[int], axis: int = 1) -> np.ndarray:
    """`mask_3d_shift` as the public reconstruction networks load it, built by its definition."""
    shape = [12, 16]
    shape[axis] += max(offsets)
    out = np.zeros((*shape, len(offsets)), np.float32)
    for band, o in enumerate(offsets):
        where = (slice(None), slice(o, o + 16)) if axis == 1 else (slice(o, o + 12), slice(None))
        out[(*where, band)] = MASK
    return out


def test_a_mask_of_each_band_is_brought_back_to_the_mask(tmp_path: Path):
    path = write(tmp_path / "m.npz", mask_3d_shift=shifted_mask([0, 2, 4, 6]))
    meas = write(tmp_path / "a.npz", meas=MEAS)
    inputs = load_inputs([meas], mask=path)
    np.testing.assert_array_equal(inputs.mask, MASK)
    np.testing.assert_array_equal(inputs.dispersion.s_nom, [0, 2, 4, 6])
    assert inputs.mask_source.key == "mask_3d_shift"


def test_masks_of_each_band_in_other_directions_and_without_a_shift():
    down, offsets = reduce_mask_3d(shifted_mask([0, 1, 3], axis=0), "down")
    np.testing.assert_array_equal(down, MASK)
    np.testing.assert_array_equal(offsets, [0, 1, 3])
    left, offsets = reduce_mask_3d(shifted_mask([6, 3, 0]), "left")
    np.testing.assert_array_equal(left, MASK)
    np.testing.assert_array_equal(offsets, [0, 3, 6])
    same, offsets = reduce_mask_3d(np.repeat(MASK[..., None], 5, axis=2))
    np.testing.assert_array_equal(same, MASK)
    assert offsets is None


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (shifted_mask([6, 3, 0]), "do not move to the right"),
        (shifted_mask([0, 2, 4]) * np.array([1, 0.5, 1], np.float32), "no shifted copies"),
        (shifted_mask([0, 0, 4]), "lie on each other"),
        (shifted_mask([0, 2]) * np.array([1, 0], np.float32), "without any light"),
    ],
)
def test_masks_of_each_band_that_are_no_shifted_copies_are_refused(array: np.ndarray, words: str):
    with pytest.raises(InputError, match=words):
        reduce_mask_3d(array)


def test_dark_and_flat_are_taken_off(tmp_path: Path):
    """The light comes back from what the camera would record: raw = light * gain + dark."""
    gain = (0.5 + RNG.random(MEAS.shape)).astype(np.float32)
    dark = (0.1 * RNG.random(MEAS.shape)).astype(np.float32)
    meas = write(tmp_path / "a.npz", meas=MEAS * gain + dark, mask=MASK)
    d = write(tmp_path / "dark.npz", meas=np.stack([dark - 0.01, dark + 0.01]))
    f = write(tmp_path / "flat.npz", flat=3 * gain + dark)
    found = load_inputs([meas], bands=4, dark=d, flat=f).frames[0]
    np.testing.assert_allclose(found.image, MEAS * np.median(gain), rtol=1e-4, atol=1e-5)
    assert found.usable is None


def test_pixels_without_dark_or_flat_are_not_usable():
    dark, flat = np.zeros_like(MEAS), np.ones_like(MEAS)
    dark[2, 3] = np.nan
    flat[4, 5], flat[6, 7], flat[8, 9] = np.nan, 0, 0.04
    image, usable = correct_frame(MEAS, dark, flat)
    assert usable is not None and np.isfinite(image).all()
    assert sorted(map(tuple, np.argwhere(~usable).tolist())) == [(2, 3), (4, 5), (6, 7), (8, 9)]


def test_dark_and_flat_of_another_size_or_without_light_are_refused():
    with pytest.raises(InputError, match="dark frame has shape"):
        correct_frame(MEAS, np.zeros((12, 16), np.float32), None)
    with pytest.raises(InputError, match="flat field holds no light"):
        correct_frame(MEAS, np.ones_like(MEAS), np.ones_like(MEAS))
    with pytest.raises(InputError, match=r"only 0\.0 % of the pixels are usable"):
        correct_frame(MEAS, None, None, saturation=-1.0)


def camera_counts(shape: tuple[int, int] = (60, 60), scale: float = 300.0) -> np.ndarray:
    return np.random.default_rng(2).poisson(scale * np.random.default_rng(3).random(shape) ** 4).astype(np.uint16)


def test_saturation_of_a_plateau_and_of_the_full_scale():
    counts = camera_counts()
    assert saturation_level(counts) is None, "the brightest of a picture that is not saturated"
    clipped = np.minimum(counts, 250)
    assert saturation_level(clipped) == 250
    assert saturation_level(clipped.astype(np.float32) / 250) == 1.0
    full = counts.astype(np.uint8)
    full[3, 4] = 255
    assert saturation_level(full) == 255
    _, usable = correct_frame(clipped, None, None)
    np.testing.assert_array_equal(usable, clipped < 250)


def test_a_frame_normalised_to_one_is_not_saturated():
    counts = camera_counts()
    normalised = (counts / counts.max()).astype(np.float32)
    assert np.count_nonzero(normalised == 1) < 4 and saturation_level(normalised) is None
    assert correct_frame(normalised, None, None)[1] is None


def test_saturation_is_found_in_the_raw_counts_not_after_the_dark(tmp_path: Path):
    """After subtracting a dark frame the plateau is uneven; its pixels must be known all the same."""
    clipped = np.minimum(camera_counts(), 250)
    dark = camera_counts(scale=20).astype(np.float32)
    _, usable = correct_frame(clipped, dark, None)
    np.testing.assert_array_equal(usable, clipped < 250)
    _, usable = correct_frame(clipped, dark, None, saturation=100)
    np.testing.assert_array_equal(usable, clipped < 100)


def test_a_reference_cube_is_brought_to_bands_first(tmp_path: Path):
    meas = write(tmp_path / "a.npz", meas=MEAS, mask=MASK, n_bands=4)
    cube = RNG.random((4, 12, 16)).astype(np.float32)
    ref = write(tmp_path / "ref.npz", img=np.moveaxis(cube, 0, -1))
    np.testing.assert_array_equal(load_inputs([meas], reference=ref).reference, cube)
    other = write(tmp_path / "other.npz", img=np.moveaxis(cube[:3], 0, -1))
    with pytest.raises(InputError, match="a cube of 4 bands of 12 x 16 is needed"):
        load_inputs([meas], reference=other)


def test_no_measurement_and_two_dispersions_are_refused():
    with pytest.raises(InputError, match="no measurement given"):
        load_inputs([])
    with pytest.raises(InputError, match="both --step and --dispersion"):
        load_inputs(["a.npz"], step=2.0, dispersion_csv="d.csv")


FRAMES = {
    "tsa_net_real": (("scene1_legoplant", "scene2_realplant1", "scene3_legoman", "scene4_realplant2"), 28, (660, 714)),
    "smem": (
        ("resolution_target", "fern_root", "dog_olfactory_membrane", "blood_sample1", "blood_sample2", "scene5"),
        24,
        (660, 706),
    ),
}


@pytest.mark.parametrize("rig", FRAMES)
def test_the_real_frames_are_read_whole(data_dir: Path, rig: str):
    names, n_bands, shape = FRAMES[rig]
    files = [data_dir / "measurements" / f"{rig}_{name}.npz" for name in names]
    inputs = load_inputs(files, mask=data_dir / "masks" / f"{rig.removesuffix('_real')}_real_mask_660.npz")
    assert [f.image.shape for f in inputs.frames] == [shape] * len(names)
    assert inputs.dispersion.n_bands == n_bands
    np.testing.assert_array_equal(inputs.dispersion.s_nom, Dispersion.constant(n_bands, 2.0).s_nom)
    assert inputs.mask.shape == (660, 660) and inputs.mask.max() == 1.0
    lost = [0 if f.usable is None else int(np.count_nonzero(~f.usable)) for f in inputs.frames]
    assert lost == ([64, 27, 0, 0] if rig.startswith("tsa") else [0] * 6)


def test_the_real_scenes_are_read_bands_first(data_dir: Path):
    from cassi_core.io.cubes import read_cube

    cube, nm, _ = read_cube(data_dir / "scenes" / "kaist_scene01_crop_128.npz")
    stored = np.load(data_dir / "scenes" / "kaist_scene01_crop_128.npz")["cube"]
    assert cube.shape == (28, 128, 128) and nm is not None and len(nm) == 28
    np.testing.assert_array_equal(cube[5], stored[:, :, 5])
