"""Named arrays into `.mat` (version 5), `.h5`, `.npz` and `.npy`, in one step, and back without any of this program's readers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat, savemat

from cassi_core.errors import ConfigError, OutputError
from cassi_core.io.atomic import atomic_path

Arrays = Mapping[str, NDArray[np.generic]]
Check = Callable[[dict[str, NDArray[Any]]], None]
MAT_LIMIT_BYTES = 2**31
"""MATLAB version 5 files hold no array of 2 GiB or more."""
SUFFIXES = (".mat", ".h5", ".hdf5", ".npz", ".npy")


def write_arrays(path: str | Path, arrays: Arrays, notes: Mapping[str, Any], check: Check | None = None) -> tuple[Path, ...]:
    """Write named arrays in one step and return the absolute paths; the suffix of the path chooses the format.

    `.npy` holds one array a file: the first one gets the path, each other one `STEM.KEY.npy` beside it. `notes` are small values
    that go along (attributes in HDF5, extra variables in `.mat` and `.npz`, left out of `.npy`). `check` sees the arrays as they were
    read back from the disk before the file takes its name: when it raises, nothing has changed.

    Raises
    ------
    ConfigError
        A suffix that is not known.
    OutputError
        The file cannot be written there, or an array is too large for a MATLAB file.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        if not suffix:
            raise ConfigError(
                f"{path}: there is no such folder; make it first, or end the name with one of {', '.join(SUFFIXES)}"
            )
        raise ConfigError(f"{path}: unknown kind of file '{suffix}'; use one of {', '.join(SUFFIXES)}")
    if suffix == ".npy":
        return _write_npy(path, arrays, check)
    with atomic_path(path) as temporary:
        _WRITERS[suffix](temporary, arrays, notes)
        if check is not None:
            check(read_arrays(temporary, tuple(arrays)))
    return (path.absolute(),)


def read_arrays(path: str | Path, keys: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """The named arrays of a `.mat`, `.h5` or `.npz` file, as its own library reads them."""
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix == ".mat":
        stored = loadmat(path, variable_names=list(keys))
        return {key: np.asarray(stored[key]) for key in keys}
    if suffix == ".npz":
        with np.load(path, allow_pickle=False) as stored:
            return {key: stored[key] for key in keys}
    with h5py.File(path, "r") as file:
        return {key: np.asarray(file[key][()]) for key in keys}


def _write_mat(path: Path, arrays: Arrays, notes: Mapping[str, Any]) -> None:
    for key, array in arrays.items():
        if array.nbytes >= MAT_LIMIT_BYTES:
            raise OutputError(
                f"the array '{key}' has {array.nbytes / 2**30:.1f} GiB and .mat (v5) holds up to 2; write .h5 instead"
            )
    variables = {**{k: np.asarray(v) if not isinstance(v, str) else v for k, v in notes.items()}, **arrays}
    savemat(path, variables, format="5", do_compression=True, oned_as="row")


def _write_hdf5(path: Path, arrays: Arrays, notes: Mapping[str, Any]) -> None:
    with h5py.File(path, "w") as file:
        for key, array in arrays.items():
            file.create_dataset(key, data=array, compression="gzip", compression_opts=4, shuffle=True)
        for key, value in notes.items():
            file.attrs[key] = value


def _write_npz(path: Path, arrays: Arrays, notes: Mapping[str, Any]) -> None:
    np.savez_compressed(path, **{**{k: np.asarray(v) for k, v in notes.items()}, **arrays})  # type: ignore[arg-type]


_WRITERS: dict[str, Callable[[Path, Arrays, Mapping[str, Any]], None]] = {
    ".mat": _write_mat,
    ".h5": _write_hdf5,
    ".hdf5": _write_hdf5,
    ".npz": _write_npz,
}


def _write_npy(path: Path, arrays: Arrays, check: Check | None) -> tuple[Path, ...]:
    targets = {key: path if i == 0 else path.with_name(f"{path.stem}.{key}.npy") for i, key in enumerate(arrays)}
    with _temporaries(targets) as temporaries:
        for key, temporary in temporaries.items():
            np.save(temporary, arrays[key], allow_pickle=False)
        if check is not None:
            check({key: np.load(temporary, allow_pickle=False) for key, temporary in temporaries.items()})
    return tuple(target.absolute() for target in targets.values())


@contextmanager
def _temporaries(targets: Mapping[str, Path]) -> Iterator[dict[str, Path]]:
    with ExitStack() as stack:
        yield {key: stack.enter_context(atomic_path(target)) for key, target in targets.items()}
