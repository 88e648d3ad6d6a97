"""How a run was computed, in words."""

from __future__ import annotations

from cassi_core.result import CalibrationResult


def facts_html(name: str, result: CalibrationResult) -> str:
    """How a run was computed: algorithm, device, stages with their seconds, notes."""
    ended = "to the end" if result.outcome == "done" else "stopped early, best so far kept"
    rows = "".join(
        f"<tr><td>{s.label}&nbsp;&nbsp;</td><td align='right'>{s.seconds:.1f} s&nbsp;&nbsp;</td>"
        f"<td align='right'>{'' if s.score is None else f'{s.score:.4f}'}</td></tr>"
        for s in result.stages
    )
    notes = "".join(f"<li>{n}</li>" for n in result.notes)
    peak = "" if result.peak_z is None else f"<br>Pre-alignment peak: {result.peak_z:.1f} times its noise"
    return (
        f"<h3>{name}</h3><p>Preset {result.preset}, values from {result.source}, {ended}."
        f"<br>{result.seconds_total:.1f} s on {result.device}, {result.threads} thread{'s' if result.threads > 1 else ''}, "
        f"seed {result.seed}.{peak}</p>"
        f"<table><tr><td><b>Stage</b></td><td align='right'><b>Time</b>&nbsp;&nbsp;</td>"
        f"<td align='right'><b>Residual</b></td></tr>{rows}</table>" + (f"<ul>{notes}</ul>" if notes else "")
    )
