"""What the fit cannot explain, before and after on one colour scale, beside what noise alone would leave."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QLinearGradient, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QWidget

from cassi_core.formatting import MINUS, format_number
from cassi_core.quality.display import symmetric_levels
from cassi_core.result import Scores
from cassi_gui.plots.pair import PairPanel, Tile
from cassi_gui.plots.style import colour_map
from cassi_gui.style.theme import LIGHT, TYPE_SMALL_PT, Palette, font

LONG, SHORT = "What the fit cannot explain", "Not explained by the fit"


@dataclass(frozen=True, eq=False)
class ResidualView:
    """Residual maps `(H, Wm)` as shares of full scale, the rms of each as a share of the light, and that of the noise (None: not known).

    `unit` names what the maps are shares of. `pattern` says whether a pattern stands out; `after` is the word for the fitted values.
    """

    before: NDArray[np.float32]
    after: NDArray[np.float32]
    scores: Scores
    noise_share: float | None
    unit: str
    pattern: str = ""
    after_word: str = "After"


class GradientBar(QWidget):
    """The colour scale as a lying bar with both ends written below."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._palette: Palette = LIGHT
        self._limit, self._unit = 1.0, ""
        self.setFixedHeight(26)

    def set_scale(self, limit: float, unit: str) -> None:
        """Ends of the scale, symmetric about zero, and what its numbers are."""
        self._limit, self._unit = limit, unit
        self.update()

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self._palette = palette
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        p = self._palette
        painter = QPainter(self)
        gradient = QLinearGradient(QPointF(0, 0), QPointF(self.width(), 0))
        colours = colour_map("diverging", p)
        for k in range(9):
            gradient.setColorAt(k / 8, colours.map(k / 8, "qcolor"))
        painter.fillRect(QRectF(0, 0, self.width(), 9), QBrush(gradient))
        painter.setPen(QColor(p.border))
        painter.drawRect(QRectF(0.5, 0.5, self.width() - 1, 8))
        painter.setFont(font(TYPE_SMALL_PT))
        line = QRectF(0, 11, self.width(), 15)
        value = f"{self._limit:.2g}"
        for side, words, colour in (
            (Qt.AlignmentFlag.AlignLeft, f"{MINUS}{value}", p.text),
            (Qt.AlignmentFlag.AlignHCenter, self._unit, p.muted),
            (Qt.AlignmentFlag.AlignRight, f"+{value}", p.text),
        ):
            painter.setPen(QColor(colour))
            painter.drawText(line, side, words)
        painter.end()


class ResidualPanel(PairPanel):
    """The only place of the proof with an rms."""

    def __init__(self, name: str = "proof_residual", parent: QWidget | None = None) -> None:
        super().__init__(name, LONG, parent)
        self._view: ResidualView | None = None
        self.scale = GradientBar()
        self._said = QLabel()
        self._said.setObjectName(f"{name}_said")
        self._said.setProperty("role", "small")
        self._said.setWordWrap(True)
        self.below.addWidget(self.scale)
        self.below.addWidget(self._said)
        self.graphics.setToolTip(
            "The picture minus what the fit calculates: blue where the picture is darker, orange where it is brighter"
        )
        self.set_view(None, empty="Nothing to look at yet.")

    def set_view(self, view: ResidualView | None, *, empty: str = "") -> None:
        """Show the residuals of a result; `empty` says why there are none."""
        self._view = view
        self.set_empty("" if view is not None else empty)
        for part in (self.scale, self._said, *self._captions):
            part.setVisible(view is not None)
        self._unit = "" if view is None else view.unit
        self._draw()

    @property
    def said(self) -> str:
        """The words about noise and pattern."""
        return self._said.text()

    def set_narrow(self, narrow: bool) -> None:
        """The short heading and one picture."""
        self.set_title(SHORT if narrow else LONG)
        self.set_single(narrow)

    def set_palette(self, palette: Palette) -> None:
        super().set_palette(palette)
        self.scale.set_palette(palette)
        self._draw()

    def _draw(self) -> None:
        super()._draw()
        if self._view is not None and self._tiles:
            self.scale.set_scale(self._tiles[-1].levels[1], self._view.unit)
            self._said.setText(self._words(self._view))

    @staticmethod
    def _words(view: ResidualView) -> str:
        said = []
        if view.noise_share is not None:
            noise, left = 100 * view.noise_share, 100 * view.scores.residual_after
            said.append(
                f"Noise alone would leave up to {format_number(noise, 1)} %."
                if left <= noise
                else f"Noise alone would leave {format_number(noise, 1)} %; the rest is fine detail of the scene, or the mask."
            )
        return " ".join((*said, view.pattern)).strip()

    def _states(self) -> tuple[Tile, Tile] | None:
        view = self._view
        if view is None:
            return None
        levels = symmetric_levels(view.before)
        p = self._palette
        before, after = (f"{format_number(100 * s, 1)} %" for s in (view.scores.residual_before, view.scores.residual_after))
        better = view.scores.residual_after <= view.scores.residual_before
        strong = f"<span style='font-weight:600; color:{p.ok if better else p.warn}'>{after}</span>"
        grey = f"<span style='color:{p.muted}'>"
        tail = f" &nbsp;{grey}before {before}</span>" if self._single else ""
        return (
            Tile(view.before, f"Before &nbsp;{grey}{before}</span>", levels, "diverging"),
            Tile(view.after, f"{view.after_word} &nbsp;{strong}{tail}", levels, "diverging"),
        )

    def _difference(self) -> tuple[Tile, ...]:
        view = self._view
        if view is None:
            return ()
        gain = np.abs(view.before) - np.abs(view.after)
        words = "Orange: the fit explains more than before.<br>Blue: less."
        return (Tile(gain, words, symmetric_levels(gain), "diverging"),)
