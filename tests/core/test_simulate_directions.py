"""Simulated rigs of every direction, step and shape through the default preset: signs, axes and frames from end to end."""

from __future__ import annotations

import pytest

from cassi_core.calibration.pipeline import calibrate
from cassi_core.config import CalibrationConfig
from cassi_core.dispersion import QUARTER_TURNS
from cassi_core.inputs import CalibrationInputs
from cassi_core.parameters import ParameterSet
from cassi_core.run import RunControl
from cassi_core.simulate import Misalignment
from cassi_core.simulate.lens import Lens
from cassi_core.simulate.recipe import Recipe, make_rig

CONFIG = CalibrationConfig.model_validate({"quality": {"maps": False}})
ALLOWED = {"dx": 0.12, "dy": 0.12, "theta": 0.12, "scale_x": 0.002, "scale_y": 0.002, "alpha": 0.24}
"""A wrong axis or sign is off by the parameter itself; for alpha these small pictures have a standard error of 0.08 deg."""


@pytest.mark.parametrize("direction", QUARTER_TURNS)
def test_the_truth_is_found_in_every_direction(direction: str) -> None:
    truth = Misalignment(dx=1.6, dy=-0.9, theta=0.7)
    rig = make_rig(
        Recipe(shape=(97, 120), n_bands=10, step_px=1.7, direction=direction, scene="leaves", truth=truth, seed=8)  # type: ignore[arg-type]
    )
    inputs = CalibrationInputs.from_arrays(rig.measurement, rig.mask, rig.dispersion)
    start = ParameterSet.default(("dx", "dy", "theta"))
    result = calibrate(inputs, CONFIG, start, control=RunControl(), observe=lambda event: None)
    for name in ("dx", "dy", "theta"):
        assert result.parameters[name].value == pytest.approx(getattr(truth, name), abs=ALLOWED[name]), name


@pytest.mark.parametrize(("direction", "scale"), [("right", "scale_y"), ("down", "scale_x")])
def test_a_magnification_keeps_its_axis_when_the_rig_is_turned(direction: str, scale: str) -> None:
    truth = Misalignment.of({"dx": 0.6, "dy": -1.2, "theta": -0.4, scale: 0.012, "alpha": 0.6})
    rig = make_rig(
        Recipe(shape=(168, 150), n_bands=12, direction=direction, scene="leaves", truth=truth, seed=4)  # type: ignore[arg-type]
    )
    inputs = CalibrationInputs.from_arrays(rig.measurement, rig.mask, rig.dispersion)
    names = ("dx", "dy", "theta", scale, "alpha")
    result = calibrate(inputs, CONFIG, ParameterSet.default(names), control=RunControl(), observe=lambda event: None)
    for name in names:
        assert result.parameters[name].value == pytest.approx(getattr(truth, name), abs=ALLOWED[name]), name


@pytest.mark.slow
@pytest.mark.parametrize("direction", ["right", "down"])
def test_what_the_lenses_do_is_found_with_its_sign_in_any_direction(direction: str) -> None:
    lens = Lens(colour1=0.5, radial=0.6, bow_u2=-0.4)
    truth = Misalignment(dx=0.7, dy=-0.4)
    recipe = Recipe(shape=(128, 144), n_bands=8, direction=direction, truth=truth, lens=lens, seed=5)  # type: ignore[arg-type]
    rig = make_rig(recipe)
    inputs = CalibrationInputs.from_arrays(rig.measurement, rig.mask, rig.dispersion)
    found = calibrate(inputs, CONFIG)
    terms = {t.name: t.value_px for t in found.optics}
    for name, wanted in lens.values().items():
        assert terms.get(name, 0.0) == pytest.approx(wanted, abs=0.1), name
