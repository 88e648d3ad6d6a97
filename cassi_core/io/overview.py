"""A first look at files before they are loaded for good: size, range, saturation, a thumbnail, and what a file probably is.

Used by the Load page and for files given without a role (dropped, or named after `cassi-gui`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cassi_core.errors import InputError
from cassi_core.io.content import Look, looks_like, role_by_content
from cassi_core.io.detector import saturation_level
from cassi_core.io.readers import ArrayInfo, ChosenArray, Role, find_key, list_arrays, opened, split_spec
from cassi_core.io.readers.envi_files import header_of
from cassi_core.io.readers.raw_files import is_layout
from cassi_core.io.readers.select import WELL_KNOWN, as_stack
from cassi_core.io.readers.selection import AS_IT_IS
from cassi_core.io.text_tables import read_text_table
from cassi_core.io.wavelengths import TEXT_SUFFIXES
from cassi_core.io.wavelengths import WORDS as WAVELENGTH_WORDS
from cassi_core.quality.display import robust_levels
from cassi_core.quality.findings import SATURATED_WARNING

LIT_PERCENT, BRIGHTER = 90.0, 4.0
"""A thumbnail shows up to so many times what so many percent of the picture stay below."""
THUMBNAIL_PX = 512
WHOLE_BYTES = 2**27
"""Arrays up to this size are looked at whole, larger ones by one picture: a first look must not take long."""
LIGHT_QUANTILE = 0.999
"""The brightest light of a picture: hot pixels are fewer than those above it."""

LITTLE_LIGHT = 0.1
"""Share of full scale below which the brightest light is called little: a tenth of a full well of 10 000 electrons is 1000, whose
photon noise is 3 %."""

ROLE_WORDS: dict[str, tuple[str, ...]] = {
    "bad-pixel map": ("bad_pix", "badpix", "bad-pix", "bad pix", "defect", "hot_pix", "hotpix"),
    "dark": ("dark", "black", "background", "bias"),
    "flat": ("flat", "white", "uniform"),
    "mask": ("mask", "aperture", "code"),
    "cube": ("cube", "truth", "reference", "scene", "hsi"),
    "measurement": ("meas", "snapshot", "frame", "capture"),
}


@dataclass(frozen=True, eq=False)
class Overview:
    """What is in a file: numbers for a line of text and an 8-bit thumbnail `(rows, cols)` with robust contrast.

    `bit_depth` is the number of bits that the largest value needs (None for fractions); `saturated` the share of pixels on the
    saturation level (None: no such level); `pictures` counts the pictures of a stack.
    """

    spec: str
    shape: tuple[int, ...]
    dtype: str
    minimum: float
    maximum: float
    bit_depth: int | None
    saturated: float | None
    pictures: int
    not_finite: int
    thumbnail: NDArray[np.uint8]
    part: str = ""
    """What the range belongs to, where only a part of a large array was looked at."""
    light: float | None = None
    """The brightest light as a share of full scale; None where full scale is not known (fractions, a camera of 10 to 14 bits)."""
    looks: Look = ""
    """Mask or measurement, where the content leaves no doubt."""

    def words(self) -> str:
        """Size, type, range and saturation in one line."""
        size = " × ".join(str(n) for n in self.shape)
        depth = f", {self.bit_depth} bits used" if self.bit_depth is not None else ""
        part = f" in the {self.part}" if self.part else ""
        parts = [f"{size} px, {self.dtype}{depth}", f"{self.minimum:.4g} … {self.maximum:.4g}{part}"]
        if self.pictures > 1:
            parts.insert(1, f"{self.pictures} pictures")
        if self.saturated is not None:
            parts.append(f"{100 * self.saturated:.2g} % saturated")
        if self.not_finite:
            parts.append(f"{self.not_finite} values are not numbers")
        return ", ".join(parts)

    def short_words(self) -> str:
        """Size, bits, light and saturation: what is known of them."""
        parts = [" × ".join(str(n) for n in self.shape) + " px"]
        parts.append(self.dtype if self.bit_depth is None else f"{self.bit_depth} bits used")
        if self.pictures > 1:
            parts.insert(1, f"{self.pictures} pictures")
        if self.light is not None:
            parts.append(f"light {100 * self.light:.0f} %")
        if self.saturated is not None:
            parts.append(f"saturated {100 * self.saturated:.2g} %")
        if self.not_finite:
            parts.append(f"{self.not_finite} values are not numbers")
        return ", ".join(parts)

    def exposure(self) -> tuple[str, str]:
        """A word on the light of a snapshot and its status (ok, warn); empty where full scale is not known."""
        if self.saturated is not None and self.saturated > SATURATED_WARNING:
            return "too much light", "warn"
        if self.light is None:
            return "", ""
        return ("little light", "warn") if self.light < LITTLE_LIGHT else ("light is good", "ok")


@dataclass(frozen=True)
class Assignment:
    """Where a file belongs (a role, `dispersion` or `wavelengths` for a table, or an empty string) and why, in words."""

    spec: str
    role: str
    reason: str


def overview(spec: str | Path, role: Role) -> Overview:
    """Read an array and describe it.

    Raises
    ------
    InputError
        See :func:`cassi_core.io.readers.read_array`.
    """
    with opened(spec, role) as chosen:
        taken = chosen.selection.picture is not None
        size = int(np.prod(chosen.stored.shape)) * chosen.stored.dtype.itemsize
        if size <= WHOLE_BYTES or taken or chosen.picture_axis is None:
            seen = describe(chosen.read(), str(spec), role)
            return seen if taken or chosen.picture_axis is None or role == "cube" else replace(seen, pictures=chosen.pictures)
        number = chosen.pictures // 2 if role == "cube" else 0
        seen = describe(chosen.read_picture(number), str(spec), role)
        what = "middle band" if role == "cube" else "first picture"
        count = 1 if role == "cube" else chosen.pictures
        return replace(seen, shape=tuple(chosen.stored.shape), pictures=count, part=what)


def whole_picture(spec: str | Path, role: Role) -> NDArray[np.generic]:
    """One picture `(H, W)` of a file, uncut and as it lies in the file, to choose a region in; InputError where there is none."""
    with opened(spec, role) as chosen:
        number = chosen.selection.picture
        plain = replace(chosen, selection=replace(chosen.selection, roi=None, turn=AS_IT_IS))
        return plain.read_picture(number if isinstance(number, int) else 0)


def describe(array: NDArray[np.generic], name: str, role: Role = "measurement") -> Overview:
    """Numbers and thumbnail of an array in memory."""
    finite = np.isfinite(array) if array.dtype.kind == "f" else np.ones(1, bool)
    not_finite = int(array.size - np.count_nonzero(finite)) if array.dtype.kind == "f" else 0
    values = array[finite] if not_finite else array
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    pictures = len(as_stack(array)) if array.ndim == 3 and role != "cube" else 1
    picture = _one_picture(array, role)
    level = saturation_level(picture) if role in ("measurement", "dark", "flat") else None
    saturated = None if level is None else float(np.count_nonzero(np.greater_equal(picture, level))) / picture.size
    depth = max(1, int(high).bit_length()) if array.dtype.kind in "iu" else None
    full = level if level is not None else 255 if array.dtype == np.uint8 else None
    light = (
        None
        if full is None or not values.size
        else float(np.nanquantile(np.asarray(picture, np.float32), LIGHT_QUANTILE)) / full
    )
    looks = looks_like(_first_plane(array)) if role in ("measurement", "mask") else ""
    shape, kind = tuple(array.shape), str(array.dtype)
    return Overview(
        name, shape, kind, low, high, depth, saturated, pictures, not_finite, thumbnail(picture), light=light, looks=looks
    )


def thumbnail(picture: NDArray[np.generic], size: int = THUMBNAIL_PX) -> NDArray[np.uint8]:
    """An 8-bit copy of at most `size` pixels a side: means of whole blocks, contrast from the 1st to the 99th percentile.

    Light of a few percent of the picture that is many times brighter than all the rest (a lamp, a blown place) is cut off.
    """
    values = np.nan_to_num(np.asarray(picture, np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    factor = max(1, -(-max(values.shape) // size))
    rows, cols = (max(1, n // factor) for n in values.shape)
    blocks = values[: rows * factor, : cols * factor]
    if factor > 1 and min(values.shape) >= factor:
        blocks = blocks.reshape(rows, factor, cols, factor).mean(axis=(1, 3))
    low, high = robust_levels(blocks)
    most = float(np.percentile(blocks, LIT_PERCENT))
    if most > low:
        high = min(high, low + BRIGHTER * (most - low))
    return np.asarray(np.clip(255 * (blocks - low) / (high - low), 0, 255), np.uint8)


def sort_files(paths: Sequence[str | Path]) -> tuple[Assignment, ...]:
    """Guess the role of each file: by the names of its arrays, by its own name, by its content; several files help each other.

    A file that holds both a measurement and a mask gives both unless another file is the mask. Files that cannot be read get
    an empty role and the reason.
    """
    found: list[Assignment] = []
    pictures: list[tuple[str, NDArray[np.float32]]] = []
    for path in paths:
        try:
            assignment, picture = _sort_one(str(path))
        except InputError as error:
            found.append(Assignment(str(path), "", str(error)))
            continue
        if picture is not None:
            pictures.append((str(path), picture))
        else:
            found.extend(assignment)
    found.extend(_sort_by_content(pictures))
    if any(a.role == "mask" and "inside" not in a.reason for a in found):
        found = [a for a in found if not (a.role == "mask" and "inside" in a.reason)]
    order = {str(p): i for i, p in enumerate(paths)}
    return tuple(sorted(found, key=lambda a: order.get(a.spec, order.get(str(split_spec(a.spec)[0]), 0))))


def _sort_one(spec: str) -> tuple[list[Assignment], NDArray[np.float32] | None]:
    """The role of one file by its names; or its picture where only the content can tell."""
    path, key = split_spec(spec)
    if path.suffix.lower() in TEXT_SUFFIXES:
        return [_sort_table(spec, path)], None
    arrays = [a for a in list_arrays(path, key) if a.usable and len(a.shape) >= 2]
    if not arrays:
        raise InputError(f"{path}: there is no picture in it")
    if not key or is_layout(key):
        by_array = [] if key else _by_array_names(path)
        if by_array:
            return by_array, None
    word = _role_in(path.stem)
    if word and not (word == "cube" and all(len([n for n in a.shape if n > 1]) < 3 for a in arrays)):
        return [Assignment(spec, word, f"its name says {word}")], None
    chosen = next((a for a in arrays if a.key == key), arrays[0])
    if _is_cube(chosen) or _is_envi_cube(path, chosen):
        return [Assignment(spec, "cube", f"{chosen.describe()} has three dimensions")], None
    with opened(spec, "measurement") as opened_array:
        return [], np.asarray(_first_picture(opened_array), np.float32)


def _first_picture(chosen: ChosenArray) -> NDArray[np.generic]:
    return chosen.read() if chosen.picture_axis is None else chosen.read_picture(chosen.chosen()[0])


def _sort_table(spec: str, path: Path) -> Assignment:
    """A table of offsets, of wavelengths or of bad pixels, by its heading and its name."""
    if _role_in(path.stem) == "bad-pixel map":
        return Assignment(spec, "bad-pixel map", "its name says bad pixels")
    try:
        table = read_text_table(path, "table")
    except InputError:
        return Assignment(spec, "dispersion", "a table")
    if table.column("row") is not None and table.column("col") is not None:
        return Assignment(spec, "bad-pixel map", "a table of rows and columns")
    if table.column(*WAVELENGTH_WORDS) is not None and len(table.rows[0].values) == 1:
        return Assignment(spec, "wavelengths", "a table of wavelengths")
    return Assignment(spec, "dispersion", "a table")


def _by_array_names(path: Path) -> list[Assignment]:
    """Roles by the well-known names of arrays inside a container."""
    keys = {role: find_key(path, role) for role in WELL_KNOWN}
    main: list[Role] = [r for r in ("measurement", "mask", "cube") if keys[r]]
    # An array named `dark` beside others belongs to them; in a file of its own it is the file's purpose. The reader also takes a
    # measurement's name for a dark frame when asked for one: that is no reason to call a measurement a dark frame here.
    extras: list[Role] = [r for r in ("dark", "flat") if keys[r] and keys[r] not in WELL_KNOWN["measurement"]]
    if "measurement" in main:
        spec = str(path)
        result = [Assignment(spec, "measurement", f"it holds an array named {keys['measurement']}")]
        result += [Assignment(f"{path}::{keys[r]}", r, f"an array named {keys[r]} inside {path.name}") for r in extras]
        if "mask" in main:
            result.append(Assignment(f"{path}::{keys['mask']}", "mask", f"an array named {keys['mask']} inside {path.name}"))
        return result
    for role in (*main, *extras):
        return [Assignment(str(path), role, f"it holds an array named {keys[role]}")]
    return []


def _role_in(name: str) -> str:
    words = name.lower()
    for role, tokens in ROLE_WORDS.items():
        if any(token in words for token in tokens):
            return role
    return ""


def _is_cube(array: ArrayInfo) -> bool:
    """Whether an array is a cube rather than a stack of pictures, which is what a nameless array (a TIFF, raw numbers) is."""
    return len([n for n in array.shape if n != 1]) == 3 and bool(array.key) and not is_layout(array.key)


def _is_envi_cube(path: Path, array: ArrayInfo) -> bool:
    """An ENVI file with several bands: they are bands, not pictures of a stack."""
    return bool(header_of(path)) and array.picture_axis is not None and array.shape[array.picture_axis] > 1


def _one_picture(array: NDArray[np.generic], role: Role) -> NDArray[np.generic]:
    """A picture that stands for an array: itself, the first of a stack, the middle band of a cube, the mean of a 3D mask."""
    if array.ndim < 3:
        return np.atleast_2d(array)
    stack = as_stack(array)
    if role == "mask":
        return np.asarray(stack.mean(axis=0))
    return np.asarray(stack[len(stack) // 2] if role == "cube" else stack[0])


def _first_plane(array: NDArray[np.generic]) -> NDArray[np.generic]:
    """One picture as it was taken: the mean of the planes of a shifted mask would look dispersed."""
    return np.atleast_2d(array) if array.ndim < 3 else np.asarray(as_stack(array)[0])


def _sort_by_content(pictures: Sequence[tuple[str, NDArray[np.float32]]]) -> list[Assignment]:
    result = []
    for spec, picture in pictures:
        others = [float(p.mean()) for s, p in pictures if s != spec and p.shape == picture.shape]
        result.append(Assignment(spec, *role_by_content(picture, others)))
    return result
