"""The QA page: from it alone a person says that the mask is right or not, sees what to do, and does it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import fakes
import numpy as np
import pytest
from conftest import WindowMaker
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from cassi_core.inputs import CalibrationInputs
from cassi_core.parameters import ParameterSet
from cassi_core.quality.orientation import Orientation
from cassi_core.quality.pictures import belongs_to
from cassi_core.quality.search_map import SearchMap, SearchPair
from cassi_core.result import GridStep, OpticsTerm, Reason, RegistrationError, Verdict
from cassi_gui.desktop.actions import Actions
from cassi_gui.pages import status
from cassi_gui.pages.qa import ASK_UNFINISHED, QaPage
from cassi_gui.plots.pair import ViewMode
from cassi_gui.run.controller import RunController
from cassi_gui.session import commands
from cassi_gui.session.state import AppState
from cassi_gui.style.theme import DARK, LIGHT

MINUS = "\N{MINUS SIGN}"


class Desk:
    """A QA page with the parts that the window would give it."""

    def __init__(self, qtbot: QtBot, folder: Path) -> None:
        self.qtbot = qtbot
        self.state = AppState()
        self.runner = RunController(calibrate=fakes.calibrate)
        self.dialogs = fakes.FakeDialogs(folder)
        self.actions = Actions(LIGHT)
        self.started: list[ParameterSet] = []
        self.asked_for: list[str] = []
        self.actions["run.start"].triggered.connect(lambda: self.started.append(self.state.parameters))
        self.page = QaPage(self.state, self.runner, self.actions, self.dialogs)
        self.page.page_requested.connect(self.asked_for.append)
        self.page.resize(1280, 560)
        qtbot.addWidget(self.page)
        self.page.show()

    def finish_run(self, status: str = "pass", **changes: object) -> int:
        self.state.replace(inputs=self.state.inputs or fakes.inputs())
        record = self.state.add_run(fakes.result(status=status, **changes))
        self.settle()
        return record.id

    def settle(self) -> None:
        self.qtbot.waitUntil(lambda: not self.runner.busy, timeout=60_000)

    def press(self, button: QPushButton) -> None:
        assert button.isVisible() and button.isEnabled(), button.text()
        self.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    def press_named(self, name: str) -> None:
        self.press(self.page.findChild(QPushButton, name))


@pytest.fixture
def desk(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    import cassi_core.quality.loupe as loupe

    monkeypatch.setattr(loupe, "lay_loupe", lambda *_args, **_more: fakes.loupe(40))
    made = Desk(qtbot, tmp_path)
    yield made
    assert made.runner.shutdown()


def texts(widget: QWidget) -> str:
    """Everything that a person can read."""
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())


def lost(z: float = 4.0) -> dict[str, object]:
    """A run that did not find the mask."""
    reason = Reason("mask found", "fail", z, 8.0, "the mask was not found", "at least", "times the noise")
    return {"verdict": Verdict("fail", (reason, *fakes.verdict().reasons)), "peak_z": z}


def stopped() -> dict[str, object]:
    """A run that was stopped inside a grid."""
    reason = Reason(
        "search not finished", "fail", float("nan"), None, "Stopped in stage 2 of 6. How wrong the values are is not known."
    )
    found = fakes.fitted_parameters("reference").with_sigmas({})
    return {
        "verdict": Verdict("fail", (reason,)), "outcome": "not_finished", "preset": "reference", "parameters": found, "registration": None,
        "correlation": None, "correlation_names": (), "grid_steps": (GridStep("dx", 0.375), GridStep("dy", 0.375), GridStep("theta", 1 / 3)),
    }  # fmt: skip


def wanting(check: str, value: float, limit: float, **more: object) -> dict[str, object]:
    """A run with one check that wants a look."""
    reason = Reason(check, "warn", value, limit, f"{check} is beyond its limit", "at most", "px", **more)  # type: ignore[arg-type]
    return {"verdict": Verdict("warn", (*fakes.verdict().reasons, reason))}


# -- first glance ----------------------------------------------------------------------------------------------------
def test_an_empty_page_says_what_to_do(desk: Desk) -> None:
    page = desk.page
    assert page.left.verdict.title == "No verdict yet" and "Run a calibration" in page.left.verdict.sentence
    assert "Run a calibration first" in page.proof.loupe.empty_text
    assert not page.decision.accept_button.isEnabled() and not page.decision.note.isEnabled()
    assert not page.left.far_off.isVisible() and not page.left.found.isVisible() and not page.left.todo.isVisible()
    assert page.next_problems == ("no run has finished yet",)
    page.accept_current()
    page.reject_current()
    page.toggle_blink()
    assert desk.state.undo_stack.count() == 0


def test_a_right_mask_is_said_in_a_sentence_with_two_numbers_and_their_limits(desk: Desk) -> None:
    desk.finish_run()
    page = desk.page
    assert page.left.verdict.title == "The mask is right" and page.left.verdict.icon_name == "ok"
    assert page.left.verdict.sentence.startswith("It sits 0.83 px to the right and 0.42 px up, turned 0.210 deg to the left.")
    assert page.left.far_off.text("Across") == "Across 0.012 px, limit 0.10 px"
    assert page.left.far_off.text("Pattern") == "Pattern 0.016 px, limit 0.10 px"
    assert page.left.far_off.text("Wavelength") == "Wavelength 0.9 nm, 0.12 of a band"
    assert page.left.far_off.ellipse.axes_px == (0.0161, 0.0123), "along the bands is to the right"
    assert page.first_control is page.decision.accept_button and page.decision.accept_button.property("role") == "primary"


def test_the_ellipse_turns_with_the_dispersion(desk: Desk) -> None:
    made = fakes.result()
    desk.finish_run(dispersion=replace(made.dispersion, direction="down"))
    assert desk.page.left.far_off.ellipse.axes_px == (0.0123, 0.0161)
    assert "Larger across" in texts(desk.page.left.found).split("scale_x")[0][-60:], "along the rows is across the bands"


def test_values_have_plain_names_symbols_and_the_decimals_of_their_errors(desk: Desk) -> None:
    desk.finish_run()
    found = desk.page.left.found
    assert found.text("dx") == "+0.830 ± 0.012 px" and found.text("dy") == f"{MINUS}0.4200 ± 0.0064 px"
    assert found.text("scale_x") == "+0.120 ± 0.021 %"
    shown = texts(found)
    assert "Shift right" in shown and "Turned left" in shown and ">theta<" in shown
    assert found.last_column("dx") == "", "no truth and no logbook: no column"


def test_the_demo_shows_how_far_its_truth_is_off(desk: Desk) -> None:
    desk.state.replace(truth={"dx": 0.818, "dy": -0.4264})
    desk.finish_run()
    found = desk.page.left.found
    assert "off truth" in texts(found)
    assert (found.last_column("dx"), found.last_column("dy")) == ("+1.0 σ", "+1.0 σ")
    desk.state.replace(inputs=fakes.inputs(seed=3), truth=None)
    assert found.last_column("dx") == "", "the truth goes with its inputs"
    desk.page.resize(1024, 560)
    assert "off truth" not in texts(found)


def test_a_rig_with_a_logbook_shows_what_changed_since_its_last_entry(
    qtbot: QtBot, make_window: WindowMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    import cassi_core.quality.loupe as loupe

    monkeypatch.setattr(loupe, "lay_loupe", lambda *_args, **_more: fakes.loupe(40))
    window = make_window()
    window.show_page("qa")
    window.state.replace(inputs=fakes.inputs())
    window.state.add_run(fakes.result())
    window.qa_page.accept_current()
    qtbot.waitUntil(lambda: not window.runner.busy and len(window.logbook.view.contents.entries) == 1)
    assert window.qa_page.left.found.last_column("dx") == "", "not against itself"
    later = fakes.result().parameters.edit("dx", value=0.83 + 0.012 * 2**0.5)
    window.state.add_run(fakes.result(parameters=later))
    qtbot.waitUntil(lambda: not window.runner.busy)
    assert "since entry 1" in texts(window.qa_page.left.found) and window.qa_page.left.found.last_column("dx") == "+1.0 σ"


def test_passed_checks_fold_into_one_line_and_each_opens_into_words(desk: Desk) -> None:
    desk.finish_run()
    group = desk.page.left.checks.group
    assert group.words == "4 checks passed nothing to do" and not desk.page.left.todo.isVisible()
    item = desk.page.left.checks.item("leftover shifts")
    assert not item.isVisible()
    desk.qtbot.keyClick(group, Qt.Key.Key_Space)
    assert item.isVisible() and item.header.words == "Shifts left over 0.01 px limit 0.10"
    desk.qtbot.mouseClick(item.header, Qt.MouseButton.LeftButton)
    assert "What it means." in item.words() and "block by block" in item.words()
    other = desk.page.left.checks.item("residual")
    desk.qtbot.mouseClick(other.header, Qt.MouseButton.LeftButton)
    assert other.header.isChecked() and not item.header.isChecked(), "one check is open at a time"


# -- warn: the worst check is open, its buttons do it ---------------------------------------------------------------------
def test_a_check_that_wants_a_look_is_open_with_its_value_limit_words_and_buttons(desk: Desk) -> None:
    held = fakes.result().parameters.refining(("dx", "dy", "theta"))
    desk.finish_run(parameters=held, **wanting("leftover shifts", 0.131, 0.1))
    page = desk.page
    assert page.left.verdict.title == "The mask is nearly right" and "One check wants a look" in page.left.verdict.sentence
    item = page.left.checks.items[0]
    assert item.header.isChecked() and item.header.words == "Shifts left over 0.13 px limit 0.10"
    assert all(head in item.words() for head in ("What it means.", "Typical causes.", "What to do."))
    assert page.left.checks.group.words.startswith("4 checks passed")
    assert page.decision.accept_button.property("role") != "primary" and page.decision.accept_button.text() == "Accept"
    assert page.first_control is item.buttons[0][0] and item.buttons[0][0].property("role") == "primary"
    assert item.buttons[0][0].text() == "Refine magnification too"
    desk.press(item.buttons[0][0])
    desk.qtbot.waitUntil(lambda: len(desk.started) == 1)
    assert set(desk.started[0].refined) >= {"dx", "dy", "theta", "scale_x", "scale_y"}
    desk.runner.finished.emit(fakes.result())
    assert desk.asked_for == ["qa"], "it comes back here"


def test_a_passed_check_never_shows_a_number_beyond_its_limit(desk: Desk) -> None:
    """Value, limit and status agree in every line: the core refuses a check that contradicts itself."""
    desk.finish_run(**wanting("systematic shifts", 0.321, 0.1))
    for item in desk.page.left.checks.items:
        reason = item.reason
        if reason.threshold is not None and reason.direction is not None:
            inside = reason.value <= reason.threshold if reason.direction == "at most" else reason.value >= reason.threshold
            assert inside == (reason.status == "pass"), item.header.words


def test_more_light_says_how_much(desk: Desk) -> None:
    desk.finish_run(**wanting("registration error", 0.2, 0.1, light_factor=4.0, actions=("more_light",)))
    desk.dialogs.answer_confirm = False
    desk.press_named("check_registration_error_more_light")
    assert "About 4 times the light" in desk.dialogs.shown[-1]
    desk.dialogs.answer_confirm, desk.dialogs.answer_files = True, ("/pictures/brighter.mat",)
    desk.press_named("check_registration_error_more_light")
    assert desk.state.snapshot.files.measurements == ("/pictures/brighter.mat",) and desk.started == []
    desk.state.replace(inputs=fakes.inputs(seed=9))
    desk.qtbot.waitUntil(lambda: len(desk.started) == 1)


def test_files_that_do_not_fit_lead_to_load_and_start_nothing(desk: Desk) -> None:
    desk.finish_run(**wanting("registration error", 0.2, 0.1, actions=("add_frame",)))
    desk.dialogs.answer_files = ("/pictures/second.mat",)
    desk.press_named("check_registration_error_add_frame")
    assert desk.state.snapshot.files.measurements == ("/pictures/second.mat",)
    desk.state.replace(inputs=None, load_problem="the file holds text")
    assert desk.asked_for == ["load"] and desk.started == []


def test_a_bound_is_widened_to_its_side_and_the_dispersion_is_held(desk: Desk) -> None:
    stuck = fakes.result().parameters.edit("dx", value=25.0)
    reason = Reason("bounds", "fail", 1.0, 0.0, "dx ended on a bound", "at most", "value")
    desk.finish_run(parameters=stuck, verdict=Verdict("fail", (reason,)))
    assert desk.page.left.verdict.title == "The mask may be further away" and "25 px" in desk.page.left.verdict.sentence
    desk.press_named("todo_widen_bounds")
    desk.qtbot.waitUntil(lambda: len(desk.started) == 1)
    p = desk.started[0]["dx"]
    assert (p.lower, p.upper, p.value) == (-25.0, 50.0, 25.0)
    desk.finish_run(**wanting("what the picture tells", 0.9, 0.7, actions=("hold_dispersion",)))
    desk.press_named("check_what_the_picture_tells_hold_dispersion")
    desk.qtbot.waitUntil(lambda: len(desk.started) == 2)
    assert not set(desk.started[1].refined) & {"slope", "curve", "alpha"} and "dx" in desk.started[1].refined


# -- not finished --------------------------------------------------------------------------------------------------------
def test_a_search_that_was_stopped_shows_no_sigma_no_far_off_and_no_check(desk: Desk) -> None:
    desk.finish_run(**stopped())
    page = desk.page
    assert page.left.verdict.title == "Search not finished" and "Stopped in stage 2 of 6" in page.left.verdict.sentence
    assert page.left.found.text("dx") == "+0.830 px" and page.left.found.last_column("dx") == "0.375 px"
    shown = texts(page.left.found)
    assert (
        "±" not in shown.replace("No ±", "")
        and "only a finished search knows its error" in shown
        and "step of the grid" in shown
    )
    assert (
        not page.left.far_off.isVisible()
        and page.left.checks.items == ()
        and page.left.checks.group.words.startswith("No check made")
    )
    assert page.proof.shifts.empty_text == "Measured when the search is finished."
    assert (
        page.proof.loupe.captions[1].startswith("So far") and page.switch.buttons[ViewMode.BOTH].text() == "Before and so far"
    )
    badge = status.qa_badge(desk.state.current_run, frozenset(), desk.state.inputs)
    assert (
        badge.text == "not finished"
        and "search not finished" in status.run_line(desk.state.current_run, desk.state.inputs).text
    )


def test_a_search_that_was_stopped_is_accepted_only_after_a_question_and_can_go_on(desk: Desk) -> None:
    desk.finish_run(**stopped())
    accept = desk.page.decision.accept_button
    assert accept.text() == "Accept anyway …" and accept.property("role") == "flat"
    desk.dialogs.answer_confirm = False
    desk.press(accept)
    assert ASK_UNFINISHED in desk.dialogs.shown[-1] and desk.state.accepted_run is None
    go_on = desk.page.left.todo.buttons[0]
    assert go_on.text() == "Go on from here" and go_on.property("role") == "primary" and desk.page.first_control is go_on
    desk.press(go_on)
    desk.qtbot.waitUntil(lambda: len(desk.started) == 1)
    assert desk.started[0]["dx"].value == fakes.TRUTH["dx"], "from the best so far"
    desk.press_named("todo_run_auto")
    desk.qtbot.waitUntil(lambda: len(desk.started) == 2)
    assert desk.state.config.preset == "auto" and "scale_x" in desk.started[1].refined


# -- the mask was not found ----------------------------------------------------------------------------------------------
@pytest.fixture
def search(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Stands in for the core's search: the mask is found mirrored; each orientation waits for the event."""
    import cassi_core.quality.orientation as orientation
    import cassi_core.quality.search_map as search_map

    go = threading.Event()
    heights = {(m, t): 22.0 if (m, t) == (True, 0) else 4.0 for m in (False, True) for t in (0, 2)}

    def find(_inputs: CalibrationInputs, *, control: object, tried: object) -> tuple[Orientation, ...]:
        found = []
        for (mirrored, turns), z in heights.items():
            assert go.wait(20)
            found.append(Orientation(mirrored, turns, z))
            tried(found[-1])  # type: ignore[operator]
        return tuple(sorted(found, key=lambda o: -o.z))

    here = SearchMap(np.eye(11, dtype=np.float32), 4.0, 3.0, -2.0)
    monkeypatch.setattr(orientation, "find_orientation", find)
    monkeypatch.setattr(search_map, "search_pair", lambda *_args: SearchPair(here, replace(here, z=22.0)))
    return go


