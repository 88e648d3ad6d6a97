"""The report: one page that needs nothing else, with the right numbers at the right places."""

from __future__ import annotations

import base64
import io
import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from test_calibration_file import make_result

from cassi_core.dispersion import Dispersion
from cassi_core.inputs import Source
from cassi_core.io.calibration_file import calibration_document
from cassi_core.report import content_of_result, report_html, write_report
from cassi_core.report.charts import Arrow, Line, arrow_field, line_chart, score_map, ticks
from cassi_core.report.pictures import LARGEST_PX, image_uri, rgb_uri
from cassi_core.report.sections import spectrum_points
from cassi_core.result import CalibrationResult, LocalShift, QualityMaps, Reason, Verdict
from cassi_core.run import GridScores, IterationRow

SVG = "{http://www.w3.org/2000/svg}"


def picture_of(uri: str) -> Image.Image:
    assert uri.startswith("data:image/png;base64,")
    return Image.open(io.BytesIO(base64.b64decode(uri.removeprefix("data:image/png;base64,"))))


def full_result() -> CalibrationResult:
    """A result with maps, table and grids, different in every place."""
    rng = np.random.default_rng(8)
    cube = rng.random((3, 24, 32)).astype(np.float32)
    shifts = (LocalShift(6, 8, 0.5, 0.0, 0.01, 0.01), LocalShift(18, 24, 0.0, -0.25, 0.01, 0.01))
    maps = QualityMaps(
        rng.normal(0, 0.2, (24, 36)).astype(np.float32), rng.normal(0, 0.1, (24, 36)).astype(np.float32), cube, cube, shifts, ()
    )
    rows = tuple(
        IterationRow(stage, i, 0.1 * i, 0.3 - 0.02 * i, tuple(0.1 * i + k for k in range(9)), None)
        for stage in ("grid", "fine")
        for i in range(3)
    )
    axis = np.array([-1.0, 0.0, 1.0])
    scores = np.arange(18, dtype=np.float32).reshape(3, 3, 2) + 5
    scores[2, 1, 0] = 1.5
    grid = GridScores("stage 0", ("dx", "dy", "theta"), (axis, 2 * axis, np.array([0.0, 1.0])), scores, (1.0, 0.0, 0.0))
    dispersion = Dispersion(np.array([0.0, 2, 4]), "right", "interpolated", np.array([450.0, 500.0, 600.5]))
    return make_result(maps=maps, table=rows, grids=(grid,), dispersion=dispersion)


