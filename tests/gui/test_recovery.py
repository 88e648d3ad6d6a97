"""What a window that died has left: found, offered once, never taken from a window that lives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import fakes
import pytest
from conftest import AnsweringDialogs, RigFiles, WindowMaker
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from cassi_core.io.session import Session, read_session, write_session
from cassi_core.session import CutRun
from cassi_gui.desktop.settings import UiSettings
from cassi_gui.session import autosave, commands
from cassi_gui.session.recovery import RecoveryFolder
from cassi_gui.shell.main_window import MainWindow

ROOT = Path(__file__).resolve().parents[2]
TESTS = Path(__file__).parent

VICTIM = """
import os, signal, sys
sys.path.insert(0, sys.argv[2])
from PySide6.QtCore import QSettings
QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, sys.argv[1])
import fakes
from cassi_gui.app import make_application
from cassi_gui.shell.main_window import MainWindow
from cassi_gui.desktop.settings import UiSettings
from cassi_gui.style.theme import LIGHT
from cassi_gui.session import autosave
from cassi_gui.session import commands
autosave.DELAY_MS = 50
app = make_application()
window = MainWindow(UiSettings(), LIGHT)
window.state.replace(inputs=fakes.inputs())
for seed in range(3):
    window.state.add_run(fakes.result(maps=fakes.maps(seed=seed)))
commands.accept_run(window.state, 2, "the good one")
def die(path):
    print(path, flush=True)
    if sys.argv[3] == "die":
        os.kill(os.getpid(), signal.SIGKILL)
