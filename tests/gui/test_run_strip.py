"""The strip below the pages while a run goes on: time left that can be believed, pause, and a cancel that asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from conftest import AnsweringDialogs, RigFiles
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QIcon, QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from cassi_gui.run.controller import RunPhase
from cassi_gui.shell import window_actions
from cassi_gui.shell.main_window import MainWindow
from cassi_gui.style.icons import make_icon
from cassi_gui.widgets.run_strip import RemainingTime, RunStrip

Load = Callable[..., None]


@pytest.fixture
def strip(qtbot: QtBot) -> RunStrip:
    strip = RunStrip()
    qtbot.addWidget(strip)
    strip.show_run()
    return strip


def test_the_time_left_falls_with_the_clock_and_moves_to_new_estimates_bit_by_bit() -> None:
    clock = RemainingTime()
    assert clock.at(1.0) is None
    clock.update(1.0, 20.0)
    assert clock.at(3.0) == pytest.approx(18.0), "it falls with the clock"
    clock.update(3.0, 30.0)
    left = clock.at(3.0)
    assert left is not None and 18.0 < left < 25.0, "a new estimate is taken over bit by bit"
    for _ in range(20):
        clock.update(3.0, 30.0)
    assert clock.at(3.0) == pytest.approx(30.0, abs=0.1)


def test_the_time_shown_moves_in_steps_of_5_s_and_is_never_less_than_what_is_left() -> None:
    clock, shown = RemainingTime(), []
    for tenth in range(600):
        now = tenth / 10
        # An estimate that trembles by half a second about the truth.
        clock.update(now, max(0.0, 60.0 - now + (0.5 if tenth % 2 else -0.5)))
        left, words = clock.at(now), clock.shown_at(now)
        assert left is not None and words is not None and words >= left and words % 5 == 0
        shown.append(words)
    assert shown == sorted(shown, reverse=True), "it does not go to and fro"
    assert shown[0] == 60 and shown[-1] == 5 and len(set(shown)) == 12


def test_nothing_is_promised_before_5_per_cent_or_3_s(strip: RunStrip) -> None:
    strip.set_progress(0.03, 1.0, 100.0)
    assert strip.remaining.text() == "estimating \N{HORIZONTAL ELLIPSIS}"
    strip.set_progress(0.05, 1.2, 103.0)
    assert strip.remaining.text() == "about 1 min 45 s left" and strip.elapsed.text() == "1 s gone"
    strip.show_run()
    strip.set_progress(0.01, 2.9, 40.0)
    assert strip.remaining.text() == "estimating \N{HORIZONTAL ELLIPSIS}"
    strip.set_progress(0.01, 3.0, 40.0)
    assert strip.remaining.text() == "about 40 s left"


def test_a_run_that_takes_longer_than_thought_is_not_almost_done(strip: RunStrip) -> None:
    strip.set_progress(0.9, 60.0, 2.0)
    strip.set_elapsed(90.0)
    assert strip.remaining.text() == "about 5 s left"


def test_the_bar_never_goes_back(strip: RunStrip) -> None:
    for fraction in (0.2, 0.5, 0.4, 0.6, 0.1):
        strip.set_progress(fraction, 1.0, 5.0)
    assert strip.bar.value() == 600


def image(icon: QIcon) -> QImage:
    return icon.pixmap(QSize(16, 16)).toImage()


def begin(qtbot: QtBot, window: MainWindow, rig_files: RigFiles, load: Load) -> None:
    load(window, rig_files.measurement, rig_files.mask)
    window.slots_.start_run()
    qtbot.waitUntil(lambda: window.strip.bar.value() > 0)


def test_resume_has_the_icon_of_going_on(qtbot: QtBot, slow_window: MainWindow, rig_files: RigFiles, load: Load) -> None:
    window = slow_window
    begin(qtbot, window, rig_files, load)
    play, pause = (image(make_icon(name, window.colours)) for name in ("run", "pause"))
    assert image(window.strip.pause.icon()) == pause
    window.strip.pause.click()
    assert window.strip.pause.text() == "Resume" and image(window.strip.pause.icon()) == play
    window.choose_theme("dark")
    assert image(window.strip.pause.icon()) == image(make_icon("run", window.colours)), "in every theme"
    window.strip.pause.click()
    assert image(window.strip.pause.icon()) == image(make_icon("pause", window.colours))


def test_space_pauses_unless_a_control_uses_it(qtbot: QtBot, slow_window: MainWindow, rig_files: RigFiles, load: Load) -> None:
    window = slow_window
    begin(qtbot, window, rig_files, load)
    page = window.run_page
    qtbot.waitUntil(lambda: page.plots.grid.isVisible() or page.plots.convergence.isVisible())
    plot = page.plots.grid if page.plots.grid.isVisible() else page.plots.convergence
    for widget, phase in ((plot.graphics, RunPhase.PAUSED), (page, RunPhase.RUNNING)):
        widget.setFocus()
        qtbot.keyClick(widget, Qt.Key.Key_Space)
        assert window.runner.phase is phase
    window.show_page("export")
    window.export_page.name.setFocus()
    qtbot.keyClick(window.export_page.name, Qt.Key.Key_Space)
    assert window.runner.phase is RunPhase.RUNNING and window.export_page.name.text().endswith(" ")
    window.export_page.normalise.setFocus()
    qtbot.keyClick(window.export_page.normalise, Qt.Key.Key_Space)
    assert window.runner.phase is RunPhase.RUNNING and window.export_page.normalise.isChecked()


def test_escape_cancels_and_asks_when_that_would_cost_time(
    qtbot: QtBot, slow_window: MainWindow, rig_files: RigFiles, load: Load, dialogs: AnsweringDialogs, monkeypatch: Any
) -> None:
    window = slow_window
    window.activateWindow()
    begin(qtbot, window, rig_files, load)
    monkeypatch.setattr(window_actions, "ASK_AFTER_S", 0.0)
    dialogs.yes = False
    with qtbot.waitActive(window):
        window.activateWindow()
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    QApplication.processEvents()
    assert dialogs.said[-1][0] == "Cancel the run?" and "Stop and keep best" in dialogs.said[-1][1]
    assert window.runner.running and window.runner.phase is not RunPhase.CANCELLING, "it goes on"
    monkeypatch.setattr(window_actions, "ASK_AFTER_S", 10.0)
    asked = len(dialogs.said)
    with qtbot.waitSignal(window.runner.cancelled, timeout=5000):
        qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert len(dialogs.said) == asked, "a run that has just begun is no loss"
