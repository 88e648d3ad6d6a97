"""Fields that open in the cells of a table, named after their column."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QAbstractItemView, QLineEdit, QStyledItemDelegate, QWidget


class CellEditor(QStyledItemDelegate):
    """Makes a line of text for a cell of the table that it belongs to."""

    def __init__(self, table: QAbstractItemView) -> None:
        super().__init__(table)
        self._table = table

    def createEditor(self, parent: QWidget, option: Any, index: QModelIndex | QPersistentModelIndex) -> QWidget:
        line = QLineEdit(parent)
        # The room around the text in other fields is more than a row has.
        line.setStyleSheet("padding: 0 2px; min-height: 0;")
        title = str(index.model().headerData(index.column(), Qt.Orientation.Horizontal))
        line.setObjectName(f"{self._table.objectName()}.{title.lower()}")
        line.setAccessibleName(title)
        line.setToolTip(f"{title}: Enter keeps what is typed, Esc leaves it as it was")
        return line
