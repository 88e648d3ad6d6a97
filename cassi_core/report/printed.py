"""From the elements of the report's page to blocks that a PDF page is filled with: paragraphs, tables, figures side by side."""

from __future__ import annotations

import base64
import io
import re
from html import escape
from typing import Any

from reportlab.lib.colors import HexColor, white
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.platypus import CondPageBreak, Flowable, KeepTogether, LongTable, Paragraph, Spacer, Table, TableStyle

from cassi_core.report.drawing import chart_size, colour, draw_chart
from cassi_core.report.fonts import BOLD, MONO, SANS, printable
from cassi_core.report.tree import Node

INK, MUTED, LINE = HexColor("#1d1d1f"), HexColor("#5c5c66"), HexColor("#d9d9de")
VERDICT_COLOURS = {"pass": HexColor("#1d6b3c"), "warn": HexColor("#8a5a00"), "fail": HexColor("#a3201f")}
GUTTER = 14.0
CELL_PADDING = 7.0
CHART_POINT = 0.75
"""A chart's unit is a pixel of the screen, 3/4 of a point of paper."""
TALLEST_FIGURE = 430.0
ROOM_FOR_A_TABLE = 100.0
STAYS_WITH_PREVIOUS = frozenset({"bar", "ends"})


def _style(name: str, **changes: Any) -> ParagraphStyle:
    settings = {"fontName": SANS, "fontSize": 9, "leading": 12.2, "textColor": INK, "spaceAfter": 3, "splitLongWords": 1}
    return ParagraphStyle(name, **{**settings, **changes})


BODY = _style("body")
SMALL = _style("small", textColor=MUTED, fontSize=8, leading=10.4)
STYLES = {
    "h1": _style("h1", fontName=BOLD, fontSize=17, leading=21, spaceAfter=2),
    "h2": _style("h2", fontName=BOLD, fontSize=12, leading=15, spaceBefore=14, spaceAfter=5),
    "h3": _style("h3", fontName=BOLD, fontSize=10, leading=13, spaceBefore=8, spaceAfter=3),
    "p": BODY,
}
HEADINGS = ("h2", "h3")
CELL = _style("cell", spaceAfter=0)
HEAD_CELL = _style("head", spaceAfter=0, fontName=BOLD)
NUMBER = _style("number", spaceAfter=0, alignment=2)
HEAD_NUMBER = _style("head number", spaceAfter=0, alignment=2, fontName=BOLD)
HASH = _style("hash", spaceAfter=0, fontName=MONO, fontSize=7.5, leading=9.5)


Unit = list[Flowable]
"""Blocks that stay on one page, unless they are a single table."""


def flowables(node: Node, width: float) -> list[Flowable]:
    """The blocks of an element, for a column of a width in points; figures, and headings with what follows them, stay together."""
    made: list[Flowable] = []
    for unit in _units(node, width):
        table = next((block for block in unit if isinstance(block, LongTable)), None)
        if table is not None:
            # A long table may break between its rows; its heading stays with the first of them.
            made += [CondPageBreak(ROOM_FOR_A_TABLE), *unit]
        else:
            made += unit if len(unit) == 1 else [KeepTogether(unit)]
    return made


def _units(node: Node, width: float) -> list[Unit]:
    made: list[Unit] = []
    headings: list[Flowable] = []
    for child in node.elements:
        if child.tag in HEADINGS:
            headings += _paragraph(child)
            continue
        parts = _parts(child, width)
        if made and not headings and child.classes & STAYS_WITH_PREVIOUS:
            made[-1] += [block for part in parts for block in part]
            continue
        if headings and parts:
            parts[0] = [*headings, *parts[0]]
            headings = []
        made += parts
    return [*made, headings] if headings else made


def _parts(node: Node, width: float) -> list[Unit]:
    if node.tag in STYLES:
        return [_paragraph(node)]
    if node.tag == "table":
        return [[_table(node, width)], [Spacer(1, 4)]]
    if node.tag == "dl":
        return [[_definitions(node, width)]]
    if node.tag == "figure":
        return [_figure(node, width)]
    if "row" in node.classes:
        return [[_row(node, width)]]
    if "bar" in node.classes:
        return [[Spacer(1, 3), _ColourBar(node, width)]]
    if "ends" in node.classes:
        return [[_ends(node, width)]]
    return _units(node, width) if node.tag in ("section", "header", "div") else []


def _paragraph(node: Node) -> list[Flowable]:
    badge = next((e for e in node.elements if "badge" in e.classes), None)
    if badge is not None:
        return [Badge(badge.text, _verdict_of(badge), 10), Spacer(1, 5)]
    style = SMALL if "muted" in node.classes else STYLES[node.tag]
    made: list[Flowable] = [Paragraph(_markup(node), style)]
    if node.tag == "h2":
        made.append(_Rule())
    return made


def _verdict_of(badge: Node) -> Any:
    return next((VERDICT_COLOURS[c] for c in badge.classes if c in VERDICT_COLOURS), MUTED)


