"""Choosing an array in a file: by `FILE::key`, by a well-known name, or because it is the only one that fits."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cassi_core.errors import InputError
from cassi_core.inputs import Source
from cassi_core.io.readers.container import ArrayInfo
from cassi_core.io.readers.formats import format_of
from cassi_core.io.readers.meter import ReadMeter
from cassi_core.io.readers.raw_files import is_layout
from cassi_core.io.readers.selection import MEAN, Roi, Selection, split_selection
from cassi_core.io.readers.stored import Region, StoredArray, region_shape, whole

Role = Literal["measurement", "mask", "dark", "flat", "cube", "bad-pixel map"]

WELL_KNOWN: dict[Role, tuple[str, ...]] = {
    "measurement": ("meas", "meas_real", "y", "measurement"),
    "mask": ("mask", "mask_3d_shift", "mask_3d"),
    "dark": ("dark", "meas", "meas_real", "y", "measurement"),
    "flat": ("flat", "meas", "meas_real", "y", "measurement"),
    "cube": ("cube", "truth", "img"),
    "bad-pixel map": ("bad_pixels", "bad_pixel_map", "badpixels", "bad"),
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


def joined_spec(path: str | Path, key: str, selection: Selection) -> str:
    """File, key and selection as one text, which :func:`opened` understands."""
    named = f"{key}{selection}"
    return f"{path}::{named}" if named else str(path)


@dataclass(frozen=True, eq=False)
class ChosenArray:
    """The array of a file that plays a role, open for reading, and what is taken of it."""

    path: Path
    entry: ArrayInfo
    stored: StoredArray
    selection: Selection
    role: Role
    meter: ReadMeter

    @property
    def name(self) -> str:
        """File and key, for messages."""
        return f"{self.path}::{self.entry.key}" if self.entry.key else str(self.path)

    @property
    def axes(self) -> tuple[int, ...]:
        """The axes that are not of length one, or as many of the others as the role needs."""
        return _kept_axes(self.stored.shape, 3 if self.role == "cube" else 2)

    @property
    def picture_axis(self) -> int | None:
        """The axis that counts pictures: as said, as the format knows, else the shortest one (the first on a tie); None: one picture."""
        axes = self.axes
        if len(axes) == 2:
            return None
        known = self.selection.axis if self.selection.axis is not None else self.entry.picture_axis
        if known in axes:
            return known
        return axes[int(np.argmin([self.stored.shape[axis] for axis in axes]))]

    @property
    def pictures(self) -> int:
        """How many pictures are stored."""
        axis = self.picture_axis
        return 1 if axis is None else self.stored.shape[axis]

    @property
    def picture_shape(self) -> tuple[int, int]:
        """Rows and columns of a whole picture as it is stored."""
        rows, cols = (self.stored.shape[axis] for axis in self.axes if axis != self.picture_axis)
        return rows, cols

    def chosen(self) -> tuple[int, ...]:
        """The numbers of the pictures that the selection means: one, or all (also for their mean)."""
        number = self.selection.picture
        if not isinstance(number, int):
            return tuple(range(self.pictures))
        if number >= self.pictures:
            count = f"{self.pictures} pictures, numbered from 0" if self.pictures > 1 else "one picture, number 0"
            raise InputError(f"{self.name}[{number}]: the stack holds {count}")
        return (number,)

    def read_picture(self, number: int, roi: Roi | None = None) -> NDArray[np.generic]:
        """One picture (or the region of it that the selection or `roi` names), not yet turned."""
        roi = roi or self.selection.roi
        if roi is not None:
            roi.check(self.picture_shape, self.name)
        rows, cols = (axis for axis in self.axes if axis != self.picture_axis)
        region = [slice(0, n) for n in self.stored.shape]
        if self.picture_axis is not None:
            region[self.picture_axis] = slice(number, number + 1)
        if roi is not None:
            region[rows], region[cols] = slice(*roi.rows), slice(*roi.cols)
        out: NDArray[np.generic] = np.empty(
            (region[rows].stop - region[rows].start, region[cols].stop - region[cols].start), self.stored.dtype
        )
        self._read_into(out, tuple(region), (rows, cols))
        return out

    def read_mean(self, roi: Roi | None = None) -> NDArray[np.float64]:
        """The mean of all pictures, summed one after the other in float64, not yet turned."""
        total: NDArray[np.float64] | None = None
        for number in range(self.pictures):
            picture = self.read_picture(number, roi)
            total = picture.astype(np.float64) if total is None else np.add(total, picture, out=total)
        assert total is not None
        return total / self.pictures

    def read(self, dtype: Any = None) -> NDArray[np.generic]:
        """Everything that is selected: a picture `(H, W)`, a stack with its axes as stored, or a cube; None: in its own type."""
        selection = self.selection
        if self.role != "cube" and (selection.picture is not None or self.picture_axis is None):
            number = selection.picture
            image = self.read_mean() if number == MEAN else self.read_picture(self.chosen()[0])
            return np.ascontiguousarray(selection.turn.apply(image), dtype)
        if selection.turn or selection.roi is not None:
            raise InputError(f"{self.name}: several pictures are not cropped or turned at once; choose one of them, or [mean]")
        out: NDArray[np.generic] = np.empty(
            [self.stored.shape[axis] for axis in self.axes], self.stored.dtype if dtype is None else dtype
        )
        self._read_into(out, whole(self.stored.shape), self.axes)
        return out

    def read_stack(self, axis: int, dtype: Any = None) -> NDArray[Any]:
        """All pictures or bands, which an axis counts, as `(N, H, W)` in C order; None: in its own type."""
        rows, cols = (a for a in self.axes if a != axis)
        region = list(whole(self.stored.shape))
        if self.selection.roi is not None:
            self.selection.roi.check((self.stored.shape[rows], self.stored.shape[cols]), self.name)
            region[rows], region[cols] = slice(*self.selection.roi.rows), slice(*self.selection.roi.cols)
        lengths = region_shape(tuple(region))
        out: NDArray[Any] = np.empty(
            (lengths[axis], lengths[rows], lengths[cols]), self.stored.dtype if dtype is None else dtype
        )
        self._read_into(np.moveaxis(out, 0, self.axes.index(axis)), tuple(region), self.axes)
        return out

    def _read_into(self, target: NDArray[Any], region: Region, kept: tuple[int, ...]) -> None:
        """Read a region into a view whose axes are those of the file in `kept`; the others have length one."""
        self.meter.begin(f"Reading {self.path.name}", target.size * self.stored.dtype.itemsize)
        dropped = tuple(axis for axis in range(len(region)) if axis not in kept)
        self.stored.read_into(np.expand_dims(target, dropped), region, self.meter)


@contextmanager
def opened(
    spec: str | Path, role: Role, selection: Selection | None = None, meter: ReadMeter | None = None
) -> Iterator[ChosenArray]:
    """The array that plays a role in a file, open for reading; `selection` is used where the spec itself says nothing.

    Raises
    ------
    InputError
        See :func:`read_array`.
    """
    path, key = split_spec(spec)
    bare, own = split_selection(key)
    form = format_of(path, bare if is_layout(bare) else key)
    entries = form.list_arrays(path)
    if own is None or any(entry.key == key for entry in entries):
        bare, own = key, Selection()
    chosen = _choose(path, entries, bare, role, own)
    wanted = own.over(selection or Selection())
    with form.open(path, chosen.key) as stored:
        yield ChosenArray(path, chosen, stored, wanted, role, meter or ReadMeter())


def source_of(chosen: ChosenArray, selection: Selection | None = None) -> Source:
    """Where an array came from: path, key with what was selected, SHA-256 of the file, shape as stored."""
    key = f"{chosen.entry.key}{chosen.selection if selection is None else selection}"
    return Source(str(chosen.path), key, sha256_of(chosen.path, chosen.entry.key, chosen.meter), tuple(chosen.stored.shape))


def read_array(spec: str | Path, role: Role, meter: ReadMeter | None = None) -> tuple[NDArray[np.generic], Source]:
    """Read the array that plays a role from a file, in its own number type, native byte order and C order.

    Parameters
    ----------
    spec
        `FILE` or `FILE::key`; brackets after the key take a part of the array (:mod:`cassi_core.io.readers.selection`), and a layout in
        the place of the key describes a raw file (:mod:`cassi_core.io.readers.raw_files`).
    role
        measurement, mask, dark, flat, bad-pixel map (2 dimensions, or 3 for a stack or a mask of each band) or cube (3 dimensions).
    meter
        Hears how far reading has come and can cancel it.

    Returns
    -------
    The array without axes of length one, and where it came from (path, key, SHA-256 of the file, shape as stored).

    Raises
    ------
    InputError
        No such file or key, a damaged file, no array or several arrays that fit (they are listed), numbers that are not real.
    """
    with opened(spec, role, meter=meter) as chosen:
        return chosen.read(), source_of(chosen)


def find_key(path: Path, role: Role) -> str | None:
    """The key of the array with a well-known name of a role in a file; None when there is none."""
    entry = _well_known([e for e in format_of(path).list_arrays(path) if e.usable], role, path)
    return None if entry is None else entry.key


def sha256_of(path: Path, key: str = "", meter: ReadMeter | None = None) -> str:
    """SHA-256 of a file, as hexadecimal digits; of an ENVI header with its data, the header first."""
    meter = meter or ReadMeter()
    digest, buffer = hashlib.sha256(), bytearray(2**20)
    try:
        files = format_of(path, key).files(path)
    except InputError:
        files = (path,)
    meter.begin(f"Checking {path.name}", sum(file.stat().st_size for file in files))
    for file in files:
        with file.open("rb", buffering=0) as stream:
            while size := stream.readinto(buffer):
                digest.update(memoryview(buffer)[:size])
                meter.advance(size)
    return digest.hexdigest()


def _choose(path: Path, entries: list[ArrayInfo], key: str, role: Role, selection: Selection) -> ArrayInfo:
    if not entries:
        raise InputError(f"{path}: the file holds no arrays; is it the right file?")
    if key or (selection != Selection() and len(entries) == 1):
        return _named(path, entries, key, role, selection)
    known = _well_known(entries, role, path)
    if known is None:
        known = _only_fitting(path, entries, role)
    _check_usable(path, known)
    if not _fits(known, role):
        raise InputError(f"{path}: {known.describe()} has the wrong dimensions; {_wanted(role)} is needed")
    return known


def _named(path: Path, entries: list[ArrayInfo], key: str, role: Role, selection: Selection) -> ArrayInfo:
    """The array that the user named; a picture of it may have been named too."""
    entry = next((e for e in entries if e.key == key), None)
    if entry is None and not key and len(entries) == 1:
        entry = entries[0]
    if entry is None:
        raise InputError(f"{path}: there is no array '{key}{selection}' in it; it holds {_listing(entries)}")
    _check_usable(path, entry)
    dims = len(_squeezed(entry.shape))
    if dims != 3 if role == "cube" else dims not in (2, 3):
        raise InputError(f"{path}: {entry.describe()} has the wrong dimensions; {_wanted(role)} is needed")
    return entry


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
    """Whether the shape suits the role; stacks only under well-known names or where the format knows them (a TIFF stack)."""
    shape = _squeezed(entry.shape)
    if role == "cube":
        return len(entry.shape) == 3
    if min(shape, default=0) < SMALLEST_IMAGE and len(shape) == 2:
        return not entry.key
    stack = entry.key.rpartition("/")[2].lower() in WELL_KNOWN[role] or not entry.key or entry.picture_axis is not None
    return len(shape) == 2 or (len(shape) == 3 and stack)


def _squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(n for n in shape if n != 1)


def _kept_axes(shape: tuple[int, ...], wanted: int) -> tuple[int, ...]:
    """The axes that stay when those of length one are dropped, the last ones first, down to the wanted number of dimensions."""
    axes = list(range(len(shape)))
    for axis in reversed(range(len(shape))):
        if len(axes) > wanted and shape[axis] == 1:
            axes.remove(axis)
    return tuple(axes)


def as_stack(array: NDArray[np.generic]) -> NDArray[np.generic]:
    """Pictures `(N, H, W)` of an image `(H, W)` or of a stack whose shortest axis counts the pictures (the first on a tie)."""
    axes = _kept_axes(array.shape, 2)
    array = array.reshape([array.shape[axis] for axis in axes])
    if array.ndim == 2:
        return array[None]
    return np.moveaxis(array, int(np.argmin(array.shape)), 0)


def _wanted(role: Role) -> str:
    return "a cube of 3 dimensions" if role == "cube" else "an image of 2 dimensions"


def _listing(entries: list[ArrayInfo]) -> str:
    shown = ", ".join(e.describe() for e in entries[:12])
    return shown + (f" and {len(entries) - 12} more" if len(entries) > 12 else "")
