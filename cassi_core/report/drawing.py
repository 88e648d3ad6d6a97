"""The report's charts on a PDF page: the shapes that :mod:`cassi_core.report.charts` draws, as vectors."""

from __future__ import annotations

import re
from typing import Any

from reportlab.lib.colors import HexColor, toColor
from reportlab.pdfgen.canvas import Canvas

from cassi_core.report.fonts import BOLD, SANS, printable
from cassi_core.report.tree import Node

_PATH = re.compile(r"([MHVL])([^MHVL]*)")


def chart_size(svg: Node) -> tuple[float, float]:
    """Width and height of a chart in its own units."""
    _, _, width, height = (float(v) for v in svg.attributes["viewbox"].split())
    return width, height


def draw_chart(canvas: Canvas, svg: Node, x: float, y: float, scale: float) -> None:
    """Draw a chart with its lower left corner at `(x, y)` points; one of its units is `scale` points long."""
    _, height = chart_size(svg)
    canvas.saveState()
    canvas.translate(x, y + height * scale)
    canvas.scale(scale, -scale)
    for shape in svg.elements:
        _SHAPES.get(shape.tag, _nothing)(canvas, shape)
    canvas.restoreState()


def _paint(canvas: Canvas, shape: Node) -> tuple[int, int]:
    """Set colours and lines of a shape; whether it is stroked and filled."""
    a = shape.attributes
    fill, stroke = a.get("fill", "#000"), a.get("stroke", "none")
    opacity = shape.number("opacity", 1.0)
    if fill != "none":
        canvas.setFillColor(colour(fill))
    if stroke != "none":
        canvas.setStrokeColor(colour(stroke))
        canvas.setLineWidth(shape.number("stroke-width", 1.0))
    canvas.setFillAlpha(opacity)
    canvas.setStrokeAlpha(opacity)
    canvas.setDash([float(v) for v in a["stroke-dasharray"].split()] if "stroke-dasharray" in a else [])
    return int(stroke != "none"), int(fill != "none")


def colour(text: str) -> Any:
    """`#rgb` or `#rrggbb` as a colour of the PDF."""
    if re.fullmatch(r"#[0-9a-fA-F]{3}", text):
        text = "#" + "".join(2 * c for c in text[1:])
    return HexColor(text) if text.startswith("#") else toColor(text)


def _nothing(canvas: Canvas, shape: Node) -> None:
    """Elements without a picture (the title)."""


def _line(canvas: Canvas, shape: Node) -> None:
    _paint(canvas, shape)
    canvas.line(*(shape.number(name) for name in ("x1", "y1", "x2", "y2")))


def _rect(canvas: Canvas, shape: Node) -> None:
    stroke, fill = _paint(canvas, shape)
    canvas.rect(*(shape.number(name) for name in ("x", "y", "width", "height")), stroke=stroke, fill=fill)


def _circle(canvas: Canvas, shape: Node) -> None:
    stroke, fill = _paint(canvas, shape)
    canvas.circle(*(shape.number(name) for name in ("cx", "cy", "r")), stroke=stroke, fill=fill)


def _points(canvas: Canvas, shape: Node) -> None:
    stroke, fill = _paint(canvas, shape)
    points = [tuple(float(v) for v in pair.split(",")) for pair in shape.attributes["points"].split()]
    if len(points) < 2:
        return
    path = canvas.beginPath()
    path.moveTo(*points[0])
    for point in points[1:]:
        path.lineTo(*point)
    if shape.tag == "polygon":
        path.close()
    canvas.drawPath(path, stroke=stroke, fill=fill)


def _path(canvas: Canvas, shape: Node) -> None:
    stroke, fill = _paint(canvas, shape)
    path, x, y = canvas.beginPath(), 0.0, 0.0
    for command, numbers in _PATH.findall(shape.attributes["d"]):
        values = [float(v) for v in numbers.split()]
        if command in "ML":
            x, y = values
        elif command == "H":
            x = values[0]
        else:
            y = values[0]
        (path.moveTo if command == "M" else path.lineTo)(x, y)
    canvas.drawPath(path, stroke=stroke, fill=fill)


def _text(canvas: Canvas, shape: Node) -> None:
    a = shape.attributes
    text, size = printable(shape.text), shape.number("font-size", 10.0)
    font = BOLD if a.get("font-weight") == "700" else SANS
    turn = re.match(r"rotate\(([-\d.]+) ([-\d.]+) ([-\d.]+)\)", a.get("transform", ""))
    canvas.saveState()
    canvas.setFillAlpha(1)
    if turn:
        angle, x, y = (float(v) for v in turn.groups())
        canvas.translate(x, y)
        canvas.rotate(angle)
        canvas.translate(-x, -y)
    canvas.translate(shape.number("x"), shape.number("y"))
    canvas.scale(1, -1)
    canvas.setFont(font, size)
    back = {"middle": 0.5, "end": 1.0}.get(a.get("text-anchor", "start"), 0.0) * canvas.stringWidth(text, font, size)
    if "stroke" in a:  # a halo, so that the text reads on any picture
        canvas.setStrokeColor(colour(a["stroke"]))
        canvas.setLineWidth(shape.number("stroke-width", 1.0))
        canvas.drawString(-back, 0, text, mode=1)
    canvas.setFillColor(colour(a.get("fill", "#000")))
    canvas.drawString(-back, 0, text, mode=0)
    canvas.restoreState()


_SHAPES = {
    "line": _line,
    "rect": _rect,
    "circle": _circle,
    "polygon": _points,
    "polyline": _points,
    "path": _path,
    "text": _text,
}
