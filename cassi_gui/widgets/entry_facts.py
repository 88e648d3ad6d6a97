"""One entry of the logbook in words: what was found, how it changed, why the verdict, where the file is."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from cassi_core.logbook.drift import Judgement
from cassi_core.logbook.entry import LogEntry, local_day
from cassi_core.parameters import SPECS, format_value
from cassi_gui.style.theme import Palette

RIGHT = " align='right'"


def entry_html(entry: LogEntry, judgements: Sequence[Judgement], palette: Palette) -> str:
    """All that is known about an entry, as HTML with two columns."""
    return (
        f"<h3>Entry {entry.id} of {escape(entry.rig)}</h3>"
        f"<table><tr><td style='padding-right: 40px'>{_parameters(entry, judgements, palette)}</td>"
        f"<td>{_drift(judgements)}{_verdict(entry)}{_record(entry)}</td></tr></table>"
    )


def _parameters(entry: LogEntry, judgements: Sequence[Judgement], palette: Palette) -> str:
    changes = {j.parameter: j for j in judgements}
    cells = []
    for name, found in entry.parameters.items():
        spec, judged = SPECS[name], changes.get(name)
        value = format_value(found.value, found.sigma, spec.unit, spec.digits)
        state = ("at its bound" if found.at_bound else "") if found.refined else "held"
        change = sigmas = ""
        if judged is not None and judged.change is not None:
            change = format_value(judged.change, None, spec.unit, spec.digits)
            sigmas = "not known" if judged.in_sigmas is None else f"{judged.in_sigmas:+.1f}"
        if judged is not None and judged.drifts:
            state = f"<span style='color:{palette.bad}'>\N{WARNING SIGN} drift</span>"
        cells.append(
            f"<tr><td>{name}&nbsp;</td><td{RIGHT}>{value}&nbsp;&nbsp;</td><td{RIGHT}>{change}&nbsp;&nbsp;</td>"
            f"<td{RIGHT}>{sigmas}&nbsp;&nbsp;</td><td>{state}</td></tr>"
        )
    return (
        f"<table><tr><td></td><td{RIGHT}><b>Value</b>&nbsp;&nbsp;</td><td{RIGHT}><b>Change</b>&nbsp;&nbsp;</td>"
        f"<td{RIGHT}><b>In sigmas</b>&nbsp;&nbsp;</td><td></td></tr>{''.join(cells)}</table>"
    )


def _drift(judgements: Sequence[Judgement]) -> str:
    against = next((j.reference.text for j in judgements if j.reference is not None), "")
    reasons = "".join(f"<li>{escape(reason)}</li>" for j in judgements for reason in j.reasons)
    counted = f"Changes are counted from {escape(against)}." if against else "There is nothing to compare with."
    return f"<p><b>{'Drift' if reasons else 'No drift'}</b>. {counted}</p>" + (f"<ul>{reasons}</ul>" if reasons else "")


def _verdict(entry: LogEntry) -> str:
    reasons = "".join(f"<li>{escape(r.status)}: {escape(r.text)}</li>" for r in entry.verdict.reasons)
    return f"<p><b>Verdict: {entry.verdict.status}</b></p><ul>{reasons}</ul>"


def _record(entry: LogEntry) -> str:
    s = entry.scores
    lines = [f"Calibrated {local_day(entry.calibrated)}, added {local_day(entry.added)}"]
    if entry.withdrawn is not None:
        lines.append(f"Withdrawn {local_day(entry.withdrawn)}: it counts for nothing")
    lines.append(f"Residual {s.residual_before:.4f} before, {s.residual_after:.4f} after")
    if s.held_out_before is not None and s.held_out_after is not None:
        lines.append(f"Held-out pixels {s.held_out_before:.4f} before, {s.held_out_after:.4f} after")
    lines.append(f"Preset {escape(entry.preset)}, program {escape(entry.program)}")
    lines.append(f"File {escape(entry.path)}" if entry.path else "No calibration file was written for it")
    if entry.sha256:
        lines.append(f"SHA-256 {escape(entry.sha256[:16])}\N{HORIZONTAL ELLIPSIS}")
    if entry.note:
        lines.append(f"Note: {escape(entry.note)}")
    return f"<p>{'<br>'.join(lines)}</p>"