def test_a_mask_that_was_not_found_is_the_headline_with_what_to_do_likeliest_first(desk: Desk, search: threading.Event) -> None:
    desk.finish_run(**lost())
    page = desk.page
    assert page.left.verdict.title == "The mask was not found" and "4.0 times the noise" in page.left.verdict.sentence
    assert [b.text() for b in page.left.todo.buttons] == [
        "Try 3 orientations",
        "Choose mask …",
        "Find step and bands",
        "How much more light?",
    ]
    assert [b.property("role") for b in page.left.todo.buttons] == ["primary", None, None, None]
    assert page.decision.accept_button.property("role") == "flat" and not page.left.far_off.isVisible()
    assert "Nothing to measure without the mask" in texts(page.left.found) and "dx" not in texts(page.left.found)
    assert page.proofs.currentWidget() is page.search and not page.switch.isVisible()
    assert "4.0 × noise" in page.search.map.captions[0] and "22.0 × noise" in page.search.map.captions[1]
    assert [w.z for w in page.search.ways.ways] == [4.0, None, None, None]
    assert np.array_equal(page.search.picture_panel.image, desk.state.inputs.frames[0].image)
    assert np.array_equal(page.search.mask_panel.image, desk.state.inputs.mask)


def test_orientations_are_tried_with_progress_and_the_right_one_is_used(desk: Desk, search: threading.Event) -> None:
    desk.finish_run(**lost())
    page = desk.page
    desk.press_named("todo_try_orientations")
    assert page.left.todo.progress.isVisible() and not page.left.todo.buttons[0].isEnabled()
    search.set()
    desk.qtbot.waitUntil(lambda: not page.left.todo.progress.isVisible(), timeout=10_000)
    assert [(w.words, w.z, w.usable) for w in page.search.ways.ways] == [
        ("As it is", 4.0, False), ("Turned 180", 4.0, False), ("Mirrored", 22.0, True), ("Mirrored, 180", 4.0, False)
    ]  # fmt: skip
    usable = [b for b in page.search.ways.buttons if b.isVisible()]
    assert len(usable) == 1
    desk.press(usable[0])
    assert desk.state.snapshot.files.mask_turn == (True, 0) and desk.started == []
    desk.state.replace(inputs=fakes.inputs(seed=4))
    desk.qtbot.waitUntil(lambda: len(desk.started) == 1)


