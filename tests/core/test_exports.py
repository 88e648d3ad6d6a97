"""Exported masks say to other people's code what the calibration says to ours; every file gives back the same bits."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.io import loadmat
from test_calibration_file import make_result
from test_report import full_result

from cassi_core.calibration.frames import parameters_to_dispersion_frame
from cassi_core.calibration.rig_model import RigModel
from cassi_core.dispersion import QUARTER_TURNS, Dispersion
from cassi_core.errors import ConfigError, InputError, OutputError
from cassi_core.inputs import CalibrationInputs, Source
from cassi_core.io.calibration_file import write_calibration
from cassi_core.io.exports import (
    EXPORTS,
    PROFILES,
    CalibratedMask,
    Export,
    ExportChoices,
    containers,
    export_mask,
    load_calibrated_mask,
)
from cassi_core.io.reconstruction_files import Reconstruction, write_reconstruction
from cassi_core.parameters import ParameterSet

POSE = {"dx": 1.3, "dy": -0.7, "theta": 0.8, "scale_x": 0.004, "scale_y": -0.003}
REFINED = {**POSE, "slope": 0.07, "curve": 0.01, "alpha": 0.9}


def make_mask(height: int = 20, width: int = 26) -> np.ndarray:
    """A soft random mask, different in rows and columns, with a maximum of one."""
    coarse = np.random.default_rng(3).random((height // 2, width // 2), np.float32)
    mask = 0.05 + np.kron(coarse, np.ones((2, 2), np.float32))
    return (mask / mask.max()).astype(np.float32)


def make_rig(values: dict[str, float], direction: str = "right", n_bands: int = 5, step: float = 2.0) -> CalibratedMask:
    d = Dispersion.constant(n_bands, step, direction=direction, wavelengths_nm=np.linspace(450.0, 650.5, n_bands))
    return CalibratedMask(make_mask(), ParameterSet.default(values=values), d)


def dot_rig(values: dict[str, float], **rig: object) -> CalibratedMask:
    """A mask with one open pixel at row 8, column 5."""
    made = make_rig(values, **rig)
    mask = np.zeros((20, 26), np.float32)
    mask[8, 5] = 1
    return CalibratedMask(mask, made.parameters, made.dispersion)


# What the public loaders do with the files, written from their documented layout.


def mst_real_loader(path: Path, bands: int, step: int) -> np.ndarray:
    mask = loadmat(path)["mask"]
    size, width = mask.shape
    canvas = np.zeros((size, width + (bands - 1) * step, bands))
    canvas[:, :width, :] = mask[:, :, np.newaxis]
    for t in range(bands):
        canvas[:, :, t] = np.roll(canvas[:, :, t], step * t, axis=1)
    return canvas


def mst_simulation_loader(path: Path) -> tuple[np.ndarray, np.ndarray]:
    phi = np.transpose(loadmat(path)["mask_3d_shift"], [2, 0, 1])
    phi_s = np.sum(phi**2, 0)
    phi_s[phi_s == 0] = 1
    return phi, phi_s


def test_a_moved_mask_is_found_where_it_was_moved_to(tmp_path: Path) -> None:
    rig = dot_rig({"dx": 3.0, "dy": -2.0})
    export_mask(rig, "mst-simulation", tmp_path / "m.mat")
    stored = loadmat(tmp_path / "m.mat")["mask_3d_shift"]
    assert stored.shape == (20, 26 + 8, 5) and stored.dtype == np.float32
    for band in range(5):
        assert np.unravel_index(stored[:, :, band].argmax(), stored.shape[:2]) == (6, 8 + 2 * band)
        assert stored[6, 8 + 2 * band, band] == pytest.approx(1, abs=1e-6)


def test_interpolated_shifts_hold_the_errors_of_the_dispersion(tmp_path: Path) -> None:
    """slope 0.5 px/band moves band 4 by 2 px right within its nominal place; alpha moves it down."""
    alpha = float(np.rad2deg(np.arcsin(1 / 10)))
    export_mask(dot_rig({"slope": 0.5}), "plain", tmp_path / "slope.mat")
    export_mask(dot_rig({"alpha": alpha}, step=2.5), "plain", tmp_path / "alpha.mat")
    slope, turned = loadmat(tmp_path / "slope.mat"), loadmat(tmp_path / "alpha.mat")
    assert np.unravel_index(slope["mask_3d_shift"][:, :, 4].argmax(), (20, 34)) == (8, 5 + 8 + 2)
    np.testing.assert_allclose(slope["band_offsets_px"], [[0, 0], [2.5, 0], [5, 0], [7.5, 0], [10, 0]], atol=1e-12)
    assert np.unravel_index(turned["mask_3d_shift"][:, :, 4].argmax(), (20, 36)) == (9, 5 + 10)
    assert turned["band_offsets_px"][4, 1] == pytest.approx(1.0)


def test_integer_shifts_say_what_they_leave_out(tmp_path: Path) -> None:
    report = export_mask(make_rig({"slope": 0.1}), "mst-real", tmp_path / "m.mat")
    assert "0.40 px" in report.notes[0]
    assert "28 bands" in report.notes[1]
    assert export_mask(make_rig(POSE), "plain", tmp_path / "p.mat").notes == ()


@pytest.mark.parametrize("direction", QUARTER_TURNS)
def test_the_patterns_are_those_of_the_fitted_model(direction: str) -> None:
    """The engine poses the turned mask; the export poses in the rig's frame and turns afterwards."""
    rig = make_rig(REFINED, direction)
    # The engine clamps undershoots at 0, the export at the mask's own minimum: here both are the same.
    mask = make_mask(44, 58)
    rig = replace(rig, mask=(mask - mask.min()) / np.float32(mask.max() - mask.min()))
    canvas = rig.dispersion.canvas_shape(rig.mask.shape)
    y = np.random.default_rng(0).random(canvas, np.float32)
    turned = CalibrationInputs.from_arrays(y, rig.mask, rig.dispersion).in_dispersion_frame()
    model = RigModel.from_frame(turned, turned.frames[0])
    values = parameters_to_dispersion_frame(rig.parameters, direction).values()
    engine = model.candidate(values, model.spline())
    exported = rig.band_masks("interpolated")
    inner = (slice(None), slice(12, -12), slice(12, -12))  # the two continue the mask differently beyond its border
    np.testing.assert_allclose(exported[inner], np.clip(engine.mask, 0, 1)[inner], atol=2e-5)
    assert np.abs(exported[4] - exported[0]).max() > 0.05


