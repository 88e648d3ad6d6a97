"""The five steps of the work with a badge in words each, and Next with the reasons that block it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QRect, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFocusEvent, QFontMetrics, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from cassi_gui.style.icons import make_icon, make_pixmap
from cassi_gui.style.paths import short_name
from cassi_gui.style.theme import MARGIN, SPACE, TYPE_HEADING_PT, TYPE_SMALL_PT, Palette, font

REASONS_FROM = 1200
"""Width of the bar in px from which on there is room for the reasons."""
REASONS_WIDTH = 200
"""Fixed, so that the steps do not move when the words change."""
BADGE_MARKS = {"ok": "ok", "warn": "warn", "bad": "bad"}
"""Statuses that get a symbol beside their words, so that nothing is told by colour alone."""


@dataclass(frozen=True)
class Step:
    """One step: identifier, title, icon."""

    id: str
    title: str
    icon: str


class StepButton(QAbstractButton):
    """A step: icon, title, and below it the badge."""

    def __init__(self, step: Step, number: int, palette: Palette, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.step, self._number, self._palette = step, number, palette
        self._badge, self._status = "", ""
        self._by_keyboard = False
        self.setObjectName(f"step.{step.id}")
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.set_badge("", "")

    @property
    def badge(self) -> str:
        return self._badge

    @property
    def status(self) -> str:
        """Status of the badge: ok, warn, bad, busy or empty."""
        return self._status

    def set_badge(self, text: str, status: str) -> None:
        """Words under the title, with status ok, warn, bad, busy or an empty string."""
        self._badge, self._status = text, status
        self.setAccessibleName(f"Step {self._number}: {self.step.title}{', ' + text if text else ''}")
        self.setToolTip(
            f"{self.step.title}: {text} (Alt+{self._number})" if text else f"{self.step.title} (Alt+{self._number})"
        )
        self.update()

    def set_palette(self, palette: Palette) -> None:
        self._palette = palette
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(146, 48)

    def minimumSizeHint(self) -> QSize:
        return QSize(96, 48)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """The focus is marked for whoever came by keyboard only: after a click the blue line says enough."""
        self._by_keyboard = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        super().focusInEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        p = self._palette
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = self.rect()
        current = self.isChecked()
        if self.underMouse() or self.isDown():
            painter.fillRect(area, QColor(p.raised))
        ink = p.accent if current else p.text
        left = area.left() + 2 * SPACE
        painter.drawPixmap(left, area.top() + 6, make_pixmap(self.step.icon, p, 18, ink))
        text_left = left + 18 + SPACE
        width = area.right() - text_left - SPACE
        painter.setFont(font(TYPE_HEADING_PT, bold=current))
        painter.setPen(QColor(ink))
        painter.drawText(QRect(text_left, area.top() + 3, width, 22), Qt.AlignmentFlag.AlignVCenter, self.step.title)
        self._paint_badge(painter, QRect(text_left, area.top() + 25, width, 16))
        painter.fillRect(QRect(area.left(), area.bottom() - 2, area.width(), 3), QColor(p.accent if current else p.panel))
        if self.hasFocus() and self._by_keyboard:
            painter.setPen(QPen(QColor(p.accent), 1, Qt.PenStyle.DotLine))
            painter.drawRect(area.adjusted(2, 2, -3, -5))
        painter.end()

    def _paint_badge(self, painter: QPainter, where: QRect) -> None:
        p = self._palette
        painter.setFont(font(TYPE_SMALL_PT))
        colour = p.accent if self._status == "busy" else p.colour(self._status)
        if self._status in BADGE_MARKS:
            painter.drawPixmap(where.left(), where.top() + 2, make_pixmap(BADGE_MARKS[self._status], p, 12, colour))
            where = where.adjusted(16, 0, 0, 0)
        painter.setPen(QColor(colour))
        text = QFontMetrics(painter.font()).elidedText(self._badge, Qt.TextElideMode.ElideRight, where.width())
        painter.drawText(where, Qt.AlignmentFlag.AlignVCenter, text)


class StepBar(QFrame):
    """Row of step buttons; emits `step_chosen(id)` and `next_chosen`."""

    step_chosen = Signal(str)
    next_chosen = Signal()

    def __init__(self, steps: Sequence[Step], palette: Palette, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("step_bar")
        self.setProperty("role", "bar")
        self.setAccessibleName("Steps")
        self._palette = palette
        self._buttons = {step.id: StepButton(step, i + 1, palette, self) for i, step in enumerate(steps)}
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, MARGIN, 0)
        layout.setSpacing(0)
        for button in self._buttons.values():
            button.setAutoExclusive(True)
            button.clicked.connect(self._on_clicked)
            layout.addWidget(button, 1)
        layout.addSpacing(MARGIN)
        self.reasons = QLabel()
        self.reasons.setObjectName("next_reasons")
        self.reasons.setProperty("role", "small")
        self.reasons.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.reasons.setFixedWidth(REASONS_WIDTH)
        self.reasons.setWordWrap(True)
        layout.addWidget(self.reasons, 0)
        layout.addSpacing(SPACE)
        self.next_button = QPushButton("Next")
        self.next_button.setObjectName("next")
        self.next_button.setAccessibleName("Next page")
        self.next_button.setProperty("role", "primary")
        self.next_button.setMinimumWidth(104)
        keep = self.next_button.sizePolicy()
        keep.setRetainSizeWhenHidden(True)
        self.next_button.setSizePolicy(keep)
        self.next_button.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        self.next_button.clicked.connect(self.next_chosen)
        layout.addWidget(self.next_button, 0)
        self.set_palette(palette)
        self.set_current(steps[0].id)

    def __getitem__(self, step_id: str) -> StepButton:
        return self._buttons[step_id]

    def set_current(self, step_id: str) -> None:
        """Mark the page that is shown; none for a page that is no step of the way."""
        if step_id in self._buttons:
            self._buttons[step_id].setChecked(True)
            return
        for button in self._buttons.values():
            # Buttons that exclude each other cannot all be up.
            button.setAutoExclusive(False)
            button.setChecked(False)
            button.setAutoExclusive(True)

    def set_badge(self, step_id: str, text: str, status: str = "") -> None:
        self._buttons[step_id].set_badge(text, status)

    def set_next(self, label: str, reasons: Sequence[str], *, primary: bool = True) -> None:
        """Name the next page and list what is in its way; an empty label hides the button (last page).

        Without `primary` the page has a stronger button of its own.
        """
        self._set_primary(primary)
        self.next_button.setVisible(bool(label))
        self.next_button.setText(label)
        self.next_button.setEnabled(not reasons)
        reasons = [r[:1].upper() + r[1:] for r in reasons]
        first = reasons[0] if reasons else ""
        more = f" (+{len(reasons) - 1})" if len(reasons) > 1 else ""
        self.reasons.setText(self._two_lines(first, more) if label else "")
        text = "Before going on:\n" + "\n".join(f"• {r}" for r in reasons) if reasons else f"Go to {label}"
        self.next_button.setToolTip(text)
        self.reasons.setToolTip(text if reasons else "")
        self.next_button.setAccessibleDescription(text)

    def _set_primary(self, primary: bool) -> None:
        role = "primary" if primary else ""
        if self.next_button.property("role") != role:
            self.next_button.setProperty("role", role)
            self.next_button.style().unpolish(self.next_button)
            self.next_button.style().polish(self.next_button)
            self._draw_next()

    def _draw_next(self) -> None:
        p = self._palette
        self.next_button.setIcon(
            make_icon("next", p, p.accent_text if self.next_button.property("role") == "primary" else p.text)
        )

    def _two_lines(self, reason: str, more: str) -> str:
        """What fits beside the button: file names without their folders, never more than two lines; the tip has it all."""
        words = " ".join(short_name(word) if Path(word).is_absolute() else word for word in reason.split(" "))
        # A line breaks where a word ends, so that two lines hold less than twice their width.
        room = 2 * REASONS_WIDTH - self.reasons.fontMetrics().horizontalAdvance(more) - REASONS_WIDTH // 4
        return self.reasons.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, room) + more

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a narrow window the steps keep their words, and the reason is in the button's tip."""
        super().resizeEvent(event)
        self.reasons.setVisible(event.size().width() >= REASONS_FROM)

    def set_palette(self, palette: Palette) -> None:
        self._palette = palette
        self._draw_next()
        for button in self._buttons.values():
            button.set_palette(palette)

    @Slot()
    def _on_clicked(self) -> None:
        button = self.sender()
        if isinstance(button, StepButton):
            self.step_chosen.emit(button.step.id)
