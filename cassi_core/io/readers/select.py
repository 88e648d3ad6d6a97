"""Choosing an array in a file: by `FILE::key`, by a well-known name, or because it is the only one that fits."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cassi_core.errors import InputError
from cassi_core.inputs import Source
from cassi_core.io.readers.container import ArrayInfo
from cassi_core.io.readers.formats import format_of

Role = Literal["measurement", "mask", "dark", "flat", "cube"]

WELL_KNOWN: dict[Role, tuple[str, ...]] = {
    "measurement": ("meas", "meas_real", "y", "measurement"),
    "mask": ("mask", "mask_3d_shift", "mask_3d"),
    "dark": ("dark", "meas", "meas_real", "y", "measurement"),
    "flat": ("flat", "meas", "meas_real", "y", "measurement"),
    "cube": ("cube", "truth", "img"),
}
"""Names that public files use, per role, in order of preference.

Dark and flat frames are pictures of the same camera and may well be stored under the name of a measurement."""

SMALLEST_IMAGE = 8
"""Arrays with fewer rows or columns are never taken for a picture."""


def split_spec(spec: str | Path) -> tuple[Path, str]:
    """`FILE::key` as file and key; the key is empty when none is named."""
    text = str(spec)
    path, mark, key = text.rpartition("::")
    return (Path(path), key.strip("/")) if mark else (Path(text), "")


def read_array(spec: str | Path, role: Role) -> tuple[NDArray[np.generic], Source]:
    """Read the array that plays a role from a file, in its own number type, native byte order and C order.

    Parameters
    ----------
    spec
        `FILE` or `FILE::key`; `FILE::key[i]` takes one picture of a stack.
    role
        measurement, mask, dark, flat (2 dimensions, or 3 for a stack or a mask of each band) or cube (3 dimensions).

    Returns
    -------
    The array without axes of length one, and where it came from (path, key, SHA-256 of the file, shape as stored).

    Raises
    ------
    InputError
        No such file or key, a damaged file, no array or several arrays that fit (they are listed), numbers that are not real.
    """
    path, key = split_spec(spec)
    form = format_of(path)
    entries = form.list_arrays(path)
    chosen, index = _choose(path, entries, key, role)
    array = form.load(path, chosen.key)
    source = Source(str(path), chosen.key, sha256_of(path), tuple(array.shape))
    if index is not None:
        array = _picture_of_stack(array, index, f"{path}::{key}")
    return np.ascontiguousarray(_without_ones(array, 3 if role == "cube" else 2)), source


def find_key(path: Path, role: Role) -> str | None:
    """The key of the array with a well-known name of a role in a file; None when there is none."""
    entry = _well_known([e for e in format_of(path).list_arrays(path) if e.usable], role, path)
    return None if entry is None else entry.key


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _choose(path: Path, entries: list[ArrayInfo], key: str, role: Role) -> tuple[ArrayInfo, int | None]:
    if not entries:
        raise InputError(f"{path}: the file holds no arrays; is it the right file?")
    if key:
        return _named(path, entries, key, role)
    known = _well_known(entries, role, path)
    if known is None:
        known = _only_fitting(path, entries, role)
    _check_usable(path, known)
    if not _fits(known, role):
        raise InputError(f"{path}: {known.describe()} has the wrong dimensions; {_wanted(role)} is needed")
    return known, None


def _named(path: Path, entries: list[ArrayInfo], key: str, role: Role) -> tuple[ArrayInfo, int | None]:
    """The array that the user named, and the picture of a stack if one was named."""
    index: int | None = None
    entry = next((e for e in entries if e.key == key), None)
    if entry is None and (match := re.fullmatch(r"(.*)\[(\d+)\]", key)):
        index = int(match[2])
        entry = next((e for e in entries if e.key == match[1]), None)
    if entry is None:
        raise InputError(f"{path}: there is no array '{key}' in it; it holds {_listing(entries)}")
    _check_usable(path, entry)
    dims = len(_squeezed(entry.shape))
    if dims != 3 if role == "cube" or index is not None else dims not in (2, 3):
        wanted = "a stack of pictures" if index is not None else _wanted(role)
        raise InputError(f"{path}: {entry.describe()} has the wrong dimensions; {wanted} is needed")
    return entry, index


def _well_known(entries: list[ArrayInfo], role: Role, path: Path) -> ArrayInfo | None:
    """The array with the first well-known name of a role; groups do not count as part of the name."""
    for name in WELL_KNOWN[role]:
        matches = [e for e in entries if e.key.rpartition("/")[2].lower() == name]
        if len(matches) > 1:
            raise InputError(
                f"{path}: several arrays are named '{name}'; choose with {path.name}::KEY from {_listing(matches)}"
            )
        if matches:
            return matches[0]
    return None


def _only_fitting(path: Path, entries: list[ArrayInfo], role: Role) -> ArrayInfo:
    """The only array that could play a role, leaving out those whose names belong to another role."""
    others = {n for names in WELL_KNOWN.values() for n in names} - set(WELL_KNOWN[role])
    free = [e for e in entries if e.key.rpartition("/")[2].lower() not in others]
    fitting = [e for e in free if e.usable and _fits(e, role)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise InputError(f"{path}: several arrays could be the {role}; choose with {path.name}::KEY from {_listing(fitting)}")
    nameless = [e for e in entries if not e.key]
    if nameless:
        return nameless[0]
    raise InputError(f"{path}: no array in it could be the {role} ({_wanted(role)} is needed); it holds {_listing(entries)}")


def _check_usable(path: Path, entry: ArrayInfo) -> None:
    if not entry.usable:
        name = f"the array '{entry.key}'" if entry.key else "the array"
        raise InputError(f"{path}: {name} holds {entry.problem}; real numbers are needed")


def _fits(entry: ArrayInfo, role: Role) -> bool:
    """Whether the shape suits the role; stacks only under well-known names or in nameless files (a TIFF stack)."""
    shape = _squeezed(entry.shape)
    if role == "cube":
        return len(entry.shape) == 3
    if min(shape, default=0) < SMALLEST_IMAGE and len(shape) == 2:
        return not entry.key
    known = entry.key.rpartition("/")[2].lower() in WELL_KNOWN[role] or not entry.key
    return len(shape) == 2 or (len(shape) == 3 and known)


def _squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(n for n in shape if n != 1)


def _without_ones(array: NDArray[np.generic], wanted: int) -> NDArray[np.generic]:
    """Drop axes of length one as long as more than the wanted number of dimensions is left."""
    for axis in reversed(range(array.ndim)):
        if array.ndim > wanted and array.shape[axis] == 1:
            array = array.squeeze(axis)
    return array


def _picture_of_stack(array: NDArray[np.generic], index: int, name: str) -> NDArray[np.generic]:
    stack = as_stack(array)
    if index >= len(stack):
        raise InputError(f"{name}: the stack holds {len(stack)} pictures, numbered from 0")
    return np.asarray(stack[index])


def as_stack(array: NDArray[np.generic]) -> NDArray[np.generic]:
    """Pictures `(N, H, W)` of an image `(H, W)` or of a stack whose shortest axis counts the pictures (the first on a tie)."""
    array = _without_ones(array, 2)
    if array.ndim == 2:
        return array[None]
    return np.moveaxis(array, int(np.argmin(array.shape)), 0)


def _wanted(role: Role) -> str:
    return "a cube of 3 dimensions" if role == "cube" else "an image of 2 dimensions"


def _listing(entries: list[ArrayInfo]) -> str:
    shown = ", ".join(e.describe() for e in entries[:12])
    return shown + (f" and {len(entries) - 12} more" if len(entries) > 12 else "")
