"""A loupe on the mask's edges: the picture's local contrast beside the same contrast calculated from the mask, divided by a line."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QLabel, QWidget

from cassi_core.formatting import format_number
from cassi_core.quality.loupe import SPOTS, Loupe, Match
from cassi_gui.plots.pair import PairPanel, Tile, ViewMode
from cassi_gui.style.theme import LIGHT, Palette

LEVELS = (-1.7, 1.7)
"""Contrast in units of its local rms: nine tenths of a normal distribution."""
GOOD_MATCH = 0.5
"""From here on a match has the colour of a good value. Of 30 places of a simulated and two real rigs 30 lie above with the mask where it is, and
6 with the mask 1 px off across the dispersion."""
LONG, SHORT = "Mask edges in the picture", "Mask edges"
READ = (
    "Left of the line: the picture. Right: calculated from the mask. Streaks that run on across the line: the mask sits right."
)
READ_LYING = (
    "Above the line: the picture. Below: calculated from the mask. Streaks that run on across the line: the mask sits right."
)
READ_SHORT, READ_SHORT_LYING = "Left: the picture. Right: from the mask.", "Above: the picture. Below: from the mask."
READ_DIFFERENCE = "The picture minus what is calculated: grey where both agree."

Combine = Callable[[NDArray[np.float32], NDArray[np.float32], bool], NDArray[np.float32]]
PLACES = {
    "centre": (0.5, 0.5),
    "top left": (0.15, 0.17),
    "top right": (0.85, 0.17),
    "bottom left": (0.15, 0.83),
    "bottom right": (0.85, 0.83),
}
STEPS = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}


class SpotDots(QWidget):
    """The picture in small with five dots; a click or the arrow keys choose where the loupe lies. Emits `chosen` (index of SPOTS)."""

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFixedSize(self.sizeHint())
        self._palette: Palette = LIGHT
        self._index = 0
        self._tell()

    @property
    def spot(self) -> str:
        """Name of the chosen part of the picture."""
        return SPOTS[self._index]

    def choose(self, index: int) -> None:
        """Lay the loupe on a part of the picture."""
        if index != self._index:
            self._index = index
            self._tell()
            self.update()
            self.chosen.emit(index)

    def dot(self, index: int) -> QPointF:
        """Where a dot lies on the widget."""
        x, y = PLACES[SPOTS[index]]
        return QPointF(x * self.width(), y * self.height())

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self._palette = palette
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(44, 36)

    def _tell(self) -> None:
        self.setAccessibleName(f"Where the loupe lies: {self.spot}")
        self.setToolTip(f"Where the loupe lies: {self.spot}. Click a dot, or use the arrow keys")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        away = [(event.position() - self.dot(k)).manhattanLength() for k in range(len(SPOTS))]
        self.choose(int(np.argmin(away)))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = STEPS.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
            return
        x, y = PLACES[self.spot]
        ahead = {
            k: abs(px - x) + abs(py - y)
            for k, (px, py) in enumerate(PLACES[s] for s in SPOTS)
            if (px - x) * step[0] + (py - y) * step[1] > 0.01
        }
        if ahead:
            self.choose(min(ahead, key=lambda k: ahead[k]))

    def paintEvent(self, event: QPaintEvent) -> None:
        p = self._palette
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(p.accent if self.hasFocus() else p.outline), 2.0 if self.hasFocus() else 1.0))
        painter.setBrush(QColor(p.panel))
        painter.drawRect(QRectF(0.5, 0.5, self.width() - 1.0, self.height() - 1.0))
        painter.setPen(Qt.PenStyle.NoPen)
        for k in range(len(SPOTS)):
            painter.setBrush(QColor(p.accent if k == self._index else p.outline))
            radius = 4.5 if k == self._index else 3.0
            painter.drawEllipse(self.dot(k), radius, radius)
        painter.end()


class LoupePanel(PairPanel):
    """Mask edges before and after, at one of five places."""

    def __init__(self, name: str = "proof_loupe", parent: QWidget | None = None) -> None:
        super().__init__(name, LONG, parent)
        self._loupe: Loupe | None = None
        self._narrow = False
        self._before_word, self._after_word = "Before", "After"
        self._where = QLabel()
        self._where.setObjectName(f"{name}_where")
        self._where.setProperty("role", "small")
        self.dots = SpotDots()
        self.dots.setObjectName(f"{name}_dots")
        self.dots.chosen.connect(self._on_spot)
        index = self.header.indexOf(self._menu_button)
        self.header.insertWidget(index, self.dots)
        self.header.insertWidget(index, self._where)
        self._read = QLabel()
        self._read.setObjectName(f"{name}_read")
        self._read.setProperty("role", "small")
        self._read.setWordWrap(True)
        self.below.addWidget(self._read)
        self.graphics.setToolTip(
            "Local contrast on 22 x 22 px. Match: 1 where picture and calculation are alike, 0 where they have nothing in common"
        )
        self.set_loupe(None, empty="Nothing to look at yet.")

    def set_loupe(self, loupe: Loupe | None, *, empty: str = "", before: str = "Before", after: str = "After") -> None:
        """Show the loupe of a result; `empty` says why there is none, `before` and `after` are the words for start and fitted values."""
        self._loupe, self._before_word, self._after_word = loupe, before, after
        self.set_empty("" if loupe is not None else empty)
        self.dots.setVisible(loupe is not None)
        self._where.setVisible(loupe is not None)
        self._read.setVisible(loupe is not None)
        for label in self._captions:
            label.setVisible(loupe is not None)
        self._draw()

    def set_narrow(self, narrow: bool) -> None:
        """The short words."""
        self._narrow = narrow
        self.set_title(SHORT if narrow else LONG)
        self._draw()

    def matches(self) -> tuple[Match, Match] | None:
        """How well the picture agrees before and after where the loupe lies."""
        loupe = self._loupe
        if loupe is None:
            return None
        spot = loupe.spots[SPOTS.index(self.dots.spot)]
        return loupe.match(loupe.before, spot), loupe.match(loupe.after, spot)

    def set_palette(self, palette: Palette) -> None:
        super().set_palette(palette)
        self.dots.set_palette(palette)
        self._draw()

    @Slot(int)
    def _on_spot(self, _index: int) -> None:
        self._draw()

    def _draw(self) -> None:
        super()._draw()
        self._where.setText(self.dots.spot)
        if self._loupe is None:
            return
        lying = self._loupe.along_axis == 0
        if self.mode is ViewMode.DIFFERENCE:
            self._read.setText(READ_DIFFERENCE)
        elif self._narrow:
            self._read.setText(READ_SHORT_LYING if lying else READ_SHORT)
        else:
            self._read.setText(READ_LYING if lying else READ)

    def _states(self) -> tuple[Tile, Tile] | None:
        return self._pair(self._side_by_side)

    def _difference(self) -> tuple[Tile, ...]:
        return self._pair(lambda seen, calculated, _lying: seen - calculated) or ()

    def _pair(self, combine: Combine) -> tuple[Tile, Tile] | None:
        loupe, matches = self._loupe, self.matches()
        if loupe is None or matches is None:
            return None
        spot = loupe.spots[SPOTS.index(self.dots.spot)]
        lying = loupe.along_axis == 0
        seen = loupe.cut(loupe.picture, spot)
        line = "" if self.mode is ViewMode.DIFFERENCE else "lying" if lying else "standing"
        tiles = []
        for word, predicted, match in (
            (self._before_word, loupe.before, matches[0]),
            (self._after_word, loupe.after, matches[1]),
        ):
            both = combine(seen, loupe.cut(predicted, spot), lying)
            tiles.append(Tile(both, self._caption(word, match), LEVELS, "grey", (spot.row, spot.col), line))
        return tiles[0], tiles[1]

    @staticmethod
    def _side_by_side(seen: NDArray[np.float32], calculated: NDArray[np.float32], lying: bool) -> NDArray[np.float32]:
        both = seen.copy()
        half = seen.shape[0] // 2
        if lying:
            both[half:] = calculated[half:]
        else:
            both[:, half:] = calculated[:, half:]
        return both

    def _caption(self, word: str, match: Match) -> str:
        p = self._palette
        strong = word != self._before_word
        colour = p.muted if not strong else p.ok if match.whole >= GOOD_MATCH else p.warn
        weight = "font-weight:600; " if strong else ""
        along = f"along{'' if self._narrow else ' the bands'} {format_number(match.along, 2)}"
        return (
            f"{word} &nbsp;<span style='{weight}color:{colour}'>match {format_number(match.whole, 2)}</span>"
            f"<br><span style='color:{p.muted}'>{along}</span>"
        )
