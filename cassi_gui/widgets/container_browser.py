"""Choosing one of several arrays of a file: name, shape, type, and a preview of the marked one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from cassi_gui.style.theme import MARGIN, SPACE
from cassi_gui.widgets.file_slot import gray_pixmap
from cassi_gui.widgets.naming import name_controls

PREVIEW_PX = 240
HEADER = ("Name", "Shape", "Type")


Reply = Callable[[str, Any, str], None]


class ContainerBrowser(QDialog):
    """Lists arrays (objects with key, shape, dtype, usable, problem).

    `request(key, reply)` is called for the marked array and answers later with `reply(key, 8-bit array or None, line of text)`.
    """

    def __init__(
        self,
        path: str,
        arrays: Sequence[Any],
        request: Callable[[str, Reply], None],
        purpose: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("container_browser")
        self.setWindowTitle("Choose an array")
        self.resize(760, 420)
        self._arrays, self._request = tuple(arrays), request
        title = QLabel(f"{Path(path).name} holds several arrays. Which one is the {purpose or 'picture'}?")
        title.setToolTip(path)
        title.setWordWrap(True)
        self.table = QTableWidget(len(self._arrays), len(HEADER))
        self.table.setObjectName("container_table")
        self.table.setAccessibleName("Arrays of the file")
        self.table.setToolTip("Mark an array to see it; Enter or a double click takes it")
        self.table.setHorizontalHeaderLabels(list(HEADER))
        self.table.verticalHeader().hide()
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QTableWidget.SelectionMode.SingleSelection)
        self.table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for row, array in enumerate(self._arrays):
            self._fill(row, array)
        self.picture = QLabel("Mark an array to see it")
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.picture.setFixedSize(PREVIEW_PX, PREVIEW_PX)
        self.picture.setAccessibleName("Preview of the marked array")
        self.facts = QLabel()
        self.facts.setObjectName("container_facts")
        self.facts.setProperty("role", "small")
        self.facts.setWordWrap(True)
        self.facts.setFixedWidth(PREVIEW_PX)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self._lay_out(title)
        name_controls(self)
        self.table.itemSelectionChanged.connect(self._on_marked)
        self.table.cellDoubleClicked.connect(self.accept)
        first = next((i for i, a in enumerate(self._arrays) if a.usable and len(a.shape) >= 2), None)
        self._enable_ok(False)
        if first is not None:
            self.table.selectRow(first)

    def _lay_out(self, title: QLabel) -> None:
        right = QVBoxLayout()
        right.addWidget(self.picture)
        right.addWidget(self.facts)
        right.addStretch(1)
        body = QHBoxLayout()
        body.setSpacing(MARGIN)
        body.addWidget(self.table, 1)
        body.addLayout(right)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        layout.setSpacing(SPACE)
        layout.addWidget(title)
        layout.addLayout(body, 1)
        layout.addWidget(self.buttons)

    def key(self) -> str | None:
        """Key of the marked array, or None."""
        row = self.table.currentRow()
        return self._arrays[row].key if 0 <= row < len(self._arrays) else None

    def _fill(self, row: int, array: Any) -> None:
        texts = (
            array.key or "(nameless)",
            " × ".join(str(n) for n in array.shape) or "a single value",
            array.problem or array.dtype,
        )
        for column, text in enumerate(texts):
            item = QTableWidgetItem(text)
            if not array.usable:
                item.setFlags(Qt.ItemFlag.NoItemFlags)
                item.setToolTip(f"Cannot be used: it holds {array.problem}")
            self.table.setItem(row, column, item)

    def _enable_ok(self, enabled: bool) -> None:
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(enabled)

    @Slot()
    def _on_marked(self) -> None:
        key = self.key()
        self._enable_ok(key is not None)
        if key is None:
            return
        self.picture.setText("Reading …")
        self.facts.clear()
        self._request(key, self.set_preview)

    def set_preview(self, key: str, levels: Any, text: str) -> None:
        """Show the answer for an array unless another one was marked meanwhile."""
        if key != self.key():
            return
        self.facts.setText(text)
        if levels is None:
            self.picture.setText("No preview")
        else:
            self.picture.setPixmap(gray_pixmap(levels, PREVIEW_PX))
