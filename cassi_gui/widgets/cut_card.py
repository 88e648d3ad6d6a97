"""A run that was cut off when the program died: go on with what was kept, or forget it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

from cassi_gui.style.icons import make_pixmap
from cassi_gui.style.theme import MARGIN, SPACE, Palette


class CutCard(QFrame):
    """Emits `go_on_requested` and `forget_requested`."""

    go_on_requested = Signal()
    forget_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("cut_run")
        self.setProperty("role", "card")
        self.setProperty("state", "inviting")
        self._icon = QLabel()
        self.text = QLabel()
        self.text.setObjectName("cut_run.text")
        self.text.setWordWrap(True)
        self.go_on = QPushButton("Go on")
        self.forget = QPushButton("Forget")
        for button, name, tip in (
            (self.go_on, "go_on", "Bring its inputs, settings and runs back, and start from its last values"),
            (self.forget, "forget", "Delete what was kept of it for good"),
        ):
            button.setObjectName(f"cut_run.{name}")
            button.setAccessibleName(f"{button.text()} (run that was cut off)")
            button.setToolTip(tip)
        self.go_on.clicked.connect(self.go_on_requested)
        self.forget.clicked.connect(self.forget_requested)
        row = QHBoxLayout(self)
        row.setContentsMargins(MARGIN, SPACE, MARGIN, SPACE)
        row.setSpacing(SPACE)
        row.addWidget(self._icon)
        row.addWidget(self.text, 1)
        row.addWidget(self.go_on)
        row.addWidget(self.forget)
        self.hide()

    def show_cut(self, when: str) -> None:
        """Say when the run was cut off; an empty text hides the card."""
        self.text.setText(f"Your last run was cut off at {when}. Its inputs and last values are kept.")
        self.setVisible(bool(when))

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self._icon.setPixmap(make_pixmap("info", palette, 18, palette.accent))
