"""The printed report: the same content as the page, on A4, with page numbers, and nothing cut off."""

from __future__ import annotations

import base64
import json
import re
import zlib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from reportlab.pdfbase.pdfmetrics import stringWidth
from test_calibration_file import make_result
from test_report import full_result, read

from cassi_core.config import CalibrationConfig
from cassi_core.inputs import Source
from cassi_core.report import content_of_result, report_html, write_report
from cassi_core.report.charts import COLOURS, Line, line_chart
from cassi_core.report.fonts import printable
from cassi_core.report.pdf import WIDTH, report_pdf
from cassi_core.report.printed import column_widths
from cassi_core.report.tree import read_page
from cassi_core.result import Reason, Verdict
from cassi_core.run import IterationRow

WHEN = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)


def pages_of(pdf: bytes) -> list[str]:
    """The text of every page, words in the order in which they were set."""
    assert pdf.startswith(b"%PDF-") and pdf.rstrip().endswith(b"%%EOF")
    pages = []
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        if not stream.strip().endswith(b"~>"):
            continue
        drawn = zlib.decompress(base64.a85decode(stream.strip()[:-2]))
        texts = re.findall(rb"\(((?:\\.|[^\\()])*)\) Tj", drawn)
        if b"page " in b" ".join(texts):
            unescaped = [re.sub(rb"\\([0-7]{3})", lambda m: bytes([int(m[1], 8)]), t) for t in texts]
            plain = [re.sub(rb"\\(.)", rb"\1", t).decode("cp1252") for t in unescaped]
            pages.append(" ".join(plain))
    return pages


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def test_the_pdf_says_all_that_the_page_says() -> None:
    config = CalibrationConfig(threads=3)
    content = content_of_result(full_result(), config=config)
    printed = squeezed(" ".join(pages_of(report_pdf(content, WHEN))))
    page = read(report_html(content, WHEN))
    told = [*page.headings, *page.cells]
    assert len(told) > 60 and "Leftover shifts of the mask pattern" in told and "cd" * 32 in told
    assert "threads = 3 (shipped: 0)" in told
    for text in told:
        assert squeezed(printable(text)) in printed, text
    for word in ("450.0to600.5nm", "2026-11-2312:30UTC", "stage0:18pointsscored", "Brightisgood,thecrossmarksthebestpoint"):
        assert word in printed, word


def test_every_page_has_its_number_and_long_tables_repeat_their_headings() -> None:
    reasons = tuple(Reason(f"check {i}", "pass", float(i), 1.0, f"reason {i} " + "word " * 30) for i in range(60))
    pages = pages_of(report_pdf(content_of_result(make_result(verdict=Verdict("pass", reasons))), WHEN))
    assert len(pages) > 3
    for i, page in enumerate(pages, 1):
        assert f"page {i} of {len(pages)}" in page
    with_rows = [page for page in pages if re.search(r"Check \d", page)]
    assert len(with_rows) >= 2 and all("what to do" in page for page in with_rows)
    assert all(sum(f"Check {i} " in page + " " for page in pages) == 1 for i in range(60)), "no row is lost or doubled"


def test_names_that_the_fonts_lack_stay_unambiguous() -> None:
    result = make_result(inputs=(Source("D:/\u6d4b\u91cf/s\u00e9rie (1)/" + "x" * 180 + ".npz", "meas", "ab" * 32, (2, 3)),))
    printed = squeezed(" ".join(pages_of(report_pdf(content_of_result(result), WHEN))))
    assert "D:/\\u6d4b\\u91cf/s\u00e9rie(1)/" in printed and "x" * 180 in printed


def test_charts_are_vectors_in_their_colours() -> None:
    bare = content_of_result(replace(full_result(), maps=None, table=(), grids=()))
    rows = tuple(IterationRow("fine", i, 0.1, 0.3 / (i + 1), (float(i),) * 9, None) for i in range(5))
    charted = replace(bare, table=rows, has_record=True)
    drawn = [
        zlib.decompress(base64.a85decode(s.strip()[:-2]))
        for s in re.findall(rb"stream\r?\n(.*?)endstream", report_pdf(charted, WHEN), re.DOTALL)
        if s.strip().endswith(b"~>")
    ]
    red, green, blue = (int(COLOURS[0][i : i + 2], 16) / 255 for i in (1, 3, 5))
    colour = f"{red:.6f} {green:.6f} {blue:.6f} RG".replace("0.", ".").encode()
    assert any(colour in page for page in drawn)
    svg = read_page(
        f"<html><body>{line_chart([Line('', np.arange(3.0), np.arange(3.0))], x_label='x', y_label='y', title='t')}</body></html>"
    )
    line = svg.first("polyline")
    assert line is not None and len(line.attributes["points"].split()) == 3


def test_columns_share_the_width_by_what_they_hold() -> None:
    rows = [[("a", "Helvetica", 9.0), ("word " * 60, "Helvetica", 9.0), ("12345.678", "Helvetica", 9.0)]]
    widths = column_widths(rows, WIDTH)
    assert sum(widths) == pytest.approx(WIDTH)
    assert widths[2] >= stringWidth("12345.678", "Helvetica", 9.0), "numbers are not broken"
    assert widths[1] > 0.8 * WIDTH
    many = [[("660 x 714", "Helvetica", 9.0), ("n" * 90, "Helvetica", 9.0), ("a" * 64, "Courier", 7.5)]]
    assert column_widths(many, WIDTH)[0] >= stringWidth("660 x 714", "Helvetica", 9.0), "the widest give way first"
    assert sum(column_widths([[("f" * 400, "Helvetica", 9.0), ("g" * 400, "Courier", 7.5)]], WIDTH)) == pytest.approx(WIDTH)


def test_the_name_chooses_the_kind(tmp_path: Path) -> None:
    result = make_result()
    assert write_report(result, tmp_path / "r.pdf").read_bytes().startswith(b"%PDF-")
    html = write_report(result, tmp_path / "r.html").read_text()
    assert html.startswith("<!DOCTYPE html>")
    inside = re.findall(r'id="calibration">(.*?)</script>', html, re.DOTALL)
    assert json.loads(inside[0])["format"] == "cassi-calibration"
