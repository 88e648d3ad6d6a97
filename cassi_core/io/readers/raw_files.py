"""Plain numbers without any header, whose shape and type the user says: `FILE::shape=1024x1280,dtype=uint16`.

| field | meaning | default |
|---|---|---|
| `shape` | ROWSxCOLUMNS, or PICTURESxROWSxCOLUMNS, the slowest axis first | |
| `dtype` | int8 uint8 int16 uint16 int32 uint32 int64 uint64 float32 float64 | |
| `order` | little or big: which byte of a number comes first | little |
| `offset` | bytes before the first number | 0 |
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cassi_core.errors import InputError
from cassi_core.io.readers.container import ArrayInfo, reading
from cassi_core.io.readers.stored import MappedArray, StoredArray

RAW_TYPES = ("uint16", "uint8", "int8", "int16", "int32", "uint32", "int64", "uint64", "float32", "float64")
EXAMPLE = "shape=1024x1280,dtype=uint16,order=little,offset=0"


@dataclass(frozen=True)
class RawLayout:
    """Shape, type, byte order (little or big) and bytes before the first number."""

    shape: tuple[int, ...]
    dtype: str
    order: str = "little"
    offset: int = 0

    def __str__(self) -> str:
        size = "x".join(str(n) for n in self.shape)
        return f"shape={size},dtype={self.dtype},order={self.order},offset={self.offset}"

    @property
    def stored_dtype(self) -> np.dtype[Any]:
        """The type with the byte order of the file."""
        return np.dtype(self.dtype).newbyteorder("<" if self.order == "little" else ">")

    @property
    def size_bytes(self) -> int:
        """How large the file must be."""
        return self.offset + self.stored_dtype.itemsize * int(np.prod(self.shape, dtype=np.int64))

    def mismatch(self, file_bytes: int) -> str:
        """Why a file of this size does not fit, in words; empty when it does."""
        if file_bytes == self.size_bytes:
            return ""
        rest = (file_bytes - self.offset) / self.stored_dtype.itemsize / (self.shape[-2] * self.shape[-1])
        hint = ""
        if rest >= 1 and rest == int(rest):
            hint = f"; {int(rest)} pictures of {self.shape[-2]} x {self.shape[-1]} would fit"
        return f"the file has {file_bytes:,} bytes and this layout needs {self.size_bytes:,}{hint}"


def is_layout(key: str) -> bool:
    """Whether the part after `::` says a layout rather than the name of an array."""
    return bool(re.match(r"\s*(shape|dtype|order|offset)\s*=", key))


def parse_layout(key: str) -> RawLayout:
    """`shape=...,dtype=...` as a layout; InputError in words for anything else."""
    fields: dict[str, str] = {}
    for part in key.split(","):
        name, mark, value = (piece.strip() for piece in part.partition("="))
        if not mark or name not in ("shape", "dtype", "order", "offset") or name in fields:
            raise InputError(f"'{part.strip()}' says nothing about a raw file; write it like {EXAMPLE}")
        fields[name] = value
    for name in ("shape", "dtype"):
        if name not in fields:
            raise InputError(f"'{key}' does not say the {name} of the raw file; write it like {EXAMPLE}")
    if not re.fullmatch(r"[1-9]\d{0,8}(x[1-9]\d{0,8}){1,2}", fields["shape"]):
        raise InputError(f"the shape '{fields['shape']}' is not ROWSxCOLUMNS or PICTURESxROWSxCOLUMNS, for instance 1024x1280")
    if fields["dtype"] not in RAW_TYPES:
        raise InputError(f"the type '{fields['dtype']}' is not one of {', '.join(RAW_TYPES)}")
    if fields.get("order", "little") not in ("little", "big"):
        raise InputError(f"the byte order '{fields['order']}' is neither little nor big")
    if not re.fullmatch(r"\d{1,15}", fields.get("offset", "0")):
        raise InputError(f"the offset '{fields['offset']}' is no number of bytes")
    shape = tuple(int(n) for n in fields["shape"].split("x"))
    return RawLayout(shape, fields["dtype"], fields.get("order", "little"), int(fields.get("offset", "0")))


class RawFormat:
    """One array whose key is its layout; a third dimension counts pictures."""

    name = "raw"

    def __init__(self, key: str) -> None:
        self._key = key
        self._layout = parse_layout(key)

    def list_arrays(self, path: Path) -> list[ArrayInfo]:
        layout = self._layout
        problem = layout.mismatch(path.stat().st_size)
        if problem:
            raise InputError(f"{path}: {problem}; check shape, dtype and offset")
        return [ArrayInfo(self._key, layout.shape, layout.dtype, "", 0 if len(layout.shape) == 3 else None)]

    @contextmanager
    def open(self, path: Path, key: str) -> Iterator[StoredArray]:
        layout = self._layout
        with reading(path, self.name):
            yield MappedArray(path, layout.offset, layout.stored_dtype, layout.shape)

    def attributes(self, path: Path) -> dict[str, Any]:
        return {}

    def files(self, path: Path) -> tuple[Path, ...]:
        return (path,)
