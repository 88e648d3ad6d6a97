"""Algorithm 2: grid and gradients together, and what happens without torch, without a GPU and without a truth."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from search_rigs import CountingSolver, make_model, make_rig, record, value

from cassi_core.calibration import algorithm1, algorithm2, gradient_stages, objective
from cassi_core.calibration.algorithm2 import Algorithm2JointGradientRefinement, run_algorithm2, stage_plan
from cassi_core.calibration.mismatch import MismatchParameters
from cassi_core.calibration.reference_presets import searcher
from cassi_core.calibration.rig_model import RigModel
from cassi_core.config import Algorithm1Settings, CalibrationConfig, GradientStageSettings, GridSettings, ReferenceSettings
from cassi_core.errors import InputError, RunCancelled
from cassi_core.parameters import ParameterSet
from cassi_core.run import Event, IterationRow, Message, RunControl
from cassi_core.simulate import SimulatedRig

TRUTH = {"dx": -0.9, "dy": 1.35, "theta": 0.42}
POSE = ("dx", "dy", "theta")
GRID = GridSettings(
    n_dx=5, n_dy=5, n_theta=3, range_px=1.5, range_deg=0.6, top=2, fine_n_shift=3, n_iter=6, fine_n_iter=6, starts=0
)
QUICK = ReferenceSettings(
    grid=GRID,
    stage_2a=GradientStageSettings(enabled=False),
    stage_2b=GradientStageSettings(steps=12, n_iter=6, sigma_px=1.0, lr_dy=0.03, lr_theta=0.02, lr_end=0.002),
    stage_2c=GradientStageSettings(steps=8, n_iter=6, sigma_px=0.7, lr_dx=0.02, lr_dy=0.01, lr_theta=0.01, lr_end=0.001),
)
COARSE = Algorithm1Settings(beam_width=2, beam_points=3, n_slope=1, n_alpha=1, rounds=1, n_iter=6)
S_NOM = np.arange(8) * 2.0


@pytest.fixture(scope="module")
def rig() -> SimulatedRig:
    return make_rig(TRUTH, seed=11)


@pytest.fixture(scope="module")
def model() -> RigModel:
    return make_model(TRUTH, seed=11)


def without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (algorithm2, objective):
        monkeypatch.setattr(module, "torch_available", lambda: False)


def test_the_default_plan_is_the_table_of_the_stages() -> None:
    settings = ReferenceSettings()
    plan = stage_plan(settings)
    assert [name for name, _, _ in plan] == ["0", "1", "starts", "2A", "2B", "2C"]
    assert [label for _, label, _ in plan[3:]] == ["Gradient: dx", "Gradient: dy, theta", "Gradient: dx, dy, theta"]
    assert all(weight > 1 for _, _, weight in plan)
    no_starts = settings.model_copy(update={"grid": GridSettings(starts=0)})
    assert [name for name, _, _ in stage_plan(no_starts)] == ["0", "1", "2A", "2B", "2C"]
    assert [name for name, _, _ in stage_plan(settings, ("dx",))] == ["0", "1", "starts", "2A", "2C"]
    assert len(stage_plan(settings, ())) == 3


def test_gradients_refine_what_the_grid_found(model: RigModel) -> None:
    recorder = record()
    found = run_algorithm2([model], ParameterSet.default(POSE), QUICK, CountingSolver(), recorder)
    assert [s.name for s in recorder.stages] == ["0", "1", "2B", "2C"]
    grid = min((r for r in recorder.table if r.stage == "1"), key=lambda r: r.score)
    wrong = [np.hypot(v[1] - TRUTH["dy"], 0.5 * (v[2] - TRUTH["theta"])) for v in (np.array(grid.values), found.vector)]
    assert wrong[1] < wrong[0]
    assert value(found.vector, "dx") == pytest.approx(TRUTH["dx"], abs=0.3)
    assert value(found.vector, "dy") == pytest.approx(TRUTH["dy"], abs=0.12)
    assert value(found.vector, "theta") == pytest.approx(TRUTH["theta"], abs=0.15)
    assert (found.source, found.device, found.notes) == ("algorithm2", "cpu", ())


def test_a_gradient_result_that_scores_higher_is_not_taken(model: RigModel, monkeypatch: pytest.MonkeyPatch) -> None:
    def spoil(*_: object, **__: object) -> tuple[np.ndarray, float]:
        return np.array([2.0, -2.0, -1.0, 0, 0, 0, 0, 0, 0]), 0.0

    monkeypatch.setattr(gradient_stages, "run_gradient_stages", spoil)
    events: list[Event] = []
    recorder = record(events.append)
    found = run_algorithm2([model], ParameterSet.default(POSE), QUICK, CountingSolver(), recorder)
    grid = min((r for r in recorder.table if r.stage == "1"), key=lambda r: r.score)
    assert tuple(found.vector) == grid.values
    assert any(isinstance(e, Message) and "kept" in e.text for e in events)
    assert len(found.notes) == 1 and "did not improve the best of the grid" in found.notes[0]


def test_only_refined_ones_of_dx_dy_theta_move(model: RigModel) -> None:
    start = ParameterSet.default(("dy", "slope"), {"dx": -0.9000000001, "theta": 0.42, "slope": 1e-3, "scale_y": 1e-4})
    events: list[Event] = []
    found = run_algorithm2([model], start, QUICK, CountingSolver(), record(events.append))
    held = [0, 2, 3, 4, 5, 6, 7, 8]
    assert found.vector[held].tobytes() == start.vector()[held].tobytes()
    assert value(found.vector, "dy") == pytest.approx(TRUTH["dy"], abs=0.12)
    assert "slope" in found.notes[0]
    assert any(isinstance(e, Message) and e.level == "warning" and "slope" in e.text for e in events)


def test_finish_early_and_cancel_in_the_gradient_stages(model: RigModel) -> None:
    for action in ("finish_early", "cancel"):
        control = RunControl()

        def stop(event: Event, control: RunControl = control, action: str = action) -> None:
            if isinstance(event, IterationRow) and event.stage == "2B" and event.step == 3:
                getattr(control, action)()

        recorder = record(stop, control)
        if action == "cancel":
            with pytest.raises(RunCancelled):
                run_algorithm2([model], ParameterSet.default(POSE), QUICK, CountingSolver(), recorder)
            continue
        found = run_algorithm2([model], ParameterSet.default(POSE), QUICK, CountingSolver(), recorder)
        assert recorder.stages[-1].name == "2B" and recorder.stages[-1].steps < 12
        assert np.isfinite(found.score)
        assert value(found.vector, "dy") == pytest.approx(TRUTH["dy"], abs=0.4)


def test_without_torch_it_is_algorithm_1_and_says_so(model: RigModel, monkeypatch: pytest.MonkeyPatch) -> None:
    without_torch(monkeypatch)
    assert [n for n, _, _ in stage_plan(QUICK)] == ["sweeps", "beam", "dispersion", "descent"]
    found = run_algorithm2([model], ParameterSet.default(POSE), QUICK, CountingSolver(), record(), coarse=COARSE)
    vector, score = algorithm1.run_algorithm1([model], ParameterSet.default(POSE), COARSE, CountingSolver(), record())
    assert found.source == "algorithm1" and "torch" in found.notes[0]
    assert found.vector.tobytes() == vector.tobytes() and found.score == score
    off = GradientStageSettings(enabled=False)
    grid_only = QUICK.model_copy(update={"stage_2b": off, "stage_2c": off})
    assert run_algorithm2([model], ParameterSet.default(POSE), grid_only, CountingSolver(), record()).source == "algorithm2"


def test_refine_takes_and_gives_plain_arrays(rig: SimulatedRig) -> None:
    tool = Algorithm2JointGradientRefinement("cpu", settings=QUICK, threads=2)
    cube = np.moveaxis(rig.cube, 0, -1)
    coarse = MismatchParameters(mask_dx=-0.5, mask_dy=1.0, mask_theta=0.2)
    blind = tool.refine(coarse, rig.measurement, rig.mask, s_nom=S_NOM)
    seen = tool.refine(coarse, rig.measurement, rig.mask, x_true=cube)
    assert isinstance(blind, MismatchParameters)
    assert (blind.mask_dx, blind.mask_dy, blind.mask_theta) == (seen.mask_dx, seen.mask_dy, seen.mask_theta)
    assert blind.mask_dy == pytest.approx(TRUTH["dy"], abs=0.12)
    assert blind.mask_dx == pytest.approx(TRUTH["dx"], abs=0.3)
    assert blind.source == "algorithm2" and blind.disp_a1 == 2.0
    assert blind.metrics is None and seen.metrics is not None
    assert 15 < seen.metrics.psnr_db < 60
    # A reconstruction with the mask where it nominally is must be worse, or the metrics mean nothing.
    far = ReferenceSettings(grid=GridSettings(n_dx=1, n_dy=1, n_theta=1, fine_n_shift=1, fine_n_theta=1))
    off = {f"stage_2{c}": GradientStageSettings(enabled=False) for c in "abc"}
    nominal = Algorithm2JointGradientRefinement("cpu", settings=far.model_copy(update=off))
    unmoved = nominal.refine(None, rig.measurement, rig.mask, x_true=cube)
    assert (unmoved.mask_dx, unmoved.mask_dy, unmoved.mask_theta) == (0.0, 0.0, 0.0)
    assert unmoved.metrics is not None and unmoved.metrics.psnr_db < seen.metrics.psnr_db - 1
    assert unmoved.score > seen.score
    with pytest.raises(InputError, match="s_nom"):
        tool.refine(coarse, rig.measurement, rig.mask)


def test_checkpointing_does_not_change_the_result(rig: SimulatedRig) -> None:
    few = QUICK.model_copy(update={"stage_2b": QUICK.stage_2b.model_copy(update={"steps": 3})})
    coarse = MismatchParameters(mask_dx=-1.0, mask_dy=1.2, mask_theta=0.3)
    found = [
        Algorithm2JointGradientRefinement("cpu", on, settings=few).refine(coarse, rig.measurement, rig.mask, s_nom=S_NOM)
        for on in (True, False)
    ]
    assert found[0].mask_dy == pytest.approx(found[1].mask_dy, abs=1e-4)
    assert found[0].mask_theta == pytest.approx(found[1].mask_theta, abs=1e-4)


def test_a_missing_device_becomes_the_processor_with_a_warning(rig: SimulatedRig) -> None:
    off = QUICK.model_copy(update={"stage_2b": QUICK.stage_2a})
    with pytest.warns(RuntimeWarning, match="cuda:7"):
        found = Algorithm2JointGradientRefinement("cuda:7", settings=off).refine(None, rig.measurement, rig.mask, s_nom=S_NOM)
    assert found.device == "cpu"
    events: list[Event] = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Algorithm2JointGradientRefinement("auto", settings=off).refine(
            None, rig.measurement, rig.mask, s_nom=S_NOM, observe=events.append
        )
    assert "running on" in next(e.text for e in events if isinstance(e, Message))


def test_the_presets_of_the_pipeline_name_their_source(model: RigModel) -> None:
    config = CalibrationConfig(preset="reference", reference=QUICK, algorithm1=COARSE, device="cpu")
    search, plan = searcher(config)
    assert [n for n, _, _ in plan] == ["0", "1", "2B", "2C"]
    assert search([model], ParameterSet.default(()), CountingSolver(), record()).source == "algorithm2"
    search, plan = searcher(config.model_copy(update={"preset": "algorithm1"}))
    assert [n for n, _, _ in plan] == ["sweeps", "beam", "dispersion", "descent"]
    found = search([model], ParameterSet.default(("dy",), {"dx": -0.9, "theta": 0.42}), CountingSolver(), record())
    assert found.source == "algorithm1" and value(found.vector, "dy") == pytest.approx(TRUTH["dy"], abs=0.1)
