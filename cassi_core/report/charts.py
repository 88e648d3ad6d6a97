"""Charts as SVG text: lines with error bands, score maps, fields of arrows, matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from cassi_core.report.pictures import colour_of, colour_table

COLOURS = ("#1f5fa8", "#c8511b", "#2c7d4f", "#7d3c98", "#9a7d0a", "#b03060", "#2f6f7e", "#555555")
AXIS, GRID, TEXT, FAINT = "#444", "#e4e4e4", "#333", "#b9bdc6"


@dataclass(frozen=True, eq=False)
class Line:
    """One line of a chart; `error` draws a band of plus and minus as much, `dashed` a broken line."""

    label: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    error: NDArray[np.float64] | None = None
    dashed: bool = False
    colour: str = ""
    markers: bool = False


@dataclass(frozen=True)
class Frame:
    """The rectangle of a chart and how values become points of it."""

    width: float
    height: float
    x_low: float
    x_high: float
    y_low: float
    y_high: float
    left: float = 54.0
    top: float = 10.0
    right: float = 10.0
    bottom: float = 34.0

    def x(self, value: float) -> float:
        inner = self.width - self.left - self.right
        return self.left + inner * (value - self.x_low) / (self.x_high - self.x_low)

    def y(self, value: float) -> float:
        inner = self.height - self.top - self.bottom
        return self.height - self.bottom - inner * (value - self.y_low) / (self.y_high - self.y_low)


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers between two limits: steps of 1, 2 or 5 times a power of ten."""
    span = high - low
    if not (math.isfinite(span) and span > 0):
        return [low]
    power = 10.0 ** math.floor(math.log10(span / about))
    step = next(m * power for m in (1, 2, 5, 10) if span / (m * power) <= about + 1)
    first = math.ceil(low / step - 1e-9)
    return [n * step for n in range(first, math.floor(high / step + 1e-9) + 1)]


def number(value: float) -> str:
    """A tick label without superfluous digits."""
    text = f"{value:.6g}"
    return "0" if text == "-0" else text


def limits(values: Sequence[NDArray[np.float64]], margin: float = 0.05) -> tuple[float, float]:
    """Lowest and highest finite value with a margin on both sides; a constant gets a range round it."""
    finite = np.concatenate([np.asarray(v, float)[np.isfinite(v)] for v in values]) if values else np.zeros(0)
    if finite.size == 0:
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    span = high - low or max(abs(high), 1.0) * 0.1
    return low - margin * span, high + margin * span


def line_chart(
    lines: Sequence[Line],
    *,
    x_label: str,
    y_label: str,
    title: str,
    width: float = 640,
    height: float = 220,
    divisions: Sequence[tuple[float, str]] = (),
) -> str:
    """Lines over common axes; `divisions` are places along x where a named part begins. The legend shows from two names on."""
    x_low, x_high = limits([line.x for line in lines], 0.02)
    bands = [line.y + sign * np.nan_to_num(line.error) for line in lines if line.error is not None for sign in (-1, 1)]
    y_low, y_high = limits([*(line.y for line in lines), *bands])
    named = [line for line in lines if line.label]
    f = Frame(width, height, x_low, x_high, y_low, y_high, top=26.0 if len(named) > 1 or divisions else 10.0)
    parts = [_axes(f, x_label, y_label)]
    for at, name in divisions:
        x = f.x(at)
        parts.append(
            f'<line x1="{x:.1f}" y1="{f.top:.1f}" x2="{x:.1f}" y2="{f.height - f.bottom:.1f}" stroke="#bbb" stroke-dasharray="2 3"/>'
        )
        parts.append(_text(x, f.top - 5, name, size=9, fill="#777"))
    for i, line in enumerate(lines):
        parts.append(_draw(f, line, line.colour or COLOURS[i % len(COLOURS)]))
    if len(named) > 1:
        parts.append(
            _legend(f, [(line.label, line.colour or COLOURS[lines.index(line) % len(COLOURS)], line.dashed) for line in named])
        )
    return _svg(width, height, title, parts)


def _draw(f: Frame, line: Line, colour: str) -> str:
    good = np.isfinite(line.x) & np.isfinite(line.y)
    x, y = line.x[good], line.y[good]
    parts = []
    if line.error is not None:
        error = np.nan_to_num(line.error[good])
        upper = " ".join(f"{f.x(a):.1f},{f.y(b):.1f}" for a, b in zip(x, y + error, strict=True))
        lower = " ".join(f"{f.x(a):.1f},{f.y(b):.1f}" for a, b in zip(x[::-1], (y - error)[::-1], strict=True))
        parts.append(f'<polygon points="{upper} {lower}" fill="{colour}" opacity="0.18"/>')
    points = " ".join(f"{f.x(a):.1f},{f.y(b):.1f}" for a, b in zip(x, y, strict=True))
    dash = ' stroke-dasharray="5 3"' if line.dashed else ""
    parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.6"{dash}/>')
    if line.markers:
        parts += [f'<circle cx="{f.x(a):.1f}" cy="{f.y(b):.1f}" r="2" fill="{colour}"/>' for a, b in zip(x, y, strict=True)]
    return "".join(parts)


