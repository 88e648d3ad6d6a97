"""The parameters as a table: start, what was found, whether it is refined, bounds and unit; red and with a sign on a bound.

Numbers are those of the screen: magnifications in per cent.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QAbstractItemModel, QAbstractTableModel, QLocale, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QDoubleValidator, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLineEdit,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from cassi_core.dispersion import Direction
from cassi_core.formatting import MINUS, format_number
from cassi_core.parameters import BOUND_TOLERANCE, Parameter, ParameterSet
from cassi_core.quality.names import NAMES, ScreenName, screen_name, screen_value
from cassi_gui.style.theme import LIGHT, TYPE_SMALL_PT, Palette, font
from cassi_gui.widgets.cell_editor import CellEditor

ROW_PX, LOW_ROW_PX = 21, 18
LEAST_ROWS = 5
CHECK_PX = 20
"""Width of the box to tick in front of a name."""
Index = QModelIndex | QPersistentModelIndex
COLUMNS = ("Parameter", "Start", "Found", "Lower", "Upper", "Unit")
NAME, START, FOUND, LOWER, UPPER, UNIT = range(6)
EDITABLE = {START: "value", LOWER: "lower", UPPER: "upper"}
RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
WIDTHS = {START: 66, FOUND: 136, LOWER: 58, UPPER: 58, UNIT: 66}
NOTHING_FOUND = "\N{EN DASH}"
TIPS = {
    NAME: "Ticked: the run looks for this value between its bounds. Not ticked: it stays exactly as it is",
    START: "Start value of the run; the value itself when it is not refined",
    FOUND: "What the run has found, with its standard error once that is known; held: it was not refined",
    LOWER: "Smallest value that the run may try",
    UPPER: "Largest value that the run may try",
}


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


def unit_words(name: str) -> str:
    """The unit of a parameter as it stands in the table."""
    return NAMES[name].unit.replace("^2", "\N{SUPERSCRIPT TWO}")


class ParameterModel(QAbstractTableModel):
    """Shows a ParameterSet and what was found; edits are reported by `edited` and appear when the new set arrives."""

    edited = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._set = ParameterSet.default()
        self._found: ParameterSet | None = None
        self._locked = False
        self._palette = LIGHT
        self._direction: Direction = "right"

    def _name(self, p: Parameter) -> ScreenName:
        return screen_name(p.name, self._direction)

    def set_direction(self, direction: Direction) -> None:
        """Where the bands move: `along` and `across` mean something else for a dispersion along the rows."""
        self._direction = direction
        self._all_changed()

    def set_parameters(self, parameters: ParameterSet) -> None:
        """Start values, bounds and what is refined."""
        self._set = parameters
        self._all_changed()

    def set_found(self, parameters: ParameterSet | None) -> None:
        """What a run has found; None: nothing yet."""
        self._found = parameters
        self._all_changed()

    def set_locked(self, locked: bool) -> None:
        """Whether a run goes on that was started with these values."""
        self._locked = locked
        self._all_changed()

    @property
    def locked(self) -> bool:
        return self._locked

    def set_palette(self, palette: Palette) -> None:
        self._palette = palette
        self._all_changed()

    def _all_changed(self) -> None:
        self.dataChanged.emit(self.index(0, 0), self.index(self.rowCount() - 1, len(COLUMNS) - 1))

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - the signature of Qt
        return 0 if parent.isValid() else len(self._set.items)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - the signature of Qt
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return RIGHT if section in (START, FOUND, LOWER, UPPER) else int(Qt.AlignmentFlag.AlignVCenter)
        return TIPS.get(section) if role == Qt.ItemDataRole.ToolTipRole else None

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if self._locked:
            return flags
        if index.column() in EDITABLE:
            flags |= Qt.ItemFlag.ItemIsEditable
        if index.column() == NAME:
            flags |= Qt.ItemFlag.ItemIsUserCheckable
        return flags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        p, column = self._set.items[index.row()], index.column()
        roles = Qt.ItemDataRole
        if role == roles.DisplayRole:
            return self._text(p, column)
        if role == roles.AccessibleTextRole:
            refined = "refined" if p.refine else "fixed"
            return f"{self._name(p).words}, {p.name}, {refined}" if column == NAME else self._text(p, column)
        if role == roles.UserRole and column == NAME:
            return p.name
        if role == roles.EditRole and column in EDITABLE:
            return f"{NAMES[p.name].factor * getattr(p, EDITABLE[column]):.10g}"
        if role == roles.CheckStateRole and column == NAME and not self._locked:
            return Qt.CheckState.Checked if p.refine else Qt.CheckState.Unchecked
        if role == roles.TextAlignmentRole and column in (START, FOUND, LOWER, UPPER):
            return RIGHT
        if role == roles.ToolTipRole:
            return self._tip(p)
        if role == roles.ForegroundRole:
            return self._brush(p, column)
        if role == roles.FontRole and column == UNIT:
            return font(TYPE_SMALL_PT)
        if role == roles.FontRole and (
            (column == FOUND and p.refine and not self._has_error(p)) or (p.at_bound and column == START)
        ):
            return font(bold=True)
        return None

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        p, column = self._set.items[index.row()], index.column()
        if role == Qt.ItemDataRole.CheckStateRole and column == NAME:
            self.edited.emit(ParameterEdit(p.name, "refine", Qt.CheckState(value) == Qt.CheckState.Checked))
            return True
        if role == Qt.ItemDataRole.EditRole and column in EDITABLE:
            try:
                number = float(str(value).replace(",", ".").replace(MINUS, "-")) / NAMES[p.name].factor
            except ValueError:
                return False
            if number != getattr(p, EDITABLE[column]):
                self.edited.emit(ParameterEdit(p.name, EDITABLE[column], number))
            return True
        return False

    def _text(self, p: Parameter, column: int) -> str:
        factor = NAMES[p.name].factor
        if column == NAME:
            return self._name(p).words
        if column == START:
            text = format_number(factor * p.value, NAMES[p.name].digits)
            return f"\N{WARNING SIGN} {text}" if p.at_bound else text
        if column == FOUND:
            found = self._found_of(p)
            if found is None:
                return NOTHING_FOUND if p.refine else "held"
            text = screen_value(found) if found.refine else "held"
            return f"\N{WARNING SIGN} {text}" if found.at_bound else text
        if column in (LOWER, UPPER):
            return f"{factor * getattr(p, EDITABLE[column]):g}".replace("-", MINUS)
        return unit_words(p.name)

    def _has_error(self, p: Parameter) -> bool:
        found = self._found_of(p)
        return found is not None and found.sigma is not None

    def _found_of(self, p: Parameter) -> Parameter | None:
        return None if self._found is None else self._found[p.name]

    def _tip(self, p: Parameter) -> str:
        factor, unit = NAMES[p.name].factor, unit_words(p.name)
        refined = "refined by the run" if p.refine else "kept exactly as it is"
        reach = f"{factor * p.lower:g} to {factor * p.upper:g} {unit}".replace("-", MINUS)
        text = f"{self._name(p).means}\n{p.name} = {screen_value(p, error=False)} {unit}, {refined}, {reach}"
        found = self._found_of(p)
        words = bound_words(p) or ("" if found is None else bound_words(found))
        return f"{text}\n{words.capitalize()}: the true value may lie beyond; widen the bound" if words else text

    def _brush(self, p: Parameter, column: int) -> QBrush | None:
        found = self._found_of(p)
        stuck = p.at_bound if column == START else found is not None and found.at_bound if column == FOUND else False
        if stuck:
            return QBrush(QColor(self._palette.bad))
        muted = column == UNIT or (not p.refine and column in (FOUND, LOWER, UPPER)) or (column == START and self._locked)
        return QBrush(QColor(self._palette.muted)) if muted else None


class _NameDelegate(QStyledItemDelegate):
    """The name in words, and behind it the symbol, small and grey, where there is room."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.colour = LIGHT.muted

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        super().paint(painter, option, index)
        left = option.rect.left() + 4
        if index.data(Qt.ItemDataRole.CheckStateRole) is not None:
            left += CHECK_PX
        left += option.fontMetrics.horizontalAdvance(str(index.data())) + 8
        painter.save()
        painter.setFont(font(TYPE_SMALL_PT))
        painter.setPen(QColor(self.colour))
        symbol = str(index.data(Qt.ItemDataRole.UserRole))
        if left + painter.fontMetrics().horizontalAdvance(symbol) <= option.rect.right():
            where = option.rect.adjusted(left - option.rect.left(), -1, 0, -1)
            painter.drawText(where, int(Qt.AlignmentFlag.AlignVCenter), symbol)
        painter.restore()