def _markup(node: Node) -> str:
    """Text of an element for a paragraph; code is set in a font of equal widths."""
    parts = []
    for child in node.children:
        text = escape(printable(child if isinstance(child, str) else child.text), quote=False)
        code = isinstance(child, Node) and child.tag == "code"
        parts.append(f'<font name="{MONO}">{text}</font>' if code else text)
    return "".join(parts)


class Badge(Flowable):  # type: ignore[misc]
    """A word on a coloured, rounded field."""

    def __init__(self, text: str, fill: Any, size: float) -> None:
        super().__init__()
        self.text, self.fill, self.size = printable(text), fill, size
        self.width, self.height = stringWidth(self.text, BOLD, size) + 1.4 * size, 1.45 * size

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        return self.width, self.height

    def draw(self) -> None:
        self.canv.setFillColor(self.fill)
        self.canv.roundRect(0, 0, self.width, self.height, self.height / 2, stroke=0, fill=1)
        self.canv.setFillColor(white)
        self.canv.setFont(BOLD, self.size)
        self.canv.drawString(0.7 * self.size, 0.4 * self.size, self.text)


class _Rule(Flowable):  # type: ignore[misc]
    """A thin line over the whole width."""

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        self.length = available_width
        return available_width, 5

    def draw(self) -> None:
        self.canv.setStrokeColor(LINE)
        self.canv.setLineWidth(0.7)
        self.canv.line(0, 4, self.length, 4)


# -- tables -------------------------------------------------------------------------------------------------------


def _table(node: Node, width: float) -> LongTable:
    """A table that breaks between rows only, with its headings repeated on every page."""
    head = _rows(node, "thead")
    rows = [*head, *_rows(node, "tbody")]
    widths = column_widths([[_cell_text(cell) for cell in row] for row in rows], width)
    cells = [[_cell(cell) for cell in row] for row in rows]
    style = TableStyle(
        [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), CELL_PADDING),
            ("RIGHTPADDING", (-1, 0), (-1, -1), 0),
            ("TOPPADDING", (0, 0), (-1, -1), 2),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
            ("LINEBELOW", (0, 0), (-1, -1), 0.5, LINE),
        ]
    )
    return LongTable(cells, colWidths=widths, repeatRows=len(head), style=style, hAlign="LEFT", splitByRow=1)


def _rows(node: Node, part: str) -> list[list[Node]]:
    group = node.first(part)
    return [] if group is None else [row.elements for row in group.elements]


def _cell_text(cell: Node) -> tuple[str, str, float]:
    """Text, font and size of a cell, for its width."""
    if "hash" in cell.classes:
        return cell.text, MONO, 7.5
    if cell.first("span") is not None:
        return f"{cell.text}mm", BOLD, 8.0
    return cell.text, BOLD if cell.tag == "th" else SANS, 9.0


def _cell(cell: Node) -> Flowable:
    badge = cell.first("span")
    if badge is not None and "badge" in badge.classes:
        return Badge(badge.text, _verdict_of(badge), 7.5)
    if "hash" in cell.classes:
        return Paragraph(escape(printable(cell.text)), HASH)
    right = "n" in cell.classes
    style = (HEAD_NUMBER if right else HEAD_CELL) if cell.tag == "th" else NUMBER if right else CELL
    return Paragraph(escape(printable(cell.text), quote=False), style)


def column_widths(rows: list[list[tuple[str, str, float]]], total: float) -> list[float]:
    """Widths of columns for `(text, font, size)` cells: as wide as their text, the widest give way where there is no room.

    No column gets narrower than its longest word (names of files and hashes may break anywhere).
    """
    natural, least = [], []
    for column in zip(*rows, strict=True):
        whole = [stringWidth(printable(text), font, size) for text, font, size in column]
        words = [max((stringWidth(printable(w), font, size) for w in text.split()), default=0.0) for text, font, size in column]
        natural.append(max(whole) + CELL_PADDING + 1)
        least.append(min(max(words), 0.22 * total) + CELL_PADDING + 1)
    spare = total - sum(natural)
    if spare >= 0:
        widest = natural.index(max(natural))
        return [w + spare * (i == widest) for i, w in enumerate(natural)]
    # The widest give way first: columns below a common limit keep their text on one line.
    low, high = 0.0, max(natural)
    for _ in range(40):
        limit = (low + high) / 2
        fits = sum(min(n, max(limit, m)) for n, m in zip(natural, least, strict=True)) <= total
        low, high = (limit, high) if fits else (low, limit)
    widths = [min(n, max(low, m)) for n, m in zip(natural, least, strict=True)]
    return [w * total / sum(widths) for w in widths]


