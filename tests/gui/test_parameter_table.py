"""The parameter table and the cards: what is shown, what an edit asks for, what a bound says."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from cassi_core.parameters import ParameterSet
from cassi_gui.style.theme import DARK, LIGHT
from cassi_gui.widgets.parameter_table import (
    LOWER,
    MEANING,
    NAME,
    REFINE,
    UNIT,
    UPPER,
    VALUE,
    ParameterEdit,
    ParameterTable,
)

ROLE = Qt.ItemDataRole


@pytest.fixture
def table(qtbot: QtBot) -> ParameterTable:
    table = ParameterTable()
    qtbot.addWidget(table)
    parameters = ParameterSet.default(("dx", "theta")).edit("dx", value=1.25).edit("curve", value=0.00125)
    table.set_parameters(parameters.edit("theta", value=3.0))
    return table


def cell(table: ParameterTable, row: int, column: int, role: int = ROLE.DisplayRole) -> object:
    return table.parameter_model.data(table.parameter_model.index(row, column), role)


def test_rows_show_value_bounds_unit_and_meaning(table: ParameterTable) -> None:
    assert [cell(table, 0, c) for c in (NAME, VALUE, LOWER, UPPER, UNIT)] == ["dx", "1.250", "-25", "25", "px"]
    assert cell(table, 6, VALUE) == "0.00125" and cell(table, 6, UNIT) == "px/band^2"
    assert cell(table, 0, MEANING) == "Mask shift to the right"
    assert cell(table, 0, REFINE, ROLE.CheckStateRole) == Qt.CheckState.Checked
    assert cell(table, 1, REFINE, ROLE.CheckStateRole) == Qt.CheckState.Unchecked
    assert cell(table, 1, REFINE, ROLE.AccessibleTextRole) == "fixed"
    assert cell(table, 0, VALUE, ROLE.TextAlignmentRole) & Qt.AlignmentFlag.AlignRight.value


def test_a_value_on_its_bound_is_red_and_said_in_words(table: ParameterTable) -> None:
    assert cell(table, 2, VALUE) == "\N{WARNING SIGN} 3.000"
    assert str(cell(table, 2, MEANING)).startswith("On its upper bound")
    assert "upper bound" in str(cell(table, 2, NAME, ROLE.ToolTipRole))
    for palette in (LIGHT, DARK):
        table.set_palette(palette)
        assert cell(table, 2, VALUE, ROLE.ForegroundRole).color().name() == palette.bad
    table.set_parameters(ParameterSet.default(("theta",)).edit("theta", value=-3.0))
    assert str(cell(table, 2, MEANING)).startswith("On its lower bound")
    table.set_parameters(ParameterSet.default(()).edit("theta", value=3.0))
    assert cell(table, 2, VALUE) == "3.000", "a fixed value cannot run into a bound"


@pytest.mark.parametrize(
    ("column", "typed", "edit"),
    [
        (VALUE, "0.5", ParameterEdit("dx", "value", 0.5)),
        (VALUE, "-0,75", ParameterEdit("dx", "value", -0.75)),
        (LOWER, "-4", ParameterEdit("dx", "lower", -4.0)),
        (UPPER, "1e1", ParameterEdit("dx", "upper", 10.0)),
    ],
)
def test_typing_asks_for_an_edit(table: ParameterTable, qtbot: QtBot, column: int, typed: str, edit: ParameterEdit) -> None:
    with qtbot.waitSignal(table.edited, timeout=500) as caught:
        assert table.parameter_model.setData(table.parameter_model.index(0, column), typed)
    assert caught.args == [edit]
    assert cell(table, 0, VALUE) == "1.250", "nothing changes until the state does"


def test_nonsense_and_unchanged_values_ask_for_nothing(table: ParameterTable, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(table.edited):
        assert not table.parameter_model.setData(table.parameter_model.index(0, VALUE), "abc")
        assert table.parameter_model.setData(table.parameter_model.index(0, VALUE), "1.25")


def test_space_ticks_refine(table: ParameterTable, qtbot: QtBot) -> None:
    table.show()
    table.setCurrentIndex(table.parameter_model.index(1, REFINE))
    with qtbot.waitSignal(table.edited, timeout=500) as caught:
        qtbot.keyClick(table, Qt.Key.Key_Space)
    assert caught.args == [ParameterEdit("dy", "refine", True)]


def test_editing_with_the_keyboard_alone(table: ParameterTable, qtbot: QtBot) -> None:
    table.show()
    table.setCurrentIndex(table.parameter_model.index(1, VALUE))
    with qtbot.waitSignal(table.edited, timeout=500) as caught:
        qtbot.keyClicks(table, "0")
        editor = table.viewport().findChild(type(table.focusWidget()), "") or table.focusWidget()
        qtbot.keyClicks(editor, "0.4")
        qtbot.keyClick(editor, Qt.Key.Key_Return)
    assert caught.args[0].name == "dy" and caught.args[0].content == pytest.approx(0.4)


def test_the_meaning_makes_room_in_a_narrow_column(table: ParameterTable) -> None:
    table.resize(900, 300)
    table.show()
    assert not table.isColumnHidden(MEANING)
    table.resize(430, 300)
    assert table.isColumnHidden(MEANING) and not table.isColumnHidden(UNIT)
