"""What a form needs to know about the settings, read from the configuration's own metadata: kind, range, unit, help."""

from __future__ import annotations

import types
from dataclasses import dataclass
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from cassi_core.config import CalibrationConfig
from cassi_core.errors import ConfigError

Path = tuple[str, ...]
Kind = Literal["int", "float", "bool", "choice", "text"]
NOT_IN_FORMS = frozenset({"version", "preset", "refine"})
"""Chosen elsewhere: the preset in its own list, what is refined in the parameter table."""


@dataclass(frozen=True)
class FieldSpec:
    """One setting: where it is, what kind of control it needs, its words and limits (None: none)."""

    path: Path
    kind: Kind
    help: str
    unit: str
    default: Any
    lower: float | None = None
    upper: float | None = None
    above_lower: bool = False
    """True when the lower limit itself is not allowed."""
    choices: tuple[str, ...] = ()
    pattern: str = ""

    @property
    def name(self) -> str:
        return self.path[-1]

    def range_text(self) -> str:
        """`1 to 200 px, default 8`."""
        words = []
        if self.lower is not None and self.upper is not None:
            words.append(f"{'above ' if self.above_lower else ''}{self.lower:g} to {self.upper:g} {self.unit}".rstrip())
        shown = (
            f"{self.default:g}"
            if isinstance(self.default, float)
            else {True: "on", False: "off"}.get(self.default, self.default)
        )
        words.append(f"default {shown}")
        return ", ".join(words)


@dataclass(frozen=True)
class GroupSpec:
    """A group of settings with its sentence; `switch` is the setting that turns the whole group on or off."""

    path: Path
    help: str
    fields: tuple[FieldSpec, ...]
    groups: tuple[GroupSpec, ...]
    switch: FieldSpec | None = None


def describe(model: BaseModel, path: Path = (), help_text: str = "") -> GroupSpec:
    """The settings of a model and of the models in it, in the order of their declaration; defaults are the model's values."""
    fields, groups, switch = [], [], None
    for name, info in type(model).model_fields.items():
        value = getattr(model, name)
        here = (*path, name)
        if isinstance(value, BaseModel):
            groups.append(describe(value, here, info.description or name))
        elif here not in {(n,) for n in NOT_IN_FORMS}:
            spec = _field(here, info, value)
            if name == "enabled":
                switch = spec
            else:
                fields.append(spec)
    return GroupSpec(path, help_text, tuple(fields), tuple(groups), switch)


def _field(path: Path, info: FieldInfo, default: Any) -> FieldSpec:
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    limits: dict[str, Any] = {}
    for entry in info.metadata:
        for key in ("ge", "gt", "le", "lt", "pattern"):
            if getattr(entry, key, None) is not None:
                limits[key] = getattr(entry, key)
    annotation = info.annotation
    if get_origin(annotation) in (Union, types.UnionType):
        annotation = next(a for a in get_args(annotation) if a is not type(None))
    choices = tuple(str(a) for a in get_args(annotation)) if get_origin(annotation) is Literal else ()
    kind: Kind = "choice" if choices else {bool: "bool", int: "int", float: "float"}.get(annotation, "text")  # type: ignore[assignment,arg-type]
    return FieldSpec(
        path=path,
        kind=kind,
        help=info.description or path[-1],
        unit=str(extra.get("unit", "")),
        default=default,
        lower=limits.get("ge", limits.get("gt")),
        upper=limits.get("le", limits.get("lt")),
        above_lower="gt" in limits,
        choices=choices,
        pattern=str(limits.get("pattern", "")),
    )


def value_at(config: BaseModel, path: Path) -> Any:
    """The value of a setting."""
    value: Any = config
    for name in path:
        value = getattr(value, name)
    return value


def with_setting(config: CalibrationConfig, path: Path, value: Any) -> CalibrationConfig:
    """A copy of the configuration with one setting changed; ConfigError that names it when the value does not fit."""
    data = config.model_dump()
    inner = data
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    try:
        return CalibrationConfig.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(f"{'.'.join(path)}: {first['msg']} (got {value!r})") from None
