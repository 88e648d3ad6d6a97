"""NumPy's `.npy` and `.npz`, without unpickling anything."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy_format

from cassi_core.io.readers.container import ArrayInfo, problem_of, reading
from cassi_core.io.readers.stored import MappedArray, MemoryArray, StoredArray


class NpyFormat:
    """One nameless array a file."""

    name = "NumPy .npy"

    def list_arrays(self, path: Path) -> list[ArrayInfo]:
        with reading(path, self.name), path.open("rb") as stream:
            return [_header(stream, "")]

    @contextmanager
    def open(self, path: Path, key: str) -> Iterator[StoredArray]:
        with reading(path, self.name):
            with path.open("rb") as stream:
                shape, columns_first, dtype = _layout(stream)
                offset = stream.tell()
            if columns_first:
                order = tuple(reversed(range(len(shape))))
                yield MappedArray(path, offset, dtype, shape[::-1], order)
            else:
                yield MappedArray(path, offset, dtype, shape)

    def attributes(self, path: Path) -> dict[str, Any]:
        return {}

    def files(self, path: Path) -> tuple[Path, ...]:
        return (path,)


class NpzFormat:
    """Named arrays in a zip archive."""

    name = "NumPy .npz"

    def list_arrays(self, path: Path) -> list[ArrayInfo]:
        found = []
        with reading(path, self.name), zipfile.ZipFile(path) as archive:
            for member in archive.namelist():
                if member.endswith(".npy"):
                    with archive.open(member) as stream:
                        found.append(_header(stream, member.removesuffix(".npy")))
        return found

    @contextmanager
    def open(self, path: Path, key: str) -> Iterator[StoredArray]:
        with reading(path, self.name), np.load(path, allow_pickle=False) as archive:
            yield MemoryArray(archive[key])

    def attributes(self, path: Path) -> dict[str, Any]:
        return {}

    def files(self, path: Path) -> tuple[Path, ...]:
        return (path,)


def _header(stream: IO[bytes], key: str) -> ArrayInfo:
    shape, _, dtype = _layout(stream)
    return ArrayInfo(key, shape, str(dtype.newbyteorder("=")), problem_of(dtype))


def _layout(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether columns are stored first, and type; the stream is then at the first number."""
    version = npy_format.read_magic(stream)
    read = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
    shape, columns_first, dtype = read(stream)
    return tuple(shape), bool(columns_first), dtype
