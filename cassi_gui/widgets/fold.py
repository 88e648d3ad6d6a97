"""A line that opens and closes what lies below it: chevron, symbol, bold words, and a word or number at its right end."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt, Slot
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from cassi_gui.style.icons import make_pixmap
from cassi_gui.style.theme import HALF_SPACE, ICON_PX, LIGHT, SPACE, TYPE_SMALL_PT, Palette, font

HEIGHT_PX = 28


class FoldHeader(QAbstractButton):
    """A button that stays down while its part is open; `icon` names a symbol, `status` its colour, `strong` colours the right end too."""

    def __init__(self, name: str, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._palette: Palette = LIGHT
        self._icon, self._status, self._end, self._grey = "", "", "", ""
        self.toggled.connect(self._tell)
        self.set_words(text)

    def set_words(self, text: str, end: str = "", *, grey: str = "", icon: str = "", status: str = "") -> None:
        """Bold `text`, words in grey behind it, and at the right end a value (in the colour of `status`) followed by grey words."""
        self.setText(text)
        self._end, self._grey, self._icon, self._status = end, grey, icon, status
        self._tell()
        self.update()

    @property
    def words(self) -> str:
        """Everything that is written on the line."""
        return " ".join(part for part in (self.text(), self._end, self._grey) if part)

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self._palette = palette
        self.update()

    @Slot()
    def _tell(self) -> None:
        self.setAccessibleName(self.words)
        self.setToolTip(f"{self.words}\n{'Close' if self.isChecked() else 'Open'} (Space)")

    def sizeHint(self) -> QSize:
        return QSize(200, HEIGHT_PX)

    def minimumSizeHint(self) -> QSize:
        return QSize(80, HEIGHT_PX)

    def paintEvent(self, event: QPaintEvent) -> None:
        p = self._palette
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle, x = self.height() // 2, 0
        if self.isEnabled():
            chevron = make_pixmap("fold_open" if self.isChecked() else "fold", p, ICON_PX, p.muted)
            painter.drawPixmap(x, middle - ICON_PX // 2, chevron)
        x += ICON_PX + HALF_SPACE
        if self._icon:
            painter.drawPixmap(x, middle - ICON_PX // 2, make_pixmap(self._icon, p, ICON_PX, p.colour(self._status)))
            x += ICON_PX + HALF_SPACE
        right = self.width() - 2
        right = self._write_end(painter, right)
        painter.setFont(font(bold=True))
        painter.setPen(QColor(p.text))
        words = painter.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, max(0, right - x - SPACE))
        painter.drawText(
            QRect(x, 0, right - x, self.height()), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, words
        )
        if self.hasFocus():
            painter.setPen(QColor(p.accent))
            painter.drawRoundedRect(self.rect().adjusted(0, 1, -1, -2), 4, 4)
        painter.end()

    def _write_end(self, painter: QPainter, right: int) -> int:
        p = self._palette
        parts = ((self._grey, font(TYPE_SMALL_PT), p.muted), (self._end, font(bold=True), p.colour(self._status)))
        for words, chosen, colour in parts:
            if not words:
                continue
            painter.setFont(chosen)
            painter.setPen(QColor(colour))
            width = painter.fontMetrics().horizontalAdvance(words)
            box = QRect(right - width, 0, width, self.height())
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, words)
            right -= width + SPACE
        return right
