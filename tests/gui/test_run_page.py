"""The Run page: what a person sets up, what it shows while a run goes on, what may not change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import fakes
import numpy as np
import pytest
from PySide6.QtCore import Qt, QThread
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from cassi_core.config import DEFAULT_REFINE
from cassi_gui.desktop.actions import Actions
from cassi_gui.pages.run import RunPage
from cassi_gui.run.controller import RunBatch, RunController
from cassi_gui.session import commands
from cassi_gui.session.state import AppState
from cassi_gui.style.theme import DARK, LIGHT
from cassi_gui.widgets.parameter_table import ParameterEdit


class Desk:
    """A Run page with the parts that the window would give it."""

    def __init__(self, qtbot: QtBot, folder: Path) -> None:
        self.qtbot = qtbot
        self.state = AppState()
        self.runner = RunController(calibrate=partial(fakes.calibrate, pause_s=0.002))
        self.dialogs = fakes.FakeDialogs(folder)
        self.actions = Actions(LIGHT)
        self.page = RunPage(self.state, self.runner, self.actions, self.dialogs)
        self.runner.finished.connect(self.state.add_run)
        self.page.resize(1100, 560)
        qtbot.addWidget(self.page)

    def load(self) -> None:
        self.state.replace(inputs=fakes.inputs())

    def run(self) -> None:
        with self.qtbot.waitSignal(self.runner.finished, timeout=20_000):
            assert self.page.start_run()
        self.page.plots.flush()
        self.qtbot.waitUntil(lambda: not self.runner.busy, timeout=5000)
        self.page.plots.flush()


@pytest.fixture
def desk(qtbot: QtBot, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(qtbot, tmp_path)
    yield made
    assert made.runner.shutdown()


def test_an_empty_page_says_what_to_do(desk: Desk) -> None:
    assert "Load a measurement" in desk.page.notice.text()
    assert "Load a measurement" in desk.page.plots.cube.empty_text
    assert desk.page.next_problems == ("no run has finished yet",)
    assert not desk.page.start_run()


def test_a_run_fills_every_plot(desk: Desk) -> None:
    desk.load()
    desk.page.show()
    commands.add_point(desk.state, 12, 11)
    desk.run()
    plots = desk.page.plots
    assert plots.grid.grid is not None and plots.grid.grid.best == (0.75, -0.75, pytest.approx(1 / 3))
    steps, values = plots.convergence.trace("dx")
    assert len(steps) == 24 and values[-1] == pytest.approx(fakes.TRUTH["dx"], abs=0.03)
    assert plots.residual.curve("precise")[0][0] == 12
    assert plots.cube.image is not None and plots.cube.image.shape == (40, 36, 3)
    (curve,) = plots.spectra.spectra
    maps = desk.state.runs[0].result.maps
    assert curve.values == pytest.approx(maps.cube_after[:, 11:14, 10:13].mean(axis=(1, 2)))
    assert list(plots.spectra.axis_values) == list(fakes.wavelengths(6))
    assert desk.page.next_problems == ()


def test_nothing_of_the_last_run_is_shown_when_the_next_begins(desk: Desk) -> None:
    desk.load()
    desk.page.show()
    desk.run()
    desk.runner.start = lambda *_args: True  # a run that has begun and not said anything yet
    assert desk.page.start_run()
    plots = desk.page.plots
    assert plots.grid.grid is None and plots.cube.image is None
    assert len(plots.convergence.trace("dx")[0]) in (0, 24) and plots.convergence.empty_text
    assert plots.residual.empty_text and plots.spectra.empty_text


def test_files_loaded_during_a_run_do_not_colour_its_reconstruction(desk: Desk) -> None:
    desk.load()
    desk.page.show()
    desk.run()
    said: list[str] = []
    desk.page.logged.connect(lambda _level, text: said.append(text))
    desk.state.replace(runs=(), current_id=None)
    plots = desk.page.plots
    plots.begin(desk.state.parameters, fakes.wavelengths(6), running=True)
    desk.state._snapshot = replace(desk.state.snapshot, inputs=fakes.inputs(fakes.FakeRig(bands=9)))
    cube = fakes.scene(fakes.FakeRig())
    desk.page._on_colour_wanted(cube)
    desk.qtbot.waitUntil(lambda: plots.cube.image is not None)
    assert plots.cube.image.shape == (40, 36, 3) and not said


def test_a_hidden_page_draws_nothing_and_catches_up_when_shown(desk: Desk) -> None:
    desk.load()
    rows = fakes.table()
    desk.page.plots.begin(desk.state.parameters, None)
    desk.runner.batch.emit(RunBatch(rows[:10]))
    desk.runner.batch.emit(RunBatch(rows[10:]))
    assert desk.page.plots.convergence.empty_text, "nobody looks: nothing is drawn"
    desk.page.show()
    assert len(desk.page.plots.convergence.trace("dx")[0]) == 24


def test_events_are_drawn_a_few_times_a_second_not_once_each(desk: Desk) -> None:
    desk.load()
    desk.page.show()
    plots = desk.page.plots
    plots.begin(desk.state.parameters, None)
    drawn: list[int] = []
    take_rows = plots.convergence.take_rows
    plots.convergence.take_rows = lambda rows: (drawn.append(len(rows)), take_rows(rows))  # type: ignore[method-assign]
    for row in fakes.table():
        desk.runner.batch.emit(RunBatch((row,)))
    desk.qtbot.waitUntil(lambda: bool(drawn), timeout=2000)
    assert drawn == [24]
    assert plots.convergence.empty_text, (
        "the small plots come one after the other, and are shown when all have this run's values"
    )
    desk.qtbot.waitUntil(lambda: not plots.convergence.empty_text, timeout=5000)
    lengths = {name: len(plots.convergence.trace(name)[0]) for name in plots.convergence.names}
    assert set(lengths.values()) == {24} and drawn == [24]


def test_parameters_are_edited_with_undo(desk: Desk) -> None:
    desk.page.table.edited.emit(ParameterEdit("dx", "value", 1.5))
    desk.page.table.edited.emit(ParameterEdit("curve", "refine", True))
    assert desk.state.parameters["dx"].value == 1.5 and desk.state.parameters["curve"].refine
    desk.state.undo_stack.undo()
    assert desk.state.parameters["dx"].value == 1.5 and not desk.state.parameters["curve"].refine
    desk.state.undo_stack.undo()
    assert desk.state.parameters["dx"].value == 0.0
    model = desk.page.table.parameter_model
    assert model.data(model.index(0, 1)) == "0.000"


def test_an_impossible_edit_is_refused_in_words(desk: Desk) -> None:
    before = desk.state.parameters
    desk.page.table.edited.emit(ParameterEdit("dx", "lower", 99.0))
    assert desk.state.parameters is before
    assert "lower bound 99" in desk.page.notice.text() and desk.page.notice.property("status") == "bad"
    desk.page.table.edited.emit(ParameterEdit("dx", "value", 25.0))
    assert "upper bound" in desk.page.notice.text()


def test_a_preset_brings_its_settings_and_what_it_refines(desk: Desk) -> None:
    commands.edit_parameter(desk.state, "dx", value=0.7)
    desk.page.preset_bar.chosen.emit("algorithm1")
    assert desk.state.config.preset == "algorithm1"
    assert desk.state.parameters.refined == DEFAULT_REFINE["algorithm1"]
    assert desk.state.parameters["dx"].value == 0.7, "values are kept"
    assert desk.page.preset_bar.box.currentText() == "algorithm1"
    desk.state.undo_stack.undo()
    assert desk.state.config.preset == "auto" and desk.page.preset_bar.box.currentText() == "auto"
    assert desk.state.parameters.refined == DEFAULT_REFINE["auto"]


def test_a_setting_is_changed_undone_and_marked(desk: Desk) -> None:
    desk.page.form.edited.emit(("auto", "max_steps"), 31)
    assert desk.state.config.auto.max_steps == 31
    assert "changed" in desk.page.preset_bar.note.text()
    desk.page.form.edited.emit(("seed",), 5)
    desk.state.undo_stack.undo()
    assert (desk.state.config.seed, desk.state.config.auto.max_steps) == (0, 31)
    desk.page.form.reset_button.click()
    assert desk.state.config.auto.max_steps == 4 and "changed" not in desk.page.preset_bar.note.text()
    desk.page.form.edited.emit(("auto", "max_steps"), 0)
    assert "auto.max_steps" in desk.page.notice.text() and desk.state.config.auto.max_steps == 4


def test_own_presets_are_saved_chosen_renamed_and_deleted(desk: Desk) -> None:
    desk.page.form.edited.emit(("seed",), 42)
    desk.page.table.edited.emit(ParameterEdit("alpha", "refine", True))
    desk.dialogs.answer_text = "lens B"
    desk.page.preset_bar.save_requested.emit()
    assert desk.page.preset_bar.box.currentText() == "lens B" and "changed" not in desk.page.preset_bar.note.text()
    desk.page.preset_bar.chosen.emit("reference")
    assert not desk.state.parameters["alpha"].refine and desk.state.config.seed == 0
    desk.page.preset_bar.chosen.emit("lens B")
    assert desk.state.parameters["alpha"].refine and desk.state.config.seed == 42
    desk.dialogs.answer_text = "lens C"
    desk.page.preset_bar.rename_requested.emit("lens B")
    assert [desk.page.preset_bar.box.itemText(i) for i in range(desk.page.preset_bar.box.count())][-1] == "lens C"
    desk.page.preset_bar.delete_requested.emit("lens C")
    assert desk.page.preset_bar.box.findText("lens C") == -1 and "Delete preset?" in desk.dialogs.shown[-1]
    desk.dialogs.answer_text = "auto"
    desk.page.preset_bar.save_requested.emit()
    assert "built-in" in desk.dialogs.shown[-1]


def test_refine_defaults_and_the_reset_action(desk: Desk) -> None:
    desk.page.table.edited.emit(ParameterEdit("dx", "refine", False))
    desk.page.defaults_button.click()
    assert desk.state.parameters.refined == DEFAULT_REFINE["auto"]
    with desk.qtbot.waitSignal(desk.actions["edit.reset_parameters"].triggered, timeout=500):
        desk.page.reset_button.click()
    with desk.qtbot.waitSignal(desk.actions["run.start"].triggered, timeout=500):
        desk.page.run_button.click()
    desk.actions["run.start"].setEnabled(False)
    assert not desk.page.run_button.isEnabled()


def test_without_a_refined_parameter_the_page_says_so(desk: Desk) -> None:
    desk.load()
    commands.set_parameters(desk.state, desk.state.parameters.refining(()))
    assert "tick at least one" in desk.page.notice.text()


def test_a_picked_point_shows_its_spectrum(desk: Desk) -> None:
    desk.load()
    desk.page.show()
    desk.run()
    desk.page.plots.cube.point_picked.emit((28, 25))
    assert [(p.row, p.col) for p in desk.state.points] == [(28, 25)]
    assert desk.page.plots.curves.currentWidget() is desk.page.plots.spectra
    blue, red = desk.page.plots.spectra.spectra[0].values[[0, -1]]
    assert blue > red + 0.3, "the square at the lower right is blue"
    desk.state.undo_stack.undo()
    (whole,) = desk.page.plots.spectra.spectra
    maps = desk.state.runs[0].result.maps
    assert whole.label == "whole scene" and whole.values == pytest.approx(maps.cube_after.mean(axis=(1, 2)), rel=1e-5)


def test_pseudo_colour_is_computed_outside_the_gui_thread(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    import cassi_core.quality.colour as colour

    threads: list[bool] = []
    original = colour.pseudo_colour

    def watched(*args: object, **kwargs: object) -> object:
        threads.append(QThread.currentThread() is desk.page.thread())
        return original(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(colour, "pseudo_colour", watched)
    desk.load()
    desk.page.show()
    desk.run()
    assert threads and not any(threads)


def test_a_plot_shown_alone_and_back(desk: Desk) -> None:
    desk.page.show()
    plots = desk.page.plots
    plots.residual.enlarge_requested.emit()
    assert plots.curves.isVisible() and not plots.cube.isVisible() and not plots.grid.isVisible()
    plots.residual.enlarge_requested.emit()
    assert plots.cube.isVisible() and plots.grid.isVisible() and plots.convergence.isVisible()
    plots.cube.enlarge_requested.emit()
    desk.page.reset_layout()
    assert plots.grid.isVisible() and plots.mosaic.alone is None


def test_plots_are_saved_where_the_person_says(desk: Desk, tmp_path: Path) -> None:
    desk.load()
    desk.page.show()
    desk.page.plots.begin(desk.state.parameters, None)
    desk.page.plots.take(fakes.table())
    desk.page.plots.flush()
    with desk.qtbot.waitSignal(desk.page.logged, timeout=1000) as caught:
        desk.page.plots.convergence.menu.actions()[2].trigger()
    path = tmp_path / "parameters-over-the-steps.csv"
    assert caught.args == ["info", f"written: {path.resolve()}"]
    header = path.read_text().splitlines()[0]
    assert "dx (px)" in header and "sigma theta (deg)" in header


def test_the_theme_reaches_every_part(desk: Desk) -> None:
    for palette in (DARK, LIGHT):
        desk.page.set_palette(palette)
        for panel in desk.page.plots.panels:
            assert panel.graphics.backgroundBrush().color().name() == palette.plot_background


def test_every_control_has_a_name_and_a_tip(desk: Desk) -> None:
    from PySide6.QtWidgets import QAbstractButton, QAbstractSlider, QAbstractSpinBox, QComboBox, QLineEdit, QScrollBar

    kinds = (QAbstractButton, QAbstractSlider, QAbstractSpinBox, QComboBox, QLineEdit)
    controls = [w for w in desk.page.findChildren(QWidget) if isinstance(w, kinds) and not isinstance(w, QScrollBar)]
    own = [w for w in controls if w.objectName() and not w.objectName().startswith(("qt_", "Scroll"))]
    assert len(own) > 60
    for widget in own:
        named = widget.accessibleName() or (isinstance(widget, QAbstractButton) and widget.text())
        assert named and widget.toolTip(), widget.objectName()
        assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus, f"{widget.objectName()} cannot be reached by keyboard"


def test_a_failed_picture_is_a_line_in_the_log(desk: Desk) -> None:
    desk.load()
    with desk.qtbot.waitSignal(desk.page.logged, timeout=2000) as caught:
        desk.page.plots.colour_wanted.emit(np.zeros((2, 2), np.float32))
    assert caught.args[0] == "error" and "three dimensions" in caught.args[1]
