"""MATLAB `.mat` files of versions 4 to 7 (version 7.3 is HDF5: :mod:`cassi_core.io.readers.hdf5_files`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from cassi_core.errors import InputError
from cassi_core.io.readers.container import ArrayInfo, problem_of, reading
from cassi_core.io.readers.stored import MemoryArray, StoredArray

CLASS_PROBLEMS = {
    "cell": "a cell array; save its content as a plain array",
    "struct": "a struct; save its fields as plain arrays",
    "object": "a MATLAB object; save its data as a plain array",
    "opaque": "a MATLAB object; save its data as a plain array",
    "function": "a function handle",
    "char": "text",
    "unknown": "values of an unknown type",
}
"""MATLAB classes that hold no numbers."""


class MatFormat:
    """Named arrays; two-dimensional at least, as MATLAB has it."""

    name = "MATLAB .mat"

    def list_arrays(self, path: Path) -> list[ArrayInfo]:
        from scipy.io import whosmat

        with reading(path, self.name):
            return [ArrayInfo(k, tuple(s), "logical" if c == "logical" else c, _problem(c)) for k, s, c in whosmat(str(path))]

    @contextmanager
    def open(self, path: Path, key: str) -> Iterator[StoredArray]:
        from scipy import sparse
        from scipy.io import loadmat

        with reading(path, self.name):
            value = loadmat(str(path), variable_names=[key])[key]
            array = np.asarray(value.toarray() if sparse.issparse(value) else value)
            problem = problem_of(array.dtype)
            if problem:
                # whosmat does not tell complex from real.
                raise InputError(f"{path}: the array '{key}' holds {problem}; real numbers are needed")
            yield MemoryArray(array)

    def attributes(self, path: Path) -> dict[str, Any]:
        return {}

    def files(self, path: Path) -> tuple[Path, ...]:
        return (path,)


def _problem(matlab_class: str) -> str:
    return CLASS_PROBLEMS.get(matlab_class, "")
