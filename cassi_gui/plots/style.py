"""One look for every plot: colour maps, axes with units, line styles and symbols that differ by more than colour.

pyqtgraph reads its options when an item is made, so they are set when this module is imported, which every plot does first.
"""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QPen

from cassi_core.formatting import MINUS
from cassi_gui.style.theme import Palette

pg.setConfigOptions(imageAxisOrder="row-major", useOpenGL=False, antialias=True)

TICK_PT = 8
LABEL_PT = 9
SYMBOLS = ("o", "s", "t", "d", "+", "x", "star", "p")
"""One symbol for each colour of the palette's series: nothing is told by colour alone."""

_VIRIDIS = ("#440154", "#46327e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#a0da39", "#fde725")


def plot_font(size_pt: int = TICK_PT, *, bold: bool = False) -> QFont:
    """The font of ticks and marks."""
    font = QFont()
    font.setPointSize(size_pt)
    font.setBold(bold)
    return font


def colour_map(name: str, palette: Palette) -> pg.ColorMap:
    """Colour map by use: grey (pictures), sequential (scores, lightness grows), diverging (signed, zero is the background)."""
    if name == "sequential":
        colours = [QColor(c) for c in _VIRIDIS]
    elif name == "diverging":
        ends = ("#6fb7ff", "#2a6fb8", "#c65f1d", "#ffa257") if palette.dark else ("#0a3d7a", "#4c93cf", "#e58a3c", "#8f3b00")
        colours = [QColor(c) for c in (ends[0], ends[1], palette.plot_background, ends[2], ends[3])]
    else:
        colours = [QColor("#000000"), QColor("#ffffff")]
    positions = [i / (len(colours) - 1) for i in range(len(colours))]
    return pg.ColorMap(positions, [c.getRgb() for c in colours], name=f"{name}-{palette.name}")


def pen(colour: str, width: float = 1.5, style: Qt.PenStyle = Qt.PenStyle.SolidLine, alpha: int = 255) -> QPen:
    """A pen whose width does not change with the zoom."""
    shade = QColor(colour)
    shade.setAlpha(alpha)
    line = QPen(shade)
    line.setWidthF(width)
    line.setStyle(style)
    line.setCosmetic(True)
    return line


def translucent(colour: str, alpha: int) -> QColor:
    """A colour with an opacity of `alpha` out of 255."""
    shade = QColor(colour)
    shade.setAlpha(alpha)
    return shade


def with_unit(label: str, unit: str) -> str:
    """`label (unit)`, or the label alone for a pure number."""
    return f"{label} ({unit})" if unit else label


def label_axis(plot: pg.PlotItem, side: str, label: str, unit: str, palette: Palette) -> None:
    """Write an axis label with its unit; no automatic SI prefixes (a `mpx` is nobody's unit)."""
    axis = plot.getAxis(side)
    # The ranges first: switching the prefixes off works out a scale once more, and would keep it for values below 1.
    look = {"color": palette.plot_foreground, "font-size": f"{LABEL_PT}pt"}
    axis.setLabel(with_unit(label, unit), siPrefixEnableRanges=(), **look)
    axis.enableAutoSIPrefix(False)


def style_axes(plot: pg.PlotItem, palette: Palette, *, grid: bool = True) -> None:
    """Give a plot's axes, ticks, grid and frame the colours of a palette."""
    plot.getViewBox().setBackgroundColor(palette.plot_background)
    for side in ("left", "bottom", "right", "top"):
        axis = plot.getAxis(side)
        axis.setPen(pen(palette.grid if side in ("right", "top") else palette.muted, 1.0))
        axis.setTextPen(pen(palette.plot_foreground, 1.0))
        axis.setTickFont(plot_font())
        axis.setStyle(tickLength=-4, tickTextOffset=4)
        if axis.label is not None and axis.labelText:
            axis.setLabel(
                axis.labelText, siPrefixEnableRanges=(), **{"color": palette.plot_foreground, "font-size": f"{LABEL_PT}pt"}
            )
    plot.showGrid(x=grid, y=grid, alpha=0.25 if grid else 0.0)


def number(value: float) -> str:
    """A short number for a tick or for the value under the cursor."""
    if value == 0:
        return "0"
    text = f"{value:.4g}" if 1e-3 <= abs(value) < 1e5 else f"{value:.2e}"
    return text.replace("-", MINUS, 1) if value < 0 else text
