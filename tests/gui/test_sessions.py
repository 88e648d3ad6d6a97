"""Sessions in the window: saved and reopened the same, asked about when something would be lost, never in the way."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import fakes
import numpy as np
import pytest
from conftest import AnsweringDialogs, RigFiles, WindowMaker, drop
from PySide6.QtWidgets import QLabel, QLineEdit, QMenu, QTableWidget, QWidget
from pytestqt.qtbot import QtBot

from cassi_core.io.calibration_file import calibration_document
from cassi_core.io.session import read_session
from cassi_core.result import CalibrationResult
from cassi_gui.session import commands
from cassi_gui.session.values import content_of
from cassi_gui.shell.main_window import STEPS, MainWindow
from cassi_gui.shell.session_actions import with_suffix

Load = Callable[..., None]
PAGES = tuple(step.id for step in STEPS)


def settled(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.waitUntil(lambda: window.sessions.io.idle and not window.runner.busy and not window.runner.running, timeout=30_000)


def arrays_of(value: Any) -> list[np.ndarray]:
    """All arrays of a result, in the order of its fields."""
    if isinstance(value, np.ndarray):
        return [value]
    if isinstance(value, tuple):
        return [a for item in value for a in arrays_of(item)]
    return [a for item in vars(value).values() for a in arrays_of(item)] if hasattr(value, "__dataclass_fields__") else []


def same_result(a: CalibrationResult, b: CalibrationResult) -> bool:
    pairs = list(zip(arrays_of(a), arrays_of(b), strict=True))
    same_bits = all(x.dtype == y.dtype and x.shape == y.shape and x.tobytes() == y.tobytes() for x, y in pairs)
    return len(pairs) >= 12 and same_bits and calibration_document(a) == calibration_document(b) and a.table == b.table


def words_of(page: QWidget) -> list[str]:
    """Every text that a page shows: labels, fields, tables."""
    said = [f"{w.objectName()}: {w.text()}" for w in page.findChildren(QLabel) if w.isVisibleTo(page)]
    said += [f"{w.objectName()}: {w.text()}" for w in page.findChildren(QLineEdit) if w.isVisibleTo(page)]
    for table in page.findChildren(QTableWidget):
        for row in range(table.rowCount()):
            cells = [table.item(row, col) for col in range(table.columnCount())]
            said.append(f"{table.objectName()}: " + " | ".join("" if c is None else c.text() for c in cells))
    return said


def worked_on(qtbot: QtBot, window: MainWindow, rig_files: RigFiles, load: Load) -> None:
    """Files loaded, two runs, one accepted with a note, points, a changed setting."""
    load(window, rig_files.measurement, rig_files.mask)
    for _ in range(2):
        window.slots_.start_run()
        settled(qtbot, window)
    commands.accept_run(window.state, 1, "after the lens was changed")
    commands.reject_run(window.state, 2, "blurred")
    commands.add_point(window.state, 7, 9)
    commands.edit_parameter(window.state, "slope", value=1 / 300)
    window.state.replace(current_id=1)


def save_to(qtbot: QtBot, window: MainWindow, dialogs: AnsweringDialogs, path: Path) -> Path:
    dialogs.save_path = str(path)
    window.action_set["file.save"].trigger()
    settled(qtbot, window)
    return path


# -- the same again ---------------------------------------------------------------------------------------------------
def test_saved_and_reopened_is_the_same(
    qtbot: QtBot, make_window: WindowMaker, dialogs: AnsweringDialogs, rig_files: RigFiles, load: Load, tmp_path: Path
) -> None:
    first = make_window(partial(fakes.calibrate, rig=fakes.FakeRig()))
    worked_on(qtbot, first, rig_files, load)
    path = save_to(qtbot, first, dialogs, tmp_path / "rig.cassi.h5")
    assert first.windowTitle() == "rig[*] - CASSI calibration" and not first.isWindowModified()
    for name in (rig_files.measurement, rig_files.mask):
        name.rename(name.with_name("moved_" + name.name))

    second = make_window()
    second.add_files([str(path)])
    settled(qtbot, second)
    a, b = first.state.snapshot, second.state.snapshot
    assert content_of(a) == content_of(b) and a.current_id == b.current_id == 1
    assert all(same_result(x.result, y.result) for x, y in zip(a.runs, b.runs, strict=True))
    assert [(r.name, r.note, r.when) for r in a.runs] == [(r.name, r.note, r.when) for r in b.runs]
    assert b.inputs is not None and b.inputs.mask.tobytes() == a.inputs.mask.tobytes()  # type: ignore[union-attr]
    assert a.findings == b.findings
    assert second.page_id == "qa" and second.chip.text() == first.chip.text() == "In force: Run 1 (auto)"
    for page in ("check", "run", "qa", "export"):
        for window in (first, second):
            window.show_page(page)
            settled(qtbot, window)
            if page == "run":
                window.run_page.plots.flush()
        assert words_of(first.page) == words_of(second.page), page
        assert len(words_of(first.page)) > 5
    for window in (first, second):
        window.show_page("run")
        assert window.run_page.plots.convergence is not None
    second.show_page("load")
    settled(qtbot, second)
    assert "6 bands" in second.load_page.summary.text()
    assert any("Kept in the session; the file itself is not there any more." in t for t in words_of(second.load_page))


def test_work_goes_on_after_opening(
    qtbot: QtBot, make_window: WindowMaker, dialogs: AnsweringDialogs, rig_files: RigFiles, load: Load, tmp_path: Path
) -> None:
    first = make_window()
    worked_on(qtbot, first, rig_files, load)
    path = save_to(qtbot, first, dialogs, tmp_path / "rig.cassi.h5")
    second = make_window()
    commands.add_point(second.state, 1, 1)
    second.sessions.open_path(path)
    settled(qtbot, second)
    undo = second.state.undo_stack
    assert not undo.canUndo() and not undo.canRedo(), "what belonged to the other session cannot be undone here"
    assert not second.isWindowModified()
    for name in (rig_files.measurement, rig_files.mask):
        name.unlink()
    second.load_page.form.bands.setValue(5)
    settled(qtbot, second)
    assert second.state.inputs is None and "no such file" in second.state.snapshot.load_problem
    undo.undo()
    settled(qtbot, second)
    assert second.state.inputs is not None, "the inputs are in the session"
    assert not second.isWindowModified(), "everything is as it was saved"
    second.slots_.start_run()
    settled(qtbot, second)
    assert [r.id for r in second.state.runs] == [1, 2, 3] and second.isWindowModified()
    second.action_set["file.save"].trigger()
    settled(qtbot, second)
    assert [r.result.maps is not None for r in read_session(path).session.runs] == [True] * 3


def test_maps_of_old_runs_come_back_when_they_are_looked_at(
    qtbot: QtBot, window: MainWindow, dialogs: AnsweringDialogs, tmp_path: Path
) -> None:
    results = [fakes.result(maps=fakes.maps(seed=i)) for i in range(5)]
    for result in results:
        window.state.add_run(result)
    assert [r.result.maps is not None for r in window.state.runs] == [False, False, False, True, True]
    window.state.replace(current_id=1)
    assert window.state.runs[0].result.maps is results[0].maps, "not written anywhere yet, so it was kept"
    path = save_to(qtbot, window, dialogs, tmp_path / "five.cassi.h5")
    window.show_page("qa")
    window.state.replace(current_id=2)
    settled(qtbot, window)
    assert same_result(window.state.runs[1].result, results[1])
    kept = [r.result.maps is not None for r in window.state.runs]
    assert kept == [False, True, False, True, True], "what nobody looks at leaves the memory again"
    assert window.qa_page._shown == (window.state.runs[1].uid, True)
    stored = read_session(path).session
    assert all(same_result(r.result, given) for r, given in zip(stored.runs, results, strict=True))
    window.action_set["file.save_as"].trigger()
    settled(qtbot, window)
    assert all(same_result(r.result, given) for r, given in zip(read_session(path).session.runs, results, strict=True))


# -- the mark and the question ----------------------------------------------------------------------------------------
def test_the_mark_follows_the_work(qtbot: QtBot, window: MainWindow, dialogs: AnsweringDialogs, tmp_path: Path) -> None:
    assert window.windowTitle() == "New session[*] - CASSI calibration" and not window.isWindowModified()
    commands.edit_parameter(window.state, "dx", value=2.0)
    assert window.isWindowModified()
    window.state.undo_stack.undo()
    assert not window.isWindowModified()
    window.state.undo_stack.redo()
    save_to(qtbot, window, dialogs, tmp_path / "a.cassi.h5")
    assert not window.isWindowModified()
    record = window.state.add_run(fakes.result())
    assert window.isWindowModified()
    save_to(qtbot, window, dialogs, tmp_path / "ignored: it has a file")
    window.state.replace(current_id=None)
    assert not window.isWindowModified(), "looking at something else changes nothing"
    commands.edit_run(window.state, record.id, note="x")
    assert window.isWindowModified()
    window.state.undo_stack.undo()
    assert not window.isWindowModified()
    assert [p.name for p in tmp_path.glob("*.h5")] == ["a.cassi.h5"]


def test_closing_asks_only_when_something_would_be_lost(
    qtbot: QtBot, make_window: WindowMaker, dialogs: AnsweringDialogs, rig_files: RigFiles, load: Load, tmp_path: Path
) -> None:
    dialogs.save_answer = "cancel"
    idle = make_window()
    load(idle, rig_files.measurement, rig_files.mask)
    assert idle.close() and dialogs.asked_to_save == [], "files alone are in the list of recent ones"

    window = make_window()
    window.state.add_run(fakes.result())
    assert not window.close() and window.isVisible()
    title, text = dialogs.asked_to_save[-1]
    assert title == "Save before closing?" and "“New session” with 1 run has changes that are not saved" in text
    dialogs.save_answer, dialogs.save_path = "save", ""
    assert not window.close() and window.isVisible(), "no file was chosen: nothing is saved, so nothing is closed"
    dialogs.save_path = str(tmp_path / "kept.cassi.h5")
    window.close()
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=20_000)
    assert len(read_session(tmp_path / "kept.cassi.h5").session.runs) == 1

    third = make_window()
    third.state.add_run(fakes.result())
    dialogs.save_answer = "discard"
    assert third.close()


def test_a_failed_save_is_told_and_nothing_is_left(
    qtbot: QtBot, window: MainWindow, dialogs: AnsweringDialogs, tmp_path: Path
) -> None:
    window.state.add_run(fakes.result())
    dialogs.save_answer, dialogs.save_path = "save", str(tmp_path / "none" / "a.cassi.h5")
    window.slots_.clear_session()
    settled(qtbot, window)
    assert dialogs.said[-1][0] == "The session was not saved" and "does not exist" in dialogs.said[-1][1]
    assert len(window.state.runs) == 1 and window.isWindowModified()
    dialogs.save_path = str(tmp_path / "a.h5")
    window.slots_.clear_session()
    qtbot.waitUntil(lambda: window.state.runs == (), timeout=20_000)
    assert (tmp_path / "a.cassi.h5").is_file() and window.windowTitle().startswith("New session")
    dialogs.save_answer = "discard"


def test_open_and_new_are_refused_during_a_run(
    qtbot: QtBot, slow_window: MainWindow, dialogs: AnsweringDialogs, rig_files: RigFiles, load: Load, tmp_path: Path
) -> None:
    window = slow_window
    load(window, rig_files.measurement, rig_files.mask)
    window.slots_.start_run()
    window.sessions.open_path(tmp_path / "any.cassi.h5")
    window.slots_.clear_session()
    assert [title for title, _ in dialogs.said] == ["A run is going on"] * 2
    saved = save_to(qtbot, window, dialogs, tmp_path / "during.cassi.h5")
    assert read_session(saved).session.runs == (), "saving is possible, the run is not part of it yet"
    settled(qtbot, window)
    assert window.isWindowModified()


def test_a_file_that_is_no_session_is_told(qtbot: QtBot, window: MainWindow, dialogs: AnsweringDialogs, tmp_path: Path) -> None:
    window.state.add_run(fakes.result())
    broken = tmp_path / "broken.cassi.h5"
    broken.write_bytes(b"nothing")
    window.sessions.open_path(broken)
    settled(qtbot, window)
    assert dialogs.said[-1][0] == "The session could not be opened" and "is no CASSI session" in dialogs.said[-1][1]
    assert len(window.state.runs) == 1, "the session on show stays"


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("a", "a.cassi.h5"),
        ("a.h5", "a.cassi.h5"),
        ("a.cassi", "a.cassi.h5"),
        ("a.CASSI.H5", "a.cassi.h5"),
        ("a.b", "a.b.cassi.h5"),
    ],
)
def test_the_suffix_is_added_whatever_was_typed(typed: str, name: str) -> None:
    assert with_suffix(Path("/x") / typed) == Path("/x") / name


# -- ways in ----------------------------------------------------------------------------------------------------------
def test_menu_drop_and_recent_list_open_sessions(
    qtbot: QtBot, make_window: WindowMaker, dialogs: AnsweringDialogs, tmp_path: Path
) -> None:
    first = make_window()
    first.state.add_run(fakes.result())
    paths = [save_to(qtbot, first, dialogs, tmp_path / "one.cassi.h5")]
    first.state.add_run(fakes.result())
    dialogs.save_path = str(tmp_path / "two.cassi.h5")
    first.action_set["file.save_as"].trigger()
    settled(qtbot, first)
    paths.append(tmp_path / "two.cassi.h5")

    window = make_window()
    drop(window.load_page, paths[1])
    settled(qtbot, window)
    assert len(window.state.runs) == 2
    drop(window.load_page.slots["mask"], paths[0])
    settled(qtbot, window)
    assert len(window.state.runs) == 1
    menu = window.findChild(QMenu, "menu.recent_sessions")
    assert isinstance(menu, QMenu)
    assert [a.text() for a in menu.actions() if a.text()] == ["&1  one", "&2  two", "Clear this list"]
    menu.actions()[1].trigger()
    settled(qtbot, window)
    assert len(window.state.runs) == 2 and window.windowTitle().startswith("two[*]")
    dialogs.files = (str(paths[0]),)
    window.action_set["file.open_session"].trigger()
    settled(qtbot, window)
    assert len(window.state.runs) == 1
    window.recent_sessions.clear()
    assert [a.text() for a in menu.actions()] == ["No session opened or saved yet"]


def test_large_inputs_that_moved_are_asked_for(
    qtbot: QtBot,
    make_window: WindowMaker,
    dialogs: AnsweringDialogs,
    rig_files: RigFiles,
    load: Load,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import cassi_core.io.session as core

    original = core.write_session
    monkeypatch.setattr(core, "write_session", lambda *a, **k: original(*a, **k, embed_bytes=100))
    first = make_window()
    load(first, rig_files.measurement, rig_files.mask)
    first.state.add_run(fakes.result())
    path = save_to(qtbot, first, dialogs, tmp_path / "big.cassi.h5")
    assert not read_session(path).inputs_kept

    second = make_window()
    second.sessions.open_path(path)
    settled(qtbot, second)
    assert second.state.inputs is not None, "read again from where it lies"

    elsewhere = rig_files.measurement.rename(tmp_path / "elsewhere.npy")
    dialogs.files, dialogs.answer = (str(rig_files.mask),), 0
    dialogs.yes = False
    said = len(dialogs.said)
    second.sessions._dialogs = dialogs
    answers = iter([(str(rig_files.mask),), (str(elsewhere),)])
    monkeypatch.setattr(dialogs, "open_files", lambda *a, **k: next(answers))
    second.sessions.open_path(path)
    settled(qtbot, second)
    texts = [text for _, text in dialogs.said[said:]]
    assert "is not there any more" in texts[0]
    assert "has another content than the measurement" in texts[1], "the mask was chosen by mistake"
    assert second.state.snapshot.files.measurements == (str(elsewhere),)
    assert second.state.inputs is not None and len(second.state.runs) == 1

    dialogs.answer = 1
    second.sessions.open_path(path)
    settled(qtbot, second)
    assert second.state.inputs is None and len(second.state.runs) == 1, "the runs are there without the inputs"
    assert "no such file" in second.state.snapshot.load_problem


# -- threads and progress ---------------------------------------------------------------------------------------------
def test_files_are_read_and_written_in_another_thread_with_progress(
    qtbot: QtBot, window: MainWindow, dialogs: AnsweringDialogs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import cassi_core.io.session as core

    where: list[bool] = []
    go_on = threading.Event()
    for name in ("write_session", "read_session"):
        original = getattr(core, name)

        def watched(*args: Any, _original: Any = original, **keywords: Any) -> Any:
            where.append(threading.current_thread() is threading.main_thread())
            keywords["report"](0.25)
            go_on.wait(10)
            return _original(*args, **keywords)

        monkeypatch.setattr(core, name, watched)
    window.state.add_run(fakes.result())
    dialogs.save_path = str(tmp_path / "a.cassi.h5")
    window.action_set["file.save"].trigger()
    progress = window.session_progress
    qtbot.waitUntil(progress.isVisible, timeout=5000)
    assert (progress.label.text(), progress.bar.value()) == ("Saving a.cassi.h5 …", 25)
    go_on.set()
    settled(qtbot, window)
    assert not progress.isVisible()
    go_on.clear()
    window.sessions.open_path(tmp_path / "a.cassi.h5")
    qtbot.waitUntil(progress.isVisible, timeout=5000)
    assert progress.label.text() == "Opening a.cassi.h5 …"
    progress.stop.click()
    go_on.set()
    settled(qtbot, window)
    assert where == [False, False]
    assert any("it was stopped" in line for line in window.log.plain().splitlines())
    assert dialogs.said == [] and len(window.state.runs) == 1
