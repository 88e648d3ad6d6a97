"""What was opened lately: picture, names, size, verdict and day in a row each; one click or Enter opens it again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPixmap
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from cassi_gui.style.icons import make_icon, make_pixmap
from cassi_gui.style.theme import LIGHT, SPACE, TYPE_BODY_PT, TYPE_SMALL_PT, Palette, font

ROW_PX, PICTURE_PX = 52, 40
ROWS = 5
"""Above the fold; older ones are reached by scrolling."""
ENTRY = Qt.ItemDataRole.UserRole


@dataclass(frozen=True)
class RecentRow:
    """One row: `title` and `details` beside the picture (PNG), `verdict` and `day` at the right; a lost file is said to be."""

    title: str
    details: str = ""
    verdict: str = ""
    day: str = ""
    tip: str = ""
    png: bytes = b""
    lost: bool = False


class _RowPainter(QStyledItemDelegate):
    """Draws a row in the colours of the palette."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.palette: Palette = LIGHT

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(120, ROW_PX)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        row: RecentRow = index.data(ENTRY)
        p, rect = self.palette, option.rect
        painter.save()
        if option.state & QStyle.StateFlag.State_MouseOver or option.state & QStyle.StateFlag.State_HasFocus:
            painter.fillRect(rect, QColor(p.accent_tint))
        painter.fillRect(QRect(rect.left(), rect.bottom(), rect.width(), 1), QColor(p.border))
        top = rect.top() + (ROW_PX - PICTURE_PX) // 2
        self._picture(painter, row, QRect(rect.left() + 2, top, PICTURE_PX, PICTURE_PX))
        left = rect.left() + PICTURE_PX + 2 + SPACE
        lines = QRect(left, top, rect.right() - 2 - left, PICTURE_PX)
        state, state_colour = ("not found", p.muted) if row.lost else (row.verdict, p.colour(row.verdict))
        title_colour = p.muted if row.lost else p.text
        upper, lower = Qt.AlignmentFlag.AlignTop, Qt.AlignmentFlag.AlignBottom
        _two_texts(painter, lines, upper, (row.title, title_colour, TYPE_BODY_PT), (state, state_colour))
        _two_texts(painter, lines, lower, (row.details, p.muted, TYPE_SMALL_PT), (row.day, p.muted))
        painter.restore()

    def _picture(self, painter: QPainter, row: RecentRow, where: QRect) -> None:
        pixmap = QPixmap()
        if not row.png or not pixmap.loadFromData(row.png):
            painter.fillRect(where, QColor(self.palette.raised))
            icon = make_pixmap("image", self.palette, 22, self.palette.muted)
            painter.drawPixmap(where.center().x() - 11, where.center().y() - 11, icon)
            return
        if row.lost:
            painter.setOpacity(0.4)
        side = min(pixmap.width(), pixmap.height())
        painter.drawPixmap(where, pixmap.copy((pixmap.width() - side) // 2, (pixmap.height() - side) // 2, side, side))
        painter.setOpacity(1.0)


class RecentCard(QFrame):
    """A card with the rows; emits `chosen` with the index of an entry, `clear_requested` and `session_requested`."""

    chosen = Signal(int)
    clear_requested = Signal()
    session_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("recent")
        self.setProperty("role", "card")
        title = QLabel("Recent")
        title.setProperty("role", "heading")
        self.clear = _link("recent.clear", "Clear", "Forget what was opened; no file is touched")
        self.clear.clicked.connect(self.clear_requested)
        self.empty = QLabel("Nothing yet. What you open appears here.")
        self.empty.setObjectName("recent.empty")
        self.empty.setProperty("role", "muted")
        self.empty.setWordWrap(True)
        self.list = QListWidget()
        self.list.setObjectName("recent.list")
        self.list.setToolTip("Files opened lately; Enter or a click opens them again")
        self.list.setAccessibleName("Files opened lately")
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setProperty("role", "bare")
        self.list.setMouseTracking(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setMinimumHeight(ROW_PX)
        self._painter = _RowPainter(self.list)
        self.list.setItemDelegate(self._painter)
        self.list.itemClicked.connect(self._on_chosen)
        self.list.itemActivated.connect(self._on_chosen)
        self.session = _link(
            "recent.session", "Open session …", "Inputs, settings and all runs of an earlier time (Ctrl+Shift+O)"
        )
        self.session.clicked.connect(self.session_requested)
        head = QHBoxLayout()
        head.addWidget(title)
        head.addStretch(1)
        head.addWidget(self.clear)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, SPACE, 14, SPACE)
        layout.setSpacing(SPACE // 2)
        layout.addLayout(head)
        layout.addWidget(_line())
        layout.addWidget(self.empty)
        layout.addWidget(self.list)
        layout.addStretch(1)
        layout.addWidget(_line())
        layout.addWidget(self.session, 0, Qt.AlignmentFlag.AlignLeft)
        self.set_rows(())

    def set_rows(self, rows: Sequence[RecentRow]) -> None:
        """Show entries, newest first."""
        self.list.clear()
        for row in rows:
            item = QListWidgetItem()
            item.setData(ENTRY, row)
            said = ("not found" if row.lost else row.verdict, row.details, row.day)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, ", ".join((row.title, *(s for s in said if s))))
            item.setToolTip(row.tip)
            if row.lost:
                item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsEnabled)
            self.list.addItem(item)
        self.empty.setVisible(not rows)
        self.list.setVisible(bool(rows))
        self.clear.setVisible(bool(rows))
        self.list.setMaximumHeight(min(ROWS, max(1, len(rows))) * ROW_PX + 2)

    @property
    def rows(self) -> tuple[RecentRow, ...]:
        """What is shown."""
        return tuple(self.list.item(i).data(ENTRY) for i in range(self.list.count()))

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self._painter.palette = palette
        self.session.setIcon(make_icon("open", palette, palette.accent))
        self.list.viewport().update()

    @Slot(QListWidgetItem)
    def _on_chosen(self, item: QListWidgetItem) -> None:
        self.chosen.emit(self.list.row(item))


def _link(name: str, text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setObjectName(name)
    button.setAccessibleName(text.rstrip(" …"))
    button.setToolTip(tip)
    button.setProperty("role", "link")
    return button


def _line() -> QFrame:
    line = QFrame()
    line.setProperty("role", "line")
    return line


def _two_texts(
    painter: QPainter, where: QRect, line: Qt.AlignmentFlag, left: tuple[str, str, int], right: tuple[str, str]
) -> None:
    """A text (words, colour, points) in what a small one (words, colour) at the right leaves of a line."""
    small, colour = right
    painter.setFont(font(TYPE_SMALL_PT))
    painter.setPen(QColor(colour))
    painter.drawText(where, line | Qt.AlignmentFlag.AlignRight, small)
    taken = QFontMetrics(painter.font()).horizontalAdvance(small) + SPACE if small else 0
    words, colour, points = left
    painter.setFont(font(points))
    painter.setPen(QColor(colour))
    room = where.width() - taken
    painter.drawText(where, line, QFontMetrics(painter.font()).elidedText(words, Qt.TextElideMode.ElideMiddle, room))
