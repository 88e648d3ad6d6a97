"""Every action of the table: there is one of each, it can be found, triggered, and does what it says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import fakes
import pytest
from conftest import AnsweringDialogs, RigFiles, WindowMaker
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from cassi_gui.desktop.actions import ACTIONS, MENUS
from cassi_gui.session.state import FileSelection
from cassi_gui.shell.about import about_text, shortcut_rows
from cassi_gui.shell.main_window import MainWindow
from cassi_gui.shell.window_actions import WindowActions
from cassi_gui.style.icons import SHAPES

Load = Callable[..., None]


def test_ids_and_shortcuts_are_unique_and_icons_exist() -> None:
    ids = [a.id for a in ACTIONS]
    keys = [k for a in ACTIONS for k in a.shortcut.split()]
    assert len(set(ids)) == len(ids)
    assert len(set(keys)) == len(keys)
    assert {a.icon for a in ACTIONS} - {""} <= set(SHAPES)
    assert {a.menu for a in ACTIONS} == set(MENUS)
    assert all(hasattr(WindowActions, a.slot) for a in ACTIONS)


def test_menus_come_from_the_table(window: MainWindow) -> None:
    for menu in window.menuBar().findChildren(QMenu):
        name = menu.title().lstrip("&")
        if name in MENUS:
            shown = [a.objectName() for a in menu.actions() if a.objectName().startswith("action.")]
            assert shown == [f"action.{s.id}" for s in ACTIONS if s.menu == name]


def test_every_action_can_be_triggered_once(
    qtbot: QtBot, make_window: WindowMaker, dialogs: AnsweringDialogs, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One window for all: the action that quits comes last."""
    window = make_window()
    rig, result = fakes.inputs(), fakes.result(with_maps=False)
    for spec in sorted(ACTIONS, key=lambda s: s.id == "file.quit"):
        window.show_page("load")
        window.state.replace(files=FileSelection())
        window.state.replace(inputs=rig)
        if not window.state.runs:
            window.state.add_run(result)
        window.slots_.theme_light()
        window.action_set[spec.id].setEnabled(True)
        before = seen_by_a_person(window, dialogs)
        window.action_set[spec.id].trigger()
        qtbot.waitUntil(lambda: not window.runner.busy and not window.runner.running, timeout=20_000)
        changed = seen_by_a_person(window, dialogs) != before
        assert changed or spec.id not in VISIBLE, f"{spec.id} did nothing that a person would see"
    assert not window.isVisible()
    assert not [r for r in caplog.records if r.levelname == "ERROR"]


VISIBLE = {
    *("go.check", "go.run", "go.qa", "go.export", "go.next", "file.export", "run.start", "qa.accept", "qa.reject"),
    *("help.page", "help.shortcuts", "help.crash_log", "help.about", "go.logbook"),
    *("file.demo", "file.new", "view.theme_dark", "view.log", "view.full_screen", "file.quit"),
}
"""Actions that change something that is seen in the state that the test puts the window into."""


def seen_by_a_person(window: MainWindow, dialogs: AnsweringDialogs) -> tuple[object, ...]:
    look = (window.page_id, window.colours.name, window.log_dock.isVisible(), window.isFullScreen(), window.isVisible())
    return (*look, len(dialogs.pages), len(dialogs.said), window.state.snapshot)


def test_shortcuts_lead_to_the_pages(qtbot: QtBot, window: MainWindow) -> None:
    window.activateWindow()
    with qtbot.waitActive(window):
        pass
    for key, page in ((Qt.Key.Key_2, "check"), (Qt.Key.Key_5, "export"), (Qt.Key.Key_1, "load")):
        qtbot.keyClick(window, key, Qt.KeyboardModifier.AltModifier)
        assert window.page_id == page
    window.show_page("run")
    for key, page in ((Qt.Key.Key_5, "logbook"), (Qt.Key.Key_1, "run")):
        qtbot.keyClick(window, key, Qt.KeyboardModifier.ControlModifier)
        assert window.page_id == page, "Calibrate opens at the step that was left"
    window.show_page("load")
    qtbot.keyClick(window, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    assert window.page_id == "check"


def test_help_is_about_the_page_on_show_and_lists_the_shortcuts(window: MainWindow, dialogs: AnsweringDialogs) -> None:
    for page in ("load", "check", "run", "qa", "export", "logbook"):
        window.show_page(page)
        window.slots_.show_help()
        html = dialogs.pages[-1][1]
        assert window.page.help_html in html and len(window.page.help_html) > 200  # type: ignore[attr-defined]
        assert "Ctrl+Z" in html
    window.slots_.show_shortcuts()
    assert "Run | Run calibration | F5 or Ctrl+R" in dialogs.pages[-1][1]
    assert len(shortcut_rows()) == sum(bool(a.shortcut) for a in ACTIONS)


def test_about_names_versions_and_does_not_load_torch() -> None:
    import os
    import subprocess
    import sys

    root = Path(__file__).resolve().parents[2]
    code = "import sys; from cassi_gui.shell.about import about_text; print(about_text()); print('torch' in sys.modules)"
    env = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, check=True)
    assert done.stdout.splitlines()[-1] == "False"
    assert "GPU: " in done.stdout
    text = about_text()
    assert "CASSI calibration" in text and "numpy" in text and "cores" in text


def test_undo_names_what_it_takes_back(window: MainWindow) -> None:
    undo: QAction = window.action_set["edit.undo"]
    assert not undo.isEnabled()
    window.state.replace(parameters=window.state.parameters)
    from cassi_gui.session import commands

    commands.edit_parameter(window.state, "dy", value=2.0)
    assert undo.isEnabled() and "Change dy" in undo.toolTip()
    undo.trigger()
    assert window.state.parameters["dy"].value == 0.0
    assert "Change dy" in window.action_set["edit.redo"].toolTip()


def test_reset_parameters_keeps_the_choice_of_what_is_refined(window: MainWindow) -> None:
    from cassi_gui.session import commands

    commands.set_parameters(window.state, window.state.parameters.edit("dx", value=3.0, upper=4.0).edit("psf", refine=True))
    window.slots_.reset_parameters()
    assert window.state.parameters["dx"].value == 0.0 and window.state.parameters["dx"].upper == 25.0
    assert "psf" in window.state.parameters.refined


def test_clearing_the_session_asks_when_there_are_runs(
    window: MainWindow, dialogs: AnsweringDialogs, rig_files: RigFiles, load: Load
) -> None:
    load(window, rig_files.measurement, rig_files.mask)
    window.state.add_run(fakes.result())
    dialogs.save_answer = "cancel"
    window.slots_.clear_session()
    assert window.state.runs and "with 1 run has changes that are not saved" in dialogs.asked_to_save[-1][1]
    dialogs.save_answer = "discard"
    window.slots_.clear_session()
    assert window.state.runs == () and window.state.inputs is None
    assert not window.action_set["edit.undo"].isEnabled()
    assert window.load_page.slots["mask"].entries == ()
