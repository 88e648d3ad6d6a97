"""Where the blocks' shifts contradict the fit, both count by their errors; elsewhere the fit stays as it is."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from cassi_core.calibration.block_agreement import weighed_with_blocks
from cassi_core.calibration.block_shifts import BlockShift
from cassi_core.calibration.error_bars import Priors
from cassi_core.calibration.gauss_newton import Fit
from cassi_core.calibration.rig_model import RigModel
from cassi_core.calibration.straighten import line_with_errors
from cassi_core.dispersion import Dispersion
from cassi_core.inputs import CalibrationInputs
from cassi_core.parameters import PARAMETER_NAMES, ParameterSet

HEIGHT, WIDTH, BANDS = 120, 170, 6
NAMES = ("dx", "scale_y", "dy", "theta", "slope", "alpha")
"""In no order that would let an index pass for another."""
SIGMAS = np.array([0.02, 1e-4, 0.01, 0.004, 1e-3, 0.05])


def model() -> RigModel:
    rng = np.random.default_rng(1)
    mask = rng.random((HEIGHT, WIDTH)).astype(np.float32)
    picture = rng.random((HEIGHT, WIDTH + 2 * (BANDS - 1))).astype(np.float32)
    inputs = CalibrationInputs.from_arrays(picture, mask, Dispersion.constant(BANDS, 2.0))
    return RigModel.from_frame(inputs, inputs.frames[0])


def blocks(dy: float, theta: float, scale_y: float, noise: float = 0.0) -> list[BlockShift]:
    rng = np.random.default_rng(2)
    middle = (BANDS - 1) * 2.0 / 2 + (WIDTH - 1) / 2
    found = []
    for row in np.linspace(8, HEIGHT - 8, 6):
        for col in np.linspace(10, WIDTH, 5):
            down = dy + scale_y * (row - (HEIGHT - 1) / 2) - np.deg2rad(theta) * (col - middle)
            found.append(BlockShift(row, col, 0.7, down + noise * rng.standard_normal(), 0.5, 0.04))
    return found


def fitted(values: Mapping[str, float], names: tuple[str, ...] = NAMES) -> Fit:
    vector = np.array([values.get(n, 0.0) for n in PARAMETER_NAMES])
    variances = [SIGMAS[NAMES.index(n)] ** 2 for n in names]
    return Fit(vector, 0.1, names, np.diag(variances), 3, Priors.none(len(names)))


def parameters(names: tuple[str, ...] = NAMES) -> ParameterSet:
    return ParameterSet.default(names)


def test_blocks_that_agree_within_their_errors_leave_the_fit_alone() -> None:
    fit = fitted({"dy": 0.3})
    assert weighed_with_blocks(fit, blocks(0.01, 0.01, 0.0, noise=0.04), model(), parameters()) is fit
    assert weighed_with_blocks(fit, (), model(), parameters()) is fit
    along = fitted({"dx": 0.3}, ("dx", "slope"))
    assert weighed_with_blocks(along, blocks(0.4, 0.0, 0.0), model(), parameters(("dx", "slope"))) is along


def test_blocks_that_contradict_move_what_they_tell_and_nothing_else() -> None:
    start = {"dx": 0.5, "dy": 0.3, "theta": 0.1, "scale_y": 1e-3, "slope": 2e-3, "alpha": 0.05}
    fit = fitted(start)
    moved = weighed_with_blocks(fit, blocks(-0.13, 0.1, 2e-3), model(), parameters())
    now = dict(zip(PARAMETER_NAMES, moved.vector, strict=True))
    for name, says in (("dy", -0.13), ("theta", 0.1), ("scale_y", 2e-3)):
        share = (now[name] - start[name]) / says
        assert 0.5 < share < 1.0, f"{name}: between the fit and what the blocks say, nearer to the blocks"
    assert [now[n] for n in ("dx", "slope", "alpha")] == [start[n] for n in ("dx", "slope", "alpha")]
    assert moved.sigmas["dx"] == fit.sigmas["dx"] and moved.sigmas["alpha"] == pytest.approx(fit.sigmas["alpha"])
    assert np.linalg.eigvalsh(moved.covariance / np.outer(SIGMAS, SIGMAS)).min() > 0
    line = line_with_errors(blocks(-0.13, 0.1, 2e-3), model(), ("dy", "theta", "scale_y"))
    assert line is not None and moved.sigmas["theta"] < 1.01 * np.sqrt(line[1][1, 1])


def test_the_correction_ends_at_a_bound() -> None:
    bounded = parameters().edit("dy", lower=-0.02, upper=0.02)
    moved = weighed_with_blocks(fitted({}), blocks(0.5, 0.0, 0.0), model(), bounded)
    assert moved.vector[PARAMETER_NAMES.index("dy")] == pytest.approx(0.02)


def test_scatter_beyond_the_blocks_errors_makes_the_line_less_certain() -> None:
    quiet, loud = (line_with_errors(blocks(0.1, 0.0, 0.0, noise), model(), ("dy",)) for noise in (0.0, 0.12))
    assert quiet is not None and loud is not None
    assert quiet[0][0] == pytest.approx(0.1) and quiet[1][0, 0] == pytest.approx(0.04**2 / 30)
    assert loud[1][0, 0] > 4 * quiet[1][0, 0]


def test_blocks_in_one_column_tell_no_turn() -> None:
    column = [block for block in blocks(0.3, 0.0, 0.0) if block.col == 10]
    assert line_with_errors(column, model(), ("dy", "theta")) is None
    assert line_with_errors(column, model(), ("dy", "scale_y")) is not None
