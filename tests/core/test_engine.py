"""The engine of preset auto: derivative images, pre-alignment and fit, on rigs simulated by independent code."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage as ndi

from cassi_core.calibration.auto import run_auto
from cassi_core.calibration.mask_sampling import displaced, pose_coefficients, sample_pose
from cassi_core.calibration.prealign import prealign
from cassi_core.calibration.rig_model import RigModel, named, relative_residual, spline_coefficients
from cassi_core.config import AutoSettings
from cassi_core.dispersion import Dispersion
from cassi_core.errors import RunCancelled
from cassi_core.geometry import source_coordinates, warp_mask
from cassi_core.inputs import CalibrationInputs
from cassi_core.parameters import ParameterSet
from cassi_core.run import RunControl
from cassi_core.simulate import Misalignment, default_wavelengths, make_mask, make_scene, simulate_rig
from cassi_core.solvers.fused_cpu import FusedCpuSolver
from cassi_core.solvers.protocol import GapSettings
from tests.core.search_rigs import BANDS, make_model, record

TRUTH = {"dx": 1.4, "dy": -0.8, "theta": 0.5}
QUICK = AutoSettings(reach_px=8, reach_deg=1.5)
SOLVER = FusedCpuSolver(2)


def large_model(truth, shape=(150, 128)):
    """A rig of its own size: angles show only in larger pictures."""
    capture = make_mask("grey", (shape[0] + 24, shape[1] + 24), seed=5)
    cube = make_scene("materials", shape, default_wavelengths(BANDS), seed=6)
    rig = simulate_rig(cube, capture, Dispersion.constant(BANDS, 2.0), Misalignment.of(truth), seed=7)
    inputs = CalibrationInputs.from_arrays(rig.measurement, rig.mask, rig.dispersion)
    return RigModel.from_frame(inputs, inputs.frames[0])


def test_the_sampled_mask_is_the_warped_mask():
    model = make_model({})
    values = {"dx": 1.3, "dy": -2.2, "theta": 1.1, "scale_x": 0.004, "scale_y": -0.006}
    mask = model.candidate(values, model.spline()).mask
    assert mask.shape == model.mask.shape
    assert np.abs(mask - warp_mask(model.mask, values))[6:-6, 6:-6].max() < 2e-2
    pose = pose_coefficients(model.mask.shape, *values.values())
    row, col = source_coordinates(model.mask.shape, **values)
    rows, cols = np.indices(model.mask.shape)
    assert np.allclose(pose[0] * cols + pose[1] * rows + pose[2], col)
    assert np.allclose(pose[3] * cols + pose[4] * rows + pose[5], row)


def test_fractions_of_an_offset_move_the_pattern_the_right_way():
    model = make_model({})
    candidate = model.candidate({"slope": 0.1, "alpha": 1.5}, model.spline())
    cols, rows = model.dispersion.offsets({"slope": 0.1, "alpha": 1.5})
    last = BANDS - 1
    moved = warp_mask(model.mask, {"dx": cols[last] - 2.0 * last, "dy": rows[last]})
    assert cols[last] - 2.0 * last > 0.2 and rows[last] > 0.2
    assert np.abs(candidate.mask[last] - moved)[6:-6, 6:-6].max() < 2e-2


@pytest.mark.parametrize("truth", [{"dx": 6.2, "dy": -3.1, "theta": 0.9}, {"dx": -4.0, "dy": 5.3, "theta": -1.0}])
def test_prealignment_finds_a_far_mask(truth):
    found = prealign([large_model(truth)], reach_px=8, reach_deg=1.5)
    assert found.dx == pytest.approx(truth["dx"], abs=0.8)
    assert found.dy == pytest.approx(truth["dy"], abs=0.5)
    assert found.theta == pytest.approx(truth["theta"], abs=0.4)
    assert found.z > 8


def test_the_mask_of_another_rig_is_not_found():
    model, other = make_model({}), make_model({}, seed=90)
    mixed = RigModel(model.y, model.observed, model.scored, other.mask, model.dispersion, model.scale)
    outcome = run_auto([mixed], ParameterSet.default(("dx", "dy")), QUICK, SOLVER, record())
    assert not outcome.found
    assert np.array_equal(outcome.vector, ParameterSet.default().vector())


def test_auto_finds_the_truth_and_leaves_fixed_parameters_alone():
    start = ParameterSet.default(("dx", "dy", "theta"), {"scale_y": 1e-7 / 3, "alpha": 0.1 / 3})
    outcome = run_auto([make_model(TRUTH)], start, QUICK.model_copy(update={"min_peak_z": 6.0}), SOLVER, record())
    found = named(outcome.vector)
    for name, tolerance in (("dx", 0.15), ("dy", 0.06), ("theta", 0.15)):
        assert found[name] == pytest.approx(TRUTH[name], abs=tolerance)
    assert found["scale_y"] == 1e-7 / 3
    assert found["alpha"] == 0.1 / 3
    assert outcome.estimate is not None
    assert set(outcome.estimate.sigmas) == {"dx", "dy", "theta"}
    assert all(0 < s < 0.2 for s in outcome.estimate.sigmas.values())


def test_two_runs_give_the_same_numbers():
    runs = [run_auto([make_model(TRUTH)], ParameterSet.default(("dx", "dy")), QUICK, SOLVER, record()).vector for _ in range(2)]
    assert np.array_equal(runs[0], runs[1])


@pytest.mark.parametrize("after", [0, 1, 3])
def test_cancel_at_any_row_of_the_table(after):
    control = RunControl()
    seen = []

    def observe(event):
        seen.append(event)
        if len(seen) > after:
            control.cancel()

    with pytest.raises(RunCancelled):
        run_auto([make_model(TRUTH)], ParameterSet.default(("dx",)), QUICK, SOLVER, record(observe, control))


def test_the_pattern_of_a_band_is_one_sampling_at_its_exact_place():
    """Against scipy, with fractions beyond half a pixel in both directions."""
    model = make_model({})
    values = {"dx": 0.4, "dy": -0.3, "theta": 0.7, "scale_x": 2e-3, "scale_y": -1e-3, "slope": 0.15, "alpha": 2.0}
    candidate = model.candidate(values, model.spline())
    cols, rows = model.dispersion.offsets(values)
    last = BANDS - 1
    assert cols[last] - 2 * last > 0.6 and rows[last] > 0.3
    height, width = model.mask.shape
    angle = np.deg2rad(values["theta"])
    r, c = np.indices(model.mask.shape, float)
    x = (c - (cols[last] - 2 * last) - (width - 1) / 2) / (1 + values["scale_x"])
    y = (r - rows[last] - (height - 1) / 2) / (1 + values["scale_y"])
    col = np.cos(angle) * x - np.sin(angle) * y - values["dx"] + (width - 1) / 2
    row = np.sin(angle) * x + np.cos(angle) * y - values["dy"] + (height - 1) / 2
    wanted = ndi.map_coordinates(model.mask.astype(float), [row, col], order=3, mode="mirror").clip(0)
    assert np.abs(candidate.mask[last] - wanted)[4:-4, 4:-4].max() < 2e-5


def test_the_score_has_no_jump_where_an_offset_passes_half_a_pixel():
    """Scene grids that followed the rounded offsets made the residual jump by some percent there."""
    model = make_model({"dx": 0.3})
    half = 0.5 / (BANDS - 1)
    scores = []
    for slope in (half - 2e-4, half - 1e-4, half + 1e-4, half + 2e-4):
        residual = SOLVER.residuals(
            model.y, [model.candidate({"dx": 0.3, "slope": slope}, model.spline())], GapSettings(8, 0.7)
        )
        scores.append(relative_residual(residual[0], model))
    steps = np.diff(scores)
    assert abs(steps[1]) < 4 * max(abs(steps[0]), abs(steps[2]))


@pytest.mark.parametrize("shape", [(1, 9), (9, 1), (2, 2), (3, 1)])
def test_masks_of_a_row_or_a_column_are_sampled_inside_themselves(shape):
    """Indices mirrored at an edge must not leave a mask that ends there."""
    image = np.full(shape, 0.5, np.float32)
    out = np.zeros(shape, np.float32)
    sample_pose(
        spline_coefficients(image), displaced(pose_coefficients(shape, 0.3, -0.4, 1.0, 0.0, 0.0), 0.4, -0.3), 0, shape[0], out
    )
    assert np.allclose(out, 0.5, atol=1e-5)
