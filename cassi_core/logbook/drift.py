"""Whether a rig moved: each entry against the rig's limits and against what was measured before, in numbers and in words.

A parameter p of an entry with value v and standard error s is held against a reference r with standard error s_r, and drifts when

    v < lower limit  or  v > upper limit  or  |v - r| > k sqrt(s^2 + s_r^2).

The reference is the entry that the rig's limits name, else the median of the earlier entries that count and did not fail; later
entries never change what is said about an earlier one.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

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


def judge(entry: LogEntry, history: Iterable[LogEntry], limits: RigLimits) -> tuple[Judgement, ...]:
    """Every refined parameter of an entry against the limits and the entries of its rig in `history`."""
    history = tuple(history)
    judgements = []
    for name in PARAMETER_NAMES:
        found = entry.refined(name)
        if found is not None:
            judgements.append(_judge(name, found, limits, _reference(name, entry, history, limits)))
    return tuple(judgements)


def judge_all(contents: Contents) -> dict[int, tuple[Judgement, ...]]:
    """The judgements of all entries by their number."""
    of_rig: dict[str, list[LogEntry]] = {}
    for entry in contents.entries:
        of_rig.setdefault(entry.rig, []).append(entry)
    return {e.id: judge(e, of_rig[e.rig], contents.limits_of(e.rig)) for e in contents.entries}


def drift_reasons(judgements: Sequence[Judgement]) -> tuple[str, ...]:
    """All reasons of an entry, in the order of the parameters; empty when it stands still."""
    return tuple(reason for judgement in judgements for reason in judgement.reasons)


def trends(contents: Contents, rig: str, names: Sequence[str] = PARAMETER_NAMES) -> tuple[Trend, ...]:
    """The course of each named parameter that any entry of the rig refined; withdrawn entries are left out."""
    limits = contents.limits_of(rig)
    entries = [entry for entry in contents.entries if entry.rig == rig and entry.in_force]
    judged = {entry.id: {j.parameter: j for j in judge(entry, entries, limits)} for entry in entries}
    made = []
    for name in names:
        points = tuple(
            TrendPoint(entry, found, judged[entry.id][name]) for entry in entries if (found := entry.refined(name)) is not None
        )
        if points:
            made.append(Trend(rig, name, points, limits.limit(name), _reference(name, None, entries, limits)))
    return tuple(made)


def _reference(name: str, entry: LogEntry | None, history: Sequence[LogEntry], limits: RigLimits) -> Reference | None:
    """What a parameter of an entry is held against; `entry` None stands for the next one."""
    counting = [e for e in history if e.in_force and (entry is None or (e.rig == entry.rig and e.id != entry.id))]
    named = next((e for e in history if e.id == limits.reference and e.in_force), None)
    found = None if named is None else named.refined(name)
    if named is not None and found is not None:
        if entry is not None and entry.id == named.id:
            return None
        return Reference(found.value, found.sigma, f"the reference (entry {named.id}, {local_day(named.calibrated)})")
    earlier = [
        m
        for e in counting
        if e.verdict.status != "fail" and (entry is None or _before(e, entry)) and (m := e.refined(name)) is not None
    ]
    return _median(earlier, "earlier " if entry is not None else "")


def _before(a: LogEntry, b: LogEntry) -> bool:
    return (a.calibrated, a.id) < (b.calibrated, b.id or math.inf)


def _median(measured: Sequence[Measured], which: str) -> Reference | None:
    if not measured:
        return None
    value = statistics.median(m.value for m in measured)
    count = len(measured)
    sigmas = [m.sigma for m in measured if m.sigma is not None]
    sigma = None
    if len(sigmas) == count:
        sigma = (MEDIAN_FACTOR if count > 2 else 1.0) * math.hypot(*sigmas) / count
    text = f"the {which}entry" if count == 1 else f"the median of {count} {which}entries"
    return Reference(value, sigma, text)


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
    return f"{value:+.6g} {SPECS[name].unit}".rstrip()
