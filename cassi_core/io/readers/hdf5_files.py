"""HDF5, among it MATLAB's `.mat` version 7.3, whose arrays are stored with their axes in reverse order.

That a file was written by MATLAB is told by its content (the text at its start or the attribute `MATLAB_class`), not by its
name: plain HDF5 files named `.mat` and MATLAB files named `.h5` both occur.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from cassi_core.errors import InputError
from cassi_core.io.readers.container import ArrayInfo, problem_of, reading
from cassi_core.io.readers.meter import ReadMeter
from cassi_core.io.readers.stored import Region, StoredArray, tiles, within

MATLAB_TEXT = b"MATLAB 7.3 MAT-file"
PRIVATE_GROUPS = ("#refs#", "#subsystem#")
"""Where MATLAB keeps the insides of cells and objects."""


class Hdf5Format:
    """Named arrays in groups; keys are paths without the leading slash."""

    name = "HDF5"

    def list_arrays(self, path: Path) -> list[ArrayInfo]:
        found: list[ArrayInfo] = []

        def visit(key: str, item: object) -> None:
            if isinstance(item, h5py.Dataset) and not key.startswith(PRIVATE_GROUPS):
                found.append(_info(key, item, matlab))

        with reading(path, self.name):
            matlab = _written_by_matlab(path)
            with h5py.File(path, "r") as file:
                file.visititems(visit)
        return found

    @contextmanager
    def open(self, path: Path, key: str) -> Iterator[StoredArray]:
        with reading(path, self.name):
            matlab = _written_by_matlab(path)
            with h5py.File(path, "r") as file:
                item = file[key]
                if not isinstance(item, h5py.Dataset):
                    raise InputError(f"{path}: '{key}' is a group; name the array inside it")
                yield Hdf5Array(item, _reversed(item, matlab))

    def attributes(self, path: Path) -> dict[str, Any]:
        with reading(path, self.name), h5py.File(path, "r") as file:
            return dict(file.attrs.items())

    def files(self, path: Path) -> tuple[Path, ...]:
        return (path,)


@dataclass(frozen=True, eq=False)
class Hdf5Array:
    """A dataset, read chunk by chunk; `reversed_axes` where MATLAB stored it with its axes in reverse order."""

    item: h5py.Dataset
    reversed_axes: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        shape = tuple(self.item.shape)
        return shape[::-1] if self.reversed_axes else shape

    @property
    def dtype(self) -> np.dtype[Any]:
        dtype: np.dtype[Any] = np.dtype(self.item.dtype).newbyteorder("=")
        return dtype

    def read_into(self, out: NDArray[Any], region: Region, meter: ReadMeter) -> None:
        if self.reversed_axes:
            region, out = region[::-1], out.T
        if not region:
            out[...] = self.item[()]
            return
        chunks = self.item.chunks or (1,) * len(region)
        for tile in tiles(region, chunks, self.item.dtype.itemsize):
            block = self.item[tile]
            out[within(tile, region)] = block
            meter.advance(block.nbytes)


def _info(key: str, item: h5py.Dataset, matlab: bool) -> ArrayInfo:
    if item.shape is None or "MATLAB_empty" in item.attrs:
        return ArrayInfo(key, (0,), "empty", "nothing (an empty array)")
    matlab_class = item.attrs.get("MATLAB_class", b"")
    name = matlab_class.decode("ascii", "replace") if isinstance(matlab_class, bytes) else str(matlab_class)
    problem = "text" if name == "char" else problem_of(item.dtype)
    if name == "cell":
        problem = "a cell array; save its content as a plain array"
    elif item.dtype.kind == "V" and set(item.dtype.names or ()) == {"real", "imag"}:
        problem = "complex numbers"
    shape = tuple(item.shape)
    dtype = str(item.dtype.newbyteorder("="))
    return ArrayInfo(key, shape[::-1] if _reversed(item, matlab) else shape, dtype, problem)


def _reversed(item: h5py.Dataset, matlab: bool) -> bool:
    return matlab or "MATLAB_class" in item.attrs


def _written_by_matlab(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(len(MATLAB_TEXT)) == MATLAB_TEXT
