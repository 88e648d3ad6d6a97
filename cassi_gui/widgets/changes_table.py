"""What changed since an earlier calibration: a line for each parameter, with a mark against what is allowed."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from cassi_core.dispersion import Direction
from cassi_core.formatting import error_digits, format_number, format_value
from cassi_core.quality.names import screen_name
from cassi_core.verification.result import ParameterChange
from cassi_gui.style.theme import LIGHT, MARGIN, SPACE, Palette, font

ALLOWED_SHARE = 0.56
"""Share of a mark's width that is allowed: what lies further out than the mark is wide gets an arrow."""
MARK_PX, NARROW_MARK_PX = 92, 68
UNTOLD = "not told by one picture"
SURE = 3.0
"""Standard errors from which on a change is printed in the colour of a drift, if it is not allowed either."""


class LimitMark(QWidget):
    """A change with its error as a dot and a line, over the range that is allowed."""

    def __init__(self, change: ParameterChange, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._palette: Palette = LIGHT
        self.place, self.reach = change.change / change.allowed, change.sigma / change.allowed
        self.drifted = drifted(change)
        self.setFixedSize(self.sizeHint())
        words = "more than is allowed" if abs(self.place) > 1 else "within what is allowed"
        self.setAccessibleName(words)
        self.setToolTip(f"{abs(self.place):.2f} times what is allowed for this parameter alone: {words}")

    def sizeHint(self) -> QSize:
        return QSize(MARK_PX, 16)

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self._palette = palette
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        p = self._palette
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width, middle = float(self.width()), self.height() / 2
        half = ALLOWED_SHARE * width / 2
        painter.setPen(QPen(QColor(p.ok), 1))
        painter.setBrush(QColor(p.ok_tint))
        painter.drawRect(QRectF(width / 2 - half, middle - 6, 2 * half, 12))
        painter.setPen(QPen(QColor(p.muted), 1))
        painter.drawLine(QPointF(width / 2, middle - 6), QPointF(width / 2, middle + 6))
        colour = QColor(p.bad if self.drifted else p.ok if abs(self.place) <= 1 else p.warn)
        outside = abs(self.place) * half > width / 2 - 8
        x = width / 2 + (half * self.place if not outside else (width / 2 - 12) * (1 if self.place > 0 else -1))
        painter.setPen(QPen(colour, 2))
        painter.setBrush(colour)
        reach = min(half * self.reach, width)
        painter.drawLine(QPointF(max(x - reach, 1), middle), QPointF(min(x + reach, width - 1), middle))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.drawEllipse(QPointF(x, middle), 4, 4)
        if outside:
            tip, side = (width - 1, -6) if self.place > 0 else (1.0, 6)
            painter.drawPolygon(
                QPolygonF([QPointF(tip, middle), QPointF(tip + side, middle - 5), QPointF(tip + side, middle + 5)])
            )
        painter.end()


def drifted(change: ParameterChange) -> bool:
    """Whether a parameter by itself moved beyond its error and beyond what is allowed."""
    return change.told and abs(change.significance) >= SURE and abs(change.change) > change.allowed


class ChangesTable(QFrame):
    """A card with one line per refined parameter."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("changes_table")
        self.setProperty("role", "card")
        self.setAccessibleName("What changed")
        self._palette: Palette = LIGHT
        self._changes: tuple[ParameterChange, ...] = ()
        self._direction: Direction = "right"
        self._earlier = "earlier"
        self._narrow = False
        self._widgets: list[QWidget] = []
        self._rows: dict[str, str] = {}
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(SPACE + SPACE // 2)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(0, 1)
        self._legend = QLabel()
        self._legend.setProperty("role", "small")
        self._legend.setObjectName("changes_legend")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, SPACE, MARGIN, SPACE)
        layout.setSpacing(SPACE)
        layout.addLayout(self._grid)
        layout.addWidget(self._legend)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)

    def set_changes(self, changes: Sequence[ParameterChange], earlier: str, direction: Direction) -> None:
        """Show changes; `earlier` heads the column of the old values."""
        self._changes, self._earlier, self._direction = tuple(changes), earlier, direction
        self._fill()

    def set_narrow(self, narrow: bool) -> None:
        """Leave out what only repeats where there is little room."""
        if narrow != self._narrow:
            self._narrow = narrow
            self._grid.setHorizontalSpacing(SPACE if narrow else SPACE + SPACE // 2)
            self._fill()

    def row(self, name: str) -> str:
        """The line of a parameter as it is read out."""
        return self._rows[name]

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self._palette = palette
        self._fill()

    def _fill(self) -> None:
        for widget in self._widgets:
            self._grid.removeWidget(widget)
            widget.hide()
            widget.deleteLater()
        self._widgets.clear()
        self._rows.clear()
        limit = "limit" if self._narrow else "against the limit"
        for column, text in enumerate(("", self._earlier, "today", "change \u00b1 error", "", "in errors", limit)):
            self._put(QLabel(text), 0, column, muted=True)
        for row, change in enumerate(self._changes, start=1):
            self._add(row, change)
        p = self._palette
        self._legend.setText(
            f"<span style='color:{p.ok}'>\u25ad</span> allowed (0.10 px in the picture) &nbsp; \u2014\u25cf\u2014 change \u00b1 error &nbsp; \u25b8 further out"
        )

    def _add(self, row: int, change: ParameterChange) -> None:
        p, name = self._palette, screen_name(change.name, self._direction)
        symbol = "" if self._narrow else f" &nbsp;<span style='color:{p.muted}'>{name.symbol}</span>"
        title = QLabel(name.words + symbol)
        title.setToolTip(f"{name.symbol}: {name.means}")
        self._put(title, row, 0, left=True)
        sigma = change.sigma * name.factor
        digits = error_digits(sigma) if sigma > 0 else name.digits
        old, new = (format_number(v * name.factor, digits, signed=True) for v in (change.old, change.new))
        self._put(QLabel(old), row, 1)
        unit = name.unit
        if not change.told:
            untold = QLabel(UNTOLD)
            untold.setToolTip("Its error today is no smaller than what the rig's drawing says: it counts for neither side")
            self._put(untold, row, 3, span=4, muted=True)
            self._rows[change.name] = f"{name.words} {old}: {UNTOLD}"
            return
        self._put(QLabel(new), row, 2)
        moved = QLabel(format_value(change.change * name.factor, sigma, "", digits))
        if drifted(change):
            moved.setFont(font(bold=True))
            moved.setStyleSheet(f"color: {p.bad}; font-weight: 600;")
        self._put(moved, row, 3)
        self._put(QLabel(unit), row, 4, muted=True, left=True)
        errors = f"{abs(change.significance):.1f}" if abs(change.significance) < 10 else f"{abs(change.significance):.0f}"
        self._put(QLabel(errors), row, 5)
        mark = LimitMark(change)
        mark.setObjectName(f"mark_{change.name}")
        mark.setFixedWidth(NARROW_MARK_PX if self._narrow else MARK_PX)
        mark.set_palette(p)
        self._grid.addWidget(mark, row, 6, Qt.AlignmentFlag.AlignCenter)
        self._widgets.append(mark)
        self._rows[change.name] = f"{name.words} {old} {new} {moved.text()} {unit} {errors}"
        title.setAccessibleName(f"{self._rows[change.name]} errors, {mark.accessibleName()}")

    def _put(self, label: QLabel, row: int, column: int, *, muted: bool = False, left: bool = False, span: int = 1) -> None:
        if muted:
            label.setProperty("role", "small")
        side = Qt.AlignmentFlag.AlignLeft if left or column == 0 else Qt.AlignmentFlag.AlignRight
        if column == 6:
            side = Qt.AlignmentFlag.AlignHCenter
        self._grid.addWidget(label, row, column, 1, span, side | Qt.AlignmentFlag.AlignVCenter)
        self._widgets.append(label)
