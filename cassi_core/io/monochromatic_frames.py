"""Frames of a mask in light of known wavelengths: a folder whose file names say the wavelength, or a table of files and wavelengths."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cassi_core.dispersion_measurement import LeftOut, MonochromaticFrame
from cassi_core.errors import InputError
from cassi_core.io.detector import correct_frame
from cassi_core.io.readers import read_array, split_spec
from cassi_core.io.readers.select import as_stack

SHORTEST_NM, LONGEST_NM = 200.0, 2500.0
"""Numbers outside are no wavelengths that a camera sees (running numbers, dates, exposure times)."""
NO_FRAMES = frozenset({".csv", ".txt", ".json", ".md", ".pdf", ".html", ".log", ".ini", ".db"})
"""Kinds of files that lie beside frames and are none."""

_WITH_UNIT = re.compile(r"(?<![\d.,])(\d{3,4}(?:[.,]\d+)?)[ _-]?nm(?![a-z])", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\d.,])(\d{3,4}(?:[.,]\d+)?)(?![\d])")


@dataclass(frozen=True)
class NamedFrame:
    """A file (`FILE` or `FILE::key`) that should hold a frame, and its wavelength in nm."""

    spec: str
    wavelength_nm: float


def wavelength_in(name: str) -> float | None:
    """The wavelength in nm that a file name says (`mask_540nm.tif`, `540.5.png`); None when it says none or several."""
    stem = re.sub(r"\.[A-Za-z]\w*$", "", name)
    for pattern in (_WITH_UNIT, _NUMBER):
        found = {float(text.replace(",", ".")) for text in pattern.findall(stem)}
        found = {nm for nm in found if SHORTEST_NM <= nm <= LONGEST_NM}
        if len(found) == 1:
            return found.pop()
        if found:
            return None
    return None


def find_frames(place: str | Path) -> tuple[tuple[NamedFrame, ...], tuple[LeftOut, ...]]:
    """The frames of a folder, or of a table with one `file,wavelength_nm` a line, and the files that are none, with the reason.

    A table in the folder whose lines name files of the folder comes before the file names.

    Raises
    ------
    InputError
        There is no such folder or table, or nothing in it says a wavelength.
    """
    place = Path(place)
    if place.is_file():
        return _of_table(place)
    if not place.is_dir():
        raise InputError(f"{place}: there is no such folder; give the folder with the frames, or a table of file,wavelength_nm")
    for table in sorted(place.glob("*.csv")):
        if _names_files(table):
            return _of_table(table)
    frames: list[NamedFrame] = []
    others: list[LeftOut] = []
    for path in sorted(p for p in place.iterdir() if p.is_file() and not p.name.startswith(".")):
        if path.suffix.lower() in NO_FRAMES:
            continue
        nm = wavelength_in(path.name)
        if nm is None:
            others.append(LeftOut(path.name, "its name does not say one wavelength (as mask_540nm.tif or 540.5.png do)"))
        else:
            frames.append(NamedFrame(str(path), nm))
    if not frames:
        raise InputError(
            f"{place}: no file in it says a wavelength; name the frames like mask_540nm.tif, or add a table of file,wavelength_nm"
        )
    return tuple(frames), tuple(others)


def read_frames(
    named: Sequence[NamedFrame],
    *,
    dark: NDArray[np.float32] | None = None,
    flat: NDArray[np.float32] | None = None,
    saturation: float | None = None,
) -> tuple[tuple[MonochromaticFrame, ...], tuple[LeftOut, ...]]:
    """Read frames `(H, Wf)`, corrected for dark and flat (the mean of a stack counts); those that cannot be read, with the reason."""
    frames: list[MonochromaticFrame] = []
    broken: list[LeftOut] = []
    for entry in named:
        path, key = split_spec(entry.spec)
        name = f"{path.name}::{key}" if key else path.name
        try:
            array, source = read_array(entry.spec, "measurement")
            stack = as_stack(array)
            raw = stack[0] if len(stack) == 1 else stack.mean(axis=0, dtype=np.float64)
            image, usable = correct_frame(raw, dark, flat, saturation=saturation, name=source.path)
        except InputError as error:
            broken.append(LeftOut(name, str(error).removeprefix(f"{entry.spec}: ").removeprefix(f"{path}: ")))
            continue
        frames.append(MonochromaticFrame(name, entry.wavelength_nm, np.ascontiguousarray(image), usable))
    return tuple(frames), tuple(broken)


def _of_table(table: Path) -> tuple[tuple[NamedFrame, ...], tuple[LeftOut, ...]]:
    frames: list[NamedFrame] = []
    for number, cells in _lines(table):
        nm = _number(cells[-1])
        if len(cells) < 2 or nm is None or not SHORTEST_NM <= nm <= LONGEST_NM:
            if not frames:
                continue  # the heading
            raise InputError(f"{table}: line {number} is {', '.join(cells)!r}; a file and its wavelength in nm are needed")
        spec = cells[0].strip('"')
        frames.append(NamedFrame(spec if Path(spec).is_absolute() else str(table.parent / spec), nm))
    if not frames:
        raise InputError(f"{table}: no line of the table holds a file and its wavelength in nm")
    return tuple(frames), ()


def _names_files(table: Path) -> bool:
    try:
        return any(len(c) >= 2 and split_spec(table.parent / c[0].strip('"'))[0].is_file() for _, c in _lines(table))
    except InputError:
        return False


def _lines(table: Path) -> Iterator[tuple[int, list[str]]]:
    """Cells of each line that is neither empty nor a comment; separated by semicolons, tabs or commas."""
    try:
        text = table.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{table}: the table cannot be read as text ({type(error).__name__})") from None
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            separator = next((s for s in (";", "\t") if s in line), ",")
            yield number, [cell.strip() for cell in line.split(separator)]


def _number(text: str) -> float | None:
    try:
        return float(re.sub(r"\s*nm$", "", text.strip('"')).replace(",", "."))
    except ValueError:
        return None


def read_wavelengths(table: Path) -> NDArray[np.float64]:
    """Band centres in nm from a text table: the last number of each line; headings and comments are skipped.

    Raises
    ------
    InputError
        The file cannot be read or holds no wavelengths.
    """
    found = [nm for _, cells in _lines(table) if (nm := _number(cells[-1])) is not None]
    if not found or not all(SHORTEST_NM <= nm <= LONGEST_NM for nm in found):
        raise InputError(f"{table}: band centres between {SHORTEST_NM:g} and {LONGEST_NM:g} nm, one a line, are needed")
    return np.array(found, np.float64)
