"""The estimate of the time that remains, on runs whose pace is written down here."""

from __future__ import annotations

import pytest

from cassi_core import run
from cassi_core.run import Event, Progress, RunControl, RunRecorder


class Clock:
    """A clock that stands still until it is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(run.time, "perf_counter", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def record(clock: Clock, plan: tuple[tuple[str, str, float], ...]) -> tuple[RunRecorder, list[Progress]]:
    said: list[Progress] = []

    def observe(event: Event) -> None:
        if isinstance(event, Progress):
            said.append(event)

    return RunRecorder(RunControl(), observe, "test", plan, _start=clock.now), said


def test_a_run_at_twice_the_expected_time_is_foreseen(clock: Clock) -> None:
    recorder, said = record(clock, (("a", "A", 1.0), ("b", "B", 3.0)))
    recorder.begin("a", 4)
    for _ in range(4):
        clock.now += 0.5
        recorder.advance()
    assert said[-1].remaining_s == pytest.approx(6.0) and said[-1].fraction == pytest.approx(0.25)
    recorder.end()
    recorder.begin("b", 10)
    for _ in range(5):
        clock.now += 0.6
        recorder.advance()
    assert said[-1].remaining_s == pytest.approx(3.0, rel=0.1)


@pytest.mark.parametrize("steps", [1, 3, 8])
def test_a_loop_that_ends_early_or_late_leaves_its_tail(clock: Clock, steps: int) -> None:
    recorder, said = record(clock, (("fit", "Fit", 1.0), ("proof", "Proof", 1.0)))
    recorder.begin("fit", 6, tail=2)
    for _ in range(steps):
        clock.now += 1.0
        recorder.advance()
        assert said[-1].done <= said[-1].total - 2
    recorder.begin_tail()
    assert said[-1].total - said[-1].done == 2
    clock.now += 2.0
    recorder.advance(2)
    assert said[-1].done == said[-1].total and said[-1].fraction == pytest.approx(0.5)
    fractions = [event.fraction for event in said]
    assert fractions == sorted(fractions)
