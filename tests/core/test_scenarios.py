"""The three scenarios on a small rig: a perfect calibration reaches the ideal, none stays at the assumed."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from cassi_core.cli import main
from cassi_core.cli.benchmark import find_scenes, load_scene, refined_names
from cassi_core.config import DEFAULT_REFINE, CalibrationConfig
from cassi_core.dispersion import Dispersion
from cassi_core.errors import ConfigError, InputError
from cassi_core.inputs import CalibrationInputs
from cassi_core.parameters import ParameterSet
from cassi_core.quality.scenarios import SceneReport, fit_field, mean_scores, report_rows, rms_error, run_scenarios
from cassi_core.result import CalibrationResult, Scores, Verdict
from cassi_core.simulate import Misalignment, default_wavelengths, make_mask, make_scene
from cassi_core.solvers.fused_cpu import FusedCpuSolver

TRUTH = Misalignment(dx=1.4, dy=-1.1, theta=0.8)
CONFIG = CalibrationConfig.model_validate({"quality": {"maps": False, "n_iter": 12}})


def answering(values: dict[str, float]) -> object:
    """A calibration that has made up its mind."""

    def calibrate(
        inputs: CalibrationInputs, config: CalibrationConfig, parameters: ParameterSet, **_: object
    ) -> CalibrationResult:
        return CalibrationResult(
            ParameterSet.default(parameters.refined, values), parameters, Scores(0.2, 0.1), Verdict("pass"), inputs.mask,
            inputs.mask_source, inputs.dispersion, (), "auto", "auto", "done", (), (), (), 0.5, "cpu", config.seed,
        )  # fmt: skip

    return calibrate


def scene_report(found: dict[str, float], name: str = "leaves") -> SceneReport:
    scene = make_scene("leaves", (64, 80), default_wavelengths(6), 2)
    capture = make_mask("binary", (80, 96), seed=5)
    return run_scenarios(
        name, scene, capture, Dispersion.constant(6, 2.0), TRUTH, CONFIG, FusedCpuSolver(1),
        refine=("dx", "dy", "theta"), calibrate=answering(found),  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.fixture(scope="module")
def perfect() -> SceneReport:
    return scene_report(TRUTH.values())


def test_a_perfect_calibration_reaches_the_ideal_and_beats_the_assumed_mask(perfect: SceneReport) -> None:
    assert perfect.shape == (6, 64, 80)
    assert perfect.corrected.psnr_db == pytest.approx(perfect.ideal.psnr_db, abs=0.5)
    assert perfect.ideal.psnr_db > perfect.assumed.psnr_db + 2
    assert perfect.ideal.ssim > perfect.assumed.ssim + 0.05
    assert perfect.ideal.sam_deg < perfect.assumed.sam_deg
    assert perfect.error("dx") == 0


def test_finding_nothing_scores_like_assuming(perfect: SceneReport) -> None:
    nothing = scene_report({})
    # A spline through the mask sampled at its own pixels gives the mask back to a rounding error.
    assert nothing.corrected.psnr_db == pytest.approx(nothing.assumed.psnr_db, abs=1e-4)
    assert nothing.corrected.ssim == pytest.approx(nothing.assumed.ssim, abs=1e-5)
    assert nothing.assumed == perfect.assumed
    assert nothing.error("dy") == pytest.approx(1.1)


def test_a_wrong_sign_is_worse_than_assuming() -> None:
    wrong = scene_report({name: -value for name, value in TRUTH.values().items()})
    assert wrong.corrected.psnr_db < wrong.assumed.psnr_db


def test_averages_and_rows(perfect: SceneReport) -> None:
    nothing = scene_report({"dx": 1.0}, "other")
    reports = [perfect, nothing]
    assert mean_scores(reports, "corrected").ssim == pytest.approx((perfect.corrected.ssim + nothing.corrected.ssim) / 2)
    assert rms_error(reports, "dx") == pytest.approx(0.4 / np.sqrt(2))
    headings, rows = report_rows(reports, ["dx", "dy"])
    assert len(rows) == 3 and all(len(row) == len(headings) for row in rows)
    cell = dict(zip(headings, rows[1], strict=True))
    assert (cell["scene"], cell["fitted_dx"], cell["verdict"]) == ("other", 1.0, "pass")
    assert cell["error_dx"] == pytest.approx(-0.4)
    assert dict(zip(headings, rows[2], strict=True))["error_dx"] == pytest.approx(0.4 / np.sqrt(2))


def test_a_mask_of_the_size_of_the_scene_leaves_its_middle() -> None:
    scene = np.arange(2 * 64 * 64, dtype=np.float32).reshape(2, 64, 64)
    field, origin = fit_field(scene, np.ones((64, 64), np.float32), Misalignment(dx=3.0))
    margin = origin[0]
    assert origin == (margin, margin) and margin >= 3
    np.testing.assert_array_equal(field, scene[:, margin : 64 - margin, margin : 64 - margin])
    larger, origin = fit_field(scene, np.ones((100, 90), np.float32), Misalignment())
    assert larger.shape == scene.shape and origin == (18, 13)
    with pytest.raises(InputError, match="larger mask"):
        fit_field(scene, np.ones((40, 64), np.float32), Misalignment(dy=10.0))


def test_what_the_mismatch_moves_is_refined_too() -> None:
    truth = Misalignment(curve=0.001).values()
    assert set(refined_names(None, "auto", truth)) == {*DEFAULT_REFINE["auto"], "curve"}
    assert refined_names(("theta", "dx"), "auto", truth) == ("dx", "theta")
    with pytest.raises(ConfigError, match="unknown parameter 'dz'"):
        refined_names(("dz",), "auto", truth)
    with pytest.raises(ConfigError, match="at least one"):
        refined_names((), "auto", truth)


def test_scenes_of_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no cube files"):
        find_scenes(tmp_path, None)
    cube = np.random.default_rng(0).random((20, 24, 5)).astype(np.float32)
    np.savez(tmp_path / "b.npz", cube=(cube * 255).astype(np.uint8), scale=1 / 255)
    np.save(tmp_path / "a.npy", cube)
    (tmp_path / "notes.txt").write_text("no scene")
    files = find_scenes(tmp_path, None)
    assert [f.name for f in files] == ["a.npy", "b.npz"]
    assert find_scenes(tmp_path, 1) == files[:1]
    scene, dispersion = load_scene(files[1], None, 2.0)
    np.testing.assert_allclose(scene, cube.transpose(2, 0, 1), atol=1 / 255)
    assert dispersion.travel_px == 8.0
    fewer, dispersion = load_scene(files[0], 3, 1.5)
    np.testing.assert_allclose(fewer, cube.transpose(2, 0, 1)[[0, 2, 4]], atol=1e-6)
    assert dispersion.s_nom.tolist() == [0.0, 1.5, 3.0]


def test_the_benchmark_command_calibrates_rebuilds_and_writes_its_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "scenes"
    folder.mkdir()
    for kind in ("leaves", "materials"):
        cube = make_scene(kind, (72, 80), default_wavelengths(6), 1)
        np.savez(folder / f"{kind}.npz", cube=np.moveaxis(cube, 0, -1))
    np.save(tmp_path / "mask.npy", make_mask("grey", (96, 100), seed=3))
    table = tmp_path / "table.csv"
    options = ["--mismatch", "dx=1.4,dy=-1.1,theta=0.5", "--refine", "dx,dy,theta", "--iterations", "20", "--csv", str(table)]
    assert main(["benchmark", "--scenes", str(folder), "--mask", str(tmp_path / "mask.npy"), *options]) == 0
    out = capsys.readouterr().out
    assert "corrected PSNR" in out and "theta error" in out and "average" in out
    with table.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [r["scene"] for r in rows] == ["leaves", "materials", "average (errors: rms)"]
    mean = rows[-1]
    assert float(mean["corrected_psnr_db"]) > float(mean["assumed_psnr_db"]) + 1
    assert float(mean["corrected_psnr_db"]) > float(mean["ideal_psnr_db"]) - 1
    assert float(mean["error_dx"]) < 0.2 and float(mean["error_dy"]) < 0.1 and float(mean["error_theta"]) < 0.1
    assert float(rows[0]["fitted_dy"]) == pytest.approx(-1.1, abs=0.1)
