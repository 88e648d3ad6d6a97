"""A card that is one line until it is opened: what is optional stays out of the way, and says how much of it is in use."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from cassi_gui.style.icons import make_icon
from cassi_gui.style.theme import LIGHT, SPACE, Palette


class FoldCard(QFrame):
    """A heading that folds and unfolds the content below it; emits `unfolded` when it opens."""

    unfolded = Signal()

    def __init__(self, name: str, title: str, hint: str, content: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setProperty("role", "card")
        self._palette: Palette = LIGHT
        self.header = QToolButton()
        self.header.setObjectName(f"{name}.header")
        self.header.setText(title)
        self.header.setAccessibleName(title)
        self.header.setToolTip(f"{title}: {hint}")
        self.header.setProperty("role", "fold")
        self.header.setCheckable(True)
        self.header.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.header.toggled.connect(self._on_toggled)
        words = QLabel(hint)
        words.setProperty("role", "small")
        words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.chip = QLabel()
        self.chip.setObjectName(f"{name}.chip")
        self.chip.setProperty("role", "chip")
        self.content = content
        line = QHBoxLayout()
        line.setContentsMargins(SPACE, 5, SPACE, 5)
        line.setSpacing(SPACE)
        line.addWidget(self.header)
        line.addWidget(words, 1)
        line.addWidget(self.chip)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(line)
        layout.addWidget(content)
        content.hide()

    @property
    def open(self) -> bool:
        """True while the content is shown."""
        return self.header.isChecked()

    def set_open(self, wanted: bool) -> None:
        """Fold or unfold."""
        self.header.setChecked(wanted)

    def set_count(self, count: int) -> None:
        """How many of the things inside are given."""
        self.chip.setText(f"{count} given" if count else "none given")

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self._palette = palette
        self.header.setIcon(make_icon("down" if self.open else "next", palette))

    @Slot(bool)
    def _on_toggled(self, wanted: bool) -> None:
        self.content.setVisible(wanted)
        self.set_palette(self._palette)
        if wanted:
            self.unfolded.emit()
