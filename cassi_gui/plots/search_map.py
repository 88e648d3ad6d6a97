"""Why the mask was not found: picture against mask at every shift, beside the same where a mask is there; and every way round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QGridLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from cassi_core.quality.search_map import SearchMap, SearchPair
from cassi_gui.plots.pair import PairPanel, Tile
from cassi_gui.plots.style import pen
from cassi_gui.style.theme import HALF_SPACE, LIGHT, SPACE, TYPE_SMALL_PT, Palette, font

RING_PX = 3.5
LONG, SHORT = "Where is the mask? Picture against mask, every shift", "Picture against mask"


class SearchMapPanel(PairPanel):
    """Two maps of the correlation on one scale, the strongest place of each ringed."""

    def __init__(self, name: str = "proof_search", parent: QWidget | None = None) -> None:
        super().__init__(name, LONG, parent)
        self._pair: SearchPair | None = None
        self._least = 8.0
        self._narrow = False
        self._unit = "times the noise"
        self._said = QLabel()
        self._said.setObjectName(f"{name}_said")
        self._said.setProperty("role", "small")
        self._said.setWordWrap(True)
        self.below.addWidget(self._said)
        self.graphics.setToolTip("How well picture and mask agree at every shift, in units of the noise")
        self.set_pair(None)

    def set_pair(self, pair: SearchPair | None, least: float = 8.0, *, empty: str = "Looking for the mask …") -> None:
        """Show the map of the picture beside that of the demo; a mask that is there reaches `least` times the noise."""
        self._pair, self._least = pair, least
        self.set_empty("" if pair is not None else empty)
        for part in (self._said, *self._captions):
            part.setVisible(pair is not None)
        if pair is not None:
            self._said.setText(f"Bright: many details agree. Ring: the strongest place. Shifts up to ±{pair.here.reach_px} px.")
        self._draw()

    def set_narrow(self, narrow: bool) -> None:
        """The short heading."""
        self._narrow = narrow
        self.set_title(SHORT if narrow else LONG)
        self._draw()

    def _states(self) -> tuple[Tile, Tile] | None:
        pair = self._pair
        if pair is None:
            return None
        levels = (-2.0, max(self._least, 1.2 * pair.here.z))
        return self._tile("This picture", pair.here, levels), self._tile("When it is found", pair.found, levels)

    def _difference(self) -> tuple[Tile, ...]:
        return self._states() or ()

    def _tile(self, word: str, search: SearchMap, levels: tuple[float, float]) -> Tile:
        p = self._palette
        colour = p.ok if search.z >= self._least else p.bad
        gap = "<br>" if self._narrow else " &nbsp;"
        caption = f"{word}{gap}<span style='font-weight:600; color:{colour}'>{search.z:.1f} × noise</span>"
        reach = search.reach_px
        return Tile(search.height, caption, levels, "sequential", (-reach, -reach))

    def _arrange(self) -> None:
        super()._arrange()
        if self._pair is None:
            return
        turns = np.linspace(0, 2 * np.pi, 49)
        for line, search in zip(self._lines, (self._pair.here, self._pair.found), strict=True):
            reach = search.reach_px
            line.setData(search.right + reach + RING_PX * np.cos(turns), search.down + reach + RING_PX * np.sin(turns))

    def _repaint(self) -> None:
        super()._repaint()
        for line in self._lines:
            line.setPen(pen("#ffffff", 2.0))


@dataclass(frozen=True)
class Way:
    """A way round of the mask: its words, how many times the noise it reaches (None: not tried), whether it can be used."""

    words: str
    z: float | None
    usable: bool = False


class Bar(QWidget):
    """A bar up to a value, with a dashed line where a mask counts as found."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._palette: Palette = LIGHT
        self._z: float | None = None
        self._least = 8.0
        self.setMinimumWidth(70)
        self.setFixedHeight(18)

    def set_value(self, z: float | None, least: float) -> None:
        """The value, None while it is not known."""
        self._z, self._least = z, least
        self.update()

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self._palette = palette
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(140, 18)

    def paintEvent(self, event: QPaintEvent) -> None:
        p = self._palette
        painter = QPainter(self)
        painter.setFont(font(TYPE_SMALL_PT))
        at_least = 0.66 * self.width()
        words, x = "not tried", 2.0
        if self._z is not None:
            length = min(self._z / self._least * at_least, 0.78 * self.width())
            painter.fillRect(QRectF(0, 3, length, self.height() - 6), QColor(p.ok if self._z >= self._least else p.bad))
            words, x = f"{self._z:.1f}", length + 6
        painter.setPen(QColor(p.text if self._z is not None else p.muted))
        painter.drawText(QRectF(x, 0, self.width() - x, self.height()), Qt.AlignmentFlag.AlignVCenter, words)
        painter.setPen(QPen(QColor(p.ok), 1.3, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(at_least, 0), QPointF(at_least, self.height()))
        painter.end()


class WaysList(QWidget):
    """The ways round of a mask as bars; emits `used` with the index of the one that a person wants."""

    used = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("ways_list")
        self._palette: Palette = LIGHT
        self.ways: tuple[Way, ...] = ()
        self._bars: list[Bar] = []
        self._words: list[QLabel] = []
        self.buttons: list[QPushButton] = []
        heading = QLabel("Which way round?")
        heading.setProperty("role", "heading")
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(SPACE)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(1, 1)
        self._said = QLabel()
        self._said.setProperty("role", "small")
        self._said.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(HALF_SPACE)
        layout.addWidget(heading)
        layout.addLayout(self._grid)
        layout.addWidget(self._said)
        layout.addStretch(1)

    def set_ways(self, ways: Sequence[Way], least: float) -> None:
        """Show the ways, each with its bar; one that is usable gets a button."""
        self.ways = tuple(ways)
        while len(self._bars) < len(ways):
            self._add(len(self._bars))
        for index, (words, bar, button) in enumerate(zip(self._words, self._bars, self.buttons, strict=True)):
            there = index < len(ways)
            for part in (words, bar):
                part.setVisible(there)
            button.setVisible(there and ways[index].usable)
            if there:
                words.setText(ways[index].words)
                bar.set_value(ways[index].z, least)
        self._said.setText(f"Dashed: {least:g} times the noise, from there on the mask is found.")

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self._palette = palette
        for bar in self._bars:
            bar.set_palette(palette)

    def _add(self, index: int) -> None:
        words, bar, button = QLabel(), Bar(), QPushButton("Use this one")
        words.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        words.setProperty("role", "small")
        bar.set_palette(self._palette)
        button.setObjectName(f"way_use_{index}")
        button.setToolTip("Turn the mask this way round and run the calibration again")
        button.setProperty("role", "primary")
        button.clicked.connect(lambda: self.used.emit(index))
        for column, part in enumerate((words, bar, button)):
            self._grid.addWidget(part, index, column)
        self._words.append(words)
        self._bars.append(bar)
        self.buttons.append(button)
