"""The field of leftover shifts: what was injected comes out, in the right place and direction."""

from __future__ import annotations

import numpy as np
import pytest

from cassi_core.calibration.frames import parameters_to_dispersion_frame
from cassi_core.calibration.rig_model import Optics, RigModel
from cassi_core.dispersion import Dispersion
from cassi_core.inputs import CalibrationInputs
from cassi_core.parameters import ParameterSet
from cassi_core.quality.shift_field import local_shifts
from cassi_core.run import RunControl
from cassi_core.simulate import Misalignment, default_wavelengths, make_mask, make_scene, simulate_rig
from cassi_core.solvers.fused_cpu import FusedCpuSolver

SHAPE, BANDS = (140, 160), 8


def field(truth, direction="right", assumed=None, blocks=3):
    capture = make_mask("grey", (SHAPE[0] + 40, SHAPE[1] + 40), seed=1)
    cube = make_scene("materials", SHAPE, default_wavelengths(BANDS), seed=2)
    dispersion = Dispersion.constant(BANDS, 2.0, direction=direction)
    rig = simulate_rig(cube, capture, dispersion, Misalignment.of(truth), seed=3)
    inputs = CalibrationInputs.from_arrays(rig.measurement, rig.mask, dispersion)
    turned = inputs.in_dispersion_frame()
    model = RigModel.from_frame(turned, turned.frames[0])
    vector = parameters_to_dispersion_frame(ParameterSet.default(values=assumed or {}), direction).vector()
    return local_shifts(
        [model], FusedCpuSolver(2), vector, Optics(), RunControl(), direction, blocks=blocks
    ), rig.measurement.shape


def test_a_magnified_mask_shows_as_shifts_that_grow_with_the_row():
    shifts, _ = field({"scale_y": 0.02})
    top = np.mean([s.down for s in shifts if s.row < 45])
    bottom = np.mean([s.down for s in shifts if s.row > 95])
    # The blocks' centres lie 47 rows from the middle.
    assert top == pytest.approx(-0.93, abs=0.25)
    assert bottom == pytest.approx(0.93, abs=0.25)


@pytest.mark.parametrize("direction", ["right", "down", "left", "up"])
def test_the_shift_across_the_dispersion_is_found_in_every_direction(direction):
    across = ("down", "sigma_down") if direction in ("right", "left") else ("right", "sigma_right")
    truth = {"dy": 1.3} if direction in ("right", "left") else {"dx": 1.3}
    shifts, shape = field(truth, direction)
    assert len(shifts) >= 6
    assert np.median([getattr(s, across[0]) for s in shifts]) == pytest.approx(1.3, abs=0.15)
    assert all(0 < getattr(s, across[1]) < 0.4 for s in shifts)
    assert all(0 <= s.row < shape[0] and 0 <= s.col < shape[1] for s in shifts)


def test_nothing_is_left_over_at_the_truth():
    truth = {"dx": 1.4, "dy": -0.8, "theta": 0.5, "scale_y": 0.01}
    shifts, _ = field(truth, assumed=truth)
    assert abs(np.mean([s.down for s in shifts])) < 0.08
    within = np.mean([abs(s.down) < 3 * s.sigma_down for s in shifts])
    assert within > 0.8