class Page(HTMLParser):
    """Checks that tags close in order, and collects attributes that could fetch something."""

    VOID = ("meta", "img", "br", "link", "input")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.headings: list[str] = []
        self.cells: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [str(v) for k, v in attrs if k in ("src", "href", "action", "data", "srcset")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [str(v) for k, v in attrs if k in ("src", "href", "xlink:href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("h2", "h3"):
            self.headings.append(data)
        if self.open and self.open[-1] in ("td", "dd"):
            self.cells.append(data)


def read(page: str) -> Page:
    parsed = Page()
    parsed.feed(page)
    parsed.close()
    assert parsed.open == []
    return parsed


def test_the_page_is_whole_and_fetches_nothing() -> None:
    page = report_html(content_of_result(full_result()), datetime(2026, 11, 23, 12, 30, tzinfo=UTC))
    parsed = read(page)
    assert parsed.addresses and all(address.startswith("data:image/png;base64,") for address in parsed.addresses)
    assert "url(" not in page and "@import" not in page and "<link" not in page
    assert "2026-11-23 12:30 UTC" in page
    wanted = ["Verdict", "Parameters", "Before and after", "Reconstruction", "Residual maps", "Spectra", "Search", "Inputs"]
    assert [h for h in parsed.headings if h in wanted] == wanted
    for cell in (
        "cd" * 32,
        "ab" * 32,
        "b.npz::meas",
        "12 x 18",
        "+0.30 ± 0.33 px",
        "the residual is 0.1, 0.05 is usual",
        "a note",
    ):
        assert cell in parsed.cells, cell
    assert "@page { size: A4" in page


def test_names_from_files_cannot_break_the_page() -> None:
    nasty = 'a"><script>alert(1)</script>.npz'
    result = make_result(
        inputs=(Source(nasty, "</script><b>", "", (2, 3)),),
        verdict=Verdict("fail", (Reason("<i>", "fail", float("nan"), 0.0, "1 < 2 & 3"),)),
        notes=("</script><script>alert(2)</script>",),
    )
    page = report_html(content_of_result(result))
    read(page)
    assert page.count("<script") == 1 and "<i>" not in page and "1 &lt; 2 &amp; 3" in page


def test_the_page_carries_the_calibration_file(tmp_path: Path) -> None:
    result = full_result()
    path = write_report(result, tmp_path / "r.html")
    inside = re.findall(r'<script type="application/json" id="calibration">(.*?)</script>', path.read_text(), re.DOTALL)
    assert json.loads(inside[0]) == json.loads(json.dumps(calibration_document(result)))


def test_what_is_missing_is_said() -> None:
    page = report_html(content_of_result(replace(full_result(), maps=None, table=(), grids=())))
    assert "its inputs are not at hand" in page and "Convergence" not in page


def svg(text: str) -> ET.Element:
    return ET.fromstring(text)


def test_lines_go_up_where_values_grow_and_ticks_are_round() -> None:
    x = np.arange(5.0)
    chart = svg(line_chart([Line("", x, x**2, error=np.ones(5))], x_label="x", y_label="a < b", title="t"))
    points = chart.find(f"{SVG}polyline").attrib["points"].split()  # type: ignore[union-attr]
    columns, rows = (np.array([float(p.split(",")[k]) for p in points]) for k in (0, 1))
    assert np.all(np.diff(columns) > 0) and np.all(np.diff(rows) < 0)
    drop = rows[0] - rows
    np.testing.assert_allclose(drop / drop[4], x**2 / 16, atol=2e-3)
    assert len(chart.find(f"{SVG}polygon").attrib["points"].split()) == 10  # type: ignore[union-attr]
    assert ticks(-0.13, 1.02, 5) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert ticks(3.0, 3.0) == [3.0]


def test_score_maps_are_bright_where_it_is_good_with_the_second_axis_down_as_in_the_window() -> None:
    scores = np.array([[3.0, 2.0], [1.0, 4.0], [5.0, np.nan]], np.float32)
    axes = (np.array([0.0, 1.0, 2.0]), np.array([10.0, 20.0]))
    chart = svg(score_map(scores, axes, (1.0, 10.0), labels=("dx", "dy"), title="t"))
    cells = [r for r in chart.findall(f"{SVG}rect") if float(r.attrib["width"]) > 20]
    assert len(cells) == 6
    by_place = sorted(cells, key=lambda r: (float(r.attrib["x"]), float(r.attrib["y"])))
    fills = [r.attrib["fill"] for r in by_place]
    assert fills[5] == "#dddddd" or fills[5] == "#ddd", "not scored"
    best = by_place[2]  # the second column, the upper row
    bright = max(fills[:5], key=lambda f: sum(int(f[i : i + 2], 16) for i in (1, 3, 5)))
    assert best.attrib["fill"] == bright == "#fde725", "the yellow end of the window's colours"
    cross = next(p.attrib["d"] for p in chart.findall(f"{SVG}path") if p.attrib.get("stroke") == "#fff")
    x, y = float(re.findall(r"H([\d.]+)", cross)[0]) - 6, float(re.findall(r"M[\d.]+ ([\d.]+)", cross)[0])
    middle_x = float(best.attrib["x"]) + float(best.attrib["width"]) / 2
    middle_y = float(best.attrib["y"]) + float(best.attrib["height"]) / 2
    assert x == pytest.approx(middle_x, abs=1) and y == pytest.approx(middle_y, abs=1)


def test_heights_of_a_correlation_are_bright_where_they_are_high() -> None:
    scores = np.array([[3.0, 2.0], [1.0, 9.0]], np.float32)
    axes = (np.array([0.0, 1.0]), np.array([10.0, 20.0]))
    chart = svg(score_map(scores, axes, (1.0, 20.0), labels=("dx", "dy"), title="t", high_is_good=True))
    cells = [r for r in chart.findall(f"{SVG}rect") if float(r.attrib["width"]) > 20]
    corner = max(cells, key=lambda r: (float(r.attrib["x"]), float(r.attrib["y"])))
    assert corner.attrib["fill"] == "#fde725"


def test_arrows_point_right_and_down() -> None:
    chart = svg(arrow_field([Arrow(10, 30, 0.5, 0.25)], (40, 80), 0.5, title="t", width=160))
    line = chart.find(f"{SVG}line").attrib  # type: ignore[union-attr]
    start, end = (float(line["x1"]), float(line["y1"])), (float(line["x2"]), float(line["y2"]))
    assert start == (60, 20)
    faint = svg(arrow_field([Arrow(10, 30, 0.5, 0.25, faint=True)], (40, 80), 0.5, title="t", width=160))
    assert faint.find(f"{SVG}line").attrib["stroke"] != line["stroke"]  # type: ignore[union-attr]
    assert end[0] - start[0] == pytest.approx(2 * (end[1] - start[1]), abs=0.2) and end[0] > start[0]


def test_pictures_keep_their_orientation_and_levels() -> None:
    image = np.zeros((20, 30), np.float32)
    image[2, 27] = 5
    picture = np.asarray(picture_of(image_uri(image, (0, 5))))
    assert picture.shape == (20, 30) and np.unravel_index(picture.argmax(), picture.shape) == (2, 27)
    signed = np.asarray(picture_of(image_uri(np.array([[-1.0, 0.0, 1.0]]), (-1, 1), "diverging")).convert("RGB")).astype(int)
    assert signed[0, 0, 2] > signed[0, 0, 0] and signed[0, 2, 0] > signed[0, 2, 2], "negative is blue, positive red"
    assert np.ptp(signed[0, 1]) < 12 and signed[0, 1].min() > 230, "zero is white"


def test_large_pictures_are_reduced_and_small_ones_are_not() -> None:
    large = np.zeros((300, 2000), np.float32)
    large[:, 1000:] = 1
    shown = picture_of(image_uri(large, (0, 1)))
    assert max(shown.size) <= LARGEST_PX and shown.size[0] > LARGEST_PX / 2
    assert picture_of(image_uri(large[:, :700], (0, 1))).size == (700, 300)
    assert picture_of(rgb_uri(np.zeros((100, 1600, 3), np.uint8))).size[0] <= LARGEST_PX


def test_spectra_are_taken_at_bright_points_far_from_each_other() -> None:
    cube = np.zeros((2, 64, 80), np.float32)
    for r, c, light in ((10, 12, 2), (12, 18, 1.9), (15, 60, 1), (45, 70, 1), (50, 20, 1), (1, 40, 9)):
        cube[:, max(0, r - 2) : r + 3, c - 2 : c + 3] = light
    assert spectrum_points(cube, 5)[1:] == ((10, 12), (15, 60), (45, 70), (50, 20)), "(12, 18) is too close to a brighter one"
