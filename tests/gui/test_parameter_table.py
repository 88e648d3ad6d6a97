"""The parameter table and the cards: what is shown, what an edit asks for, what a bound says."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from cassi_core.formatting import MINUS
from cassi_core.parameters import ParameterSet
from cassi_gui.style.theme import DARK, LIGHT
from cassi_gui.widgets.parameter_table import FOUND, LOWER, NAME, START, UNIT, UPPER, ParameterEdit, ParameterTable

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


def test_rows_show_start_bounds_and_unit(table: ParameterTable) -> None:
    assert [cell(table, 0, c) for c in (NAME, START, LOWER, UPPER, UNIT)] == ["Shift right", "1.250", f"{MINUS}25", "25", "px"]
    assert cell(table, 6, START) == "0.00125" and cell(table, 6, UNIT) == "px/band\N{SUPERSCRIPT TWO}"
    assert cell(table, 0, NAME, ROLE.UserRole) == "dx" and "sits this far to the right" in str(
        cell(table, 0, NAME, ROLE.ToolTipRole)
    )
    assert cell(table, 0, NAME, ROLE.CheckStateRole) == Qt.CheckState.Checked
    assert cell(table, 1, NAME, ROLE.CheckStateRole) == Qt.CheckState.Unchecked
    assert cell(table, 1, NAME, ROLE.AccessibleTextRole) == "Shift down, dy, fixed"
    assert cell(table, 0, START, ROLE.TextAlignmentRole) & Qt.AlignmentFlag.AlignRight.value


def test_magnifications_are_per_cent_on_the_screen_and_stay_numbers_in_the_file(table: ParameterTable, qtbot: QtBot) -> None:
    table.set_parameters(ParameterSet.default(("scale_y",)).edit("scale_y", value=0.002153))
    assert [cell(table, 4, c) for c in (START, LOWER, UPPER, UNIT)] == ["0.215", f"{MINUS}2", "2", "%"]
    assert cell(table, 4, START, ROLE.EditRole) == "0.2153"
    with qtbot.waitSignal(table.edited, timeout=500) as caught:
        table.parameter_model.setData(table.parameter_model.index(4, START), f"{MINUS}0.4")
    assert caught.args[0].content == pytest.approx(-0.004)


def test_found_stands_beside_the_start_and_what_is_not_refined_is_held(table: ParameterTable) -> None:
    assert cell(table, 0, FOUND) == "\N{EN DASH}" and cell(table, 1, FOUND) == "held"
    found = ParameterSet.default(("dx", "scale_y")).edit("dx", value=1.376, sigma=0.014).edit("scale_y", value=-1e-9)
    table.set_found(found)
    assert cell(table, 0, FOUND) == "+1.376 \N{PLUS-MINUS SIGN} 0.014" and cell(table, 0, START) == "1.250"
    assert cell(table, 4, FOUND) == "0.000", "never a signed zero or an exponent"
    assert cell(table, 6, FOUND) == "held"


def test_nothing_is_edited_while_a_run_goes_on(table: ParameterTable) -> None:
    table.set_locked(True)
    index = table.parameter_model.index(0, START)
    assert not table.parameter_model.flags(index) & Qt.ItemFlag.ItemIsEditable
    assert cell(table, 0, NAME, ROLE.CheckStateRole) is None
    table.set_locked(False)
    assert table.parameter_model.flags(index) & Qt.ItemFlag.ItemIsEditable


def test_a_value_on_its_bound_is_red_and_said_in_words(table: ParameterTable) -> None:
    assert cell(table, 2, START) == "\N{WARNING SIGN} 3.000"
    assert "On its upper bound" in str(cell(table, 2, NAME, ROLE.ToolTipRole))
    for palette in (LIGHT, DARK):
        table.set_palette(palette)
        assert cell(table, 2, START, ROLE.ForegroundRole).color().name() == palette.bad
    table.set_parameters(ParameterSet.default(("theta",)).edit("theta", value=-3.0))
    assert "On its lower bound" in str(cell(table, 2, NAME, ROLE.ToolTipRole))
    table.set_parameters(ParameterSet.default(()).edit("theta", value=3.0))
    assert cell(table, 2, START) == "3.000", "a fixed value cannot run into a bound"
    table.set_found(ParameterSet.default(("dx",)).edit("dx", value=25.0))
    assert str(cell(table, 0, FOUND)).startswith("\N{WARNING SIGN}")
    assert cell(table, 0, FOUND, ROLE.ForegroundRole).color().name() == DARK.bad


@pytest.mark.parametrize(
    ("column", "typed", "edit"),
    [
        (START, "0.5", ParameterEdit("dx", "value", 0.5)),
        (START, "-0,75", ParameterEdit("dx", "value", -0.75)),
        (LOWER, "-4", ParameterEdit("dx", "lower", -4.0)),
        (UPPER, "1e1", ParameterEdit("dx", "upper", 10.0)),
    ],
)
def test_typing_asks_for_an_edit(table: ParameterTable, qtbot: QtBot, column: int, typed: str, edit: ParameterEdit) -> None:
    with qtbot.waitSignal(table.edited, timeout=500) as caught:
        assert table.parameter_model.setData(table.parameter_model.index(0, column), typed)
    assert caught.args == [edit]
    assert cell(table, 0, START) == "1.250", "nothing changes until the state does"


def test_nonsense_and_unchanged_values_ask_for_nothing(table: ParameterTable, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(table.edited):
        assert not table.parameter_model.setData(table.parameter_model.index(0, START), "abc")
        assert table.parameter_model.setData(table.parameter_model.index(0, START), "1.25")


def test_space_ticks_refine(table: ParameterTable, qtbot: QtBot) -> None:
    table.show()
    table.setCurrentIndex(table.parameter_model.index(1, NAME))
    with qtbot.waitSignal(table.edited, timeout=500) as caught:
        qtbot.keyClick(table, Qt.Key.Key_Space)
    assert caught.args == [ParameterEdit("dy", "refine", True)]


def test_editing_with_the_keyboard_alone(table: ParameterTable, qtbot: QtBot) -> None:
    table.show()
    table.setCurrentIndex(table.parameter_model.index(1, START))
    with qtbot.waitSignal(table.edited, timeout=500) as caught:
        qtbot.keyClicks(table, "0")
        editor = table.viewport().findChild(type(table.focusWidget()), "") or table.focusWidget()
        qtbot.keyClicks(editor, "0.4")
        qtbot.keyClick(editor, Qt.Key.Key_Return)
    assert caught.args[0].name == "dy" and caught.args[0].content == pytest.approx(0.4)


def test_bounds_and_what_was_found_take_turns(table: ParameterTable) -> None:
    table.show_bounds(False)
    assert table.isColumnHidden(LOWER) and table.isColumnHidden(UPPER) and not table.isColumnHidden(FOUND)
    table.show_bounds(True)
    assert not table.isColumnHidden(LOWER) and table.isColumnHidden(FOUND) and not table.isColumnHidden(UNIT)
