"""The Export page: what can be written, what is proposed, what is written, what is said afterwards."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import fakes
import pytest
from conftest import AnsweringDialogs
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from cassi_core.io.calibration_file import read_calibration
from cassi_core.io.tables import iterations_csv
from cassi_gui.session import commands
from cassi_gui.shell.main_window import MainWindow


@pytest.fixture
def page_with_run(window: MainWindow, tmp_path: Path) -> MainWindow:
    window.state.add_run(fakes.result())
    window.show_page("export")
    folder = tmp_path / "out"
    folder.mkdir()
    window.export_page.folder.setText(str(folder))
    window.export_page.name.setText("rig7")
    return window


def write(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.mouseClick(window.export_page.write, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not window.runner.busy)


def test_without_a_run_nothing_can_be_written_and_the_page_says_so(window: MainWindow) -> None:
    window.show_page("export")
    page = window.export_page
    assert not page.write.isEnabled()
    assert "There is no run" in page.reason.text()
    assert "Run a calibration first" in page.preview.placeholderText()


def test_the_calibration_is_written_read_back_and_its_path_shown(
    qtbot: QtBot, page_with_run: MainWindow, tmp_path: Path
) -> None:
    page = page_with_run.export_page
    write(qtbot, page_with_run)
    path = tmp_path / "out" / "rig7.cassi.json"
    stored = read_calibration(path)
    result = page_with_run.state.runs[0].result
    assert stored.parameters["dx"] == result.parameters["dx"]
    assert str(path) in page.done.text() and page.done_card.isVisible()
    assert page_with_run.step_bar["export"].badge == "1 file written"
    assert f"written: {path}" in page_with_run.log.plain()
    qtbot.mouseClick(page.copy, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == str(path)


def test_the_preview_is_what_will_be_written(qtbot: QtBot, page_with_run: MainWindow, tmp_path: Path) -> None:
    page = page_with_run.export_page
    qtbot.waitUntil(lambda: bool(page.preview.toPlainText()))
    shown = json.loads(page.preview.toPlainText())
    write(qtbot, page_with_run)
    assert json.loads((tmp_path / "out" / "rig7.cassi.json").read_text()) == shown


def test_the_accepted_run_is_proposed_and_others_are_marked(qtbot: QtBot, page_with_run: MainWindow) -> None:
    page, state = page_with_run.export_page, page_with_run.state
    assert "Nobody has accepted" in page.warning.text()
    qtbot.mouseClick(page.accept, Qt.MouseButton.LeftButton)
    assert state.accepted_run is not None and "in force" in page.warning.text()
    assert "In force: Run 1" in page_with_run.chip.text()
    state.add_run(fakes.result(status="fail"))
    assert page.record is not None and page.record.id == 1, "the accepted one stays proposed"
    page.run.setCurrentIndex(0)
    assert page.record.id == 2
    assert "do not trust it" in page.warning.text() and page.warning.property("status") == "bad"
    page_with_run.slots_.undo()
    assert state.accepted_run is None


def test_a_run_of_other_files_is_not_taken_for_one_of_those_loaded(page_with_run: MainWindow) -> None:
    """After other files are loaded nothing green is left of the run before; it can still be exported, with a word."""
    window, state = page_with_run, page_with_run.state
    state.replace(inputs=fakes.inputs())
    window.export_page.accept.click()
    assert window.step_bar["qa"].badge.startswith("accepted") and window.step_bar["run"].badge == "1 run"
    own = state.inputs
    assert own is not None
    frame = replace(own.frames[0], source=replace(own.frames[0].source, path="another_rig.npz"))
    state.replace(inputs=replace(own, frames=(frame,)))
    assert window.step_bar["qa"].badge == "run of other files" and window.step_bar["run"].badge == "ready"
    assert "other files" in window.chip.text() and "other files" in window.export_page.warning.text()
    state.replace(inputs=own)
    assert window.step_bar["qa"].badge.startswith("accepted") and "other files" not in window.chip.text()
    assert "in force" in window.export_page.warning.text()


def test_existing_files_are_replaced_only_when_confirmed(
    qtbot: QtBot, page_with_run: MainWindow, dialogs: AnsweringDialogs, tmp_path: Path
) -> None:
    path = tmp_path / "out" / "rig7.cassi.json"
    path.write_text("precious")
    dialogs.yes = False
    write(qtbot, page_with_run)
    assert path.read_text() == "precious" and "rig7.cassi.json" in dialogs.said[-1][1]
    dialogs.yes = True
    write(qtbot, page_with_run)
    assert read_calibration(path)


def test_bad_places_and_names_are_said_before_writing(page_with_run: MainWindow) -> None:
    page = page_with_run.export_page
    page.name.setText("a/b")
    assert not page.write.isEnabled() and "slashes" in page.reason.text()
    page.name.setText("ok")
    page.folder.setText("/there/is/no/such/folder")
    assert not page.write.isEnabled() and "does not exist" in page.reason.text()


def test_nothing_ticked_nothing_written(page_with_run: MainWindow) -> None:
    page = page_with_run.export_page
    for box in page._boxes.values():
        box.setChecked(False)
    assert "Tick at least one" in page.reason.text()


def test_a_file_that_cannot_be_written_is_said_and_the_others_are_written(
    qtbot: QtBot, page_with_run: MainWindow, tmp_path: Path
) -> None:
    page = page_with_run.export_page
    page._boxes["iterations"].setChecked(True)
    (tmp_path / "out" / "rig7.cassi.json").mkdir()
    write(qtbot, page_with_run)
    assert "NOT written" in page.done.text() and "this is a folder" in page.done.text()
    assert (tmp_path / "out" / "rig7-iterations.csv").is_file()
    assert page_with_run.step_bar["export"].badge == "not all written"


def test_the_iteration_table_has_units_and_all_digits(qtbot: QtBot, page_with_run: MainWindow, tmp_path: Path) -> None:
    page_with_run.export_page._boxes["iterations"].setChecked(True)
    write(qtbot, page_with_run)
    rows = list(csv.DictReader((tmp_path / "out" / "rig7-iterations.csv").open()))
    table = page_with_run.state.runs[0].result.table
    assert len(rows) == len(table) == 24
    assert float(rows[5]["dx [px]"]) == table[5].values[0]
    assert rows[0]["sigma dx [px]"] == "" and float(rows[-1]["sigma dx [px]"]) == table[-1].sigmas[0]  # type: ignore[index]
    assert float(rows[3]["residual"]) == table[3].score


def test_a_run_without_a_table_cannot_give_one(page_with_run: MainWindow) -> None:
    page_with_run.state.add_run(fakes.result(table=()))
    page = page_with_run.export_page
    page.run.setCurrentIndex(0)
    assert not page._boxes["iterations"].isEnabled()
    assert "no iteration table" in page._targets["iterations"].text()
    assert iterations_csv(fakes.result(table=())).count("\n") == 1


def test_the_folder_button_and_the_file_manager(
    qtbot: QtBot, page_with_run: MainWindow, dialogs: AnsweringDialogs, tmp_path: Path
) -> None:
    page = page_with_run.export_page
    dialogs.folder_path = str(tmp_path)
    qtbot.mouseClick(page.choose, Qt.MouseButton.LeftButton)
    assert page.folder.text() == str(tmp_path)
    write(qtbot, page_with_run)
    qtbot.mouseClick(page.open, Qt.MouseButton.LeftButton)
    assert dialogs.pages == [("folder", str(tmp_path))]


def test_the_name_follows_the_measurement(window: MainWindow, rig_files: object, load: Callable[..., None]) -> None:
    window.show_page("export")
    load(window, rig_files.measurement, rig_files.mask)  # type: ignore[attr-defined]
    assert window.export_page.name.text() == "a"
    commands.edit(window.state, "x", files=window.state.snapshot.files)
