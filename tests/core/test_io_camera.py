"""Pictures of the camera are cut, turned, averaged and repaired as asked for, and a calibration file says how."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from test_calibration_file import make_result

from cassi_core.cli import main
from cassi_core.dispersion import Dispersion
from cassi_core.errors import InputError
from cassi_core.inputs import CalibrationInputs, Frame
from cassi_core.io.bad_pixels import read_bad_pixels, repair
from cassi_core.io.calibration_file import read_calibration, write_calibration
from cassi_core.io.camera import CameraReading, read_frames
from cassi_core.io.exports.from_file import mask_of
from cassi_core.io.inputs_from_files import load_inputs
from cassi_core.io.mask_from_files import read_mask
from cassi_core.io.readers import Roi, Selection, Turn
from cassi_core.io.readers.selection import split_selection
from cassi_core.io.rig_inputs import inputs_of
from cassi_core.quality.findings import find_problems

RNG = np.random.default_rng(11)
MASK = RNG.random((16, 20)).astype(np.float32)
MASK[0, 0], MASK[1, 1] = 1, 0
MEAS = RNG.integers(100, 3000, (16, 26)).astype(np.uint16)
STACK = RNG.integers(100, 3000, (3, 16, 26)).astype(np.uint16)
ROI = Roi((2, 14), (3, 25))
turns = st.builds(Turn, st.booleans(), st.integers(0, 3))


def saved(path: Path, array: np.ndarray) -> str:
    np.save(path, array)
    return str(path)


@pytest.fixture
def mask(tmp_path: Path) -> str:
    return saved(tmp_path / "mask.npy", MASK)


@given(st.one_of(st.none(), st.integers(0, 99), st.just("mean")), st.booleans(), st.one_of(st.none(), st.integers(0, 2)), turns)
def test_a_selection_is_read_back_from_its_own_text(picture, cut: bool, axis, turn: Turn):
    selection = Selection(picture, ROI if cut else None, axis, turn)
    key, found = split_selection(f"entry/meas{selection}")
    assert key == "entry/meas"
    assert found == (selection if str(selection) else None)


@pytest.mark.parametrize("key", ["meas", "a[b]", "a[1:2]", "a[2:1,0:4]x", "a[turned45]", "a[]"])
def test_other_keys_are_left_alone(key: str):
    assert split_selection(key) == (key, None)


@given(turns, turns)
def test_orientations_follow_each_other(first: Turn, second: Turn):
    np.testing.assert_array_equal(first.then(second).apply(MASK), second.apply(first.apply(MASK)))


def test_an_orientation_is_mirrored_first_and_turned_to_the_left_then():
    small = np.array([[1, 2, 3], [4, 5, 6]])
    np.testing.assert_array_equal(Turn(True, 1).apply(small), [[1, 4], [2, 5], [3, 6]])
    np.testing.assert_array_equal(Turn(False, 1).apply(small), [[3, 6], [2, 5], [1, 4]])


def test_one_picture_of_a_stack_or_all_of_them(tmp_path: Path, mask: str):
    path = tmp_path / "s.tif"
    tifffile.imwrite(path, STACK, photometric="minisblack")
    for options, wanted in ((CameraReading(), STACK), (CameraReading(picture=2), STACK[2:])):
        frames = load_inputs([path], mask=mask, step=2, camera=options).frames
        np.testing.assert_array_equal([f.image for f in frames], wanted)
    assert load_inputs([f"{path}::[1]"], mask=mask, step=2, camera=CameraReading(picture=2)).frames[0].source.key == "[1]"
    with pytest.raises(InputError, match=r"\[3\]: the stack holds 3 pictures, numbered from 0"):
        load_inputs([path], mask=mask, camera=CameraReading(picture=3))
    with pytest.raises(InputError, match="choose one of them"):
        CameraReading(picture=1, average="file")


def test_repeated_exposures_are_averaged_within_a_file_or_over_all(tmp_path: Path):
    first, second = saved(tmp_path / "a.npy", STACK[:2]), saved(tmp_path / "b.npy", STACK[2])
    each = read_frames([first, second], CameraReading(average="file"))
    np.testing.assert_allclose(each[0].image, STACK[:2].mean(axis=0), rtol=1e-6)
    np.testing.assert_array_equal(each[1].image, STACK[2])
    assert [f.source.key for f in each] == ["[mean]", ""]
    (together,) = read_frames([first, second], CameraReading(average="all"))
    np.testing.assert_allclose(together.image, STACK.mean(axis=0), rtol=1e-6)
    assert together.source.path == first and together.source.averaged_with == (second,)
    smaller = saved(tmp_path / "c.npy", MEAS[:, :-1])
    with pytest.raises(InputError, match=r"c\.npy: shape .16, 25. differs from .16, 26.*repeated exposures have one size"):
        read_frames([first, smaller], CameraReading(average="all"))


def test_a_pixel_saturated_in_one_exposure_is_saturated_in_the_mean():
    stack = STACK.copy()
    stack[1, 4:8, 5] = 65535
    from cassi_core.io.camera import _Mean  # the sum itself: saturation cannot be seen in a mean any more

    mean = _Mean(None)
    from cassi_core.inputs import Source
    from cassi_core.io.camera import RawPicture

    for image in stack:
        mean.add(RawPicture(image, Source("a"), (16, 26), None, Turn()))
    wanted = np.zeros((16, 26), bool)
    wanted[4:8, 5] = True
    np.testing.assert_array_equal(mean.saturated, wanted)
    np.testing.assert_allclose(mean.image, stack.mean(axis=0))


@pytest.mark.parametrize("whole", [True, False])
def test_a_region_is_cut_from_measurement_dark_flat_and_map_alike(tmp_path: Path, whole: bool):
    """Dark, flat and map of the whole sensor are cut; those that show the region only are taken as they are."""
    part = (slice(2, 14), slice(3, 25))
    dark = RNG.integers(0, 90, MEAS.shape).astype(np.float32)
    flat = dark + 1 + RNG.random(MEAS.shape).astype(np.float32)
    bad = np.zeros(MEAS.shape, np.uint8)
    bad[5, 7] = 1
    cut = (lambda a: a) if whole else (lambda a: a[part])
    names = {n: saved(tmp_path / f"{n}.npy", cut(a)) for n, a in (("dark", dark), ("flat", flat), ("bad", bad))}
    camera = CameraReading(roi=ROI, bad_pixels=names["bad"])
    (frame,) = read_frames([saved(tmp_path / "m.npy", MEAS)], camera, dark=names["dark"], flat=names["flat"])
    light = (flat - dark)[part]
    wanted = (MEAS.astype(np.float32) - dark)[part] / (light / np.median(light))
    assert frame.usable is not None and frame.bad is not None
    np.testing.assert_array_equal(np.argwhere(frame.bad), [[3, 4]])
    np.testing.assert_allclose(frame.image[~frame.bad], wanted[~frame.bad], rtol=1e-5)
    assert frame.source.key == "[2:14,3:25]"


@given(turns)
def test_pictures_are_corrected_first_and_turned_then(turn: Turn):
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        dark = (MEAS // 7).astype(np.float32)
        bad = np.zeros(MEAS.shape, bool)
        bad[3, 9] = True
        place = Path(folder)
        camera = CameraReading(roi=ROI, turn=turn, bad_pixels=saved(place / "bad.npy", bad))
        plain = replace(camera, turn=Turn())
        specs, dark_file = [saved(place / "m.npy", MEAS)], saved(place / "d.npy", dark)
        (turned,), (straight,) = read_frames(specs, camera, dark=dark_file), read_frames(specs, plain, dark=dark_file)
        np.testing.assert_array_equal(turned.image, turn.apply(straight.image))
        np.testing.assert_array_equal(turned.usable, turn.apply(straight.usable))
        np.testing.assert_array_equal(turned.bad, turn.apply(straight.bad))


@pytest.mark.parametrize("turn", [Turn(False, 1), Turn(False, 3), Turn(True, 1), Turn(True, 3)])
def test_a_mask_that_is_not_square_is_turned_by_a_quarter_before_its_size_is_checked(tmp_path: Path, turn: Turn):
    """The mask's file holds it lying on its side: 20 x 16 for a measurement of 16 x 26."""
    back = Turn(turn.mirrored, turn.quarter_turns if turn.mirrored else -turn.quarter_turns)
    lying = back.apply(MASK)
    assert lying.shape == (20, 16)
    meas, mask = saved(tmp_path / "m.npy", MEAS), saved(tmp_path / "mask.npy", lying)
    inputs = load_inputs([meas], mask=mask, step=2, mask_turn=turn)
    np.testing.assert_array_equal(inputs.mask, MASK)
    assert inputs.dispersion.n_bands == 4
    again = read_mask(f"{inputs.mask_source.path}::{inputs.mask_source.key}")
    np.testing.assert_array_equal(again.mask, MASK)
    with pytest.raises(InputError, match=r"mask of 20 x 16 pixels does not fit the measurement of 16 x 26, but it fits when"):
        load_inputs([meas], mask=mask, step=2)


