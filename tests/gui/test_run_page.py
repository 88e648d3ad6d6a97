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
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from cassi_core.config import DEFAULT_REFINE
from cassi_core.parameters import PARAMETER_NAMES
from cassi_core.run import StageReport, StageStarted
from cassi_gui.desktop.actions import Actions
from cassi_gui.pages.run import RunPage
from cassi_gui.run.controller import Mailbox, RunBatch, RunController, RunPhase
from cassi_gui.session import commands
from cassi_gui.session.state import AppState
from cassi_gui.shell.main_window import MainWindow
from cassi_gui.style.elided import ElidedLabel
from cassi_gui.style.theme import DARK, LIGHT, font
from cassi_gui.widgets.parameter_table import FOUND, ParameterEdit


def found(desk: Desk, name: str) -> str:
    """What stands in the column Found."""
    model = desk.page.table.parameter_model
    return str(model.index(PARAMETER_NAMES.index(name), FOUND).data())


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
    assert "Load a measurement" in desk.page.setup.notice.text()
    desk.page.show()
    plots = desk.page.plots
    assert plots.hint.isVisible() and not any(panel.isVisible() for panel in plots.panels), "nothing has content yet"
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
    assert plots.stage == "precise" and list(steps) == list(range(12)), "the last stage, from its own first step on"
    assert values[-1] == pytest.approx(fakes.TRUTH["dx"], abs=0.03)
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
    assert not any(panel.isVisible() for panel in plots.panels) and plots.hint.isVisible()
    assert desk.page.setup.stages.lines == () and found(desk, "dx") == "\N{EN DASH}"


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
    rows = [row for row in fakes.table() if row.stage == "wide"]
    desk.page.plots.begin(desk.state.parameters, None)
    desk.runner.batch.emit(RunBatch(tuple(rows[:5])))
    desk.runner.batch.emit(RunBatch(tuple(rows[5:])))
    assert desk.page.plots.convergence.empty_text, "nobody looks: nothing is drawn"
    desk.page.show()
    assert len(desk.page.plots.convergence.trace("dx")[0]) == 12


def test_events_are_drawn_a_few_times_a_second_not_once_each(desk: Desk) -> None:
    desk.load()
    desk.page.show()
    plots = desk.page.plots
    plots.begin(desk.state.parameters, None)
    drawn: list[int] = []
    take_rows = plots.convergence.take_rows
    plots.convergence.take_rows = lambda rows: (drawn.append(len(rows)), take_rows(rows))  # type: ignore[method-assign]
    for row in (row for row in fakes.table() if row.stage == "wide"):
        desk.runner.batch.emit(RunBatch((row,)))
    desk.qtbot.waitUntil(lambda: bool(drawn), timeout=2000)
    assert drawn == [12]
    desk.qtbot.waitUntil(lambda: not plots.convergence.empty_text, timeout=5000)
    lengths = {name: len(plots.convergence.trace(name)[0]) for name in plots.convergence.names}
    assert set(lengths.values()) == {12} and drawn == [12]


def test_found_has_no_error_until_one_is_known_and_what_is_held_says_so(desk: Desk) -> None:
    desk.load()
    desk.page.show()
    assert found(desk, "dx") == "\N{EN DASH}" and found(desk, "curve") == "held"
    desk.runner.start = lambda *_args: True
    desk.page.start_run()
    desk.runner._set_phase(RunPhase.RUNNING)
    desk.page.plots.take((StageStarted("0", "Grid", 0, 567), fakes.grid("0", scored=0.4)))
    assert found(desk, "dx") == "\N{MINUS SIGN}0.750" and found(desk, "curve") == "held", "the best of what was scored"
    assert desk.page.setup.sentence.text() == "No \N{PLUS-MINUS SIGN} yet: a grid only knows its own cells, here 0.750 px."
    desk.page.plots.take(tuple(row for row in fakes.table() if row.stage == "precise"))
    assert "\N{PLUS-MINUS SIGN}" not in found(desk, "dx"), "errors of a fit that goes on are not those of its result"
    assert not desk.page.run_button.isVisible(), "gone during a run"
    desk.runner._set_phase(RunPhase.IDLE)


