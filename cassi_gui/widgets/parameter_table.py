"""The parameters as a table to edit: value, whether it is refined, bounds, unit, meaning; red and in words on a bound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QLocale, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QDoubleValidator, QFont, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QLineEdit, QTableView, QWidget

from cassi_core.parameters import BOUND_TOLERANCE, Parameter, ParameterSet
from cassi_gui.style.theme import LIGHT, ROW_HEIGHT, Palette
from cassi_gui.widgets.cell_editor import CellEditor

Index = QModelIndex | QPersistentModelIndex
COLUMNS = ("Parameter", "Value", "Refine", "Lower", "Upper", "Unit", "Meaning")
NAME, VALUE, REFINE, LOWER, UPPER, UNIT, MEANING = range(7)
MEANING_WIDTH = 120
EDITABLE = {VALUE: "value", LOWER: "lower", UPPER: "upper"}


@dataclass(frozen=True)
class ParameterEdit:
    """What a person typed or ticked: parameter, field (value, lower, upper, refine), new content."""

    name: str
    field: str
    content: float | bool


def bound_words(p: Parameter) -> str:
    """`on its upper bound` when a refined value lies on a bound, else nothing."""
    if not p.at_bound:
        return ""
    near_upper = p.value >= p.upper - BOUND_TOLERANCE * (p.upper - p.lower)
    return "on its upper bound" if near_upper else "on its lower bound"


class ParameterModel(QAbstractTableModel):
    """Shows a ParameterSet; edits are reported by `edited` and appear when the new set arrives."""

    edited = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._set = ParameterSet.default()
        self._palette = LIGHT

    def set_parameters(self, parameters: ParameterSet) -> None:
        self._set = parameters
        self.dataChanged.emit(self.index(0, 0), self.index(self.rowCount() - 1, len(COLUMNS) - 1))

    def set_palette(self, palette: Palette) -> None:
        self._palette = palette
        self.dataChanged.emit(self.index(0, 0), self.index(self.rowCount() - 1, len(COLUMNS) - 1))

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - the signature of Qt
        return 0 if parent.isValid() else len(self._set.items)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - the signature of Qt
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section]
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if section in EDITABLE else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.ToolTipRole:
            return {
                VALUE: "Start value of the run; the value itself when it is not refined",
                REFINE: "Ticked: the run looks for this value between its bounds. Not ticked: it stays exactly as it is",
                LOWER: "Smallest value that the run may try",
                UPPER: "Largest value that the run may try",
            }.get(section)
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if index.column() in EDITABLE:
            flags |= Qt.ItemFlag.ItemIsEditable
        if index.column() == REFINE:
            flags |= Qt.ItemFlag.ItemIsUserCheckable
        return flags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        p, column = self._set.items[index.row()], index.column()
        roles = Qt.ItemDataRole
        if role in (roles.DisplayRole, roles.AccessibleTextRole):
            return self._text(p, column, spoken=role == roles.AccessibleTextRole)
        if role == roles.EditRole and column in EDITABLE:
            return repr(getattr(p, EDITABLE[column]))
        if role == roles.CheckStateRole and column == REFINE:
            return Qt.CheckState.Checked if p.refine else Qt.CheckState.Unchecked
        if role == roles.TextAlignmentRole and column in (VALUE, LOWER, UPPER):
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role == roles.ToolTipRole:
            return self._tip(p)
        if role == roles.ForegroundRole:
            return self._brush(p, column)
        if role == roles.FontRole and (column == NAME or (p.at_bound and column in (VALUE, MEANING))):
            font = QFont()
            font.setBold(True)
            return font
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        p, column = self._set.items[index.row()], index.column()
        if role == Qt.ItemDataRole.CheckStateRole and column == REFINE:
            self.edited.emit(ParameterEdit(p.name, "refine", Qt.CheckState(value) == Qt.CheckState.Checked))
            return True
        if role == Qt.ItemDataRole.EditRole and column in EDITABLE:
            try:
                number = float(str(value).replace(",", ".").replace("\N{MINUS SIGN}", "-"))
            except ValueError:
                return False
            if number != getattr(p, EDITABLE[column]):
                self.edited.emit(ParameterEdit(p.name, EDITABLE[column], number))
            return True
        return False

    def _text(self, p: Parameter, column: int, *, spoken: bool) -> str | None:
        words = bound_words(p)
        if column == NAME:
            return p.name
        if column == VALUE:
            return f"\N{WARNING SIGN} {p.value:.{p.spec.digits}f}" if words else f"{p.value:.{p.spec.digits}f}"
        if column == REFINE:
            return ("refined" if p.refine else "fixed") if spoken else None
        if column in (LOWER, UPPER):
            return f"{getattr(p, EDITABLE[column]):g}"
        if column == UNIT:
            return p.unit or "\N{EN DASH}"
        return f"{words.capitalize()}: widen it. {p.spec.description}" if words else p.spec.description

    @staticmethod
    def _tip(p: Parameter) -> str:
        unit = f" {p.unit}" if p.unit else ""
        refined = "refined by the run" if p.refine else "kept exactly as it is"
        text = f"{p.spec.description}\n{p.name} = {p.value:g}{unit}, {refined}, {p.lower:g} to {p.upper:g}{unit}"
        words = bound_words(p)
        return f"{text}\n{words.capitalize()}: the true value may lie beyond; widen the bound" if words else text

    def _brush(self, p: Parameter, column: int) -> QBrush | None:
        if p.at_bound and column in (VALUE, MEANING):
            return QBrush(QColor(self._palette.bad))
        muted = column in (UNIT, MEANING) or (not p.refine and column in (LOWER, UPPER))
        return QBrush(QColor(self._palette.muted)) if muted else None


class _NumberDelegate(CellEditor):
    """A line that takes a number with a point, whatever the language of the desktop."""

    def createEditor(self, parent: QWidget, option: Any, index: Index) -> QWidget:
        line = super().createEditor(parent, option, index)
        assert isinstance(line, QLineEdit)
        validator = QDoubleValidator(line)
        validator.setLocale(QLocale.c())
        line.setValidator(validator)
        line.setAlignment(Qt.AlignmentFlag.AlignRight)
        return line

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        if isinstance(editor, QLineEdit):
            editor.setText(str(index.data(Qt.ItemDataRole.EditRole)))
            editor.selectAll()

    def setModelData(self, editor: QWidget, model: Any, index: Index) -> None:
        if isinstance(editor, QLineEdit):
            model.setData(index, editor.text(), Qt.ItemDataRole.EditRole)


class ParameterTable(QTableView):
    """Table of the parameters; `edited` carries a :class:`ParameterEdit`."""

    edited = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("parameter_table")
        self.setAccessibleName("Parameters")
        self.setToolTip("Double-click or type to change a number; space ticks Refine")
        self.parameter_model = ParameterModel(self)
        self.parameter_model.edited.connect(self.edited)
        self.setModel(self.parameter_model)
        self._delegate = _NumberDelegate(self)
        for column in EDITABLE:
            self.setItemDelegateForColumn(column, self._delegate)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.AnyKeyPressed
            | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setAlternatingRowColors(False)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setMinimumSectionSize(40)
        header.setStretchLastSection(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        for column, width in ((NAME, 84), (VALUE, 84), (REFINE, 60), (LOWER, 66), (UPPER, 62), (UNIT, 90)):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Interactive)
            self.setColumnWidth(column, width)

    def set_parameters(self, parameters: ParameterSet) -> None:
        """Show a parameter set."""
        self.parameter_model.set_parameters(parameters)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        # In a narrow column the meaning is in the tip of every cell; a column of three letters would say nothing.
        fixed = sum(self.columnWidth(c) for c in range(MEANING))
        self.setColumnHidden(MEANING, self.viewport().width() - fixed < MEANING_WIDTH)

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self.parameter_model.set_palette(palette)