def test_the_mask_is_cut_out_of_a_larger_picture(tmp_path: Path):
    large = np.zeros((30, 40), np.float32)
    large[5:21, 8:28] = MASK
    inputs = load_inputs(
        [saved(tmp_path / "m.npy", MEAS)], mask=saved(tmp_path / "mask.npy", large), bands=4, mask_roi=Roi((5, 21), (8, 28))
    )
    np.testing.assert_array_equal(inputs.mask, MASK)
    with pytest.raises(InputError, match=r"the region 5:31,8:28 reaches beyond the picture of 30 rows and 40 columns"):
        read_mask(f"{tmp_path / 'mask.npy'}::[5:31,8:28]")


def test_bad_pixels_are_left_out_repaired_and_not_called_saturated(tmp_path: Path, mask: str):
    image = MEAS.astype(np.float32)
    bad = np.zeros(MEAS.shape, bool)
    bad[4, 6], bad[10:12, 20:22] = True, True
    spoiled = np.where(bad, 1e6, image)
    spoiled[4, 6] = np.nan
    (tmp_path / "bad.csv").write_text("column;row\n6;4\n20;10\n21;10\n20;11\n21;11\n")
    camera = CameraReading(bad_pixels=tmp_path / "bad.csv")
    inputs = load_inputs([saved(tmp_path / "m.npy", spoiled)], mask=mask, step=2, camera=camera)
    (frame,) = inputs.frames
    np.testing.assert_array_equal(frame.bad, bad)
    np.testing.assert_array_equal(frame.usable, ~bad)
    np.testing.assert_array_equal(frame.image[~bad], image[~bad])
    around = np.delete(image[3:6, 5:8].reshape(-1), 4)
    assert frame.image[4, 6] == np.median(around)
    inside = image[9:12, 19:22].copy()
    inside[1:, 1:] = np.nan
    assert frame.image[10, 20] == np.float32(np.nanmedian(inside))
    codes = {finding.code: finding for finding in find_problems(inputs)}
    assert "saturation" not in codes and codes["bad"].value == pytest.approx(5 / bad.size)


