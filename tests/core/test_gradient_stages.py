"""Stages 2A, 2B and 2C on snapshots made by scipy's cubic sampling and NumPy, which the fitted model does not use."""

from __future__ import annotations

import dataclasses
import threading
import time

import numpy as np
import pytest
from scipy import ndimage as ndi

from cassi_core.calibration.gradient_stages import Snapshot, planned_stages, run_gradient_stages
from cassi_core.calibration.mismatch import MismatchParameters
from cassi_core.config import GradientStageSettings, ReferenceSettings
from cassi_core.dispersion import Dispersion
from cassi_core.errors import RunCancelled
from cassi_core.geometry import source_coordinates
from cassi_core.parameters import ParameterSet, index_of
from cassi_core.run import Message, RunControl, RunRecorder

TRUTH = {"dx": 0.62, "dy": -0.37, "theta": 0.4}
SHAPE, BANDS, STEP = (52, 60), 5, 2
DISPERSION = Dispersion.constant(BANDS, float(STEP))


@pytest.fixture(scope="module")
def rig() -> tuple[np.ndarray, np.ndarray]:
    """Measurement and nominal mask of a smooth scene behind a blurred random mask that sits at TRUTH."""
    rng = np.random.default_rng(5)
    mask = ndi.gaussian_filter((rng.random(SHAPE) > 0.5).astype(float), 0.6)
    mask = (mask - mask.min()) / np.ptp(mask)
    shown = ndi.map_coordinates(mask, source_coordinates(SHAPE, **TRUTH), order=3, mode="nearest")
    scene = ndi.gaussian_filter(rng.random((BANDS, *SHAPE)), (1, 6, 6))
    scene = (scene - scene.min()) / np.ptp(scene) + 0.2
    y = np.zeros((SHAPE[0], SHAPE[1] + STEP * (BANDS - 1)))
    for band in range(BANDS):
        y[:, STEP * band : STEP * band + SHAPE[1]] += shown * scene[band]
    return (y / y.max()).astype(np.float32), mask.astype(np.float32)


def short(steps: int = 25) -> ReferenceSettings:
    def stage(full: GradientStageSettings, n_iter: int = 6) -> GradientStageSettings:
        return full.model_copy(update={"steps": steps, "n_iter": n_iter, "sigma_px": 1.0})

    full = ReferenceSettings()
    return full.model_copy(update={n: stage(getattr(full, n)) for n in ("stage_2a", "stage_2b", "stage_2c")})


def recorder(control: RunControl | None = None, events: list[object] | None = None) -> RunRecorder:
    observe = None if events is None else events.append
    return RunRecorder(control or RunControl(), observe, "reference", ())


def start(values: dict[str, float], refine: tuple[str, ...] = ("dx", "dy", "theta")) -> ParameterSet:
    return ParameterSet.default(refine, values)


def test_all_three_stages_find_the_mask(rig: tuple[np.ndarray, np.ndarray]) -> None:
    y, mask = rig
    record = recorder()
    begin = start({"dx": 0.3, "dy": -0.1, "theta": 0.1})
    values, score = run_gradient_stages([Snapshot.with_margin(y, 4)], mask, DISPERSION, begin, short(40), record)
    found = dict(zip(("dx", "dy", "theta"), values[:3], strict=True))
    assert abs(found["dx"] - TRUTH["dx"]) < 0.1
    assert abs(found["dy"] - TRUTH["dy"]) < 0.06
    assert abs(found["theta"] - TRUTH["theta"]) < 0.1
    assert [s.name for s in record.stages] == ["2A", "2B", "2C"] and [s.steps for s in record.stages] == [40] * 3
    assert [r.stage for r in record.table] == ["2A"] * 40 + ["2B"] * 40 + ["2C"] * 40
    last = [r.score for r in record.table if r.stage == "2C"]
    assert score == record.stages[-1].score and score is not None and score <= min(last)


