"""Another session in place of the old one: nothing that a person reads is left of what happened in it, on any page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import fakes
import numpy as np
import pytest
from conftest import AnsweringDialogs, RigFiles, WindowMaker, drop
from PySide6.QtWidgets import QLabel, QLineEdit, QListWidget, QPlainTextEdit, QTableWidget, QTextBrowser
from pytestqt.qtbot import QtBot

from cassi_core.errors import NumericsError
from cassi_gui.plots.panel import PlotPanel
from cassi_gui.session import commands
from cassi_gui.shell.main_window import PAGES, STEPS, MainWindow

Load = Callable[..., None]
KEPT = ("recent.list", "recent.empty", "export.folder")
"""What remembers what the person did, whatever the session."""


def settled(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.waitUntil(lambda: window.sessions.io.idle and not window.runner.busy and not window.runner.running, timeout=30_000)


def read(qtbot: QtBot, window: MainWindow) -> set[str]:
    """Everything that can be read in a window, page after page."""
    found: set[str] = set()
    # Where there is little room a text is cut, and a heading has a short form.
    window.resize(1600, 900)
    for page_id in PAGES:
        window.show_page(page_id)
        settled(qtbot, window)
        found |= {f"{page_id}: {text}" for text in _of_page(window) if text.strip()}
        found |= {f"step {step.id}: {window.step_bar[step.id].badge}" for step in STEPS}
    around = (window.statusBar().currentMessage(), window.run_line.text(), window.chip.text(), window.windowTitle())
    return found | {f"window: {text}" for text in around if text}


def _of_page(window: MainWindow) -> Iterator[str]:
    page = window.page
    for label in page.findChildren(QLabel):
        if label.isVisible() and label.objectName() not in KEPT:
            yield label.text()
    for words in (*page.findChildren(QPlainTextEdit), *page.findChildren(QTextBrowser)):
        yield words.toPlainText()
    for field in page.findChildren(QLineEdit):
        if field.objectName() not in KEPT:
            yield f"{field.objectName()} {field.text()}"
    for rows in page.findChildren(QListWidget):
        if rows.objectName() not in KEPT:
            yield from (rows.item(i).text() for i in range(rows.count()))
    for table in page.findChildren(QTableWidget):
        yield f"{table.objectName()} has {table.rowCount()} rows"
    for plot in page.findChildren(PlotPanel):
        yield f"{plot.objectName()} says {plot.empty_text}" if plot.empty_text else f"{plot.objectName()} shows something"


# -- what happens in the first session -------------------------------------------------------------------------------
def ran_and_wrote(qtbot: QtBot, window: MainWindow, rig: RigFiles) -> None:
    window.slots_.start_run()
    qtbot.waitUntil(lambda: window.state.current_run is not None and not window.runner.running, timeout=20_000)
    commands.add_point(window.state, 12, 12)
    commands.accept_run(window.state, window.state.runs[0].id, "before the holiday")
    window.show_page("export")
    window.export_page.folder.setText(str(rig.folder))
    window.export_page.write.click()
    qtbot.waitUntil(lambda: window.step_bar["export"].badge == "1 file written", timeout=20_000)


def failed(qtbot: QtBot, window: MainWindow, rig: RigFiles) -> None:
    def broken(*_args: object, **_kwargs: object) -> None:
        raise NumericsError("the light is not a number at band 7")

    window.runner._calibrate = broken
    window.slots_.start_run()
    qtbot.waitUntil(lambda: window.step_bar["run"].badge == "failed", timeout=20_000)
    window.runner._calibrate = fakes.calibrate


def cancelled(qtbot: QtBot, window: MainWindow, rig: RigFiles) -> None:
    window.slots_.start_run()
    window.slots_.cancel_run()
    qtbot.waitUntil(lambda: not window.runner.running, timeout=20_000)
    qtbot.waitUntil(lambda: "cancelled" in window.statusBar().currentMessage())


def refused(qtbot: QtBot, window: MainWindow, rig: RigFiles) -> None:
    letter = rig.folder / "letter.docx"
    letter.write_bytes(b"only words, no picture in here")
    window.show_page("load")
    drop(window.load_page.big["mask"], letter)
    settled(qtbot, window)
    drop(window.load_page, letter)
    settled(qtbot, window)
    assert "letter.docx" in window.load_page.notes.text()


def looked(qtbot: QtBot, window: MainWindow, rig: RigFiles) -> None:
    window.show_page("check")
    page = window.check_page
    page.controls.movable.setChecked(True)
    page.axis_kind.setCurrentIndex(1)
    page.picture.flag_pixels(np.eye(40, 46, dtype=bool))
    page.picture.cursor_moved.emit((3, 4, 1.0))


HAPPENED = {"all went well": (looked, ran_and_wrote), "much went wrong": (refused, cancelled, failed)}


@pytest.mark.parametrize("happened", HAPPENED.values(), ids=HAPPENED.keys())
@pytest.mark.parametrize("way", ["new", "open"])
def test_nothing_of_the_old_session_can_be_read_in_the_new_one(
    qtbot: QtBot,
    make_window: WindowMaker,
    dialogs: AnsweringDialogs,
    rig_files: RigFiles,
    load: Load,
    tmp_path: Path,
    happened: tuple[Callable[[QtBot, MainWindow, RigFiles], None], ...],
    way: str,
) -> None:
    fresh = make_window()
    other = str(tmp_path / "other.cassi.h5")
    if way == "open":
        load(fresh, rig_files.save("c.npy", rig_files.inputs.frames[0].image * 2), rig_files.mask)
        dialogs.save_path = other
        fresh.sessions.save()
        settled(qtbot, fresh)
        fresh.close()
        fresh = make_window()
        fresh.sessions.open_path(other)
        settled(qtbot, fresh)
        fresh.statusBar().clearMessage()
    expected = read(qtbot, fresh)
    fresh.close()

    window = make_window()
    load(window, rig_files.measurement, rig_files.mask)
    for thing in happened:
        thing(qtbot, window, rig_files)
    for page_id in PAGES:
        window.show_page(page_id)
    if way == "new":
        window.slots_.clear_session()
    else:
        window.sessions.open_path(other)
    settled(qtbot, window)
    if way == "open":
        assert "other.cassi.h5" in window.statusBar().currentMessage(), "what was done now is said"
        window.statusBar().clearMessage()
    assert sorted(read(qtbot, window) - expected) == []
