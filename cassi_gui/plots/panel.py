"""What all plots have in common: a title, the values under the cursor, an empty state, a menu to save and copy, a theme."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pyqtgraph as pg
from PySide6.QtCore import QPoint, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QStackedLayout, QToolButton, QVBoxLayout, QWidget

from cassi_gui.plots import export
from cassi_gui.plots.axes import NumberAxis
from cassi_gui.plots.style import style_axes
from cassi_gui.style.elided import ElidedLabel
from cassi_gui.style.theme import HALF_SPACE, LIGHT, Palette

FORMATS = (("png", "Save picture (PNG)..."), ("svg", "Save drawing (SVG)..."), ("csv", "Save numbers (CSV)..."))


class PlotView(pg.GraphicsLayoutWidget):  # type: ignore[misc]
    """The drawing of a plot; keys that plots have no use for go on to the window."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        super().keyPressEvent(event)
        if event.key() == Qt.Key.Key_Space:
            event.ignore()


class PlotPanel(QWidget):
    """Base of every plot. It takes data through methods and asks for files through `export_requested` (a PlotExport)."""

    export_requested = Signal(object)
    enlarge_requested = Signal()

    def __init__(self, name: str, title: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._palette: Palette = LIGHT
        self._title = QLabel(title)
        self._title.setProperty("role", "heading")
        self._title.setObjectName(f"{name}_title")
        self._detail = ElidedLabel()
        self._detail.setProperty("role", "small")
        self._detail.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._detail.setObjectName(f"{name}_detail")
        self.graphics = PlotView()
        self.graphics.setObjectName(f"{name}_plot")
        self.graphics.setAccessibleName(title or name)
        self.graphics.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.graphics.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.graphics.customContextMenuRequested.connect(self._open_menu)
        self.graphics.ci.layout.setContentsMargins(4, 4, 4, 4)
        self._plots: list[pg.PlotItem] = []
        self._can_enlarge = False
        self._build_frame(name)
        self.set_title(title)

    def _build_frame(self, name: str) -> None:
        self.menu = QMenu(self)
        self.menu.setObjectName(f"{name}_menu")
        for kind, text in FORMATS:
            self.menu.addAction(text).triggered.connect(partial(self._request, kind))
        self.menu.addSeparator()
        self.menu.addAction("Copy picture").triggered.connect(self._copy_picture)
        self.menu.addAction("Copy numbers").triggered.connect(self._copy_numbers)
        self._menu_button = QToolButton()
        self._menu_button.setText("\N{HORIZONTAL ELLIPSIS}")
        self._menu_button.setProperty("role", "flat")
        self._menu_button.setObjectName(f"{name}_menu_button")
        self._menu_button.setMenu(self.menu)
        self._menu_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._menu_button.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        self._enlarge_button = QToolButton()
        self._enlarge_button.setText("\N{SQUARE WITH UPPER RIGHT DIAGONAL HALF BLACK}")
        self._enlarge_button.setProperty("role", "flat")
        self._enlarge_button.setObjectName(f"{name}_enlarge_button")
        self._enlarge_button.clicked.connect(self.enlarge_requested)
        self._enlarge_button.hide()

        self.header = QHBoxLayout()
        self.header.setSpacing(HALF_SPACE)
        self.header.addWidget(self._title)
        self.header.addWidget(self._detail, 1)
        self.header.addWidget(self._enlarge_button)
        self.header.addWidget(self._menu_button)
        self._empty = QLabel()
        self._empty.setObjectName(f"{name}_empty")
        self._empty.setProperty("role", "muted")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setWordWrap(True)
        self._empty.setMargin(16)
        self.below = QVBoxLayout()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(HALF_SPACE)
        outer.addLayout(self.header)
        # In the layout before it is filled: a stacked layout shows its first widget, which without a parent would be a window.
        self._stack = QStackedLayout()
        outer.addLayout(self._stack, 1)
        self._stack.addWidget(self.graphics)
        self._stack.addWidget(self._empty)
        outer.addLayout(self.below)

    # -- what pages call ------------------------------------------------------------------------------------------
    def set_title(self, title: str) -> None:
        """Name the plot, on the screen, for screen readers and in files."""
        self._title.setText(title)
        self._title.setVisible(bool(title))
        for widget, what in ((self.graphics, ""), (self._menu_button, "Save or copy: "), (self._enlarge_button, "Enlarge: ")):
            widget.setAccessibleName(what + (title or self.objectName()))
        self._menu_button.setToolTip(f"Save or copy this plot ({title})" if title else "Save or copy this plot")
        self._enlarge_button.setToolTip("Show this plot alone, or all of them again")

    @property
    def title(self) -> str:
        return self._title.text()

    def set_detail(self, text: str) -> None:
        """Text to the right of the title: the values under the cursor."""
        self._detail.set_full_text(text)

    def settle(self) -> None:
        """Work out the ranges of the axes before the next painting: one that does it by itself is followed by a second one."""
        self.graphics.scene().prepareForPaint()

    def set_empty(self, text: str) -> None:
        """Say in words why there is nothing to see and what to do; an empty string shows the plot again."""
        self._empty.setText(text)
        self._stack.setCurrentIndex(1 if text else 0)
        self._menu_button.setVisible(not text)
        self._enlarge_button.setVisible(not text and self._can_enlarge)

    @property
    def empty_text(self) -> str:
        """The words shown instead of the plot, or an empty string."""
        return self._empty.text()

    def allow_enlarge(self) -> None:
        """Show the button that emits `enlarge_requested`."""
        self._can_enlarge = True
        self._enlarge_button.setVisible(not self.empty_text)

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self._palette = palette
        self.graphics.setBackground(palette.plot_background)
        self._empty.setStyleSheet(
            f"color: {palette.muted}; background: {palette.panel}; border: 1px solid {palette.border}; border-radius: 6px;"
        )
        for plot in self._plots:
            style_axes(plot, palette, grid=plot.property("with_grid") is not False)
        self._repaint()

    def table(self) -> export.Table:
        """The numbers behind the plot, for CSV."""
        return export.Table((), ())

    # -- for subclasses -------------------------------------------------------------------------------------------
    def _repaint(self) -> None:
        """Give the subclass's own items the colours of `self._palette`."""

    def _add_plot(self, row: int, col: int, *, grid: bool = True, axes: dict[str, pg.AxisItem] | None = None) -> pg.PlotItem:
        # Without the menus of pyqtgraph, which are never shown and take most of the time to build.
        items = {"left": NumberAxis("left"), "bottom": NumberAxis("bottom")} | (axes or {})
        plot = self.graphics.addPlot(row, col, viewBox=pg.ViewBox(enableMenu=False), enableMenu=False, axisItems=items)
        plot.hideButtons()
        plot.setProperty("with_grid", grid)
        self._plots.append(plot)
        style_axes(plot, self._palette, grid=grid)
        return plot

    # -- saving ---------------------------------------------------------------------------------------------------
    def write(self, kind: str, path: Path) -> None:
        """Write the plot as `png`, `svg` or its numbers as `csv`."""
        if kind == "csv":
            export.write_csv(path, self.table())
            return
        writer = export.write_png if kind == "png" else export.write_svg
        writer(path, self.graphics, self.title, self._palette.plot_background, self._palette.plot_foreground)

    def file_name(self) -> str:
        """A name to propose for files of this plot, without an ending."""
        words = (self.title or self.objectName()).lower()
        return "-".join("".join(c if c.isalnum() else " " for c in words).split())

    def _request(self, kind: str, _checked: bool = False) -> None:
        table = self.table() if kind == "csv" else None
        self.export_requested.emit(export.PlotExport(kind, f"{self.file_name()}.{kind}", partial(self.write, kind), table))

    @Slot()
    def _copy_picture(self) -> None:
        export.copy_picture(
            export.picture(self.graphics, self.title, self._palette.plot_background, self._palette.plot_foreground)
        )

    @Slot()
    def _copy_numbers(self) -> None:
        table = self.table()
        if table.size <= export.SHORT_CELLS:
            export.copy_text(export.csv_text(table))
        else:
            self.export_requested.emit(export.PlotExport("copy", "", partial(self.write, "csv"), table))

    @Slot(QPoint)
    def _open_menu(self, position: QPoint) -> None:
        if not self.empty_text:
            self.menu.popup(self.graphics.mapToGlobal(position))
