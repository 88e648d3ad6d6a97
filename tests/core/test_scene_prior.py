"""The blur of the precise scene prior: narrow for a picture it explains, wide for one that noise hides."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cassi_core.calibration.pipeline import calibrate
from cassi_core.calibration.rig_model import Optics, RigModel
from cassi_core.calibration.scene_prior import TYPICAL, WIDEST, noise_floor, noise_level, softened
from cassi_core.config import AutoSettings, CalibrationConfig, QualitySettings
from cassi_core.dispersion import Dispersion
from cassi_core.inputs import CalibrationInputs
from cassi_core.parameters import PARAMETER_NAMES, ParameterSet
from cassi_core.run import RunControl
from cassi_core.solvers.fused_cpu import FusedCpuSolver
from tests.core.search_rigs import make_rig

TRUTH = {"dx": 0.4, "dy": -0.3}
SOLVER = FusedCpuSolver(2)


def model_with_noise(noise: float, hot: int = 0) -> RigModel:
    rig = make_rig(TRUTH, seed=3, shape=(120, 131))
    picture = rig.measurement + noise * rig.measurement.mean() * np.random.default_rng(5).normal(size=rig.measurement.shape)
    picture.flat[np.random.default_rng(6).choice(picture.size, hot, replace=False)] = picture.max()
    inputs = CalibrationInputs.from_arrays(picture.clip(0).astype(np.float32), rig.mask, rig.dispersion)
    return RigModel.from_frame(inputs, inputs.frames[0])


def width_for(*noise: float, hot: int = 0) -> float:
    settings = AutoSettings()
    models = [model_with_noise(n, hot) for n in noise]
    vector = ParameterSet.default(values=TRUTH).vector()
    noise = noise_level(settings.precise, models, SOLVER, vector, Optics(), RunControl())
    chosen = softened(settings.precise, noise, settings.noisy_sigma_px)
    assert chosen.model_copy(update={"sigma_px": settings.precise.sigma_px}) == settings.precise
    return chosen.sigma_px


def test_a_clear_picture_keeps_the_narrow_blur_and_a_noisy_one_gets_the_wide() -> None:
    assert width_for(0.0) == pytest.approx(AutoSettings().precise.sigma_px, abs=0.05)
    assert width_for(0.15) == pytest.approx(WIDEST * AutoSettings().noisy_sigma_px)


def test_the_noisier_the_wider() -> None:
    prior, noisy_px = AutoSettings().precise, AutoSettings().noisy_sigma_px
    widths = [softened(prior, noise, noisy_px).sigma_px for noise in (0.0, 0.022, 0.023, 0.0245, TYPICAL, 0.036, 0.2)]
    assert widths[:2] == [prior.sigma_px] * 2 and widths[4] == pytest.approx(noisy_px)
    assert np.all(np.diff(widths[1:]) > 0) and widths[-1] == pytest.approx(WIDEST * noisy_px)


def test_hot_pixels_are_no_noise() -> None:
    assert width_for(0.0, hot=12) == pytest.approx(AutoSettings().precise.sigma_px, abs=0.05)


def test_the_floor_of_noise_is_seen_between_unusable_pixels_too() -> None:
    rng = np.random.default_rng(2)
    y = rng.uniform(0.2, 1.0, (64, 90)).astype(np.float32)
    residual = rng.normal(0, 0.05, y.shape).astype(np.float32)
    usable = (rng.random(y.shape) > 0.2).astype(np.float32)
    residual[usable == 0] = 9.0
    model = RigModel(y, usable, usable, np.ones((64, 60), np.float32), Dispersion.constant(4, 2.0), 1.0)
    wanted = 0.05 / np.sqrt(np.mean(y**2))
    assert noise_floor(residual, model) == pytest.approx(wanted, rel=0.12)
    blind = replace(model, scored=np.zeros_like(y))
    assert noise_floor(residual, blind) == 0


def test_a_dark_picture_takes_what_lies_along_the_dispersion_from_the_brief_fit() -> None:
    rig = make_rig(TRUTH, seed=3, shape=(120, 131))
    noise = 0.15 * rig.measurement.mean() * np.random.default_rng(5).normal(size=rig.measurement.shape)
    inputs = CalibrationInputs.from_arrays((rig.measurement + noise).clip(0).astype(np.float32), rig.mask, rig.dispersion)
    config = CalibrationConfig(refine=("dx", "dy", "theta"), quality=QualitySettings(maps=False))
    result = calibrate(inputs, config)
    brief = [row for row in result.table if row.stage == "wide"][-1]
    values = dict(zip(PARAMETER_NAMES, brief.values, strict=True))
    assert result.parameters["dx"].value == pytest.approx(values["dx"], abs=0.02)
    assert result.parameters["dy"].value != values["dy"]
    for name, allowed in {"dx": 0.3, "dy": 0.1, "theta": 0.1}.items():
        parameter = result.parameters[name]
        assert parameter.refine and 0 < parameter.sigma < allowed
        assert parameter.value == pytest.approx(TRUTH.get(name, 0.0), abs=allowed)


def test_several_snapshots_are_judged_together() -> None:
    assert AutoSettings().noisy_sigma_px < width_for(0.0, 0.15) <= WIDEST * AutoSettings().noisy_sigma_px
