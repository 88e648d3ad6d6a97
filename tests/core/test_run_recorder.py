"""The estimate of the time that remains, on runs whose pace is written down here."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from cassi_core import run
from cassi_core.calibration.auto import plan
from cassi_core.calibration.costs import Workload, coarse_fit, final_fit, matched_filter, proof, seconds
from cassi_core.config import AutoSettings, QualitySettings
from cassi_core.progress import Part
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


def test_what_was_loaded_before_the_first_stage_says_nothing_of_the_pace(clock: Clock) -> None:
    recorder, said = record(clock, (("a", "A", 10.0),))
    clock.now += 20.0
    recorder.begin("a", 10)
    for _ in range(5):
        clock.now += 1.0
        recorder.advance()
    assert said[-1].remaining_s == pytest.approx(5.0) and said[-1].elapsed_s == pytest.approx(25.0)


def test_nothing_is_said_of_the_rest_before_5_percent_or_3_seconds(clock: Clock) -> None:
    recorder, said = record(clock, (("a", "A", 100.0),))
    recorder.begin("a", 100)
    for _ in range(8):
        clock.now += 0.5
        recorder.advance()
    shown = [e.remaining_s is not None for e in said[1:]]
    assert shown == [False] * 4 + [True] * 4, "5 % are done after 2.5 s"
    recorder, said = record(clock, (("a", "A", 100.0),))
    recorder.begin("a", 100)
    for _ in range(4):
        clock.now += 1.0
        recorder.advance()
    assert [e.remaining_s is not None for e in said[1:]] == [False, False, True, True], "3 s have gone"


@pytest.mark.parametrize("steps", [1, 3, 8])
def test_a_loop_that_ends_early_or_late_leaves_the_next_part(clock: Clock, steps: int) -> None:
    recorder, said = record(clock, (("fit", "Fit", 1.0), ("proof", "Proof", 1.0)))
    recorder.begin("fit", 0, parts=(Part(4, 1.0), Part(2, 1.0)))
    for _ in range(steps):
        clock.now += 1.0
        recorder.advance()
        assert said[-1].done <= said[-1].total - 2
    recorder.next_part()
    assert said[-1].total - said[-1].done == 2
    clock.now += 2.0
    recorder.advance(2)
    assert said[-1].done == said[-1].total
    fractions = [event.fraction for event in said]
    assert fractions == sorted(fractions) and fractions[-1] < 1


def played(clock: Clock, load: Workload, speed: float, wrong: Callable[[str], float], steps: int) -> dict[float, float]:
    """Predicted over true remaining time at shares of a run of preset auto: `speed` of the machine, parts `wrong` by a factor."""
    settings, quality = AutoSettings(), QualitySettings()
    stages = (*plan(load, settings), ("proof", "Proof", seconds(proof(load, quality))))
    recorder, said = record(clock, stages)
    begin = clock.now
    subset, evidence, whole, again, tail = final_fit(load, settings)
    parts = {
        "prealign": (matched_filter(load, settings),),
        "coarse": (coarse_fit(load),),
        "final": (subset, evidence, Part(steps, whole.step_s), again, tail),
        "proof": proof(load, quality),
    }
    expected = {"final": final_fit(load, settings)}
    for name, _, _ in stages:
        recorder.begin(name, 0, parts=expected.get(name, parts[name]))
        for i, part in enumerate(parts[name]):
            if i:
                recorder.next_part()
            for _ in range(part.steps):
                clock.now += part.step_s * wrong(f"{name}{i}") / speed
                recorder.advance()
        recorder.end(None)
    total = clock.now - begin
    found = {}
    for share in (1 / 3, 1 / 2, 2 / 3):
        event = next(e for e in said if e.elapsed_s >= share * total and e.remaining_s is not None)
        found[share] = (event.remaining_s or 0.0) / (total - event.elapsed_s)
    return found


LOADS = {
    "demo": Workload(256 * 322, 28, 1, 500, 256),
    "three frames": Workload(660 * 718, 24, 3, 3 * 3200, 660),
    "large": Workload(660 * 726, 28, 1, 3250, 660),
}


@pytest.mark.parametrize("load", LOADS)
@pytest.mark.parametrize("speed", [0.3, 1.0, 8.0])
def test_a_run_as_expected_is_foreseen_on_every_machine(clock: Clock, load: str, speed: float) -> None:
    found = played(clock, LOADS[load], speed, lambda _: 1.0, 4)
    assert all(ratio == pytest.approx(1.0, abs=0.02) for ratio in found.values()), found


@pytest.mark.parametrize("load", LOADS)
@pytest.mark.parametrize("seed", range(4))
def test_parts_that_are_a_fifth_off_leave_the_rest_within_30_percent(clock: Clock, load: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    factors = {
        f"{stage}{i}": float(rng.uniform(0.8, 1.25)) for stage in ("prealign", "coarse", "final", "proof") for i in range(4)
    }
    # The steps after the optics were sorted out are of the same kind as those before.
    factors |= {"final3": factors["final2"], "final4": factors["final3"]}
    found = played(clock, LOADS[load], 1.0, factors.__getitem__, 4)
    assert all(ratio == pytest.approx(1.0, abs=0.3) for ratio in found.values()), found


def test_a_run_that_is_stopped_knows_where(clock: Clock) -> None:
    recorder, _ = record(clock, (("a", "A", 1.0), ("b", "B", 1.0)))
    recorder.begin("a", 1)
    recorder.end()
    assert recorder.stopped_in is None
    recorder.begin("b", 1)
    recorder.control.finish_early()
    recorder.end()
    assert recorder.stopped_in == "b" and recorder.place_of("b") == (2, 2)
