"""The entries of the logbook as a table: when, which rig, what was found, verdict, drift, note."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QBrush, QColor, QFont, QIcon
from PySide6.QtWidgets import QAbstractItemView, QTableView, QWidget

from cassi_core.logbook.drift import Judgement, drift_reasons
from cassi_core.logbook.entry import LogEntry, local_day
from cassi_core.parameters import PARAMETER_NAMES, SPECS, format_value
from cassi_gui.style.icons import make_row_icon
from cassi_gui.style.theme import HALF_SPACE, LIGHT, Palette
from cassi_gui.widgets.run_list import ICONS
from cassi_gui.widgets.whole_rows import show_whole_rows

Index = QModelIndex | QPersistentModelIndex
FIRST = ("Entry", "Calibrated", "Rig", "Verdict", "Drift")
LAST = ("Note",)
EDITABLE = ("Rig", "Note")
NOTE_WIDTH = 90


class LogbookModel(QAbstractTableModel):
    """Table of entries, the newest first; the parameter columns are those that any of them refined."""

    note_edited = Signal(int, str)
    rig_edited = Signal(int, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entries: tuple[LogEntry, ...] = ()
        self._judged: Mapping[int, Sequence[Judgement]] = {}
        self._names: tuple[str, ...] = ()
        self._palette = LIGHT
        self._icons: dict[str, QIcon] = {}
        self._drift_icon = QIcon()

    @property
    def columns(self) -> tuple[str, ...]:
        return (*FIRST, *self._names, *LAST)

    def set_entries(self, entries: Sequence[LogEntry], judged: Mapping[int, Sequence[Judgement]]) -> None:
        self.beginResetModel()
        self._entries, self._judged = tuple(reversed(entries)), judged
        self._names = tuple(n for n in PARAMETER_NAMES if any(e.refined(n) for e in entries))
        self.endResetModel()

    def set_palette(self, palette: Palette) -> None:
        self._palette = palette
        self._icons = {s: make_row_icon(ICONS[s], palette, palette.colour(s)) for s in ICONS}
        self._drift_icon = make_row_icon("warn", palette, palette.bad)
        if self._entries:
            self.dataChanged.emit(self.index(0, 0), self.index(self.rowCount() - 1, self.columnCount() - 1))

    def entry(self, row: int) -> LogEntry:
        return self._entries[row]

    def row_of(self, entry_id: int | None) -> int:
        return next((i for i, e in enumerate(self._entries) if e.id == entry_id), -1)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - the signature of Qt
        return 0 if parent.isValid() else len(self._entries)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - the signature of Qt
        return 0 if parent.isValid() else len(self.columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        column = self.columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            unit = SPECS[column].unit if column in SPECS else ""
            return f"{column} ({unit})" if unit else column
        if role == Qt.ItemDataRole.ToolTipRole:
            return (
                SPECS[column].description
                if column in SPECS
                else {"Drift": "Parameters that left their limits or moved"}.get(column)
            )
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return flags | Qt.ItemFlag.ItemIsEditable if self.columns[index.column()] in EDITABLE else flags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        entry, column = self._entries[index.row()], self.columns[index.column()]
        roles = Qt.ItemDataRole
        if role in (roles.DisplayRole, roles.EditRole):
            return self.text(entry, column)
        if role == roles.ToolTipRole:
            reasons = drift_reasons(self._judged.get(entry.id, ()))
            return "\n".join(reasons) if column == "Drift" and reasons else self.text(entry, column)
        if role == roles.DecorationRole and column == "Verdict":
            return self._icons.get(entry.verdict.status)
        if role == roles.DecorationRole and column == "Drift" and self._drifting(entry):
            return self._drift_icon
        if role == roles.TextAlignmentRole and (column in SPECS or column == "Entry"):
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if not entry.in_force and role == roles.ForegroundRole:
            return QBrush(QColor(self._palette.muted))
        if not entry.in_force and role == roles.FontRole:
            font = QFont()
            font.setStrikeOut(column != "Drift")
            return font
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.EditRole:
            return False
        entry, column = self._entries[index.row()], self.columns[index.column()]
        text = str(value).strip()
        if column == "Note" and text != entry.note:
            self.note_edited.emit(entry.id, text)
        elif column == "Rig" and text and text != entry.rig:
            self.rig_edited.emit(entry.id, text)
        return True

    def _drifting(self, entry: LogEntry) -> list[str]:
        return [j.parameter for j in self._judged.get(entry.id, ()) if j.drifts] if entry.in_force else []

    def text(self, entry: LogEntry, column: str) -> str:
        """A cell in words."""
        if column in SPECS:
            found = entry.parameters.get(column)
            if found is None or not found.refined:
                return "held"
            return format_value(found.value, found.sigma, "", SPECS[column].digits)
        return {
            "Entry": str(entry.id),
            "Calibrated": local_day(entry.calibrated),
            "Rig": entry.rig,
            "Verdict": entry.verdict.status,
            "Drift": ", ".join(self._drifting(entry)) if entry.in_force else "withdrawn",
            "Note": entry.note,
        }[column]


class LogbookTable(QTableView):
    """The entries; `chosen` carries the number of the selected one (0: none), notes and rigs are edited in place."""

    chosen = Signal(int)
    note_edited = Signal(int, str)
    rig_edited = Signal(int, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("logbook_table")
        self.setAccessibleName("Entries of the logbook")
        self.setToolTip("Select an entry to see it below; double-click its rig or note to change them")
        self.entries_model = LogbookModel(self)
        self.entries_model.note_edited.connect(self.note_edited)
        self.entries_model.rig_edited.connect(self.rig_edited)
        self.setModel(self.entries_model)
        show_whole_rows(self, QAbstractItemView.SelectionMode.ExtendedSelection)
        self.selectionModel().selectionChanged.connect(self._selection_changed)

    def set_entries(self, entries: Sequence[LogEntry], judged: Mapping[int, Sequence[Judgement]]) -> None:
        """Show entries given the oldest first; the selection stays with its entries."""
        before = self.selected
        blocked = self.selectionModel().blockSignals(True)
        self.entries_model.set_entries(entries, judged)
        for entry_id in before:
            row = self.entries_model.row_of(entry_id)
            if row >= 0:
                self.select_entry(entry_id, only=False)
        self.selectionModel().blockSignals(blocked)
        self.resizeColumnsToContents()
        for column in range(self.entries_model.columnCount()):
            self.setColumnWidth(column, self.columnWidth(column) + HALF_SPACE)
        # The last column takes what is left, and no more: its longest note must not call for a scroll bar.
        self.horizontalHeader().resizeSection(self.entries_model.columnCount() - 1, NOTE_WIDTH)
        if self.selected != before:
            self.chosen.emit(self.selected[0] if self.selected else 0)

    def select_entry(self, entry_id: int, *, only: bool = True) -> None:
        """Select an entry, alone or with the others."""
        row = self.entries_model.row_of(entry_id)
        if row < 0:
            return
        flag = QItemSelectionModel.SelectionFlag.ClearAndSelect if only else QItemSelectionModel.SelectionFlag.Select
        self.selectionModel().select(self.entries_model.index(row, 0), flag | QItemSelectionModel.SelectionFlag.Rows)
        if only:
            self.scrollTo(self.entries_model.index(row, 0))

    @property
    def selected(self) -> tuple[int, ...]:
        """Numbers of the selected entries, the newest first."""
        rows = sorted(index.row() for index in self.selectionModel().selectedRows())
        return tuple(self.entries_model.entry(row).id for row in rows)

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self.entries_model.set_palette(palette)

    @Slot(QItemSelection, QItemSelection)
    def _selection_changed(self, _selected: QItemSelection, _before: QItemSelection) -> None:
        self.chosen.emit(self.selected[0] if self.selected else 0)
