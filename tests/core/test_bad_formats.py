"""Unusable files of the formats that carry a header of their own, or none: exit code 3, one sentence, within a second."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile
from PIL import Image

from cassi_core.cli import main
from cassi_core.errors import InputError
from cassi_core.io.inputs_from_files import load_inputs

MASK = np.random.default_rng(1).random((24, 32)).astype(np.float32)
MEAS = np.random.default_rng(2).random((24, 38)).astype(np.float32)
HEADER = {
    "samples": "32",
    "lines": "24",
    "bands": "4",
    "header offset": "0",
    "data type": "4",
    "interleave": "bil",
    "byte order": "0",
}


def envi(data_bytes: int = 24 * 32 * 4 * 4, name: str = "ref.raw", text: str | None = None, **changes: str | None):
    """A reference cube in ENVI that would be good but for the changes."""

    def make(folder: Path) -> list[str]:
        fields = {**HEADER, **{k.replace("_", " "): v for k, v in changes.items()}}
        lines = "".join(f"{k} = {v}\n" for k, v in fields.items() if v is not None)
        (folder / "ref.hdr").write_text("ENVI\n" + lines if text is None else text)
        (folder / name).write_bytes(bytes(data_bytes))
        return [*rig(folder), str(folder / "ref.hdr")]

    return make


def rig(folder: Path) -> list[str]:
    np.savez(folder / "a.npz", meas=MEAS, mask=MASK, n_bands=4)
    return [str(folder / "a.npz")]


def raw(layout: str, size: int = 24 * 38 * 2) -> Callable[[Path], list[str]]:
    def make(folder: Path) -> list[str]:
        np.save(folder / "mask.npy", MASK)
        (folder / "m.raw").write_bytes(np.random.default_rng(0).bytes(size))
        spec = f"{folder / 'm.raw'}::{layout}" if layout else str(folder / "m.raw")
        return [spec, "--mask", str(folder / "mask.npy"), "--bands", "4"]

    return make


def option(name: str, file: str, content: bytes) -> Callable[[Path], list[str]]:
    def make(folder: Path) -> list[str]:
        (folder / file).write_bytes(content)
        return [*rig(folder), name, str(folder / file)]

    return make


def image_file(name: str, change: Callable[[bytes], bytes]) -> Callable[[Path], list[str]]:
    """A snapshot in a picture file whose bytes were changed."""

    def make(folder: Path) -> list[str]:
        np.save(folder / "mask.npy", MASK)
        path = folder / name
        counts = (MEAS * 60000).astype(np.uint16)
        if name.endswith(".png"):
            Image.fromarray(counts).save(path)
        elif name.endswith(".h5"):
            with h5py.File(path, "w") as file:
                file.create_dataset("meas", data=counts, chunks=(8, 8), compression="gzip")
        else:
            tifffile.imwrite(path, np.stack([counts, counts]), photometric="minisblack", compression="zlib")
        path.write_bytes(change(path.read_bytes()))
        return [str(path), "--mask", str(folder / "mask.npy"), "--bands", "4"]

    return make


def huge_tiff(folder: Path) -> list[str]:
    """A header that promises a picture of 4 billion rows."""
    np.save(folder / "mask.npy", MASK)
    tags = (
        (256, 4, 60000),
        (257, 4, 2**31 - 1),
        (258, 3, 16),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 8),
        (277, 3, 1),
        (278, 4, 9),
        (279, 4, 64),
    )
    body = b"".join(struct.pack("<HHIL", tag, kind, 1, value) for tag, kind, value in tags)
    (folder / "m.tif").write_bytes(b"II*\0" + struct.pack("<L", 8) + struct.pack("<H", len(tags)) + body + bytes(4))
    return [str(folder / "m.tif"), "--mask", str(folder / "mask.npy"), "--bands", "4"]


CASES: dict[str, tuple[Callable[[Path], list[str]], str]] = {
    "raw without a layout": (
        raw(""),
        "say how raw numbers are stored: FILE::shape=1024x1280,dtype=uint16,order=little,offset=0",
    ),
    "raw too short": (raw("shape=24x38,dtype=float32"), "the file has 1,824 bytes and this layout needs 3,648"),
    "raw too long": (raw("shape=24x38,dtype=uint8"), "; 2 pictures of 24 x 38 would fit; check shape, dtype and offset"),
    "raw wrong type": (raw("shape=24x38,dtype=int12"), "the type 'int12' is not one of uint16, uint8"),
    "raw wrong shape": (raw("shape=24*38,dtype=uint16"), "the shape '24*38' is not ROWSxCOLUMNS"),
    "wavelengths in words": (
        option("--wavelengths", "w.csv", b"red\ngreen\n"),
        "w.csv: the table of wavelengths holds no numbers",
    ),
    "bad pixels outside": (
        option("--bad-pixels", "b.csv", b"row,col\n24,0\n"),
        "row 24, column 0 lies outside the picture of 24 x 38",
    ),
    "bad pixels cut short": (
        option("--bad-pixels", "b.png", b"\x89PNG\r\n\x1a\n\0\0"),
        "b.png: the PNG file is damaged or cut short",
    ),
    "dispersion of bytes": (
        option("--dispersion", "d.csv", bytes(range(200))),
        "d.csv: the dispersion table cannot be read as text",
    ),
    "truncated png": (image_file("m.png", lambda b: b[: len(b) // 2]), "m.png: the PNG file is damaged or cut short"),
    "truncated tiff stack": (
        image_file("m.tif", lambda b: b[: len(b) * 3 // 4]),
        "m.tif: the TIFF file is damaged or cut short",
    ),
    "truncated chunks": (image_file("m.h5", lambda b: b[: len(b) * 3 // 4]), "m.h5: the HDF5 file is damaged or cut short"),
    "spoiled chunks": (image_file("m.h5", lambda b: b[:-900] + bytes(900)), "m.h5: the HDF5 file is damaged or cut short"),
    "absurd tiff": (huge_tiff, "m.tif"),
}

CUBES: dict[str, tuple[Callable[[Path], list[str]], str]] = {
    "ENVI cut short": (envi(24 * 32 * 4 * 4 - 1), "ref.raw: the ENVI file is cut short (12,287 bytes, 12,288 are needed)"),
    "ENVI larger than said": (envi(data_type="1"), "ref.raw: the ENVI file is larger than its header says"),
    "ENVI without data": (envi(name="other.raw"), "put ref.raw (or .img, .dat) beside it"),
    "ENVI without lines": (envi(lines=None), "the ENVI header lacks 'lines'"),
    "ENVI with odd lines": (envi(lines="24.5"), "'lines' is '24.5'; a whole number of at least 1 is needed"),
    "ENVI with no bands": (envi(bands="0"), "'bands' is '0'"),
    "ENVI interleave": (envi(interleave="bqs"), "the interleave is 'bqs'; bsq, bil or bip is needed"),
    "ENVI data type": (envi(data_type="7"), "the data type is '7'; one of 1, 2, 3"),
    "ENVI complex": (envi(data_bytes=24 * 32 * 4 * 8, data_type="6"), "complex numbers; real numbers are needed"),
    "ENVI byte order": (envi(byte_order="2"), "the byte order is 2"),
    "ENVI open bracket": (envi(wavelength="{450, 500"), "this is no complete ENVI header"),
    "ENVI frame offsets": (envi(major_frame_offsets="{4, 4}"), "'major frame offsets' are not read"),
    "ENVI wavelengths": (envi(wavelength="{450, 500, 550}"), "3 wavelengths for 4 bands"),
    "ENVI wavelength words": (envi(wavelength="{a, b, c, d}"), "the wavelengths hold something that is no number"),
    "ENVI of another size": (envi(samples="16", lines="48"), "a cube of 4 bands of 24 x 32 is needed"),
    "text named hdr": (envi(text="hello\n"), "the file holds text"),
}


@pytest.fixture(scope="module", autouse=True)
def everything_imported():
    """Which test comes first must not matter for the time."""
    main(["check", "there-is-no-such-file.npz"])


@pytest.mark.parametrize("case", CASES)
def test_one_sentence_exit_code_3_within_a_second(case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    make, words = CASES[case]
    arguments = make(tmp_path)
    start = time.perf_counter()
    assert main(["check", *arguments]) == 3
    assert time.perf_counter() - start < 1
    out, err = capsys.readouterr()
    assert words in err and err.startswith("cassi: ")
    assert err.count("\n") == 1 and "Traceback" not in err and out == ""


@pytest.mark.parametrize("case", CUBES)
def test_a_cube_that_cannot_be_used_is_one_sentence_within_a_second(case: str, tmp_path: Path):
    make, words = CUBES[case]
    measurement, cube = make(tmp_path)
    start = time.perf_counter()
    with pytest.raises(InputError) as caught:
        load_inputs([measurement], reference=cube)
    assert time.perf_counter() - start < 1
    assert words in str(caught.value) and "\n" not in str(caught.value) and caught.value.exit_code == 3
