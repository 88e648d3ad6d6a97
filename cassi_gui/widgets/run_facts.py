"""All numbers of a run: values with their symbols, checks with their limits, and how it was computed."""

from __future__ import annotations

from collections.abc import Sequence

from cassi_core.formatting import format_number
from cassi_core.quality.headline import value_and_limit
from cassi_core.quality.names import screen_name, screen_value
from cassi_core.result import CalibrationResult
from cassi_gui.widgets.found_values import Comparison

STATUS = {"pass": "passed", "warn": "to look at", "fail": "failed"}
OUTCOMES = {
    "done": "to the end",
    "finished_early": "stopped early, best so far kept",
    "not_finished": "stopped before its search was finished",
}


def facts_html(name: str, result: CalibrationResult, comparison: Comparison | None = None) -> str:
    """Tables of values, checks and stages, and notes."""
    return f"<h3>{name}</h3>{_values(result, comparison)}{_checks(result)}{_light(result)}{_how(result)}"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    def cell(column: int, text: str, tag: str) -> str:
        side = " align='right'" if column in right else " align='left'"
        return f"<{tag}{side} style='padding-right:8px; white-space:nowrap'>{text}</{tag}>"

    lines = ["".join(cell(i, t, "th") for i, t in enumerate(header))] if any(header) else []
    lines += ["".join(cell(i, t, "td") for i, t in enumerate(row)) for row in rows]
    return "<table cellspacing='0'>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"


def _values(result: CalibrationResult, comparison: Comparison | None) -> str:
    direction, unfinished = result.dispersion.direction, result.outcome == "not_finished"
    header = ["Value", "value" if unfinished else "value ± error", "start"]
    header += [comparison.heading] if comparison is not None else []
    rows = []
    for p in result.parameters:
        shown = screen_name(p.name, direction)
        value = screen_value(p, error=not unfinished) if p.refine else f"{screen_value(p, error=False)} held"
        row = [f"{shown.words} <i>{shown.symbol}</i>", f"{value} {shown.unit}", screen_value(result.start[p.name], error=False)]
        rows.append(row + ([comparison.cells.get(p.name, "")] if comparison is not None else []))
    return _table(header, rows, (1, 2, 3))


def _checks(result: CalibrationResult) -> str:
    rows = [(r.title, STATUS[r.status], *value_and_limit(r)) for r in result.verdict.reasons]
    return f"<h4>Checks</h4>{_table(('', '', '', ''), rows, (2,))}"


def _light(result: CalibrationResult) -> str:
    scores = result.scores
    pairs = [("What the fit cannot explain (residual)", scores.residual_before, scores.residual_after)]
    if scores.held_out_before is not None and scores.held_out_after is not None:
        pairs.append(("Pixels that it did not see (held-out residual)", scores.held_out_before, scores.held_out_after))
    rows = [(word, *(f"{format_number(100 * v, 2)} %" for v in values)) for word, *values in pairs]
    return f"<h4>Share of the light</h4>{_table(('', 'before', 'after'), rows, (1, 2))}"


def _how(result: CalibrationResult) -> str:
    rows = [(s.label, f"{s.seconds:.1f} s", "" if s.score is None else format_number(s.score, 4)) for s in result.stages]
    notes = "".join(f"<li>{note}</li>" for note in result.notes)
    peak = "" if result.peak_z is None else f"<br>Strongest trace of the mask: {result.peak_z:.1f} times the noise."
    return (
        f"<h4>How it was computed</h4><p>Preset {result.preset}, values from {result.source}, {OUTCOMES[result.outcome]}. "
        f"{result.seconds_total:.1f} s on {result.device}, {result.threads} thread{'s' if result.threads > 1 else ''}, "
        f"seed {result.seed}.{peak}</p>{_table(('Stage', 'time', 'not explained'), rows, (1, 2))}"
        + (f"<ul>{notes}</ul>" if notes else "")
    )
