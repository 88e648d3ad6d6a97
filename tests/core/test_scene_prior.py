"""The blur of the precise scene prior: narrow for a picture it explains, wide for one that noise hides."""

from __future__ import annotations

import numpy as np
import pytest

from cassi_core.calibration.rig_model import Optics, RigModel
from cassi_core.calibration.scene_prior import noise_share, softened
from cassi_core.config import AutoSettings
from cassi_core.inputs import CalibrationInputs
from cassi_core.parameters import ParameterSet
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
    share = noise_share(settings.precise, models, SOLVER, vector, Optics(), RunControl())
    chosen = softened(settings.precise, share, settings.noisy_sigma_px)
    assert chosen.model_copy(update={"sigma_px": settings.precise.sigma_px}) == settings.precise
    return chosen.sigma_px


def test_a_clear_picture_keeps_the_narrow_blur_and_a_noisy_one_gets_the_wide() -> None:
    assert width_for(0.0) == pytest.approx(AutoSettings().precise.sigma_px, abs=0.05)
    assert width_for(0.15) == pytest.approx(AutoSettings().noisy_sigma_px)


def test_hot_pixels_are_no_noise() -> None:
    assert width_for(0.0, hot=12) == pytest.approx(AutoSettings().precise.sigma_px, abs=0.05)


def test_several_snapshots_are_judged_together() -> None:
    assert width_for(0.0, 0.15) == pytest.approx(AutoSettings().noisy_sigma_px)
