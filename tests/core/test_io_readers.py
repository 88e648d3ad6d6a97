"""Every file format gives back the array that was put in: shape, axis order, type, byte order; damage is told in words."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from cassi_core.errors import InputError
from cassi_core.io.readers import list_arrays, read_array

Array = NDArray[np.generic]
many = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

NUMBERS = ("uint8", "int8", "uint16", "int16", "int32", "uint32", "int64", "float16", "float32", "float64", "bool")
shapes = st.tuples(st.integers(8, 13), st.integers(8, 13))
orders = st.sampled_from("<>")


def picture(shape: tuple[int, ...], dtype: str) -> Array:
    """An image without any symmetry, so that swapped or flipped axes show."""
    values = np.arange(np.prod(shape)).reshape(shape) * 7 % 100
    return values.astype(dtype) if dtype != "bool" else values % 3 == 0


def write_mat73(path: Path, arrays: dict[str, Array], suffix_free: bool = False) -> None:
    """A file as MATLAB writes it in version 7.3: text in a user block of 512 bytes, arrays with reversed axes."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for key, value in arrays.items():
            item = file.create_dataset(key, data=value.T.astype("uint8") if value.dtype == bool else value.T)
            item.attrs["MATLAB_class"] = np.bytes_("logical" if value.dtype == bool else "double")
    with path.open("r+b") as stream:
        stream.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM")


@many
@given(shapes, st.sampled_from(NUMBERS), orders, st.booleans())
def test_npy_and_npz_keep_values_type_and_axes(tmp_path: Path, shape: tuple[int, int], dtype: str, order: str, fortran: bool):
    wanted = picture(shape, dtype)
    stored = np.array(wanted, dtype=wanted.dtype.newbyteorder(order), order="F" if fortran else "C")
    np.save(tmp_path / "a.npy", stored)
    np.savez_compressed(tmp_path / "a.npz", other=np.zeros(3), foo=stored)
    for name, key in (("a.npy", ""), ("a.npz", "foo")):
        array, source = read_array(tmp_path / name, "measurement")
        assert array.dtype == wanted.dtype and array.dtype.isnative and array.flags.c_contiguous
        np.testing.assert_array_equal(array, wanted)
        assert (source.key, source.shape) == (key, shape)


@many
@given(shapes, st.sampled_from(("uint8", "uint16", "int32", "float32", "float64")))
def test_matlab_versions_4_5_and_73_give_rows_and_columns_as_matlab_shows_them(
    tmp_path: Path, shape: tuple[int, int], dtype: str
):
    wanted = picture(shape, dtype)
    scipy.io.savemat(tmp_path / "v5.mat", {"mask": wanted, "note": "text"}, do_compression=True)
    write_mat73(tmp_path / "v73.mat", {"mask": wanted})
    write_mat73(tmp_path / "v73_named.h5", {"mask": wanted})
    names = ["v5.mat", "v73.mat", "v73_named.h5"]
    if dtype != "float32":  # the writer of version 4 stores single precision as double
        scipy.io.savemat(tmp_path / "v4.mat", {"mask": wanted}, format="4")
        names.append("v4.mat")
    for name in names:
        array, source = read_array(tmp_path / name, "mask")
        np.testing.assert_array_equal(array, wanted)
        assert source.key == "mask" and source.shape == shape
        assert [e.shape for e in list_arrays(tmp_path / name) if e.key == "mask"] == [shape]


def test_matlab_files_of_another_byte_order_are_read(tmp_path: Path):
    """A version-4 file written by hand in big-endian order: MOPT 1000 = IEEE big endian, double, full matrix."""
    wanted = picture((9, 8), "float64")
    header = struct.pack(">5i", 1000, 9, 8, 0, 5) + b"mask\0"
    (tmp_path / "big.mat").write_bytes(header + wanted.astype(">f8").tobytes(order="F"))
    array, _ = read_array(tmp_path / "big.mat", "mask")
    np.testing.assert_array_equal(array, wanted)


def test_matlab_sparse_and_logical_masks_are_read(tmp_path: Path):
    wanted = picture((9, 12), "bool")
    scipy.io.savemat(tmp_path / "sparse.mat", {"mask": scipy.sparse.csc_matrix(wanted.astype(float))})
    scipy.io.savemat(tmp_path / "logical.mat", {"mask": wanted})
    write_mat73(tmp_path / "logical73.mat", {"mask": wanted})
    for name in ("sparse.mat", "logical.mat", "logical73.mat"):
        np.testing.assert_array_equal(read_array(tmp_path / name, "mask")[0], wanted)