def test_the_loaders_of_public_code_get_our_masks(tmp_path: Path) -> None:
    rig = make_rig(POSE)
    export_mask(rig, "mst-real", tmp_path / "mask.mat")
    export_mask(rig, "mst-simulation", tmp_path / "mask_3d_shift.mat")
    export_mask(rig, "dauhst", tmp_path / "phi.mat", shifts="integer")
    tiled = mst_real_loader(tmp_path / "mask.mat", 5, 2)
    phi, phi_s = mst_simulation_loader(tmp_path / "mask_3d_shift.mat")
    ready = loadmat(tmp_path / "phi.mat")
    np.testing.assert_array_equal(tiled.transpose(2, 0, 1), phi)
    np.testing.assert_array_equal(ready["Phi"], phi)
    np.testing.assert_allclose(ready["Phi_s"], phi_s, rtol=1e-6)


def test_rounding_of_the_spline_is_no_light_to_divide_by(tmp_path: Path) -> None:
    """A binary mask that is moved by fractions of a pixel has exact zeros where it is dark, not 1e-17."""
    mask = np.zeros((40, 40), np.float32)
    mask[12:28, 12:28] = np.random.default_rng(3).random((16, 16)) > 0.5
    made = make_rig(POSE)
    rig = CalibratedMask(mask, made.parameters, made.dispersion)
    export_mask(rig, "dauhst", tmp_path / "phi.mat")
    stored = loadmat(tmp_path / "phi.mat")
    assert stored["Phi_s"].min() > 1e-12
    assert (stored["Phi_s"] == 1).mean() > 0.2


