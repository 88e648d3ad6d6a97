"""Algorithm 1: coarse search without gradients, without torch, without truth."""

from __future__ import annotations

import numpy as np
import pytest
from search_rigs import CountingSolver, make_model, make_rig, record, value

from cassi_core.calibration.algorithm1 import Algorithm1HierarchicalBeamSearch, run_algorithm1, stage_plan
from cassi_core.calibration.rig_model import RigModel
from cassi_core.config import Algorithm1Settings
from cassi_core.errors import InputError, RunCancelled
from cassi_core.parameters import ParameterSet
from cassi_core.run import Event, GridScores, IterationRow, Progress, RunControl

TRUTH = {"dx": -1.2, "dy": 1.7, "theta": -0.45, "slope": 0.015, "alpha": 0.4}
NAMES = ("dx", "dy", "theta", "slope", "alpha")
SMALL = Algorithm1Settings(beam_width=3, beam_points=3, n_slope=3, n_alpha=5, rounds=2, n_iter=6)


@pytest.fixture(scope="module")
def model() -> RigModel:
    return make_model(TRUTH, seed=3)


def search(model: RigModel, start: ParameterSet, settings: Algorithm1Settings = SMALL, **watch: object) -> np.ndarray:
    return run_algorithm1([model], start, settings, CountingSolver(), record(**watch))[0]  # type: ignore[arg-type]


def test_the_default_search_finds_mask_and_axis_angle(model: RigModel) -> None:
    recorder = record()
    vector, score = run_algorithm1([model], ParameterSet.default(NAMES), Algorithm1Settings(), CountingSolver(), recorder)
    assert value(vector, "dy") == pytest.approx(TRUTH["dy"], abs=0.1)
    assert value(vector, "theta") == pytest.approx(TRUTH["theta"], abs=0.15)
    assert value(vector, "alpha") == pytest.approx(TRUTH["alpha"], abs=0.2)
    # Along the dispersion dx and slope trade against each other: what counts is where the middle of the train lands.
    middle = value(vector, "dx") + 3.5 * value(vector, "slope")
    assert middle == pytest.approx(TRUTH["dx"] + 3.5 * TRUTH["slope"], abs=0.3)
    assert [s.name for s in recorder.stages] == [name for name, _, _ in stage_plan(Algorithm1Settings())]
    assert score == recorder.stages[-1].score == min(row.score for row in recorder.table)
    shapes = {g.stage: g.scores.shape for g in recorder.grids}
    assert shapes == {"sweeps": (13,), "beam": (5, 5, 5), "dispersion": (5, 7)}


def test_the_score_never_rises_from_stage_to_stage(model: RigModel) -> None:
    events: list[Event] = []
    search(model, ParameterSet.default(NAMES), observe=events.append)
    rows = [e.score for e in events if isinstance(e, IterationRow)]
    assert rows == sorted(rows, reverse=True) and rows[-1] < 0.8 * rows[0]


def test_a_sweep_goes_on_beyond_its_border() -> None:
    far = make_model({"dx": 0.5, "dy": 3.7}, seed=3)
    start = ParameterSet.default(("dy",), {"dx": 0.5})
    for widenings, end in ((4, 6.0), (0, 3.0)):
        recorder = record()
        settings = SMALL.model_copy(update={"max_widenings": widenings})
        found = run_algorithm1([far], start, settings, CountingSolver(), recorder)[0]
        assert value(found, "dy") == pytest.approx(3.7, abs=0.1)
        assert max(g.axes[0].max() for g in recorder.grids if g.stage == "sweeps") == end
    assert value(search(far, start.edit("dy", upper=3.4)), "dy") <= 3.4


def test_fixed_parameters_come_back_bit_for_bit(model: RigModel) -> None:
    start = ParameterSet.default(("dy", "theta"), {"dx": -1.2000000001, "alpha": 0.1 + 0.2, "psf": 0.5, "scale_x": 1e-3})
    events: list[Event] = []
    found = search(model, start, observe=events.append)
    fixed = [0, 3, 4, 5, 6, 7, 8]
    assert found[fixed].tobytes() == start.vector()[fixed].tobytes()
    assert value(found, "dy") == pytest.approx(TRUTH["dy"], abs=0.15)
    assert all(set(e.names) <= {"dy", "theta"} for e in events if isinstance(e, GridScores))
    assert search(model, ParameterSet.default(())).tobytes() == np.zeros(9).tobytes()


def test_bounds_hold(model: RigModel) -> None:
    start = ParameterSet.default(NAMES).edit("dx", lower=-0.9).edit("theta", lower=-0.3, upper=0.1).edit("alpha", upper=0.0)
    events: list[Event] = []
    found = search(model, start, observe=events.append)
    rows = np.array([e.values for e in events if isinstance(e, IterationRow)] + [tuple(found)])
    assert np.all(rows >= start.lower()) and np.all(rows <= start.upper())


def test_two_runs_and_any_number_of_threads_give_the_same_bits(model: RigModel) -> None:
    start = ParameterSet.default(NAMES)
    runs = [run_algorithm1([model], start, SMALL, CountingSolver(t), record())[0].tobytes() for t in (1, 2, 2)]
    assert runs[0] == runs[1] == runs[2]


@pytest.mark.parametrize("stage", ["sweeps", "beam", "dispersion", "descent"])
def test_cancel_and_finish_early_in_every_stage(model: RigModel, stage: str) -> None:
    for action in ("cancel", "finish_early"):
        control, solver = RunControl(), CountingSolver()

        def stop(event: Event, control: RunControl = control, action: str = action) -> None:
            if isinstance(event, Progress) and event.stage == stage and event.done > 0:
                getattr(control, action)()

        recorder = record(stop, control)
        if action == "cancel":
            with pytest.raises(RunCancelled):
                run_algorithm1([model], ParameterSet.default(NAMES), SMALL, solver, recorder)
            assert stage not in [s.name for s in recorder.stages]
            continue
        vector, score = run_algorithm1([model], ParameterSet.default(NAMES), SMALL, solver, recorder)
        assert recorder.stages[-1].name == stage
        assert np.isfinite(score) and score == min(row.score for row in recorder.table)
        assert solver.counts[6] < 400 and np.all(np.isfinite(vector))


def test_the_public_class_takes_and_gives_plain_arrays() -> None:
    truth = {"dx": 0.8, "dy": -1.3, "theta": 0.3}
    rig = make_rig(truth, seed=5)
    tool = Algorithm1HierarchicalBeamSearch(SMALL)
    found = tool.search(rig.measurement, rig.mask, np.arange(8) * 2.0, refine=("dx", "dy", "theta"))
    assert found.mask_dx == pytest.approx(0.8, abs=0.25)
    assert found.mask_dy == pytest.approx(-1.3, abs=0.15)
    assert found.mask_theta == pytest.approx(0.3, abs=0.2)
    assert (found.disp_a1, found.disp_alpha, found.psf_sigma) == (2.0, 0.0, 0.0)
    with pytest.raises(InputError, match="rows"):
        tool.search(rig.measurement[:-3], rig.mask, np.arange(8) * 2.0)
