"""The session's state and the edits that can be undone."""

from __future__ import annotations

import fakes
import pytest

from cassi_core.config import CalibrationConfig
from cassi_core.errors import ConfigError
from cassi_gui.session import commands
from cassi_gui.session.state import AppState, FileSelection


@pytest.fixture
def state(qapp: object) -> AppState:
    return AppState()


def heard(state: AppState) -> list[frozenset[str]]:
    """Everything that `changed` says from now on."""
    said: list[frozenset[str]] = []
    state.changed.connect(said.append)
    return said


def test_changed_names_exactly_what_differs(state: AppState) -> None:
    said = heard(state)
    state.replace(files=FileSelection(), loading=True, load_problem="")
    state.replace(loading=True)
    assert said == [frozenset({"loading"})]


def test_every_edit_is_undone_and_done_again_in_order(state: AppState) -> None:
    first = state.parameters
    commands.edit_parameter(state, "dx", value=1.5)
    commands.edit_parameter(state, "theta", refine=False)
    commands.set_config(state, CalibrationConfig(preset="reference"))
    commands.add_point(state, 3, 4)
    undo = state.undo_stack
    assert undo.count() == 4
    assert state.parameters.refined == ("dx", "dy", "theta"), "the preset brings its own choice"
    for _ in range(4):
        undo.undo()
    assert state.parameters == first
    assert (state.config.preset, state.points) == ("auto", ())
    for _ in range(4):
        undo.redo()
    assert state.parameters["dx"].value == 1.5
    assert [(p.row, p.col, p.label) for p in state.points] == [(3, 4, "P1")]


def test_a_dragged_spin_box_is_one_step_back(state: AppState) -> None:
    for value in (0.1, 0.2, 0.3):
        commands.edit_parameter(state, "dx", value=value)
    commands.edit_parameter(state, "dy", value=0.3)
    assert state.undo_stack.count() == 2
    state.undo_stack.undo()
    state.undo_stack.undo()
    assert state.parameters["dx"].value == 0.0


def test_edits_with_a_pause_between_are_steps_of_their_own(state: AppState, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(commands.time, "monotonic", lambda: now[0])
    for value in (1.0, 2.0, 3.0):
        commands.edit_parameter(state, "dx", value=value)
        now[0] += 1.5
    state.undo_stack.undo()
    assert state.parameters["dx"].value == 2.0
    state.undo_stack.undo()
    assert state.parameters["dx"].value == 1.0


def test_there_and_back_at_once_leaves_no_empty_step(state: AppState) -> None:
    commands.edit_parameter(state, "dx", value=1.0)
    commands.edit_parameter(state, "dx", value=0.0)
    assert not state.undo_stack.canUndo() and state.parameters["dx"].value == 0.0


def test_every_tick_is_a_step_of_its_own(state: AppState) -> None:
    commands.edit_parameter(state, "dx", refine=False)
    commands.edit_parameter(state, "dx", refine=True)
    state.undo_stack.undo()
    assert not state.parameters["dx"].refine
    state.undo_stack.undo()
    assert state.parameters["dx"].refine


def test_a_value_that_does_not_fit_is_refused_and_leaves_no_step(state: AppState) -> None:
    with pytest.raises(ConfigError, match="outside"):
        commands.edit_parameter(state, "dx", value=99.0)
    assert state.undo_stack.count() == 0
    assert not commands.edit_parameter(state, "dx", value=0.0), "nothing differs, so there is nothing to undo"


def test_points_keep_their_colours_and_are_at_most_eight(state: AppState) -> None:
    for i in range(9):
        commands.add_point(state, i, 0)
    assert [p.row for p in state.points] == list(range(1, 9))
    colours = {p.label: p.colour for p in state.points}
    assert len(set(colours.values())) == 8
    commands.remove_point(state, "P5")
    commands.add_point(state, 50, 0)
    assert state.points[-1].colour == colours["P5"], "the colour that became free"
    commands.move_point(state, "P3", 7, 8)
    assert next((p.row, p.col, p.colour) for p in state.points if p.label == "P3") == (7, 8, colours["P3"])


def test_accepting_is_undone_without_losing_a_later_run(state: AppState) -> None:
    first = state.add_run(fakes.result())
    commands.accept_run(state, first.id, "good")
    second = state.add_run(fakes.result(status="warn"))
    commands.accept_run(state, second.id, "better")
    assert [r.accepted for r in state.runs] == [False, True]
    state.undo_stack.undo()
    assert state.accepted_run is not None and state.accepted_run.id == first.id
    assert state.run(second.id).note == ""  # type: ignore[union-attr]
    state.undo_stack.undo()
    assert state.accepted_run is None
    assert len(state.runs) == 2
    state.undo_stack.redo()
    assert state.accepted_run is not None and state.accepted_run.note == "good"


def test_rejecting_the_run_in_force_leaves_none_in_force(state: AppState) -> None:
    record = state.add_run(fakes.result())
    commands.accept_run(state, record.id)
    commands.reject_run(state, record.id, "blurred")
    assert state.accepted_run is None
    assert state.snapshot.rejected_ids == {record.id}
    state.undo_stack.undo()
    assert state.accepted_run is not None and state.snapshot.rejected_ids == frozenset()
    commands.reject_run(state, record.id)
    commands.accept_run(state, record.id)
    assert state.snapshot.rejected_ids == frozenset(), "an accepted run is not rejected any more"


def test_only_the_latest_and_the_accepted_run_keep_their_maps(state: AppState) -> None:
    first = state.add_run(fakes.result())
    commands.accept_run(state, first.id)
    for _ in range(4):
        state.add_run(fakes.result())
    assert [r.result.maps is not None for r in state.runs] == [True, False, False, True, True]
    assert state.current_run is not None and state.current_run.id == state.runs[-1].id


def test_notes_and_names_of_runs_are_edits(state: AppState) -> None:
    record = state.add_run(fakes.result())
    commands.edit_run(state, record.id, note="after cleaning")
    commands.edit_run(state, record.id, note="after cleaning")
    assert state.undo_stack.count() == 1
    assert state.runs[0].note == "after cleaning"
    state.undo_stack.undo()
    assert state.runs[0].note == ""