def test_a_cluster_of_bad_pixels_takes_the_nearest_good_ones():
    image = np.arange(20 * 30, dtype=np.float32).reshape(20, 30)
    bad = np.zeros(image.shape, bool)
    bad[2:17, 5:18] = True
    bad[0, 0] = True
    mended = repair(image, bad)
    assert np.isfinite(mended).all()
    assert mended[0, 0] == np.median([image[0, 1], image[1, 0], image[1, 1]])
    assert abs(mended[9, 5] - image[9, 3:5].mean()) < 31, "an edge of the cluster looks like its neighbourhood"


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (lambda p: saved(p / "b.npy", np.ones(MEAS.shape)), "marks 100 % of the pixels as bad"),
        (lambda p: saved(p / "b.npy", np.zeros((16, 25))), r"has shape \(16, 25\) and the camera's picture \(16, 26\)"),
        (lambda p: saved(p / "b.npy", np.zeros((4, 16, 26))), "several arrays|stack of pictures"),
        (lambda p: (p / "b.csv").write_text("16,3\n") and str(p / "b.csv"), "row 16, column 3 lies outside"),
        (lambda p: (p / "b.csv").write_text("1.5,3\n") and str(p / "b.csv"), "line 1 is '1.5,3'; row and column"),
        (lambda p: (p / "b.txt").write_text("7\n") and str(p / "b.txt"), "row and column of a bad pixel are needed"),
        (lambda p: str(p / "none.png"), "there is no such file"),
    ],
)
def test_maps_that_do_not_fit_are_refused_in_words(tmp_path: Path, write, words: str):
    with pytest.raises(InputError, match=words):
        read_bad_pixels(write(tmp_path), (16, 26))


