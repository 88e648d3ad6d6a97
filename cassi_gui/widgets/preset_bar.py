"""Choice of a preset: the built-in ones with a sentence each, and the user's own to save, rename and delete."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from cassi_gui.style.boxes import ChoiceBox
from cassi_gui.style.icons import make_icon
from cassi_gui.style.theme import HALF_SPACE, LIGHT, SPACE, Palette

SENTENCES = {
    "auto": "Recommended. Finds the mask and refines it, in seconds.",
    "reference": "Algorithm 2: grids, then gradient stages, in minutes.",
    "algorithm1": "Algorithm 1: beam search, including slope and alpha.",
}
BUTTONS = (
    ("save", "save", "Save as ...", "Save the present settings as a preset of your own"),
    ("rename", "rename", "Rename", "Rename the chosen preset of your own"),
    ("delete", "delete", "Delete", "Delete the chosen preset of your own"),
)


class PresetBar(QFrame):
    """Signals: `chosen` with a preset's name, `save_requested`, `rename_requested`, `delete_requested` (with the name)."""

    chosen = Signal(str)
    save_requested = Signal()
    rename_requested = Signal(str)
    delete_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("preset_bar")
        label = QLabel("Search")
        label.setProperty("role", "heading")
        self.setProperty("role", "card")
        self.box = ChoiceBox()
        self.box.setObjectName("preset_box")
        self.box.setAccessibleName("Preset")
        self.box.setToolTip("Which algorithm runs, with which settings")
        self.box.activated.connect(self._activated)
        label.setBuddy(self.box)
        self.chip = QLabel()
        self.chip.setObjectName("preset_chip")
        self.chip.setProperty("role", "chip")
        self.chip.setAccessibleName("Preset of the run")
        self.chip.hide()
        self.note = QLabel()
        self.note.setObjectName("preset_note")
        self.note.setProperty("role", "small")
        self.note.setWordWrap(True)
        self._sentence, self._locked = "", ""
        self._buttons: dict[str, QToolButton] = {}
        row = QHBoxLayout()
        row.setSpacing(HALF_SPACE)
        row.addWidget(label)
        row.addWidget(self.box, 1)
        row.addWidget(self.chip, 0, Qt.AlignmentFlag.AlignRight)
        for key, _, text, tip in BUTTONS:
            button = QToolButton()
            button.setText(text)
            button.setObjectName(f"preset_{key}")
            button.setAccessibleName(f"{text.removesuffix(' ...')} preset")
            button.setToolTip(tip)
            self._buttons[key] = button
            row.addWidget(button)
        self._buttons["save"].clicked.connect(self.save_requested)
        self._buttons["rename"].clicked.connect(self._rename)
        self._buttons["delete"].clicked.connect(self._delete)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE + HALF_SPACE, HALF_SPACE, SPACE, HALF_SPACE)
        layout.setSpacing(HALF_SPACE)
        layout.addLayout(row)
        layout.addWidget(self.note)
        self.set_palette(LIGHT)

    def set_presets(self, built_in: Sequence[str], own: Sequence[str], current: str, changed: bool) -> None:
        """List the presets; `changed` says that the settings differ from what the current one holds."""
        self.box.clear()
        self.box.addItems([*built_in, *own])
        if own:
            self.box.insertSeparator(len(built_in))
        index = self.box.findText(current)
        self.box.setCurrentIndex(max(0, index))
        is_own = current in own
        self._buttons["rename"].setEnabled(is_own)
        self._buttons["delete"].setEnabled(is_own)
        sentence = SENTENCES.get(current, "A preset of your own.")
        self._sentence = f"{sentence} Settings were changed since." if changed else sentence
        if not self._locked:
            self.chip.setText(current)
        self._show_note()

    def set_locked(self, reason: str) -> None:
        """While a run goes on its preset is a word that cannot be changed, with the reason; empty: it can be chosen again."""
        if reason and not self._locked:
            self.chip.setText(self.box.currentText())
        self._locked = reason
        self.box.setVisible(not reason)
        self.chip.setVisible(bool(reason))
        for button in self._buttons.values():
            button.setVisible(not reason)
        self._show_note()

    def _show_note(self) -> None:
        self.note.setText(self._locked or self._sentence)

    def set_palette(self, palette: Palette) -> None:
        """Draw the icons in the colours of a palette."""
        for key, icon, _, _ in BUTTONS:
            self._buttons[key].setIcon(make_icon(icon, palette))

    @Slot(int)
    def _activated(self, index: int) -> None:
        self.chosen.emit(self.box.itemText(index))

    @Slot()
    def _rename(self) -> None:
        self.rename_requested.emit(self.box.currentText())

    @Slot()
    def _delete(self) -> None:
        self.delete_requested.emit(self.box.currentText())
