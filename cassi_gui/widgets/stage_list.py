"""The stages of a run: what is done, what runs (bold), what waits (grey), with counts; choosing one shows its plots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from cassi_gui.style.icons import make_icon
from cassi_gui.style.theme import ICON_PX, LIGHT, Palette, font

ROW_PX = 20
LEAST_ROWS = 4
"""In a small window the list keeps so many rows and scrolls to the one that runs."""


@dataclass(frozen=True)
class StageLine:
    """One line: name of the stage, its words, `waiting`, `running` or `done`, and how far it is."""

    name: str
    label: str
    state: str
    count: str


class StageList(QTableWidget):
    """Emits `chosen(name)` when a person picks a stage by mouse or keys."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, 2, parent)
        self.setObjectName("stage_list")
        self.setAccessibleName("Stages")
        self.setToolTip("Stages of the run; choose one to see its plots")
        self._lines: tuple[StageLine, ...] = ()
        self._palette: Palette = LIGHT
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setIconSize(QSize(ICON_PX, ICON_PX))
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setTabKeyNavigation(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setWordWrap(False)
        self.horizontalHeader().hide()
        self.verticalHeader().hide()
        self.verticalHeader().setMinimumSectionSize(16)
        self.verticalHeader().setDefaultSectionSize(ROW_PX)
        self.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.itemSelectionChanged.connect(self._on_selection)

    @property
    def lines(self) -> tuple[StageLine, ...]:
        """The lines on show."""
        return self._lines

    def set_lines(self, lines: Sequence[StageLine]) -> None:
        """Show the stages of a run as they stand."""
        if tuple(lines) == self._lines:
            return
        renamed = [line.name for line in lines] != [line.name for line in self._lines]
        self._lines = tuple(lines)
        if renamed:
            self.blockSignals(True)
            self.setRowCount(len(lines))
            self.clearSelection()
            self.blockSignals(False)
            self.setMaximumHeight(max(1, len(lines)) * ROW_PX + 2)
            self.setMinimumHeight(min(max(1, len(lines)), LEAST_ROWS) * ROW_PX + 2)
        self._write()

    def show_chosen(self, name: str) -> None:
        """Mark the stage whose plots are on show."""
        rows = [line.name for line in self._lines]
        self.blockSignals(True)
        if name in rows:
            self.selectRow(rows.index(name))
        else:
            self.clearSelection()
        self.blockSignals(False)

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self._palette = palette
        self.setStyleSheet(
            "QTableView { border: none; background: transparent; outline: none; }"
            f"QTableView::item:selected {{ background: {palette.accent_tint}; color: {palette.accent}; }}"
        )
        self._write()

    def _write(self) -> None:
        p = self._palette
        running = next((row for row, line in enumerate(self._lines) if line.state == "running"), None)
        icons = {"done": make_icon("ok", p, p.ok), "running": make_icon("run", p, p.accent)}
        self.blockSignals(True)
        for row, line in enumerate(self._lines):
            colour = {"running": p.accent, "waiting": p.muted}.get(line.state, p.text)
            for column, text in enumerate((line.label, line.count)):
                item = self.item(row, column) or QTableWidgetItem()
                item.setText(text)
                item.setToolTip(f"{line.label}: {line.count}")
                item.setForeground(QColor(colour if column == 0 or line.state == "running" else p.muted))
                item.setFont(font(bold=line.state == "running"))
                if column == 0:
                    item.setIcon(icons.get(line.state, make_icon("remove", p, p.panel)))
                else:
                    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                if self.item(row, column) is None:
                    self.setItem(row, column, item)
        self.blockSignals(False)
        if running is not None:
            self.scrollTo(self.model().index(running, 0))

    @Slot()
    def _on_selection(self) -> None:
        rows = self.selectionModel().selectedRows()
        if rows and rows[0].row() < len(self._lines):
            self.chosen.emit(self._lines[rows[0].row()].name)
