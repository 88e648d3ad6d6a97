"""Spectra at points: the colour tells the point, a line is the fit, a dotted line the start, dots are the reference."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt, Slot
from PySide6.QtWidgets import QWidget

from cassi_gui.plots import export
from cassi_gui.plots.labels import NarrowLabel
from cassi_gui.plots.panel import PlotPanel
from cassi_gui.plots.style import LABEL_PT, SYMBOLS, label_axis, number, pen, plot_font
from cassi_gui.style.theme import Palette

SAMPLES = {"after": "\u2014\u2014", "before": "\u00b7\u00b7\u00b7\u00b7", "reference": "\u25cf"}
GLYPHS = ("\u25cf", "\u25a0", "\u25bc", "\u25c6", "+", "\u00d7", "\u2605", "\u2b1f")
"""The symbols of :data:`SYMBOLS` as letters, for the legend."""


WHOLE_SCENE = "whole scene"
"""Label of the mean spectrum, shown while no point is picked."""


@dataclass(frozen=True, eq=False)
class Spectrum:
    """A curve: label of its point, index of the point's colour and symbol, kind (after, before, reference), values `(L,)`."""

    label: str
    index: int
    kind: str
    values: NDArray[np.float64]


class SpectrumPanel(PlotPanel):
    """Spectra over the wavelength, or over the band number where the wavelengths are not known."""

    def __init__(self, name: str = "spectrum", title: str = "Spectra", parent: QWidget | None = None) -> None:
        super().__init__(name, title, parent)
        self._spectra: tuple[Spectrum, ...] = ()
        self._axis: NDArray[np.float64] = np.empty(0)
        self._nm = False
        self.legend = NarrowLabel(wrap=True)
        self.graphics.addItem(self.legend, 0, 0)
        self.plot = self._add_plot(1, 0)
        self._curves: list[pg.PlotDataItem] = []
        self._names: list[pg.TextItem] = []
        self.band_line = pg.InfiniteLine(angle=90)
        self.band_line.hide()
        self.plot.addItem(self.band_line, ignoreBounds=True)
        label_axis(self.plot, "left", "light", "relative", self._palette)
        self.graphics.setToolTip("Spectra at the points picked in the picture (mean of 3 x 3 pixels)")
        self.graphics.scene().sigMouseMoved.connect(self._mouse_moved)
        self.set_palette(self._palette)
        self.set_spectra((), None)

    def set_spectra(self, spectra: Sequence[Spectrum], wavelengths_nm: NDArray[np.float64] | None, *, empty: str = "") -> None:
        """Show curves over the wavelengths in nm; None: over the band number, counted from 1."""
        self._spectra = tuple(spectra)
        n = max((s.values.size for s in self._spectra), default=0)
        self._nm = wavelengths_nm is not None and wavelengths_nm.size == n
        self._axis = np.asarray(wavelengths_nm, float) if self._nm and wavelengths_nm is not None else np.arange(1.0, n + 1)
        while len(self._curves) < len(self._spectra):
            curve = pg.PlotDataItem(symbolSize=6)
            self.plot.addItem(curve)
            self._curves.append(curve)
        for curve in self._curves[len(self._spectra) :]:
            curve.setData([], [])
        for curve, spectrum in zip(self._curves, self._spectra, strict=False):
            curve.setData(self._axis[: spectrum.values.size], spectrum.values)
        self._set_ranges()
        if self._nm:
            label_axis(self.plot, "bottom", "wavelength", "nm", self._palette)
        else:
            label_axis(self.plot, "bottom", "band", "", self._palette)
        whole = any(s.label == WHOLE_SCENE for s in self._spectra)
        self.set_detail("click a point for its own" if whole else "")
        self.set_empty("" if self._spectra else empty or "Click a point in the picture to see its spectrum here.")
        self._repaint()

    def _set_ranges(self) -> None:
        """The axis of the light begins at zero: a small difference must not look large."""
        if not self._spectra:
            return
        values = np.concatenate([s.values for s in self._spectra])
        high = float(values.max(initial=0.0)) or 1.0
        first, last = float(self._axis[0]), float(self._axis[-1])
        room = 0.06 * (last - first) or 0.5
        self.plot.getViewBox().setRange(
            xRange=(first, last + room), yRange=(min(0.0, float(values.min())), 1.05 * high), padding=0.0
        )

    @property
    def spectra(self) -> tuple[Spectrum, ...]:
        return self._spectra

    @property
    def axis_values(self) -> NDArray[np.float64]:
        """Wavelengths in nm or band numbers that the curves are drawn over."""
        return self._axis

    def set_band(self, band: int | None) -> None:
        """Mark the band that a picture beside this plot shows."""
        shown = band is not None and 0 <= band < self._axis.size
        self.band_line.setVisible(shown)
        if shown and band is not None:
            self.band_line.setValue(float(self._axis[band]))

    def table(self) -> export.Table:
        header = ("wavelength (nm)" if self._nm else "band", *(f"{s.label} {s.kind}" for s in self._spectra))
        columns = [self._axis.tolist(), *(s.values.tolist() for s in self._spectra)]
        return export.Table(header, tuple(zip(*columns, strict=False)))

    def _repaint(self) -> None:
        palette: Palette = self._palette
        series = palette.series
        for curve, spectrum in zip(self._curves, self._spectra, strict=False):
            colour = series[spectrum.index % len(series)]
            dots = spectrum.kind == "reference"
            style = Qt.PenStyle.DotLine if spectrum.kind == "before" else Qt.PenStyle.SolidLine
            curve.setPen(None if dots else pen(colour, 2.0 if spectrum.kind == "after" else 1.4, style))
            curve.setSymbol(SYMBOLS[spectrum.index % len(SYMBOLS)] if dots else None)
            curve.setSymbolBrush(colour)
            curve.setSymbolPen(None)
        self._name_lines()
        self.band_line.setPen(pen(palette.muted, 1.0))
        self.legend.setText(self._legend_text(), color=palette.plot_foreground, size=f"{LABEL_PT}pt")

    def _name_lines(self) -> None:
        """The label of each point at the end of its line: no point is told by colour alone."""
        series = self._palette.series
        fitted = [s for s in self._spectra if s.kind == "after" and s.label != WHOLE_SCENE and s.values.size]
        while len(self._names) < len(fitted):
            name = pg.TextItem(anchor=(0.0, 0.5))
            name.setFont(plot_font())
            self.plot.addItem(name, ignoreBounds=True)
            self._names.append(name)
        for name, spectrum in itertools.zip_longest(self._names, fitted):
            name.setVisible(spectrum is not None)
            if spectrum is not None:
                name.setText(spectrum.label, color=series[spectrum.index % len(series)])
                name.setPos(float(self._axis[spectrum.values.size - 1]), float(spectrum.values[-1]))

    def _legend_text(self) -> str:
        series = self._palette.series
        points = dict.fromkeys((s.label, s.index) for s in self._spectra)
        kinds = dict.fromkeys(s.kind for s in self._spectra)
        square = "\N{BLACK SQUARE}"
        words = [
            f"<span style='color:{series[i % len(series)]}'>{GLYPHS[i % len(GLYPHS)] if 'reference' in kinds else square}</span>&nbsp;{label}"
            for label, i in points
        ]
        if len(kinds) > 1:
            words += [f"{SAMPLES.get(kind, '')}&nbsp;{kind}" for kind in kinds]
        return "&nbsp;&nbsp; ".join(words)

    @Slot(object)
    def _mouse_moved(self, position: QPointF) -> None:
        view = self.plot.getViewBox()
        if not self._spectra or not view.sceneBoundingRect().contains(position):
            self.set_detail("")
            return
        band = int(np.abs(self._axis - view.mapSceneToView(position).x()).argmin())
        where = f"{self._axis[band]:.1f} nm" if self._nm else f"band {band + 1}"
        values = ", ".join(f"{s.label} {s.kind} {number(float(s.values[band]))}" for s in self._spectra if band < s.values.size)
        self.set_detail(f"{where}: {values}")
