"""Files dropped on a window: which files, and that they reach the window wherever in it they are let go."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QLineEdit, QWidget


def dropped_paths(event: QDragEnterEvent | QDropEvent) -> tuple[str, ...]:
    """Local files of a drag."""
    return tuple(u.toLocalFile() for u in event.mimeData().urls() if u.isLocalFile())


class FilesPassFields(QObject):
    """Fields for text let dragged files pass to what lies behind them; dragged text they take as always.

    Many file managers send the paths as text, too, and a field would take that.
    """

    def watch(self, root: QWidget) -> None:
        """Watch the fields of a page."""
        for field in root.findChildren(QLineEdit):
            if field.acceptDrops():
                field.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.DragEnter and isinstance(event, QDragEnterEvent) and dropped_paths(event):
            event.ignore()
            return True
        return False
