"""The places of the window: calibrate, verify, look into the logbook; with undo, redo and help at the right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QToolButton, QWidget

from cassi_gui.style.icons import make_icon
from cassi_gui.style.theme import HALF_SPACE, MARGIN, SPACE, Palette

HEIGHT = 40


@dataclass(frozen=True)
class Place:
    """One place: identifier, title, icon, shortcut, and what is done there."""

    id: str
    title: str
    icon: str
    shortcut: str
    tip: str


class PlaceBar(QFrame):
    """Row of places; emits `place_chosen(id)`."""

    place_chosen = Signal(str)

    def __init__(
        self, places: Sequence[Place], actions: Sequence[QAction], palette: Palette, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("place_bar")
        self.setProperty("role", "bar")
        self.setAccessibleName("Places")
        self.setFixedHeight(HEIGHT)
        self._places = {place.id: place for place in places}
        self._buttons: dict[str, QToolButton] = {}
        self._group = QButtonGroup(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(SPACE + HALF_SPACE, HALF_SPACE, MARGIN, HALF_SPACE)
        layout.setSpacing(HALF_SPACE)
        for place in places:
            layout.addWidget(self._button(place))
        layout.addStretch(1)
        for action in actions:
            button = QToolButton()
            button.setObjectName(f"place_bar.{action.objectName()}")
            button.setProperty("role", "flat")
            button.setDefaultAction(action)
            button.setAccessibleName(action.text())
            button.setIconSize(QSize(16, 16))
            layout.addWidget(button)
        self.set_palette(palette)

    def _button(self, place: Place) -> QToolButton:
        button = QToolButton()
        button.setObjectName(f"place.{place.id}")
        button.setProperty("role", "place")
        button.setText(place.title)
        button.setAccessibleName(place.title)
        button.setToolTip(f"{place.tip} ({place.shortcut})")
        button.setCheckable(True)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setIconSize(QSize(16, 16))
        button.setCursor(Qt.CursorShape.PointingHandCursor)
        button.clicked.connect(self._on_clicked)
        self._group.addButton(button)
        self._buttons[place.id] = button
        return button

    def __getitem__(self, place_id: str) -> QToolButton:
        return self._buttons[place_id]

    def set_current(self, place_id: str) -> None:
        """Mark the place that is shown."""
        self._buttons[place_id].setChecked(True)

    def set_palette(self, palette: Palette) -> None:
        """Draw the icons in the colours of a palette."""
        for place_id, button in self._buttons.items():
            button.setIcon(make_icon(self._places[place_id].icon, palette))

    @Slot()
    def _on_clicked(self) -> None:
        button = self.sender()
        for place_id, candidate in self._buttons.items():
            if candidate is button:
                self.place_chosen.emit(place_id)
