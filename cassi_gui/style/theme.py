"""Colours, spacing and type of the whole window: two palettes, one accent colour, an 8 px grid.

Plots and icons take their colours from the same :class:`Palette`, so that a change of theme repaints everything alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

ThemeName = Literal["system", "light", "dark"]

SPACE = 8
"""The grid: gaps are 4 (within a control), 8, 16 or 24 px."""
HALF_SPACE = 4
MARGIN = 16
GAP = 24
ROW_HEIGHT = 28
ICON_PX = 16

TYPE_TITLE_PT = 15
TYPE_HEADING_PT = 11
TYPE_BODY_PT = 10
TYPE_SMALL_PT = 9


@dataclass(frozen=True)
class Palette:
    """Every colour that the program uses, as `#rrggbb`; `series` are safe for colour-blind eyes (after Okabe and Ito)."""

    name: str
    dark: bool
    window: str
    panel: str
    raised: str
    """Controls, table headers, and the background of a chip."""
    text: str
    muted: str
    accent: str
    accent_text: str
    """Text on the accent colour."""
    border: str
    outline: str
    """Of fields and boxes to tick: stronger than the border of a card."""
    ok: str
    warn: str
    bad: str
    ok_tint: str
    warn_tint: str
    bad_tint: str
    accent_tint: str
    """A tenth of a colour on the panel: chips, the allowed range, the selected row, the slot that comes next."""
    plot_background: str
    plot_foreground: str
    grid: str
    series: tuple[str, ...]

    def colour(self, status: str) -> str:
        """Colour of a status word: ok/pass/info, warn/warning, bad/fail/error; anything else is muted."""
        table = {"pass": self.ok, "ok": self.ok, "warn": self.warn, "warning": self.warn}
        table |= {"bad": self.bad, "fail": self.bad, "error": self.bad, "info": self.accent}
        return table.get(status, self.muted)


LIGHT = Palette(
    name="light",
    dark=False,
    window="#f3f5f8",
    panel="#ffffff",
    raised="#eaeef3",
    text="#1b2129",
    muted="#5a6572",
    accent="#0b63b8",
    accent_text="#ffffff",
    border="#d0d7df",
    outline="#a3adb9",
    ok="#12734a",
    warn="#8a5a00",
    bad="#b3261e",
    ok_tint="#e8f3ee",
    warn_tint="#f7f0e2",
    bad_tint="#fbeae9",
    accent_tint="#e7f0f9",
    plot_background="#ffffff",
    plot_foreground="#3a444f",
    grid="#dfe4ea",
    series=("#0072b2", "#d55e00", "#009e73", "#b2528c", "#c08a00", "#3f9fd8", "#6b4fa0", "#5a6572"),
)

DARK = Palette(
    name="dark",
    dark=True,
    window="#14181d",
    panel="#1c2127",
    raised="#272e36",
    text="#e6eaef",
    muted="#9ba7b4",
    accent="#5aa9f2",
    accent_text="#0d1520",
    border="#363f4a",
    outline="#5b6774",
    ok="#56c596",
    warn="#e0b04a",
    bad="#f2857c",
    ok_tint="#1f3230",
    warn_tint="#372f25",
    bad_tint="#3a2a2c",
    accent_tint="#22364a",
    plot_background="#171b21",
    plot_foreground="#c3ccd6",
    grid="#2d353f",
    series=("#56b4e9", "#e8854a", "#2fc49a", "#dc94bf", "#e6b422", "#8fd0f5", "#a895e0", "#9ba7b4"),
)


def palette_for(name: str) -> Palette:
    """The palette of a theme; `system` follows the desktop (`QStyleHints.colorScheme`), unknown names are light."""
    if name == "dark":
        return DARK
    if name == "system":
        hints = QGuiApplication.styleHints()
        return DARK if hints is not None and hints.colorScheme() == Qt.ColorScheme.Dark else LIGHT
    return LIGHT


def font(size_pt: int = TYPE_BODY_PT, *, bold: bool = False, fixed: bool = False) -> QFont:
    """The program's font in one of the type sizes; `fixed` for numbers and log lines."""
    chosen = QFont(QApplication.font())
    if fixed:
        chosen.setFamilies(["DejaVu Sans Mono", "Consolas", "Menlo", "monospace"])
        chosen.setStyleHint(QFont.StyleHint.Monospace)
    chosen.setPointSize(size_pt)
    chosen.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    return chosen