@many
@given(shapes, st.sampled_from(NUMBERS), orders)
def test_plain_hdf5_keeps_its_axes_whatever_its_name(tmp_path: Path, shape: tuple[int, int], dtype: str, order: str):
    wanted = picture(shape, dtype)
    for name in ("a.h5", "a.hdf5", "a.mat"):
        with h5py.File(tmp_path / name, "w") as file:
            file.create_dataset("entry/data/meas", data=wanted.astype(wanted.dtype.newbyteorder(order)))
        array, source = read_array(tmp_path / name, "measurement")
        np.testing.assert_array_equal(array, wanted)
        assert array.dtype.isnative and source.key == "entry/data/meas"
        np.testing.assert_array_equal(read_array(f"{tmp_path / name}::/entry/data/meas", "measurement")[0], wanted)


@many
@given(shapes, st.sampled_from(("uint8", "uint16", "int16", "uint32", "float32", "float64")), orders, st.booleans())
def test_tiff_of_any_depth_and_byte_order(tmp_path: Path, shape: tuple[int, int], dtype: str, order: str, big: bool):
    wanted = picture(shape, dtype)
    tifffile.imwrite(tmp_path / "a.tif", wanted, byteorder=order, bigtiff=big)
    array, source = read_array(tmp_path / "a.tif", "measurement")
    assert array.dtype == dtype and array.dtype.isnative and source.shape == shape
    np.testing.assert_array_equal(array, wanted)


def test_tiff_stack_is_pictures_first_and_a_picture_of_it_can_be_named(tmp_path: Path):
    stack = picture((3, 9, 11), "uint16")
    tifffile.imwrite(tmp_path / "a.tif", stack, photometric="minisblack")
    np.testing.assert_array_equal(read_array(tmp_path / "a.tif", "measurement")[0], stack)
    np.testing.assert_array_equal(read_array(f"{tmp_path / 'a.tif'}::[2]", "measurement")[0], stack[2])
    with pytest.raises(InputError, match="holds 3 pictures"):
        read_array(f"{tmp_path / 'a.tif'}::[3]", "measurement")


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_compressed_tiff(tmp_path: Path, compression: str, dtype: str):
    wanted = picture((20, 17), dtype)
    Image.fromarray(wanted).save(tmp_path / "a.tif", compression=compression)
    array, _ = read_array(tmp_path / "a.tif", "measurement")
    assert array.dtype == dtype
    np.testing.assert_array_equal(array, wanted)


@many
@given(shapes, st.sampled_from(("uint8", "uint16")))
def test_png_of_8_and_16_bits(tmp_path: Path, shape: tuple[int, int], dtype: str):
    wanted = (picture(shape, "float64") * (2.5 if dtype == "uint8" else 650)).astype(dtype)
    Image.fromarray(wanted).save(tmp_path / "a.png")
    array, _ = read_array(tmp_path / "a.png", "mask")
    assert array.dtype == dtype
    np.testing.assert_array_equal(array, wanted)


def test_grey_pictures_stored_in_colour_are_read_and_coloured_ones_refused(tmp_path: Path):
    grey = picture((10, 12), "uint8")
    Image.fromarray(np.stack([grey] * 3, axis=-1)).save(tmp_path / "grey.png")
    tifffile.imwrite(tmp_path / "grey.tif", np.stack([grey] * 3, axis=-1), photometric="rgb")
    Image.fromarray(grey > 40).save(tmp_path / "one_bit.png")
    np.testing.assert_array_equal(read_array(tmp_path / "grey.png", "mask")[0], grey)
    np.testing.assert_array_equal(read_array(tmp_path / "grey.tif", "mask")[0], grey)
    np.testing.assert_array_equal(read_array(tmp_path / "one_bit.png", "mask")[0] > 0, grey > 40)
    Image.fromarray(np.stack([grey, grey, 255 - grey], axis=-1)).save(tmp_path / "colour.png")
    with pytest.raises(InputError, match="colour picture"):
        read_array(tmp_path / "colour.png", "mask")