window.sessions.autosave.written.connect(die)
window.sessions.autosave.written.connect(lambda path: sys.argv[3] == "stay" and sys.stdin.readline())
app.exec()
"""


def victim(settings: Path, end: str) -> subprocess.Popen[str]:
    """A process with a window that has three runs; it says where its recovery file is, then dies or stays."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", VICTIM, str(settings), str(TESTS), end]
    return subprocess.Popen(command, env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Autosaves follow at once."""
    monkeypatch.setattr(autosave, "DELAY_MS", 20)


def settled(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.waitUntil(lambda: window.sessions.io.idle and not window.runner.busy, timeout=30_000)


def autosaved(qtbot: QtBot, window: MainWindow) -> Path:
    with qtbot.waitSignal(window.sessions.autosave.written, timeout=20_000) as caught:
        pass
    (path,) = caught.args
    return Path(path)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the victim is killed")
def test_nothing_is_lost_when_the_process_is_killed(
    qtbot: QtBot, make_window: WindowMaker, dialogs: AnsweringDialogs, own_settings: Path, quick: None, tmp_path: Path
) -> None:
    dead = victim(own_settings, "die")
    alive = victim(own_settings, "stay")
    try:
        assert dead.wait(60) == -signal.SIGKILL
        assert dead.stdout is not None and alive.stdout is not None
        left, living = Path(dead.stdout.readline().strip()), Path(alive.stdout.readline().strip())
        assert left.is_file() and living.is_file() and left.parent == living.parent

        window = make_window()
        dialogs.answer = None
        window.sessions.offer_recovery()
        settled(qtbot, window)
        assert len(dialogs.said) == 1, "the file of the window that lives is not offered"
        title, text = dialogs.said[0]
        assert title == "Recover the session?"
        assert f"{time.localtime().tm_year}" in text and "3 runs, Run 2 (auto) accepted." in text
        assert "Discard deletes it for good" in text and left.is_file() and window.state.runs == ()

        dialogs.answer = 0
        window.sessions.offer_recovery()
        settled(qtbot, window)
        assert [r.name for r in window.state.runs] == ["Run 1 (auto)", "Run 2 (auto)", "Run 3 (auto)"]
        assert window.state.accepted_run is not None and window.state.accepted_run.note == "the good one"
        assert window.state.inputs is not None and window.page_id == "qa"
        assert window.isWindowModified() and window.windowTitle().startswith("New session[*]")

        other = make_window()
        other.sessions.offer_recovery()
        settled(qtbot, other)
        assert other.state.runs == (), "what one window has recovered is not offered to the next"

        dialogs.save_path = str(tmp_path / "saved.cassi.h5")
        window.sessions.save()
        settled(qtbot, window)
        assert not left.is_file(), "saved, so there is nothing to recover any more"
        maps = [r.result.maps for r in read_session(tmp_path / "saved.cassi.h5").session.runs]
        for seed, found in enumerate(maps):
            assert found is not None and found.cube_after.tobytes() == fakes.maps(seed=seed).cube_after.tobytes()
        assert living.is_file()
    finally:
        alive.kill()
        for process in (dead, alive):
            process.communicate()


def test_discarding_removes_the_file(qtbot: QtBot, make_window: WindowMaker, dialogs: AnsweringDialogs, quick: None) -> None:
    left = abandoned(qtbot, make_window)
    window = make_window()
    dialogs.answer = 1
    began: list[bool] = []
    window.sessions.offer_recovery(lambda: began.append(True))
    settled(qtbot, window)
    assert not left.exists() and list(left.parent.iterdir()) == [] and window.state.runs == ()
    assert began == [True], "the program goes on with what it was asked to open"


def abandoned(qtbot: QtBot, make_window: WindowMaker) -> Path:
    """The recovery file of a window that is gone without closing its session."""
    window = make_window()
    window.state.add_run(fakes.result())
    path = autosaved(qtbot, window)
    file = window.sessions.autosave._file
    assert file is not None
    window.sessions.autosave._file = None
    file.release(remove=False)
    window.close()
    return path


def test_a_damaged_recovery_file_is_put_aside(
    qtbot: QtBot, make_window: WindowMaker, dialogs: AnsweringDialogs, quick: None
) -> None:
    left = abandoned(qtbot, make_window)
    left.write_bytes(left.read_bytes()[:5000])
    half = left.with_name(".0123abcd-1f-89abcdef.gone.cassi.h5")
    half.write_bytes(b"half")
    window = make_window()
    window.sessions.offer_recovery()
    settled(qtbot, window)
    assert dialogs.said == [] and "cannot be recovered" in window.log.plain()
    assert [p.name for p in left.parent.iterdir()] == [left.name + ".damaged"]


def test_the_copy_is_written_elsewhere_and_goes_with_the_window(
    qtbot: QtBot, make_window: WindowMaker, rig_files: RigFiles, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    import cassi_core.io.session as core

    where: list[bool] = []
    original = core.write_session

    def watched(*args: Any, **keywords: Any) -> Any:
        where.append(threading.current_thread() is threading.main_thread())
        return original(*args, **keywords)

    monkeypatch.setattr(core, "write_session", watched)
    window = make_window()
    window.state.add_run(fakes.result())
    path = autosaved(qtbot, window)
    commands.accept_run(window.state, 1, "good")
    assert autosaved(qtbot, window) == path
    commands.add_point(window.state, 3, 4)
    assert autosaved(qtbot, window) == path
    stored = read_session(path).session
    assert stored.accepted_run is not None and stored.accepted_run.note == "good" and len(stored.points) == 1
    assert where == [False] * 3
    window.state.undo_stack.undo()
    window.state.undo_stack.redo()
    qtbot.wait(150)
    assert len(where) == 3, "nothing differs from what was written"
    other = make_window()
    other.state.add_run(fakes.result())
    assert autosaved(qtbot, other) != path
    assert not window.session_progress.isVisible()
    window.close()
    assert not path.exists()
    assert RecoveryFolder(path.parent).left_over() == (), "the other window lives"
    other.close()
    assert list(path.parent.iterdir()) == []


def test_files_alone_need_no_copy(qtbot: QtBot, window: MainWindow, rig_files: RigFiles, load: Any, quick: None) -> None:
    load(window, rig_files.measurement, rig_files.mask)
    qtbot.wait(200)
    assert window.sessions.autosave.path is None


def test_a_full_disk_is_told_once_and_tried_again(
    qtbot: QtBot, window: MainWindow, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    import cassi_core.io.session as core
    from cassi_core.errors import OutputError

    monkeypatch.setattr(autosave, "RETRY_MS", 30)
    original, tries = core.write_session, []

    def full(*args: Any, **keywords: Any) -> Any:
        tries.append(1)
        if len(tries) < 4:
            raise OutputError("x.cassi.h5: the file could not be written (No space left on device)")
        return original(*args, **keywords)

    monkeypatch.setattr(core, "write_session", full)
    window.state.add_run(fakes.result())
    path = autosaved(qtbot, window)
    assert path.is_file() and len(tries) == 4
    assert window.log.plain().count("could not be kept for recovery") == 1


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("x")
    assert RecoveryFolder(tmp_path / "file" / "recovery").claim() is None
    assert "cannot be kept for recovery" in caplog.text


CUT = """
import os, signal, sys
sys.path.insert(0, sys.argv[2])
from PySide6.QtCore import QSettings
QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, sys.argv[1])
from functools import partial
import fakes
from cassi_gui.app import make_application
from cassi_gui.shell.main_window import MainWindow
from cassi_gui.desktop.settings import UiSettings
from cassi_gui.run.controller import RunController
from cassi_gui.session import autosave, cut_run
from cassi_gui.session.state import FileSelection
from cassi_gui.style.theme import LIGHT
autosave.DELAY_MS, cut_run.INTERVAL_S = 50, 0.2
app = make_application()
window = MainWindow(UiSettings(), LIGHT, runner=RunController(calibrate=partial(fakes.calibrate, pause_s=0.3)))
window.state.replace(inputs=fakes.inputs())
window.runner.start(window.state.inputs, window.state.config, window.state.parameters)
def die(path):
    if window.state.snapshot.cut.parameters["dx"].value:
        autosave.DELAY_MS = 10**6
        os.kill(os.getpid(), signal.SIGKILL)
