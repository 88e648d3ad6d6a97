"""What the type hints of a dataclass say about how its fields are stored."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np

SCALARS = (bool, int, float, str)


@cache
def fields_of(cls: type) -> dict[str, Any]:
    """Names and type hints of the fields of a dataclass, in order."""
    hints = get_type_hints(cls)
    return {f.name: hints[f.name] for f in dataclasses.fields(cls)}


def split_optional(hint: Any) -> tuple[Any, bool]:
    """The hint without `| None`, and whether None was allowed."""
    if get_origin(hint) in (types.UnionType, Union):
        rest = [a for a in get_args(hint) if a is not type(None)]
        if len(rest) != 1:
            raise TypeError(f"a field of type {hint} cannot be stored")
        return rest[0], True
    return hint, False


def scalar_of(hint: Any) -> type | None:
    """bool, int, float or str for a hint that is one of them (or a Literal of texts); None for any other."""
    if get_origin(hint) is Literal:
        return str
    return hint if hint in SCALARS else None


def is_array(hint: Any) -> bool:
    return get_origin(hint) is np.ndarray


def is_mapping(hint: Any) -> bool:
    origin = get_origin(hint)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def item_of(hint: Any) -> Any | None:
    """The common hint of the items of a tuple or frozenset; None where they differ or it is neither."""
    if get_origin(hint) not in (tuple, frozenset):
        return None
    items = [a for a in get_args(hint) if a is not Ellipsis]
    return items[0] if all(a == items[0] for a in items) else None
