"""The window as a whole: a person's way through it, runs that go wrong, closing, themes, threads, what is left behind."""

from __future__ import annotations

import gc
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import fakes
import numpy as np
import pytest
from conftest import AnsweringDialogs, RigFiles, WindowMaker
from PySide6.QtCore import QEvent, QObject, Qt, QThread
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from cassi_core.errors import NumericsError
from cassi_core.io.calibration_file import read_calibration
from cassi_gui.desktop.settings import UiSettings
from cassi_gui.run.controller import RunController, RunPhase
from cassi_gui.shell.crash import CrashReporter
from cassi_gui.shell.main_window import STEPS, MainWindow
from cassi_gui.shell.page_deck import PageDeck
from cassi_gui.style.theme import DARK, LIGHT

Load = Callable[..., None]
ROOT = Path(__file__).resolve().parents[2]
STEP_IDS = tuple(step.id for step in STEPS)


def finished(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.waitUntil(lambda: not window.runner.running and not window.runner.busy, timeout=60_000)


# -- the whole way ----------------------------------------------------------------------------------------------------
def test_load_check_run_believe_accept_export(
    qtbot: QtBot, make_window: WindowMaker, rig_files: RigFiles, load: Load, tmp_path: Path
) -> None:
    window = make_window(partial(fakes.calibrate, pause_s=0.01))
    load(window, rig_files.measurement, rig_files.mask)
    for step in ("check", "run"):
        qtbot.mouseClick(window.step_bar.next_button, Qt.MouseButton.LeftButton)
        assert window.page_id == step
    qtbot.mouseClick(window.run_page.run_button, Qt.MouseButton.LeftButton)
    assert window.strip.isVisible() and window.strip.cancel.isVisible()
    qtbot.waitUntil(lambda: window.step_bar["run"].badge.startswith("running"))
    finished(qtbot, window)
    assert not window.strip.isVisible(), "nothing runs"
    assert window.run_line.text().startswith("Run 1") and window.run_line.text().endswith(": pass")
    assert window.step_bar["qa"].badge == "pass"
    assert window.chip.text() == "No calibration accepted"
    window.show_page("qa")
    window.qa_page.accept_current()
    assert window.chip.text().startswith("In force: Run 1")
    assert window.step_bar["qa"].badge == "accepted (pass)"
    qtbot.mouseClick(window.step_bar.next_button, Qt.MouseButton.LeftButton)
    page = window.export_page
    page.folder.setText(str(tmp_path))
    qtbot.mouseClick(page.write, Qt.MouseButton.LeftButton)
    finished(qtbot, window)
    stored = read_calibration(tmp_path / "a.cassi.json")
    assert stored.parameters["dx"].value == window.state.runs[0].result.parameters["dx"].value
    assert stored.parameters["curve"].value == 0.0


def test_every_page_can_be_reached_before_anything_is_loaded(window: MainWindow) -> None:
    for step in STEP_IDS:
        window.step_bar[step].click()
        assert window.page_id == step
        assert window.page.isVisible()
        assert window.step_bar[step].isChecked()
    assert not window.step_bar.next_button.isVisible(), "there is nothing after Export"
    window.slots_.go_next()
    assert window.page_id == "export"


def test_next_does_not_leave_the_focus_on_the_button_that_starts_a_run(qtbot: QtBot, window: MainWindow) -> None:
    window.state.replace(inputs=fakes.inputs())
    record = window.state.add_run(fakes.result())
    window.show_page("qa")
    window.qa_page.accept_current()
    window.activateWindow()
    window.step_bar.next_button.setFocus()
    qtbot.keyClick(window.step_bar.next_button, Qt.Key.Key_Space)
    assert window.page_id == "export" and window.state.accepted_run.id == record.id
    assert not window.run_page.run_button.hasFocus() and not window.runner.running


def test_a_long_reason_beside_next_keeps_to_two_lines_and_names_files_without_folders(window: MainWindow) -> None:
    height = window.step_bar.height()
    problem = "/a/very/long/folder/with/many/parts/of/it/measurement_of_the_third_scene.npz: the file holds no such thing " * 2
    window.step_bar.set_next("Check", (problem, "another"))
    shown = window.step_bar.reasons.text()
    assert "/a/very" not in shown and shown.startswith("measurement_of") and shown.endswith("(+1)")
    assert problem[1:] in window.step_bar.reasons.toolTip()
    window.step_bar.layout().activate()
    assert window.step_bar.sizeHint().height() <= height


def test_other_pages_are_used_during_a_run_and_edits_do_not_disturb_it(
    qtbot: QtBot, slow_window: MainWindow, rig_files: RigFiles, load: Load
) -> None:
    window = slow_window
    load(window, rig_files.measurement, rig_files.mask)
    window.slots_.start_run()
    for step in STEP_IDS:
        window.show_page(step)
    from cassi_gui.session import commands

    commands.edit_parameter(window.state, "curve", value=0.002)
    assert window.runner.running
    finished(qtbot, window)
    assert window.state.runs[-1].result.parameters["curve"].value == 0.0, "the run kept what it started with"
    assert window.state.parameters["curve"].value == 0.002


def test_fixed_parameters_are_bit_identical_after_a_run(
    qtbot: QtBot, window: MainWindow, rig_files: RigFiles, load: Load
) -> None:
    from cassi_gui.session import commands

    load(window, rig_files.measurement, rig_files.mask)
    value = 0.1 + 0.2
    fixed = window.state.parameters.edit("dy", value=value, refine=False).edit("slope", value=1 / 300, refine=False)
    commands.set_parameters(window.state, fixed)
    window.slots_.start_run()
    finished(qtbot, window)
    after = window.state.runs[-1].result.parameters
    assert after["dy"].value == value and after["slope"].value == 1 / 300
    assert after["dx"].value != 0.0


# -- how runs end -----------------------------------------------------------------------------------------------------
def test_pause_stop_and_cancel_from_the_strip(qtbot: QtBot, slow_window: MainWindow, rig_files: RigFiles, load: Load) -> None:
    window = slow_window
    load(window, rig_files.measurement, rig_files.mask)
    window.slots_.start_run()
    qtbot.waitUntil(lambda: window.strip.bar.value() > 0)
    qtbot.mouseClick(window.strip.pause, Qt.MouseButton.LeftButton)
    assert window.runner.phase is RunPhase.PAUSED
    assert (window.strip.pause.text(), window.strip.remaining.text()) == ("Resume", "paused")
    qtbot.mouseClick(window.strip.pause, Qt.MouseButton.LeftButton)
    assert window.strip.pause.text() == "Pause"
    qtbot.mouseClick(window.strip.finish, Qt.MouseButton.LeftButton)
    finished(qtbot, window)
    assert len(window.state.runs) == 1
    window.slots_.start_run()
    qtbot.mouseClick(window.strip.cancel, Qt.MouseButton.LeftButton)
    finished(qtbot, window)
    assert len(window.state.runs) == 1, "a cancelled run leaves nothing"
    assert window.statusBar().currentMessage() == "The run was cancelled; nothing was kept."
    assert not window.strip.isVisible() and window.run_page.run_button.isEnabled()


def test_a_failing_run_is_said_once_and_leaves_the_window_usable(
    qtbot: QtBot, make_window: WindowMaker, dialogs: AnsweringDialogs, rig_files: RigFiles, load: Load
) -> None:
    fail = [True]

    def calibrate(*args: Any, **rest: Any) -> Any:
        if fail[0]:
            raise NumericsError("the fit left the range of numbers; check --mask")
        return fakes.calibrate(*args, **rest)

    window = make_window(calibrate)
    load(window, rig_files.measurement, rig_files.mask)
    window.slots_.start_run()
    finished(qtbot, window)
    assert [title for title, _ in dialogs.said] == ["The run failed"]
    assert "the Mask slot" in dialogs.said[0][1]
    assert window.step_bar["run"].badge == "failed"
    assert window.state.runs == () and window.action_set["run.start"].isEnabled()
    fail[0] = False
    window.slots_.start_run()
    finished(qtbot, window)
    assert len(window.state.runs) == 1


def test_a_run_that_cannot_start_says_why(window: MainWindow, dialogs: AnsweringDialogs) -> None:
    window.slots_.start_run()
    assert dialogs.said == [("Nothing to run yet", "Needs a measurement and a mask.")]
    window.state.replace(inputs=fakes.inputs(), parameters=window.state.parameters.refining(()))
    window.slots_.start_run()
    assert dialogs.said[-1][0] == "Nothing to refine"
    assert not window.runner.running


def test_closing_during_a_run_cancels_it_and_waits(
    qtbot: QtBot, slow_window: MainWindow, rig_files: RigFiles, load: Load
) -> None:
    load(slow_window, rig_files.measurement, rig_files.mask)
    slow_window.slots_.start_run()
    qtbot.waitUntil(lambda: slow_window.strip.bar.value() > 0)
    threads = [t for t in slow_window.runner.findChildren(QThread) if t.isRunning()]
    assert len(threads) == 3
    slow_window.close()
    assert not slow_window.isVisible()
    assert not any(t.isRunning() for t in threads)


# -- look -------------------------------------------------------------------------------------------------------------
def test_the_theme_repaints_everything_and_back(window: MainWindow, rig_files: RigFiles, load: Load) -> None:
    load(window, rig_files.measurement, rig_files.mask)
    window.deck.build_all()

    def corner(widget: QWidget) -> str:
        return widget.grab().toImage().pixelColor(2, 2).name()

    for slot, palette in ((window.slots_.theme_dark, DARK), (window.slots_.theme_light, LIGHT)):
        slot()
        for step in STEP_IDS:
            window.show_page(step)
            assert corner(window.page) == palette.window, step
        window.show_page("check")
        assert corner(window.check_page.profile.graphics) == palette.plot_background


def contrast(a: str, b: str) -> float:
    """Contrast ratio of two colours after WCAG 2."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=lambda p: p.name)
def test_words_can_be_read_on_every_ground(palette: Any) -> None:
    for ground in (palette.window, palette.panel, palette.raised):
        for ink in (palette.text, palette.muted, palette.ok, palette.warn, palette.bad, palette.accent):
            assert contrast(ink, ground) >= 4.5, (ink, ground)
    assert contrast(palette.accent_text, palette.accent) >= 4.5
    for colour in palette.series:
        assert contrast(colour, palette.plot_background) >= 2.7, colour


# -- log, errors ------------------------------------------------------------------------------------------------------
def test_the_log_is_filtered_copied_and_saved(window: MainWindow, dialogs: AnsweringDialogs, tmp_path: Path) -> None:
    window.log.append("info", "read <a> & b")
    window.log.append("error", "it broke")
    window.log.level.setCurrentIndex(2)
    assert "it broke" in window.log.text.toPlainText() and "read" not in window.log.text.toPlainText()
    window.log.level.setCurrentIndex(0)
    assert "read <a> & b" in window.log.text.toPlainText()
    window.log._copy()
    assert "it broke" in QApplication.clipboard().text()
    dialogs.save_path = str(tmp_path / "log.txt")
    window.log._save()
    assert re.search(r"\d\d:\d\d:\d\d  error    it broke", (tmp_path / "log.txt").read_text())
    dialogs.save_path = str(tmp_path / "no" / "log.txt")
    window.log._save()
    assert dialogs.said[-1][0] == "The log could not be written"


def test_an_unexpected_error_is_written_down_and_shown_once(
    qtbot: QtBot, window: MainWindow, dialogs: AnsweringDialogs, tmp_path: Path
) -> None:
    reporter = CrashReporter(tmp_path / "logs" / "crash.log", dialogs, window)
    reporter.logged.connect(window.log.append)

    def fail(text: str) -> None:
        try:
            raise ZeroDivisionError(text)
        except ZeroDivisionError as error:
            reporter.report(type(error), error, error.__traceback__)

    for _ in range(3):
        fail("the same place")
    thread = threading.Thread(target=fail, args=("the same place",))
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: window.log.plain().count("the same place") == 4)
    assert len(dialogs.said) == 1
    assert "fault of the program" in dialogs.said[0][1] and "crash.log" in dialogs.said[0][1]
    written = (tmp_path / "logs" / "crash.log").read_text()
    assert written.count("ZeroDivisionError: the same place") == 4 and "Traceback" in written
    try:
        raise KeyError("another")
    except KeyError as error:
        reporter.report(type(error), error, error.__traceback__)
    qtbot.waitUntil(lambda: len(dialogs.said) == 2)


def test_a_run_that_fails_for_no_known_reason_leaves_its_trace_in_the_crash_log(
    qtbot: QtBot, make_window: WindowMaker, dialogs: AnsweringDialogs, tmp_path: Path
) -> None:
    def calibrate(*_args: object, **_kwargs: object) -> None:
        raise ValueError("boom")

    window = make_window(calibrate)
    reporter = CrashReporter(tmp_path / "crash.log", dialogs, window)
    reporter.install()
    reporter.logged.connect(window.log.append)
    try:
        window.runner.start(fakes.inputs(), window.state.config, window.state.parameters)
        qtbot.waitUntil(lambda: bool(dialogs.said))
        window.runner.submit(calibrate, failed=lambda error: None)
        qtbot.waitUntil(lambda: not window.runner.busy)
    finally:
        reporter.uninstall()
    assert "the crash log has the details" in dialogs.said[0][1]
    written = (tmp_path / "crash.log").read_text()
    assert written.count("ValueError: boom") == 2 and "in calibrate" in written
    assert window.log.plain().count("boom") == 1, "said once in the log"


def test_the_hooks_are_given_back(window: MainWindow, dialogs: AnsweringDialogs, tmp_path: Path) -> None:
    before = (sys.excepthook, threading.excepthook)
    reporter = CrashReporter(tmp_path / "crash.log", dialogs, window)
    reporter.install()
    assert sys.excepthook == reporter.report
    reporter.uninstall()
    assert (sys.excepthook, threading.excepthook) == before


# -- what must not happen ---------------------------------------------------------------------------------------------
class WindowWatch(QObject):
    """Notes every top-level widget that is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[str] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow():
            self.shown.append(f"{type(watched).__name__} {watched.objectName()}")
        return False


def test_building_the_pages_opens_no_stray_windows(qapp: QApplication, make_window: WindowMaker) -> None:
    watch = WindowWatch()
    qapp.installEventFilter(watch)
    window = make_window()
    window.deck.build_all()
    qapp.removeEventFilter(watch)
    assert watch.shown == ["MainWindow main_window"]


def test_nothing_is_left_after_twenty_windows(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PageDeck, "build_in_background", lambda deck: None)

    def left() -> tuple[int, int]:
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        gc.collect()
        return len(QApplication.allWidgets()), threading.active_count()

    def open_and_close(page: str) -> None:
        settings = UiSettings()
        window = MainWindow(settings, LIGHT, dialogs=AnsweringDialogs(settings))
        window.show()
        window.show_page(page)
        window.close()
        window.deleteLater()

    open_and_close("qa")
    before = left()
    for i in range(20):
        open_and_close(STEP_IDS[i % len(STEP_IDS)])
    after = left()
    assert after[1] <= before[1], "threads"
    assert after[0] <= before[0] + 2, "widgets"


def test_numerics_never_run_in_the_gui_thread(
    qtbot: QtBot, window: MainWindow, rig_files: RigFiles, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading, examining and searching are watched: each must be called from a worker."""
    called: dict[str, bool] = {}
    gui = threading.current_thread()

    def watch(module: str, name: str) -> None:
        imported = __import__(module, fromlist=[name])
        original = getattr(imported, name)

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            called[name] = threading.current_thread() is gui or called.get(name, False)
            return original(*args, **kwargs)

        monkeypatch.setattr(imported, name, wrapped)

    watch("cassi_core.io.examine", "examine")
    watch("cassi_core.io.inputs_from_files", "load_inputs")
    watch("cassi_core.quality.findings", "find_problems")
    watch("cassi_core.quality.detection", "detect_mask")
    watch("cassi_core.quality.detection", "find_orientation")
    watch("cassi_core.quality.findings", "flagged_pixels")
    watch("cassi_core.quality.placement", "axis_profile")
    watch("cassi_core.io.calibration_file", "calibration_document")
    image = rig_files.inputs.frames[0].image.copy()
    image[8:12, 20:24] = 4095
    foreign = rig_files.save("foreign.npy", np.random.default_rng(4).random((40, 36)).round())
    load(window, rig_files.save("bright.npy", image.clip(0).astype(np.uint16)), foreign)
    window.show_page("check")
    window.check_page.findings.show_requested.emit("finding0")
    finished(qtbot, window)
    window.state.add_run(fakes.result())
    window.show_page("export")
    finished(qtbot, window)
    assert called and not any(called.values()), called
    assert len(called) == 8, called


def test_the_first_window_needs_neither_torch_nor_numba_nor_scipy_nor_the_plots(tmp_path: Path) -> None:
    code = (
        "import sys, os\n"
        "from cassi_gui.app import make_application\n"
        "app = make_application()\n"
        "from PySide6.QtCore import QSettings\n"
        "QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, sys.argv[1])\n"
        "from cassi_gui.desktop.settings import UiSettings\n"
        "from cassi_gui.style.theme import LIGHT\n"
        "from cassi_gui.shell.main_window import MainWindow\n"
        "w = MainWindow(UiSettings(), LIGHT); w.show()\n"
        "print([m for m in ('torch', 'numba', 'scipy', 'h5py', 'pyqtgraph') if m in sys.modules])\n"
        "w.close()\n"
        "assert os.environ['OMP_WAIT_POLICY'] == 'PASSIVE'\n"
    )
    env = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"} | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, env=env, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_pages_and_widgets_import_one_way() -> None:
    rules = {
        "widgets": (
            "cassi_gui.pages",
            "cassi_gui.session.state",
            "cassi_gui.run.controller",
            "cassi_gui.shell.main_window",
            "cassi_gui.desktop.dialogs",
        ),
        "plots": (
            "cassi_gui.pages",
            "cassi_gui.session.state",
            "cassi_gui.run.controller",
            "cassi_gui.shell.main_window",
            "cassi_gui.widgets",
        ),
        "pages": ("cassi_gui.shell.main_window", "cassi_gui.app", "cassi_gui.shell.window_actions"),
    }
    wrong = []
    for folder, forbidden in rules.items():
        for path in (ROOT / "cassi_gui" / folder).glob("*.py"):
            for line in path.read_text().splitlines():
                found = re.match(r"\s*(?:from|import) (cassi_gui[\w.]*)", line)
                if found and found[1].startswith(forbidden):
                    wrong.append(f"{path.name}: {line.strip()}")
    assert wrong == []


def test_signals_of_workers_end_in_slots_of_the_gui_thread(qtbot: QtBot) -> None:
    """The controller's answers arrive in the GUI thread although the work is done elsewhere."""
    runner = RunController(calibrate=fakes.calibrate)
    where: list[bool] = []
    worked: list[bool] = []
    gui = QThread.currentThread()
    runner.submit(
        lambda: worked.append(QThread.currentThread() is gui), done=lambda _: where.append(QThread.currentThread() is gui)
    )
    qtbot.waitUntil(lambda: bool(where))
    assert (where, worked) == ([True], [False])
    assert runner.shutdown()
