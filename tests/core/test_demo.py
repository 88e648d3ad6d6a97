"""The shipped demo rig: what it holds, that it is what the simulator makes, and that the default preset finds its truth."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest

from cassi_core.assets import read_asset
from cassi_core.cli import main
from cassi_core.demo import DEMO_FILE, TRUTH_FILE, Deviation, deviations, load_demo
from cassi_core.formatting import MINUS
from cassi_core.parameters import ParameterSet
from cassi_core.simulate.make_demo import DEMO_RECIPE, demo_files


def test_the_demo_is_complete() -> None:
    demo = load_demo()
    assert demo.inputs.frames[0].image.shape == (256, 310)
    assert demo.inputs.mask.shape == (256, 256)
    assert demo.inputs.dispersion.n_bands == 28 and demo.inputs.dispersion.step_px == 2.0
    assert demo.wavelengths_nm.shape == (28,)
    assert demo.truth == DEMO_RECIPE.truth.values()
    assert demo.truth["dx"] != 0 and demo.truth["dy"] != 0 and demo.truth["theta"] != 0 and demo.truth["scale_y"] != 0
    reference = demo.inputs.reference
    assert reference is not None and reference.shape == (28, 256, 256)
    # Rows where the nominal mask lets much light through are bright in the measurement: the mask is less than a pixel off.
    coded = (reference * demo.inputs.mask).sum(axis=(0, 2))
    assert np.corrcoef(coded, demo.inputs.frames[0].image.sum(axis=1))[0, 1] > 0.95


def test_the_shipped_files_are_what_the_recipe_makes() -> None:
    snapshot, truth = demo_files()
    assert truth == read_asset(TRUTH_FILE)
    with np.load(io.BytesIO(snapshot)) as made, np.load(io.BytesIO(read_asset(DEMO_FILE))) as shipped:
        assert sorted(made) == sorted(shipped)
        for key in made:
            # Other versions of the libraries may round a last digit the other way: one grey level.
            level = {"cube": 1.01}.get(key, 1.01 / 4095)
            np.testing.assert_allclose(made[key].astype(float), shipped[key].astype(float), atol=level, err_msg=key)
        assert np.mean(made["meas"] != shipped["meas"]) < 0.01


def test_deviations_are_value_minus_truth_in_sigmas() -> None:
    fitted = ParameterSet.default(("dx", "dy"), {"dx": 1.4, "dy": -1.0}).with_sigmas({"dx": 0.02})
    dx, dy = deviations(fitted, {"dx": 1.35})
    assert dx.in_sigmas == pytest.approx(2.5) and dx.error == pytest.approx(0.05)
    assert dy == Deviation("dy", -1.0, None, 0.0) and dy.in_sigmas is None


@pytest.mark.slow
def test_the_default_preset_finds_the_truth_within_three_of_its_own_sigmas(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo"]) == 0
    out = capsys.readouterr().out
    rows = {
        m[1]: [float(v.replace(MINUS, "-")) for v in m[2].split()]
        for m in re.finditer(rf"^(\w+)((?: +[+{MINUS}]?\d+\.\d+){{4}})", out, re.MULTILINE)
    }
    assert list(rows) == ["dx", "dy", "theta", "scale_x", "scale_y", "slope", "alpha", "psf"]
    allowed = {
        "dx": 0.1,
        "dy": 0.03,
        "theta": 0.02,
        "scale_x": 0.001,
        "scale_y": 0.0003,
        "slope": 0.005,
        "alpha": 0.05,
        "psf": 0.3,
    }
    for name, (value, sigma, truth, in_sigmas) in rows.items():
        assert truth == pytest.approx(DEMO_RECIPE.truth.values()[name], abs=1e-6)
        assert abs(value - truth) < allowed[name], f"{name}: {value} against {truth}"
        assert abs(in_sigmas) <= 3.0 and sigma > 0, f"{name} is {in_sigmas} sigmas off"
    assert "verdict: pass" in out or "verdict: warn" in out
