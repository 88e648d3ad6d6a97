"""A card for one thing that was given (a calibration, a picture): what it is called, facts, and a button to choose another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QPushButton, QVBoxLayout, QWidget

from cassi_gui.style.elided import ElidedLabel
from cassi_gui.style.icons import make_icon, make_pixmap
from cassi_gui.style.theme import HALF_SPACE, LIGHT, SPACE, Palette
from cassi_gui.widgets.drops import dropped_paths
from cassi_gui.widgets.file_slot import gray_pixmap

PICTURE_PX = 48


class GivenCard(QFrame):
    """Emits `change_requested`, and `paths_given` with files that are dropped on it. A menu on the button offers several ways to choose."""

    change_requested = Signal()
    paths_given = Signal(object)

    def __init__(self, name: str, caption: str, icon: str, hint: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setProperty("role", "card")
        self.setAccessibleName(caption)
        self.setAcceptDrops(True)
        self._palette: Palette = LIGHT
        self._icon, self._hint = icon, hint
        self._levels: NDArray[np.uint8] | None = None
        self._given = False
        self.picture = QLabel()
        self.picture.setFixedSize(PICTURE_PX, PICTURE_PX)
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._caption = QLabel(caption)
        self._caption.setProperty("role", "small")
        self._title = ElidedLabel()
        self._title.setObjectName(f"{name}_title")
        self._title.setStyleSheet("font-weight: 600;")
        self._detail = ElidedLabel()
        self._detail.setObjectName(f"{name}_detail")
        self._detail.setProperty("role", "small")
        self.button = QPushButton()
        self.button.setObjectName(f"{name}_change")
        self.button.clicked.connect(self.change_requested)
        words = QVBoxLayout()
        words.setSpacing(0)
        for label in (self._caption, self._title, self._detail):
            words.addWidget(label)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE + HALF_SPACE, HALF_SPACE, SPACE + HALF_SPACE, HALF_SPACE)
        row.setSpacing(SPACE + HALF_SPACE)
        row.addWidget(self.picture)
        row.addLayout(words, 1)
        row.addWidget(self.button, 0, Qt.AlignmentFlag.AlignVCenter)
        self.clear()

    def clear(self) -> None:
        """Nothing was given yet: a hint says what belongs here."""
        self._show("Not chosen yet", self._hint, None)

    def show_given(self, title: str, detail: str, levels: NDArray[np.uint8] | None = None) -> None:
        """What was given; `levels` is an 8-bit thumbnail (None: the icon)."""
        self._show(title, detail, levels)

    def _show(self, title: str, detail: str, levels: NDArray[np.uint8] | None) -> None:
        self._given = title != "Not chosen yet"
        self._levels = levels
        self._title.set_full_text(title)
        self._detail.set_full_text(detail)
        word = "Change" if self._given else "Choose"
        self.button.setText(f"{word} \N{HORIZONTAL ELLIPSIS}")
        self.button.setAccessibleName(f"{word} {self._caption.text().lower()}")
        self.button.setToolTip(f"{word} {self._caption.text().lower()}")
        self._paint()

    def set_menu(self, menu: QMenu) -> None:
        """Let the button open a menu."""
        self.button.setMenu(menu)

    @property
    def title(self) -> str:
        return self._title.full_text

    @property
    def detail(self) -> str:
        return self._detail.full_text

    def set_next(self, is_next: bool) -> None:
        """Mark the card as what is wanted next: its button is the primary one."""
        self.button.setProperty("role", "primary" if is_next else "")
        self.button.style().unpolish(self.button)
        self.button.style().polish(self.button)
        self._paint()

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self._palette = palette
        self._paint()

    def _paint(self) -> None:
        p = self._palette
        primary = self.button.property("role") == "primary"
        self.button.setIcon(make_icon("folder", p, p.accent_text if primary else ""))
        if self._levels is None:
            self.picture.setPixmap(make_pixmap(self._icon, p, 28, p.accent if self._given else p.muted))
        else:
            self.picture.setPixmap(gray_pixmap(self._levels, PICTURE_PX))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_paths(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = dropped_paths(event)
        if paths:
            event.acceptProposedAction()
            self.paths_given.emit(paths)
