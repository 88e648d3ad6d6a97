"""The likelihood of the picture: its arithmetic against plain formulas, the fit on rigs of other code, its errors."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest
from scipy import ndimage as ndi
from scipy.spatial.transform import Rotation

from cassi_core.calibration.likelihood.budget import distortion_term
from cassi_core.calibration.likelihood.estimate import Estimator, needless
from cassi_core.calibration.likelihood.kernel import COLUMNS, SHARED, invert, patch_masks
from cassi_core.calibration.likelihood.problem import (
    FRAME_NAMES,
    LIGHT_NAMES,
    LIGHT_TERMS,
    NUISANCE_NAMES,
    SCALES_PX,
    SHARED_NAMES,
    TREND_NAMES,
    RigProblem,
)
from cassi_core.calibration.likelihood.registration_error import registration_error
from cassi_core.calibration.likelihood.scoring import Stop, free_parameters, score_steps
from cassi_core.calibration.pipeline import calibrate
from cassi_core.calibration.rig_model import RigModel
from cassi_core.config import CalibrationConfig, QualitySettings
from cassi_core.dispersion import Dispersion
from cassi_core.errors import RunCancelled
from cassi_core.geometry import source_coordinates
from cassi_core.inputs import CalibrationInputs
from cassi_core.io.exports.rig_masks import CalibratedMask
from cassi_core.mask_image import MaskImage
from cassi_core.optics import OPTICS_NAMES, edge_px, mask_places
from cassi_core.parameters import ParameterSet
from cassi_core.run import RunControl
from tests.core.search_rigs import make_model, make_rig, record

TRUTH = {"dx": 1.4, "dy": -0.8, "theta": 0.5}
PLACE = {
    "dx": 0.7,
    "dy": -1.3,
    "theta": 0.8,
    "scale_x": 3e-3,
    "scale_y": -2e-3,
    "slope": 0.03,
    "curve": 2e-3,
    "alpha": 0.9,
    "blur": 0.3,
    "smear": 0.8,
    "colour1": 0.9,
    "colour2": -0.7,
    "radial": 0.8,
    "bow_u2": 0.5,
    "bow_uv": -0.6,
    "bow_v2": 0.4,
}


def small_problem(shape: tuple[int, int] = (42, 57), frames: int = 1, threads: int = 1) -> RigProblem:
    """A rig of an odd size whose dispersion has unequal steps."""
    rng = np.random.default_rng(2)
    mask = ndi.gaussian_filter(rng.random(shape), 0.7)
    dispersion = Dispersion(np.array([0.0, 1.5, 3.5, 5.0, 7.0]))
    pictures = 0.2 + rng.random((frames, shape[0], shape[1] + 7))
    inputs = CalibrationInputs.from_arrays(pictures, mask.astype(np.float32), dispersion)
    return RigProblem([RigModel.from_frame(inputs, f) for f in inputs.frames], 3, threads, RunControl())


def place(problem: RigProblem, **values: float) -> np.ndarray:
    x = problem.start()
    for name, value in values.items():
        x[problem.index(name)] = value
    return x


def masks_at(problem: RigProblem, values: dict[str, float], row: int, col: int, size: tuple[int, int]) -> np.ndarray:
    """Masks and slopes of a patch, ``(P, L)`` and ``(P, L, COLUMNS)``, with even brightness and light."""
    x = place(problem, **values)
    height, width = problem.mask.mask.shape
    pixels, bands = size[0] * size[1], problem.dispersion.n_bands
    masks, slopes = np.zeros((pixels, bands), np.float32), np.zeros((pixels, bands, COLUMNS), np.float32)
    ones = np.ones((height, width + 20))
    patch_masks(
        problem.mask.spline(values.get("blur", 0.0), values.get("smear", 0.0)), problem.mask.mean, x[:SHARED], x[:SHARED],
        problem.dispersion.s_nom, problem.places, np.array([(height - 1) / 2, (width + 19) / 2]), problem.edge_px, np.ones(bands, np.float32), np.zeros(bands, np.float32), problem.polynomials, 3, row, col, *size, width, ones, ones, masks, slopes,
        np.zeros(pixels), np.zeros(pixels),
    )  # fmt: skip
    return masks, slopes


def test_every_band_is_sampled_once_at_its_exact_place() -> None:
    """Against the geometry module and scipy's spline: dispersion first, then the pose, one interpolation."""
    problem, size, first = small_problem(), (5, 7), (15, 25)
    geometry = {k: v for k, v in PLACE.items() if k not in ("blur", "smear", *OPTICS_NAMES)}
    masks, _ = masks_at(problem, geometry, *first, size)
    height, width = problem.mask.mask.shape
    cols, rows = problem.dispersion.offsets(geometry)
    pose = {k: geometry[k] for k in ("dx", "dy", "theta", "scale_x", "scale_y")}
    origin = np.array(source_coordinates((height, width), **pose))
    # The pose is an affine map: its value beyond whole pixels from its value at three of them.
    at = lambda r, c: origin[:, 0, 0] + r * (origin[:, 1, 0] - origin[:, 0, 0]) + c * (origin[:, 0, 1] - origin[:, 0, 0])  # noqa: E731
    for band in range(problem.dispersion.n_bands):
        for i in (0, 3, 34):
            r, c = first[0] + i % size[0] - rows[band], first[1] + i // size[0] - cols[band]
            wanted = ndi.map_coordinates(problem.mask.mask, np.array(at(r, c))[:, None], order=3, mode="mirror")
            assert masks[i, band] == pytest.approx(float(wanted[0]), abs=2e-5)


