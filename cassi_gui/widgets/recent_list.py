"""Files opened lately, to be opened again with one click or Enter."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QFrame, QLabel, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from cassi_gui.style.theme import MARGIN, SPACE


class RecentList(QFrame):
    """A card with a list; emits `chosen` with the index of an entry."""

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("recent")
        self.setProperty("role", "card")
        title = QLabel("Opened lately")
        title.setProperty("role", "heading")
        self.empty = QLabel("Measurements that you open are listed here, with their mask and settings.")
        self.empty.setProperty("role", "small")
        self.empty.setWordWrap(True)
        self.list = QListWidget()
        self.list.setObjectName("recent.list")
        self.list.setToolTip("Files opened lately; Enter or a double click opens them again")
        self.list.setAccessibleName("Files opened lately")
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.list.setMinimumHeight(24)
        self.list.itemClicked.connect(self._on_chosen)
        self.list.itemActivated.connect(self._on_chosen)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, SPACE, MARGIN, SPACE)
        layout.setSpacing(SPACE // 2)
        layout.addWidget(title)
        layout.addWidget(self.empty)
        layout.addWidget(self.list, 1)
        layout.addStretch(0)
        self.set_entries(())

    def set_entries(self, entries: Sequence[tuple[str, str]]) -> None:
        """Show (text, tip) pairs, newest first."""
        self.list.clear()
        for text, tip in entries:
            item = QListWidgetItem(text)
            item.setToolTip(tip)
            self.list.addItem(item)
        self.empty.setVisible(not entries)
        self.list.setVisible(bool(entries))

    @Slot(QListWidgetItem)
    def _on_chosen(self, item: QListWidgetItem) -> None:
        self.chosen.emit(self.list.row(item))
