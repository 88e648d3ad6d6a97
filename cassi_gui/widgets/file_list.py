"""A list of files to tick, in groups: exact name, meaning, a note (warning, reason, or how it was read back), size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QColor, QIcon, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from cassi_gui.style.icons import make_icon
from cassi_gui.style.theme import LIGHT, TYPE_SMALL_PT, Palette, font

NAME, MEANING, NOTE, SIZE = range(4)
LEAST_ROW_PX, ROW_PX = 19, 26
State = Literal["", "impossible", "written", "failed"]


@dataclass(frozen=True)
class FileLine:
    """One file as it stands in the list; `state`: can be ticked, cannot be written, was written, could not be written."""

    id: str
    group: str
    name: str
    meaning: str
    note: str
    size: str
    ticked: bool
    state: State = ""


class FileList(QTableWidget):
    """Emits `ticked(id, on)` when a person ticks a file or takes the tick away; Space does it too."""

    ticked = Signal(str, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, 4, parent)
        self.setObjectName("file_list")
        self.setAccessibleName("Files to write")
        self.setToolTip("Tick the files to write (Space)")
        self._lines: tuple[FileLine, ...] = ()
        self._rows: list[FileLine | None] = []
        """The file of each row; None for the heading of a group."""
        self._palette: Palette = LIGHT
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setTabKeyNavigation(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.horizontalHeader().hide()
        self.verticalHeader().hide()
        self.verticalHeader().setMinimumSectionSize(LEAST_ROW_PX)
        header = self.horizontalHeader()
        for column in (NAME, NOTE, SIZE):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(MEANING, QHeaderView.ResizeMode.Stretch)
        self.itemChanged.connect(self._on_item)

    @property
    def lines(self) -> tuple[FileLine, ...]:
        """The files on show."""
        return self._lines

    def set_lines(self, lines: Sequence[FileLine]) -> None:
        """Show files, those of a group behind each other."""
        self._lines = tuple(lines)
        rows: list[FileLine | None] = []
        headings: dict[int, str] = {}
        for line in lines:
            if line.group not in headings.values():
                headings[len(rows)] = line.group
                rows.append(None)
            rows.append(line)
        self._rows = rows
        self.blockSignals(True)
        self.setRowCount(len(rows))
        for row, file in enumerate(rows):
            if file is None:
                self._write_heading(row, headings[row])
            else:
                self._write_line(row, file)
        self.blockSignals(False)
        self._fit_rows()

    def item_of(self, file_id: str) -> QTableWidgetItem:
        """The cell that is ticked for a file."""
        row = next(i for i, line in enumerate(self._rows) if line is not None and line.id == file_id)
        return self._cell(row, NAME)

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self._palette = palette
        self.set_lines(self._lines)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_rows()

    def _fit_rows(self) -> None:
        """Rows come closer together, down to a least height, so that the whole list is seen."""
        room = self.viewport().height() // max(1, self.rowCount())
        self.verticalHeader().setDefaultSectionSize(min(max(room, LEAST_ROW_PX), ROW_PX))

    def _cell(self, row: int, column: int) -> QTableWidgetItem:
        item = self.item(row, column)
        if item is None:
            item = QTableWidgetItem()
            self.setItem(row, column, item)
        return item

    def _write_heading(self, row: int, group: str) -> None:
        members = [line for line in self._lines if line.group == group]
        count = f"{sum(line.ticked for line in members)} of {len(members)}"
        for column, text in enumerate((group, "", "", count)):
            item = self._cell(row, column)
            item.setText(text)
            item.setData(Qt.ItemDataRole.CheckStateRole, None)
            item.setFlags(Qt.ItemFlag.ItemIsEnabled)
            item.setBackground(QColor(self._palette.raised))
            item.setForeground(QColor(self._palette.text if column == NAME else self._palette.muted))
            item.setFont(font(bold=True) if column == NAME else font(TYPE_SMALL_PT))
            item.setToolTip("")
            self._align(item, column)

    def _write_line(self, row: int, line: FileLine) -> None:
        p = self._palette
        possible = line.state != "impossible"
        flags = Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEnabled
        notes = {"written": p.ok, "failed": p.bad, "impossible": p.muted}
        for column, text in enumerate((line.name, line.meaning, line.note, line.size)):
            item = self._cell(row, column)
            item.setText(text)
            item.setFlags(flags | Qt.ItemFlag.ItemIsUserCheckable if column == NAME and possible else flags)
            item.setBackground(QColor(p.panel))
            strong = column == NAME or (column == MEANING and line.ticked)
            item.setForeground(
                QColor(notes.get(line.state, p.warn) if column == NOTE else p.text if strong and possible else p.muted)
            )
            item.setFont(font(bold=line.ticked) if column == NAME else font())
            item.setToolTip(" \N{EN DASH} ".join(part for part in (line.name, line.meaning, line.note) if part))
            self._align(item, column)
        icon = {"written": ("ok", p.ok), "failed": ("bad", p.bad)}.get(line.state)
        self._cell(row, NOTE).setIcon(make_icon(icon[0], p, icon[1]) if icon else QIcon())
        self._cell(row, NAME).setCheckState(Qt.CheckState.Checked if line.ticked else Qt.CheckState.Unchecked)
        if not possible:
            self._cell(row, NAME).setFlags(Qt.ItemFlag.ItemIsSelectable)

    @staticmethod
    def _align(item: QTableWidgetItem, column: int) -> None:
        side = Qt.AlignmentFlag.AlignRight if column == SIZE else Qt.AlignmentFlag.AlignLeft
        item.setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)

    @Slot(QTableWidgetItem)
    def _on_item(self, item: QTableWidgetItem) -> None:
        line = self._rows[item.row()]
        on = item.checkState() == Qt.CheckState.Checked
        if item.column() == NAME and line is not None and on != line.ticked:
            self.ticked.emit(line.id, on)
