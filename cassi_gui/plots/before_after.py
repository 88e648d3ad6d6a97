"""One picture, several states of it, flipped in place: the eye sees what moves better than what stands side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QWidget

from cassi_gui.plots.image_panel import ImagePanel
from cassi_gui.style.theme import HALF_SPACE

BLINK_MS = 700


@dataclass(frozen=True, eq=False)
class Side:
    """A state of the picture: its word (Before, After, Measured, ...) and its pixels."""

    word: str
    array: NDArray[np.generic]


class BeforeAfterPanel(ImagePanel):
    """A picture panel with a button for each side; `flip` goes between the first two, on the same scale and zoom."""

    side_changed = Signal(int)

    def __init__(self, name: str = "before_after", title: str = "Before and after", parent: QWidget | None = None) -> None:
        super().__init__(name, title, parent)
        self._sides: tuple[Side, ...] = ()
        self._side = 1
        self._subject = title
        self._shared: tuple[float, float] | None = None
        self._value_unit, self._value_colours = "", "grey"
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        self._group.idClicked.connect(self.show_side)
        self._buttons: list[QPushButton] = []
        self.blink_button = QPushButton("Blink")
        self.blink_button.setCheckable(True)
        self.blink_button.setObjectName(f"{name}_blink")
        self.blink_button.setToolTip("Flip between before and after by itself; B flips once")
        self.blink_button.toggled.connect(self._blink)
        self._timer = QTimer(self)
        self._timer.setInterval(BLINK_MS)
        self._timer.timeout.connect(self.flip)
        self._row = QHBoxLayout()
        self._row.setSpacing(HALF_SPACE)
        self._row.addStretch(1)
        self._row.addWidget(self.blink_button)
        self.below.addLayout(self._row)

    def set_sides(
        self,
        subject: str,
        sides: Sequence[Side],
        *,
        unit: str = "",
        colours: str = "grey",
        levels: tuple[float, float] | None = None,
        empty: str = "No picture",
    ) -> None:
        """Show several states of one subject with the same contrast limits (of the first side unless given)."""
        self._subject, self._sides = subject, tuple(sides)
        self._value_unit, self._value_colours = unit, colours
        words = [s.word for s in self._sides]
        if words != [b.text() for b in self._buttons]:
            self._make_buttons(words)
        if self._sides:
            self._side = min(self._side, len(self._sides) - 1)
        self.blink_button.setEnabled(len(self._sides) > 1)
        if not self._sides:
            self.blink_button.setChecked(False)
            self._shared = None
            self.set_image(None, empty=empty)
            self.set_title(self._subject)
            return
        self._shared = levels
        if self._shared is None:
            first = self._sides[0].array
            self.set_image(first, unit=unit, colours=colours)
            self._shared = self.levels
        self.show_side(self._side)

    @property
    def side(self) -> str:
        """The word of the side on show."""
        return self._sides[self._side].word if self._side < len(self._sides) else ""

    @Slot(int)
    def show_side(self, index: int) -> None:
        """Show a side by its index."""
        if not 0 <= index < len(self._sides):
            return
        self._side = index
        side = self._sides[index]
        levels = self._shared if side.array.ndim == 2 else None
        self.set_image(side.array, unit=self._value_unit, colours=self._value_colours, levels=levels)
        self.set_title(f"{self._subject}: {side.word.lower()}")
        self._buttons[index].setChecked(True)
        self.side_changed.emit(index)

    @Slot()
    def flip(self) -> None:
        """Go from before to after, or back."""
        if len(self._sides) > 1:
            self.show_side(0 if self._side == 1 else 1)

    def _make_buttons(self, words: Sequence[str]) -> None:
        for button in self._buttons:
            self._group.removeButton(button)
            self._row.removeWidget(button)
            button.hide()
            button.deleteLater()
        self._buttons = []
        for index, word in enumerate(words):
            button = QPushButton(word)
            button.setCheckable(True)
            button.setObjectName(f"{self.objectName()}_side_{index}")
            button.setToolTip(f"Show: {word.lower()} (B flips between the first two)")
            self._group.addButton(button, index)
            self._row.insertWidget(index, button)
            self._buttons.append(button)

    @Slot(bool)
    def _blink(self, on: bool) -> None:
        if on:
            self._timer.start()
        else:
            self._timer.stop()

    def hideEvent(self, event: QHideEvent) -> None:
        # A picture that nobody sees must not keep the processor busy.
        self.blink_button.setChecked(False)
        super().hideEvent(event)
