"""First glance: how the calibration stands, in a headline and a sentence."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from cassi_core.quality.headline import Headline
from cassi_gui.style.icons import make_pixmap
from cassi_gui.style.theme import HALF_SPACE, LIGHT, MARGIN, SPACE, Palette

ICONS = {"pass": "ok", "warn": "warn", "fail": "bad", "not_finished": "finish"}
COLOURS = {"pass": "ok", "warn": "warn", "fail": "bad", "not_finished": "warn"}
ICON_PX = 28
NOTHING = "No run has finished yet. Run a calibration: what is found appears here."


class VerdictCard(QFrame):
    """Icon, headline and sentence on a card with a coloured edge."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("verdict_card")
        self.setProperty("role", "card")
        self._palette: Palette = LIGHT
        self._standing = ""
        self._icon = QLabel()
        self._icon.setObjectName("verdict_icon")
        self._title = QLabel()
        self._title.setObjectName("verdict_headline")
        self._title.setProperty("role", "title")
        self._title.setWordWrap(True)
        self._sentence = QLabel()
        self._sentence.setObjectName("verdict_sentence")
        self._sentence.setWordWrap(True)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._title)
        words.addWidget(self._sentence)
        row = QHBoxLayout(self)
        row.setContentsMargins(MARGIN, SPACE, MARGIN, SPACE)
        row.setSpacing(SPACE + HALF_SPACE)
        row.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addLayout(words, 1)
        self.set_headline(None)

    def set_headline(self, said: Headline | None) -> None:
        """Show how a calibration stands; None: there is none."""
        self._standing = "" if said is None else said.standing
        self._title.setText("No verdict yet" if said is None else said.title)
        self._sentence.setText(NOTHING if said is None else said.sentence)
        self._icon.setVisible(said is not None)
        self.setAccessibleName(f"Verdict: {self._title.text()}. {self._sentence.text()}")
        self._paint()

    @property
    def title(self) -> str:
        return self._title.text()

    @property
    def sentence(self) -> str:
        return self._sentence.text()

    @property
    def icon_name(self) -> str:
        """Name of the symbol on show."""
        return ICONS.get(self._standing, "")

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self._palette = palette
        self._paint()

    def _paint(self) -> None:
        p = self._palette
        colour = p.colour(COLOURS[self._standing]) if self._standing else p.border
        self.setStyleSheet(f"QFrame#verdict_card {{ border-left: 4px solid {colour}; }}")
        if self._standing:
            self._icon.setPixmap(make_pixmap(ICONS[self._standing], p, ICON_PX, colour))
