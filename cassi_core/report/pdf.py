"""The report as PDF on A4: the same page as the HTML one, laid out again with page breaks, repeated headings and page numbers."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate

from cassi_core import __version__
from cassi_core.io.calibration_file import outcome_of
from cassi_core.quality.check_text import verdict_words
from cassi_core.report.content import ReportContent
from cassi_core.report.fonts import SANS, printable
from cassi_core.report.page import report_html
from cassi_core.report.printed import MUTED, flowables
from cassi_core.report.tree import read_page

SIDE, TOP, BOTTOM = 16 * mm, 14 * mm, 18 * mm
WIDTH = A4[0] - 2 * SIDE


def report_pdf(content: ReportContent, when: datetime | None = None) -> bytes:
    """The whole report as the bytes of a PDF file; `when` is the time written on it (None: now)."""
    when = when or datetime.now().astimezone()
    title = f"Calibration of {Path(content.name).name}"
    stream = io.BytesIO()
    document = BaseDocTemplate(
        stream,
        pagesize=A4,
        leftMargin=SIDE,
        rightMargin=SIDE,
        topMargin=TOP,
        bottomMargin=BOTTOM,
        title=title,
        author=f"cassi-calibration {__version__}",
        subject=f"Verdict: {verdict_words(content.verdict.status, outcome_of(content.document))}",
        lang="en",
    )
    area = Frame(SIDE, BOTTOM, WIDTH, A4[1] - TOP - BOTTOM, leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0)
    document.addPageTemplates([PageTemplate("page", [area])])
    foot = partial(_foot, f"{title}, report of {when:%Y-%m-%d %H:%M %Z}")
    document.build(flowables(read_page(report_html(content, when)), WIDTH), canvasmaker=_numbered(foot))
    return stream.getvalue()


def _foot(text: str, canvas: Canvas, number: int, count: int) -> None:
    canvas.setFont(SANS, 8)
    canvas.setFillColor(MUTED)
    canvas.drawString(SIDE, BOTTOM - 8 * mm, printable(text)[:110])
    canvas.drawRightString(A4[0] - SIDE, BOTTOM - 8 * mm, f"page {number} of {count}")


def _numbered(foot: Callable[[Canvas, int, int], None]) -> Callable[..., Canvas]:
    """A canvas that keeps its pages until their number is known."""

    class Numbered(Canvas):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.kept: list[dict[str, Any]] = []

        def showPage(self) -> None:
            self.kept.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for number, page in enumerate(self.kept, 1):
                self.__dict__.update(page)
                foot(self, number, len(self.kept))
                super().showPage()
            super().save()

    return Numbered
