"""What the lenses do besides placing the mask: a sentence a term, its number, and that it was taken into account."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QVBoxLayout, QWidget

from cassi_core.quality.optics_words import OpticsSentence
from cassi_gui.style.theme import HALF_SPACE, LIGHT, MARGIN, SPACE, Palette

TAKEN = "taken into account"


class OpticsCard(QWidget):
    """Terms beyond their errors, one below the other."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("optics_card")
        self._palette: Palette = LIGHT
        self._parts: list[QWidget] = []
        self._chips: list[QLabel] = []
        card = QFrame()
        card.setProperty("role", "card")
        heading = QLabel("What your optics do")
        heading.setProperty("role", "heading")
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(MARGIN)
        self._grid.setVerticalSpacing(HALF_SPACE)
        self._grid.setColumnStretch(0, 1)
        inside = QVBoxLayout(card)
        inside.setContentsMargins(MARGIN - 2, SPACE, MARGIN - 2, SPACE)
        inside.addWidget(heading)
        inside.addLayout(self._grid)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, SPACE, 0, 0)
        layout.addWidget(card)
        layout.addStretch(1)

    def set_sentences(self, sentences: Sequence[OpticsSentence]) -> None:
        """Show what was found."""
        for part in self._parts:
            self._grid.removeWidget(part)
            part.hide()
            part.deleteLater()
        self._parts, self._chips = [], []
        for index, sentence in enumerate(sentences):
            line = QFrame()
            line.setProperty("role", "line")
            words, number, chip = QLabel(sentence.words), QLabel(f"{sentence.number} ({sentence.name})"), QLabel(TAKEN)
            words.setWordWrap(True)
            number.setProperty("role", "small")
            self._grid.addWidget(line, 3 * index, 0, 1, 2)
            self._grid.addWidget(words, 3 * index + 1, 0)
            self._grid.addWidget(number, 3 * index + 2, 0)
            self._grid.addWidget(chip, 3 * index + 1, 1, 2, 1)
            self._parts += [line, words, number, chip]
            self._chips.append(chip)
            for part in (line, words, number, chip):
                part.show()
        self._paint()

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self._palette = palette
        self._paint()

    def _paint(self) -> None:
        p = self._palette
        for chip in self._chips:
            chip.setStyleSheet(
                f"color: {p.ok}; background: {p.ok_tint}; border: 1px solid {p.ok}; border-radius: 9px; padding: 1px 8px;"
            )
