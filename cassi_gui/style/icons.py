"""One family of icons, drawn as 24 x 24 line art and tinted by the palette: nothing is loaded from disk."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from cassi_gui.style.theme import Palette

SHAPES: dict[str, str] = {
    "load": '<path d="M4 8v11h16V8M12 3v11M8 10l4 4 4-4"/>',
    "check": '<circle cx="11" cy="11" r="6"/><path d="M15.5 15.5L21 21M8.5 11l2 2 3.5-4"/>',
    "run": '<path d="M7 4l12 8-12 8z"/>',
    "qa": '<path d="M12 3l8 3v6c0 5-3.5 8-8 9-4.5-1-8-4-8-9V6zM8.5 12l2.5 2.5 4.5-5"/>',
    "export": '<path d="M4 14v6h16v-6M12 16V4M8 8l4-4 4 4"/>',
    "calibrate": '<path d="M4 4h16v16H4zM4 9.3h16M4 14.6h16M9.3 4v16M14.6 4v16"/>',
    "verify": '<path d="M4 6h9M4 12h6M4 18h5M12 15l3 3 6-7"/>',
    "open": '<path d="M3 19V5h6l2 3h9v3M3 19l3-8h16l-3 8z"/>',
    "demo": '<path d="M9 3h6M10 3v6L4.5 19a1.5 1.5 0 0 0 1.3 2h12.4a1.5 1.5 0 0 0 1.3-2L14 9V3M7.5 15h9"/>',
    "clear": '<path d="M6 3h9l4 4v14H6zM14 3v5h5"/>',
    "quit": '<path d="M12 3v9M7 6a8 8 0 1 0 10 0"/>',
    "undo": '<path d="M8 5L4 9l4 4M4 9h10a5.5 5.5 0 0 1 0 11H9"/>',
    "redo": '<path d="M16 5l4 4-4 4M20 9H10a5.5 5.5 0 0 0 0 11h5"/>',
    "reset": '<path d="M5 5v5h5M5.5 10A7.5 7.5 0 1 1 4.6 14"/>',
    "next": '<path d="M9 5l7 7-7 7"/>',
    "back": '<path d="M15 5l-7 7 7 7"/>',
    "fold": '<path d="M9 6l6 6-6 6"/>',
    "fold_open": '<path d="M6 9l6 6 6-6"/>',
    "turn": '<path d="M19 8a8 8 0 0 0-14.5 1M5 16a8 8 0 0 0 14.5-1M4 4v5h5M20 20v-5h-5"/>',
    "pause": '<path d="M8 5v14M16 5v14"/>',
    "finish": '<path d="M6 21V4M6 4h12l-3 4 3 4H6"/>',
    "cancel": '<path d="M6 6h12v12H6z"/>',
    "accept": '<path d="M4 12.5l5.5 5.5L20 6.5"/>',
    "reject": '<path d="M6 6l12 12M18 6L6 18"/>',
    "blink": '<path d="M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12z"/><circle cx="12" cy="12" r="2.8"/>',
    "log": '<path d="M4 5h16M4 10h16M4 15h10M4 20h7"/>',
    "logbook": '<path d="M5 3h14v18H5zM9 3v18M12 15l2.5-3 2 1.5L19 10M12 7h4"/>',
    "help": '<circle cx="12" cy="12" r="9"/><path d="M9.5 9.5a2.6 2.6 0 1 1 3.6 2.4c-.8.4-1.1.9-1.1 1.9M12 17v.2"/>',
    "keyboard": '<path d="M3 6h18v12H3zM7 10h.1M11 10h.1M15 10h.1M18 10h.1M8 14h8"/>',
    "about": '<circle cx="12" cy="12" r="9"/><path d="M12 11v6M12 7.5v.2"/>',
    "image": '<path d="M3 5h18v14H3zM3 16l5-5 4 4 3-3 6 5"/><circle cx="15.5" cy="9" r="1.4"/>',
    "mask": '<path d="M4 4h16v16H4zM4 9.3h16M4 14.6h16M9.3 4v16M14.6 4v16"/>',
    "dark": '<path d="M20 14.5A8.5 8.5 0 1 1 9.5 4a7 7 0 0 0 10.5 10.5z"/>',
    "flat": '<circle cx="12" cy="12" r="4"/><path d="M12 2.5v3M12 18.5v3M2.5 12h3M18.5 12h3"/>'
    '<path d="M5 5l2.3 2.3M16.7 16.7L19 19M19 5l-2.3 2.3M7.3 16.7L5 19"/>',
    "cube": '<path d="M12 3l8 4.5v9L12 21l-8-4.5v-9zM12 12l8-4.5M12 12L4 7.5M12 12v9"/>',
    "pixels": '<path d="M4 4h16v16H4zM4 12h16M12 4v16M14 14l4 4M18 14l-4 4"/>',
    "rainbow": '<path d="M3 18a9 9 0 0 1 18 0M7 18a5 5 0 0 1 10 0M11 18a1 1 0 0 1 2 0"/>',
    "curve": '<path d="M4 4v16h16M7 16c5 0 4-9 12-10"/>',
    "remove": '<path d="M6 12h12"/>',
    "add": '<path d="M6 12h12M12 6v12"/>',
    "up": '<path d="M5 15l7-7 7 7"/>',
    "down": '<path d="M5 9l7 7 7-7"/>',
    "info": '<circle cx="12" cy="12" r="9"/><path d="M12 11v6M12 7.5v.2"/>',
    "warn": '<path d="M12 4l9.5 16h-19zM12 10v5M12 17.3v.2"/>',
    "bad": '<path d="M8 3h8l5 5v8l-5 5H8l-5-5V8zM9 9l6 6M15 9l-6 6"/>',
    "ok": '<circle cx="12" cy="12" r="9"/><path d="M8 12.5l3 3 5-6"/>',
    "show": '<circle cx="12" cy="12" r="6"/><path d="M12 2v5M12 17v5M2 12h5M17 12h5"/>',
    "copy": '<path d="M8 8h12v12H8zM16 8V4H4v12h4"/>',
    "save": '<path d="M4 4h13l3 3v13H4zM8 4v5h8V4M7 20v-7h10v7"/>',
    "folder": '<path d="M3 19V5h6l2 3h10v11z"/>',
    "settings": '<path d="M4 7h10M18 7h2M4 17h2M10 17h10"/><circle cx="16" cy="7" r="2"/><circle cx="8" cy="17" r="2"/>',
    "rename": '<path d="M4 20h4L19 9l-4-4L4 16zM13 7l4 4"/>',
    "delete": '<path d="M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13"/>',
}
"""Paths of each icon; strokes only, so that they stay one family."""

_SIZES = (18, 36)
"""As shown, and for screens with two pixels per point."""


def _pixmap(shape: str, colour: str, size: int) -> QPixmap:
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" '
        f'stroke="{colour}" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round">{shape}</svg>'
    )
    pixmap = QPixmap(size, size)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    QSvgRenderer(QByteArray(svg.encode())).render(painter, QRectF(0, 0, size, size))
    painter.end()
    return pixmap


def make_icon(name: str, palette: Palette, colour: str = "") -> QIcon:
    """The icon of a name in a palette's text colour (or any `colour`), greyed when disabled; KeyError for unknown names."""
    shape = SHAPES[name]
    icon = QIcon()
    for size in _SIZES:
        icon.addPixmap(_pixmap(shape, colour or palette.text, size), QIcon.Mode.Normal)
        icon.addPixmap(_pixmap(shape, palette.muted, size), QIcon.Mode.Disabled)
    return icon


