"""What `cassi logbook` prints: tables for people, documents for scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from cassi_core.cli.console import Console
from cassi_core.formatting import format_limit, format_number
from cassi_core.logbook.drift import Judgement, Trend, drift_reasons, with_unit
from cassi_core.logbook.entry import LogEntry, local_day
from cassi_core.logbook.limits import Limit, RigLimits
from cassi_core.parameters import PARAMETER_NAMES, SPECS, format_value
from cassi_core.quality.check_text import check_line

LISTED = ("dx", "dy", "theta")
"""Parameters in the list of entries; `show` has all of them."""

Judged = Mapping[int, Sequence[Judgement]]


def entry_document(entry: LogEntry, judgements: Sequence[Judgement]) -> dict[str, Any]:
    """An entry in the types of JSON; times in universal time."""
    changes = {j.parameter: j for j in judgements}
    parameters = {}
    for name, found in entry.parameters.items():
        judged = changes.get(name)
        parameters[name] = {
            **asdict(found),
            "unit": SPECS[name].unit,
            "reference": None if judged is None or judged.reference is None else asdict(judged.reference),
            "change": None if judged is None else judged.change,
            "in_sigmas": None if judged is None else judged.in_sigmas,
        }
    return {
        "entry": entry.id,
        "rig": entry.rig,
        "calibrated": entry.calibrated.isoformat(),
        "added": entry.added.isoformat(),
        "withdrawn": None if entry.withdrawn is None else entry.withdrawn.isoformat(),
        "parameters": parameters,
        "verdict": {"status": entry.verdict.status, "reasons": [reason.text for reason in entry.verdict.reasons]},
        "drift": list(drift_reasons(judgements)),
        "scores": asdict(entry.scores),
        "preset": entry.preset,
        "path": entry.path,
        "sha256": entry.sha256,
        "note": entry.note,
        "program": entry.program,
    }


def limits_document(limits: RigLimits) -> dict[str, Any]:
    """The limits of a rig in the types of JSON."""
    bounds = {name: {**asdict(limits.limit(name)), "unit": SPECS[name].unit} for name in PARAMETER_NAMES}
    return {"rig": limits.rig, "sigmas": limits.sigmas, "reference": limits.reference, "limits": bounds}


def trend_document(trend: Trend) -> dict[str, Any]:
    """The course of a parameter in the types of JSON."""
    points = [
        {
            "entry": p.entry.id,
            "calibrated": p.when.isoformat(),
            "value": p.measured.value,
            "sigma": p.measured.sigma,
            "change": p.judgement.change,
            "in_sigmas": p.judgement.in_sigmas,
            "drift": list(p.judgement.reasons),
            "verdict": p.entry.verdict.status,
        }
        for p in trend.points
    ]
    return {
        "parameter": trend.parameter,
        "unit": SPECS[trend.parameter].unit,
        **asdict(trend.limit),
        "reference": None if trend.reference is None else asdict(trend.reference),
        "points": points,
    }


def print_entries(entries: Sequence[LogEntry], judged: Judged, console: Console) -> None:
    """The list of entries; a drift is named by its parameters."""
    rows = []
    for entry in entries:
        drifting = ", ".join(j.parameter for j in judged.get(entry.id, ()) if j.drifts)
        state = "withdrawn" if not entry.in_force else f"DRIFT {drifting}" if drifting else ""
        values = [_value(entry, name) for name in LISTED]
        rows.append(
            (str(entry.id), local_day(entry.calibrated), entry.rig, entry.verdict.status, *values, state, _short(entry.note))
        )
    named = [f"{name} [{SPECS[name].unit}]" for name in LISTED]
    console.table(("entry", "calibrated", "rig", "verdict", *named, "state", "note"), rows, numeric=(0,))


def print_entry(entry: LogEntry, judgements: Sequence[Judgement], console: Console) -> None:
    """One entry with all that is known about it."""
    console.result(f"entry           {entry.id} of the rig '{entry.rig}'")
    console.result(f"calibrated      {local_day(entry.calibrated)} (added {local_day(entry.added)})")
    if entry.withdrawn is not None:
        console.result(f"withdrawn       {local_day(entry.withdrawn)}")
    if entry.note:
        console.result(f"note            {entry.note}")
    console.result(f"verdict         {entry.verdict.status}")
    for reason in entry.verdict.reasons:
        console.result(f"  {reason.status}: {check_line(reason)}")
    console.result()
    changes = {j.parameter: j for j in judgements}
    rows = []
    for name, found in entry.parameters.items():
        spec, judged = SPECS[name], changes.get(name)
        shown = format_value(found.value, found.sigma, "", spec.digits)
        state = ("at its bound" if found.at_bound else "refined") if found.refined else "held"
        rows.append((name, shown, spec.unit, state, *_change(name, judged)))
    console.table(("parameter", "value", "unit", "", "change", "in sigmas", "against"), rows, numeric=(4, 5))
    console.result()
    s = entry.scores
    console.result(f"residual        {s.residual_before:.4f} before, {s.residual_after:.4f} after")
    if s.held_out_before is not None and s.held_out_after is not None:
        console.result(f"held-out pixels {s.held_out_before:.4f} before, {s.held_out_after:.4f} after")
    console.result(f"made by         preset {entry.preset}, program {entry.program}")
    if entry.path:
        console.result(f"file            {entry.path}")
    if entry.sha256:
        console.result(f"sha256          {entry.sha256}")


def print_trend(trend: Trend, console: Console) -> None:
    """The course of one parameter, the oldest entry first."""
    unit = SPECS[trend.parameter].unit
    console.result(
        f"{trend.parameter}{f' [{unit}]' if unit else ''} of the rig '{trend.rig}', {limit_words(trend.limit, trend.parameter)}"
    )
    rows = []
    for point in trend.points:
        value = format_value(point.measured.value, point.measured.sigma, "", SPECS[trend.parameter].digits)
        change = _change(trend.parameter, point.judgement)[:2]
        state = "DRIFT" if point.judgement.drifts else ""
        rows.append((str(point.entry.id), local_day(point.when), value, *change, point.entry.verdict.status, state))
    console.table(("entry", "calibrated", "value", "change", "in sigmas", "verdict", "state"), rows, numeric=(0, 3, 4))
    if trend.reference is not None:
        r = trend.reference
        shown = format_value(r.value, r.sigma, unit, SPECS[trend.parameter].digits)
        console.result(f"the next one is held against {r.text}: {shown}")
    console.result()


def print_limits(limits: RigLimits, console: Console) -> None:
    """The limits of a rig."""
    console.result(f"rig             {limits.rig}")
    changes = "not judged" if limits.sigmas is None else f"a drift beyond {limits.sigmas:g} standard errors"
    console.result(f"changes         {changes}")
    against = "the median of the earlier entries" if limits.reference is None else f"entry {limits.reference}"
    console.result(f"counted from    {against}")
    console.result()
    rows = [
        (name, _bound(limits.limit(name).lower), _bound(limits.limit(name).upper), SPECS[name].unit) for name in PARAMETER_NAMES
    ]
    console.table(("parameter", "lower", "upper", "unit"), rows, numeric=(1, 2))


def warn_of_drift(entry: LogEntry, judgements: Sequence[Judgement], console: Console) -> None:
    """One line on standard error for each reason."""
    for reason in drift_reasons(judgements):
        console.warning(f"drift of the rig '{entry.rig}': {reason}")


def limit_words(limit: Limit, name: str) -> str:
    """Bounds in words."""
    lower = None if limit.lower is None else with_unit(limit.lower, name)
    upper = None if limit.upper is None else with_unit(limit.upper, name)
    if lower and upper:
        return f"limits {lower} .. {upper}"
    return f"lower limit {lower}" if lower else f"upper limit {upper}" if upper else "no limits set"


def _value(entry: LogEntry, name: str) -> str:
    found = entry.parameters.get(name)
    if found is None:
        return ""
    return format_value(found.value, found.sigma, "", SPECS[name].digits) if found.refined else "held"


def _change(name: str, judged: Judgement | None) -> tuple[str, str, str]:
    if judged is None or judged.change is None or judged.reference is None:
        return "", "", ""
    in_sigmas = "not known" if judged.in_sigmas is None else format_number(judged.in_sigmas, 1, signed=True)
    return format_number(judged.change, SPECS[name].digits, signed=True), in_sigmas, judged.reference.text


def _bound(value: float | None) -> str:
    return "" if value is None else format_limit(value)


def _short(note: str) -> str:
    """The first line of a note, cut to what fits a table."""
    line = note.splitlines()[0] if note else ""
    return line if len(line) <= 40 else line[:39] + "\N{HORIZONTAL ELLIPSIS}"
