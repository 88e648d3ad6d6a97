"""Runs in the background: every way a run can go, events without loss, work of other kinds, the end of the threads."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import fakes
import numpy as np
import pytest
from PySide6.QtCore import QThread
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from cassi_core.config import CalibrationConfig
from cassi_core.errors import NumericsError
from cassi_core.run import IterationRow, Message, Preview, Progress, readonly
from cassi_gui.run.controller import BEHIND_THE_WINDOW, Mailbox, RunBatch, RunController, RunPhase

CONFIG = CalibrationConfig()


class Diary:
    """Everything that a controller says, and in which thread it was heard."""

    def __init__(self, runner: RunController) -> None:
        self.said: list[tuple[str, Any]] = []
        self.threads: set[bool] = set()
        runner.batch.connect(partial(self._note, "batch"))
        runner.finished.connect(partial(self._note, "finished"))
        runner.failed.connect(partial(self._note, "failed"))
        runner.cancelled.connect(partial(self._note, "cancelled", None))
        runner.state_changed.connect(partial(self._note, "phase"))

    def _note(self, what: str, value: Any) -> None:
        self.said.append((what, value))
        self.threads.add(QThread.currentThread() is QApplication.instance().thread())  # type: ignore[union-attr]

    def names(self) -> list[str]:
        return [what for what, _ in self.said if what != "batch"]

    def phases(self) -> list[RunPhase]:
        return [value for what, value in self.said if what == "phase"]

    def events(self) -> list[Any]:
        return [e for what, batch in self.said if what == "batch" for e in batch.events]


@pytest.fixture
def make_runner(qapp: QApplication) -> Iterator[Callable[..., RunController]]:
    made: list[RunController] = []

    def make(calibrate: Callable[..., Any] = fakes.calibrate) -> RunController:
        made.append(RunController(calibrate=calibrate))
        return made[-1]

    yield make
    assert all(runner.shutdown() for runner in made)


def start(runner: RunController) -> Diary:
    diary = Diary(runner)
    assert runner.start(fakes.inputs(), CONFIG, fakes.start_parameters())
    return diary


def test_a_run_gives_all_its_rows_and_its_result_in_the_gui_thread(
    qtbot: QtBot, make_runner: Callable[..., RunController]
) -> None:
    runner = make_runner()
    diary = start(runner)
    with qtbot.waitSignal(runner.finished) as blocker:
        pass
    rows = [e for e in diary.events() if isinstance(e, IterationRow)]
    assert len(rows) == 24 == len(blocker.args[0].table)
    assert [r.score for r in rows] == [r.score for r in blocker.args[0].table]
    assert diary.phases() == [RunPhase.RUNNING, RunPhase.IDLE]
    assert diary.said[-1][0] == "finished", "everything that was said before the end has been delivered"
    assert diary.threads == {True}


def test_one_run_at_a_time(qtbot: QtBot, make_runner: Callable[..., RunController]) -> None:
    runner = make_runner(partial(fakes.calibrate, pause_s=0.02))
    start(runner)
    assert not runner.start(fakes.inputs(), CONFIG, fakes.start_parameters())
    qtbot.waitSignal(runner.finished).wait()
    assert runner.start(fakes.inputs(), CONFIG, fakes.start_parameters())
    runner.cancel()
    qtbot.waitUntil(lambda: not runner.running)


@pytest.mark.parametrize("moment", [0, 1, 3, 9, 20])
def test_cancel_at_any_moment_ends_without_a_result(
    qtbot: QtBot, make_runner: Callable[..., RunController], moment: int
) -> None:
    seen = threading.Semaphore(0)

    def calibrate(*args: Any, observe: Any, **rest: Any) -> Any:
        def watch(event: Any) -> None:
            observe(event)
            seen.release()

        return fakes.calibrate(*args, observe=watch, pause_s=0.005, **rest)

    runner = make_runner(calibrate)
    diary = start(runner)
    for _ in range(moment):
        assert seen.acquire(timeout=5)
    runner.cancel()
    qtbot.waitUntil(lambda: not runner.running)
    assert diary.names().count("cancelled") == 1
    assert "finished" not in diary.names() and "failed" not in diary.names()
    assert diary.phases()[-2:] == [RunPhase.CANCELLING, RunPhase.IDLE]


def test_pause_stops_rows_and_clock_until_resumed(qtbot: QtBot, make_runner: Callable[..., RunController]) -> None:
    runner = make_runner(partial(fakes.calibrate, pause_s=0.03))
    diary = start(runner)
    qtbot.waitUntil(lambda: any(isinstance(e, IterationRow) for e in diary.events()))
    runner.pause()
    qtbot.wait(200)
    count, clock = len(diary.events()), runner.elapsed_s
    qtbot.wait(250)
    assert len(diary.events()) == count
    assert runner.elapsed_s == pytest.approx(clock, abs=0.1), "a pause is not counted"
    runner.resume()
    qtbot.waitUntil(lambda: not runner.running)
    assert RunPhase.PAUSED in diary.phases()
    assert diary.names()[-1] == "finished"


def test_stop_and_keep_ends_early_with_a_result_even_when_paused(
    qtbot: QtBot, make_runner: Callable[..., RunController]
) -> None:
    runner = make_runner(partial(fakes.calibrate, pause_s=0.03))
    diary = start(runner)
    qtbot.waitUntil(lambda: any(isinstance(e, IterationRow) for e in diary.events()))
    runner.pause()
    runner.finish_early()
    qtbot.waitUntil(lambda: not runner.running)
    assert RunPhase.FINISHING in diary.phases()
    result = diary.said[-1][1]
    assert 0 < len(result.table) < 24


def test_cancel_wins_over_stop_and_keep(qtbot: QtBot, make_runner: Callable[..., RunController]) -> None:
    runner = make_runner(partial(fakes.calibrate, pause_s=0.05))
    diary = start(runner)
    runner.finish_early()
    runner.cancel()
    qtbot.waitUntil(lambda: not runner.running)
    assert diary.names()[-1] == "cancelled"


def test_a_failing_run_says_why_and_the_next_one_works(qtbot: QtBot, make_runner: Callable[..., RunController]) -> None:
    fail = [True]

    def calibrate(*args: Any, **rest: Any) -> Any:
        if fail[0]:
            raise NumericsError("the residual is not a number; look at the input")
        return fakes.calibrate(*args, **rest)

    runner = make_runner(calibrate)
    with qtbot.waitSignal(runner.failed) as blocker:
        start(runner)
    assert "not a number" in str(blocker.args[0])
    assert not runner.running
    fail[0] = False
    with qtbot.waitSignal(runner.finished):
        start(runner)


def test_the_mailbox_keeps_every_row_and_the_latest_picture() -> None:
    box = Mailbox()
    for i in range(5):
        box.put(IterationRow("a", i, 0.0, float(i), ()))
        box.put(Progress("a", i, 5, i / 5, 0.0, None))
        box.put(Preview("a", readonly(np.full((1, 2, 2), i, np.float32)), ()))  # type: ignore[arg-type]
        box.put(fakes.grid("s0" if i < 3 else "s1"))
    box.put(Message("info", "end"))
    events = box.drain()
    assert [e.step for e in events if isinstance(e, IterationRow)] == [0, 1, 2, 3, 4]
    assert [e.cube[0, 0, 0] for e in events if isinstance(e, Preview)] == [4]
    assert [e.done for e in events if isinstance(e, Progress)] == [4]
    assert [e.stage for e in events if type(e).__name__ == "GridScores"] == ["s0", "s1"]
    assert box.drain() == ()


def test_other_work_is_answered_in_the_gui_thread_and_the_latest_wins(
    qtbot: QtBot, make_runner: Callable[..., RunController]
) -> None:
    runner = make_runner()
    answers: list[Any] = []
    gate = threading.Event()
    runner.submit(gate.wait, 5)
    for value in (1, 2, 3):
        runner.submit(lambda v: (v, QThread.currentThread()), value, done=answers.append, key="same")
    failed: list[Exception] = []
    runner.submit(lambda: 1 / 0, failed=failed.append)
    assert runner.busy
    gate.set()
    qtbot.waitUntil(lambda: not runner.busy)
    assert [v for v, _ in answers] == [3]
    assert answers[0][1] is not QApplication.instance().thread()  # type: ignore[union-attr]
    assert isinstance(failed[0], ZeroDivisionError)


def test_other_work_goes_on_during_a_run(qtbot: QtBot, make_runner: Callable[..., RunController]) -> None:
    runner = make_runner(partial(fakes.calibrate, pause_s=0.05))
    start(runner)
    answers: list[int] = []
    runner.submit(lambda: 7, done=answers.append)
    qtbot.waitUntil(lambda: answers == [7])
    assert runner.running
    runner.cancel()
    qtbot.waitUntil(lambda: not runner.running)


def test_shutdown_during_a_run_ends_both_threads_and_nothing_is_said_after(
    qtbot: QtBot, make_runner: Callable[..., RunController]
) -> None:
    runner = make_runner(partial(fakes.calibrate, pause_s=0.02))
    diary = start(runner)
    assert runner.shutdown()
    count = len(diary.said)
    qtbot.wait(50)
    assert len(diary.said) == count
    assert not runner.start(fakes.inputs(), CONFIG, fakes.start_parameters())
    assert runner.submit(time.time).stale


def test_events_are_handed_over_in_batches_not_one_by_one(qtbot: QtBot, make_runner: Callable[..., RunController]) -> None:
    def calibrate(*args: Any, observe: Any, **rest: Any) -> Any:
        for i in range(2000):
            observe(IterationRow("many", i, 0.0, 1.0, ()))
        return fakes.result()

    runner = make_runner(calibrate)
    batches: list[RunBatch] = []
    runner.batch.connect(batches.append)
    with qtbot.waitSignal(runner.finished):
        start(runner)
    assert sum(len(b.events) for b in batches) == 2000
    assert len(batches) < 50


def test_the_binding_keeps_the_reference_count_of_none(qtbot: QtBot) -> None:
    """PySide6 6.12.0 on Python before 3.12 takes a reference to None with every call that returns nothing."""
    from PySide6.QtWidgets import QLabel

    label = QLabel()
    qtbot.addWidget(label)
    before = sys.getrefcount(None)
    for i in range(2000):
        label.setText(str(i))
        label.update()
    assert abs(sys.getrefcount(None) - before) < 1000


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux gives a thread a priority of its own")
def test_the_threads_of_a_run_stand_behind_the_window(
    qtbot: QtBot, make_runner: Callable[..., RunController], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def calibrate(*args: Any, **rest: Any) -> Any:
        helper = threading.Thread(target=lambda: seen.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id())))
        helper.start()
        helper.join()
        return fakes.calibrate(*args, **rest)

    monkeypatch.setattr("cassi_core.calibration.pipeline.calibrate", calibrate)
    runner = make_runner(None)
    here = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    with qtbot.waitSignal(runner.finished, timeout=20_000):
        start(runner)
    assert seen == [max(here, BEHIND_THE_WINDOW)]
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == here, "the window's own stays"
