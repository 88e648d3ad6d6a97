"""The runs of this session side by side: verdict, residuals, every refined parameter, what was decided about them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QItemSelection, QModelIndex, QPersistentModelIndex, Qt, Signal, Slot
from PySide6.QtGui import QBrush, QColor, QFont, QIcon
from PySide6.QtWidgets import QAbstractItemView, QTableView, QWidget

from cassi_core.parameters import GEOMETRY_NAMES, format_value
from cassi_core.result import CalibrationResult
from cassi_gui.style.icons import make_row_icon
from cassi_gui.style.theme import LIGHT, Palette
from cassi_gui.widgets.whole_rows import show_whole_rows

Index = QModelIndex | QPersistentModelIndex
ICONS = {"pass": "ok", "warn": "warn", "fail": "bad"}
FIRST = ("Run", "Decision", "Verdict", "Not explained", "Unseen pixels")
LAST = ("Seconds", "Finished", "Note")


@dataclass(frozen=True, eq=False)
class RunEntry:
    """A line of the table: the run, and what was decided about it (accepted, rejected, or nothing)."""

    id: int
    name: str
    result: CalibrationResult
    when: datetime
    note: str = ""
    decision: str = ""
    extra: tuple[str, ...] = field(default=())


class RunModel(QAbstractTableModel):
    """Table of runs; the parameter columns are those that any of the runs refined."""

    note_edited = Signal(int, str)
    name_edited = Signal(int, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entries: tuple[RunEntry, ...] = ()
        self._names: tuple[str, ...] = ()
        self._palette = LIGHT
        self._icons: dict[str, QIcon] = {}

    @property
    def columns(self) -> tuple[str, ...]:
        return (*FIRST, *self._names, *LAST)

    def set_entries(self, entries: Sequence[RunEntry]) -> None:
        self.beginResetModel()
        self._entries = tuple(entries)
        used = {n for e in entries for n in e.result.parameters.refined}
        self._names = tuple(n for n in GEOMETRY_NAMES if n in used)
        self.endResetModel()

    def set_palette(self, palette: Palette) -> None:
        self._palette = palette
        self._icons = {s: make_row_icon(ICONS[s], palette, palette.colour(s)) for s in ICONS}
        if self._entries:
            self.dataChanged.emit(self.index(0, 0), self.index(self.rowCount() - 1, self.columnCount() - 1))

    def entry(self, row: int) -> RunEntry:
        return self._entries[row]

    def row_of(self, run_id: int | None) -> int:
        return next((i for i, e in enumerate(self._entries) if e.id == run_id), -1)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - the signature of Qt
        return 0 if parent.isValid() else len(self._entries)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - the signature of Qt
        return 0 if parent.isValid() else len(self.columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        column = self.columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column
        if role == Qt.ItemDataRole.ToolTipRole:
            return {
                "Not explained": "Share of the light that the fit cannot explain, before and after (residual; lower is better)",
                "Unseen pixels": "The same on pixels that the fit did not see (held-out residual)",
            }.get(column)
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return flags | Qt.ItemFlag.ItemIsEditable if self.columns[index.column()] in ("Note", "Run") else flags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        entry, column = self._entries[index.row()], self.columns[index.column()]
        roles = Qt.ItemDataRole
        if role in (roles.DisplayRole, roles.EditRole, roles.ToolTipRole):
            return self.text(entry, column)
        if role == roles.DecorationRole and column == "Verdict":
            return self._icons.get(entry.result.verdict.status)
        if role == roles.TextAlignmentRole and column not in ("Run", "Decision", "Verdict", "Note"):
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role == roles.FontRole and entry.decision == "accepted":
            font = QFont()
            font.setBold(True)
            return font
        if role == roles.ForegroundRole and entry.decision == "rejected":
            return QBrush(QColor(self._palette.muted))
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.EditRole:
            return False
        entry, column = self._entries[index.row()], self.columns[index.column()]
        text = str(value).strip()
        if column == "Note" and text != entry.note:
            self.note_edited.emit(entry.id, text)
        elif column == "Run" and text and text != entry.name:
            self.name_edited.emit(entry.id, text)
        return True

    @staticmethod
    def text(entry: RunEntry, column: str) -> str:
        """A cell in words."""
        result, scores = entry.result, entry.result.scores
        if column in GEOMETRY_NAMES:
            p = result.parameters[column]
            return format_value(p.value, p.sigma, p.unit, p.spec.digits) if p.refine else f"held at {p.value:g}"
        if column == "Unseen pixels":
            return _pair(scores.held_out_before, scores.held_out_after)
        return {
            "Run": entry.name,
            "Decision": entry.decision or "open",
            "Verdict": result.verdict.status,
            "Not explained": _pair(scores.residual_before, scores.residual_after),
            "Seconds": f"{result.seconds_total:.1f}",
            "Finished": f"{entry.when:%H:%M:%S}",
            "Note": entry.note,
        }[column]


def _pair(before: float | None, after: float | None) -> str:
    if before is None or after is None or not (math.isfinite(before) and math.isfinite(after)):
        return "not computed"
    return f"{before:.4f} \N{RIGHTWARDS ARROW} {after:.4f}"


class RunList(QTableView):
    """Comparison table; `chosen` carries the id of the run to look at, notes and names are edited in place."""

    chosen = Signal(int)
    note_edited = Signal(int, str)
    name_edited = Signal(int, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("run_list")
        self.setAccessibleName("Runs of this session")
        self.setToolTip("Select a run to look at it; double-click its name or note to change them")
        self.run_model = RunModel(self)
        self.run_model.note_edited.connect(self.note_edited)
        self.run_model.name_edited.connect(self.name_edited)
        self.setModel(self.run_model)
        show_whole_rows(self, QAbstractItemView.SelectionMode.SingleSelection)
        self._quiet = False
        self.selectionModel().selectionChanged.connect(self._selection_changed)

    def set_runs(self, entries: Sequence[RunEntry], current_id: int | None) -> None:
        """Show the runs, the current one selected."""
        self._quiet = True
        self.run_model.set_entries(entries)
        row = self.run_model.row_of(current_id)
        if row >= 0:
            self.selectRow(row)
        self.resizeColumnsToContents()
        self._quiet = False

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self.run_model.set_palette(palette)

    @Slot(QItemSelection, QItemSelection)
    def _selection_changed(self, selected: QItemSelection, _before: QItemSelection) -> None:
        rows = selected.indexes()
        if rows and not self._quiet:
            self.chosen.emit(self.run_model.entry(rows[0].row()).id)
