"""Four plots in two rows that share the room; any of them can be shown alone and put back."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSplitter, QWidget

from cassi_gui.style.theme import SPACE


class PlotMosaic(QSplitter):
    """Rows of widgets with movable borders. A widget that emits `enlarge_requested` is shown alone, and again with the rest."""

    def __init__(self, name: str, rows: Sequence[Sequence[QWidget]], parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Vertical, parent)
        self.setObjectName(name)
        self.setChildrenCollapsible(False)
        self.setHandleWidth(SPACE)
        self._cells: list[tuple[QSplitter, QWidget]] = []
        self._alone: QWidget | None = None
        for index, widgets in enumerate(rows):
            row = QSplitter(Qt.Orientation.Horizontal)
            row.setObjectName(f"{name}_row_{index}")
            row.setChildrenCollapsible(False)
            row.setHandleWidth(SPACE)
            for widget in widgets:
                row.addWidget(widget)
                row.setStretchFactor(row.count() - 1, 1)
                self._cells.append((row, widget))
            self.addWidget(row)
            self.setStretchFactor(index, 1)
        self.even_out()

    def even_out(self) -> None:
        """Give every cell the same room."""
        for row in {id(r): r for r, _ in self._cells}.values():
            row.setSizes([1000] * row.count())
        self.setSizes([1000] * self.count())

    def watch(self, source: QWidget, cell: QWidget | None = None) -> None:
        """Let `source.enlarge_requested` enlarge a cell (itself, or the cell that holds it)."""
        source.allow_enlarge()  # type: ignore[attr-defined]
        source.enlarge_requested.connect(partial(self.toggle_alone, cell or source))  # type: ignore[attr-defined]

    @property
    def alone(self) -> QWidget | None:
        """The widget that is shown alone, or None."""
        return self._alone

    def toggle_alone(self, cell: QWidget) -> None:
        """Show one cell alone, or all of them again."""
        self._alone = None if self._alone is cell else cell
        for row in {id(r): r for r, _ in self._cells}.values():
            row.setVisible(self._alone is None or any(r is row and w is self._alone for r, w in self._cells))
        for _, widget in self._cells:
            widget.setVisible(self._alone is None or widget is self._alone)
        # A row with nothing to show takes no room; it learns only later, too late for new sizes, that it has something again.
        for splitter in (*{id(r): r for r, _ in self._cells}.values(), self):
            splitter.refresh()
