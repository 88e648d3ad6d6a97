"""Files dropped on the window: taken on every page, over every kind of control, and shown on the Load page."""

from __future__ import annotations

from pathlib import Path

import fakes
import pytest
from conftest import AnsweringDialogs, RigFiles, WindowMaker, drop
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from cassi_gui.shell.main_window import PAGES, MainWindow


def settled(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.waitUntil(lambda: window.sessions.io.idle and not window.runner.busy and not window.runner.running, timeout=30_000)


@pytest.mark.parametrize("page", PAGES)
def test_files_dropped_on_any_page_are_sorted_into_the_slots(
    qtbot: QtBot, window: MainWindow, rig_files: RigFiles, page: str
) -> None:
    window.show_page(page)
    assert drop(window.page, rig_files.mask, rig_files.measurement).isAccepted()
    settled(qtbot, window)
    assert window.page_id == "load"
    assert window.load_page.slots["measurement"].entries == (str(rig_files.measurement),)
    assert window.load_page.slots["mask"].entries == (str(rig_files.mask),)


def places(window: MainWindow) -> dict[str, tuple[str, QWidget]]:
    """A control of each kind, what is around the pages included, and the page to see it on."""
    return {
        "the steps": ("run", window.step_bar["qa"]),
        "the strip": ("run", window.strip),
        "the log": ("run", window.log.text.viewport()),
        "a field": ("export", window.export_page.folder),
        "a list": ("export", window.export_page.files.viewport()),
        "a table": ("run", window.run_page.table.viewport()),
        "a plot": ("check", window.check_page.picture.graphics.viewport()),
        "a box": ("run", window.run_page.preset_bar.box),
        "a box to type in": ("qa", window.qa_page.decision.rig.box.lineEdit()),
        "facts": ("logbook", window.logbook_page.facts.viewport()),
    }


def test_files_dropped_over_any_control_are_taken_and_change_nothing_else(
    qtbot: QtBot, window: MainWindow, rig_files: RigFiles
) -> None:
    window.state.replace(inputs=fakes.inputs())
    window.state.add_run(fakes.result())
    window.log_dock.show()
    folder = window.export_page.folder.text()
    for number, (kind, (page, widget)) in enumerate(places(window).items()):
        window.show_page(page)
        settled(qtbot, window)
        path = rig_files.save(f"measurement_{number}.npy", rig_files.inputs.frames[0].image)
        assert drop(widget, path).isAccepted(), kind
        settled(qtbot, window)
        assert window.page_id == "load", kind
        assert str(path) in window.load_page.slots["measurement"].entries, kind
    assert window.export_page.folder.text() == folder
    assert "measurement" not in window.qa_page.decision.rig.box.currentText()


def test_a_file_dropped_on_the_field_of_a_slot_belongs_to_that_slot(
    qtbot: QtBot, window: MainWindow, rig_files: RigFiles
) -> None:
    dark = rig_files.save("c.npy", rig_files.inputs.frames[0].image * 0 + 3)
    assert drop(window.load_page.slots["dark"].path, dark).isAccepted()
    settled(qtbot, window)
    assert window.load_page.slots["dark"].entries == (str(dark),)


def test_a_session_dropped_on_another_page_is_opened(
    qtbot: QtBot, make_window: WindowMaker, dialogs: AnsweringDialogs, tmp_path: Path
) -> None:
    first = make_window()
    first.state.add_run(fakes.result())
    dialogs.save_path = str(tmp_path / "one.cassi.h5")
    first.action_set["file.save"].trigger()
    settled(qtbot, first)
    second = make_window()
    second.show_page("check")
    assert drop(second.page, tmp_path / "one.cassi.h5").isAccepted()
    settled(qtbot, second)
    assert len(second.state.runs) == 1 and second.windowTitle().startswith("one[*]")


def test_text_is_still_dropped_into_fields_and_nowhere_else(window: MainWindow) -> None:
    window.show_page("export")
    name = window.export_page.name
    name.clear()
    mime = QMimeData()
    mime.setText("rig 3")
    arguments = Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    for widget in (name, window.page):
        QApplication.sendEvent(widget, QDragEnterEvent(QPoint(3, 3), *arguments))
        QApplication.sendEvent(widget, QDropEvent(QPointF(3, 3), *arguments))
    assert name.text() == "rig 3" and window.page_id == "export"