class _NumberDelegate(CellEditor):
    """A line that takes a number with a point, whatever the language of the desktop."""

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
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

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        if isinstance(editor, QLineEdit):
            model.setData(index, editor.text(), Qt.ItemDataRole.EditRole)


class ParameterTable(QTableView):
    """Table of the parameters; `edited` carries a :class:`ParameterEdit`."""

    edited = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("parameter_table")
        self.setAccessibleName("Parameters")
        self.setToolTip("Double-click or type to change a number; space ticks what is refined")
        self.parameter_model = ParameterModel(self)
        self.parameter_model.edited.connect(self.edited)
        self.setModel(self.parameter_model)
        self._delegate = _NumberDelegate(self)
        for column in EDITABLE:
            self.setItemDelegateForColumn(column, self._delegate)
        self._names = _NameDelegate(self)
        self.setItemDelegateForColumn(NAME, self._names)
        self.verticalHeader().hide()
        self.verticalHeader().setMinimumSectionSize(16)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.AnyKeyPressed
            | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setMinimumSectionSize(40)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        for column, width in WIDTHS.items():
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            self.setColumnWidth(column, width)
        rows, top = self.parameter_model.rowCount(), header.sizeHint().height() + 2
        self.setMaximumHeight(rows * ROW_PX + top)
        self.setMinimumHeight(LEAST_ROWS * LOW_ROW_PX + top)
        self.show_bounds(True)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        # Little height brings the rows closer together, before it hides any.
        rows = self.parameter_model.rowCount()
        room = (self.height() - self.horizontalHeader().height() - 2) // rows
        self.verticalHeader().setDefaultSectionSize(min(max(room, LOW_ROW_PX), ROW_PX))

    def set_parameters(self, parameters: ParameterSet) -> None:
        """Show start values, bounds and what is refined."""
        self.parameter_model.set_parameters(parameters)

    def set_direction(self, direction: Direction) -> None:
        """Where the bands move, for the names."""
        self.parameter_model.set_direction(direction)

    def set_found(self, parameters: ParameterSet | None) -> None:
        """Show what was found; None: nothing yet."""
        self.parameter_model.set_found(parameters)

    def set_locked(self, locked: bool) -> None:
        """While a run goes on nothing is edited here."""
        self.parameter_model.set_locked(locked)

    def show_bounds(self, shown: bool) -> None:
        """Show the bounds, or in their place what was found."""
        for column in (LOWER, UPPER):
            self.setColumnHidden(column, not shown)
        self.setColumnHidden(FOUND, shown)

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self._names.colour = palette.muted
        self.parameter_model.set_palette(palette)