def test_the_optics_look_where_the_formulas_say() -> None:
    problem, size, first = small_problem(), (5, 7), (15, 25)
    values = {k: v for k, v in PLACE.items() if k not in ("blur", "smear")}
    masks, _ = masks_at(problem, values, *first, size)
    height, width = problem.mask.mask.shape
    rows, cols = (g.ravel(order="F").astype(float) for g in np.mgrid[first[0] : first[0] + 5, first[1] : first[1] + 7])
    places = mask_places(values, values, problem.dispersion, (height, width), (height, width + 20), rows, cols)
    wanted = ndi.map_coordinates(problem.mask.mask, np.array(places), order=3, mode="mirror")
    assert masks == pytest.approx(wanted.T, abs=2e-5)


@pytest.mark.parametrize("name", SHARED_NAMES)
def test_slopes_of_the_masks_are_differences(name: str) -> None:
    problem = small_problem()
    at = {**PLACE, "smear": 0.05} if name == "smear" else PLACE
    _, slopes = masks_at(problem, at, 15, 25, (6, 6))
    h = {"blur": 1e-2, "smear": 4e-2, "curve": 1e-5, "slope": 1e-4, "scale_x": 1e-5, "scale_y": 1e-5}.get(name, 1e-3)
    sides = [masks_at(problem, {**at, name: at[name] + sign * h}, 15, 25, (6, 6))[0].astype(float) for sign in (1, -1)]
    wanted = (sides[0] - sides[1]) / (2 * h)
    found = slopes[..., SHARED_NAMES.index(name)]
    assert np.abs(found - wanted).max() < (0.15 if name in ("blur", "smear") else 0.02) * np.abs(wanted).max()


def test_the_inverse_and_the_determinant_are_those_of_a_library() -> None:
    a = np.random.default_rng(3).standard_normal((17, 17))
    matrix = a @ a.T + 0.3 * np.eye(17)
    found = matrix.copy()
    log_determinant = invert(found, np.empty_like(matrix))
    assert log_determinant == pytest.approx(np.linalg.slogdet(matrix)[1])
    assert np.allclose(found, np.linalg.inv(matrix))
    assert invert(-matrix, np.empty_like(matrix)) == np.inf


@pytest.mark.parametrize("name", ["dx", "dy", "theta", "scale_x", "scale_y", *LIGHT_NAMES[:4], *TREND_NAMES, *NUISANCE_NAMES])
def test_the_score_is_the_slope_of_the_likelihood(name: str) -> None:
    """For everything that moves nothing but the mask, or weights (a moving scene is left out of the score on purpose)."""
    problem = small_problem(threads=2)
    moves = name in SHARED_NAMES
    # Where parts of the mask are unknown, weights and light also scale what is said to come through them.
    x = place(problem, **({**PLACE, "curve": 0.0} if moves else {"dx": 0.2, "dy": -0.3, "theta": 0.4, "blur": 0.3}))
    x[problem.index("read noise")] = np.log(3e-2)
    problem.hold(x)
    found = problem.evaluate(x, information=False).score
    k = problem.index(name)
    h = {"theta": 1e-1, "scale_x": 1e-3, "scale_y": 1e-3}.get(name, 2e-2)
    sides = []
    for sign in (1, -1):
        moved = x.copy()
        moved[k] += sign * h
        sides.append(problem.evaluate(moved, information=False).likelihood)
    wanted = (sides[0] - sides[1]) / (2 * h)
    assert found[k] == pytest.approx(wanted, rel=0.02, abs=0.02)