def test_each_stage_moves_its_own_parameters_only(rig: tuple[np.ndarray, np.ndarray]) -> None:
    y, mask = rig
    record = recorder()
    begin = start({"dx": 0.3, "dy": -0.1, "theta": 0.1, "scale_x": 1e-3, "psf": 0.3, "slope": 1e-4})
    values, _ = run_gradient_stages([Snapshot.with_margin(y, 4)], mask, DISPERSION, begin, short(4), record)
    rows = {s: np.array([r.values for r in record.table if r.stage == s]) for s in ("2A", "2B", "2C")}
    dx, dy, theta = (index_of(n) for n in ("dx", "dy", "theta"))
    assert np.ptp(rows["2A"][:, dx]) > 0 and np.ptp(rows["2A"][:, [dy, theta]], axis=0).tolist() == [0, 0]
    assert np.ptp(rows["2B"][:, dx]) == 0 and np.all(np.ptp(rows["2B"][:, [dy, theta]], axis=0) > 0)
    assert np.all(np.ptp(rows["2C"][:, [dx, dy, theta]], axis=0) > 0)
    assert values[3:].tolist() == begin.vector()[3:].tolist()


def test_a_locked_parameter_is_bit_identical_and_its_stage_is_left_out(rig: tuple[np.ndarray, np.ndarray]) -> None:
    y, mask = rig
    begin = start({"dx": 0.3, "dy": -0.1, "theta": 0.1}, refine=("dy",))
    assert [s.name for s in planned_stages(short(), begin)] == ["2B", "2C"]
    assert planned_stages(short(), begin)[0].expected_seconds > 0
    record = recorder()
    values, _ = run_gradient_stages([Snapshot.with_margin(y, 4)], mask, DISPERSION, begin, short(3), record)
    assert values[0] == 0.3 and values[2] == 0.1 and values[1] != -0.1
    nothing, score = run_gradient_stages([], mask, DISPERSION, start({}, refine=()), short(), recorder())
    assert score is None and not nothing.any()


def test_the_first_step_is_the_learning_rate_and_bounds_hold(rig: tuple[np.ndarray, np.ndarray]) -> None:
    y, mask = rig
    begin = start({"dx": 0.3, "dy": -0.1, "theta": 0.1}).edit("dx", upper=0.37)
    record = recorder()
    run_gradient_stages([Snapshot.with_margin(y, 4)], mask, DISPERSION, begin, short(6), record)
    column = [r.values[0] for r in record.table if r.stage == "2A"]
    assert column[1] - column[0] == pytest.approx(0.05, rel=1e-4)
    assert max(r.values[0] for r in record.table) == 0.37


def test_the_gradient_is_that_of_the_score(rig: tuple[np.ndarray, np.ndarray]) -> None:
    from cassi_core.calibration.gradient_stages import _Objective
    from cassi_core.operators.gap_tv import nothing
    from cassi_core.solvers.protocol import GapSettings

    y, mask = rig
    # Without rotation no pixel crosses a kink of the bilinear sampling, so that difference quotients are exact.
    values = start({"dx": 0.31, "dy": -0.13}).vector()
    weight = np.ones_like(y)
    weight[10:14, 20:23] = 0
    shots = [Snapshot(y, weight, weight), Snapshot.with_margin(y[::-1].copy(), 3)]
    objective = _Objective(shots, mask, DISPERSION, start({"slope": 0.02, "alpha": 0.5}).values(), 0.0, "cpu")
    settings = GapSettings(4, 0.7)
    score, slopes = objective.score_and_gradient(values, settings, True, nothing)
    assert score == pytest.approx(objective.score(values, settings, nothing), rel=1e-6)
    for name, step in (("dx", 0.02), ("dy", 0.02)):
        i = index_of(name)
        up, down = values.copy(), values.copy()
        up[i] += step
        down[i] -= step
        quotient = (objective.score(up, settings, nothing) - objective.score(down, settings, nothing)) / (2 * step)
        assert slopes[i] == pytest.approx(quotient, rel=0.02)


def test_the_origin_says_where_band_0_begins(rig: tuple[np.ndarray, np.ndarray]) -> None:
    y, mask = rig
    begin = start({"dx": 0.3, "dy": -0.1, "theta": 0.1})
    plain, moved = recorder(), recorder()
    shot = Snapshot.with_margin(y, 4)
    first, _ = run_gradient_stages([shot], mask, DISPERSION, begin, short(3), plain)
    padded = Snapshot(*(np.pad(a, ((0, 0), (3, 5))) for a in (shot.y, shot.weight, shot.scored)))
    again, _ = run_gradient_stages([padded], mask, DISPERSION, begin, short(3), moved, origin_px=3)
    np.testing.assert_allclose(again, first, atol=1e-4)
    assert np.abs(again[:3] - begin.vector()[:3]).min() > 1e-3
    assert moved.table[-1].score == pytest.approx(plain.table[-1].score, rel=1e-3)


