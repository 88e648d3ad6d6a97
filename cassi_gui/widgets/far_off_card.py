"""Second glance: how far off the mask may be in this picture, as two large numbers and as an ellipse in a camera pixel."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from cassi_core.dispersion import QUARTER_TURNS, Direction
from cassi_core.quality.fit_checks import FAR_PX
from cassi_core.result import RegistrationError
from cassi_gui.style.theme import LIGHT, MARGIN, SPACE, TYPE_SMALL_PT, Palette

PIXEL_PX = 62
"""Side of the camera pixel on the screen."""
LONG, SHORT = "How far off may the mask be in this picture?", "How far off may the mask be?"


class PixelEllipse(QWidget):
    """One camera pixel with the error (1 sigma) of the mask's place as an ellipse, and the limit as a dashed circle, all to scale."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("pixel_ellipse")
        self._palette: Palette = LIGHT
        self._axes_px = (0.0, 0.0)
        self._beyond = False
        self.setFixedSize(self.sizeHint())

    def set_errors(self, right_px: float, down_px: float, *, beyond: bool) -> None:
        """Semi-axes of the ellipse in camera pixels; `beyond` the limit it takes the colour of a warning."""
        self._axes_px, self._beyond = (right_px, down_px), beyond
        words = f"One camera pixel: the mask may be off by {right_px:.3f} px sideways and {down_px:.3f} px up or down (1 sigma)"
        self.setAccessibleName(words)
        self.setToolTip(f"{words}.\nDashed: the limit of {FAR_PX:.2f} px")
        self.update()

    @property
    def axes_px(self) -> tuple[float, float]:
        """Semi-axes to the right and down, in camera pixels."""
        return self._axes_px

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self._palette = palette
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(PIXEL_PX, PIXEL_PX)

    def paintEvent(self, event: QPaintEvent) -> None:
        p = self._palette
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(0.5, 0.5, self.width() - 1.0, self.height() - 1.0)
        centre = box.center()
        painter.fillRect(box, QColor(p.raised))
        painter.setPen(QPen(QColor(p.border), 1.0))
        painter.drawLine(QPointF(centre.x(), box.top()), QPointF(centre.x(), box.bottom()))
        painter.drawLine(QPointF(box.left(), centre.y()), QPointF(box.right(), centre.y()))
        painter.setPen(QPen(QColor(p.outline), 1.0))
        painter.drawRect(box)
        painter.setClipRect(box)
        limit = FAR_PX * PIXEL_PX
        painter.setPen(QPen(QColor(p.muted), 1.2, Qt.PenStyle.DashLine))
        painter.drawEllipse(centre, limit, limit)
        colour = QColor(p.warn if self._beyond else p.accent)
        painter.setPen(QPen(colour, 1.4))
        colour.setAlpha(110)
        painter.setBrush(colour)
        painter.drawEllipse(centre, max(0.8, self._axes_px[0] * PIXEL_PX), max(0.8, self._axes_px[1] * PIXEL_PX))
        painter.end()


class FarOffCard(QFrame):
    """Across, pattern and wavelength with their limits, beside the ellipse."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("far_off_card")
        self.setProperty("role", "card")
        self._palette: Palette = LIGHT
        self._error: RegistrationError | None = None
        self._heading = QLabel(LONG)
        self._heading.setProperty("role", "heading")
        self.ellipse = PixelEllipse()
        self._rows: dict[str, tuple[QLabel, QLabel]] = {}
        left = QVBoxLayout()
        left.setSpacing(2)
        left.addWidget(self.ellipse, 0, Qt.AlignmentFlag.AlignHCenter)
        self._caption = QLabel("1 camera pixel")
        self._caption.setProperty("role", "small")
        left.addWidget(self._caption, 0, Qt.AlignmentFlag.AlignHCenter)
        left.addStretch(1)
        grid = QGridLayout()
        grid.setHorizontalSpacing(SPACE)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(1, 1)
        tips = {
            "Across": "Registration error across the dispersion: rms over the lit picture",
            "Pattern": "Registration error of the mask's detail along the dispersion: rms over the lit picture",
            "Wavelength": "Error of the colour scale: it renames bands and blurs nothing, so it is no reason to doubt the mask",
        }
        for row, (word, tip) in enumerate(tips.items()):
            if word == "Wavelength":
                line = QFrame()
                line.setProperty("role", "line")
                grid.addWidget(line, row, 0, 1, 2)
            self._rows[word] = self._row(grid, row + (word == "Wavelength"), word, tip)
        self._body = body = QHBoxLayout()
        body.setSpacing(MARGIN)
        body.addLayout(left)
        body.addLayout(grid, 1)
        self._layout = layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN - 2, SPACE, MARGIN - 2, SPACE)
        layout.setSpacing(6)
        layout.addWidget(self._heading)
        layout.addLayout(body)

    def _row(self, grid: QGridLayout, row: int, word: str, tip: str) -> tuple[QLabel, QLabel]:
        name, value = QLabel(word), QLabel()
        for label in (name, value):
            label.setToolTip(tip)
        name.setTextFormat(Qt.TextFormat.RichText)
        value.setObjectName(f"far_off_{word.lower()}")
        value.setTextFormat(Qt.TextFormat.RichText)
        value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        grid.addWidget(name, row, 0)
        grid.addWidget(value, row, 1)
        return name, value

    def set_error(self, error: RegistrationError | None, direction: Direction = "right") -> None:
        """Show the expected errors; None hides the card: an empty promise is worse than an empty place."""
        self._error = error
        self.setVisible(error is not None)
        if error is None:
            return
        sideways = QUARTER_TURNS[direction] % 2 == 0
        right, down = (error.pattern_px, error.across_px) if sideways else (error.across_px, error.pattern_px)
        self.ellipse.set_errors(right, down, beyond=max(right, down) > FAR_PX)
        self._write()

    def set_narrow(self, narrow: bool) -> None:
        """The short form of the heading, and less air."""
        side = SPACE if narrow else MARGIN - 2
        self._layout.setContentsMargins(side, SPACE, side, SPACE)
        self._body.setSpacing(SPACE if narrow else MARGIN)
        self._heading.setText(SHORT if narrow else LONG)
        self._caption.setText("1 pixel" if narrow else "1 camera pixel")

    def text(self, word: str) -> str:
        """What is said about Across, Pattern or Wavelength: name, limit and value."""
        spoken = self._rows[word][1].accessibleName()
        return spoken

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self._palette = palette
        self.ellipse.set_palette(palette)
        self._write()

    def _write(self) -> None:
        error = self._error
        if error is None:
            return
        p, small = self._palette, f"font-size:{TYPE_SMALL_PT}pt; color:{self._palette.muted}"
        for word, px in (("Across", error.across_px), ("Pattern", error.pattern_px)):
            name, value = self._rows[word]
            colour = p.warn if px > FAR_PX else p.text
            name.setText(f"{word} <span style='{small}'>limit {FAR_PX:.2f}</span>")
            value.setText(f"<span style='font-size:15pt; font-weight:700; color:{colour}'>{px:.3f}</span> px")
            value.setAccessibleName(f"{word} {px:.3f} px, limit {FAR_PX:.2f} px")
        name, value = self._rows["Wavelength"]
        bands = f"{error.wavelength_bands:.2f} of a band"
        nm = error.wavelength_nm
        value.setText(f"<b>{bands}</b>" if nm is None else f"<b>{nm:.1f}</b> nm <span style='{small}'>{bands}</span>")
        value.setAccessibleName(f"Wavelength {bands}" if nm is None else f"Wavelength {nm:.1f} nm, {bands}")
