"""Which array of a file is taken: by key, by a well-known name, or as the only one that fits."""

from __future__ import annotations

import hashlib
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io

from cassi_core.errors import InputError
from cassi_core.io.cubes import bands_first, read_cube
from cassi_core.io.readers import find_key, list_arrays, read_array, read_metadata, split_spec
from cassi_core.io.readers.select import as_stack


def image(seed: int = 0, shape: tuple[int, ...] = (9, 12)) -> np.ndarray:
    return np.random.default_rng(seed).random(shape).astype(np.float32)


@pytest.mark.parametrize(
    ("spec", "path", "key"),
    [
        ("a/b.npz::meas", "a/b.npz", "meas"),
        ("b.h5::/entry/meas", "b.h5", "entry/meas"),
        ("b.npz", "b.npz", ""),
        (r"C:\data\b.npz::y", r"C:\data\b.npz", "y"),
        ("odd::name.npz::y", "odd::name.npz", "y"),
    ],
)
def test_split_spec(spec: str, path: str, key: str):
    assert split_spec(spec) == (Path(path), key)


@pytest.mark.parametrize(
    ("role", "names", "chosen"),
    [
        ("measurement", ("mask", "meas", "other"), "meas"),
        ("measurement", ("meas_real", "mask"), "meas_real"),
        ("measurement", ("mask", "frame", "dark"), "frame"),
        ("mask", ("meas", "mask", "other"), "mask"),
        ("mask", ("meas", "aperture"), "aperture"),
        ("dark", ("dark", "meas"), "dark"),
        ("dark", ("meas",), "meas"),
        ("flat", ("lamp", "dark"), "lamp"),
    ],
)
def test_the_right_array_is_taken(tmp_path: Path, role, names: tuple[str, ...], chosen: str):
    arrays = {name: image(i) for i, name in enumerate(names)}
    np.savez(tmp_path / "f.npz", step_px=2, **arrays)
    array, source = read_array(tmp_path / "f.npz", role)
    assert source.key == chosen
    np.testing.assert_array_equal(array, arrays[chosen])


def test_a_key_overrules_the_names(tmp_path: Path):
    np.savez(tmp_path / "f.npz", meas=image(0), other=image(1))
    array, source = read_array(f"{tmp_path / 'f.npz'}::other", "measurement")
    np.testing.assert_array_equal(array, image(1))
    assert source.key == "other"
    assert source.sha256 == hashlib.sha256((tmp_path / "f.npz").read_bytes()).hexdigest()


def test_several_candidates_are_listed_with_their_shapes(tmp_path: Path):
    np.savez(tmp_path / "f.npz", first=image(shape=(9, 12)), second=image(shape=(10, 13)), number=3)
    with pytest.raises(
        InputError, match=r"several arrays.*f\.npz::KEY.*first \[9 x 12, float32\], second \[10 x 13, float32\]$"
    ):
        read_array(tmp_path / "f.npz", "measurement")


def test_an_unknown_key_lists_what_there_is(tmp_path: Path):
    np.savez(tmp_path / "f.npz", first=image(), text="abc")
    with pytest.raises(InputError, match=r"no array 'foo'.*first \[9 x 12, float32\].*text \[a single value, text\]"):
        read_array(f"{tmp_path / 'f.npz'}::foo", "measurement")


def test_the_same_name_in_two_groups_must_be_chosen(tmp_path: Path):
    with h5py.File(tmp_path / "f.h5", "w") as file:
        file["run1/meas"] = image(1)
        file["run2/meas"] = image(2)
    with pytest.raises(InputError, match=r"several arrays are named 'meas'.*run1/meas.*run2/meas"):
        read_array(tmp_path / "f.h5", "measurement")
    np.testing.assert_array_equal(read_array(f"{tmp_path / 'f.h5'}::run2/meas", "measurement")[0], image(2))


@pytest.mark.parametrize("shape", [(12,), (2, 3, 9, 12), (0, 12)])
def test_wrong_dimensions_are_told(tmp_path: Path, shape: tuple[int, ...]):
    np.savez(tmp_path / "f.npz", meas=image(shape=shape))
    size = " x ".join(str(n) for n in shape)
    with pytest.raises(InputError, match=rf"meas \[{size}, float32\] has the wrong dimensions; an image of 2 dimensions"):
        read_array(tmp_path / "f.npz", "measurement")


def test_a_cube_is_not_taken_for_a_stack_of_measurements(tmp_path: Path):
    np.savez(tmp_path / "f.npz", img=image(shape=(9, 12, 5)))
    with pytest.raises(InputError, match="no array in it could be the measurement"):
        read_array(tmp_path / "f.npz", "measurement")