def test_frames_with_bad_pixels_turn_with_the_dispersion():
    bad = np.zeros((26, 16), bool)
    bad[2, 5] = True
    frame = Frame(np.ascontiguousarray(MEAS.T.astype(np.float32)), usable=~bad, bad=bad)
    inputs = CalibrationInputs((frame,), np.ascontiguousarray(MASK.T), Dispersion.constant(4, 2.0, direction="down"))
    turned = inputs.in_dispersion_frame().frames[0]
    assert turned.bad is not None and turned.usable is not None
    np.testing.assert_array_equal(turned.bad, ~turned.usable)


def test_wavelengths_of_a_table_count_the_bands(tmp_path: Path, mask: str):
    (tmp_path / "nm.txt").write_text("nm\n450\n470\n500\n550\n")
    meas = saved(tmp_path / "m.npy", MEAS)
    dispersion = load_inputs([meas], mask=mask, wavelengths=tmp_path / "nm.txt").dispersion
    assert dispersion.wavelengths_nm is not None and dispersion.wavelengths_nm.tolist() == [450, 470, 500, 550]
    assert dispersion.n_bands == 4 and dispersion.step_px == 2
    with pytest.raises(InputError, match="holds 4 wavelengths and --bands says 5"):
        load_inputs([meas], mask=mask, wavelengths=tmp_path / "nm.txt", bands=5)


def test_a_calibration_file_reads_its_pictures_again_as_they_were(tmp_path: Path):
    """Averaged over three files, cut, turned; the mask lying on its side in a larger picture."""
    turn, back = Turn(True, 1), Turn(True, 1)
    large = np.zeros((30, 40), np.float32)
    large[4:24, 7:23] = back.apply(MASK)
    mask = saved(tmp_path / "mask.npy", large)
    specs = [saved(tmp_path / f"{i}.npy", np.pad(image, 2)) for i, image in enumerate(STACK)]
    first = load_inputs(
        specs,
        mask=mask,
        bands=4,
        camera=CameraReading(average="all", roi=Roi((2, 18), (2, 28)), turn=Turn(True, 2)),
        mask_roi=Roi((4, 24), (7, 23)),
        mask_turn=turn,
    )
    np.testing.assert_array_equal(first.mask, MASK)
    np.testing.assert_allclose(first.frames[0].image, STACK.mean(axis=0)[::-1], rtol=1e-6)
    result = make_result(
        mask=first.mask, mask_source=first.mask_source, inputs=(first.frames[0].source,), dispersion=first.dispersion
    )
    stored = read_calibration(write_calibration(result, tmp_path / "c.cassi.json"))
    assert stored.inputs == (first.frames[0].source,)
    moved = tmp_path / "moved.npy"
    Path(mask).rename(moved)
    again = inputs_of(stored, mask=moved)
    np.testing.assert_array_equal(again.frames[0].image, first.frames[0].image)
    np.testing.assert_array_equal(again.mask, MASK)
    np.testing.assert_array_equal(mask_of(stored, moved), MASK)
    moved.rename(mask)
    np.testing.assert_array_equal(mask_of(stored), MASK)


def test_the_command_line_reads_pictures_as_it_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """A raw stack, averaged, cut and turned upside down, with a mask that lies on its side."""
    np.ascontiguousarray(STACK, ">u2").tofile(tmp_path / "s.raw")
    mask = saved(tmp_path / "mask.npy", np.rot90(MASK, -1))
    arguments = ["check", f"{tmp_path / 's.raw'}::shape=3x16x26,dtype=uint16,order=big", "--mask", mask, "--bands", "4"]
    options = ["--average", "file", "--turn", "180", "--mask-turn", "90", "--mirror", "--saturation", "4000"]
    code = main([*arguments, *options])
    out, err = capsys.readouterr()
    assert code in (0, 4) and err == ""
    assert "snapshot 16 x 26, mask 16 x 20, 4 bands, 2 px per band" in out
    assert main([*arguments, "--frame", "1", "--average", "file"]) == 2
    assert main([*arguments, "--roi", "2:1,0:4"]) == 2
    assert "the region" in capsys.readouterr().err