window.sessions.autosave.written.connect(die)
app.exec()
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the victim is killed")
def test_a_run_that_was_cut_is_offered_with_its_inputs_and_last_values(
    qtbot: QtBot, make_window: WindowMaker, dialogs: AnsweringDialogs, own_settings: Path
) -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", CUT, str(own_settings), str(TESTS)], env=env, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    window = make_window()
    window.sessions.offer_recovery()
    card = window.load_page.cut
    qtbot.waitUntil(card.isVisible, timeout=20_000)
    assert "Your last run was cut off at " in card.text.text() and dialogs.said == [], "a card, no question in the way"
    assert window.state.inputs is None and window.state.parameters["dx"].value == 0.0
    qtbot.mouseClick(card.go_on, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.state.inputs is not None, timeout=20_000)
    settled(qtbot, window)
    assert not card.isVisible() and window.state.snapshot.cut is None
    assert 0 < window.state.parameters["dx"].value < 2 * fakes.TRUTH["dx"]
    assert window.state.inputs is not None and window.state.inputs.frames[0].image.shape == (40, 46)


def test_a_cut_run_is_forgotten_for_good(
    qtbot: QtBot, make_window: WindowMaker, dialogs: AnsweringDialogs, settings: UiSettings
) -> None:
    folder = RecoveryFolder(settings.folder / "recovery")
    left = folder.claim()
    assert left is not None
    cut = CutRun(datetime(2026, 11, 3, 14, 2), "auto", fakes.start_parameters())
    write_session(Session(inputs=fakes.inputs(), cut=cut), left.path)
    left.release(remove=False)
    window = make_window()
    window.sessions.offer_recovery()
    qtbot.waitUntil(window.load_page.cut.isVisible, timeout=20_000)
    qtbot.mouseClick(window.load_page.cut.forget, Qt.MouseButton.LeftButton)
    assert not window.load_page.cut.isVisible() and not left.path.exists() and dialogs.said == []
    assert window.state.inputs is None


def test_a_run_that_ends_leaves_no_copy(
    qtbot: QtBot, slow_window: MainWindow, rig_files: RigFiles, load: Any, quick: None
) -> None:
    load(slow_window, rig_files.measurement, rig_files.mask)
    slow_window.slots_.start_run()
    path = autosaved(qtbot, slow_window)
    cut = read_session(path).session.cut
    assert cut is not None and cut.preset == "auto"
    slow_window.slots_.cancel_run()
    qtbot.waitUntil(lambda: not slow_window.runner.running and not path.exists(), timeout=20_000)
    assert slow_window.state.snapshot.cut is None