def make_row_icon(name: str, palette: Palette, colour: str) -> QIcon:
    """An icon for a line of a table: in the colour of the text on a selected line, where its own would not be seen."""
    icon = make_icon(name, palette, colour)
    for size in _SIZES:
        icon.addPixmap(_pixmap(SHAPES[name], palette.accent_text, size), QIcon.Mode.Selected)
    return icon


def make_pixmap(name: str, palette: Palette, size: int, colour: str = "") -> QPixmap:
    """One icon as a picture of `size` pixels."""
    return _pixmap(SHAPES[name], colour or palette.text, size)


def application_icon() -> QIcon:
    """The program's own icon: a coded mask with its dispersed bands."""
    cells = ((4, 4), (12, 4), (8, 8), (16, 8), (4, 12), (12, 16), (16, 12), (8, 16), (4, 16))
    squares = "".join(f'<rect x="{x}" y="{y}" width="4" height="4" fill="#ffffff" stroke="none"/>' for x, y in cells)
    body = f'<rect x="1" y="1" width="22" height="22" rx="5" fill="#0b63b8" stroke="none"/>{squares}'
    icon = QIcon()
    for size in (16, 24, 32, 48, 64, 128):
        icon.addPixmap(_pixmap(body, "#ffffff", size))
    return icon
