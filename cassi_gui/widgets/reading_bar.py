"""How far large files have been read, with a button to stop, and one to read them again after that."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QWidget

from cassi_gui.style.theme import SPACE


class ReadingBar(QWidget):
    """Hidden unless something takes long or was cancelled."""

    cancel_requested = Signal()
    again_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("reading_bar")
        self.text = QLabel()
        self.text.setProperty("role", "small")
        self.bar = QProgressBar()
        self.bar.setObjectName("reading.progress")
        self.bar.setAccessibleName("Read so far")
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self.cancel = QPushButton("Cancel")
        self.cancel.setObjectName("reading.cancel")
        self.cancel.setToolTip("Stop reading the files; nothing is changed in them")
        self.cancel.clicked.connect(self.cancel_requested)
        self.again = QPushButton("Read again")
        self.again.setObjectName("reading.again")
        self.again.setToolTip("Read the chosen files from the beginning")
        self.again.clicked.connect(self.again_requested)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE)
        layout.addWidget(self.text)
        layout.addWidget(self.bar, 1)
        layout.addWidget(self.cancel)
        layout.addWidget(self.again)
        self.rest()

    def show_progress(self, text: str, fraction: float) -> None:
        """Something is being read: its name and the fraction (0..1) that is done."""
        self.text.setText(f"{text}, {100 * fraction:.0f} %")
        self.bar.setValue(round(1000 * fraction))
        self._show(reading=True)

    def show_stopped(self) -> None:
        """Reading was cancelled and can be taken up again."""
        self.text.clear()
        self._show(reading=False)

    def rest(self) -> None:
        """Nothing is being read."""
        self.hide()

    def _show(self, *, reading: bool) -> None:
        for widget in (self.text, self.bar, self.cancel):
            widget.setVisible(reading)
        self.again.setVisible(not reading)
        self.show()