def test_a_folder_gets_the_names_that_the_consumer_looks_for(tmp_path: Path) -> None:
    report = export_mask(make_rig(POSE), "mst-simulation", tmp_path)
    assert sorted(p.name for p in report.paths) == ["mask.mat", "mask_3d_shift.mat"]
    assert "mask_3d_shift" in loadmat(tmp_path / "mask_3d_shift.mat") and "mask" in loadmat(tmp_path / "mask.mat")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mask.mat", "mask_3d_shift.mat"]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("suffix", [".mat", ".h5", ".npz", ".npy"])
def test_every_format_holds_the_same_bits(tmp_path: Path, profile: str, suffix: str) -> None:
    rig = make_rig(REFINED)
    path = tmp_path / f"out{suffix}"
    report = export_mask(rig, profile, path, shifts="interpolated")
    assert report.deviation < 1e-6 and path in report.paths
    key = "Phi" if profile == "dauhst" else "mask_3d_shift"
    if suffix == ".npy" and profile == "mst-real":
        path = tmp_path / "out.mask_3d_shift.npy"  # the first array of this profile is `mask`
    if suffix == ".mat":
        stored = loadmat(path)[key]
    elif suffix == ".h5":
        with h5py.File(path) as file:
            stored, turns, steps = file[key][()], file.attrs["quarter_turns"], file.attrs["offsets_px"]
        assert turns == 0 and list(steps) == [0, 2, 4, 6, 8]
    else:
        loaded = np.load(path)
        stored = loaded[key] if suffix == ".npz" else loaded
    stored = stored if profile == "dauhst" else stored.transpose(2, 0, 1)
    masks = rig.band_masks("interpolated")
    for band in range(5):
        np.testing.assert_array_equal(stored[band, :, 2 * band : 2 * band + 26], masks[band])
    assert np.count_nonzero(stored) == np.count_nonzero(masks)


def test_nothing_fitted_gives_the_mask_back_bit_by_bit(tmp_path: Path) -> None:
    rig = make_rig({})
    export_mask(rig, "mst-real", tmp_path / "mask.mat")
    np.testing.assert_array_equal(loadmat(tmp_path / "mask.mat")["mask"], rig.mask)


def test_other_directions_are_written_with_the_bands_to_the_right(tmp_path: Path) -> None:
    """The file says how measurements have to be turned, and a detector image laid out by hand then fits the masks."""
    for direction in QUARTER_TURNS:
        rig = dot_rig({}, direction=direction, n_bands=3)
        report = export_mask(rig, "plain", tmp_path / "m.mat")
        stored = loadmat(tmp_path / "m.mat")
        # One bright scene pixel in each band behind the open mask pixel, laid on the detector of the rig by hand.
        step = {"right": (0, 2), "left": (0, -2), "down": (2, 0), "up": (-2, 0)}[direction]
        shape = rig.dispersion.canvas_shape(rig.mask.shape)
        origin = {"right": (0, 0), "down": (0, 0), "left": (0, 4), "up": (4, 0)}[direction]
        y = np.zeros(shape)
        for band in range(3):
            y[8 + origin[0] + band * step[0], 5 + origin[1] + band * step[1]] = 1
        turned = np.rot90(y, int(stored["quarter_turns"].item()))
        np.testing.assert_allclose(stored["mask_3d_shift"].sum(axis=2), turned, atol=1e-6)
        assert bool(report.notes) == (direction != "right")


def test_normalised_masks_reach_one(tmp_path: Path) -> None:
    rig = dot_rig({"dx": 0.5})
    export_mask(rig, "mst-real", tmp_path / "a.mat")
    export_mask(rig, "mst-real", tmp_path / "b.mat", normalise=True)
    plain, normalised = loadmat(tmp_path / "a.mat")["mask"], loadmat(tmp_path / "b.mat")["mask"]
    assert plain.max() < 0.9999 and normalised.max() == 1
    np.testing.assert_allclose(normalised, plain / plain.max(), rtol=1e-6)


