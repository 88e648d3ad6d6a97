"""Whether a rig moved: each entry against the rig's limits and against what was measured before, in numbers and in words.

A parameter p of an entry with value v and standard error s is held against a reference r with standard error s_r, and drifts when

    v < lower limit  or  v > upper limit  or  |v - r| > k sqrt(s^2 + s_r^2).

The reference is the entry that the rig's limits name, else the median of the earlier entries that count and did not fail; later
entries never change what is said about an earlier one.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cassi_core.formatting import format_limit
from cassi_core.logbook.entry import LogEntry, Measured, local_day
from cassi_core.logbook.limits import Limit, RigLimits
from cassi_core.logbook.store import Contents
from cassi_core.parameters import PARAMETER_NAMES, SPECS, format_value

MEDIAN_FACTOR = math.sqrt(math.pi / 2)
"""Standard error of the median of many normal values in units of that of their mean; for one or two values both are the same."""


@dataclass(frozen=True)
class Reference:
    """What a change is counted from: value, standard error (None: not known), and what it is in words."""

    value: float
    sigma: float | None
    text: str


@dataclass(frozen=True)
class Judgement:
    """A parameter of an entry: its change from the reference, in its unit and in standard errors, and why it drifts, if it does."""

    parameter: str
    reference: Reference | None
    change: float | None
    in_sigmas: float | None
    reasons: tuple[str, ...]

    @property
    def drifts(self) -> bool:
        """True when there is a reason."""
        return bool(self.reasons)


@dataclass(frozen=True)
class TrendPoint:
    """An entry in the course of one parameter."""

    entry: LogEntry
    measured: Measured
    judgement: Judgement

    @property
    def when(self) -> datetime:
        """Time of the calibration."""
        return self.entry.calibrated


@dataclass(frozen=True)
class Trend:
    """The course of one parameter of a rig; `reference` is what the next calibration will be held against."""

    rig: str
    parameter: str
    points: tuple[TrendPoint, ...]
    limit: Limit
    reference: Reference | None


def judge_all(contents: Contents) -> dict[int, tuple[Judgement, ...]]:
    """The judgements of all entries by their number: every refined parameter, in the usual order."""
    found: dict[int, tuple[Judgement, ...]] = {}
    for rig in {entry.rig for entry in contents.entries}:
        found |= _judge_rig(contents, rig)[0]
    return found


def drift_reasons(judgements: Sequence[Judgement]) -> tuple[str, ...]:
    """All reasons of an entry, in the order of the parameters; empty when it stands still."""
    return tuple(reason for judgement in judgements for reason in judgement.reasons)


def trends(contents: Contents, rig: str, names: Sequence[str] = PARAMETER_NAMES) -> tuple[Trend, ...]:
    """The course of each named parameter that any entry of the rig refined; withdrawn entries are left out."""
    limits = contents.limits_of(rig)
    judged, now = _judge_rig(contents, rig)
    entries = sorted((e for e in contents.entries if e.rig == rig and e.in_force), key=_order)
    made = []
    for name in names:
        points = tuple(
            TrendPoint(entry, found, next(j for j in judged[entry.id] if j.parameter == name))
            for entry in entries
            if (found := entry.refined(name)) is not None
        )
        if points:
            made.append(Trend(rig, name, points, limits.limit(name), now.get(name)))
    return tuple(made)


class _Earlier:
    """The values of one parameter so far, kept in order, so that the median of thousands of entries costs nothing."""

    def __init__(self) -> None:
        self._values: list[float] = []
        self._variance = 0.0
        self._unknown = 0

    def add(self, measured: Measured) -> None:
        bisect.insort(self._values, measured.value)
        if measured.sigma is None:
            self._unknown += 1
        else:
            self._variance += measured.sigma**2

    def median(self, which: str) -> Reference | None:
        count = len(self._values)
        if not count:
            return None
        value = (self._values[(count - 1) // 2] + self._values[count // 2]) / 2
        sigma = (MEDIAN_FACTOR if count > 2 else 1.0) * math.sqrt(self._variance) / count
        text = f"the {which}entry" if count == 1 else f"the median of {count} {which}entries"
        return Reference(value, None if self._unknown else sigma, text)


def _judge_rig(contents: Contents, rig: str) -> tuple[dict[int, tuple[Judgement, ...]], dict[str, Reference]]:
    """The judgements of a rig's entries by number, and what the next one will be held against, by parameter."""
    limits = contents.limits_of(rig)
    entries = sorted((entry for entry in contents.entries if entry.rig == rig), key=_order)
    chosen = next((entry for entry in entries if entry.id == limits.reference and entry.in_force), None)
    earlier = {name: _Earlier() for name in PARAMETER_NAMES}
    judged = {}
    for entry in entries:
        found = [(name, m) for name in PARAMETER_NAMES if (m := entry.refined(name)) is not None]
        judgements = []
        for name, measured in found:
            reference = _chosen(name, chosen) or earlier[name].median("earlier ")
            own = entry is chosen
            judgements.append(_judge(name, measured, limits, None if own else reference))
        judged[entry.id] = tuple(judgements)
        if entry.in_force and entry.verdict.status != "fail":
            for name, measured in found:
                earlier[name].add(measured)
    now = {name: _chosen(name, chosen) or earlier[name].median("") for name in PARAMETER_NAMES}
    return judged, {name: reference for name, reference in now.items() if reference is not None}


def _chosen(name: str, entry: LogEntry | None) -> Reference | None:
    """The entry that a person made the reference, if it measured the parameter."""
    found = None if entry is None else entry.refined(name)
    if entry is None or found is None:
        return None
    return Reference(found.value, found.sigma, f"the reference (entry {entry.id}, {local_day(entry.calibrated)})")


def _order(entry: LogEntry) -> tuple[datetime, int]:
    return entry.calibrated, entry.id


def _judge(name: str, found: Measured, limits: RigLimits, reference: Reference | None) -> Judgement:
    spec, limit = SPECS[name], limits.limit(name)
    shown = format_value(found.value, None, spec.unit, spec.digits)
    reasons = []
    if limit.lower is not None and found.value < limit.lower:
        reasons.append(f"{name} {shown} lies below its lower limit {with_unit(limit.lower, name)}")
    if limit.upper is not None and found.value > limit.upper:
        reasons.append(f"{name} {shown} lies above its upper limit {with_unit(limit.upper, name)}")
    if reference is None:
        return Judgement(name, None, None, None, tuple(reasons))
    change = found.value - reference.value
    in_sigmas = None
    if found.sigma is not None and reference.sigma is not None and math.hypot(found.sigma, reference.sigma) > 0:
        in_sigmas = change / math.hypot(found.sigma, reference.sigma)
    if limits.sigmas is not None and in_sigmas is not None and abs(in_sigmas) > limits.sigmas:
        moved = format_value(change, None, spec.unit, spec.digits)
        reasons.append(
            f"{name} {shown} differs from {reference.text} by {moved}: {abs(in_sigmas):.1f} standard errors, "
            f"more than {limits.sigmas:g}"
        )
    return Judgement(name, reference, change, in_sigmas, tuple(reasons))


def with_unit(value: float, name: str) -> str:
    """A limit as people read it: all digits that were given, and the parameter's unit."""
    return f"{format_limit(value)} {SPECS[name].unit}".rstrip()