def test_an_hdf5_group_and_an_empty_container_are_told(tmp_path: Path):
    with h5py.File(tmp_path / "f.h5", "w") as file:
        file["run/meas"] = image()
    with pytest.raises(InputError, match="there is no array 'run' in it; it holds run/meas"):
        read_array(f"{tmp_path / 'f.h5'}::run", "measurement")
    with h5py.File(tmp_path / "empty.h5", "w"):
        pass
    with pytest.raises(InputError, match="holds no arrays"):
        read_array(tmp_path / "empty.h5", "measurement")


def test_axes_of_length_one_are_dropped(tmp_path: Path):
    np.save(tmp_path / "f.npy", image(shape=(1, 9, 12, 1)))
    array, source = read_array(tmp_path / "f.npy", "measurement")
    assert array.shape == (9, 12) and source.shape == (1, 9, 12, 1)


def test_a_stack_counts_along_its_shortest_axis():
    last = image(shape=(9, 12, 3))
    np.testing.assert_array_equal(as_stack(last), np.stack([last[..., i] for i in range(3)]))
    first = image(shape=(2, 9, 12))
    np.testing.assert_array_equal(as_stack(first), first)


def test_find_key_gives_only_well_known_names(tmp_path: Path):
    np.savez(tmp_path / "f.npz", meas=image(), aperture=image(1))
    assert find_key(tmp_path / "f.npz", "measurement") == "meas"
    assert find_key(tmp_path / "f.npz", "mask") is None


def test_listing_reads_headers_of_mat_and_npz(tmp_path: Path):
    scipy.io.savemat(tmp_path / "f.mat", {"mask": image(), "name": "rig"})
    assert {(e.key, e.shape, e.usable) for e in list_arrays(tmp_path / "f.mat")} == {
        ("mask", (9, 12), True),
        ("name", (1,), False),
    }


def test_metadata_of_npz_mat_and_hdf5(tmp_path: Path):
    nm = np.linspace(450, 650, 5)
    np.savez(tmp_path / "f.npz", meas=image(), step_px=1.5, n_bands=5, wavelengths_nm=nm)
    scipy.io.savemat(tmp_path / "f.mat", {"meas": image(), "step_px": 1.5, "n_bands": 5, "wavelengths_nm": nm})
    with h5py.File(tmp_path / "attributes.h5", "w") as file:
        file["meas"] = image()
        file.attrs.update({"step_px": 1.5, "n_bands": 5, "wavelengths_nm": nm})
    for name in ("f.npz", "f.mat", "attributes.h5"):
        metadata = read_metadata(tmp_path / name)
        assert (metadata.step_px, metadata.n_bands) == (1.5, 5)
        np.testing.assert_array_equal(metadata.wavelengths_nm, nm)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"step_px": -2}, "step_px is -2; one positive number"),
        ({"step_px": [1, 2]}, "step_px"),
        ({"n_bands": 2.5}, "n_bands is 2.5; a whole number"),
        ({"n_bands": 0}, "n_bands is 0"),
        ({"wavelengths_nm": [450, float("nan")]}, "wavelengths_nm must be positive numbers"),
    ],
)
def test_metadata_that_makes_no_sense_is_told(tmp_path: Path, values: dict, words: str):
    np.savez(tmp_path / "f.npz", meas=image(), **values)
    with pytest.raises(InputError, match=words):
        read_metadata(tmp_path / "f.npz")


def test_cubes_of_both_orders_come_out_bands_first(tmp_path: Path):
    cube = image(shape=(4, 9, 12))
    np.savez(tmp_path / "bands_last.npz", img=np.moveaxis(cube, 0, -1), scale=0.5, wavelengths_nm=[1, 2, 3, 4])
    np.savez(tmp_path / "bands_first.npz", cube=cube)
    last, nm, source = read_cube(tmp_path / "bands_last.npz")
    np.testing.assert_allclose(last, 0.5 * cube, rtol=1e-6)
    np.testing.assert_array_equal(nm, [1, 2, 3, 4])
    assert source.key == "img"
    first, nm, _ = read_cube(tmp_path / "bands_first.npz")
    np.testing.assert_array_equal(first, cube)
    assert nm is None
    with pytest.raises(InputError, match=r"a cube of 5 bands"):
        read_cube(tmp_path / "bands_first.npz", n_bands=5)


def test_known_sizes_tell_the_axes_of_an_ambiguous_cube_apart():
    """More bands than rows, and as many bands as columns."""
    cube = image(shape=(12, 9, 12))
    assert bands_first(cube, image_shape=(9, 12))[3, 4, 5] == cube[3, 4, 5]
    assert bands_first(cube, image_shape=(12, 9))[3, 4, 5] == cube[4, 5, 3]
    wide = image(shape=(20, 9, 8))
    assert bands_first(wide, n_bands=20)[3, 4, 5] == wide[3, 4, 5]
