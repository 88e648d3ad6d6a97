"""Stages 0 and 1: every candidate is scored, by the data residual, and nothing moves that is not to move."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from search_rigs import CountingSolver, make_model, record, value

from cassi_core.calibration import grid_search
from cassi_core.calibration.grid_search import run_grid_stages
from cassi_core.calibration.objective import ScorerCache, choose_device, score_candidates
from cassi_core.calibration.rig_model import RigModel, named
from cassi_core.config import GridSettings
from cassi_core.errors import InputError, RunCancelled
from cassi_core.parameters import ParameterSet
from cassi_core.run import Event, GridScores, Progress, RunControl, RunRecorder
from cassi_core.solvers.protocol import GapSettings

POSE = ("dx", "dy", "theta")
TRUTH = {"dx": 1.1, "dy": -1.6, "theta": 0.45}
SMALL = GridSettings(
    n_dx=7, n_dy=7, n_theta=3, range_px=2.1, range_deg=0.5, top=2, fine_n_shift=3, n_iter=6, fine_n_iter=8, starts=0
)


@pytest.fixture(scope="module")
def model() -> RigModel:
    return make_model(TRUTH)


def small_search(model: RigModel, start: ParameterSet, **changes: object) -> list[tuple[np.ndarray, float]]:
    settings = SMALL.model_copy(update=changes)
    return run_grid_stages([model], start, settings, CountingSolver(), record())


@dataclass(frozen=True)
class FullRun:
    """Both stages with the default settings, watched as closely as can be."""

    found: list[tuple[np.ndarray, float]]
    counts: dict[int, int]
    recorder: RunRecorder
    events: list[Event]


@pytest.fixture(scope="module")
def full_run(model: RigModel) -> FullRun:
    events: list[Event] = []
    solver, recorder = CountingSolver(), record(events.append)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grid_search, "EMIT_S", 0.0)
        found = run_grid_stages([model], ParameterSet.default(POSE), GridSettings(starts=0), solver, recorder)
    return FullRun(found, solver.counts, recorder, events)


def test_all_567_and_375_candidates_are_scored_and_the_truth_is_found(full_run: FullRun) -> None:
    found, recorder = full_run.found, full_run.recorder
    assert full_run.counts == {8: 567, 12: 375}
    assert [g.scores.shape for g in recorder.grids] == [(9, 9, 7), *[(5, 5, 3)] * 5]
    assert not any(np.isnan(g.scores).any() for g in recorder.grids)
    assert [(s.name, s.steps) for s in recorder.stages] == [("0", 567), ("1", 375)]
    np.testing.assert_allclose(recorder.grids[0].axes[0], np.linspace(-3, 3, 9))
    np.testing.assert_allclose(recorder.grids[0].axes[2], np.linspace(-1, 1, 7))
    best, score = found[0]
    # Half the spacing of stage 1 in dx and dy, one in theta; H != W and different signs catch exchanged axes.
    assert abs(value(best, "dx") - TRUTH["dx"]) < 0.19
    assert abs(value(best, "dy") - TRUTH["dy"]) < 0.19
    assert abs(value(best, "theta") - TRUTH["theta"]) < 0.34
    assert score == min(s for _, s in found) == pytest.approx(min(float(g.scores.min()) for g in recorder.grids[1:]))
    coarse = recorder.grids[0]
    assert coarse.best == pytest.approx(
        [a[i] for a, i in zip(coarse.axes, np.unravel_index(coarse.scores.argmin(), coarse.scores.shape), strict=True)]
    )


def test_the_score_is_the_relative_residual_of_all_frames_without_the_border(model: RigModel) -> None:
    other = make_model(TRUTH, scene="textures")
    solver, settings = CountingSolver(), GapSettings(3, 0.7)
    candidates = [{"dx": 0.3}, {"dy": -1.0, "theta": 0.2}]
    scores = score_candidates([model, other], solver, candidates, settings)
    for values, score in zip(candidates, scores, strict=True):
        left = total = 0.0
        for m in (model, other):
            residual = solver.residuals(m.y, [m.candidate(values, m.spline())], settings, weight=m.observed)[0]
            rows, cols = slice(4, m.y.shape[0] - 4), slice(6 + 4, m.y.shape[1] - 6 - 4)
            left += float((residual[rows, cols].astype(float) ** 2).sum())
            total += float((m.y[rows, cols].astype(float) ** 2).sum())
        assert score == pytest.approx(np.sqrt(left / total), rel=1e-6)
    assert scores.dtype == np.float32


def test_a_mask_beyond_the_range_is_found_by_moving_the_grid() -> None:
    far = make_model({"dx": 0.4, "dy": 2.9, "theta": -0.1})
    recorder = record()
    start = ParameterSet.default(("dx", "dy"))
    found = run_grid_stages([far], start, SMALL, CountingSolver(), recorder)
    assert value(found[0][0], "dy") == pytest.approx(2.9, abs=0.36)
    assert recorder.grids[0].axes[1].max() > 2.9
    held = small_search(far, start, widen=False)
    assert all(abs(value(v, "dy")) <= 2.1 + 0.7 + 1e-9 for v, _ in held)
    bounded = small_search(far, start.edit("dy", upper=2.4))
    assert max(value(v, "dy") for v, _ in bounded) <= 2.4


def test_stage_1_follows_the_best_over_the_rim_of_its_grid() -> None:
    # dx is ambiguous by one step of 2 px: the coarse grid ends two pixels short of the truth and does not show it.
    truth = {"dx": 4.2, "dy": -0.4, "theta": -0.3}
    start = ParameterSet.default(("dx",), {"dy": -0.4, "theta": -0.3})
    solver = CountingSolver()
    found = run_grid_stages([make_model(truth)], start, GridSettings(starts=0), solver, record())
    assert value(found[0][0], "dx") == pytest.approx(4.2, abs=0.2)
    assert solver.counts[8] == 9 and solver.counts[12] > 25


def test_line_searches_from_distinct_starts_end_nearer_to_the_truth_than_the_grid(model: RigModel) -> None:
    start = ParameterSet.default(POSE).edit("dx", upper=1.05)
    fine = small_search(model, start)
    recorder = record()
    found = run_grid_stages([model], start, SMALL.model_copy(update={"starts": 2}), CountingSolver(), recorder)
    assert [s.name for s in recorder.stages] == ["0", "1", "starts"] and len(found) == 2
    assert found[0][1] < fine[0][1] and found[0][1] <= found[1][1]
    assert abs(value(found[0][0], "dy") - TRUTH["dy"]) < 0.06
    assert abs(value(found[0][0], "theta") - TRUTH["theta"]) < 0.12
    vectors = np.array([v for v, _ in found])
    assert np.all(vectors <= start.upper()) and np.all(vectors[:, 3:] == 0)
    rows = [r for r in recorder.table if r.stage == "starts"]
    assert len(rows) == 2 and min(r.score for r in rows) == found[0][1]


def test_fixed_parameters_come_back_bit_for_bit(model: RigModel) -> None:
    start = ParameterSet.default(("dx",), {"dy": -1.6000000001, "theta": 0.4500000003, "slope": 1e-7, "psf": 0.123})
    for vector, _ in small_search(model, start):
        assert vector[1:].tobytes() == start.vector()[1:].tobytes()
    assert value(small_search(model, start)[0][0], "dx") == pytest.approx(1.1, abs=0.36)
    nothing = small_search(model, ParameterSet.default(()))
    assert len(nothing) == 1 and nothing[0][0].tobytes() == np.zeros(9).tobytes()


def test_bounds_hold_and_the_grid_keeps_its_number_of_points(model: RigModel) -> None:
    start = ParameterSet.default(POSE).edit("dx", upper=0.5).edit("theta", lower=-0.1, upper=0.3)
    recorder = record()
    found = run_grid_stages([model], start, SMALL, CountingSolver(), recorder)
    vectors = np.array([v for v, _ in found])
    assert np.all(vectors <= start.upper()) and np.all(vectors >= start.lower())
    assert recorder.grids[0].scores.shape == (7, 7, 3)
    assert recorder.grids[0].axes[0][-1] == 0.5


def test_the_result_does_not_depend_on_threads_or_on_the_run(model: RigModel) -> None:
    runs = []
    for threads in (1, 2, 2):
        recorder = record()
        run_grid_stages([model], ParameterSet.default(POSE), SMALL, CountingSolver(threads), recorder)
        runs.append(b"".join(g.scores.tobytes() for g in recorder.grids))
    assert runs[0] == runs[1] == runs[2]


def test_the_map_fills_while_the_stage_runs(full_run: FullRun) -> None:
    events = full_run.events
    maps = [e for e in events if isinstance(e, GridScores) and e.stage == "0"]
    missing = [int(np.isnan(m.scores).sum()) for m in maps]
    assert missing == sorted(missing, reverse=True) and missing[0] > 0 and missing[-1] == 0
    assert all(not m.scores.flags.writeable and m.names == POSE for m in maps)
    done = [e.done for e in events if isinstance(e, Progress) and e.stage == "0"]
    assert done == sorted(done) and done[-1] == 567 and len(done) > 4


def stop_at_first_progress(action: Callable[[], None]) -> Callable[[Event], None]:
    def observe(event: Event) -> None:
        if isinstance(event, Progress) and event.done > 0:
            action()

    return observe


def test_cancel_stops_before_all_is_scored(model: RigModel) -> None:
    control, solver = RunControl(), CountingSolver()
    with pytest.raises(RunCancelled):
        run_grid_stages(
            [model], ParameterSet.default(POSE), GridSettings(), solver, record(stop_at_first_progress(control.cancel), control)
        )
    assert 0 < solver.counts[8] < 567 and 12 not in solver.counts


def test_finish_early_returns_the_best_of_what_was_scored(model: RigModel) -> None:
    control, solver = RunControl(), CountingSolver()
    recorder = record(stop_at_first_progress(control.finish_early), control)
    found = run_grid_stages([model], ParameterSet.default(POSE), GridSettings(), solver, recorder)
    assert solver.counts[8] == len(found) < 567 and 12 not in solver.counts
    assert found[0][1] == np.nanmin(recorder.grids[0].scores)
    check = score_candidates([model], CountingSolver(), [named(found[0][0])], GapSettings(8, 0.7))
    assert check[0] == np.float32(found[0][1])


def test_finish_early_before_the_start_still_scores_one() -> None:
    control = RunControl()
    control.finish_early()
    scores = score_candidates([make_model({})], CountingSolver(), [{}, {"dx": 1.0}, {}], GapSettings(2), control)
    assert np.isfinite(scores[0]) and np.isnan(scores[1:]).all()


def test_an_error_inside_a_worker_reaches_the_caller(model: RigModel) -> None:
    class Broken(CountingSolver):
        def residuals(self, *_: object, **__: object) -> np.ndarray:
            raise ZeroDivisionError("broken")

    with pytest.raises(ZeroDivisionError):
        score_candidates([model], Broken(), [{}] * 9, GapSettings(2))


def test_an_accelerator_gets_batches_and_gives_the_same_scores(model: RigModel) -> None:
    class Accelerator(CountingSolver):
        device = "cuda:0"

    candidates = [{"dx": 0.05 * i, "theta": 0.1} for i in range(70)]
    control, seen = RunControl(), []
    settings = GapSettings(2, 0.7)
    scores = score_candidates([model], Accelerator(), candidates, settings, report=lambda done, _: seen.append(done))
    assert seen == [64, 70]
    assert scores.tobytes() == score_candidates([model], CountingSolver(), candidates, settings).tobytes()
    finish = score_candidates([model], Accelerator(), candidates, settings, control, lambda *_: control.finish_early())
    assert np.isfinite(finish[:64]).all() and np.isnan(finish[64:]).all()
    control.cancel()
    with pytest.raises(RunCancelled):
        score_candidates([model], Accelerator(), candidates, settings, control)


def test_solvers_are_kept_by_their_owner() -> None:
    cache = ScorerCache()
    assert cache.solver("cpu", 2) is cache.solver("cpu", 2)
    assert cache.solver("cpu", 1) is not cache.solver("cpu", 2)
    assert ScorerCache().solver("cpu", 2) is not cache.solver("cpu", 2)


def test_a_device_that_is_not_there_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose_device("cpu")[0] == "cpu"
    with pytest.raises(InputError, match="cuda:99"):
        choose_device("cuda:99")
    monkeypatch.setattr("cassi_core.calibration.objective.torch_available", lambda: False)
    assert choose_device("auto")[0] == "cpu"
    with pytest.raises(InputError, match="torch"):
        choose_device("cuda")
