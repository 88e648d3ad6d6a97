"""Boxes for numbers, days and choices that the wheel changes only while they have the focus; else it scrolls the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen, QWheelEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDateEdit,
    QDoubleSpinBox,
    QSpinBox,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QWidget,
)

if TYPE_CHECKING:
    _Base = QWidget
else:
    _Base = object

DECIMALS = 8
CORNER_PX = 4


class _WheelWithFocus(_Base):
    """Comes before the kind of box in the list of bases."""

    def _leave_wheel_to_page(self) -> None:
        # The policy that boxes have by themselves gives them the focus as soon as the wheel turns over them.
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class ChoiceBox(_WheelWithFocus, QComboBox):
    """A box to choose one of several texts, drawn flat: Fusion's gradient looks like a lamp on a dark window."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._leave_wheel_to_page()

    def paintEvent(self, event: QPaintEvent) -> None:
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        colours, role = self.palette(), QPalette.ColorRole
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        edge = role.Highlight if self.hasFocus() and self.isEnabled() else role.Mid
        painter.setPen(QPen(colours.color(edge), 1.0))
        painter.setBrush(colours.color(role.Button if self.isEnabled() else role.Window))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), CORNER_PX, CORNER_PX)
        middle = QPointF(self.width() - 12.0, self.height() / 2)
        painter.setPen(QPen(colours.color(role.ButtonText), 1.4))
        painter.drawPolyline([middle + QPointF(-4, -2), middle + QPointF(0, 2), middle + QPointF(4, -2)])
        painter.end()
        option.subControls = QStyle.SubControl.SC_None
        QStylePainter(self).drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)


class CountBox(_WheelWithFocus, QSpinBox):
    """A box for whole numbers."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setKeyboardTracking(False)
        self._leave_wheel_to_page()


class DecimalBox(_WheelWithFocus, QDoubleSpinBox):
    """A box for numbers with a fixed count of digits after the point."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setKeyboardTracking(False)
        self._leave_wheel_to_page()


class NumberBox(DecimalBox):
    """A box for real numbers that writes them as short as they are."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setDecimals(DECIMALS)
        self.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)

    def textFromValue(self, value: float) -> str:
        return f"{value:.10g}"


class DayBox(_WheelWithFocus, QDateEdit):
    """A box for a day, with a calendar."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setCalendarPopup(True)
        self.setDisplayFormat("yyyy-MM-dd")
        self._leave_wheel_to_page()