def write_everything(folder: Path) -> dict[str, Path]:
    """One file of every format, large enough to be cut anywhere."""
    image = (np.random.default_rng(1).random((40, 44)) * 250).astype("uint8")
    files = {name: folder / f"good.{name}" for name in ("npy", "npz", "mat", "h5", "tif", "png")}
    files["v73"] = folder / "good73.mat"
    np.save(files["npy"], image)
    np.savez_compressed(files["npz"], meas=image)
    scipy.io.savemat(files["mat"], {"meas": image})
    write_mat73(files["v73"], {"meas": image})
    with h5py.File(files["h5"], "w") as file:
        file["meas"] = image
    tifffile.imwrite(files["tif"], image)
    Image.fromarray(image).save(files["png"])
    return files


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(("npy", "npz", "mat", "v73", "h5", "tif", "png")), st.floats(0, 0.97))
def test_a_file_cut_short_is_refused_in_words_naming_it(tmp_path_factory: pytest.TempPathFactory, kind: str, share: float):
    folder = tmp_path_factory.mktemp("cut")
    data = write_everything(folder)[kind].read_bytes()
    path = folder / f"cut.{kind}"
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(InputError, match=r"cut\.") as caught:
        read_array(path, "measurement")
    assert str(caught.value).count("\n") == 0


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(("npy", "npz", "mat", "v73", "h5", "tif", "png")), st.integers(0, 10_000), st.integers(1, 255))
def test_a_flipped_byte_gives_an_image_or_an_input_error(
    tmp_path_factory: pytest.TempPathFactory, kind: str, position: int, change: int
):
    folder = tmp_path_factory.mktemp("flip")
    data = bytearray(write_everything(folder)[kind].read_bytes())
    data[position % len(data)] ^= change
    path = folder / f"flip.{kind}"
    path.write_bytes(data)
    try:
        array, _ = read_array(path, "measurement")
    except InputError as error:
        assert "flip." in str(error)
    else:
        assert array.dtype.kind in "fiub" and array.ndim in (2, 3)


def save_pickled(path: Path) -> None:
    np.save(path, np.array([{"a": 1}, None], dtype=object), allow_pickle=True)


def save_plain_pickle(path: Path) -> None:
    np.ones((9, 9)).dump(path)


def save_complex_mat73(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["meas"] = np.zeros((9, 9), np.complex128)


UNUSABLE: list[tuple[str, Callable[[Path], None], str]] = [
    ("objects.npy", save_pickled, "Python objects .refused"),
    ("pickle.npy", save_plain_pickle, "pickle"),
    ("complex.npy", lambda p: np.save(p, np.ones((9, 9), complex)), "complex numbers"),
    ("text.npy", lambda p: np.save(p, np.full((9, 9), "abc")), "text"),
    ("dates.npy", lambda p: np.save(p, np.zeros((9, 9), "datetime64[s]")), "dates"),
    ("records.npy", lambda p: np.save(p, np.zeros((9, 9), [("a", "f4")])), "records"),
    ("complex.mat", lambda p: scipy.io.savemat(p, {"meas": np.ones((9, 9)) * 1j}), "complex numbers"),
    ("cell.mat", lambda p: scipy.io.savemat(p, {"meas": np.array([[1, "a"]], dtype=object)}), "cell array"),
    ("struct.mat", lambda p: scipy.io.savemat(p, {"meas": {"a": np.ones((9, 9))}}), "struct"),
    ("complex.h5", save_complex_mat73, "complex numbers"),
]


@pytest.mark.parametrize(("name", "write", "words"), UNUSABLE, ids=[u[0] for u in UNUSABLE])
def test_values_that_are_no_real_numbers_are_refused_in_words(
    tmp_path: Path, name: str, write: Callable[[Path], None], words: str
):
    write(tmp_path / name)
    with pytest.raises(InputError, match=words):
        read_array(tmp_path / name, "measurement")


def test_objects_are_never_unpickled(tmp_path: Path):
    """A pickle that would write a file when loaded: the file must not appear."""
    marker = tmp_path / "was_run"

    class Bomb:
        def __reduce__(self):
            return Path.touch, (marker,)

    np.savez(tmp_path / "bomb.npz", meas=np.array([Bomb()], dtype=object))
    with pytest.raises(InputError, match="refused"):
        read_array(tmp_path / "bomb.npz", "measurement")
    assert not marker.exists()
    np.load(tmp_path / "bomb.npz", allow_pickle=True)["meas"]
    assert marker.exists(), "the bomb itself works, so that the line above means something"
