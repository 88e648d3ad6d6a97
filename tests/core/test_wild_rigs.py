"""Preset auto on rigs of other kinds than its own simulator makes: other masks, bands, steps, blur; skipped where the real data are absent."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from cassi_core.calibration.pipeline import calibrate
from cassi_core.config import CalibrationConfig, QualitySettings
from cassi_core.dispersion import Dispersion
from cassi_core.inputs import CalibrationInputs

pytestmark = pytest.mark.real


@pytest.mark.slow
@pytest.mark.parametrize("seed", [7, 20, 112, 131])
def test_a_rig_of_another_kind_comes_out_right_and_knows_how_right(
    independent_simulator: ModuleType, data_dir: Path, seed: int
) -> None:
    tool = independent_simulator
    picture, mask, cube, case, _ = tool.wild(seed, data=data_dir)
    inputs = CalibrationInputs.from_arrays(picture, mask, Dispersion.constant(cube.shape[0], case["step_px"]))
    result = calibrate(inputs, CalibrationConfig(quality=QualitySettings(maps=False)))
    values = result.parameters.values()
    off = tool.registration({k: values[k] for k in case["truth"]}, case, cube)
    told = result.registration
    assert told is not None and result.verdict.status != "fail"
    assert off["across"] < min(0.03, 3 * told.across_px) and off["pattern"] < min(0.04, 3 * told.pattern_px)
    assert off["bands"] < 4 * told.wavelength_bands


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 2, 13, 15])
def test_a_wrong_set_up_is_refused(independent_simulator: ModuleType, data_dir: Path, seed: int) -> None:
    """The mask of another rig, upside down, a negative, scrambled rows."""
    picture, mask, _, case, _ = independent_simulator.wrong(seed, data=data_dir)
    step, bands = case["given"]
    result = calibrate(CalibrationInputs.from_arrays(picture, mask, Dispersion.constant(bands, step)), CalibrationConfig())
    assert result.verdict.status == "fail"
    assert next(r.status for r in result.verdict.reasons if r.check == "mask found") == "fail"
