"""Field of the shifts left over in each block, as enlarged arrows over circles of their errors; axes hug the picture.

Arrows point the way the pattern still has to move: right is right on the screen, down is down (row 0 at the top). An arrow
within twice its standard error is thin and grey: it says nothing. A field of at most 0.1 px never fills its blocks, so
that a good calibration looks calm.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QWidget

from cassi_core.quality.display import within_errors
from cassi_core.quality.shift_checks import most_by_chance, shifted_blocks
from cassi_core.result import LocalShift
from cassi_gui.plots import export
from cassi_gui.plots.hugging import HuggedPicture
from cassi_gui.plots.panel import PlotPanel
from cassi_gui.plots.style import label_axis, pen, translucent
from cassi_gui.style.theme import LIGHT, TYPE_SMALL_PT, Palette, font

HELP = "Shift of the mask pattern left over in each block, enlarged; grey circles: error of the block"
SMALLEST_FULL_PX = 0.1
NICE = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
LEGEND_LINE = 18
TITLE_PX = 28
"""Height of the title, with or without the button beside it."""
HEAD = 0.28
"""Length of an arrow's head as a part of its shaft."""


def arrow(col: float, row: float, right: float, down: float) -> tuple[list[float], list[float]]:
    """Polyline (x, y) of an arrow that starts at (col, row), shaft and two barbs, for a curve with `connect="finite"`."""
    tip_x, tip_y = col + right, row + down
    x, y = [col, tip_x], [row, tip_y]
    angle, length = math.atan2(down, right), math.hypot(right, down) * HEAD
    for turn in (math.pi * 0.85, -math.pi * 0.85):
        x += [math.nan, tip_x, tip_x + length * math.cos(angle + turn)]
        y += [math.nan, tip_y, tip_y + length * math.sin(angle + turn)]
    return [*x, math.nan], [*y, math.nan]


class ShiftFieldPanel(PlotPanel):
    """Leftover shifts of a calibration."""

    def __init__(self, name: str = "shift_field", title: str = "Leftover shifts", parent: QWidget | None = None) -> None:
        super().__init__(name, title, parent)
        self._shifts: tuple[LocalShift, ...] = ()
        self._shape = (1, 1)
        self.plot = self._add_plot(0, 0, grid=False)
        self.plot.getViewBox().invertY(True)
        self.plot.setMouseEnabled(x=False, y=False)
        self._title.setMinimumHeight(TITLE_PX)
        self.hug = HuggedPicture(self, self.plot)
        label_axis(self.plot, "bottom", "column", "px", self._palette)
        label_axis(self.plot, "left", "row", "px", self._palette)
        self._frame = pg.PlotCurveItem()
        self._sure, self._unsure = pg.PlotCurveItem(), pg.PlotCurveItem()
        self._errors = pg.ScatterPlotItem(pxMode=False)
        for item in (self._frame, self._errors, self._unsure, self._sure):
            self.plot.addItem(item)
        self.legend = ShiftLegend(name)
        self.below.addWidget(self.legend)
        self.graphics.setToolTip(HELP)
        self.set_palette(self._palette)
        self.set_shifts((), (1, 1))

    def set_shifts(self, shifts: Sequence[LocalShift], shape: tuple[int, int], *, empty: str = "") -> None:
        """Show the shifts of blocks of a picture of `shape` (rows, columns)."""
        self._shifts, self._shape = tuple(shifts), shape
        self.legend.setVisible(bool(self._shifts))
        if not self._shifts:
            self.set_empty(empty or "No leftover shifts were kept in this run (setting: quality maps).")
            return
        self.set_empty("")
        self._draw()
        height, width = shape
        self.hug.set_size(width, height)
        self.legend.set_counts(shifted_blocks(self._shifts), len(self._shifts), most_by_chance(len(self._shifts)))
        self._scale_legend()

    @property
    def beyond_errors(self) -> int:
        """In how many blocks the shift is beyond two errors."""
        return shifted_blocks(self._shifts)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._scale_legend()

    def _scale_legend(self) -> None:
        if self._shifts:
            self.legend.set_scale(self.scale_px, self.scale_px * self.magnification * self.hug.screen_px_per_px)

    @property
    def magnification(self) -> float:
        """Pixels of the picture drawn per pixel of shift."""
        largest = max((math.hypot(s.right, s.down) for s in self._shifts), default=0.0)
        return 0.85 * self._spacing() / max(largest, SMALLEST_FULL_PX)

    @property
    def scale_px(self) -> float:
        """The shift in pixels that the scale arrow stands for."""
        full = self._spacing() / self.magnification
        return next((v for v in reversed(NICE) if v <= full * 1.01), NICE[0])

    def arrows(self) -> tuple[tuple[float, float, float, float], ...]:
        """What is drawn: start column, start row, drawn length right and down, one a block, in pixels of the picture."""
        k = self.magnification
        return tuple((s.col, s.row, k * s.right, k * s.down) for s in self._shifts)

    def table(self) -> export.Table:
        header = ("row (px)", "column (px)", "right (px)", "down (px)", "sigma right (px)", "sigma down (px)")
        rows = tuple((s.row, s.col, s.right, s.down, s.sigma_right, s.sigma_down) for s in self._shifts)
        return export.Table(header, rows)

    def _spacing(self) -> float:
        rows = sorted({s.row for s in self._shifts})
        cols = sorted({s.col for s in self._shifts})
        gaps = [b - a for values in (rows, cols) for a, b in itertools.pairwise(values)]
        return min((g for g in gaps if g > 0), default=min(self._shape) / 2)

    def _draw(self) -> None:
        k = self.magnification
        lines: dict[bool, tuple[list[float], list[float]]] = {True: ([], []), False: ([], [])}
        spots = []
        for s, (col, row, right, down) in zip(self._shifts, self.arrows(), strict=True):
            error = math.hypot(s.sigma_right, s.sigma_down)
            x, y = arrow(col, row, right, down)
            known = lines[not within_errors(s)]
            known[0].extend(x)
            known[1].extend(y)
            if error > 0:
                spots.append({"pos": (col + right, row + down), "size": min(2 * k * error, 1.5 * self._spacing())})
        for item, sure in ((self._sure, True), (self._unsure, False)):
            item.setData(np.array(lines[sure][0]), np.array(lines[sure][1]), connect="finite")
        self._errors.setData(spots)
        height, width = self._shape
        self._frame.setData([-0.5, width - 0.5, width - 0.5, -0.5, -0.5], [-0.5, -0.5, height - 0.5, height - 0.5, -0.5])

    def _repaint(self) -> None:
        p = self._palette
        self._sure.setPen(pen(p.series[1], 2.6))
        self._unsure.setPen(pen(p.muted, 1.0))
        self._frame.setPen(pen(p.border, 1.0))
        self._errors.setPen(pen(p.muted, 0.8, alpha=90))
        self._errors.setBrush(translucent(p.muted, 36))
        self.legend.set_palette(p)