def test_a_file_that_does_not_give_our_model_back_is_never_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mask.mat"
    export_mask(make_rig(POSE), "mst-simulation", path)
    before = path.read_bytes()

    def flipped(path: Path, arrays: dict[str, np.ndarray], notes: object) -> None:
        containers.savemat(path, {k: v[::-1] for k, v in arrays.items()})

    monkeypatch.setitem(containers._WRITERS, ".mat", flipped)
    with pytest.raises(OutputError, match=r"forward model of '\w+' read back .* deviates"):
        export_mask(make_rig(POSE), "mst-simulation", path)
    assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["mask.mat"]


def test_what_cannot_be_written_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"unknown kind of file '.xyz'; use one of .mat"):
        export_mask(make_rig(POSE), "plain", tmp_path / "m.xyz")
    with pytest.raises(ConfigError, match="unknown profile 'other'"):
        export_mask(make_rig(POSE), "other", tmp_path / "m.mat")
    with pytest.raises(OutputError, match="does not exist"):
        export_mask(make_rig(POSE), "plain", tmp_path / "nowhere" / "m.mat")


def stored_calibration(folder: Path, mask: np.ndarray, **changes: object) -> Path:
    np.savez(folder / "mask.npz", mask=mask)
    from cassi_core.io.readers.select import sha256_of

    source = Source(str(folder / "mask.npz"), "mask", sha256_of(folder / "mask.npz"), mask.shape)
    rig = make_rig(REFINED)
    result = make_result(
        parameters=rig.parameters, start=rig.parameters, dispersion=rig.dispersion, mask=mask, mask_source=source
    )
    return write_calibration(result, folder / "c.cassi.json")


