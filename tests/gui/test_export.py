"""The Export page: what can be written, what is proposed, what is written, what is said afterwards."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import fakes
import pytest
from conftest import AnsweringDialogs
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics, QGuiApplication
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from cassi_core.io.calibration_file import read_calibration
from cassi_core.io.tables import iterations_csv
from cassi_gui.pages.export import file_size
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


def tick(window: MainWindow, *ids: str) -> None:
    """Tick exactly these files, box by box."""
    files = window.export_page.files
    for line in files.lines:
        if line.state != "impossible":
            files.item_of(line.id).setCheckState(Qt.CheckState.Checked if line.id in ids else Qt.CheckState.Unchecked)


def write(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.mouseClick(window.export_page.write, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not window.runner.busy)


def test_without_a_run_nothing_can_be_written_and_the_page_says_so(window: MainWindow) -> None:
    window.show_page("export")
    page = window.export_page
    assert not page.write.isEnabled()
    assert "There is no run" in page.warning.text() and not page.preview.isEnabled()
    assert all(not line.size and not line.note for line in page.files.lines)


def test_the_calibration_is_written_read_back_and_its_path_shown(
    qtbot: QtBot, page_with_run: MainWindow, tmp_path: Path
) -> None:
    page = page_with_run.export_page
    write(qtbot, page_with_run)
    path = tmp_path / "out" / "rig7.cassi.json"
    stored = read_calibration(path)
    result = page_with_run.state.runs[0].result
    assert stored.parameters["dx"] == result.parameters["dx"]
    assert page.done.full_text == f"1 file written to {path.parent}" and page.done.isVisible()
    line = page.files.lines[0]
    assert (line.name, line.note, line.state) == ("rig7.cassi.json", "read back, equal", "written")
    assert line.size == file_size(path.stat().st_size)
    assert page_with_run.step_bar["export"].badge == "1 file written"
    assert f"written: {path}" in page_with_run.log.plain()
    qtbot.mouseClick(page.copy, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == str(path)


def test_the_preview_is_what_will_be_written(
    qtbot: QtBot, page_with_run: MainWindow, dialogs: AnsweringDialogs, tmp_path: Path
) -> None:
    qtbot.mouseClick(page_with_run.export_page.preview, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(dialogs.pages))
    title, text = dialogs.pages[0]
    write(qtbot, page_with_run)
    assert title == "rig7.cassi.json" and text == (tmp_path / "out" / "rig7.cassi.json").read_text("utf-8")


def test_the_accepted_run_is_proposed_and_others_are_marked(qtbot: QtBot, page_with_run: MainWindow) -> None:
    page, state = page_with_run.export_page, page_with_run.state
    assert "Nobody has accepted" in page.warning.text()
    qtbot.mouseClick(page.accept, Qt.MouseButton.LeftButton)
    assert state.accepted_run is not None and not page.warning.isVisible() and "in force" in page.run.currentText()
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
    assert not window.export_page.warning.isVisible() and "in force" in window.export_page.run.currentText()


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
    assert not page.write.isEnabled() and "slashes" in page.done.full_text
    page.name.setText("ok")
    page.folder.setText("/there/is/no/such/folder")
    assert not page.write.isEnabled() and "does not exist" in page.done.full_text


def test_nothing_ticked_nothing_written(page_with_run: MainWindow) -> None:
    page = page_with_run.export_page
    tick(page_with_run)
    assert "Tick at least one" in page.done.full_text and not page.write.isEnabled()


def test_a_file_that_cannot_be_written_is_said_and_the_others_are_written(
    qtbot: QtBot, page_with_run: MainWindow, tmp_path: Path
) -> None:
    page = page_with_run.export_page
    tick(page_with_run, "calibration", "iterations")
    (tmp_path / "out" / "rig7.cassi.json").mkdir()
    write(qtbot, page_with_run)
    assert "1 file NOT written" in page.done.full_text
    assert "this is a folder" in page.files.lines[0].note and page.files.lines[0].state == "failed"
    assert (tmp_path / "out" / "rig7-iterations.csv").is_file()
    assert page_with_run.step_bar["export"].badge == "not all written"


def test_the_iteration_table_has_units_and_all_digits(qtbot: QtBot, page_with_run: MainWindow, tmp_path: Path) -> None:
    tick(page_with_run, "iterations")
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
    line = next(line for line in page.files.lines if line.id == "iterations")
    assert line.state == "impossible" and "no iteration table" in line.note
    assert not page.files.item_of("iterations").flags() & Qt.ItemFlag.ItemIsUserCheckable
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


def names(window: MainWindow) -> list[str]:
    """Names of the ticked files."""
    return [line.name for line in window.export_page.files.lines if line.ticked]


def test_a_bundle_ticks_its_files_and_nothing_more(qtbot: QtBot, page_with_run: MainWindow, tmp_path: Path) -> None:
    page = page_with_run.export_page
    mst = page.bundles.buttons["mst"]
    qtbot.mouseClick(mst, Qt.MouseButton.LeftButton)
    assert names(page_with_run) == ["rig7.cassi.json", "mask.mat", "mask_3d_shift.mat", "rig7-bands.csv"]
    assert page.write.text() == "Write 4 files" and mst.isChecked()
    assert list((tmp_path / "out").iterdir()) == [], "nothing is written yet"
    page.files.item_of("bands").setCheckState(Qt.CheckState.Unchecked)
    assert page.write.text() == "Write 3 files" and not mst.isChecked(), "no longer the bundle"
    qtbot.mouseClick(page.bundles.buttons["dauhst"], Qt.MouseButton.LeftButton)
    assert names(page_with_run) == ["rig7.cassi.json", "rig7-dauhst.mat"]
    qtbot.mouseClick(page.bundles.buttons["report"], Qt.MouseButton.LeftButton)
    assert names(page_with_run) == ["rig7.cassi.json", "rig7-report.html", "rig7-report.pdf"]


def test_everything_is_written_under_its_exact_name_and_read_back(
    qtbot: QtBot, page_with_run: MainWindow, tmp_path: Path
) -> None:
    page = page_with_run.export_page
    qtbot.mouseClick(page.bundles.buttons["everything"], Qt.MouseButton.LeftButton)
    write(qtbot, page_with_run)
    lines = page.files.lines
    assert {line.state for line in lines} == {"written"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == {line.name for line in lines} | {"rig7-cube.raw"}
    notes = {line.id: line.note for line in lines}
    assert notes.pop("report") == notes.pop("report-pdf") == "read back, complete" and set(notes.values()) == {
        "read back, equal"
    }


def test_what_is_damaged_on_the_way_is_not_called_equal(
    qtbot: QtBot, page_with_run: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out" / "rig7-bands.csv"

    def damaged(rig: object, target: Path) -> Path:
        path.write_text("band,wavelength [nm]\n0,450\n")
        return path

    monkeypatch.setattr("cassi_core.io.exports.table.write_bands", damaged)
    tick(page_with_run, "bands")
    write(qtbot, page_with_run)
    line = next(line for line in page_with_run.export_page.files.lines if line.id == "bands")
    assert line.state == "failed" and "not what was to be written" in line.note


def test_what_the_layout_loses_is_said_beside_the_file(qtbot: QtBot, page_with_run: MainWindow) -> None:
    page = page_with_run.export_page
    fitted = fakes.fitted_parameters().edit("slope", value=0.03)
    page_with_run.state.add_run(fakes.result(parameters=fitted))
    page.run.setCurrentIndex(0)
    qtbot.waitUntil(lambda: not page_with_run.runner.busy)
    lost = {line.id: line.note for line in page.files.lines}
    assert lost["mst-real"] == lost["mst-simulation"] == "whole-pixel shifts: 0.15 px lost" and lost["dauhst"] == ""


def test_ticks_of_another_run_or_session_are_not_shown(qtbot: QtBot, page_with_run: MainWindow) -> None:
    page, window = page_with_run.export_page, page_with_run
    write(qtbot, window)
    assert page.done.isVisible() and window.step_bar["export"].badge == "1 file written"
    window.state.add_run(fakes.result())
    page.run.setCurrentIndex(0)
    assert not page.done.isVisible() and window.step_bar["export"].badge == "1 file chosen"
    page.run.setCurrentIndex(1)
    write(qtbot, window)
    window.state.restore()
    assert window.step_bar["export"].badge == "" and page.done.full_text == "" and not page.open.isVisible()
    assert all(line.state == "" or line.state == "impossible" for line in page.files.lines)


def test_the_choice_is_kept_for_each_rig(
    qtbot: QtBot, page_with_run: MainWindow, make_window: Callable[..., MainWindow]
) -> None:
    page_with_run.logbook.set_rig("bench / left")
    tick(page_with_run, "dauhst", "bands")
    page_with_run.logbook.set_rig("right")
    assert names(page_with_run) == ["rig7.cassi.json"], "another rig begins with the calibration file"
    page_with_run.logbook.set_rig("bench / left")
    assert names(page_with_run) == ["rig7-bands.csv", "rig7-dauhst.mat"]
    page_with_run.close()
    later = make_window()
    later.state.add_run(fakes.result())
    later.show_page("export")
    assert [line.id for line in later.export_page.files.lines if line.ticked] == ["bands", "dauhst"]


@pytest.mark.parametrize("size", [(1024, 668), (1280, 700)])
def test_the_page_fits_small_windows(qtbot: QtBot, page_with_run: MainWindow, size: tuple[int, int]) -> None:
    page, window = page_with_run.export_page, page_with_run
    window.resize(*size)
    qtbot.mouseClick(page.bundles.buttons["mst"], Qt.MouseButton.LeftButton)
    write(qtbot, window)
    qtbot.wait(10)
    assert (window.width(), window.height()) == size
    assert page.minimumSizeHint().width() <= page.width() and page.minimumSizeHint().height() <= page.height()
    for button in (w for w in page.findChildren(QPushButton) if w.isVisible()):
        assert button.width() >= button.minimumSizeHint().width(), button.text()
    files = page.files
    for row in range(files.rowCount()):
        for column in (0, 2, 3):
            item = files.item(row, column)
            assert item is None or files.columnWidth(column) >= QFontMetrics(item.font()).horizontalAdvance(item.text()), (
                item.text()
            )
    if size[1] >= 700:
        page.files.scrollToBottom()
        page.accept.click()
        qtbot.wait(10)
        assert files.verticalScrollBar().maximum() <= 1 or page.done.isVisible(), "the whole list is seen"