class ShiftLegend(QWidget):
    """What the arrows and circles are: the scale, how many blocks are beyond two errors, and the error of a block."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(f"{name}_legend")
        self._palette: Palette = LIGHT
        self._scale, self._length = "", 20.0
        self.counts = ""
        self.setFixedHeight(2 * LEGEND_LINE)

    def set_counts(self, beyond: int, blocks: int, by_chance: int) -> None:
        """How many blocks are shifted beyond two of their errors, and how many may be by chance."""
        self.counts = f"beyond 2 errors: {beyond} of {blocks}"
        tip = f"{self.counts} blocks; up to {by_chance} may be by chance"
        self.setAccessibleName(tip)
        self.setToolTip(tip)
        self.update()

    def set_scale(self, shift_px: float, length: float) -> None:
        """The shift that an arrow of a length on the screen stands for."""
        self._scale, self._length = f"{shift_px:g} px", length
        self.update()

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self._palette = palette
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        p = self._palette
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(font(TYPE_SMALL_PT))
        x = self._draw_arrow(painter, 0.0, self._length, p.muted, 1.2)
        x = self._write(painter, x, 0, self._scale)
        painter.setPen(QPen(QColor(p.muted), 0.8))
        painter.setBrush(translucent(p.muted, 36))
        painter.drawEllipse(QPointF(x + 5, LEGEND_LINE / 2), 5, 5)
        self._write(painter, x + 14, 0, "error of the block")
        x = self._draw_arrow(painter, 0.0, 16.0, p.series[1], 2.6, line=1)
        self._write(painter, x, 1, self.counts)
        painter.end()

    @staticmethod
    def _draw_arrow(painter: QPainter, x: float, length: float, colour: str, width: float, line: int = 0) -> float:
        painter.setPen(QPen(QColor(colour), width))
        y, tip = (line + 0.5) * LEGEND_LINE, x + max(length, 8.0)
        painter.drawLine(QPointF(x, y), QPointF(tip, y))
        for side in (-1, 1):
            painter.drawLine(QPointF(tip, y), QPointF(tip - 4, y + 3.5 * side))
        return tip + 5

    def _write(self, painter: QPainter, x: float, line: int, words: str) -> float:
        painter.setPen(QColor(self._palette.muted))
        width = painter.fontMetrics().horizontalAdvance(words)
        painter.drawText(QRectF(x, line * LEGEND_LINE, width + 2, LEGEND_LINE), Qt.AlignmentFlag.AlignVCenter, words)
        return x + width + 14