def test_a_calibration_file_finds_its_mask_where_both_were_moved_to(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    stored_calibration(here, make_mask())
    here.rename(there)
    rig = load_calibrated_mask(there / "c.cassi.json")
    np.testing.assert_array_equal(rig.mask, make_mask())
    assert rig.parameters.values()["slope"] == 0.07
    (there / "mask.npz").rename(there / "m.npz")
    with pytest.raises(InputError, match=r"mask .*mask.npz is not there any more.*--mask"):
        load_calibrated_mask(there / "c.cassi.json")
    np.testing.assert_array_equal(load_calibrated_mask(there / "c.cassi.json", there / "m.npz").mask, make_mask())
    np.savez(there / "mask.npz", mask=make_mask()[::-1])
    with pytest.raises(InputError, match="has changed since the calibration"):
        load_calibrated_mask(there / "c.cassi.json")
    np.savez(there / "small.npz", mask=make_mask()[:-2])
    with pytest.raises(InputError, match=r"shape \(18, 26\) and the calibration was made with \(20, 26\)"):
        load_calibrated_mask(there / "c.cassi.json", there / "small.npz")


# Everything that can be written for a run


@pytest.mark.parametrize("export", EXPORTS, ids=lambda e: e.id)
def test_every_export_of_a_run_leaves_files_under_the_common_name(tmp_path: Path, export: Export) -> None:
    result = full_result()
    assert export.missing(result) == "" and export.label and export.description.endswith(".")
    paths = export.function(result, tmp_path / f"rig7{export.suffix}")
    assert tmp_path / f"rig7{export.suffix}" in paths
    assert sorted(paths) == sorted(tmp_path.iterdir()) and all(p.stat().st_size > 50 for p in paths)


def test_choices_reach_the_files(tmp_path: Path) -> None:
    """Sub-pixel patterns instead of one mask, scaled to 1; spectra at the points that were picked."""
    by_id = {e.id: e for e in EXPORTS}
    dispersion = Dispersion(np.array([0.0, 2.5, 5.25]), "right", "interpolated", np.array([450.0, 500.0, 600.5]))
    result = replace(full_result(), mask=0.6 * make_mask(24, 32), dispersion=dispersion)
    whole, fine = tmp_path / "whole.mat", tmp_path / "fine.mat"
    by_id["mst-simulation"].function(result, whole)
    by_id["mst-simulation"].function(result, fine, ExportChoices(shifts="interpolated", normalise=True))
    one, other = loadmat(whole), loadmat(fine)
    assert str(one["shifts"][0]) == "integer" and str(other["shifts"][0]) == "interpolated"
    np.testing.assert_array_equal(one["mask_3d_shift"][:, 2 : 2 + 32, 1], one["mask_3d_shift"][:, :32, 0])
    assert np.abs(other["mask_3d_shift"][:, 2 : 2 + 32, 1] - other["mask_3d_shift"][:, :32, 0]).max() > 0.05
    assert other["mask_3d_shift"].max() == 1 and one["mask_3d_shift"].max() < 0.65
    by_id["cube.csv"].function(result, tmp_path / "s.csv", ExportChoices(points=((3, 30), (20, 1))))
    rows = (tmp_path / "s.csv").read_text().splitlines()
    assert rows[0] == "band,wavelength [nm],row 3 column 30,row 20 column 1"
    assert result.maps is not None and float(rows[2].split(",")[3]) == result.maps.cube_after[1, 20, 1]


def test_exports_say_what_a_run_lacks() -> None:
    lacking = {e.id: e.missing(make_result()) for e in EXPORTS}
    assert lacking["cube.h5"] == "this run carries no reconstruction"
    assert lacking["iterations"] == "this run has no iteration table" and lacking["grids"] == "this run searched no grid"
    assert {e.id for e in EXPORTS if not e.missing(make_result())} == {*PROFILES, "bands"}
    assert len({e.suffix for e in EXPORTS}) == len(EXPORTS)


def test_bands_lie_where_the_calibration_puts_them() -> None:
    from cassi_core.io.exports.bands import bands_csv

    found = ParameterSet.default(values={"slope": 0.05, "alpha": 30.0})
    rig = CalibratedMask(
        np.ones((6, 8), np.float32), found, Dispersion.constant(3, 2, wavelengths_nm=np.array([450.0, 500.0, 600.5]))
    )
    rows = [line.split(",") for line in bands_csv(rig).splitlines()]
    assert rows[0][2:] == ["offset right [px]", "offset down [px]", "whole-pixel offset [px]"]
    assert rows[3][1] == "600.5" and rows[3][4] == "4"
    # Two steps of 2.05 px along an axis that is turned 30 degrees downwards.
    assert float(rows[3][2]) == pytest.approx(4.1 * np.cos(np.pi / 6)) and float(rows[3][3]) == pytest.approx(4.1 / 2)


def test_what_is_said_of_a_file_before_it_is_written() -> None:
    from cassi_core.io.exports.facts import facts_of

    result = make_result(mask=np.ones((12, 16), np.float32), dispersion=Dispersion.constant(5, 3), maps=None)
    flat = facts_of("mst-real", result, ExportChoices())
    every = facts_of("mst-simulation", result, ExportChoices())
    assert flat.meaning == "Mask where it is, 12 \N{MULTIPLICATION SIGN} 16"
    assert every.meaning == "Mask of every band, 12 \N{MULTIPLICATION SIGN} 28 \N{MULTIPLICATION SIGN} 5"
    assert every.bytes == 4 * (12 * 16 + 12 * 28 * 5) and every.at_most
    assert "28 bands" in every.warning, "the public code has other bands built in"
    assert facts_of("dauhst", result, ExportChoices()).warning == ""


# Reconstructions


def read_envi(header: Path) -> tuple[np.ndarray, list[float]]:
    """A reader of band-sequential ENVI files after the format's description, independent of the writer."""
    fields = {}
    text = header.read_text()
    assert text.startswith("ENVI\n")
    for line in text.splitlines()[1:]:
        key, _, value = line.partition(" = ")
        fields[key] = value
    kinds = {"4": "f4", "5": "f8", "12": "u2"}
    order = {"0": "<", "1": ">"}[fields["byte order"]]
    shape = tuple(int(fields[k]) for k in ("bands", "lines", "samples"))
    assert fields["interleave"] == "bsq" and fields["wavelength units"] == "Nanometers"
    data = np.fromfile(header.with_suffix(".raw"), order + kinds[fields["data type"]], offset=int(fields["header offset"]))
    return data.reshape(shape), [float(v) for v in fields["wavelength"].strip("{}").split(",")]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    shape=st.tuples(st.integers(1, 5), st.integers(1, 9), st.integers(1, 9)),
    seed=st.integers(0, 2**31),
    nm=st.floats(300, 2000),
)
def test_cubes_come_back_bit_by_bit(tmp_path: Path, shape: tuple[int, int, int], seed: int, nm: float) -> None:
    cube = np.random.default_rng(seed).normal(0, 1e3, shape).astype(np.float32)
    wavelengths = nm + np.arange(shape[0]) * np.pi
    r = Reconstruction(cube, wavelengths, ((0, 0), (shape[1] - 1, shape[2] - 1)))
    for suffix in (".h5", ".mat", ".hdr", ".tif", ".csv"):
        write_reconstruction(r, tmp_path / f"cube{suffix}")
    with h5py.File(tmp_path / "cube.h5") as file:
        np.testing.assert_array_equal(file["cube"][()], cube)
        np.testing.assert_array_equal(file["wavelengths_nm"][()], wavelengths)
        assert file["cube"].attrs["units"] == "units of the measurement" and file["wavelengths_nm"].attrs["units"] == "nm"
    mat = loadmat(tmp_path / "cube.mat")
    np.testing.assert_array_equal(mat["cube"].reshape(shape[1], shape[2], shape[0]), cube.transpose(1, 2, 0))
    np.testing.assert_array_equal(mat["wavelengths_nm"][0], wavelengths)
    envi, at = read_envi(tmp_path / "cube.hdr")
    np.testing.assert_array_equal(envi, cube)
    assert at == wavelengths.tolist()
    with tifffile.TiffFile(tmp_path / "cube.tif") as tiff:
        assert len(tiff.pages) == shape[0]
        np.testing.assert_array_equal(np.stack([page.asarray() for page in tiff.pages]), cube)
        assert repr(float(wavelengths[-1])) in tiff.pages[0].description
    rows = [line.split(",") for line in (tmp_path / "cube.csv").read_text().splitlines()]
    assert rows[0][2:] == ["row 0 column 0", f"row {shape[1] - 1} column {shape[2] - 1}"]
    np.testing.assert_array_equal(np.array([row[3] for row in rows[1:]], np.float32), cube[:, -1, -1])
    assert [float(row[1]) for row in rows[1:]] == wavelengths.tolist()


