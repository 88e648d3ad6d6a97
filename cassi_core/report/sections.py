"""The parts of the report that prove and record: tables of parameters and inputs, pictures, charts."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import Any

import numpy as np

from cassi_core.config import CalibrationConfig
from cassi_core.formatting import format_number
from cassi_core.io.calibration_file import outcome_of, read_optics, read_registration, steps_of
from cassi_core.parameters import GEOMETRY_NAMES, PARAMETER_NAMES, SPECS, format_value
from cassi_core.quality.check_text import check_numbers
from cassi_core.quality.colour import pseudo_colours
from cassi_core.quality.display import (
    predicted_measurement,
    robust_levels,
    spectrum_at,
    symmetric_levels,
    within_errors,
)
from cassi_core.quality.optics_words import optics_lines
from cassi_core.quality.points import spectrum_points
from cassi_core.quality.registration_text import registration_line
from cassi_core.quality.shift_checks import leftover_rms, shifted_blocks
from cassi_core.report.charts import COLOURS, Arrow, Line, arrow_field, line_chart, matrix, score_map
from cassi_core.report.content import ReportContent
from cassi_core.report.pictures import colour_of, colour_table, image_uri, rgb_uri
from cassi_core.result import LocalShift, Outcome, QualityMaps
from cassi_core.run import GridScores

Cell = str | tuple[str, str]
OUTCOMES: dict[Outcome, str] = {"done": "done", "finished_early": "finished early", "not_finished": "search not finished"}


def table(headings: Sequence[Cell], rows: Sequence[Sequence[Cell]]) -> str:
    """A table; a cell is text, or (class, text). Text is escaped here."""

    def cells(row: Sequence[Cell], tag: str) -> str:
        made = []
        for cell in row:
            kind, text = cell if isinstance(cell, tuple) else ("", cell)
            inner = f'<span class="badge {text}">{text}</span>' if kind == "status" else escape(text)
            made.append(f"<{tag}{f' class={kind!r}' if kind and kind != 'status' else ''}>{inner}</{tag}>")
        return f"<tr>{''.join(made)}</tr>"

    return f"<table><thead>{cells(headings, 'th')}</thead><tbody>{''.join(cells(row, 'td') for row in rows)}</tbody></table>"


def figure(inside: str, caption: str, kind: str = "") -> str:
    """A picture with its caption."""
    return f"<figure{f' class={kind!r}' if kind else ''}>{inside}<figcaption>{escape(caption)}</figcaption></figure>"


def row(*parts: str) -> str:
    """Parts side by side, below each other where there is no room."""
    return f'<div class="row">{"".join(f"<div class=half>{part}</div>" for part in parts)}</div>'


def verdict_section(c: ReportContent) -> str:
    """Verdict with every check in words."""

    rows = [
        (("status", r.status), r.title, r.text, ("n", check_numbers(r)), r.advice if r.status != "pass" else "")
        for r in c.verdict.reasons
    ]
    s = c.scores
    held = ""
    if s.held_out_before is not None and s.held_out_after is not None:
        held = f" On pixels that the reconstruction did not see: {s.held_out_before:.4f} before, {s.held_out_after:.4f} after."
    text = f"Relative residual ||y - A x|| / ||y||: {s.residual_before:.4f} before, {s.residual_after:.4f} after.{held}"
    return f"<p>{escape(text)}</p>" + table(("", "check", "found", ("n", "value"), "what to do"), rows)


def parameter_section(c: ReportContent) -> str:
    """Parameters with error bars, bounds and start values; their correlations."""
    rows = []
    steps = {step.name: step.step for step in steps_of(c.document)}
    for p in c.parameters:
        if p.name not in GEOMETRY_NAMES and not p.refine and p.value == 0:
            continue
        state = ("at its bound" if p.at_bound else "refined") if p.refine else "held"
        if p.name in steps:
            state = f"grid step {format_number(steps[p.name], p.spec.digits)}"
        value = format_value(p.value, p.sigma, p.unit, p.spec.digits)
        start = format_value(c.start[p.name].value, None, "", p.spec.digits)
        bounds = f"{p.lower:g} .. {p.upper:g}" if p.refine else ""
        rows.append((p.name, p.spec.description, ("n", value), ("n", start), state, ("n", bounds)))
    head = "value (no error is known)" if outcome_of(c.document) == "not_finished" else "value ± standard error"
    made = table(("", "meaning", ("n", head), ("n", "start"), "", ("n", "bounds")), rows)
    registration = read_registration(c.document.get("registration"))
    if registration is not None:
        made = f"<p>The mask may be off by: {escape(registration_line(registration))}.</p>" + made
    found = optics_lines(read_optics(c.document), c.dispersion)
    if found:
        made += "<p>What the lenses do:</p><ul>" + "".join(f"<li>{escape(line)}</li>" for line in found) + "</ul>"
    made += _error_budget(c)
    correlation = c.document.get("correlation")
    if correlation and len(correlation["names"]) > 1:
        values = np.array([[math.nan if v is None else v for v in line] for line in correlation["matrix"]], float)
        picture = matrix(correlation["names"], np.nan_to_num(values), title="Correlation of the refined parameters")
        made += figure(picture, "Correlation of the refined parameters: near ±1, two of them can hardly be told apart.")
    return made


def _error_budget(c: ReportContent) -> str:
    """Standard error of every parameter by named terms; nothing for files without them."""
    terms = c.document.get("error_terms") or []
    if not terms:
        return ""
    names = terms[0]["parameters"]
    rows = []
    for term in terms:
        sigmas = np.sqrt(np.maximum(np.diag(np.array(term["covariance"], float)), 0))
        rows.append((term["name"], term["origin"], *(("n", f"{s:.2g}") for s in sigmas)))
    return "<p>Where the standard errors come from:</p>" + table(("term", "origin", *(("n", n) for n in names)), rows)


def pictures_section(c: ReportContent) -> str:
    """Measurement, pseudo-colour and residual maps, leftover shifts, spectra."""
    if c.maps is None:
        return "<p class=muted>The maps are not in the calibration file and its inputs are not at hand.</p>"
    m = c.maps
    points = spectrum_points(m.cube_after)
    parts = [_colours(c, m, points), _residuals(c, m), _shifts(m), _spectra(c, m, points)]
    return "".join(parts)


def _colours(c: ReportContent, m: QualityMaps, points: Sequence[tuple[int, int]]) -> str:
    before, after = pseudo_colours((m.cube_before, m.cube_after), c.dispersion.wavelengths_nm)
    assert before is not None and after is not None
    marks = _marks(points, m.cube_after.shape[1:])
    made = "<h3>Reconstruction</h3>" + row(
        figure(f'<img alt="Reconstruction before" src="{rgb_uri(before)}">', "With the start values (GAP-TV, pseudo-colour)."),
        figure(
            f'<div class=marked><img alt="Reconstruction after" src="{rgb_uri(after)}">{marks}</div>',
            "With the calibrated values, on the same scale. The numbers are the points of the spectra below.",
        ),
    )
    if c.measurement is not None:
        levels = robust_levels(c.measurement)
        uri = image_uri(c.measurement, levels, gamma=0.6)
        model = image_uri(predicted_measurement(c.measurement, m.residual_after), levels, gamma=0.6)
        made = (
            "<h3>Measurement</h3>"
            + row(
                figure(f'<img alt="Measurement" src="{uri}">', "The first snapshot, dark parts lifted (gamma 0.6)."),
                figure(f'<img alt="Model" src="{model}">', "What the calibrated model says the camera should have seen."),
            )
            + made
        )
    return made


def _marks(points: Sequence[tuple[int, int]], shape: tuple[int, ...]) -> str:
    height, width = shape
    size = max(height, width) / 40
    parts = []
    for i, (r, col) in enumerate(points):
        colour = COLOURS[i % len(COLOURS)]
        text = (
            f'font-size="{2.4 * size:.1f}" font-weight="700" stroke="#fff" stroke-width="{size / 5:.2f}" paint-order="stroke"'
        )
        parts.append(
            f'<circle cx="{col}" cy="{r}" r="{size / 1.6:.1f}" fill="{colour}" stroke="#fff" stroke-width="{size / 4:.2f}"/>'
            f'<text x="{col + size}" y="{r - size / 2}" fill="{colour}" {text}>{i + 1}</text>'
        )
    return f'<svg viewBox="0 0 {width} {height}" aria-hidden="true">{"".join(parts)}</svg>'


def _residuals(c: ReportContent, m: QualityMaps) -> str:
    levels = symmetric_levels(m.residual_before)
    pictures = [
        figure(
            f'<img alt="Residual {name}" src="{image_uri(image, levels, "diverging")}">',
            f"Residual y - A x with the {label} values, in units of the measurement, rms {float(np.sqrt(np.mean(np.square(image)))):.3g}.",
        )
        for name, label, image in (("before", "start", m.residual_before), ("after", "calibrated", m.residual_after))
    ]
    stops = ",".join(colour_of(k, 0, 8, colour_table("diverging")) for k in range(9))
    ends = f"<div class=ends><span>{levels[0]:.3g}</span><span>0</span><span>{levels[1]:.3g}</span></div>"
    bar = f'<div class=bar style="background:linear-gradient(to right,{stops})"></div>{ends}'
    return "<h3>Residual maps</h3>" + row(*pictures) + bar


def _shifts(m: QualityMaps) -> str:
    if not m.shifts_after and not m.shifts_before:
        return ""
    largest = max((math.hypot(s.right, s.down) for s in (*m.shifts_before, *m.shifts_after)), default=0.0)
    shape = (m.residual_after.shape[0], m.residual_after.shape[1])

    def field(shifts: Sequence[LocalShift], label: str) -> str:
        arrows = [Arrow(v.row, v.col, v.right, v.down, within_errors(v)) for v in shifts]
        caption = (
            f"{label}: {leftover_rms(shifts):.3f} px rms beyond the errors, {shifted_blocks(shifts)} of {len(shifts)} blocks shifted beyond two "
            "of them."
            if shifts
            else f"{label}: none."
        )
        return figure(arrow_field(arrows, shape, largest, title=f"Leftover shifts, {label.lower()}"), caption)

    return (
        "<h3>Leftover shifts of the mask pattern</h3>"
        + row(field(m.shifts_before, "Before"), field(m.shifts_after, "After"))
        + "<p class=muted>Each block of the measurement says how far the mask pattern still lies from where the parameters put it; "
        "the arrows of both pictures have one scale, grey ones are within two standard errors of zero. "
        "Along the dispersion a block alone tells little: a shift by one step is nearly the same picture there.</p>"
    )


def _spectra(c: ReportContent, m: QualityMaps, points: Sequence[tuple[int, int]]) -> str:
    nm = c.dispersion.wavelengths_nm
    x = np.arange(len(m.cube_after), dtype=float) if nm is None else nm
    lines = []
    for i, (r, col) in enumerate(points):
        colour = COLOURS[i % len(COLOURS)]
        lines.append(Line("", x, spectrum_at(m.cube_before, r, col), dashed=True, colour=colour))
        lines.append(Line(f"{i + 1}: row {r}, column {col}", x, spectrum_at(m.cube_after, r, col), colour=colour))
    label = "band" if nm is None else "wavelength in nm"
    chart = line_chart(lines, x_label=label, y_label="units of the measurement", title="Spectra", width=760, height=260)
    return "<h3>Spectra</h3>" + figure(
        chart, "Mean over 3 x 3 pixels: with the calibrated values (full) and the start values (broken)."
    )


def search_section(c: ReportContent) -> str:
    """Stages, convergence, score maps."""
    stages = c.document.get("stages") or []
    rows = [
        (
            str(s.get("label") or s.get("name")),
            ("n", f"{s['seconds']:.2f}"),
            ("n", str(s.get("steps", ""))),
            ("n", _score(s.get("score"))),
        )
        for s in stages
    ]
    made = table(("stage", ("n", "seconds"), ("n", "steps"), ("n", "residual")), rows)
    if not c.has_record:
        return made + (
            "<p class=muted>The calibration file does not hold the single steps of the search; "
            "<code>cassi calibrate --report</code> shows them.</p>"
        )
    return made + _score_maps(c) + _convergence(c)


def _score(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _convergence(c: ReportContent) -> str:
    if len(c.table) < 2:
        return ""
    at = np.arange(len(c.table), dtype=float)
    divisions = [(float(i), row.stage) for i, row in enumerate(c.table) if i == 0 or row.stage != c.table[i - 1].stage]
    residual = Line("", at, np.array([r.score for r in c.table]), markers=len(at) < 80)
    charts = [
        line_chart([residual], x_label="step", y_label="residual", title="Residual", width=760, height=190, divisions=divisions)
    ]
    small = []
    for name in c.parameters.refined:
        i = PARAMETER_NAMES.index(name)
        values = np.array([r.values[i] for r in c.table])
        errors = np.array([math.nan if r.sigmas is None or r.sigmas[i] is None else float(r.sigmas[i] or 0) for r in c.table])
        line = Line("", at, values, errors if np.isfinite(errors).any() else None, markers=len(at) < 40)
        unit = f" in {SPECS[name].unit}" if SPECS[name].unit else ""
        chart = line_chart([line], x_label="step", y_label=name + unit, title=name, width=370, height=170)
        small.append(f"<figure>{chart}</figure>")
    pairs = [row(*small[i : i + 2]) for i in range(0, len(small), 2)]
    caption = (
        "Relative residual after every step of the search; broken lines: where a stage begins. Stages that smooth the unknown scene "
        "differently have residuals of different size."
    )
    return "<h3>Convergence</h3>" + figure("".join(charts), caption) + "".join(pairs)


def _score_maps(c: ReportContent) -> str:
    """The maps of all grids, two beside each other below one heading, so that none stands alone on a page."""
    maps = [made for made in (_grid(grid) for grid in c.grids) if made]
    pairs = "".join(row(*maps[i : i + 2]) for i in range(0, len(maps), 2))
    return f"<h3>How well each place fits</h3>{pairs}" if maps else ""


def _grid(grid: GridScores) -> str:
    """A score map of a grid search: the best score over the axes that are not shown."""
    shown = [i for i, axis in enumerate(grid.axes) if len(axis) > 1][:2]
    if not shown:
        return ""
    others = tuple(i for i in range(len(grid.axes)) if i not in shown)
    known = np.where(np.isfinite(grid.scores), grid.scores, np.inf).astype(np.float64)
    scores = known.min(axis=others) if others else known
    scores[~np.isfinite(scores)] = np.nan

    def label(i: int) -> str:
        unit = SPECS[grid.names[i]].unit
        return f"{grid.names[i]} in {unit}" if unit else grid.names[i]

    heights = grid.peak_heights
    if heights:
        scores = -scores
    count = int(np.isfinite(grid.scores).sum())
    rest = f"; best over {', '.join(grid.names[i] for i in others)}" if others else ""
    better = "Heights of the correlation, noise = 1: higher is better." if heights else "Lower is better."
    caption = f"{grid.stage}: {count} points scored{rest}. {better}"
    if len(shown) == 1:
        line = Line("", grid.axes[shown[0]], scores, markers=True)
        chart = line_chart(
            [line],
            x_label=label(shown[0]),
            y_label="correlation" if heights else "residual",
            title=grid.stage,
            width=370,
            height=190,
        )
        return figure(chart, caption)
    axes = (grid.axes[shown[0]], grid.axes[shown[1]])
    best = (grid.best[shown[0]], grid.best[shown[1]])
    labels = (label(shown[0]), label(shown[1]))
    chart = score_map(scores.astype(np.float32), axes, best, labels=labels, title=grid.stage, high_is_good=heights)
    return figure(chart, caption + " Bright is good, the cross marks the best point.")


def inputs_section(c: ReportContent) -> str:
    """Files with their hashes, the dispersion."""
    d = c.document
    rows = []
    for role, source in [*(("snapshot", s) for s in d["inputs"]), ("mask", d["mask"])]:
        shape = " x ".join(str(n) for n in source["shape"])
        name = f"{source['path']}::{source['key']}" if source["key"] else source["path"]
        rows.append((role, name, ("n", shape), ("hash", source["sha256"] or "not a file")))
    disp = c.dispersion
    nm = "not said" if disp.wavelengths_nm is None else f"{disp.wavelengths_nm[0]:.1f} to {disp.wavelengths_nm[-1]:.1f} nm"
    facts = {
        "Bands": str(disp.n_bands),
        "Nominal step": f"{disp.step_px:.6g} px per band, travel {disp.travel_px:.6g} px, direction {disp.direction}",
        "Fractional offsets": disp.mode,
        "Wavelengths": nm,
    }
    return table(("", "file", ("n", "shape"), "SHA-256"), rows) + definitions(facts)


def settings_section(c: ReportContent) -> str:
    """How it was computed, with which software, and what the signs mean."""
    d = c.document
    facts = {
        "Preset": f"{d['preset']} (parameters from {d.get('source', d['preset'])})",
        "Refined": ", ".join(c.parameters.refined) or "nothing",
        **({} if c.config is None else {"Settings": changed_settings(c.config)}),
        "Outcome": OUTCOMES[outcome_of(d)],
        **(
            {"Calibrated": f"{datetime.fromisoformat(d['calibrated']).astimezone():%Y-%m-%d %H:%M %Z}"}
            if d.get("calibrated")
            else {}
        ),
        "Time": f"{d['seconds_total']:.1f} s on {d['device']}, {d.get('threads', 1)} threads",
        "Seed": str(d["seed"]),
        "Software": ", ".join(f"{name} {version}" for name, version in d["software"].items()),
        "Conventions": str(d["conventions"]),
    }
    for number, note in enumerate(d.get("notes") or [], 1):
        facts["Note" if number == 1 else f"Note {number}"] = str(note)
    return definitions(facts)


def changed_settings(config: CalibrationConfig) -> str:
    """The settings that differ from the ones that the program ships with, `stage.name = value (shipped value)`."""

    def flat(values: Any, name: str = "") -> dict[str, Any]:
        if isinstance(values, list):
            values = {str(i): v for i, v in enumerate(values)}
        if not isinstance(values, dict):
            return {name: values}
        return {k: v for key, inner in values.items() for k, v in flat(inner, f"{name}.{key}" if name else key).items()}

    mine, shipped = flat(config.model_dump(mode="json")), flat(CalibrationConfig().model_dump(mode="json"))
    told = {"preset", "refine", "seed", "device"}  # these have lines of their own
    names = [n for n in dict.fromkeys((*mine, *shipped)) if n.split(".")[0] not in told and mine.get(n) != shipped.get(n)]
    changed = [f"{n} = {mine.get(n, 'none')} (shipped: {shipped.get(n, 'none')})" for n in names]
    return ", ".join(changed) or "as the program ships them"


def definitions(facts: dict[str, str]) -> str:
    """A list of names and values."""
    return f"<dl>{''.join(f'<dt>{escape(k)}</dt><dd>{escape(v)}</dd>' for k, v in facts.items())}</dl>"


def embedded_document(c: ReportContent) -> str:
    """The calibration file itself, inside the page, for those who have only the report; no `<` in it can end or open an element."""
    return json.dumps(c.document, indent=1, allow_nan=False, ensure_ascii=False).replace("<", "\\u003c")
