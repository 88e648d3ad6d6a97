"""Regions of arrays are read bit-exactly and block by block from every format that allows it; other programs' files included."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io
import spectral.io.envi
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cassi_core.errors import InputError, RunCancelled
from cassi_core.io.cubes import read_cube
from cassi_core.io.readers import ReadMeter, Roi, list_arrays, opened, read_array, read_metadata, stored
from cassi_core.io.readers.raw_files import RAW_TYPES, parse_layout
from cassi_core.io.readers.stored import region_shape, tiles
from cassi_core.io.reconstruction_files import Reconstruction, write_reconstruction
from cassi_core.run import RunControl

many = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
ENVI_TYPES = {1: "u1", 2: "i2", 3: "i4", 4: "f4", 5: "f8", 12: "u2", 13: "u4", 14: "i8", 15: "u8"}
orders = st.sampled_from("<>")


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch):
    """Blocks so small that every array of a test takes many of them."""
    monkeypatch.setattr(stored.tiles, "__defaults__", (200,))


def numbers(shape: tuple[int, ...], dtype: str = "uint16") -> np.ndarray:
    """Values without any symmetry that fill the bytes of their type."""
    raw = np.random.default_rng(3).integers(0, 256, (*shape, np.dtype(dtype).itemsize), np.uint8)
    values = raw.view(np.dtype(dtype).newbyteorder("=")).reshape(shape)
    return np.nan_to_num(values, nan=1.5, posinf=2.5, neginf=-2.5) if values.dtype.kind == "f" else values


@st.composite
def spans(draw: st.DrawFn, dims: int = 3):
    """Lengths of axes, a region within them, and chunks."""
    lengths = [draw(st.integers(8, 14)) for _ in range(dims)]
    ends = [(draw(st.integers(0, n - 1)), n) for n in lengths]
    region = tuple(slice(a, draw(st.integers(a + 1, n))) for a, n in ends)
    return tuple(lengths), region, tuple(draw(st.integers(1, n)) for n in lengths)


@many
@given(spans(), st.integers(1, 600), st.sampled_from((1, 2, 8)))
def test_tiles_cover_a_region_once_and_follow_the_chunks(case, budget: int, item: int):
    lengths, region, chunks = case
    seen = np.zeros(lengths, int)
    for tile in tiles(region, chunks, item, budget):
        seen[tile] += 1
        assert all(s.stop > s.start for s in tile)
        smallest = np.prod([min(c, s.stop - s.start) for c, s in zip(chunks, region, strict=True)])
        assert np.prod(region_shape(tile)) * item <= max(budget, smallest * item)
        for t, r, c in zip(tile, region, chunks, strict=True):
            assert t.start == r.start or t.start % c == 0, "a cut lies on the grid of the chunks"
    wanted = np.zeros(lengths, int)
    wanted[region] = 1
    np.testing.assert_array_equal(seen, wanted)


def roi_of(rows: slice, cols: slice) -> Roi:
    return Roi((rows.start, rows.stop), (cols.start, cols.stop))


def check_region(spec: str, wanted: np.ndarray, region: tuple[slice, ...], number: int) -> None:
    """Every way to a region of `wanted` `(N, H, W)` gives exactly its values."""
    roi = roi_of(region[1], region[2])
    with opened(spec, "measurement") as chosen:
        assert chosen.stored.dtype.isnative
        part = chosen.read_picture(number, roi)
        assert part.dtype == wanted.dtype and part.flags.c_contiguous
        np.testing.assert_array_equal(part, wanted[number][region[1:]])
        mean = chosen.read_mean(roi)
    np.testing.assert_allclose(mean, wanted[(slice(None), *region[1:])].mean(axis=0, dtype=np.float64), rtol=1e-12)
    bracket = f"[{number},{roi}]"
    mark = "" if "::" in spec else "::"
    np.testing.assert_array_equal(read_array(f"{spec}{mark}{bracket}", "measurement")[0], wanted[number][region[1:]])


def spans_of(length: int) -> st.SearchStrategy[slice]:
    pairs = st.tuples(st.integers(0, length - 1), st.integers(1, length)).filter(lambda pair: pair[0] < pair[1])
    return pairs.map(lambda pair: slice(*pair))


@many
@given(spans_of(12), spans_of(14), st.sampled_from(("uint8", "uint16", "int32", "float32", "float64")), orders, st.booleans())
def test_regions_of_npy_in_both_memory_orders(tmp_path: Path, rows: slice, cols: slice, dtype: str, order: str, fortran: bool):
    values = numbers((3, 12, 14), dtype)
    np.save(tmp_path / "a.npy", np.array(values, values.dtype.newbyteorder(order), order="F" if fortran else "C"))
    check_region(str(tmp_path / "a.npy"), values, (slice(0, 3), rows, cols), 1)


@many
@given(st.sampled_from(RAW_TYPES), st.sampled_from(("little", "big")), st.integers(0, 9), st.booleans())
def test_raw_numbers_of_every_type_order_and_offset(tmp_path: Path, dtype: str, order: str, offset: int, stack: bool):
    values = numbers((3, 9, 11) if stack else (9, 11), dtype)
    stored_type = values.dtype.newbyteorder("<" if order == "little" else ">")
    (tmp_path / "a.raw").write_bytes(bytes(offset) + values.astype(stored_type).tobytes())
    shape = "3x9x11" if stack else "9x11"
    spec = f"{tmp_path / 'a.raw'}::shape={shape},dtype={dtype},order={order},offset={offset}"
    array, source = read_array(spec, "measurement")
    assert array.dtype == values.dtype and source.shape == values.shape
    np.testing.assert_array_equal(array, values)
    np.testing.assert_array_equal(read_array(f"{source.path}::{source.key}", "measurement")[0], values)
    if stack:
        check_region(spec, values, (slice(0, 3), slice(2, 9), slice(1, 5)), 2)


def test_a_long_raw_or_tiff_stack_is_not_taken_for_a_wide_picture(tmp_path: Path):
    """More pictures than rows: the format says which axis counts them."""
    values = numbers((20, 9, 11))
    (tmp_path / "a.raw").write_bytes(values.tobytes())
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="minisblack")
    np.save(tmp_path / "a.npy", np.moveaxis(values, 0, 2))
    specs = ("a.raw::shape=20x9x11,dtype=uint16[7]", "a.tif::[7]", "a.npy::[7,axis=2]")
    for spec in specs:
        np.testing.assert_array_equal(read_array(tmp_path / spec, "measurement")[0], values[7])


@many
@given(spans(), st.sampled_from((None, "gzip", "lzf")), st.booleans(), st.booleans(), orders)
def test_regions_of_chunked_and_compressed_hdf5(tmp_path: Path, case, compression, shuffle: bool, matlab: bool, order: str):
    lengths, region, chunks = case
    values = numbers(lengths)
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        data = values.T if matlab else values
        item = file.create_dataset(
            "run 1/camera/meas",
            data=data.astype(data.dtype.newbyteorder(order)),
            chunks=chunks[::-1] if matlab else chunks,
            compression=compression,
            shuffle=shuffle,
        )
        if matlab:
            item.attrs["MATLAB_class"] = np.bytes_("uint16")
    with opened(path, "measurement") as chosen:
        out = np.empty(region_shape(region), np.float32)
        chosen.stored.read_into(out, region, ReadMeter())
        assert chosen.stored.shape == lengths
    np.testing.assert_array_equal(out, values[region].astype(np.float32))
    np.testing.assert_array_equal(read_array(path, "measurement")[0], values)


@pytest.mark.parametrize(
    "writing", [{}, {"compression": "zlib"}, {"imagej": True}, {"ome": True}, {"tile": (16, 16)}, {"rowsperstrip": 4}]
)
def test_regions_of_tiff_stacks_whatever_their_metadata(tmp_path: Path, writing: dict):
    values = numbers((2, 3, 19, 23))
    axes = {"metadata": {"axes": "TCYX"}} if "imagej" in writing or "ome" in writing else {"photometric": "minisblack"}
    tifffile.imwrite(tmp_path / "a.tif", values, **axes, **writing)
    check_region(str(tmp_path / "a.tif"), values.reshape(6, 19, 23), (slice(0, 6), slice(3, 11), slice(5, 23)), 4)
    assert [a.shape for a in list_arrays(tmp_path / "a.tif")] == [(6, 19, 23)]


def test_an_ome_tiff_whose_companions_are_missing_is_read_by_its_own_pages(tmp_path: Path):
    values = numbers((3, 19, 23))
    text = '<OME><Image><Pixels SizeX="23" SizeY="19" SizeT="9" SizeC="1" SizeZ="1" DimensionOrder="XYZCT" Type="uint16">'
    tifffile.imwrite(tmp_path / "a.ome.tif", values, photometric="minisblack", description=text, metadata=None)
    np.testing.assert_array_equal(read_array(tmp_path / "a.ome.tif", "measurement")[0], values)


def write_envi(path: Path, cube: np.ndarray, interleave: str, code: int, order: str, offset: int, extra: str = "") -> Path:
    """An ENVI file by hand: `cube` is `(L, H, W)`."""
    data = cube.transpose({"bsq": (0, 1, 2), "bil": (1, 0, 2), "bip": (1, 2, 0)}[interleave])
    path.with_suffix(".img").write_bytes(bytes(offset) + data.astype(np.dtype(ENVI_TYPES[code]).newbyteorder(order)).tobytes())
    bands, lines, samples = cube.shape
    path.write_text(
        f"ENVI\ndescription = {{a = b,\n two lines}}\nsamples = {samples}\nlines = {lines}\nbands = {bands}\n"
        f"header offset = {offset}\nfile type = ENVI Standard\ndata type = {code}\ninterleave = {interleave}\n"
        f"byte order = {int(order == '>')}\n{extra}"
    )
    return path


@many
@given(st.sampled_from(("bsq", "bil", "bip")), st.sampled_from(sorted(ENVI_TYPES)), orders, st.integers(0, 77), st.booleans())
def test_envi_of_every_interleave_type_order_and_offset(
    tmp_path: Path, interleave: str, code: int, order: str, offset: int, named: bool
):
    """More bands than rows: the header says which axis is which."""
    values = numbers((13, 9, 11), ENVI_TYPES[code])
    values = np.clip(values, -1e30, 1e30) if code in (4, 5) else values
    path = write_envi(tmp_path / "a.hdr", values, interleave, code, order, offset)
    spec = path.with_suffix(".img") if named else path
    cube, nm, source = read_cube(spec)
    assert cube.shape == (13, 9, 11) and cube.flags.c_contiguous and nm is None
    np.testing.assert_array_equal(cube, values.astype(np.float32))
    part = read_cube(f"{spec}::[2:7,4:10]")[0]
    np.testing.assert_array_equal(part, values[:, 2:7, 4:10].astype(np.float32))
    assert source.shape == (13, 9, 11)
    theirs = spectral.io.envi.open(str(path), str(path.with_suffix(".img"))).load(dtype=np.float64, scale=False)
    np.testing.assert_array_equal(np.asarray(theirs).transpose(2, 0, 1).astype(np.float32), cube)


@pytest.mark.parametrize("interleave", ["bsq", "bil", "bip"])
@pytest.mark.parametrize("order", [0, 1])
def test_envi_cubes_of_spectral_python_are_read_and_ours_by_it(tmp_path: Path, interleave: str, order: int):
    values = numbers((5, 9, 12), "int16")
    metadata = {"wavelength": [450, 500, 550, 600, 650], "wavelength units": "Nanometers", "reflectance scale factor": 2}
    spectral.io.envi.save_image(
        str(tmp_path / "theirs.hdr"), values.transpose(1, 2, 0), interleave=interleave, byteorder=order, metadata=metadata
    )
    cube, nm, _ = read_cube(tmp_path / "theirs.hdr")
    np.testing.assert_array_equal(cube, values.astype(np.float32) / 2)
    assert nm is not None and nm.tolist() == [450, 500, 550, 600, 650]
    write_reconstruction(Reconstruction(cube, nm), tmp_path / "ours.hdr")
    ours = spectral.io.envi.open(str(tmp_path / "ours.hdr"))
    np.testing.assert_array_equal(np.asarray(ours.load()).transpose(2, 0, 1), cube)
    assert ours.bands.centers == nm.tolist()
    again, nm_again, _ = read_cube(tmp_path / "ours.raw")
    np.testing.assert_array_equal(again, cube)
    np.testing.assert_array_equal(nm_again, nm)


@pytest.mark.parametrize(
    ("field", "nm"),
    [
        ("wavelength units = Micrometers\nWavelength = {0.45, 0.5,\n 0.55}", [450, 500, 550]),
        ("wavelength = {450.5, 500, 550}", [450.5, 500, 550]),
        ("wavelength = {0.45, 0.5, 0.55}\nwavelength units = Unknown", [450, 500, 550]),
        ("wavelength units = Wavenumber\nwavelength = {1, 2, 3}", None),
    ],
)
def test_wavelengths_of_an_envi_header_come_in_nanometres(tmp_path: Path, field: str, nm: list[float] | None):
    path = write_envi(tmp_path / "a.hdr", numbers((3, 9, 11)), "bil", 12, "<", 0, field + "\n")
    found = read_metadata(path).wavelengths_nm
    assert found is None if nm is None else np.allclose(found, nm, rtol=1e-12)


def test_one_band_of_envi_is_a_picture_and_its_hash_covers_the_data(tmp_path: Path):
    values = numbers((1, 9, 11))
    path = write_envi(tmp_path / "a.hdr", values, "bip", 12, ">", 3)
    array, source = read_array(path, "measurement")
    np.testing.assert_array_equal(array, values[0])
    write_envi(tmp_path / "a.hdr", values + 1, "bip", 12, ">", 3)
    assert read_array(path, "measurement")[1].sha256 != source.sha256


def test_cubes_are_converted_while_they_are_read(tmp_path: Path):
    """Each format with the bands last, as the field stores them; the largest axis is neither first nor last."""
    values = numbers((5, 9, 12), "float64")
    values = np.clip(values, -1e30, 1e30)
    scipy.io.savemat(tmp_path / "a.mat", {"cube": values.transpose(1, 2, 0)})
    np.save(tmp_path / "a.npy", values.transpose(1, 2, 0))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("cube", data=values.transpose(1, 2, 0), chunks=(4, 5, 2), compression="gzip")
    for name in ("a.mat", "a.npy", "a.h5"):
        cube = read_cube(tmp_path / name)[0]
        assert cube.dtype == np.float32 and cube.flags.c_contiguous
        np.testing.assert_array_equal(cube, values.astype(np.float32))
        np.testing.assert_array_equal(
            read_cube(f"{tmp_path / name}::{'' if name == 'a.npy' else 'cube'}[3:8,0:12]")[0], cube[:, 3:8]
        )


def test_reading_is_cancelled_between_two_blocks_and_tells_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("cassi_core.io.readers.meter.REPORT_INTERVAL_S", 0.0)
    np.save(tmp_path / "a.npy", numbers((40, 50)))
    heard: list[tuple[str, float]] = []
    control = RunControl()

    def report(name: str, fraction: float) -> None:
        heard.append((name, fraction))
        if fraction > 0.5:
            control.cancel()

    with pytest.raises(RunCancelled):
        read_array(tmp_path / "a.npy", "measurement", ReadMeter(control, report))
    assert heard[0] == ("Reading a.npy", 0.0) and 0.5 < heard[-1][1] < 0.7
    assert [f for _, f in heard] == sorted(f for _, f in heard)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("shape=9x11", "does not say the dtype"),
        ("dtype=uint16", "does not say the shape"),
        ("shape=9x11,dtype=u2", "the type 'u2' is not one of"),
        ("shape=9,dtype=uint8", "the shape '9' is not ROWSxCOLUMNS"),
        ("shape=0x11,dtype=uint8", "the shape '0x11'"),
        ("shape=9x11,dtype=uint8,order=middle", "neither little nor big"),
        ("shape=9x11,dtype=uint8,offset=-4", "the offset '-4' is no number of bytes"),
        ("shape=9x11,dtype=uint8,rows=9", "'rows=9' says nothing about a raw file"),
    ],
)
def test_wrong_layouts_are_refused_in_words(text: str, words: str):
    with pytest.raises(InputError, match=words):
        parse_layout(text)
