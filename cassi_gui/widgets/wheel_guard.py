"""The wheel over a field that has not the focus scrolls the page: nobody means to edit what the cursor happens to pass."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QAbstractSpinBox, QComboBox, QWidget


class WheelGuard(QObject):
    """Event filter of spin boxes and combo boxes."""

    def guard(self, root: QWidget) -> None:
        """Guard a box, or every box inside a widget."""
        for kind in (QAbstractSpinBox, QComboBox):
            for box in (root, *root.findChildren(kind)):
                if isinstance(box, kind):
                    box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # not by the wheel
                    box.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Wheel and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()
            return True
        return super().eventFilter(watched, event)