def qt_palette(palette: Palette) -> QPalette:
    """The colours in Qt's roles, for everything that no style sheet touches."""
    qt = QPalette()
    role = QPalette.ColorRole
    for which, value in (
        (role.Window, palette.window),
        (role.WindowText, palette.text),
        (role.Base, palette.panel),
        (role.AlternateBase, palette.raised),
        (role.Text, palette.text),
        (role.PlaceholderText, palette.muted),
        (role.Button, palette.raised),
        (role.ButtonText, palette.text),
        (role.BrightText, palette.bad),
        (role.Highlight, palette.accent),
        (role.HighlightedText, palette.accent_text),
        (role.Link, palette.accent),
        (role.ToolTipBase, palette.panel),
        (role.ToolTipText, palette.text),
        (role.Light, palette.panel),
        (role.Midlight, palette.raised),
        (role.Mid, palette.border),
        (role.Dark, palette.border),
        (role.Shadow, palette.border),
    ):
        qt.setColor(which, QColor(value))
    for which in (role.WindowText, role.Text, role.ButtonText):
        qt.setColor(QPalette.ColorGroup.Disabled, which, QColor(palette.muted))
    qt.setColor(QPalette.ColorGroup.Disabled, role.Highlight, QColor(palette.border))
    return qt


def style_sheet(p: Palette) -> str:
    """What Fusion does not do by palette alone: cards, flat headers, quiet borders, one strong button.

    Properties choose the look: `role` (title, heading, muted, small, card, chip, primary, number), `status` (ok, warn, bad).
    """
    return f"""
    QWidget {{ font-size: {TYPE_BODY_PT}pt; }}
    QLabel[role="title"] {{ font-size: {TYPE_TITLE_PT}pt; font-weight: 600; }}
    QLabel[role="heading"] {{ font-size: {TYPE_HEADING_PT}pt; font-weight: 600; }}
    QLabel[role="strong"] {{ font-weight: 600; }}
    QLabel[role="muted"] {{ color: {p.muted}; }}
    QLabel[role="small"] {{ color: {p.muted}; font-size: {TYPE_SMALL_PT}pt; }}
    QLabel[status="ok"] {{ color: {p.ok}; }}
    QLabel[status="warn"] {{ color: {p.warn}; }}
    QLabel[status="bad"] {{ color: {p.bad}; }}
    QLabel[role="chip"] {{ background: {p.raised}; border: 1px solid {p.border}; border-radius: 9px; padding: 1px 8px; }}
    QFrame[role="card"] {{ background: {p.panel}; border: 1px solid {p.border}; border-radius: 6px; }}
    QFrame[role="card"][state="inviting"] {{ border-color: {p.accent}; }}
    QFrame[role="slot"] {{ background: {p.panel}; border: 2px dashed {p.outline}; border-radius: 6px; }}
    QFrame[role="slot"][state="next"] {{ background: {p.accent_tint}; border-color: {p.accent}; }}
    QFrame[role="slot"][state="filled"] {{ border: 1px solid {p.border}; }}
    QFrame[role="slot"][status="bad"] {{ border: 2px solid {p.bad}; }}
    QFrame[role="slot"][over="true"] {{ border: 2px solid {p.accent}; }}
    QFrame[role="bar"] {{ background: {p.panel}; border: none; }}
    QAbstractSpinBox {{ min-height: 20px; }}
    QFrame[role="line"] {{ background: {p.border}; border: none; max-height: 1px; min-height: 1px; }}
    QPushButton, QToolButton {{ background: {p.raised}; border: 1px solid {p.border}; border-radius: 4px; padding: 4px 10px; }}
    QToolButton {{ padding: 4px 6px; }}
    QPushButton:hover, QToolButton:hover {{ border-color: {p.accent}; }}
    QPushButton:focus, QToolButton:focus {{ border: 1px solid {p.accent}; }}
    QPushButton:pressed, QToolButton:pressed, QToolButton:checked, QPushButton:checked {{
        background: {p.border}; border-color: {p.accent}; }}
    QPushButton:disabled, QToolButton:disabled {{ color: {p.muted}; background: {p.window}; border-color: {p.border}; }}
    QPushButton[role="primary"] {{
        background: {p.accent}; color: {p.accent_text}; border-color: {p.accent}; font-weight: 600; padding: 5px 16px; }}
    QPushButton[role="primary"]:focus {{ border: 2px solid {p.text}; padding: 4px 15px; }}
    QPushButton[role="primary"]:disabled {{ background: {p.raised}; color: {p.muted}; border-color: {p.border}; }}
    QToolButton[role="flat"], QPushButton[role="flat"] {{ background: transparent; border-color: transparent; }}
    QToolButton[role="flat"]:hover, QPushButton[role="flat"]:hover, QToolButton[role="flat"]:focus {{
        border-color: {p.accent}; }}
    QPushButton[role="link"] {{ background: transparent; border: 1px solid transparent; color: {p.accent}; padding: 4px 4px; }}
    QPushButton[role="link"]:hover, QPushButton[role="link"]:focus {{ border-color: {p.accent}; }}
    QToolButton[role="fold"] {{
        background: transparent; border-color: transparent; font-size: {TYPE_HEADING_PT}pt; font-weight: 600; padding: 3px 6px; }}
    QToolButton[role="fold"]:hover, QToolButton[role="fold"]:focus {{ border-color: {p.accent}; }}
    QPushButton[role="segment"] {{ border-radius: 0; padding: 2px 10px; margin: 0; font-size: {TYPE_SMALL_PT}pt; }}
    QPushButton[role="segment"]:checked {{
        background: {p.accent}; color: {p.accent_text}; border-color: {p.accent}; font-weight: 600; }}
    QToolButton[role="place"] {{ background: transparent; border-color: transparent; font-size: {TYPE_BODY_PT}pt; padding: 5px 10px; }}
    QToolButton[role="place"]:hover, QToolButton[role="place"]:focus {{ border-color: {p.accent}; }}
    QToolButton[role="place"]:checked {{ background: {p.accent_tint}; color: {p.accent}; font-weight: 600; }}
    QToolBar {{ background: {p.panel}; border: none; border-bottom: 1px solid {p.border}; spacing: 4px; padding: 4px 8px; }}
    QToolBar QToolButton, QToolBar QToolButton:disabled {{ background: transparent; border-color: transparent; }}
    QToolBar QToolButton:hover, QToolBar QToolButton:focus {{ border-color: {p.accent}; }}
    QStatusBar {{ background: {p.panel}; border-top: 1px solid {p.border}; }}
    QStatusBar::item {{ border: none; }}
    QMenuBar {{ background: {p.panel}; }}
    QHeaderView::section {{
        background: {p.raised}; color: {p.muted}; border: none; border-bottom: 1px solid {p.border}; padding: 4px 8px; }}
    QTableView, QTreeView, QListView, QPlainTextEdit, QTextBrowser {{
        border: 1px solid {p.border}; border-radius: 4px; gridline-color: {p.grid}; }}
    QListView[role="bare"] {{ border: none; background: transparent; }}
    QGroupBox {{ border: 1px solid {p.border}; border-radius: 6px; margin-top: 10px; padding-top: 8px; }}
    QGroupBox::title {{ subcontrol-origin: margin; left: 8px; padding: 0 4px; color: {p.muted}; }}
    QScrollArea {{ border: none; background: transparent; }}
    QScrollArea > QWidget > QWidget {{ background: transparent; }}
    QScrollBar {{ background: transparent; border: none; }}
    QScrollBar:vertical {{ width: 12px; }}
    QScrollBar:horizontal {{ height: 12px; }}
    QScrollBar::handle {{ background: {p.border}; border-radius: 4px; margin: 2px; min-height: 24px; min-width: 24px; }}
    QScrollBar::handle:hover {{ background: {p.outline}; }}
    QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
    QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
    QProgressBar {{
        background: {p.raised}; border: 1px solid {p.border}; border-radius: 4px; text-align: center; min-height: 16px; }}
    QProgressBar::chunk {{ background: {p.accent}; border-radius: 3px; }}
    QSplitter::handle {{ background: transparent; }}
    QSplitter::handle:hover {{ background: {p.border}; }}
    QTabBar::tab {{ padding: 5px 12px; border: none; border-bottom: 2px solid transparent; color: {p.muted}; }}
    QTabBar::tab:selected {{ color: {p.text}; border-bottom-color: {p.accent}; }}
    QTabBar::tab:focus {{ color: {p.accent}; }}
    QTabWidget::pane {{ border: none; border-top: 1px solid {p.border}; }}
    QToolTip {{ background: {p.panel}; color: {p.text}; border: 1px solid {p.border}; padding: 4px; }}
    QDockWidget::title {{ background: {p.raised}; padding: 4px 8px; }}
    """


def apply_theme(app: QApplication, palette: Palette) -> None:
    """Give the whole application the colours of a palette."""
    # A style sheet wraps the style, so that its name cannot be asked for later; setting it again costs 0.2 s.
    if not app.property("fusion"):
        app.setStyle("Fusion")
        app.setProperty("fusion", True)
    colours = qt_palette(palette)
    app.setPalette(colours)
    # Fusion draws the outline of fields in the window's colour darkened by 1.4, which nobody sees on a dark window.
    fields = QPalette(colours)
    fields.setColor(QPalette.ColorRole.Window, QColor(palette.outline).lighter(140))
    for name in ("QLineEdit", "QAbstractSpinBox", "QCheckBox", "QRadioButton", "QSlider", "QAbstractItemView"):
        app.setPalette(fields, name)  # type: ignore[arg-type]  # the stubs want bytes, Qt for Python a string
    sheet = style_sheet(palette)
    if app.styleSheet() != sheet:
        app.setStyleSheet(sheet)
