"""Tables of numbers in text files, as spreadsheets, spectrometers and people write them.

Empty lines and lines that begin with # are left out. Columns are separated by semicolons, tabs, commas or blanks. With
semicolons, tabs and blanks a decimal comma is understood; with commas between columns the decimal mark is a point. Lines of words
before the first numbers are the heading.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cassi_core.errors import InputError

_NUMBER = re.compile(r"[-+]?(\d+([.,]\d*)?|[.,]\d+)([eE][-+]?\d+)?")


@dataclass(frozen=True)
class TableRow:
    """The numbers of one line, with its number and its text for messages."""

    line: int
    text: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class TextTable:
    """The rows of a file, the names of the columns (empty without a heading that fits), and the comments without their marks."""

    path: Path
    rows: tuple[TableRow, ...]
    names: tuple[str, ...]
    comments: tuple[str, ...]

    def column(self, *words: str) -> int | None:
        """The first column whose name contains one of some words (lower case); None when there is none."""
        for word in words:
            for i, name in enumerate(self.names):
                if word in name.lower():
                    return i
        return None


def read_text_table(path: str | Path, what: str) -> TextTable:
    """Read a table; `what` it is (a dispersion table) goes into messages.

    Raises
    ------
    InputError
        The file cannot be read as text, holds no numbers, or a line is no row of numbers like the first one; the line is named.
    """
    path = Path(path)
    lines = _lines(path, what)
    comments = tuple(text.lstrip("# ").strip() for _, text in lines if text.startswith("#"))
    content = [(number, text) for number, text in lines if not text.startswith("#")]
    separator = _separator([text for _, text in content])
    heading = ""
    rows: list[TableRow] = []
    for number, text in content:
        values = _values(text, separator)
        if values is None and not rows:
            heading = text
            continue
        if values is None or not np.isfinite(values).all():
            raise InputError(f"{path}: line {number} is {text!r}; numbers are needed, one row of the {what}")
        if rows and len(values) != len(rows[0].values):
            raise InputError(f"{path}: line {number} has {len(values)} columns and the lines before it {len(rows[0].values)}")
        rows.append(TableRow(number, text, values))
    if not rows:
        raise InputError(f"{path}: the {what} holds no numbers; one row a line is needed")
    names = tuple(cell.strip().strip('"') for cell in _cells(heading, separator))
    return TextTable(path, tuple(rows), names if len(names) == len(rows[0].values) else (), comments)


def _lines(path: Path, what: str) -> list[tuple[int, str]]:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; check the name and the folder") from None
    except OSError as error:
        raise InputError(f"{path}: the {what} cannot be read ({error.strerror or type(error).__name__})") from None
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        # Spreadsheets of Western Europe: only a heading (µm, °) holds such letters.
        text = data.decode("cp1252", "replace")
    if "\0" in text:
        raise InputError(f"{path}: the {what} cannot be read as text; export it as CSV")
    return [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]


def _separator(lines: list[str]) -> str:
    """`;`, tab, comma or blank: what stands between the columns."""
    for mark in (";", "\t"):
        if any(mark in line for line in lines):
            return mark
    numbers = [line for line in lines if _values(line, " ") is not None]
    several = [line for line in numbers if len(line.split()) > 1]
    if several and len(several) == len(numbers):
        return " "  # also `450,5 1,25`: in `450, 1` the comma belongs to no number
    words = [line for line in lines if line not in numbers]
    if words and numbers and not any("," in line for line in words) and len(words[-1].split()) == 1:
        return " "  # one name above numbers like 1,25: one column
    return "," if any("," in line for line in lines) else " "


def _cells(line: str, separator: str) -> list[str]:
    if separator == " ":
        return line.split()
    cells = [cell.strip() for cell in line.split(separator)]
    return cells[:-1] if len(cells) > 1 and not cells[-1] else cells


def _values(line: str, separator: str) -> tuple[float, ...] | None:
    """The numbers of a line; None where something else is among them. NaN and inf are numbers that are refused later."""
    values = []
    for cell in _cells(line, separator):
        cell = cell.strip('"')
        if _NUMBER.fullmatch(cell):
            values.append(float(cell.replace(",", ".")))
        elif cell.lower().lstrip("+-") in ("nan", "inf"):
            values.append(float(cell))
        else:
            return None
    return tuple(values) if values else None
