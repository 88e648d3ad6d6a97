"""The report as one HTML page that needs nothing else: pictures and style are inside, nothing is fetched."""

from __future__ import annotations

from datetime import datetime
from html import escape
from pathlib import Path

from cassi_core.config import CalibrationConfig
from cassi_core.errors import ConfigError
from cassi_core.inputs import CalibrationInputs
from cassi_core.io.atomic import atomic_write
from cassi_core.io.calibration_file import outcome_of
from cassi_core.parameters import format_value
from cassi_core.report import sections
from cassi_core.report.content import ReportContent, content_of_result
from cassi_core.report.style import CSS
from cassi_core.result import CalibrationResult

SUFFIXES = (".html", ".htm", ".pdf")
UNFINISHED = "search not finished: how wrong the values are is not known"
VERDICTS = {"pass": "pass: it can be used", "warn": "warn: read the reasons before using it", "fail": "fail: do not use it"}


def report_html(content: ReportContent, when: datetime | None = None) -> str:
    """The whole page as text; `when` is the time written on it (None: now)."""
    when = when or datetime.now().astimezone()
    status = content.verdict.status
    words = UNFINISHED if outcome_of(content.document) == "not_finished" else VERDICTS[status]
    found = ", ".join(
        f"{p.name} {format_value(p.value, p.sigma, p.unit, p.spec.digits)}" for p in content.parameters if p.refine
    )
    parts = (
        ("Verdict", sections.verdict_section(content)),
        ("Parameters", sections.parameter_section(content)),
        ("Before and after", sections.pictures_section(content)),
        ("Search", sections.search_section(content)),
        ("Inputs", sections.inputs_section(content)),
        ("Settings and software", sections.settings_section(content)),
    )
    body = "".join(f"<section><h2>{escape(title)}</h2>{inside}</section>" for title, inside in parts)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Calibration of {escape(Path(content.name).name)}</title><style>{CSS}</style></head><body>"
        f"<header><h1>Calibration of {escape(Path(content.name).name)}</h1>"
        f"<p class=muted>Report of {when:%Y-%m-%d %H:%M %Z}</p>"
        f'<p><span class="badge {status}">{escape(words)}</span></p><p>{escape(found)}</p></header>'
        f'{body}<script type="application/json" id="calibration">{sections.embedded_document(content)}</script></body></html>\n'
    )


def write_report(
    result: CalibrationResult | ReportContent,
    path: str | Path,
    inputs: CalibrationInputs | None = None,
    config: CalibrationConfig | None = None,
) -> Path:
    """Write the report in one step and return its absolute path: as PDF when the name ends in .pdf, else as HTML.

    Raises
    ------
    ConfigError
        A suffix other than .html, .htm and .pdf.
    OutputError
        The file cannot be written there.
    """
    check_report_name(path)
    content = content_of_result(result, inputs, config=config) if isinstance(result, CalibrationResult) else result
    if Path(path).suffix.lower() == ".pdf":
        from cassi_core.report.pdf import report_pdf

        return atomic_write(path, report_pdf(content))
    return atomic_write(path, report_html(content).encode("utf-8"))


def check_report_name(path: str | Path) -> None:
    """Refuse a name whose suffix is no kind of report (ConfigError)."""
    if Path(path).suffix.lower() not in SUFFIXES:
        raise ConfigError(f"{path}: unknown kind of report '{Path(path).suffix}'; use .html or .pdf")