def _axes(f: Frame, x_label: str, y_label: str) -> str:
    parts = []
    bottom = f.height - f.bottom
    for value in ticks(f.x_low, f.x_high, 7):
        parts.append(_text(f.x(value), bottom + 13, number(value), anchor="middle"))
        parts.append(
            f'<line x1="{f.x(value):.1f}" y1="{bottom:.1f}" x2="{f.x(value):.1f}" y2="{bottom + 3:.1f}" stroke="{AXIS}"/>'
        )
    for value in ticks(min(f.y_low, f.y_high), max(f.y_low, f.y_high), 4):
        y = f.y(value)
        parts.append(f'<line x1="{f.left:.1f}" y1="{y:.1f}" x2="{f.width - f.right:.1f}" y2="{y:.1f}" stroke="{GRID}"/>')
        parts.append(_text(f.left - 5, y + 3.5, number(value), anchor="end"))
    parts.append(f'<path d="M{f.left:.1f} {f.top:.1f} V{bottom:.1f} H{f.width - f.right:.1f}" fill="none" stroke="{AXIS}"/>')
    parts.append(_text((f.left + f.width - f.right) / 2, f.height - 5, x_label, anchor="middle"))
    middle = (f.top + bottom) / 2
    parts.append(
        f'<text x="11" y="{middle:.1f}" font-size="10" fill="{TEXT}" text-anchor="middle" '
        f'transform="rotate(-90 11 {middle:.1f})">{escape(y_label)}</text>'
    )
    return "".join(parts)


def _legend(f: Frame, entries: Sequence[tuple[str, str, bool]]) -> str:
    parts, x = [], f.left + 6
    for label, colour, dashed in entries:
        dash = ' stroke-dasharray="5 3"' if dashed else ""
        parts.append(f'<line x1="{x:.1f}" y1="12" x2="{x + 18:.1f}" y2="12" stroke="{colour}" stroke-width="2"{dash}/>')
        parts.append(_text(x + 22, 15.5, label))
        x += 34 + 5.6 * len(label)
    return "".join(parts)