@pytest.mark.parametrize("preset", ["auto", "reference"])
def test_values_of_a_run_that_has_ended_are_those_of_its_result(desk: Desk, preset: str) -> None:
    """The last row of the table stands elsewhere: it must not be taken for the answer, with no preset."""
    rows = fakes.table(preset=preset)
    last = replace(rows[-1], values=(1.452, *rows[-1].values[1:]), sigmas=None)
    fitted = fakes.fitted_parameters(preset).edit("dx", value=1.392, sigma=0.013)
    desk.load()
    desk.page.show()
    desk.state.add_run(fakes.result(preset=preset, table=(*rows[:-1], last), parameters=fitted))
    desk.page.plots.flush()
    assert found(desk, "dx") == "+1.392 \N{PLUS-MINUS SIGN} 0.013"
    assert desk.page.plots.convergence.heading("dx").startswith("dx +1.392"), "above the curve too"
    assert "1.452" not in desk.page.plots.convergence.heading("dx")


def test_a_result_without_errors_says_that_none_are_known(desk: Desk) -> None:
    desk.load()
    desk.page.show()
    desk.state.add_run(fakes.result(parameters=fakes.fitted_parameters().with_sigmas({}), outcome="not_finished"))
    assert found(desk, "dx") == "+0.830" and "not finished" in desk.page.setup.sentence.text()


def test_each_stage_has_its_own_curve_and_the_list_chooses(desk: Desk) -> None:
    desk.load()
    desk.page.show()
    desk.run()
    setup, plots = desk.page.setup, desk.page.plots
    assert [(line.label, line.state) for line in setup.stages.lines] == [
        ("Grid search", "done"), ("Fit, wide prior", "done"), ("Fit, precise prior", "done")
    ]  # fmt: skip
    assert plots.convergence.isVisible() and not plots.grid.isVisible(), "of a fit no map"
    row = setup.stages.visualItemRect(setup.stages.item(1, 0)).center()
    desk.qtbot.mouseClick(setup.stages.viewport(), Qt.MouseButton.LeftButton, pos=row)
    wide = [r.score for r in desk.state.runs[0].result.table if r.stage == "wide"]
    assert list(plots.convergence.trace("residual")[1]) == pytest.approx(wide), "no other stage's residual beside it"
    desk.qtbot.keyClick(setup.stages, Qt.Key.Key_Up)
    assert plots.stage == "stage0" and plots.grid.isVisible()
    assert plots.convergence.title == "Best so far in stage 1" and plots.convergence.names == ("dx", "dy")


def test_a_stage_of_a_single_line_does_not_take_the_place_of_a_course(desk: Desk) -> None:
    """The proof at the end of a run writes one line: nine plots of one point say nothing."""
    rows = fakes.table()
    proof = StageReport("proof", "Residuals, maps and verdict", 0.5, 1, 0.1)
    result = fakes.result(table=(*rows, replace(rows[-1], stage="proof", step=0)), grids=())
    desk.load()
    desk.page.show()
    desk.state.add_run(replace(result, stages=(*result.stages, proof)))
    desk.page.plots.flush()
    assert desk.page.plots.stage == "precise" and len(desk.page.plots.convergence.trace("dx")[0]) == 12


def test_every_grid_of_a_stage_is_drawn_whatever_the_pace() -> None:
    """Only the newest state of each grid is kept for the window, but of each of them."""
    box = Mailbox()
    first, second = fakes.grid("1"), replace(fakes.grid("1"), axes=tuple(axis + 0.1 for axis in fakes.grid("1").axes))
    for event in (replace(first, best=(9.0, 9.0, 9.0)), first, second):
        box.put(event)
    assert [event.axes[0][0] for event in box.drain()] == [-3.0, -2.9]