def test_pixels_that_do_not_count_have_no_say(rig: tuple[np.ndarray, np.ndarray]) -> None:
    y, mask = rig
    ends = []
    for value in (0.0, 7.0):
        shot = Snapshot.with_margin(y.copy(), 4)
        for image, content in ((shot.y, value), (shot.weight, 0), (shot.scored, 0)):
            image[20:24, 30:36] = content
        record = recorder()
        values, _ = run_gradient_stages([shot], mask, DISPERSION, start({"dx": 0.3}), short(3), record)
        ends.append([*values, *(r.score for r in record.table)])
    assert ends[0] == ends[1]


def test_the_same_run_gives_the_same_numbers(rig: tuple[np.ndarray, np.ndarray]) -> None:
    y, mask = rig
    begin = start({"dx": 0.3, "dy": -0.1, "theta": 0.1})
    runs = [run_gradient_stages([Snapshot.with_margin(y, 4)], mask, DISPERSION, begin, short(3), recorder()) for _ in range(2)]
    assert runs[0][0].tolist() == runs[1][0].tolist() and runs[0][1] == runs[1][1]
    kept = short(3).model_copy(update={"checkpointing": False})
    other = run_gradient_stages([Snapshot.with_margin(y, 4)], mask, DISPERSION, begin, kept, recorder())
    np.testing.assert_allclose(other[0], runs[0][0], atol=1e-6)


def test_finish_early_keeps_the_best_so_far(rig: tuple[np.ndarray, np.ndarray]) -> None:
    y, mask = rig
    control = RunControl()
    record = recorder(control)
    record.observe = lambda event: control.finish_early() if len(record.table) == 3 else None
    begin = start({"dx": 0.3, "dy": -0.1, "theta": 0.1})
    values, score = run_gradient_stages([Snapshot.with_margin(y, 4)], mask, DISPERSION, begin, short(), record)
    assert [s.name for s in record.stages] == ["2A"] and len(record.table) == 3
    best = min(record.table, key=lambda r: r.score)
    assert values.tolist() == list(best.values) and score == best.score


def test_cancel_ends_a_stage_within_an_iteration(rig: tuple[np.ndarray, np.ndarray]) -> None:
    y, mask = rig
    control = RunControl()
    endless = short(2000).model_copy(update={"stage_2a": short(2000).stage_2a.model_copy(update={"n_iter": 200})})
    ended: list[BaseException] = []

    def work() -> None:
        try:
            run_gradient_stages([Snapshot.with_margin(y, 4)], mask, DISPERSION, start({}), endless, recorder(control))
        except RunCancelled as error:
            ended.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    time.sleep(0.2)
    control.cancel()
    thread.join(5)
    assert not thread.is_alive() and len(ended) == 1


def test_a_score_that_is_not_a_number_ends_the_stage_with_a_warning(rig: tuple[np.ndarray, np.ndarray]) -> None:
    y, mask = rig
    events: list[object] = []
    broken = dataclasses.replace(Snapshot.with_margin(y, 4), weight=np.full_like(y, np.nan))
    begin = start({"dx": 0.3})
    values, score = run_gradient_stages([broken], mask, DISPERSION, begin, short(3), recorder(events=events))
    assert values.tolist() == begin.vector().tolist() and score is None
    assert any(isinstance(e, Message) and e.level == "warning" and "2A" in e.text for e in events)


def test_mismatch_parameters_translate_the_step_into_its_error() -> None:
    mismatch = MismatchParameters(0.8, -0.3, 0.2, 2.02, 0.1, 0.5)
    values = mismatch.values(2.0)
    assert values == pytest.approx({"dx": 0.8, "dy": -0.3, "theta": 0.2, "slope": 0.02, "alpha": 0.1, "psf": 0.5})
    assert MismatchParameters.from_values(values, 2.0) == mismatch
    assert MismatchParameters.from_values({"dx": 1.0}, 1.5) == MismatchParameters(mask_dx=1.0, disp_a1=1.5)
    parameters = mismatch.parameter_set(2.0, ParameterSet.default(("dy",), {"scale_y": 0.003}))
    assert parameters.refined == ("dy",) and parameters["scale_y"].value == 0.003
    assert parameters["slope"].value == pytest.approx(0.02) and parameters["alpha"].value == 0.1
