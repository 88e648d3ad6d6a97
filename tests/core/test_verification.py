"""An earlier calibration against today's picture: it holds, it drifted by so much, or the picture cannot tell."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cassi_core.calibration.pipeline import calibrate
from cassi_core.config import CalibrationConfig, QualitySettings
from cassi_core.dispersion import Dispersion
from cassi_core.errors import InputError, RunCancelled
from cassi_core.inputs import CalibrationInputs
from cassi_core.io.calibration_file import read_calibration, write_calibration
from cassi_core.parameters import ParameterSet
from cassi_core.result import CalibrationResult, OpticsTerm
from cassi_core.run import Progress, RunControl
from cassi_core.verification.comparing import movement
from cassi_core.verification.earlier import EarlierCalibration
from cassi_core.verification.result import Verification
from cassi_core.verification.verify import verify
from cassi_core.verification.words import headline
from tests.benchmarks.cases import module_from
from tests.rig_pairs import FIRST, SECOND, Rig, draw_rig

SMALL = {"shape": (128, 128), "n_bands": 8, "step_px": 2.0, "optics": {"psf_px": 0.5, "subbands": 1}}
BRIGHT = {"full_well_e": 1e4, "hot_pixels": 0, "vignette": 0.0, "pedestal_dn": 0.0}


@pytest.fixture(scope="module")
def rig(data_dir: Path) -> Rig:
    path = data_dir.parent / "tools" / "rig_simulator.py"
    if not path.exists():
        pytest.skip("NO INDEPENDENT SIMULATOR beside the real data")
    return replace(draw_rig(module_from(path), data_dir, 4, **SMALL), camera=BRIGHT)


@pytest.fixture(scope="module")
def yesterday(rig: Rig) -> CalibrationResult:
    """Yesterday's calibration of the rig."""
    config = CalibrationConfig(quality=QualitySettings(maps=False), threads=2)
    return calibrate(rig.inputs(rig.picture(FIRST)), config)


@pytest.fixture(scope="module")
def earlier(yesterday: CalibrationResult) -> EarlierCalibration:
    return EarlierCalibration.of_result(yesterday)


def check(rig: Rig, earlier: EarlierCalibration, moved: dict[str, float] | None = None) -> Verification:
    return verify(rig.inputs(rig.picture(SECOND, moved)), earlier, threads=2)


@pytest.fixture(scope="module")
def still(rig: Rig, earlier: EarlierCalibration) -> Verification:
    """Another scene, other noise, nothing moved."""
    return check(rig, earlier)


def test_a_rig_that_stands_still_holds(still: Verification) -> None:
    assert (still.state, headline(still)) == ("holds", "The calibration still holds")
    assert still.across is not None and still.across.moved_px < 0.05 and still.across.probability > 0.01
    assert still.degrees == sum(c.told for c in still.changes) and still.probability is not None and still.probability > 0.01
    dy = still.change("dy")
    assert dy is not None and dy.told and dy.sigma > 0 and dy.new == still.parameters["dy"].value
    assert dy.allowed == pytest.approx(0.1, rel=0.02)
    assert "0.10 px is allowed" in still.reasons[0]


def test_a_mask_that_moved_down_is_told_with_sign_and_size(rig: Rig, earlier: EarlierCalibration) -> None:
    found = check(rig, earlier, {"dy": 0.3})
    dy = found.change("dy")
    assert found.state == "drifted" and dy is not None
    assert dy.change == pytest.approx(0.3, abs=0.05) and dy.significance > 5
    assert found.across is not None and found.across.moved_px == pytest.approx(0.3, abs=0.05)
    assert found.moved_most is dy
    assert headline(found).startswith("Drifted: 0.") and headline(found).endswith("px down")
    assert found.parameters["dy"].value == dy.new and found.parameters["dy"].refine


def test_a_mask_that_turned_is_told_in_degrees(rig: Rig, earlier: EarlierCalibration) -> None:
    """Half a degree on a small mask: its corners move by 0.8 px, details by half of that on the mean."""
    found = check(rig, earlier, {"theta": 0.5})
    theta = found.change("theta")
    assert found.state == "drifted" and theta is not None and theta.change == pytest.approx(0.5, abs=0.08)
    assert headline(found).endswith("deg turned to the left")
    assert found.across is not None and found.pattern is not None
    assert found.across.moved_px > 0.1


def test_a_mask_that_is_far_away_is_found_there(rig: Rig, earlier: EarlierCalibration) -> None:
    found = check(rig, earlier, {"dy": -12.0, "dx": 5.0})
    assert found.state == "drifted" and headline(found).endswith("px up")
    dx, dy = found.change("dx"), found.change("dy")
    assert dx is not None and dy is not None
    assert (dx.change, dy.change) == (pytest.approx(5.0, abs=0.5), pytest.approx(-12.0, abs=0.1))


def test_the_mask_of_another_rig_cannot_tell(rig: Rig, earlier: EarlierCalibration) -> None:
    other = draw_rig(rig.tool, rig.data, 77, **SMALL)
    found = verify(rig.inputs(rig.picture(SECOND), other.mask), earlier, threads=2)
    assert (found.state, headline(found)) == ("cannot_tell", "Cannot tell")
    assert "The mask was not found in the picture" in found.reasons[0]
    assert not found.found and found.parameters == earlier.parameters


def test_a_dark_picture_cannot_tell_and_says_that_it_is_dark(rig: Rig, earlier: EarlierCalibration) -> None:
    found = verify(rig.inputs(rig.picture(SECOND, full_well_e=200.0, exposure=0.02, bits=12, read_e=8.0)), earlier, threads=2)
    assert found.state == "cannot_tell"
    assert any("Too little light" in reason for reason in found.reasons)