@pytest.mark.parametrize("size", [(1024, 668), (1280, 700)])
def test_the_page_fits_small_windows_in_every_state(qtbot: QtBot, window: MainWindow, size: tuple[int, int]) -> None:
    window.resize(*size)
    window.show_page("run")
    window.strip.show_run()
    page = window.run_page

    def fits() -> None:
        qtbot.wait(10)
        assert (window.width(), window.height()) == size
        assert page.minimumSizeHint().width() <= page.width() and page.minimumSizeHint().height() <= page.height()
        for label in (w for w in page.findChildren(QLabel) if w.isVisible() and w.text() and not isinstance(w, ElidedLabel)):
            assert label.width() >= min(label.minimumSizeHint().width(), label.sizeHint().width()), label.text()
        for button in (w for w in (*page.findChildren(QPushButton), *window.strip.findChildren(QPushButton)) if w.isVisible()):
            assert button.width() >= button.minimumSizeHint().width(), button.text()

    fits()
    window.state.replace(inputs=fakes.inputs())
    window.state.add_run(fakes.result(preset="reference"))
    qtbot.waitUntil(lambda: not window.runner.busy)
    page.plots.flush()
    fits()
    assert page.run_button.property("role") != "primary", "the next thing is to look at the result"
    # From a large window in one step, with everything on show.
    window.resize(1600, 900)
    qtbot.wait(10)
    window.resize(*size)
    for stage in page.plots.book.stages:
        page.plots.choose_stage(stage.name)
        fits()
    table = page.table
    for column in (c for c in range(table.model().columnCount()) if not table.isColumnHidden(c)):
        for row in range(table.model().rowCount()):
            text, words = str(table.model().index(row, column).data()), QFontMetrics(font())
            assert words.horizontalAdvance(text) <= table.columnWidth(column) - 6, text


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
    assert "lower bound 99" in desk.page.setup.notice.text() and desk.page.setup.notice.property("status") == "bad"
    desk.page.table.edited.emit(ParameterEdit("dx", "value", 25.0))
    assert "upper bound" in desk.page.setup.notice.text()


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
    desk.page.setup.form.edited.emit(("auto", "max_steps"), 31)
    assert desk.state.config.auto.max_steps == 31
    assert "changed" in desk.page.preset_bar.note.text()
    desk.page.setup.form.edited.emit(("seed",), 5)
    desk.state.undo_stack.undo()
    assert (desk.state.config.seed, desk.state.config.auto.max_steps) == (0, 31)
    desk.page.setup.form.reset_button.click()
    assert desk.state.config.auto.max_steps == 6 and "changed" not in desk.page.preset_bar.note.text()
    desk.page.setup.form.edited.emit(("auto", "max_steps"), 0)
    assert "auto.max_steps" in desk.page.setup.notice.text() and desk.state.config.auto.max_steps == 6


def test_own_presets_are_saved_chosen_renamed_and_deleted(desk: Desk) -> None:
    desk.page.setup.form.edited.emit(("seed",), 42)
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
    desk.page.setup.defaults_button.click()
    assert desk.state.parameters.refined == DEFAULT_REFINE["auto"]
    with desk.qtbot.waitSignal(desk.actions["edit.reset_parameters"].triggered, timeout=500):
        desk.page.setup.reset_button.click()
    with desk.qtbot.waitSignal(desk.actions["run.start"].triggered, timeout=500):
        desk.page.run_button.click()
    desk.actions["run.start"].setEnabled(False)
    assert not desk.page.run_button.isEnabled()


def test_without_a_refined_parameter_the_page_says_so(desk: Desk) -> None:
    desk.load()
    commands.set_parameters(desk.state, desk.state.parameters.refining(()))
    assert "tick at least one" in desk.page.setup.notice.text()


def test_a_picked_point_shows_its_spectrum(desk: Desk) -> None:
    desk.load()
    desk.page.show()
    desk.run()
    desk.page.plots.cube.point_picked.emit((28, 25))
    assert [(p.row, p.col) for p in desk.state.points] == [(28, 25)]
    desk.page.plots.flush()
    assert desk.page.plots.spectra.isVisible()
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
    desk.load()
    desk.page.resize(1400, 560)
    desk.page.show()
    desk.run()
    plots = desk.page.plots
    plots.cube.enlarge_requested.emit()
    assert plots.cube.isVisible() and not plots.convergence.isVisible() and not plots.spectra.isVisible()
    plots.cube.enlarge_requested.emit()
    assert plots.convergence.isVisible() and plots.spectra.isVisible()
    plots.cube.enlarge_requested.emit()
    desk.page.reset_layout()
    assert plots.convergence.isVisible() and plots.alone is None


def test_in_a_narrow_window_search_and_scene_take_turns(desk: Desk) -> None:
    desk.load()
    desk.page.resize(1024, 480)
    desk.page.show()
    desk.run()
    plots = desk.page.plots
    assert plots.convergence.isVisible() and not plots.cube.isVisible()
    tab = plots.views.tabRect(1).center()
    desk.qtbot.mouseClick(plots.views, Qt.MouseButton.LeftButton, pos=tab)
    assert plots.cube.isVisible() and plots.spectra.isVisible() and not plots.convergence.isVisible()


def test_plots_are_saved_where_the_person_says(desk: Desk, tmp_path: Path) -> None:
    desk.load()
    desk.page.show()
    desk.page.plots.begin(desk.state.parameters, None)
    desk.page.plots.take(fakes.table())
    desk.page.plots.flush()
    with desk.qtbot.waitSignal(desk.page.logged, timeout=1000) as caught:
        desk.page.plots.convergence.menu.actions()[2].trigger()
    path = tmp_path / "values-in-stage-2.csv"
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
