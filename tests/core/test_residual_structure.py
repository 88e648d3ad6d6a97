"""A pattern in what the fit cannot explain: found where it is, not where it is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from search_rigs import make_rig

from cassi_core.calibration.pipeline import calibrate
from cassi_core.calibration.rig_model import Optics, RigModel
from cassi_core.calibration.scene_prior import BRIEF
from cassi_core.config import CalibrationConfig, QualitySettings
from cassi_core.inputs import CalibrationInputs
from cassi_core.io.inputs_from_files import load_inputs
from cassi_core.parameters import ParameterSet
from cassi_core.quality.maps import explain
from cassi_core.quality.residual_structure import strongest_line, worst_line
from cassi_core.quality.verdict import WARN_LINE_PERCENT, line_check
from cassi_core.run import RunControl
from cassi_core.solvers.fused_cpu import FusedCpuSolver

SHAPE = (120, 150)
SEEN = np.ones(SHAPE, bool)


def stripes(down: float, right: float, amplitude: float) -> np.ndarray:
    rows, cols = np.indices(SHAPE)
    return amplitude * np.sqrt(2) * np.cos(2 * np.pi * (down * rows + right * cols))


def test_noise_passes_the_limit_of_chance_once_in_a_thousand() -> None:
    rng = np.random.default_rng(0)
    over = 0
    for _ in range(400):
        # Noise whose strength follows the light, as photons do.
        light = 1 + 4 * rng.random((12, 15)).repeat(10, 0).repeat(10, 1)
        line = strongest_line((rng.normal(size=SHAPE) * light).astype(np.float32), SEEN)
        assert line is not None
        over += line.percent > line.chance_percent
    assert over <= 3, "0.4 are expected; the grid of frequencies counts four times as many as are independent"


@pytest.mark.parametrize(("down", "right", "lying"), [(0.4923, 0.0057, True), (0.02, 0.31, False), (-0.25, 0.05, True)])
def test_stripes_are_found_with_their_step_direction_and_share(down: float, right: float, lying: bool) -> None:
    rng = np.random.default_rng(1)
    noise = rng.normal(size=SHAPE)
    line = strongest_line((noise + stripes(down, right, 0.5)).astype(np.float32), SEEN)
    assert line is not None
    assert line.percent == pytest.approx(20, abs=4), "a quarter of the noise's variance is a fifth of all"
    assert (line.down, line.right) == pytest.approx((down, right), abs=0.008) or (line.down, line.right) == pytest.approx(
        (-down, -right), abs=0.008
    )
    assert line.lying == lying and line.period_px == pytest.approx(1 / np.hypot(down, right), rel=0.03)
    check = line_check(line)
    assert check.status == "warn" and ("lying" if lying else "standing") in check.text


def test_long_waves_and_unseen_borders_are_no_pattern() -> None:
    rng = np.random.default_rng(3)
    image = (rng.normal(size=SHAPE) + stripes(0.03, 0.0, 2.0)).astype(np.float32)
    line = strongest_line(image, SEEN)
    assert line is not None and line.percent < 1
    seen = np.zeros(SHAPE, bool)
    seen[10:-10, 10:-10] = True
    broken = image.copy()
    broken[:10], broken[-10:] = 1e3, -1e3
    inner = strongest_line(broken, seen)
    assert inner is not None and inner.percent < 1
    assert strongest_line(image[:20, :20], SEEN[:20, :20]) is None
    assert strongest_line(np.zeros(SHAPE, np.float32), SEEN) is None


def test_the_frame_that_stands_out_most_is_judged() -> None:
    rng = np.random.default_rng(4)
    clean = strongest_line(rng.normal(size=SHAPE).astype(np.float32), SEEN)
    striped = strongest_line((rng.normal(size=SHAPE) + stripes(0.4, 0.0, 1.0)).astype(np.float32), SEEN)
    assert worst_line([clean, striped, None]) == striped and worst_line([None]) is None


@pytest.mark.parametrize("scene", ["materials", "textures", "leaves", "chart", "resolution"])
@pytest.mark.parametrize("seed", [20, 30])
def test_a_right_rig_leaves_no_pattern_of_its_own(seed: int, scene: str) -> None:
    """The null: what the reconstruction itself leaves, at the true values of simulated rigs."""
    rig = make_rig({"dx": 0.7, "dy": -0.4}, seed=seed, scene=scene, shape=(96, 96))
    inputs = CalibrationInputs.from_arrays(rig.measurement, rig.mask, rig.dispersion)
    model = RigModel.from_frame(inputs, inputs.frames[0])
    vector = ParameterSet.default(values={"dx": 0.7, "dy": -0.4}).vector()
    _, residual = explain(model, FusedCpuSolver(2), vector, BRIEF, Optics(), RunControl())
    line = strongest_line(residual, model.scored > 0)
    assert line is not None and line.percent < 0.6 * WARN_LINE_PERCENT
    assert line_check(line).status == "pass"


@pytest.mark.slow
def test_two_real_frames_with_stripes_in_the_residual_are_not_a_pass(data_dir: Path) -> None:
    """The mask picture of this rig does not show the lattice that its frames show."""
    names = ("smem_blood_sample1", "smem_fern_root")
    files = [data_dir / "measurements" / f"{name}.npz" for name in names]
    inputs = load_inputs(files, mask=data_dir / "masks" / "smem_real_mask_660.npz")
    rows = slice(200, 340)  # a part of the picture is enough for stripes that run all over it
    frames = tuple(type(f)(f.image[rows]) for f in inputs.frames)
    part = CalibrationInputs(frames, inputs.mask[rows], inputs.dispersion)
    result = calibrate(part, CalibrationConfig(quality=QualitySettings(maps=False), refine=("dx", "dy", "theta")))
    pattern = next(r for r in result.verdict.reasons if r.check == "pattern in what is left")
    assert result.verdict.status != "pass" and pattern.status != "pass"
    assert "lying stripes of 2.0 px" in pattern.text and pattern.actions[0] == "choose_mask"