def test_our_own_readers_take_the_cubes_back(tmp_path: Path) -> None:
    from cassi_core.io.cubes import read_cube

    cube = np.random.default_rng(1).random((4, 11, 9), np.float32)
    for name in ("cube.h5", "cube.mat"):
        write_reconstruction(Reconstruction(cube, np.array([450.0, 500.0, 550.0, 600.0])), tmp_path / name)
        back, nm, _ = read_cube(tmp_path / name, n_bands=4)
        np.testing.assert_array_equal(back, cube)
        assert nm is not None and nm.tolist() == [450, 500, 550, 600]


def test_the_picture_shows_long_waves_red(tmp_path: Path) -> None:
    cube = np.zeros((3, 8, 10), np.float32)
    cube[2, :4] = 1  # 620 nm in the upper half
    cube[0, 4:] = 1  # 450 nm in the lower half
    write_reconstruction(Reconstruction(cube, np.array([450.0, 540.0, 620.0])), tmp_path / "c.png")
    picture = np.asarray(Image.open(tmp_path / "c.png"))
    assert picture.shape == (8, 10, 3)
    assert picture[1, 5, 0] > picture[1, 5, 2] and picture[6, 5, 2] > picture[6, 5, 0]


def test_spectra_need_points_within_the_picture(tmp_path: Path) -> None:
    cube = np.ones((2, 8, 8), np.float32)
    with pytest.raises(ConfigError, match="--points ROW,COL"):
        write_reconstruction(Reconstruction(cube), tmp_path / "s.csv")
    with pytest.raises(InputError, match=r"row 8, column 0\) lies outside"):
        Reconstruction(cube, None, ((8, 0),))


