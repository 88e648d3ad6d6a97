"""Tables of which a person chooses whole rows: runs, entries of the logbook."""

from __future__ import annotations

from PySide6.QtWidgets import QAbstractItemView, QTableView

from cassi_gui.style.theme import ROW_HEIGHT
from cassi_gui.widgets.cell_editor import CellEditor


def show_whole_rows(table: QTableView, mode: QAbstractItemView.SelectionMode) -> None:
    """Rows without a grid and without numbers, chosen as a whole; Tab leaves the table."""
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(mode)
    table.setTabKeyNavigation(False)
    table.setItemDelegate(CellEditor(table))
    table.setShowGrid(False)
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
    table.horizontalHeader().setHighlightSections(False)
    table.horizontalHeader().setStretchLastSection(True)
