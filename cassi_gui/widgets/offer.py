"""Something that a person can do about a check, as a button with what is asked and what is known now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from cassi_core.quality.check_words import Action
from cassi_gui.style.icons import make_icon
from cassi_gui.style.theme import HALF_SPACE, LIGHT, MARGIN, SPACE, Palette

BUTTON_PX = 198


@dataclass(frozen=True)
class Offer:
    """One thing to do: the `action`, the `question` behind it, what is `known` now, the words and the icon of its button, and a tip."""

    action: Action
    question: str
    known: str
    button: str
    icon: str
    tip: str


def offer_button(offer: Offer, where: str, do: Callable[[str], None], *, primary: bool) -> QPushButton:
    """The button of an offer; `where` tells it from the same offer elsewhere on the page."""
    button = QPushButton(offer.button)
    button.setObjectName(f"{where}_{offer.action}")
    button.setToolTip(offer.tip)
    button.setAccessibleName(f"{offer.question} {offer.button}")
    button.setAutoDefault(True)
    if primary:
        button.setProperty("role", "primary")
    button.clicked.connect(lambda: do(offer.action))
    return button


def paint_offer(button: QPushButton, offer: Offer, palette: Palette) -> None:
    """Draw the icon of an offer's button in the colours of a palette."""
    primary = button.property("role") == "primary"
    button.setIcon(make_icon(offer.icon, palette, palette.accent_text if primary else ""))


class TodoCard(QFrame):
    """`What to do, likeliest first`: a line for each offer; emits `chosen` with the action."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("todo_card")
        self.setProperty("role", "card")
        self.setAccessibleName("What to do")
        self._palette: Palette = LIGHT
        self._narrow = False
        self._heading = QLabel()
        self._heading.setProperty("role", "heading")
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(SPACE)
        self._grid.setVerticalSpacing(HALF_SPACE)
        self._grid.setColumnStretch(0, 1)
        self._parts: list[QWidget] = []
        self._buttons: list[tuple[QPushButton, Offer]] = []
        self.progress = QProgressBar()
        self.progress.setObjectName("todo_progress")
        self.progress.setAccessibleName("Progress of what was begun")
        self.progress.hide()
        self._layout = layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN - 2, SPACE, MARGIN - 2, SPACE)
        layout.setSpacing(6)
        layout.addWidget(self._heading)
        layout.addLayout(self._grid)
        layout.addWidget(self.progress)
        self.set_offers(())

    def set_offers(self, offers: Sequence[Offer]) -> None:
        """Show the offers, the first one as the strongest; none hide the card."""
        for part in self._parts:
            self._grid.removeWidget(part)
            part.hide()
            part.deleteLater()
        self._parts.clear()
        self._buttons.clear()
        self.setVisible(bool(offers))
        self._heading.setText("What to do, likeliest first" if len(offers) > 1 else "What to do")
        for index, offer in enumerate(offers):
            line = QFrame()
            line.setProperty("role", "line")
            words = QLabel(f"<b>{offer.question}</b>")
            words.setWordWrap(True)
            known = QLabel(offer.known)
            known.setProperty("role", "small")
            known.setWordWrap(True)
            button = offer_button(offer, "todo", self.chosen.emit, primary=index == 0)
            button.setMinimumWidth(0 if self._narrow else BUTTON_PX)
            row = 3 * index
            self._grid.addWidget(line, row, 0, 1, 2)
            self._grid.addWidget(words, row + 1, 0)
            self._grid.addWidget(known, row + 2, 0)
            self._grid.addWidget(button, row + 1, 1, 2, 1, Qt.AlignmentFlag.AlignVCenter)
            self._parts += [line, words, known, button]
            self._buttons.append((button, offer))
        self._paint()

    def set_narrow(self, narrow: bool) -> None:
        """Less air round the buttons."""
        self._narrow = narrow
        side = SPACE if narrow else MARGIN - 2
        self._layout.setContentsMargins(side, SPACE, side, SPACE)
        for button in self.buttons:
            button.setMinimumWidth(0 if narrow else BUTTON_PX)

    def show_progress(self, done: int, count: int) -> None:
        """How far something goes that was begun here; as many done as there are end it."""
        self.progress.setVisible(done < count)
        self.progress.setMaximum(count)
        self.progress.setValue(done)
        self.progress.setFormat(f"{done} of {count} tried")
        for button, _ in self._buttons:
            button.setEnabled(done >= count)

    @property
    def buttons(self) -> tuple[QPushButton, ...]:
        """The buttons, likeliest help first."""
        return tuple(button for button, _ in self._buttons)

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self._palette = palette
        self._paint()

    def _paint(self) -> None:
        for button, offer in self._buttons:
            paint_offer(button, offer, self._palette)
