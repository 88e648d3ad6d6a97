"""The gradient that noise alone has: against the formula written out with other operators, and towards whole pixels."""

from __future__ import annotations

import numpy as np
import pytest

from cassi_core.calibration.linearisation import linearise_all, local_energy
from cassi_core.calibration.noise_bias import gradient_of_noise
from cassi_core.calibration.pipeline import calibrate
from cassi_core.calibration.rig_model import Optics, RigModel, named
from cassi_core.config import CalibrationConfig, QualitySettings
from cassi_core.inputs import CalibrationInputs
from cassi_core.parameters import PARAMETER_NAMES, ParameterSet
from cassi_core.run import RunControl
from cassi_core.solvers.fused_cpu import FusedCpuSolver
from cassi_core.solvers.protocol import GapSettings
from tests.core.search_rigs import make_rig

SOLVER, CONTROL, OPTICS = FusedCpuSolver(2), RunControl(), Optics()
SCENE = GapSettings(8, 0.8, 2.6, accelerated=True)
NAMES = ("dx", "dy", "theta")


def noisy_models(truth: dict[str, float], seeds: tuple[int, ...] = (3,)) -> list[RigModel]:
    models = []
    for seed in seeds:
        rig = make_rig(truth, seed=seed, shape=(90, 101))
        noise = 0.03 * rig.measurement.mean() * np.random.default_rng(seed).normal(size=rig.measurement.shape)
        picture = (rig.measurement + noise).clip(0).astype(np.float32)
        inputs = CalibrationInputs.from_arrays(picture, rig.mask, rig.dispersion)
        models.append(RigModel.from_frame(inputs, inputs.frames[0]))
    return models


def pull(models: list[RigModel], truth: dict[str, float], seed: int = 0) -> np.ndarray:
    vector = ParameterSet.default(values=truth).vector()
    parts = linearise_all(models, SOLVER, vector, NAMES, SCENE, OPTICS, CONTROL)
    return gradient_of_noise(models, parts, SOLVER, vector, NAMES, SCENE, OPTICS, CONTROL, seed=seed)


def test_it_is_the_gradient_of_a_picture_of_noise_alone() -> None:
    truth = {"dx": 0.3, "dy": -0.25, "theta": 0.2}
    (model,) = models = noisy_models(truth)
    vector = ParameterSet.default(values=truth).vector()
    (part,) = linearise_all(models, SOLVER, vector, NAMES, SCENE, OPTICS, CONTROL)

    def candidate(at: np.ndarray):
        return model.candidate(named(at), OPTICS.spline(model, at))

    strength = np.sqrt(local_energy(model, part.residual)) * model.observed
    noise = strength * np.random.default_rng(7).standard_normal(strength.shape, np.float32)
    cube, left = SOLVER.reconstruct(noise, candidate(vector), SCENE, weight=model.observed, control=CONTROL)
    wanted = []
    for name in NAMES:
        low, high = vector.copy(), vector.copy()
        low[PARAMETER_NAMES.index(name)] -= 0.01
        high[PARAMETER_NAMES.index(name)] += 0.01
        change = (SOLVER.project(cube, candidate(high), left.shape) - SOLVER.project(cube, candidate(low), left.shape)) / 0.02
        seen = (change * model.observed)[None]
        (filtered,) = SOLVER.filter_images(seen, candidate(vector), SCENE, weight=model.observed, control=CONTROL)
        wanted.append(float(np.sum(filtered * part.weight * left, dtype=np.float64)))
    scale = np.sum(part.weight * part.residual**2, dtype=np.float64) / np.sum(part.weight * left**2, dtype=np.float64)
    wanted = scale * np.array(wanted)
    assert pull(models, truth, seed=7) == pytest.approx(wanted, rel=0.02, abs=0.02 * np.abs(wanted).max())


def test_noise_pulls_towards_whole_pixels_and_not_on_them() -> None:
    found = {f: np.mean([pull(noisy_models({"dy": f}), {"dy": f}, seed)[1] for seed in range(3)]) for f in (-0.25, 0.0, 0.25)}
    assert found[0.25] < 0 < found[-0.25]
    assert abs(found[0.0]) < 0.5 * min(-found[0.25], found[-0.25])


def test_snapshots_are_summed_and_the_seed_decides() -> None:
    truth = {"dx": 0.25, "dy": 0.25}
    one, both = pull(noisy_models(truth), truth), pull(noisy_models(truth, (3, 4)), truth)
    assert np.array_equal(one, pull(noisy_models(truth), truth))
    assert not np.allclose(one, both) and not np.allclose(one, pull(noisy_models(truth), truth, seed=1))


def test_a_picture_that_is_explained_entirely_does_not_pull() -> None:
    (model,) = models = noisy_models({})
    vector = ParameterSet.default().vector()
    (part,) = linearise_all(models, SOLVER, vector, NAMES, SCENE, OPTICS, CONTROL)
    nothing = type(part)(np.zeros_like(part.residual), part.jacobian, part.weight, part.gradient, 0.0)
    assert not gradient_of_noise([model], [nothing], SOLVER, vector, NAMES, SCENE, OPTICS, CONTROL).any()


def test_the_table_of_a_run_ends_with_its_result() -> None:
    rig = make_rig({"dx": 0.4, "dy": -0.3}, seed=3, shape=(90, 101))
    inputs = CalibrationInputs.from_arrays(rig.measurement, rig.mask, rig.dispersion)
    config = CalibrationConfig(refine=("dx", "dy", "psf"), quality=QualitySettings(maps=False))
    result = calibrate(inputs, config)
    last = [row for row in result.table if row.stage == "precise"][-1]
    assert dict(zip(PARAMETER_NAMES, last.values, strict=True)) == result.parameters.values()
    assert last.sigmas is not None
    for name in ("dx", "dy", "psf"):
        assert last.sigmas[PARAMETER_NAMES.index(name)] == pytest.approx(result.parameters[name].sigma)
