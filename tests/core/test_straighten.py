"""The straight-line fit through block-wise shifts, and what comes of it on a simulated rig."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage as ndi

from cassi_core.calibration.auto import nominal_priors
from cassi_core.calibration.block_shifts import BlockShift
from cassi_core.calibration.pipeline import calibrate
from cassi_core.calibration.rig_model import Optics, RigModel
from cassi_core.calibration.straighten import line_through, straighten
from cassi_core.config import AutoSettings, CalibrationConfig
from cassi_core.dispersion import Dispersion
from cassi_core.geometry import warp_mask
from cassi_core.inputs import CalibrationInputs
from cassi_core.parameters import ParameterSet
from cassi_core.quality.shift_checks import across_excess
from cassi_core.result import LocalShift
from cassi_core.run import RunControl
from cassi_core.solvers.fused_cpu import FusedCpuSolver

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


def test_the_excess_across_takes_the_axis_across_the_dispersion() -> None:
    shifts = [LocalShift(0, 0, 0.3, -0.8, 0.0, 0.0), LocalShift(5, 9, -0.3, 0.8, 0.0, 0.0)]
    assert across_excess((), "right") == 0
    assert across_excess(shifts, "left") == pytest.approx(0.8, abs=1e-3)
    assert across_excess(shifts, "up") == pytest.approx(0.3, abs=1e-3)


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


def test_priors_are_centred_on_the_start() -> None:
    start = ParameterSet.default(("slope",), values={"slope": 0.01})
    priors = nominal_priors(start, AutoSettings())
    assert priors["slope"] == (0.01, AutoSettings().prior_slope) and "dx" not in priors
