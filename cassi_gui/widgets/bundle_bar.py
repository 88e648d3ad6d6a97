"""Large buttons in a row, each for a bundle of files, with how many files and how large they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QSizePolicy, QWidget

from cassi_gui.style.icons import make_pixmap
from cassi_gui.style.theme import HALF_SPACE, LIGHT, SPACE, TYPE_SMALL_PT, Palette, font

HEIGHT = 52
ICON_PX = 18


@dataclass(frozen=True)
class BundleCard:
    """Identifier, title and icon of a bundle."""

    id: str
    title: str
    icon: str


class BundleButton(QAbstractButton):
    """One bundle: icon, title, a line of details; framed in the accent colour while exactly its files are chosen."""

    def __init__(self, card: BundleCard, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._card = card
        self._details = ""
        self._palette: Palette = LIGHT
        self.setObjectName(f"bundle.{card.id}")
        self.setText(card.title)
        self.setAccessibleName(card.title)
        self.setCheckable(True)
        self.setFixedHeight(HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    @property
    def details(self) -> str:
        """The line below the title."""
        return self._details

    def set_details(self, text: str) -> None:
        """Say how many files it has and how large they are."""
        self._details = text
        self.setToolTip(f"{self._card.title}: choose exactly these files ({text})")
        self.update()

    def set_palette(self, palette: Palette) -> None:
        self._palette = palette
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self.minimumSizeHint().width() + 4 * SPACE, HEIGHT)

    def minimumSizeHint(self) -> QSize:
        words = QFontMetrics(font(bold=True)).horizontalAdvance(self.text())
        return QSize(words + ICON_PX + 4 * SPACE, HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        p = self._palette
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        on = self.isChecked()
        strong = on or self.hasFocus() or self.underMouse()
        painter.setPen(QPen(QColor(p.accent if strong else p.border), 2 if on else 1))
        painter.setBrush(QColor(p.accent_tint if on else p.panel))
        painter.drawRoundedRect(self.rect().adjusted(1, 1, -1, -1), 6, 6)
        ink = p.text if self.isEnabled() else p.muted
        painter.drawPixmap(2 * HALF_SPACE + SPACE // 2, 8, make_pixmap(self._card.icon, p, ICON_PX, p.accent if on else ink))
        left = ICON_PX + 2 * SPACE + HALF_SPACE
        painter.setFont(font(bold=True))
        painter.setPen(QColor(ink))
        painter.drawText(QRect(left, 5, self.width() - left - SPACE, 22), int(Qt.AlignmentFlag.AlignVCenter), self.text())
        painter.setFont(font(TYPE_SMALL_PT))
        painter.setPen(QColor(p.muted))
        below = QRect(left, 27, self.width() - left - SPACE, 18)
        painter.drawText(below, int(Qt.AlignmentFlag.AlignVCenter), self._details)
        painter.end()


class BundleBar(QWidget):
    """Emits `chosen(id)` when a person presses a bundle."""

    chosen = Signal(str)

    def __init__(self, cards: Sequence[BundleCard], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("bundles")
        self.setAccessibleName("Bundles of files")
        self.buttons = {card.id: BundleButton(card, self) for card in cards}
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        for name, button in self.buttons.items():
            button.clicked.connect(partial(self._on_clicked, name))
            layout.addWidget(button, 1)

    def mark(self, bundle_id: str) -> None:
        """Frame the bundle whose files are chosen; an empty name frames none."""
        for name, button in self.buttons.items():
            button.setChecked(name == bundle_id)

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        for button in self.buttons.values():
            button.set_palette(palette)

    def _on_clicked(self, name: str, _checked: bool = False) -> None:
        self.mark(name)
        self.chosen.emit(name)
