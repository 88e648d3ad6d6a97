"""Tuples of flat records as tables: a group with one dataset a column.

Where a value may be missing, a truth column `NAME_given` (and, for values within a row, `NAME_known`) says which are there,
because a missing number and a number that is NaN are not the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, is_dataclass
from typing import Any

import h5py

from cassi_core.io.session.hints import fields_of, item_of, scalar_of, split_optional
from cassi_core.io.session.leaves import FILLS, read_values, write_values


@dataclass(frozen=True)
class Column:
    """A field of a record: its name, kind of value, whether it is a tuple of them, and what may be None."""

    name: str
    kind: type
    vector: bool
    optional: bool
    optional_items: bool


def columns_of(hint: Any) -> tuple[Column, ...] | None:
    """The columns of a table of these records; None when they are not flat."""
    if not (isinstance(hint, type) and is_dataclass(hint)):
        return None
    columns = []
    for name, field in fields_of(hint).items():
        inner, optional = split_optional(field)
        item = item_of(inner)
        value, optional_items = (inner, False) if item is None else split_optional(item)
        kind = scalar_of(value)
        if kind is None:
            return None
        columns.append(Column(name, kind, item is not None, optional, optional_items))
    return tuple(columns)


def fits_table(rows: Sequence[Any], columns: Sequence[Column]) -> bool:
    """True when the tuples of every column are of one length."""
    for column in (c for c in columns if c.vector):
        given = [getattr(row, column.name) for row in rows]
        if len({len(v) for v in given if v is not None}) > 1:
            return False
    return True


def write_table(group: h5py.Group, rows: Sequence[Any], columns: Sequence[Column]) -> None:
    """Write the columns into a group."""
    for column in columns:
        values = [getattr(row, column.name) for row in rows]
        fill = FILLS[column.kind]
        if column.optional:
            write_values(group, f"{column.name}_given", [v is not None for v in values], bool, (len(rows),))
        if not column.vector:
            write_values(group, column.name, [fill if v is None else v for v in values], column.kind, (len(rows),))
            continue
        width = next((len(v) for v in values if v is not None), 0)
        full = [(None,) * width if v is None else v for v in values]
        shape = (len(rows), width)
        write_values(group, column.name, [[fill if v is None else v for v in row] for row in full], column.kind, shape)
        if column.optional_items:
            write_values(group, f"{column.name}_known", [[v is not None for v in row] for row in full], bool, shape)


def read_table(group: h5py.Group, cls: type, columns: Sequence[Column], count: int) -> tuple[Any, ...]:
    """The records of a table; columns that are not in the file take the default of their field."""
    found: dict[str, list[Any]] = {}
    for column in columns:
        if column.name not in group:
            continue
        values = read_values(group[column.name], column.kind)
        if column.vector:
            if column.optional_items:
                known = read_values(group[f"{column.name}_known"], bool)
                values = [
                    [v if k else None for v, k in zip(row, there, strict=True)]
                    for row, there in zip(values, known, strict=True)
                ]
            values = [tuple(row) for row in values]
        if column.optional and f"{column.name}_given" in group:
            given = read_values(group[f"{column.name}_given"], bool)
            values = [v if g else None for v, g in zip(values, given, strict=True)]
        found[column.name] = values
    return tuple(cls(**{name: values[i] for name, values in found.items()}) for i in range(count))
