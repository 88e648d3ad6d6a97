"""What to do after a verification: at most four buttons, one of them the primary one."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QWidget

from cassi_core.verification.result import VerificationState
from cassi_gui.style.icons import make_icon
from cassi_gui.style.theme import LIGHT, MARGIN, SPACE, Palette


class NextStepCard(QFrame):
    """Emits what is wanted: another mask file, another picture, a calibration, a note in the logbook."""

    mask_requested = Signal()
    picture_requested = Signal()
    calibration_requested = Signal()
    note_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("verify_decision")
        self.setProperty("role", "card")
        self._palette: Palette = LIGHT
        dots = "\N{HORIZONTAL ELLIPSIS}"
        self.choose_mask = self._button(
            "mask", f"Choose the mask {dots}", "mask", "Say where the mask of the calibration lies now"
        )
        self.another = self._button("another", f"Take another picture {dots}", "image", "Choose another picture of today")
        self.calibrate = self._button(
            "calibrate", "Calibrate from these values", "run", "Open Run with today's picture and the earlier values as start"
        )
        self.note = self._button(
            "note", "Note in logbook", "logbook", "Write the answer into the note of the entry (can be undone)"
        )
        self.choose_mask.clicked.connect(self.mask_requested)
        self.another.clicked.connect(self.picture_requested)
        self.calibrate.clicked.connect(self.calibration_requested)
        self.note.clicked.connect(self.note_requested)
        row = QHBoxLayout(self)
        row.setContentsMargins(MARGIN, SPACE, MARGIN, SPACE)
        row.setSpacing(SPACE)
        for button in self._buttons:
            row.addWidget(button)
        row.addStretch(1)

    @property
    def _buttons(self) -> tuple[QPushButton, ...]:
        return self.choose_mask, self.another, self.calibrate, self.note

    @staticmethod
    def _button(name: str, text: str, icon: str, tip: str) -> QPushButton:
        button = QPushButton(text)
        button.setObjectName(f"verify_{name}")
        button.setAccessibleName(text.rstrip(" \N{HORIZONTAL ELLIPSIS}"))
        button.setToolTip(tip)
        button.setProperty("icon_name", icon)
        return button

    def offer(self, state: VerificationState | None, *, mask_wanted: bool, has_entry: bool, noted: bool) -> None:
        """Show what helps after an answer (None: there is none, and only the mask may be wanted)."""
        answered = state is not None
        self.setVisible(answered or mask_wanted)
        self.choose_mask.setVisible(mask_wanted)
        self.another.setVisible(state == "cannot_tell")
        self.calibrate.setVisible(answered)
        self.calibrate.setText("Calibrate anyway" if state == "holds" else "Calibrate from these values")
        self.note.setVisible(answered and has_entry)
        self.note.setEnabled(not noted)
        roles = {
            self.choose_mask: "primary",
            self.another: "primary",
            self.calibrate: "primary" if state == "drifted" else "flat" if state == "holds" and has_entry else "",
            self.note: "primary" if state == "holds" else "",
        }
        for button, role in roles.items():
            button.setProperty("role", role)
            button.style().unpolish(button)
            button.style().polish(button)
        self.set_palette(self._palette)

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self._palette = palette
        for button in self._buttons:
            primary = button.property("role") == "primary"
            icon = make_icon(str(button.property("icon_name")), palette, palette.accent_text if primary else "")
            button.setIcon(icon)