def dense_covariance(problem: RigProblem, x: np.ndarray, patch: int) -> np.ndarray:
    """Covariance of a patch from plain loops: every pair of pixels and bands, the distance in the scene as it is."""
    snapshot = problem.snapshots[0]
    (height, width), bands = snapshot.patch, problem.dispersion.n_bands
    base = problem.index(NUISANCE_NAMES[0])
    weights = np.exp(x[base : base + 8]).reshape(4, 2)
    cols, rows = problem.dispersion.offsets({"slope": x[5], "curve": x[6], "alpha": x[7]})
    r0, c0 = int(snapshot.rows[patch]), int(snapshot.cols[patch])
    masks, slopes = np.zeros((height * width, bands), np.float32), np.zeros((height * width, bands, COLUMNS), np.float32)
    known, unknown = np.zeros(height * width), np.zeros(height * width)
    patch_masks(
        problem.mask.spline(x[8], x[9]), problem.mask.mean, x[:SHARED], x[:SHARED], problem.dispersion.s_nom,
        problem.places, (np.array(snapshot.picture.shape) - 1) / 2, problem.edge_px,
        problem.light(x).astype(np.float32), problem.trend(x).astype(np.float32), problem.polynomials, 3, r0, c0, height, width, problem.mask.mask.shape[1],
        snapshot.brightness, snapshot.amplitude, masks, slopes, known, unknown,
    )  # fmt: skip
    i = np.arange(height * width)
    r, c = i % height, i // height
    out = np.zeros((len(i), len(i)))
    for k in range(bands):
        for m in range(bands):
            down = (r[:, None] - rows[k]) - (r[None] - rows[m])
            right = (c[:, None] - cols[k]) - (c[None] - cols[m])
            kernel = sum(
                (weights[s, 0] + weights[s, 1] * problem.spectra[1][k, m]) * np.exp(-(down**2 + right**2) / (2 * scale**2))
                for s, scale in enumerate(SCALES_PX)
            )
            out += masks[:, k, None] * masks[None, :, m] * kernel
    return out


