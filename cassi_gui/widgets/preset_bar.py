"""Choice of a preset: the built-in ones with a sentence each, and the user's own to save, rename and delete."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from cassi_gui.style.boxes import ChoiceBox
from cassi_gui.style.icons import make_icon
from cassi_gui.style.theme import HALF_SPACE, LIGHT, SPACE, Palette

SENTENCES = {
    "auto": "Recommended. Finds the mask from any reasonable start and refines it, in seconds.",
    "reference": "Algorithm 2: grid search, then gradient stages. Minutes on a laptop.",
    "algorithm1": "Algorithm 1: beam search without gradients, including slope and alpha.",
}
BUTTONS = (
    ("save", "save", "Save as ...", "Save the present settings as a preset of your own"),
    ("rename", "rename", "Rename", "Rename the chosen preset of your own"),
    ("delete", "delete", "Delete", "Delete the chosen preset of your own"),
)


class PresetBar(QWidget):
    """Signals: `chosen` with a preset's name, `save_requested`, `rename_requested`, `delete_requested` (with the name)."""

    chosen = Signal(str)
    save_requested = Signal()
    rename_requested = Signal(str)
    delete_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("preset_bar")
        label = QLabel("Preset")
        self.box = ChoiceBox()
        self.box.setObjectName("preset_box")
        self.box.setAccessibleName("Preset")
        self.box.setToolTip("Which algorithm runs, with which settings")
        self.box.activated.connect(self._activated)
        label.setBuddy(self.box)
        self.note = QLabel()
        self.note.setObjectName("preset_note")
        self.note.setProperty("role", "small")
        self.note.setWordWrap(True)
        self._buttons: dict[str, QToolButton] = {}
        row = QHBoxLayout()
        row.setSpacing(HALF_SPACE)
        row.addWidget(label)
        row.addWidget(self.box, 1)
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
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE // 2)
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
        self.note.setText(f"{sentence} Settings were changed since." if changed else sentence)

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
