"""ENVI: a text header NAME.hdr beside plain numbers (NAME, NAME.raw, NAME.img, ...), in any interleave and byte order.

The header is parsed by Spectral Python; the numbers are read by regions, as `[band, row, column]`.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cassi_core.errors import InputError
from cassi_core.io.readers.container import ArrayInfo, problem_of, reading
from cassi_core.io.readers.stored import MappedArray, StoredArray

DATA_SUFFIXES = ("", ".raw", ".img", ".dat", ".bin", ".bsq", ".bil", ".bip", ".cube")
AXES = {"bsq": (0, 1, 2), "bil": (1, 0, 2), "bip": (2, 0, 1)}
"""For each interleave: where bands, rows and columns are among the axes of the file, the slowest first."""
NM_PER = {"nanometers": 1.0, "nanometres": 1.0, "nm": 1.0, "micrometers": 1e3, "micrometres": 1e3, "um": 1e3, "µm": 1e3}
LONGEST_UM = 30.0
"""Wavelengths without a unit are micrometres up to here, as older headers have them, and nanometres above."""


@dataclass(frozen=True)
class EnviHeader:
    """What a header says: type and place of the numbers, the interleave, and all fields as text."""

    path: Path
    data: Path
    dtype: np.dtype[Any]
    offset: int
    lines: int
    samples: int
    bands: int
    interleave: str
    fields: dict[str, Any]

    def array(self) -> MappedArray:
        """The numbers as `[band, row, column]`."""
        sizes = {"bsq": "blc", "bil": "lbc", "bip": "lcb"}[self.interleave]
        by_letter = {"b": self.bands, "l": self.lines, "c": self.samples}
        return MappedArray(
            self.data, self.offset, self.dtype, tuple(by_letter[letter] for letter in sizes), AXES[self.interleave]
        )


class EnviFormat:
    """One nameless array `(L, H, W)`, or `(H, W)` where there is one band; the header or its data file may be named."""

    name = "ENVI"

    def list_arrays(self, path: Path) -> list[ArrayInfo]:
        header = read_header(path)
        shape = (header.bands, header.lines, header.samples)
        return [ArrayInfo("", shape, header.dtype.newbyteorder("=").name, problem_of(header.dtype), 0)]

    @contextmanager
    def open(self, path: Path, key: str) -> Iterator[StoredArray]:
        with reading(path, self.name):
            yield read_header(path).array()

    def attributes(self, path: Path) -> dict[str, Any]:
        header = read_header(path)
        found: dict[str, Any] = {}
        wavelengths = _wavelengths_nm(header)
        if wavelengths is not None:
            found["wavelengths_nm"] = wavelengths
        factor = header.fields.get("reflectance scale factor")
        if factor is not None:
            value = _number(header, "reflectance scale factor", float)
            if value > 0:
                found["scale"] = 1.0 / value
        return found

    def files(self, path: Path) -> tuple[Path, ...]:
        header = read_header(path)
        return (header.path, header.data)


def header_of(path: Path) -> Path | None:
    """The ENVI header of a path: itself, or the NAME.hdr or NAME.SUFFIX.hdr beside a data file; None when there is none."""
    if path.suffix.lower() == ".hdr":
        return path
    for place in (path.with_suffix(".hdr"), path.with_name(path.name + ".hdr"), path.with_suffix(".HDR")):
        if place != path and place.is_file() and place.open("rb").read(4) == b"ENVI":
            return place
    return None


def read_header(path: Path) -> EnviHeader:
    """The header of a cube, checked.

    Raises
    ------
    InputError
        A field is missing or makes no sense, or the data file is not there.
    """
    place = header_of(path)
    if place is None:
        raise InputError(f"{path}: there is no ENVI header {path.stem}.hdr beside it")
    fields = _fields(place)
    for name in ("lines", "samples", "bands", "data type", "interleave"):
        if name not in fields:
            raise InputError(f"{place}: the ENVI header lacks '{name}'; export the cube again")
    values = _Numbers(place, fields)
    sizes = [values.whole(name, least=1) for name in ("lines", "samples", "bands")]
    interleave = str(fields["interleave"]).strip().lower()
    if interleave not in AXES:
        raise InputError(f"{place}: the interleave is '{interleave}'; bsq, bil or bip is needed")
    order = values.whole("byte order", least=0, default=0)
    if order not in (0, 1):
        raise InputError(f"{place}: the byte order is {order}; 0 (little endian) or 1 (big endian) is needed")
    for name in ("major frame offsets", "minor frame offsets"):
        if re.search(r"[1-9]", str(fields.get(name, "0"))):
            raise InputError(f"{place}: cubes with '{name}' are not read; export the cube without them")
    dtype = _dtype(place, str(fields["data type"]).strip()).newbyteorder("<" if order == 0 else ">")
    offset = values.whole("header offset", least=0, default=0)
    data = _data_file(place, path)
    stored, needed = data.stat().st_size, offset + dtype.itemsize * math.prod(sizes)
    if stored != needed:
        what = "is cut short" if stored < needed else "is larger than its header says"
        raise InputError(f"{data}: the ENVI file {what} ({stored:,} bytes, {needed:,} are needed); copy or export it again")
    return EnviHeader(place, data, dtype, offset, sizes[0], sizes[1], sizes[2], interleave, fields)


def _fields(path: Path) -> dict[str, Any]:
    from spectral.io.envi import EnviException, read_envi_header

    with reading(path, "ENVI header"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # capital letters in names of fields
        try:
            return dict(read_envi_header(str(path)))
        except FileNotFoundError:
            raise InputError(f"{path}: there is no such file; check the name and the folder") from None
        except (EnviException, UnicodeDecodeError):
            raise InputError(
                f"{path}: this is no complete ENVI header (text that begins with ENVI); export the cube again"
            ) from None


def _dtype(path: Path, code: str) -> np.dtype[Any]:
    from spectral.io.envi import envi_to_dtype

    if code not in envi_to_dtype:
        raise InputError(f"{path}: the data type is '{code}'; one of {', '.join(envi_to_dtype)} is needed")
    dtype: np.dtype[Any] = np.dtype(envi_to_dtype[code])
    return dtype


def _data_file(header: Path, named: Path) -> Path:
    """The file with the numbers: the one that was named, or the one beside the header with the same name."""
    if named != header:
        return named
    stem = header.with_suffix("")
    for suffix in DATA_SUFFIXES:
        for place in (stem.with_name(stem.name + suffix), stem.with_name(stem.name + suffix.upper())):
            if place != header and place.is_file():
                return place
    raise InputError(f"{header}: the data of the header are not there; put {stem.name}.raw (or .img, .dat) beside it")


@dataclass(frozen=True)
class _Numbers:
    """Whole numbers among the fields of a header."""

    path: Path
    fields: dict[str, Any]

    def whole(self, name: str, *, least: int, default: int | None = None) -> int:
        if name not in self.fields and default is not None:
            return default
        text = str(self.fields[name]).strip()
        if not re.fullmatch(r"\d{1,18}", text) or int(text) < least:
            raise InputError(f"{self.path}: '{name}' is '{text}'; a whole number of at least {least} is needed")
        return int(text)


def _number(header: EnviHeader, name: str, kind: type[float]) -> float:
    try:
        return kind(str(header.fields[name]).strip())
    except ValueError:
        raise InputError(f"{header.path}: '{name}' is '{header.fields[name]}'; a number is needed") from None


def _wavelengths_nm(header: EnviHeader) -> NDArray[np.float64] | None:
    """Band centres `(L,)` in nm; None where the header gives none, or gives them in a unit that is no length."""
    texts = header.fields.get("wavelength")
    if texts is None:
        return None
    texts = [texts] if isinstance(texts, str) else texts
    try:
        values = np.array([float(text) for text in texts], np.float64)
    except ValueError:
        raise InputError(f"{header.path}: the wavelengths hold something that is no number; export the cube again") from None
    if len(values) != header.bands:
        raise InputError(f"{header.path}: {len(values)} wavelengths for {header.bands} bands; export the cube again")
    unit = str(header.fields.get("wavelength units", "")).strip().lower()
    if unit in NM_PER:
        return values * NM_PER[unit]
    if unit in ("", "unknown"):
        return values * 1e3 if values.max() <= LONGEST_UM else values
    return None