def test_the_likelihood_is_that_of_the_plain_covariance() -> None:
    """Seen from band l the scene of band m lies at the other side for a mirrored sign: steps of unequal size would show it."""
    problem = small_problem()
    x = place(problem, **{**PLACE, "curve": 0.0, "alpha": 1.5})
    x[[problem.index(n) for n in ("read noise", "shot noise")]] = np.log([3e-2, 1e-9])
    problem.hold(x)
    snapshot, patch = problem.snapshots[0], 5
    matrix = dense_covariance(problem, x, patch)
    (height, width), (r0, c0) = snapshot.patch, (int(snapshot.rows[patch]), int(snapshot.cols[patch]))
    where = (slice(r0, r0 + height), slice(c0, c0 + width))
    level = snapshot.brightness[where].T.ravel()
    y = snapshot.picture[where].T.ravel() / level
    alias = problem.mask.alias(x[8], snapshot.patch)
    base = problem.index(NUISANCE_NAMES[0])
    energy = float(np.exp(x[base : base + 8]).sum())
    i = np.arange(len(y))
    lag = alias[np.abs(i[:, None] % height - i % height), np.abs(i[:, None] // height - i // height)]
    amplitude = snapshot.amplitude
    light = problem.light(x)
    known = np.zeros(len(y))
    cols, rows = problem.dispersion.offsets({"slope": x[5], "alpha": x[7]})
    for k in i:
        for band in range(problem.dispersion.n_bands):
            u, v = c0 + k // height - cols[band], r0 + k % height - rows[band]
            if -0.5 < u < amplitude.shape[1] - 0.5:
                cell = (min(max(int(v + 0.5), 0), amplitude.shape[0] - 1), min(max(int(u + 0.5), 0), amplitude.shape[1] - 1))
                known[k] += (amplitude[cell] / level[k] * light[band]) ** 2
    matrix += lag * np.sqrt(energy * known[:, None] * energy * known[None]) + np.diag(3e-2 / level**2)
    misfit = float(y @ np.linalg.solve(matrix, y))
    wanted = -0.5 * ((20 + len(y)) * np.log(1 + misfit / 20) + np.linalg.slogdet(matrix)[1])
    found = problem.evaluate(x, [np.array([patch])], information=False)
    assert found.likelihood == pytest.approx(wanted, abs=0.5)
    mirrored = replace(problem.dispersion, s_nom=problem.dispersion.s_nom[-1] - problem.dispersion.s_nom[::-1])
    assert not np.allclose(mirrored.s_nom, problem.dispersion.s_nom), "a mirrored train is another train here"


def test_what_is_unknown_of_the_mask_tells_nothing() -> None:
    """Pixels where the field of a band ends, or that look beyond the picture of the mask, weigh next to nothing in the score."""
    problem = small_problem()
    snapshot = problem.snapshots[0]
    x = place(problem, dx=18.0, blur=0.2)
    problem.hold(x)
    last = [np.flatnonzero(snapshot.cols == snapshot.cols.min())]
    inner = [np.flatnonzero(snapshot.cols == np.sort(np.unique(snapshot.cols))[2])]
    dy = problem.index("dy")
    info = [problem.evaluate(x, which).information[dy, dy] for which in (last, inner)]
    assert info[0] < 0.2 * info[1]


def test_the_power_that_folds_grows_with_the_sharpness_of_the_mask() -> None:
    bits = (np.random.default_rng(0).random((96, 96)) < 0.5).astype(float)
    fine = MaskImage(bits.astype(np.float32)).alias(0.0, (12, 12))[0, 0]
    coarse = MaskImage(np.kron(bits[:24, :24], np.ones((4, 4))).astype(np.float32)).alias(0.0, (12, 12))[0, 0]
    soft = MaskImage(ndi.gaussian_filter(bits, 1.2).astype(np.float32)).alias(0.0, (12, 12))[0, 0]
    assert fine > 3 * coarse > 0 and soft < 0.02 * fine


def fitted(models: list[RigModel], start: ParameterSet, known: dict[str, tuple[float, float]] | None = None):
    problem = RigProblem(models, 4, 2, RunControl())
    estimator = Estimator(problem, start, known or {}, 0.0, record())
    estimator.coarse()
    estimator.subset()
    return estimator.estimate(estimator.final(4, 0.1))


def test_several_frames_share_one_geometry_and_tell_more() -> None:
    rigs = [make_rig(TRUTH, seed=3, scene=s) for s in ("materials", "textures")]
    inputs = CalibrationInputs.from_arrays(np.stack([r.measurement for r in rigs]), rigs[0].mask, rigs[0].dispersion)
    models = [RigModel.from_frame(inputs, f) for f in inputs.frames]
    start = ParameterSet.default(("dx", "dy", "theta"), {"dx": 1.2, "dy": -0.6, "theta": 0.4})
    joint, alone = fitted(models, start), fitted(models[:1], start)
    assert joint.vector[1] == pytest.approx(-0.8, abs=0.05) and joint.vector[0] == pytest.approx(1.4, abs=0.12)
    assert joint.sigmas["dy"] < alone.sigmas["dy"]


def test_bounds_hold_and_what_is_not_refined_stays_bit_identical() -> None:
    start = ParameterSet.default(("dx", "dy", "theta"), {**TRUTH, "alpha": 0.1 / 3}).edit("dx", value=0.9, upper=1.0)
    found = fitted([make_model(TRUTH)], start)
    assert found.sigmas["dx"] > 0, "what rests on a bound is not known without error"
    assert found.vector[0] == 1.0 and found.vector[7] == 0.1 / 3 and found.vector[8] == 0.0


def test_what_is_known_before_takes_over_where_the_picture_tells_nothing() -> None:
    start = ParameterSet.default(("dx", "dy", "scale_x"), {"dx": 1.4, "dy": -0.8, "theta": 0.5})
    free = fitted([make_model(TRUTH)], start)
    held = fitted([make_model(TRUTH)], start, {"scale_x": (0.0, 1e-6)})
    assert abs(held.vector[3]) < 1e-5 and held.sigmas["scale_x"] < 1e-5 < free.sigmas["scale_x"]


def test_scoring_says_why_it_stopped() -> None:
    problem = small_problem()
    free = free_parameters(problem, ("dx",), light_terms=1, nuisance=False, known={}, bounds={}, start=problem.start())
    assert score_steps(problem, problem.start(), free, patches=None, steps=1, tolerance=0.0).stop is Stop.STEPS
    assert score_steps(problem, problem.start(), free, patches=None, steps=9, tolerance=1e9).stop is Stop.CONVERGED
    problem.control.finish_early()
    assert score_steps(problem, problem.start(), free, patches=None, steps=9, tolerance=0.0).stop is Stop.ASKED
    problem.control.cancel()
    with pytest.raises(RunCancelled):
        problem.evaluate(problem.start())


def test_threads_change_nothing() -> None:
    one, two = (small_problem(threads=t, frames=2) for t in (1, 2))
    x = place(one, **PLACE)
    one.hold(x), two.hold(x)
    a, b = one.evaluate(x), two.evaluate(x)
    assert a.likelihood == b.likelihood and np.array_equal(a.score, b.score) and np.array_equal(a.information, b.information)
    assert len(a.score) == SHARED + 2 * len(FRAME_NAMES)


def test_few_bands_have_fewer_terms_of_light() -> None:
    mask = np.random.default_rng(1).random((30, 30)).astype(np.float32)
    for bands in (1, 2, 9):
        inputs = CalibrationInputs.from_arrays(
            np.random.default_rng(2).random((30, 28 + 2 * bands)), mask, Dispersion.constant(bands, 2.0)
        )
        problem = RigProblem([RigModel.from_frame(inputs, inputs.frames[0])], 2, 1, RunControl())
        assert problem.light_terms == min(LIGHT_TERMS, bands - 1)
        assert np.all(np.isfinite(problem.evaluate(problem.start()).score))


def test_the_terms_of_the_budget_add_up() -> None:
    found = fitted([make_model(TRUTH)], ParameterSet.default(("dx", "dy", "theta", "psf"), TRUTH))
    names = [t.name for t in found.budget.terms]
    assert names[:3] == ["scatter", "model", "convergence"]
    assert np.allclose(found.covariance, sum(t.covariance for t in found.budget.terms))
    assert found.sigmas["psf"] > 0 and all(t.formula and t.origin for t in found.budget.terms)


def test_the_registration_error_is_that_of_drawn_parameters() -> None:
    """Across, pattern and wavelength from many draws of the parameters, with rotations by another library."""
    problem = small_problem((60, 84))
    x = place(problem)
    names = ("dy", "theta", "dx", "scale_x")
    sigma = np.array([0.02, 0.05, 0.1, 1e-3])
    found = registration_error(problem, x, names, np.diag(sigma**2))
    rng = np.random.default_rng(4)
    rows, cols = (g.ravel() for g in np.mgrid[4:56:12, 4:87:12].astype(float))
    down, right = [], []
    for dy, theta, dx, scale in rng.normal(0, sigma, (4000, 4)):
        turn = Rotation.from_euler("z", theta, degrees=True).as_matrix()[:2, :2]
        offsets = problem.dispersion.s_nom[:, None]
        at = np.stack([(cols - offsets - 41.5) / (1 + scale), np.broadcast_to(rows - 29.5, (5, len(rows)))])
        moved = np.einsum("ab,bln->aln", turn, at) - np.array([dx, dy])[:, None, None]
        truth = np.stack([cols - offsets - 41.5, np.broadcast_to(rows - 29.5, (5, len(rows)))])
        right.append((moved - truth)[0]), down.append((moved - truth)[1])
    snapshot = problem.snapshots[0]
    u = cols - problem.dispersion.s_nom[:, None]
    scene = np.array(
        [[snapshot.amplitude[int(r), int(np.clip(round(v), 0, 83))] for r, v in zip(rows, line, strict=True)] for line in u]
    )
    light = ((u > 0) & (u < 83)) * scene
    right, down = np.array(right), np.array(down)
    common = (right * light).sum(2) / light.sum(1)
    rms = lambda field: float(np.sqrt(np.mean((field**2 * light).sum((1, 2)) / light.sum())))  # noqa: E731
    assert found.across_px == pytest.approx(rms(down), rel=0.05)
    assert found.pattern_px == pytest.approx(rms(right - common[:, :, None]), rel=0.05)
    bands = np.sqrt(np.mean((common**2 * light.sum(1)).sum(1) / light.sum()))
    assert found.wavelength_bands == pytest.approx(bands / problem.dispersion.step_px, rel=0.05)
    assert found.wavelength_nm is None and 0 < found.across_sigma_px < found.across_px


def test_a_distortion_errs_by_what_a_line_through_nine_shifted_places_errs() -> None:
    height, width = 240, 360
    names = ("scale_y", "scale_x", "theta", "dy", "dx")
    v, u = (np.repeat([-80.0, 0, 80], 3), np.tile([-120.0, 0, 120], 3))
    design = np.stack([v, -np.deg2rad(1.0) * u, np.ones(9)], axis=1)
    shifts = np.random.default_rng(5).normal(0, 0.2, (9, 20000))
    down = np.std(np.linalg.lstsq(design, shifts, rcond=None)[0], axis=1)
    right = np.std(np.linalg.lstsq(np.stack([u, v, np.ones(9)], axis=1), shifts, rcond=None)[0], axis=1)
    found = distortion_term(names, 0.2, (height, width), 1).covariance
    assert np.sqrt(np.diag(found))[[0, 2, 3]] == pytest.approx(down, rel=0.02)
    assert np.sqrt(np.diag(found))[[1, 4]] == pytest.approx(right[[0, 2]], rel=0.02)
    assert np.count_nonzero(found - np.diag(np.diag(found))) == 0


def test_a_distortion_makes_the_band_train_longer_about_its_middle() -> None:
    added = distortion_term(("slope", "dx"), 0.2, (240, 360), 21).covariance
    assert added[0, 0] == pytest.approx((0.2 / 20) ** 2)
    middle = np.array([10.0, 1.0])  # the position of band 10 of 21: dx + 10 slope
    assert middle @ added @ middle == pytest.approx(0.2**2 / 9), "the middle errs as a whole, not by the length"


def test_terms_that_are_likelier_zero_are_dropped_and_the_others_follow() -> None:
    """Savage-Dickey: an error of 0.02 against 1 px thinkable asks for 2.8 standard errors; correlated terms take over from one another."""
    priors = [1.0, 1.0]
    assert needless(np.array([0.05, 0.3]), np.diag([4e-4, 4e-4]), priors) == {0}
    assert needless(np.array([0.06, 0.3]), np.diag([4e-4, 4e-4]), priors) == frozenset()
    # Both look needless alone, and together they are one clear term.
    covariance = np.array([[0.01, -0.0099], [-0.0099, 0.01]])
    assert len(needless(np.array([0.11, 0.1]), covariance, priors)) == 1
    assert needless(np.array([0.0, 0.0]), covariance, priors) == {0, 1}


@pytest.mark.slow
def test_bent_optics_of_an_independent_simulator_are_found_and_straight_ones_stay_straight(
    independent_simulator: ModuleType,
) -> None:
    picture, mask, cube, case, _ = independent_simulator.wild(3, bent=True)
    inputs = CalibrationInputs.from_arrays(picture, mask, Dispersion.constant(cube.shape[0], case["step_px"]))
    found = calibrate(inputs, CalibrationConfig(quality=QualitySettings(maps=False)))
    terms = {t.name: t.value_px for t in found.optics}
    # The simulator states colour at 330 px and bow over its square; here both are stated at the edge of the mask.
    edge = edge_px(mask.shape)
    wanted = {"colour1": case["optics"]["colour1_px"] * edge / 330}
    wanted |= {name: case["optics"].get(f"{name}_px", 0.0) * (edge / 330) ** 2 for name in ("bow_u2", "bow_uv", "bow_v2")}
    for name, value in wanted.items():
        assert terms.get(name, 0.0) == pytest.approx(value, abs=0.03), name
    assert abs(terms.get("radial", 0.0)) < 0.03

    def at(rows: np.ndarray, cols: np.ndarray, band: int) -> tuple[np.ndarray, np.ndarray]:
        values = found.parameters.values()
        places = mask_places(values, terms, inputs.dispersion, mask.shape, picture.shape, rows, cols, slice(band, band + 1))
        return places[0][0], places[1][0]

    off = independent_simulator.registration(found.parameters.values(), case, cube, at=at)
    assert off["across"] < 0.02 and off["pattern"] < 0.02
    masks = CalibratedMask.from_result(found).band_masks("interpolated")
    straight = replace(CalibratedMask.from_result(found), optics={}).band_masks("interpolated")
    last, rows, cols = len(masks) - 1, np.array([[20.0]]), np.array([[30.0]])
    whole = np.round(inputs.dispersion.s_nom)[last]
    row, col = at(rows, cols + whole, last)
    wanted_value = ndi.map_coordinates(
        ndi.gaussian_filter(mask.astype(float), found.parameters["psf"].value), [row.ravel(), col.ravel()], order=3
    )
    assert float(masks[last, 20, 30] * mask.max()) == pytest.approx(float(wanted_value[0]), abs=0.08 * float(mask.max()))
    assert np.abs(masks - straight).max() > 0.05, "the exported masks carry the optics"