def test_what_was_held_stays_and_is_not_judged(rig: Rig, yesterday: CalibrationResult) -> None:
    held = replace(yesterday, parameters=yesterday.parameters.refining(("dx", "dy", "theta")))
    found = verify(rig.inputs(rig.picture(SECOND)), EarlierCalibration.of_result(held), threads=2)
    assert [c.name for c in found.changes] == ["dx", "dy", "theta"]
    assert all(found.parameters[n].value == held.parameters[n].value for n in ("scale_x", "scale_y", "slope", "alpha", "psf"))


def test_a_file_knows_as_much_as_the_run(yesterday: CalibrationResult, earlier: EarlierCalibration, tmp_path: Path) -> None:
    stored = read_calibration(write_calibration(yesterday, tmp_path / "c.cassi.json"))
    again = EarlierCalibration.of_stored(stored)
    assert again.names == earlier.names and again.knows_errors and again.optics == earlier.optics
    assert np.allclose(again.covariance, earlier.covariance, rtol=1e-12)
    sigmas = np.sqrt(np.diag(again.covariance))
    assert sigmas == pytest.approx([yesterday.parameters[n].sigma for n in again.names], rel=1e-9)


def test_optics_that_were_found_are_kept_to(rig: Rig, yesterday: CalibrationResult, tmp_path: Path) -> None:
    """A picture without bent lines against a calibration that says they are bent by 1.5 px: the mask must sit elsewhere to make up for that."""
    bent = replace(yesterday, optics=(OpticsTerm("bow_u2", 1.5, 0.05),))
    known = EarlierCalibration.of_stored(read_calibration(write_calibration(bent, tmp_path / "bent.cassi.json")))
    assert known.optics == {"bow_u2": 1.5}
    dy = verify(rig.inputs(rig.picture(SECOND)), known, threads=2).change("dy")
    # The mean of u^2 over the field is a third of its value at the edge; places that do not fit count less.
    assert dy is not None and -0.6 < dy.change < -0.15


def test_a_rig_that_disperses_down_is_judged_in_its_own_frame(rig: Rig, yesterday: CalibrationResult) -> None:
    """The same rig turned by a quarter: down becomes left, and the file's numbers turn with it."""
    picture, mask = (np.ascontiguousarray(np.rot90(a, -1)) for a in (rig.picture(SECOND, {"dy": 0.4}), rig.mask))
    down = Dispersion.constant(rig.n_bands, rig.step_px, direction="down")
    p = yesterday.parameters
    turned = p.with_vector(p.vector())
    for name, value in (
        ("dx", -p["dy"].value),
        ("dy", p["dx"].value),
        ("scale_x", p["scale_y"].value),
        ("scale_y", p["scale_x"].value),
    ):
        turned = turned.edit(name, value=value)
    names = ("dx", "dy", "scale_x", "scale_y")
    turned = turned.with_sigmas(
        {q.name: p[dict(zip(names, ("dy", "dx", "scale_y", "scale_x"), strict=True)).get(q.name, q.name)].sigma or 0 for q in p}
    )
    known = EarlierCalibration(turned, down, turned.refined, np.diag([(turned[n].sigma or 0.0) ** 2 for n in turned.refined]))
    found = verify(CalibrationInputs.from_arrays(picture, mask, down), known, threads=2)
    dx = found.change("dx")
    assert found.state == "drifted" and dx is not None and dx.change == pytest.approx(-0.4, abs=0.06)
    assert headline(found).endswith("px to the left")


def test_cancelling_is_heard_at_once_and_progress_rises(rig: Rig, earlier: EarlierCalibration) -> None:
    control, seen = RunControl(), []

    def observe(event: object) -> None:
        if isinstance(event, Progress):
            seen.append(event.fraction)
            if event.fraction > 0.1:
                control.cancel()

    with pytest.raises(RunCancelled):
        verify(rig.inputs(rig.picture(SECOND)), earlier, threads=2, control=control, observe=observe)
    assert seen and seen == sorted(seen)


def test_another_dispersion_is_refused_in_words(rig: Rig, earlier: EarlierCalibration) -> None:
    inputs = rig.inputs(rig.picture(SECOND))
    with pytest.raises(InputError, match="verify a picture of the same rig"):
        verify(replace(inputs, dispersion=Dispersion.constant(7, 2.0)), earlier)


def test_a_calibration_that_refined_nothing_has_nothing_to_verify() -> None:
    with pytest.raises(InputError, match="refined no parameter of the geometry"):
        EarlierCalibration(ParameterSet.default(("psf",)), Dispersion.constant(4, 2.0), ("psf",), np.zeros((1, 1)))


def test_a_movement_is_as_likely_as_its_errors_say() -> None:
    """Of a standing mask the probabilities are even; a moved one has the size and error of the move."""
    rng = np.random.default_rng(3)
    root = np.array([[0.02, 0.0, 0.01], [0.0, 0.05, 0.0], [0.01, 0.0, 0.03]])
    covariance, gram = root @ root.T, np.diag([1.0, 0.5, 0.2])
    chances = np.array([movement(root @ rng.normal(size=3), covariance, gram).probability for _ in range(4000)])
    assert np.mean(chances < 0.05) == pytest.approx(0.05, abs=0.015) and np.mean(chances < 0.5) == pytest.approx(0.5, abs=0.04)
    moved = movement(np.array([0.8, 0.0, 0.0]), covariance, gram)
    assert moved.moved_px == pytest.approx(0.8) and moved.probability < 1e-12
    assert moved.sigma_px == pytest.approx(np.sqrt(covariance[0, 0]))
