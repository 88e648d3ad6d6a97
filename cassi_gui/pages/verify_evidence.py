"""The right side of Verify: the mask's edges with the earlier and with today's values, and the history of what moved most."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Slot
from PySide6.QtWidgets import QFrame, QPushButton, QVBoxLayout, QWidget

from cassi_core.logbook.drift import Trend
from cassi_core.verification.result import ParameterChange
from cassi_gui.plots.history import HistoryPanel
from cassi_gui.plots.loupe import LoupePanel
from cassi_gui.plots.pair import ViewMode
from cassi_gui.style.theme import HALF_SPACE, SPACE, Palette

if TYPE_CHECKING:
    from cassi_core.quality.loupe import Loupe

BLINK_MS = 250
"""Twice a second each: the eye sees what jumps."""


class VerifyEvidence(QWidget):
    """Two cards that appear when they have content; the loupe can blink."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.loupe = LoupePanel("verify_loupe")
        self.history = HistoryPanel()
        self.blink = QPushButton("Blink  B")
        self.blink.setObjectName("verify_blink")
        self.blink.setAccessibleName("Blink")
        self.blink.setToolTip("The earlier and today's values in turn, in one place (B)")
        self.blink.setCheckable(True)
        self.blink.toggled.connect(self._on_blink)
        self.loupe.header.insertWidget(self.loupe.header.count() - 1, self.blink)
        self._timer = QTimer(self)
        self._timer.setInterval(BLINK_MS)
        self._timer.timeout.connect(self.loupe.flip)
        self._loupe_card, self._history_card = self._card(self.loupe), self._card(self.history)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE)
        column.addWidget(self._loupe_card, 3)
        column.addWidget(self._history_card, 2)
        column.addStretch(0)
        self.clear()

    @staticmethod
    def _card(panel: QWidget) -> QFrame:
        frame = QFrame()
        frame.setProperty("role", "card")
        inside = QVBoxLayout(frame)
        inside.setContentsMargins(SPACE + HALF_SPACE, SPACE, SPACE + HALF_SPACE, SPACE)
        inside.addWidget(panel)
        return frame

    def clear(self) -> None:
        """There is nothing to show."""
        self.blink.setChecked(False)
        self._loupe_card.hide()
        self._history_card.hide()

    def await_loupe(self) -> None:
        """The mask's edges are on their way."""
        self._loupe_card.show()
        self.blink.hide()
        self.loupe.set_loupe(None, empty="The mask's edges appear here in a moment.")

    def show_loupe(self, loupe: Loupe, earlier: str) -> None:
        """The mask's edges with the values of `earlier` and with today's."""
        self.loupe.set_loupe(loupe, before=earlier, after="Today")
        self.blink.show()

    def show_no_loupe(self, why: str) -> None:
        """Why there are no edges to be seen."""
        self.loupe.set_loupe(None, empty=why)

    def show_history(self, trend: Trend | None, moved: ParameterChange | None, status: str) -> None:
        """The entries of a rig and today's value of what moved most; nothing where the rig is not in the logbook."""
        self._history_card.setVisible(trend is not None and moved is not None)
        if trend is not None and moved is not None:
            self.history.set_history(trend, moved.name, moved.new, moved.new_sigma, status)

    def set_narrow(self, narrow: bool) -> None:
        """The short words, where there is little room."""
        self.loupe.set_narrow(narrow)
        self.blink.setText("B" if narrow else "Blink  B")

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self.loupe.set_palette(palette)
        self.history.set_palette(palette)

    @Slot(bool)
    def _on_blink(self, on: bool) -> None:
        self.loupe.set_mode(ViewMode.BLINK if on else ViewMode.BOTH)
        if on:
            self._timer.start()
        else:
            self._timer.stop()
