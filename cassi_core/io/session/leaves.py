"""Texts, numbers and arrays as plain HDF5 datasets and attributes that every viewer shows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from cassi_core.errors import SessionError
from cassi_core.io.session.meter import Meter

CHUNK_BYTES = 2**20
SMALL_BYTES = 2**14
"""Arrays up to this size are stored as they are: a chunk's book-keeping would cost more than compression saves."""
GZIP_LEVEL = 1
"""Measured on reconstructions with noise: level 4 takes three times as long and saves one per cent."""

TEXT = h5py.string_dtype("utf-8")
FILLS: dict[type, Any] = {float: math.nan, int: 0, bool: False, str: ""}
DTYPES: dict[type, Any] = {float: np.float64, int: np.int64, bool: np.bool_, str: TEXT}


def to_bytes(text: str) -> bytes:
    """UTF-8; file names that are no UTF-8 keep their bytes, and NUL, which HDF5 cannot hold in a text, is replaced."""
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "surrogateescape")


def to_text(value: Any) -> str:
    """The opposite of :func:`to_bytes`."""
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)


def write_attribute(group: h5py.Group, name: str, value: Any, kind: type) -> None:
    """A text, number or truth value as an attribute."""
    if kind is str:
        group.attrs.create(name, to_bytes(value), dtype=TEXT)
    else:
        group.attrs.create(name, DTYPES[kind](value))


def write_values(group: h5py.Group, name: str, values: Sequence[Any], kind: type, shape: tuple[int, ...]) -> h5py.Dataset:
    """Scalars (nested to `shape`) as a dataset of 64-bit numbers, truth values or UTF-8 texts."""
    if kind is str:
        flat = np.empty(math.prod(shape), object)
        flat[:] = [to_bytes(v) for v in _flat(values, len(shape))]
        return group.create_dataset(name, data=flat.reshape(shape), dtype=TEXT)
    return group.create_dataset(name, data=np.array(values, DTYPES[kind]).reshape(shape))


def _flat(values: Sequence[Any], depth: int) -> list[Any]:
    return list(values) if depth == 1 else [v for row in values for v in row]


def read_values(dataset: h5py.Dataset, kind: type) -> Any:
    """The Python values of a dataset written by :func:`write_values`, nested lists for more than one dimension."""
    if kind is str:
        return dataset.asstr("utf-8", "surrogateescape")[()].tolist()
    values = np.asarray(dataset[()])
    if values.dtype.kind not in "biuf":
        raise SessionError(f"{dataset.name} holds {values.dtype} where numbers are needed")
    return values.astype(DTYPES[kind]).tolist()


def chunk_shape(shape: tuple[int, ...], item_bytes: int) -> tuple[int, ...]:
    """Pieces of about a megabyte: whole bands of a cube, whole rows of a picture."""
    chunk = list(shape)
    for axis in range(len(chunk)):
        size = item_bytes * math.prod(chunk)
        if size <= CHUNK_BYTES:
            break
        chunk[axis] = max(1, CHUNK_BYTES * chunk[axis] // size)
    return tuple(chunk)


def write_array(group: h5py.Group, name: str, array: NDArray[Any], meter: Meter) -> h5py.Dataset:
    """An array in its own number type, compressed without loss when that is worth it; one chunk after the other."""
    if array.nbytes <= SMALL_BYTES or array.ndim == 0:
        meter.advance(array.nbytes)
        return group.create_dataset(name, data=array)
    dataset = group.create_dataset(
        name,
        shape=array.shape,
        dtype=array.dtype,
        chunks=chunk_shape(array.shape, array.itemsize),
        compression="gzip",
        compression_opts=GZIP_LEVEL,
        shuffle=True,
    )
    for piece in dataset.iter_chunks():
        part = array[piece]
        dataset[piece] = part
        meter.advance(part.nbytes)
    return dataset


def read_array(dataset: h5py.Dataset, meter: Meter) -> NDArray[Any]:
    """The array of a dataset; SessionError where it holds something else than numbers."""
    if dataset.dtype.kind not in "biuf":
        raise SessionError(f"{dataset.name} holds {dataset.dtype} where numbers are needed")
    if dataset.chunks is None:
        array = np.asarray(dataset[()])
        meter.advance(array.nbytes)
        return array
    found = np.empty(dataset.shape, dataset.dtype)
    for piece in dataset.iter_chunks():
        found[piece] = dataset[piece]
        meter.advance(found[piece].nbytes)
    return found