def _definitions(node: Node, width: float) -> Table:
    pairs = list(zip(node.elements[::2], node.elements[1::2], strict=True))
    names = max(stringWidth(printable(name.text), SANS, 9) for name, _ in pairs) + 14
    cells = [
        [Paragraph(_markup(name), _style("name", textColor=MUTED, spaceAfter=0)), Paragraph(_markup(value), CELL)]
        for name, value in pairs
    ]
    style = TableStyle(
        [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), 0),
            ("TOPPADDING", (0, 0), (-1, -1), 1.5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5),
        ]
    )
    return Table(cells, colWidths=[names, width - names], style=style, hAlign="LEFT")


# -- figures ------------------------------------------------------------------------------------------------------


def _figure(node: Node, width: float) -> list[Flowable]:
    """Pictures and charts of a figure and its caption."""
    made: list[Flowable] = [Spacer(1, 3)]
    for child in node.elements:
        if child.tag == "svg":
            made.append(_Chart(child, width))
        elif child.tag == "img":
            made.append(_Picture(child, None, width))
        elif child.tag == "div" and child.first("img") is not None:
            image = child.first("img")
            assert image is not None
            made.append(_Picture(image, child.first("svg"), width))
        elif child.tag == "figcaption":
            made += [Spacer(1, 3), Paragraph(_markup(child), SMALL)]
    return made


def _row(node: Node, width: float) -> Table:
    """Figures side by side; the row is never broken."""
    column = (width - GUTTER) / 2
    cells: list[Any] = []
    for half in node.elements:
        figure = half.first("figure")
        cells.append([] if figure is None else _figure(figure, column))
    cells += [""] * (2 - len(cells))
    style = TableStyle(
        [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (0, -1), GUTTER),
            ("RIGHTPADDING", (1, 0), (1, -1), 0),
            ("TOPPADDING", (0, 0), (-1, -1), 0),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
        ]
    )
    return Table([cells], colWidths=[column + GUTTER, column], style=style, hAlign="LEFT", splitByRow=0)


class _Chart(Flowable):  # type: ignore[misc]
    """A chart, as large as on the screen or smaller where the column is narrow."""

    def __init__(self, svg: Node, width: float) -> None:
        super().__init__()
        self.svg = svg
        own = chart_size(svg)
        self.scale = min(width / own[0], CHART_POINT, TALLEST_FIGURE / own[1])
        self.width, self.height = own[0] * self.scale, own[1] * self.scale

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        return self.width, self.height

    def draw(self) -> None:
        draw_chart(self.canv, self.svg, 0, 0, self.scale)


class _Picture(Flowable):  # type: ignore[misc]
    """A picture over the whole column, with marks over it."""

    def __init__(self, image: Node, marks: Node | None, width: float) -> None:
        super().__init__()
        data = base64.b64decode(image.attributes["src"].partition(",")[2])
        self.reader, self.marks = ImageReader(io.BytesIO(data)), marks
        columns, rows = self.reader.getSize()
        scale = min(width / columns, TALLEST_FIGURE / rows)
        self.width, self.height = columns * scale, rows * scale

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        return self.width, self.height

    def draw(self) -> None:
        self.canv.drawImage(self.reader, 0, 0, self.width, self.height)
        if self.marks is not None:
            draw_chart(self.canv, self.marks, 0, 0, self.width / chart_size(self.marks)[0])
        self.canv.setStrokeColor(LINE)
        self.canv.setLineWidth(0.5)
        self.canv.setDash([])
        self.canv.rect(0, 0, self.width, self.height, stroke=1, fill=0)


class _ColourBar(Flowable):  # type: ignore[misc]
    """The colours of a map from low to high."""

    def __init__(self, node: Node, width: float) -> None:
        super().__init__()
        self.colours = [colour(c) for c in re.findall(r"#[0-9a-fA-F]{6}", node.attributes.get("style", ""))]
        self.width, self.height = width, 8.0

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        return self.width, self.height

    def draw(self) -> None:
        self.canv.saveState()
        path = self.canv.beginPath()
        path.rect(0, 0, self.width, self.height)
        self.canv.clipPath(path, stroke=0)
        places = [i / (len(self.colours) - 1) for i in range(len(self.colours))]
        self.canv.linearGradient(0, 0, self.width, 0, self.colours, places, extend=False)
        self.canv.restoreState()
        self.canv.setStrokeColor(LINE)
        self.canv.setLineWidth(0.5)
        self.canv.rect(0, 0, self.width, self.height, stroke=1, fill=0)


def _ends(node: Node, width: float) -> Table:
    texts = [printable(e.text) for e in node.elements]
    cells = [Paragraph(t, _style(f"end {i}", alignment=i, fontSize=8, textColor=MUTED)) for i, t in enumerate(texts)]
    return Table(
        [cells],
        colWidths=[width / len(cells)] * len(cells),
        style=TableStyle(
            [("LEFTPADDING", (0, 0), (-1, -1), 0), ("RIGHTPADDING", (0, 0), (-1, -1), 0), ("TOPPADDING", (0, 0), (-1, -1), 1)]
        ),
    )
