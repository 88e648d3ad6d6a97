"""Frozen dataclasses into HDF5 groups and back, led by their type hints, so that a new field is stored without anyone's help.

| value | in the file |
|---|---|
| text, number, truth value, date | attribute of the group (a scalar dataset when it has a unit); None: nothing |
| array | dataset of the same type and shape |
| tuple of scalars | dataset of one dimension |
| record | group |
| tuple of flat records | group with one dataset a column (:mod:`cassi_core.io.session.tables`) |
| tuple of other records or of arrays | group with children 000, 001, ... |
| settings | their JSON as text |
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import is_dataclass
from datetime import datetime
from typing import Any, get_args, get_origin

import h5py
import numpy as np
from pydantic import BaseModel, ValidationError

from cassi_core.errors import SessionError
from cassi_core.io.session.hints import fields_of, is_array, is_mapping, item_of, scalar_of, split_optional
from cassi_core.io.session.labels import AXES, UNITS
from cassi_core.io.session.leaves import (
    DTYPES,
    TEXT,
    read_array,
    read_values,
    to_bytes,
    to_text,
    write_array,
    write_attribute,
    write_values,
)
from cassi_core.io.session.meter import Meter
from cassi_core.io.session.tables import columns_of, fits_table, read_table, write_table
from cassi_core.parameters import Parameter, ParameterSet

LAYOUT, COUNT = "layout", "count"
TABLE, LIST = "table", "list"
MISSING = object()


def write(group: h5py.Group, name: str, value: Any, hint: Any, meter: Meter, label: str = "") -> None:
    """Store a value under a name in a group; `label` is CLASS.FIELD, for units and axes.

    Raises
    ------
    RunCancelled
        After ``control.cancel()`` of the meter.
    """
    hint, _ = split_optional(hint)
    if value is None:
        return
    kind = scalar_of(hint)
    if kind is not None and label not in UNITS:
        write_attribute(group, name, value, kind)
    elif kind is not None:
        group.create_dataset(name, data=to_bytes(value) if kind is str else DTYPES[kind](value))
    elif hint is datetime:
        write_attribute(group, name, value.isoformat(), str)
    elif is_array(hint):
        write_array(group, name, value, meter)
    elif hint is ParameterSet:
        _write_parameters(group, name, value)
    elif item_of(hint) is not None:
        _write_items(group, name, value, item_of(hint), meter)
    elif is_mapping(hint):
        child = group.create_group(name)
        for key, number in value.items():
            write_attribute(child, key, number, get_args(hint)[1])
    elif isinstance(hint, type) and is_dataclass(hint):
        write_fields(group.create_group(name), value, meter)
    elif isinstance(hint, type) and issubclass(hint, BaseModel):
        group.create_dataset(name, data=to_bytes(value.model_dump_json(indent=1)), dtype=TEXT)
    else:
        _write_mixed(group.create_group(name), value, get_args(hint), meter)
    if name in group and isinstance(group[name], h5py.Dataset):
        _describe(group[name], label)


def write_fields(group: h5py.Group, record: Any, meter: Meter, *, leave_out: Iterable[str] = ()) -> None:
    """Store the fields of a dataclass into a group."""
    cls: Any = type(record)
    for name, hint in fields_of(cls).items():
        if name not in leave_out:
            write(group, name, getattr(record, name), hint, meter, f"{cls.__name__}.{name}")


def _write_items(group: h5py.Group, name: str, value: Iterable[Any], hint: Any, meter: Meter) -> None:
    items = sorted(value) if isinstance(value, frozenset) else list(value)
    kind = scalar_of(hint)
    if kind is not None:
        write_values(group, name, items, kind, (len(items),))
        return
    inner, optional = split_optional(hint)
    if optional and scalar_of(inner) is not None:
        raise TypeError(f"{name}: missing values are stored in tables of equal rows only")
    child = group.create_group(name)
    child.attrs[COUNT] = len(items)
    columns = columns_of(hint)
    if columns is not None and fits_table(items, columns):
        child.attrs[LAYOUT] = TABLE
        write_table(child, items, columns)
        for column in columns:
            _describe(child[column.name], f"{hint.__name__}.{column.name}")
        return
    child.attrs[LAYOUT] = LIST
    for i, item in enumerate(items):
        write(child, f"{i:03d}", item, hint, meter)


def _write_mixed(group: h5py.Group, value: tuple[Any, ...], hints: tuple[Any, ...], meter: Meter) -> None:
    """A tuple whose items are of different kinds."""
    for i, (item, hint) in enumerate(zip(value, hints, strict=True)):
        write(group, f"{i:03d}", item, hint, meter)


def _write_parameters(group: h5py.Group, name: str, value: ParameterSet) -> None:
    _write_items(group, name, value.items, Parameter, Meter(0))
    # Not read again: the unit belongs to the name. It is there for the viewer.
    write_values(group[name], "unit", [p.unit for p in value], str, (len(value.items),))


def _describe(dataset: h5py.Dataset, label: str) -> None:
    for name, texts in (("units", UNITS), ("axes", AXES)):
        if label in texts:
            dataset.attrs[name] = texts[label]


def read(group: h5py.Group, name: str, hint: Any, meter: Meter, default: Any = MISSING) -> Any:
    """The value under a name; None or the default when it is not there.

    Raises
    ------
    SessionError
        The value is missing and has no default, or the file holds something else in its place.
    """
    hint, optional = split_optional(hint)
    if name not in group and name not in group.attrs:
        if default is not MISSING and not optional:
            return default
        if optional:
            return None
        raise SessionError(f"{group.name.rstrip('/')}/{name} is missing")
    kind = scalar_of(hint)
    if kind is not None:
        stored = group.attrs[name] if name in group.attrs else group[name][()]
        return to_text(stored) if kind is str else kind(stored)
    if hint is datetime:
        return datetime.fromisoformat(to_text(group.attrs[name]))
    if is_array(hint):
        return read_array(group[name], meter)
    if hint is ParameterSet:
        return _read_parameters(group[name])
    if item_of(hint) is not None:
        items = _read_items(group[name], item_of(hint), meter)
        return frozenset(items) if get_origin(hint) is frozenset else items
    if is_mapping(hint):
        value = get_args(hint)[1]
        return {key: value(number) for key, number in group[name].attrs.items()}
    if isinstance(hint, type) and is_dataclass(hint):
        return read_fields(group[name], hint, meter)
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return _read_settings(group, name, hint)
    return tuple(read(group[name], f"{i:03d}", h, meter) for i, h in enumerate(get_args(hint)))


def read_fields(group: h5py.Group, cls: type, meter: Meter, **known: Any) -> Any:
    """A dataclass from its group; the fields given as `known` are not read."""
    values = dict(known)
    for field in dataclasses.fields(cls):
        if field.name not in known:
            default = MISSING if field.default is dataclasses.MISSING else field.default
            values[field.name] = read(group, field.name, fields_of(cls)[field.name], meter, default)
    return cls(**values)


def _read_items(stored: h5py.Group | h5py.Dataset, hint: Any, meter: Meter) -> tuple[Any, ...]:
    kind = scalar_of(hint)
    if kind is not None:
        return tuple(read_values(stored, kind))
    count = int(stored.attrs[COUNT])
    if stored.attrs[LAYOUT] == TABLE:
        columns = columns_of(hint)
        if columns is None:
            raise SessionError(f"{stored.name} is a table where a list of groups is needed")
        return read_table(stored, hint, columns, count)
    return tuple(read(stored, f"{i:03d}", hint, meter) for i in range(count))


def _read_settings(group: h5py.Group, name: str, model: type[BaseModel]) -> BaseModel:
    try:
        return model.model_validate_json(to_text(group[name][()]))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the text"
        raise SessionError(f"{group.name.rstrip('/')}/{name}: {where}: {first['msg']}") from None


def _read_parameters(group: h5py.Group) -> ParameterSet:
    """By name, so that a file without a parameter that came later still reads; the later one has its default."""
    stored = {p.name: p for p in _read_items(group, Parameter, Meter(0))}
    return ParameterSet(tuple(stored.get(p.name, p) for p in ParameterSet.default()))


def bytes_of(value: Any) -> int:
    """Bytes of all arrays in nested records."""
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, tuple):
        return sum(bytes_of(v) for v in value)
    if isinstance(value, (Mapping, type)) or not is_dataclass(value):
        return 0
    return sum(bytes_of(getattr(value, f.name)) for f in dataclasses.fields(value))
