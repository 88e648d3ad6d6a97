"""Writing what a plot shows: PNG and SVG pictures, CSV numbers, a copy on the clipboard. Files are replaced as a whole."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QImageWriter, QPainter
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QApplication, QGraphicsView

from cassi_core.io.atomic import atomic_write

PNG_SCALE = 2.0
"""Pictures are written with twice the screen's pixels, so that they stay sharp in print."""


SHORT_CELLS = 20_000
"""Tables up to this size are written at once: it takes some hundredths of a second."""


@dataclass(frozen=True)
class Table:
    """Numbers behind a plot: a heading with units for each column, and the rows (which may be made one by one)."""

    header: tuple[str, ...]
    rows: Sequence[Sequence[object]]

    @property
    def size(self) -> int:
        """How many cells."""
        return len(self.header) * len(self.rows)


class PictureRows(Sequence[Sequence[object]]):
    """The rows of a picture `(H, W)`, or of one in colour `(H, W, 3)` as (row, column, red, green, blue), made when asked for."""

    def __init__(self, picture: Any) -> None:
        self._picture = picture

    def __len__(self) -> int:
        shape = self._picture.shape
        return int(shape[0] if len(shape) == 2 else shape[0] * shape[1])

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return tuple(self[i] for i in range(*index.indices(len(self))))
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        if self._picture.ndim == 2:
            return self._picture[index].tolist()
        row, col = divmod(index % len(self), self._picture.shape[1])
        return [row, col, *self._picture[row, col].tolist()]


@dataclass(frozen=True)
class PlotExport:
    """A person wants this plot in a file: which format, a name to propose, and what writes a picture, or the numbers behind it.

    The format `copy` means the clipboard, for tables that are too long to be copied at once.
    """

    format: str
    name: str
    write: Callable[[Path], None]
    table: Table | None = None


def picture(view: QGraphicsView, title: str, background: str, foreground: str) -> QImage:
    """The plot as an image at twice the screen's resolution, with its title above it."""
    band = 24 if title else 0
    size = view.viewport().size()
    image = QImage(
        round(size.width() * PNG_SCALE), round((size.height() + band) * PNG_SCALE), QImage.Format.Format_ARGB32_Premultiplied
    )
    image.fill(QColor(background))
    painter = QPainter(image)
    painter.scale(PNG_SCALE, PNG_SCALE)
    _paint(painter, view, title, foreground, band)
    painter.end()
    return image


def _paint(painter: QPainter, view: QGraphicsView, title: str, foreground: str, band: int) -> None:
    size = view.viewport().size()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if title:
        painter.setPen(QColor(foreground))
        painter.drawText(QRectF(8, 0, size.width() - 16, band), Qt.AlignmentFlag.AlignVCenter, title)
    target = QRectF(0, band, size.width(), size.height())
    view.scene().render(painter, target, QRectF(0, 0, size.width(), size.height()), Qt.AspectRatioMode.IgnoreAspectRatio)


def write_png(path: Path, view: QGraphicsView, title: str, background: str, foreground: str) -> None:
    """Write the plot as PNG; OutputError when the file cannot be written."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    QImageWriter(buffer, QByteArray(b"png")).write(picture(view, title, background, foreground))
    atomic_write(path, bytes(buffer.data().data()))


def write_svg(path: Path, view: QGraphicsView, title: str, background: str, foreground: str) -> None:
    """Write the plot as SVG (lines and text stay vectors, pictures are embedded)."""
    band = 24 if title else 0
    size = view.viewport().size()
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    generator = QSvgGenerator(QSvgGenerator.SvgVersion.Svg11)
    generator.setOutputDevice(buffer)
    generator.setTitle(title)
    # Axes are recorded drawings: with another resolution than the screen's they would be scaled and miss their plots.
    generator.setResolution(view.logicalDpiX())
    box = QRectF(0, 0, size.width(), size.height() + band)
    generator.setSize(box.size().toSize())
    generator.setViewBox(box)
    painter = QPainter(generator)
    painter.fillRect(box, QColor(background))
    # In export mode symbols are drawn as shapes instead of as cuttings of a picture that holds them all.
    items = [item for item in view.scene().items() if hasattr(item, "setExportMode")]
    for item in items:
        item.setExportMode(True, {"antialias": True, "background": None, "painter": painter, "resolutionScale": 1.0})
    _paint(painter, view, title, foreground, band)
    for item in items:
        item.setExportMode(False)
    painter.end()
    atomic_write(path, bytes(buffer.data().data()))


def csv_text(table: Table) -> str:
    """The numbers as CSV text: full precision, decimal points whatever the language of the desktop."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.header)
    for row in table.rows:
        if set(map(type, row)) <= {int, float}:
            out.write(",".join(map(repr, row)) + "\n")
        else:
            writer.writerow([_cell(v) for v in row])
    return out.getvalue()


def write_csv(path: Path, table: Table) -> None:
    """Write the numbers behind a plot as CSV."""
    atomic_write(path, csv_text(table).encode("utf-8"))


def copy_picture(image: QImage) -> None:
    """Put a picture on the clipboard."""
    QApplication.clipboard().setImage(image)


def copy_text(text: str) -> None:
    """Put text on the clipboard."""
    QApplication.clipboard().setText(text)


def _cell(value: object) -> object:
    if value is None:
        return ""
    return repr(float(value)) if hasattr(value, "__float__") and not isinstance(value, int | str) else value