def test_grid_scores_come_out_point_by_point() -> None:
    from cassi_core.io.tables import grids_csv
    from cassi_core.run import GridScores

    scores = np.array([[3.0, 1.0, np.nan], [4.0, 5.0, 6.0]], np.float32)
    grid = GridScores("stage0", ("dx", "theta"), (np.array([-1.0, 1.0]), np.array([0.0, 0.5, 1.0])), scores, (-1.0, 0.5))
    rows = [line.split(",") for line in grids_csv(make_result(grids=(grid,))).splitlines()]
    assert rows[0] == ["stage", "dx [px]", "theta [deg]", "score", "best"]
    assert rows[2] == ["stage0", "-1.0", "0.5", "1.0", "1"] and rows[3][3:] == ["", "0"]
    assert len(rows) == 7 and rows[6] == ["stage0", "1.0", "1.0", "6.0", "0"]


def test_the_real_rig_is_explained_better_by_the_exported_mask(data_dir: Path, tmp_path: Path) -> None:
    """A GAP loop written from the formulas, with nothing of this program in it, on the middle of a real snapshot."""
    rows, step, bands = slice(60, 180), 2, 28
    with np.load(data_dir / "measurements" / "tsa_net_real_scene3_legoman.npz") as z:
        y = z["meas"][rows].astype(np.float32)
    with np.load(data_dir / "masks" / "tsa_net_real_mask_660.npz") as z:
        mask = z["mask"]
    found = {"dx": -0.72, "dy": 0.234, "scale_y": 0.0028}
    residuals = []
    for values in ({}, found):
        rig = CalibratedMask(mask, ParameterSet.default(values=values), Dispersion.constant(bands, step))
        export_mask(rig, "mst-simulation", tmp_path / "mask_3d_shift.npy")
        residuals.append(gap_residual(np.load(tmp_path / "mask_3d_shift.npy")[rows], np.clip(y - 0.0085, 0, None), step))
    assert residuals[1] < 0.85 * residuals[0], residuals


def gap_residual(mask: np.ndarray, y: np.ndarray, step: int) -> float:
    """Relative residual after five GAP iterations with a Gaussian denoiser."""
    from scipy.ndimage import gaussian_filter

    phi, bands, width = (mask**2).sum(2).clip(1e-2), mask.shape[2], mask.shape[1] - step * (mask.shape[2] - 1)
    cut = [(band, slice(step * band, step * band + width)) for band in range(bands)]
    x, r = np.zeros((bands, len(y), width), np.float32), y
    for _ in range(5):
        x = gaussian_filter(x + np.stack([mask[:, c, b] * (r / phi)[:, c] for b, c in cut]), (0, 0.7, 0.7))
        r = y - sum(np.pad(mask[:, c, b] * x[b], ((0, 0), (c.start, y.shape[1] - c.stop))) for b, c in cut)
    return float(np.linalg.norm(r[4:-4, 4:-4]) / np.linalg.norm(y[4:-4, 4:-4]))


def test_a_calibration_document_is_json_with_all_digits(tmp_path: Path) -> None:
    path = stored_calibration(tmp_path, make_mask())
    assert json.loads(path.read_text())["parameters"]["alpha"]["value"] == 0.9
