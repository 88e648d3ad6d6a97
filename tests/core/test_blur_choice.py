"""The blur found from how sharply the mask pattern stands in the picture, on rigs simulated by independent code."""

from __future__ import annotations

import numpy as np
import pytest

from cassi_core.calibration.blur_choice import choose_blur, sharpness, smeared_now
from cassi_core.calibration.pipeline import calibrate
from cassi_core.calibration.rig_model import Optics, RigModel
from cassi_core.config import CalibrationConfig, QualitySettings
from cassi_core.inputs import CalibrationInputs
from cassi_core.parameters import ParameterSet
from cassi_core.run import RunControl
from cassi_core.solvers.fused_cpu import FusedCpuSolver
from tests.core.search_rigs import make_rig

SHAPE = (120, 131)
SOLVER = FusedCpuSolver(2)


def model_with(truth: dict[str, float], seed: int = 3, threads: int = 2) -> RigModel:
    rig = make_rig(truth, seed=seed, shape=SHAPE)
    inputs = CalibrationInputs.from_arrays(rig.measurement, rig.mask, rig.dispersion)
    return RigModel.from_frame(inputs, inputs.frames[0], threads=threads)


def chosen(models: list[RigModel], parameters: ParameterSet) -> tuple[float, float]:
    blur = choose_blur(models, SOLVER, parameters, Optics(), RunControl())
    return blur.psf, blur.sigma


@pytest.mark.parametrize("psf", [0.0, 0.3, 0.5, 0.8, 1.3])
def test_the_blur_of_the_rig_is_found_within_its_error(psf: float) -> None:
    found, sigma = chosen(
        [model_with({"psf": psf, "dx": 0.4, "dy": -0.3})], ParameterSet.default(("psf",), {"dx": 0.4, "dy": -0.3})
    )
    assert found == pytest.approx(psf, abs=0.3 if psf < 0.4 else 0.2)
    assert abs(found - psf) < 3 * sigma < 1.0


def test_snapshots_of_one_rig_share_their_blur() -> None:
    models = [model_with({"psf": 0.7}, seed) for seed in (3, 4)]
    parameters = ParameterSet.default(("psf",))
    both, _ = chosen(models, parameters)
    alone = sorted(chosen([m], parameters)[0] for m in models)
    assert alone[0] <= both <= alone[1] or both == pytest.approx(np.mean(alone), abs=0.05)


def test_the_choice_keeps_to_the_bounds() -> None:
    bounded = ParameterSet.default(("psf",)).edit("psf", lower=0.0, upper=0.6)
    assert chosen([model_with({"psf": 1.3})], bounded)[0] == 0.6


def test_the_choice_does_not_depend_on_the_threads() -> None:
    free = ParameterSet.default(("psf",))
    one, three = (
        choose_blur([model_with({"psf": 0.8}, threads=n)], FusedCpuSolver(n), free, Optics(), RunControl()) for n in (1, 3)
    )
    assert one == three and 0.6 < one.psf < 1.0


def test_bands_smeared_over_their_step_are_told_from_sharp_ones() -> None:
    parameters = ParameterSet.default(("psf",))
    for subbands, wanted in ((1, 0.0), (8, 2.0)):
        rig = make_rig({}, seed=3, shape=SHAPE, subbands=subbands)
        inputs = CalibrationInputs.from_arrays(rig.measurement, rig.mask, rig.dispersion)
        model = RigModel.from_frame(inputs, inputs.frames[0])
        found = sharpness([model], SOLVER, parameters, Optics(), RunControl())
        assert found.is_smeared == (wanted > 0)
        optics = found.optics(found.is_smeared)
        assert optics.smear_px == wanted and (optics.psf_px is None) == (wanted == 0)
        assert smeared_now([model], SOLVER, parameters, found, RunControl()) == (wanted > 0)


def test_a_smear_that_the_settings_name_is_not_searched_for() -> None:
    model = model_with({"psf": 0.5})
    known = Optics(1.0)
    found = sharpness([model], SOLVER, ParameterSet.default(("psf",)), known, RunControl())
    assert not found.is_smeared and found.optics(False) is known and found.smeared is None
    assert not smeared_now([model], SOLVER, ParameterSet.default(("psf",)), found, RunControl())


@pytest.mark.parametrize("refine", [("psf",), ("slope", "psf")])
def test_a_run_may_refine_little_else_than_the_blur(refine: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    rig = make_rig({"psf": 0.8}, seed=3, shape=SHAPE)
    inputs = CalibrationInputs.from_arrays(rig.measurement, rig.mask, rig.dispersion)
    if "slope" in refine:  # as on a picture that does not tell the dispersion
        seen = iter((0.4, 0.1))
        monkeypatch.setattr("cassi_core.calibration.auto.across_rms", lambda _: next(seen))
    result = calibrate(inputs, CalibrationConfig(refine=refine, quality=QualitySettings(maps=False)))
    assert result.parameters.refined == ("psf",)
    assert result.parameters["psf"].value == pytest.approx(0.8, abs=0.2) and result.parameters["psf"].sigma


def test_a_run_reports_the_blur_with_its_error_and_leaves_a_fixed_one_alone() -> None:
    rig = make_rig({"psf": 0.8, "dx": 0.4, "dy": -0.3}, seed=3, shape=SHAPE)
    inputs = CalibrationInputs.from_arrays(rig.measurement, rig.mask, rig.dispersion)
    config = CalibrationConfig(refine=("dx", "dy", "psf"), quality=QualitySettings(maps=False))
    free = calibrate(inputs, config).parameters
    assert free["psf"].value == pytest.approx(0.8, abs=0.2) and 0.05 < (free["psf"].sigma or 0) < 0.4
    assert set(free.refined) == {"dx", "dy", "psf"}
    held = CalibrationConfig(refine=("dx", "dy"), quality=QualitySettings(maps=False))
    fixed = calibrate(inputs, held, ParameterSet.default(("dx", "dy"), {"psf": 0.7 / 3}))
    assert fixed.parameters["psf"].value == 0.7 / 3 and fixed.parameters["psf"].sigma is None