def score_map(
    scores: NDArray[np.float32],
    axes: tuple[NDArray[np.float64], NDArray[np.float64]],
    best: tuple[float, float],
    *,
    labels: tuple[str, str],
    title: str,
    width: float = 310,
    height: float = 270,
    high_is_good: bool = False,
) -> str:
    """Scores `(n_x, n_y)` as coloured cells, as the window draws them: bright is good, the first axis to the right, the second down.

    A cross marks the best. Good are low scores (residuals), or high ones (`high_is_good`: heights of a correlation).
    """
    edges = [_cell_edges(axis) for axis in axes]
    f = Frame(width, height, edges[0][0], edges[0][-1], edges[1][-1], edges[1][0], right=64.0)
    finite = scores[np.isfinite(scores)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    table = colour_table("sequential")[:: -1 if high_is_good else 1]
    parts = [_axes(f, labels[0], labels[1])]
    for i in range(len(axes[0])):
        for j in range(len(axes[1])):
            value = float(scores[i, j])
            fill = colour_of(value, low, high, table) if math.isfinite(value) else "#ddd"
            x, y = f.x(edges[0][i]), f.y(edges[1][j])
            w, h = f.x(edges[0][i + 1]) - x, f.y(edges[1][j + 1]) - y
            parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{w + 0.3:.1f}" height="{h + 0.3:.1f}" fill="{fill}"/>')
    x, y = f.x(best[0]), f.y(best[1])
    for colour, thick in (("#000", 4), ("#fff", 2)):
        parts.append(
            f'<path d="M{x - 6:.1f} {y:.1f} H{x + 6:.1f} M{x:.1f} {y - 6:.1f} V{y + 6:.1f}" stroke="{colour}" stroke-width="{thick}"/>'
        )
    parts.append(_colour_bar(f, low, high, table))
    return _svg(width, height, title, parts)


def _cell_edges(axis: NDArray[np.float64]) -> NDArray[np.float64]:
    if len(axis) == 1:
        return np.array([axis[0] - 0.5, axis[0] + 0.5])
    inner = (axis[1:] + axis[:-1]) / 2
    return np.concatenate([[2 * axis[0] - inner[0]], inner, [2 * axis[-1] - inner[-1]]])


def _colour_bar(f: Frame, low: float, high: float, table: NDArray[np.uint8]) -> str:
    left, steps = f.width - f.right + 8, 32
    tall = (f.height - f.top - f.bottom) / steps
    parts = []
    for k in range(steps):
        fill = colour_of((k + 0.5) / steps, 0, 1, table)
        y = f.height - f.bottom - (k + 1) * tall
        parts.append(f'<rect x="{left:.1f}" y="{y:.1f}" width="9" height="{tall + 0.4:.1f}" fill="{fill}"/>')
    parts.append(_text(left + 12, f.height - f.bottom, f"{low:.4g}", size=9))
    parts.append(_text(left + 12, f.top + 8, f"{high:.4g}", size=9))
    return "".join(parts)


@dataclass(frozen=True)
class Arrow:
    """A displacement (right, down) in pixels at a place of the picture; `faint` when it may be chance."""

    row: float
    col: float
    right: float
    down: float
    faint: bool = False


def arrow_field(arrows: Sequence[Arrow], shape: tuple[int, int], largest_px: float, *, title: str, width: float = 320) -> str:
    """Arrows over the outline of a picture `(H, W)`; an arrow of `largest_px` is as long as half a block. Rows run downwards."""
    scale = width / shape[1]
    height = shape[0] * scale
    block = width / max(2.0, math.sqrt(max(1, len(arrows))))
    stretch = 0.55 * block / max(largest_px, 1e-9)
    parts = [f'<rect x="0.5" y="0.5" width="{width - 1:.1f}" height="{height - 1:.1f}" fill="#fafafa" stroke="#bbb"/>']
    for arrow in arrows:
        x, y = arrow.col * scale, arrow.row * scale
        to_x, to_y = x + arrow.right * stretch, y + arrow.down * stretch
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="1.6" fill="#888"/>')
        parts.append(_arrow(x, y, to_x, to_y, FAINT if arrow.faint else COLOURS[0]))
    unit = 10 ** math.floor(math.log10(largest_px)) if largest_px > 0 else 1.0
    y = height + 14
    parts.append(_arrow(8, y, 8 + max(unit * stretch, 1), y) + _text(16 + unit * stretch, y + 3.5, f"{unit:g} px"))
    return _svg(width, height + 24, title, parts)


def _arrow(x: float, y: float, to_x: float, to_y: float, colour: str = COLOURS[0]) -> str:
    length = math.hypot(to_x - x, to_y - y)
    line = f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" stroke="{colour}" stroke-width="1.5"/>'
    if length < 3:
        return line
    head = min(5.0, length / 2)
    ux, uy = (to_x - x) / length, (to_y - y) / length
    tips = " ".join(
        f"{to_x - head * ux + s * 0.5 * head * uy:.1f},{to_y - head * uy - s * 0.5 * head * ux:.1f}" for s in (1, -1)
    )
    return line + f'<polygon points="{to_x:.1f},{to_y:.1f} {tips}" fill="{colour}"/>'


def matrix(names: Sequence[str], values: NDArray[np.float64], *, title: str, cell: float = 46) -> str:
    """A matrix of values from -1 to 1 as coloured cells with their numbers."""
    table, left, top = colour_table("diverging"), 58.0, 20.0
    parts = []
    for i, name in enumerate(names):
        parts.append(_text(left - 6, top + (i + 0.5) * cell * 0.62 + 3.5, name, anchor="end"))
        parts.append(_text(left + (i + 0.5) * cell, top - 6, name, anchor="middle"))
        for j in range(len(names)):
            value = float(values[i, j])
            x, y = left + j * cell, top + i * cell * 0.62
            fill = colour_of(value, -1, 1, table)
            ink = "#fff" if abs(value) > 0.6 else "#222"
            parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{cell - 1:.1f}" height="{cell * 0.62 - 1:.1f}" fill="{fill}"/>')
            parts.append(_text(x + cell / 2, y + cell * 0.31 + 3.5, f"{value:+.2f}", anchor="middle", fill=ink))
    return _svg(left + len(names) * cell, top + len(names) * cell * 0.62 + 4, title, parts)


def _text(x: float, y: float, text: str, *, anchor: str = "start", size: float = 10, fill: str = TEXT) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{fill}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(width: float, height: float, title: str, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}" role="img" '
        f'aria-label="{escape(title, quote=True)}" xmlns="http://www.w3.org/2000/svg" font-family="sans-serif">'
        f"<title>{escape(title)}</title>{''.join(parts)}</svg>"
    )
