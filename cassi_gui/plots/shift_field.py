"""Field of the shifts left over in each block, as enlarged arrows with a scale arrow.

Arrows point the way the pattern still has to move: right is right on the screen, down is down (row 0 at the top). An arrow
shorter than twice its standard error is drawn thin: it says nothing. A field of at most 0.1 px never fills its blocks, so
that a good calibration looks calm.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF
from PySide6.QtWidgets import QWidget

from cassi_core.quality.display import within_errors
from cassi_core.quality.shift_checks import leftover_rms, shifted_blocks
from cassi_core.result import LocalShift
from cassi_gui.plots import export
from cassi_gui.plots.panel import PlotPanel
from cassi_gui.plots.style import label_axis, pen, plot_font, translucent

HELP = "Shift of the mask pattern left over in each block (px), enlarged; circles: standard error; thin: within two standard errors"
SMALLEST_FULL_PX = 0.1
NICE = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
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
        view = self.plot.getViewBox()
        view.invertY(True)
        view.setAspectLocked(True)
        label_axis(self.plot, "bottom", "column", "px", self._palette)
        label_axis(self.plot, "left", "row", "px", self._palette)
        self._frame = pg.PlotCurveItem()
        self._sure, self._unsure = pg.PlotCurveItem(), pg.PlotCurveItem()
        self._scale = pg.PlotCurveItem()
        self._errors = pg.ScatterPlotItem(pxMode=False)
        self._scale_text = pg.TextItem(anchor=(0.0, 0.5))
        self._scale_text.setFont(plot_font(9))
        for item in (self._frame, self._errors, self._unsure, self._sure, self._scale, self._scale_text):
            self.plot.addItem(item)
        self.graphics.setToolTip(HELP)
        self.set_palette(self._palette)
        self.set_shifts((), (1, 1))

    def set_shifts(self, shifts: Sequence[LocalShift], shape: tuple[int, int], *, empty: str = "") -> None:
        """Show the shifts of blocks of a picture of `shape` (rows, columns)."""
        self._shifts, self._shape = tuple(shifts), shape
        if not self._shifts:
            self.set_detail("")
            self.graphics.setToolTip(HELP)
            self.set_empty(empty or "No leftover shifts were kept in this run (setting: quality maps).")
            return
        self.set_empty("")
        self._draw()
        height, width = shape
        self.plot.getViewBox().setRange(QRectF(-0.5, -0.5, width, height * 1.12), padding=0.03)
        rms, shifted = f"{leftover_rms(self._shifts):.3f}", shifted_blocks(self._shifts)
        self.set_detail(f"rms {rms} px beyond the errors")
        self.graphics.setToolTip(
            f"{HELP}\nrms {rms} px beyond the errors of the blocks; {shifted} of {len(self._shifts)} blocks are shifted beyond two of theirs"
        )

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
        x, y = arrow(0.02 * width, 1.06 * height, k * self.scale_px, 0.0)
        self._scale.setData(np.array(x), np.array(y), connect="finite")
        self._scale_text.setPos(0.02 * width + k * self.scale_px + 0.02 * width, 1.06 * height)
        self._scale_text.setText(f"= {self.scale_px:g} px    thin: within 2 errors")

    def _repaint(self) -> None:
        p = self._palette
        self._sure.setPen(pen(p.series[1], 2.2))
        self._unsure.setPen(pen(p.muted, 1.0))
        self._scale.setPen(pen(p.text, 2.0))
        self._scale_text.setColor(p.text)
        self._frame.setPen(pen(p.border, 1.0))
        self._errors.setPen(pen(p.muted, 0.8, alpha=150))
        self._errors.setBrush(translucent(p.muted, 30))
