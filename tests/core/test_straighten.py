"""The straight-line fit through block-wise shifts, and what comes of it on a simulated rig."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage as ndi

from cassi_core.calibration.auto import nominal_priors
from cassi_core.calibration.block_agreement import across_rms
from cassi_core.calibration.block_shifts import BlockShift
from cassi_core.calibration.error_bars import Priors, distortion_error, respond, sandwich
from cassi_core.calibration.gauss_newton import concluded, fit
from cassi_core.calibration.linearisation import Linearisation, linearise, linearise_all, spread
from cassi_core.calibration.pipeline import calibrate
from cassi_core.calibration.rig_model import Optics, RigModel
from cassi_core.calibration.straighten import line_through, straighten
from cassi_core.config import AutoSettings, CalibrationConfig, QualitySettings
from cassi_core.dispersion import Dispersion
from cassi_core.geometry import warp_mask
from cassi_core.inputs import CalibrationInputs
from cassi_core.parameters import ParameterSet
from cassi_core.quality.verdict import across_excess
from cassi_core.result import LocalShift
from cassi_core.run import RunControl
from cassi_core.solvers.fused_cpu import FusedCpuSolver
from cassi_core.solvers.protocol import Candidate, GapSettings
from tests.core.search_rigs import record

BANDS, STEP = 6, 2.0


def rig(shape: tuple[int, int] = (190, 230), bow: float = 0.0, **moved: float) -> RigModel:
    """A smooth scene behind a mask that was moved, and its rows bent by `bow` px, coded and dispersed by whole pixels."""
    rng = np.random.default_rng(3)
    mask = (rng.random(shape) < 0.5).astype(np.float32)
    rows, cols = np.mgrid[: shape[0], : shape[1]]
    scene = np.stack([1 + 0.5 * np.sin(cols / (17 + b)) * np.cos(rows / (13 + b)) for b in range(BANDS)]).astype(np.float32)
    seen = warp_mask(mask, moved, order=3)
    if bow:
        bent = bow * (2 * cols / (shape[1] - 1) - 1) ** 2
        seen = ndi.map_coordinates(seen, [rows - bent, cols], order=3, mode="nearest").astype(np.float32)
    y = np.zeros((shape[0], shape[1] + int(STEP) * (BANDS - 1)), np.float32)
    for b in range(BANDS):
        y[:, 2 * b : 2 * b + shape[1]] += seen * scene[b]
    inputs = CalibrationInputs.from_arrays(y, mask, Dispersion.constant(BANDS, STEP))
    return RigModel.from_frame(inputs, inputs.frames[0])


def test_the_line_through_shifts_gives_the_three_parameters_with_their_signs() -> None:
    model = rig((100, 140))
    middle = model.dispersion.travel_px / 2
    blocks = []
    for row in np.linspace(10, 90, 5):
        for col in np.linspace(15, 135, 6):
            v, u = row - 49.5, col - middle - 69.5
            blocks.append(BlockShift(row, col, 3.0, 0.3 + 4e-3 * v - np.deg2rad(0.2) * u, 0.5, 0.05))
    blocks[7] = BlockShift(blocks[7].row, blocks[7].col, 0.0, 3.5, 0.5, 0.05)  # one block that is badly wrong
    found = line_through(blocks, model, ("dy", "theta", "scale_y"))
    assert found == pytest.approx([0.3, 0.2, 4e-3], rel=1e-6)
    assert line_through(blocks[:4], model, ("dy",)) is None


def test_straightening_finds_a_magnification_that_the_matched_filter_cannot_see() -> None:
    truth = {"dy": 0.4, "theta": 0.15, "scale_y": 0.006}
    model = rig(**truth)
    start = ParameterSet.default(("dx", "dy", "theta", "scale_y"))
    found = straighten([model], FusedCpuSolver(2), start, Optics(), RunControl()).values()
    assert found["dy"] == pytest.approx(0.4, abs=0.05)
    assert found["theta"] == pytest.approx(0.15, abs=0.04)
    assert found["scale_y"] == pytest.approx(0.006, abs=6e-4)
    assert found["dx"] == 0 and found["scale_x"] == 0
    held = straighten([model], FusedCpuSolver(2), ParameterSet.default(("dx",)), Optics(), RunControl())
    assert held.vector().tolist() == ParameterSet.default().vector().tolist()


def test_the_rms_across_counts_only_what_errors_do_not_explain() -> None:
    def block(down: float, sigma: float) -> BlockShift:
        return BlockShift(0, 0, 5.0, down, 1.0, sigma)

    assert across_rms([]) == 0
    assert across_rms([block(0.1, 0.1), block(-0.1, 0.1)]) == pytest.approx(0.0, abs=1e-9)
    assert across_rms([block(0.5, 0.0), block(-0.5, 0.0)]) == pytest.approx(0.5, abs=1e-3)
    steady = [block(0.1, 0.0), block(-0.1, 0.0)] * 3
    assert across_rms([*steady, block(2.0, 0.1)]) == pytest.approx(across_rms(steady)), "one block took noise for its peak"


def test_the_excess_across_takes_the_axis_across_the_dispersion() -> None:
    shifts = [LocalShift(0, 0, 0.3, -0.8, 0.0, 0.0), LocalShift(5, 9, -0.3, 0.8, 0.0, 0.0)]
    assert across_excess((), "right") == 0
    assert across_excess(shifts, "left") == pytest.approx(0.8, abs=1e-3)
    assert across_excess(shifts, "up") == pytest.approx(0.3, abs=1e-3)


def test_a_distortion_errs_by_what_a_line_through_nine_shifted_places_errs() -> None:
    height, width = 240, 360
    names = ("scale_y", "scale_x", "theta", "dy", "dx")
    v, u = (np.repeat([-80.0, 0, 80], 3), np.tile([-120.0, 0, 120], 3))
    design = np.stack([v, -np.deg2rad(1.0) * u, np.ones(9)], axis=1)
    shifts = np.random.default_rng(5).normal(0, 0.2, (9, 20000))
    down = np.std(np.linalg.lstsq(design, shifts, rcond=None)[0], axis=1)
    right = np.std(np.linalg.lstsq(np.stack([u, v, np.ones(9)], axis=1), shifts, rcond=None)[0], axis=1)
    found = distortion_error(names, 0.2, (height, width), 1)
    assert np.sqrt(np.diag(found))[[0, 2, 3]] == pytest.approx(down, rel=0.02)
    assert np.sqrt(np.diag(found))[[1, 4]] == pytest.approx(right[[0, 2]], rel=0.02)
    assert np.count_nonzero(found - np.diag(np.diag(found))) == 0


def test_a_distortion_makes_the_band_train_longer_about_its_middle() -> None:
    added = distortion_error(("slope", "dx"), 0.2, (240, 360), 21)
    assert added[0, 0] == pytest.approx((0.2 / 20) ** 2)
    middle = np.array([10.0, 1.0])  # the position of band 10 of 21: dx + 10 slope
    assert middle @ added @ middle == pytest.approx(0.2**2 / 9), "the middle errs as a whole, not by the length"


def test_optics_that_bend_the_mask_widen_the_error_bars_across_the_dispersion() -> None:
    """Rows of the mask bent by a pixel: whichever part of them a scene lights decides what dy comes out."""
    straight, bent = rig(dy=0.3), rig(dy=0.3, bow=1.5)
    sigmas = []
    for model in (straight, bent):
        inputs = CalibrationInputs.from_arrays(model.crop(model.y), model.mask, Dispersion.constant(BANDS, STEP))
        result = calibrate(inputs, CalibrationConfig(refine=("dx", "dy", "theta")))
        sigmas.append({p.name: p.sigma for p in result.parameters})
    assert sigmas[0]["dy"] < 0.02 and sigmas[1]["dy"] > 0.08
    assert sigmas[1]["theta"] > 3 * sigmas[0]["theta"]


def test_a_prior_takes_over_where_the_picture_tells_nothing() -> None:
    rng = np.random.default_rng(0)
    strong = rng.standard_normal((120, 130)).astype(np.float32)
    part = Linearisation(
        rng.standard_normal((120, 130)).astype(np.float32),
        np.stack([strong, 1e-4 * rng.standard_normal((120, 130)).astype(np.float32)]),
        np.ones((120, 130), np.float32),
        np.zeros(2),
        1.0,
    )
    without = sandwich([part], Priors.none(2))
    known = Priors(np.array([0.0, 0.0]), np.array([np.inf, 0.03]))
    with_prior = sandwich([part], known)
    assert with_prior[0, 0] == pytest.approx(without[0, 0], rel=0.02)
    assert np.sqrt(without[1, 1]) > 10 and np.sqrt(with_prior[1, 1]) == pytest.approx(0.03, rel=0.02)


def test_the_response_is_the_change_of_the_residual_seen_by_the_gradient() -> None:
    model = rig((90, 110), dx=0.1)
    names = ("dx", "dy")
    parameters = ParameterSet.default(names)
    solver, settings = FusedCpuSolver(1), GapSettings(8, 1.0)

    def at(vector: np.ndarray) -> Linearisation:
        return linearise(model, solver, vector, names, settings, Optics(), RunControl())

    part = at(parameters.vector())
    response = respond([model], [part], solver, parameters.vector(), parameters, settings, Optics(), RunControl())
    weighted = (part.jacobian * part.weight).reshape(2, -1)
    for j, name in enumerate(names):
        moved = ParameterSet.default(names, values={name: 0.05})
        change = (part.residual - at(moved.vector()).residual).ravel() / 0.05
        assert response[:, j] == pytest.approx(weighted @ change, rel=1e-3)
    normal = weighted @ part.jacobian.reshape(2, -1).T
    assert np.all(np.diag(response) > 0.3 * np.diag(normal)) and np.all(np.diag(response) < 1.1 * np.diag(normal))


@pytest.mark.parametrize("settings", [GapSettings(8, 2.0), GapSettings(12, 0.35, 1.0)])
def test_one_transposed_solve_gives_the_gradient_that_the_derivative_images_give(settings: GapSettings) -> None:
    model, names = rig((90, 110), dx=0.2, dy=-0.3, scale_y=0.002), ("dx", "dy", "theta", "scale_x", "scale_y", "slope", "alpha")
    at, solver, control = ParameterSet.default(values={"slope": 0.01}).vector(), FusedCpuSolver(2), RunControl()
    whole = linearise(model, solver, at, names, settings, Optics(), control)
    short = linearise(model, solver, at, names, settings, Optics(), control, jacobian=whole.jacobian)
    scale = np.sqrt(np.sum(whole.jacobian**2 * whole.weight, axis=(1, 2)) * np.sum(whole.residual**2 * whole.weight))
    # Not equal in so small a picture: at its borders the blur of the scene estimate is not symmetric.
    assert np.max(np.abs(short.gradient - whole.gradient) / scale) < 0.02
    assert np.max(np.abs(whole.gradient) / scale) > 0.3


def test_derivative_images_of_a_point_nearby_do_not_lead_a_fit_astray() -> None:
    """A mask of single black and white pixels: the derivatives at whole pixels tell little of those half a pixel on."""
    model = rig((110, 131), dx=0.6, dy=-0.4)
    start = ParameterSet.default(("dx", "dy", "theta"))
    ended = fit([model], start, GapSettings(8, 1.0), FusedCpuSolver(2), record(), max_steps=8, tolerance=0.1)
    assert ended.vector[:3] == pytest.approx([0.6, -0.4, 0.0], abs=0.003)


def test_error_bars_are_those_of_the_place_where_the_fit_ended() -> None:
    """However the derivative images came about, and with the step that a fit had still to go when it was made to end."""
    names, solver, settings = ("dx", "dy", "theta"), FusedCpuSolver(2), GapSettings(8, 1.0)
    model = rig((110, 131), dx=0.6, dy=-0.4)
    start = ParameterSet.default(names)
    ended = fit([model], start, settings, solver, record(), max_steps=8, tolerance=0.1)
    assert np.any(ended.linear_at != ended.vector)
    here = linearise_all([model], solver, ended.vector, names, settings, Optics(), RunControl())
    fresh = replace(ended, parts=tuple(here), parts_at=ended.vector, linear_at=ended.vector)
    wanted = concluded(fresh, [model], start, settings, solver, RunControl()).sigmas
    unfinished = replace(ended, parts_at=ended.vector + 1)
    for case in (ended, unfinished):
        found = concluded(case, [model], start, settings, solver, RunControl()).sigmas
        assert found == pytest.approx(wanted, rel=1e-3)
    elsewhere = start.vector() + 1
    stopped = replace(ended, vector=start.vector(), parts=(), parts_at=elsewhere, linear_at=elsewhere)
    assert concluded(stopped, [model], start, settings, solver, RunControl()).sigmas["dx"] > 0.2


def test_known_light_is_what_the_bands_spread_over_the_canvas() -> None:
    image = np.arange(12, dtype=np.float32).reshape(3, 4)
    candidate = Candidate(image, np.array([0.0, 2.0, 5.0]), np.array([0.0, 1.0, -1.0]))
    wanted = np.zeros((3, 7), np.float32)
    wanted[:, :4] += image
    wanted[1:, 2:6] += image[:2]
    wanted[:2, 5:] += image[1:, :2]
    assert np.array_equal(spread(image, candidate, (3, 7)), wanted)


def test_priors_are_centred_on_the_start() -> None:
    start = ParameterSet.default(("slope",), values={"slope": 0.01})
    priors = nominal_priors(start, AutoSettings())
    assert priors["slope"] == (0.01, AutoSettings().prior_slope) and "dx" not in priors


def test_what_a_drift_made_the_preset_hold_comes_back_as_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fit that ends beside the picture with slope and alpha free is done again without them, and the result says so."""
    rng = np.random.default_rng(5)
    mask = (rng.random((96, 100)) < 0.5).astype(np.float32)
    y = np.zeros((96, 110), np.float32)
    for b in range(BANDS):
        y[:, 2 * b : 2 * b + 100] += mask
    inputs = CalibrationInputs.from_arrays(y, mask, Dispersion.constant(BANDS, STEP))
    seen = iter((0.4, 0.1))  # after the fit, then before it
    monkeypatch.setattr("cassi_core.calibration.auto.across_rms", lambda _: next(seen))
    config = CalibrationConfig(refine=("dx", "dy", "slope", "alpha"), quality=QualitySettings(maps=False))
    result = calibrate(inputs, config)
    assert result.parameters.refined == ("dx", "dy")
    assert result.parameters["slope"].value == 0 and result.parameters["slope"].sigma is None
    assert "slope and alpha held at the nominal value" in result.notes[0] and "0.40 px" in result.notes[0]
