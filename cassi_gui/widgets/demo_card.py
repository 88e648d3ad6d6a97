"""The demo offered at the right of the Load page: a card for who is new, one line for everybody else."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from cassi_gui.style.icons import make_icon, make_pixmap
from cassi_gui.style.theme import SPACE, Palette


class DemoCard(QFrame):
    """Emits `demo_requested` and `tour_requested`."""

    demo_requested = Signal()
    tour_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("demo_card")
        self.setProperty("role", "card")
        self._icon = QLabel()
        self.title = QLabel("New here?")
        self.title.setProperty("role", "heading")
        self.text = QLabel("A simulated imager with a mask that is known to sit 1.4 px off. The whole way takes a minute.")
        self.text.setWordWrap(True)
        self.demo = QPushButton("Open demo")
        self.demo.setObjectName("load.file.demo")
        self.demo.setAccessibleName("Open demo")
        self.demo.setToolTip("Load the demo rig that comes with the program (Ctrl+D)")
        self.demo.clicked.connect(self.demo_requested)
        self.tour = QPushButton("Five-step tour")
        self.tour.setObjectName("load.tour")
        self.tour.setAccessibleName("Five-step tour")
        self.tour.setToolTip("What the five steps are for, in a minute")
        self.tour.setProperty("role", "link")
        self.tour.clicked.connect(self.tour_requested)
        self._head, self._low = QHBoxLayout(), QHBoxLayout()
        self._head.addWidget(self._icon)
        self._head.addWidget(self.title)
        self._head.addStretch(1)
        self._low.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, SPACE, 14, SPACE)
        layout.setSpacing(SPACE)
        layout.addLayout(self._head)
        layout.addWidget(self.text)
        layout.addLayout(self._low)
        self.set_short(False)

    def set_short(self, short: bool) -> None:
        """One line, for who knows the program; else the whole card."""
        self.text.setVisible(not short)
        self.title.setVisible(not short)
        if short:
            self._head.insertWidget(1, self.tour)
            self._head.addWidget(self.demo)
        else:
            self._low.insertWidget(0, self.demo)
            self._low.insertWidget(1, self.tour)
        self.setProperty("state", "" if short else "inviting")
        self.style().unpolish(self)
        self.style().polish(self)

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self._icon.setPixmap(make_pixmap("demo", palette, 20, palette.accent))
        self.demo.setIcon(make_icon("demo", palette))