def test_another_run_on_show_ends_the_search(desk: Desk, search: threading.Event) -> None:
    desk.finish_run(**lost())
    desk.press_named("todo_try_orientations")
    search.set()
    desk.finish_run()
    assert desk.page.remedies.ways == () and desk.page.proofs.currentWidget() is desk.page.proof


def test_step_and_bands_are_offered_as_they_are_seen(
    desk: Desk, search: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    import cassi_core.quality.orientation as orientation

    monkeypatch.setattr(orientation, "find_position", lambda *_args, **_more: None)
    monkeypatch.setattr(orientation, "find_band_train", lambda *_args: SimpleNamespace(length_px=20.0))
    desk.finish_run(**lost())
    desk.dialogs.answer_choice = 1
    desk.press_named("todo_detect_dispersion")
    desk.settle()
    assert "6 bands of 2 px spread over 10 px" in desk.dialogs.shown[-1] and "Use 11 bands of 2 px" in desk.dialogs.shown[-1]
    assert (desk.state.snapshot.files.n_bands, desk.state.snapshot.files.step_px) == (6, 4.0)


# -- third glance: the proof ---------------------------------------------------------------------------------------------
def test_loupe_and_residual_are_compared_together(desk: Desk) -> None:
    desk.finish_run()
    proof, maps = desk.page.proof, desk.state.runs[0].result.maps
    scale = float(np.quantile(desk.state.inputs.frames[0].image, 0.999))
    before, after = proof.residual.tiles
    assert after.array == pytest.approx(maps.residual_after / scale) and before.levels == after.levels
    assert "41.2 %" in before.caption and "16.1 %" in after.caption, "the rms of the verdict and of the file"
    assert "match 1.00" in proof.loupe.captions[1]
    desk.press(desk.page.switch.buttons[ViewMode.DIFFERENCE])
    assert proof.loupe.mode is proof.residual.mode is ViewMode.DIFFERENCE
    desk.page.toggle_blink()
    assert desk.page.switch.buttons[ViewMode.BLINK].isChecked() and proof.blinking
    assert len(proof.loupe.tiles) == len(proof.residual.tiles) == 1
    proof._timer.timeout.emit()
    assert proof.loupe.captions[0].startswith("Before") and proof.residual.captions[0].startswith("Before")
    desk.page.toggle_blink()
    assert not proof.blinking and len(proof.residual.tiles) == 2
    desk.page.toggle_blink()
    desk.page.hide()
    assert not proof.blinking, "nobody looks"


def test_shifts_left_over_are_counted_and_the_pattern_is_said_beside_the_residual(desk: Desk) -> None:
    line = Reason(
        "pattern in what is left",
        "warn",
        14.0,
        10.0,
        "what is left over shows lying stripes of 2.0 px, 14.0 % of it: look",
        "at most",
        "%",
    )
    maps = replace(fakes.maps(), shifts_after=fakes.shifts(fakes.FakeRig(), 0.5, 0.1, 0.01))
    desk.finish_run(maps=maps, verdict=Verdict("warn", (*fakes.verdict().reasons, line)))
    proof = desk.page.proof
    assert proof.shifts.legend.counts == "beyond 2 errors: 25 of 25"
    assert "lying stripes of 2.0 px" in proof.residual.said and "No stripes" not in proof.residual.said


def test_a_click_in_the_scene_moves_the_nearest_point_and_its_spectra(desk: Desk) -> None:
    desk.finish_run()
    proof = desk.page.proof
    assert len(proof.points) == 3 and proof.spectra.title == "Spectra at three points" and desk.state.points == ()
    desk.qtbot.mouseClick(proof.scene, Qt.MouseButton.LeftButton, pos=proof.scene.place_of(12, 11).toPoint())
    assert len(desk.state.points) == 3
    moved = [p for p in desk.state.points if abs(p.row - 12) <= 1 and abs(p.col - 11) <= 1]
    assert len(moved) == 1
    row, col = moved[0].row, moved[0].col
    curves = {s.kind: s.values for s in proof.spectra.spectra if s.label == moved[0].label}
    maps, reference = desk.state.runs[0].result.maps, desk.state.inputs.reference
    near = (slice(None), slice(row - 1, row + 2), slice(col - 1, col + 2))
    assert curves["after"] == pytest.approx(maps.cube_after[near].mean(axis=(1, 2)))
    assert curves["before"] == pytest.approx(maps.cube_before[near].mean(axis=(1, 2)))
    scale = maps.cube_after.sum() / reference.sum()
    assert curves["reference"] == pytest.approx(scale * reference[near].mean(axis=(1, 2)), rel=1e-5)
    colours = {s.label: s.index for s in proof.spectra.spectra}
    assert len(set(colours.values())) == 3, "one colour a point"
    assert proof.spectra.plot.getViewBox().viewRange()[1][0] <= 0, "the axis of the light begins at zero"
    desk.state.undo_stack.undo()
    assert desk.state.points == ()


def test_a_run_of_other_inputs_does_not_pretend_to_fit_them(desk: Desk) -> None:
    desk.finish_run()
    result = desk.state.runs[0].result
    other = fakes.inputs(seed=3)
    moved = replace(other.frames[0], source=replace(other.frames[0].source, sha256="1" * 64))
    others = replace(other, frames=(moved,))
    assert belongs_to(result, desk.state.inputs) and not belongs_to(result, others) and not belongs_to(result, None)
    desk.state.replace(inputs=others)
    desk.settle()
    assert "not loaded any more" in desk.page.proof.loupe.empty_text
    assert desk.page.proof.residual.tiles[1].array == pytest.approx(result.maps.residual_after), "its residual is its own"


def test_a_run_without_pictures_says_so(desk: Desk) -> None:
    desk.finish_run(with_maps=False)
    assert "were not kept" in desk.page.proof.loupe.empty_text and "were not kept" in desk.page.proof.shifts.empty_text
    assert desk.page.left.found.text("dx") == "+0.830 ± 0.012 px" and not desk.page.switch.isVisible()


# -- the decision --------------------------------------------------------------------------------------------------------
def test_accepting_with_a_note_is_undoable(desk: Desk) -> None:
    run_id = desk.finish_run()
    card = desk.page.decision
    desk.qtbot.keyClicks(card.note, "after the lens was changed")
    desk.press(card.accept_button)
    assert desk.state.accepted_run.id == run_id and desk.state.accepted_run.note == "after the lens was changed"
    assert "in force" in card.said.text()
    assert not card.accept_button.isEnabled() and desk.page.next_problems == ()
    desk.state.undo_stack.undo()
    assert desk.state.accepted_run is None and card.accept_button.isEnabled()
    assert desk.page.next_problems == ("no run has been accepted yet",)
    desk.press(card.reject_button)
    assert run_id in desk.state.snapshot.rejected_ids and "Rejected" in card.said.text()


def test_a_failed_calibration_is_accepted_only_after_a_second_question(desk: Desk) -> None:
    desk.finish_run("fail")
    desk.dialogs.answer_confirm = False
    desk.press(desk.page.decision.accept_button)
    assert desk.state.accepted_run is None and "the mask is not right" in desk.dialogs.shown[-1]
    desk.dialogs.answer_confirm = True
    desk.press(desk.page.decision.accept_button)
    assert desk.state.accepted_run is not None


def test_the_decision_is_in_sight_whatever_is_open(desk: Desk) -> None:
    desk.finish_run(**wanting("leftover shifts", 0.131, 0.1))
    for width, height in ((1024, 520), (1280, 560), (1920, 900)):
        desk.page.resize(width, height)
        desk.page.left.checks.group.setChecked(True)
        desk.qtbot.wait(1)
        for widget in (desk.page.left.verdict, desk.page.decision.accept_button, desk.page.decision.reject_button):
            corner = widget.mapTo(desk.page, widget.rect().bottomRight())
            assert widget.isVisible() and corner.x() < width and corner.y() < height, (width, widget.objectName())
        assert desk.page.width() == width, "the page fits"
        inside = desk.page.left.scroll_area.widget()
        assert inside.minimumSizeHint().width() <= desk.page.left.scroll_area.viewport().width(), "nothing is cut at the right"


# -- other tabs ----------------------------------------------------------------------------------------------------------
def test_runs_are_compared_and_chosen(desk: Desk) -> None:
    first = desk.finish_run()
    second = desk.finish_run("warn", preset="algorithm1")
    runs = desk.page.runs.list
    model = runs.run_model
    columns = model.columns
    assert columns == ("Run", "Decision", "Verdict", "Not explained", "Unseen pixels", "dx", "dy", "theta", "scale_x", "scale_y",
                       "slope", "alpha", "Seconds", "Finished", "Note")  # fmt: skip

    def cell(row: int, column: str) -> str:
        return model.data(model.index(row, columns.index(column)))

    assert cell(0, "Not explained") == "0.4120 → 0.1607" and cell(1, "Verdict") == "warn"
    assert cell(0, "theta") == "+0.2100 ± 0.0041 deg" and cell(0, "slope") == "+0.00100 ± 0.00040 px/band"
    assert desk.state.current_run.id == second
    runs.selectRow(0)
    assert desk.state.current_run.id == first and desk.page.left.verdict.title == "The mask is right"
    model.setData(model.index(0, columns.index("Note")), "good light")
    assert desk.state.run(first).note == "good light"
    model.setData(model.index(1, columns.index("Run")), "Beam search")
    assert desk.state.run(second).name == "Beam search" and cell(1, "Run") == "Beam search"
    commands.accept_run(desk.state, first)
    assert cell(0, "Decision") == "accepted" and cell(1, "Decision") == "open"


def test_numbers_hold_every_value_check_and_correlation(desk: Desk) -> None:
    desk.finish_run()
    assert desk.page.correlation.title == "How values hang together"
    assert desk.page.correlation.strong_pairs() == "hard to tell apart: dx and psf (-0.94)"
    facts = desk.page.facts.toPlainText()
    assert "4.9 s on cpu, 2 threads, seed 0" in facts and "Fit, precise prior" in facts and "band train" in facts
    assert "Shift down" in facts and f"{MINUS}0.4200 ± 0.0064" in facts and "scale_y" in facts and "limit 0.10" in facts


def test_optics_have_a_tab_when_the_picture_shows_any(desk: Desk) -> None:
    tabs = desk.page.tabs
    desk.finish_run()
    assert not tabs.isTabVisible(tabs.indexOf(desk.page.optics))
    desk.finish_run(optics=(OpticsTerm("radial", -0.31, 0.04),))
    assert tabs.isTabVisible(tabs.indexOf(desk.page.optics))
    tabs.setCurrentWidget(desk.page.optics)
    shown = texts(desk.page.optics)
    assert (
        "pulls the edges inwards by 0.31 px" in shown and f"{MINUS}0.310 ± 0.040 px" in shown and "taken into account" in shown
    )


def test_the_help_has_a_legend_and_the_glossary(desk: Desk) -> None:
    words = desk.page.help_html
    for term in ("residual", "held-out residual", "psf", "correlation matrix", "Thick orange arrow", "Square with an ellipse"):
        assert term in words


def test_wrong_errors_never_look_like_good_ones(desk: Desk) -> None:
    far = RegistrationError(0.094, 0.01, 0.186, 0.01, 0.15, 0.01)
    desk.finish_run(registration=far, **wanting("registration error", 0.186, 0.1))
    assert desk.page.left.far_off.text("Pattern") == "Pattern 0.186 px, limit 0.10 px"
    assert (
        LIGHT.warn in desk.page.left.far_off._rows["Pattern"][1].text()
        and LIGHT.warn not in desk.page.left.far_off._rows["Across"][1].text()
    )


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[ParameterSet]:
    """Stands in for the core's quick look: the residual is lowest at dx = 1.0 px."""
    import cassi_core.quality.candidates as candidates

    asked: list[ParameterSet] = []

    def look_at(_inputs: object, parameters: ParameterSet, _terms: object = None) -> object:
        asked.append(parameters)
        score = 0.1 + abs(parameters["dx"].value - 1.0)
        return SimpleNamespace(
            residual=np.full((40, 46), score) * np.eye(40, 46), colour=np.zeros((40, 36, 3), np.uint8), score=score
        )

    monkeypatch.setattr(candidates, "look_at", look_at)
    return asked


def test_three_candidates_pick_the_best_halve_the_step_apply(desk: Desk, looks: list[ParameterSet]) -> None:
    desk.finish_run()
    tuner = desk.page.tuner
    assert looks == [], "nothing is computed before the tab is opened"
    desk.page.tabs.setCurrentWidget(tuner)
    desk.settle()
    assert [round(p["dx"].value, 6) for p in tuner.candidates()] == [0.63, 0.83, 1.03]
    assert {round(p["dx"].value, 6) for p in looks} == {0.63, 0.83, 1.03}
    assert all(p["dy"].value == fakes.TRUTH["dy"] for p in looks), "only the chosen parameter differs"
    assert tuner.best() == 2 and "lowest" in tuner._scores[2].text()
    tuner._picks[2].click()
    tuner.halve_button.click()
    desk.settle()
    assert [round(p["dx"].value, 6) for p in tuner.candidates()] == [0.93, 1.03, 1.13]
    assert tuner.best() == 1
    assert [p.image is not None for p in tuner.panels] == [True] * 3
    assert len({p.levels for p in tuner.panels}) == 1, "the three maps have one scale"
    with desk.qtbot.waitSignal(desk.page.cursor_text) as caught:
        tuner.panels[2]._show_cursor((3, 5))
    assert caught.args == [tuner.panels[2].value_text(3, 5)], "the pixel's value goes to the status bar"
    tuner.apply_button.click()
    assert desk.state.parameters["dx"].value == pytest.approx(1.03)
    desk.state.undo_stack.undo()
    assert desk.state.parameters["dx"].value == 0.0


def test_candidates_stay_within_the_bounds(desk: Desk, looks: list[ParameterSet]) -> None:
    desk.finish_run()
    desk.page.tabs.setCurrentWidget(desk.page.tuner)
    desk.page.tuner.step_box.setValue(90.0)
    assert [p["dx"].value for p in desk.page.tuner.candidates()] == [-25.0, fakes.TRUTH["dx"], 25.0]
    desk.page.tuner.name_box.setCurrentText("theta")
    assert desk.page.tuner.step_box.value() == pytest.approx(0.08)
    desk.page.tuner.show_box.setCurrentIndex(1)
    desk.settle()
    assert desk.page.tuner.panels[0].image.shape == (40, 36, 3)


def test_tuning_needs_the_inputs_of_the_run(desk: Desk, looks: list[ParameterSet]) -> None:
    desk.finish_run()
    desk.state.replace(inputs=None)
    desk.page.tabs.setCurrentWidget(desk.page.tuner)
    desk.settle()
    assert looks == [] and not desk.page.tuner.apply_button.isEnabled()


def test_the_theme_reaches_every_part(desk: Desk, looks: list[ParameterSet]) -> None:
    desk.finish_run("fail")
    desk.page.tabs.setCurrentWidget(desk.page.tuner)
    panels = (*desk.page.proof.panels, *desk.page.search.panels, desk.page.correlation, *desk.page.tuner.panels)
    assert len(panels) == 11
    pictures = []
    for palette in (LIGHT, DARK):
        desk.page.set_palette(palette)
        for panel in panels:
            assert panel.graphics.backgroundBrush().color().name() == palette.plot_background
        pictures.append(desk.page.left.verdict._icon.pixmap().toImage())
    assert pictures[0] != pictures[1]


def test_every_tab_and_panel_can_be_reached_by_keyboard(desk: Desk) -> None:
    desk.finish_run()
    page = desk.page
    for widget in (
        page.tabs.tabBar(),
        page.decision.note,
        page.proof.loupe.dots,
        page.proof.scene,
        page.runs.list,
        page.tuner.step_box,
    ):
        assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus
    for panel in (*page.proof.panels, *page.tuner.panels):
        assert panel.graphics.focusPolicy() & Qt.FocusPolicy.TabFocus and panel.graphics.accessibleName()
