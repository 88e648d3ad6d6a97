"""NumPy's `.npy` and `.npz`, without unpickling anything."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from cassi_core.io.readers.container import ArrayInfo, native, problem_of, reading


class NpyFormat:
    """One nameless array a file."""

    name = "NumPy .npy"

    def list_arrays(self, path: Path) -> list[ArrayInfo]:
        with reading(path, self.name), path.open("rb") as stream:
            return [_header(stream, "")]

    def load(self, path: Path, key: str) -> NDArray[np.generic]:
        with reading(path, self.name):
            return native(np.load(path, allow_pickle=False))

    def attributes(self, path: Path) -> dict[str, Any]:
        return {}


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

    def load(self, path: Path, key: str) -> NDArray[np.generic]:
        with reading(path, self.name), np.load(path, allow_pickle=False) as archive:
            return native(archive[key])

    def attributes(self, path: Path) -> dict[str, Any]:
        return {}


def _header(stream: IO[bytes], key: str) -> ArrayInfo:
    version = npy_format.read_magic(stream)
    read = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
    shape, _, dtype = read(stream)
    return ArrayInfo(key, tuple(shape), str(dtype.newbyteorder("=")), problem_of(dtype))
