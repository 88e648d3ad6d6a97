"""The QA page: from it alone a person says that the mask is right, or that it is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import fakes
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from cassi_core.parameters import ParameterSet
from cassi_core.quality.pictures import belongs_to, result_pictures
from cassi_gui.desktop.actions import Actions
from cassi_gui.pages.qa import QaPage
from cassi_gui.run.controller import RunController
from cassi_gui.session import commands
from cassi_gui.session.state import AppState
from cassi_gui.style.theme import DARK, LIGHT


class Desk:
    """A QA page with the parts that the window would give it."""

    def __init__(self, qtbot: QtBot, folder: Path) -> None:
        self.qtbot = qtbot
        self.state = AppState()
        self.runner = RunController(calibrate=fakes.calibrate)
        self.dialogs = fakes.FakeDialogs(folder)
        self.page = QaPage(self.state, self.runner, Actions(LIGHT), self.dialogs)
        self.page.resize(1100, 560)
        qtbot.addWidget(self.page)
        self.page.show()

    def finish_run(self, status: str = "pass", **changes: object) -> int:
        self.state.replace(inputs=self.state.inputs or fakes.inputs())
        record = self.state.add_run(fakes.result(status=status, **changes))
        self.settle()
        return record.id

    def settle(self) -> None:
        self.qtbot.waitUntil(lambda: not self.runner.busy, timeout=5000)

    def choose(self, subject: str) -> None:
        self.page.proof.subject_box.setCurrentText(subject)


@pytest.fixture
def desk(qtbot: QtBot, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(qtbot, tmp_path)
    yield made
    assert made.runner.shutdown()


def texts(page: QaPage) -> str:
    return "\n".join(label.text() for label in page.findChildren(QLabel) if label.isVisible())


def test_an_empty_page_says_what_to_do(desk: Desk) -> None:
    assert desk.page.verdict.headline == "No verdict yet"
    assert "Run a calibration first" in desk.page.proof.flip.empty_text
    assert not desk.page.accept_button.isEnabled() and not desk.page.note.isEnabled()
    assert desk.page.next_problems == ("no run has finished yet",)
    desk.page.accept_current()
    desk.page.reject_current()
    desk.page.toggle_blink()
    assert desk.state.undo_stack.count() == 0


@pytest.mark.parametrize(("status", "headline"), [("pass", "The mask is right"), ("fail", "The mask is not right")])
def test_the_verdict_is_said_in_words_with_numbers_and_thresholds(desk: Desk, status: str, headline: str) -> None:
    desk.finish_run(status)
    assert desk.page.verdict.headline == headline
    shown = texts(desk.page)
    assert "61 % of the residual" in shown and "Value 0.610, at least 0.200." in shown
    assert (desk.page.verdict.reasons[0] == "At bound: failed") == (status == "fail"), "what failed comes first"
    assert len(desk.page.verdict.reasons) == 4
    icons = [w for w in desk.page.verdict._row_widgets if w.property("reason_status")]
    assert all(not w.pixmap().isNull() and w.accessibleName() for w in icons)


def test_before_and_after_of_residual_fit_and_reconstruction(desk: Desk) -> None:
    desk.finish_run()
    maps, flip = desk.state.runs[0].result.maps, desk.page.proof.flip
    assert flip.image is maps.residual_after and flip.title == "Residual: after"
    assert flip.levels[0] == -flip.levels[1]
    desk.page.toggle_blink()
    assert flip.image is maps.residual_before
    desk.choose("Measurement fit")
    measured = desk.state.inputs.frames[0].image
    assert np.allclose(flip.image, measured - maps.residual_before)
    assert [b.text() for b in flip._buttons] == ["Model before", "Model after", "Measured"]
    flip.show_side(2)
    assert flip.image is measured
    desk.choose("Reconstruction")
    assert [b.text() for b in flip._buttons] == ["Before", "After", "Reference"]
    assert flip.image.shape == (40, 36, 3)


def test_the_shift_field_flips_with_the_picture(desk: Desk) -> None:
    desk.finish_run()
    field = desk.page.proof.shifts
    after = max(abs(a[2]) for a in field.arrows()) / field.magnification
    desk.page.toggle_blink()
    before = max(abs(a[2]) for a in field.arrows()) / field.magnification
    assert after < 0.03 < 0.8 < before and field.title == "Leftover shifts: before"


def test_points_picked_in_the_reconstruction_show_spectra_before_after_and_reference(desk: Desk) -> None:
    desk.finish_run()
    desk.page.proof.flip.point_picked.emit((12, 11))
    assert desk.state.points == (), "the residual is in the detector's frame"
    desk.choose("Reconstruction")
    desk.page.proof.flip.point_picked.emit((12, 11))
    assert [(p.row, p.col) for p in desk.state.points] == [(12, 11)]
    curves = {s.kind: s.values for s in desk.page.proof.spectra.spectra}
    maps = desk.state.runs[0].result.maps
    assert curves["after"] == pytest.approx(maps.cube_after[:, 11:14, 10:13].mean(axis=(1, 2)))
    assert curves["before"] == pytest.approx(maps.cube_before[:, 11:14, 10:13].mean(axis=(1, 2)))
    reference = desk.state.inputs.reference
    scale = maps.cube_after.sum() / reference.sum()
    assert curves["scaled reference"] == pytest.approx(scale * reference[:, 11:14, 10:13].mean(axis=(1, 2)), rel=1e-5)


def test_a_run_of_other_inputs_does_not_pretend_to_fit_them(desk: Desk) -> None:
    desk.finish_run()
    result = desk.state.runs[0].result
    other = fakes.inputs(seed=3)
    moved = replace(other.frames[0], source=replace(other.frames[0].source, sha256="1" * 64))
    others = replace(other, frames=(moved,))
    assert belongs_to(result, desk.state.inputs) and not belongs_to(result, others) and not belongs_to(result, None)
    assert result_pictures(result, others).predicted_after is None
    desk.state.replace(inputs=others)
    desk.settle()
    desk.choose("Measurement fit")
    assert "not loaded any more" in desk.page.proof.flip.empty_text
    desk.choose("Residual")
    assert desk.page.proof.flip.image is result.maps.residual_after


def test_a_run_without_pictures_says_so(desk: Desk) -> None:
    desk.finish_run(with_maps=False)
    assert "not in memory" in desk.page.proof.flip.empty_text
    assert "not in memory" in desk.page.proof.shifts.empty_text
    assert desk.page.cards.text("dx") == "+0.830 ± 0.012 px"


def test_accepting_with_a_note_is_undoable(desk: Desk) -> None:
    run_id = desk.finish_run()
    desk.page.note.setText("after the lens was changed")
    desk.page.accept_button.click()
    assert desk.state.accepted_run.id == run_id and desk.state.accepted_run.note == "after the lens was changed"
    assert "is the calibration in force" in desk.page.decision_label.text()
    assert not desk.page.accept_button.isEnabled() and desk.page.next_problems == ()
    desk.state.undo_stack.undo()
    assert desk.state.accepted_run is None and desk.page.accept_button.isEnabled()
    assert desk.page.next_problems == ("no run has been accepted yet",)
    desk.page.reject_button.click()
    assert run_id in desk.state.snapshot.rejected_ids and "rejected" in desk.page.decision_label.text()


def test_a_failed_calibration_is_accepted_only_after_a_second_question(desk: Desk) -> None:
    desk.finish_run("fail")
    desk.dialogs.answer_confirm = False
    desk.page.accept_current()
    assert desk.state.accepted_run is None and "the mask is not right" in desk.dialogs.shown[-1]
    desk.dialogs.answer_confirm = True
    desk.page.accept_current()
    assert desk.state.accepted_run is not None


def test_runs_are_compared_and_chosen(desk: Desk) -> None:
    first = desk.finish_run()
    second = desk.finish_run("warn", preset="algorithm1")
    model = desk.page.runs.run_model
    columns = model.columns
    assert columns == ("Run", "Decision", "Verdict", "Residual", "Held out", "dx", "dy", "theta", "scale_x", "scale_y",
                       "slope", "alpha", "Seconds", "Finished", "Note")  # fmt: skip

    def cell(row: int, column: str) -> str:
        return model.data(model.index(row, columns.index(column)))

    assert cell(0, "Residual") == "0.4120 → 0.1607" and cell(1, "Verdict") == "warn"
    assert cell(0, "theta") == "+0.2100 ± 0.0041 deg" and cell(0, "slope") == "+0.00100 ± 0.00040 px/band"
    assert desk.state.current_run.id == second
    desk.page.runs.selectRow(0)
    assert desk.state.current_run.id == first and desk.page.verdict.headline == "The mask is right"
    model.setData(model.index(0, columns.index("Note")), "good light")
    assert desk.state.run(first).note == "good light"
    model.setData(model.index(1, columns.index("Run")), "Beam search")
    assert desk.state.run(second).name == "Beam search" and cell(1, "Run") == "Beam search"
    commands.accept_run(desk.state, first)
    assert cell(0, "Decision") == "accepted" and cell(1, "Decision") == "open"


def test_correlations_and_facts(desk: Desk) -> None:
    desk.finish_run()
    assert desk.page.correlation.strong_pairs() == "hard to tell apart: dx and psf (-0.94)"
    facts = desk.page.facts.text()
    assert "4.9 s on cpu, 2 threads, seed 0" in facts and "Fit, precise prior" in facts and "band train" in facts


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[ParameterSet]:
    """Stands in for the core's quick look: the residual is lowest at dx = 1.0 px."""
    import cassi_core.quality.candidates as candidates

    asked: list[ParameterSet] = []

    def look_at(_inputs: object, parameters: ParameterSet) -> object:
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
    panels = (*desk.page.proof.panels, desk.page.correlation, *desk.page.tuner.panels)
    assert len(panels) == 7
    pictures = []
    for palette in (LIGHT, DARK):
        desk.page.set_palette(palette)
        for panel in panels:
            assert panel.graphics.backgroundBrush().color().name() == palette.plot_background
        pictures.append(desk.page.verdict._icon.pixmap().toImage())
    assert pictures[0] != pictures[1]


def test_every_tab_and_panel_can_be_reached_by_keyboard(desk: Desk) -> None:
    desk.finish_run()
    for widget in (
        desk.page.tabs.tabBar(),
        desk.page.note,
        desk.page.proof.subject_box,
        desk.page.runs,
        desk.page.tuner.step_box,
    ):
        assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus
    for panel in (*desk.page.proof.panels, *desk.page.tuner.panels):
        assert panel.graphics.focusPolicy() & Qt.FocusPolicy.TabFocus and panel.graphics.accessibleName()
