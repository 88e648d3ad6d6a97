"""What a calibration is worth for the reconstruction: the same snapshot rebuilt with three ideas of where the mask is.

* ``ideal``: the mask and the band offsets as the simulated rig really has them; nobody can do better with this solver,
* ``assumed``: the nominal mask and offsets, as if nothing had moved,
* ``corrected``: the nominal mask moved to where the calibration of that very snapshot found it.

Truth is used for scoring only; the calibration sees the snapshot and the nominal mask.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cassi_core.config import CalibrationConfig
from cassi_core.dispersion import Dispersion
from cassi_core.errors import InputError
from cassi_core.geometry import warp_mask
from cassi_core.inputs import CalibrationInputs
from cassi_core.parameters import ParameterSet
from cassi_core.quality.metrics import CubeScores, compare_cubes
from cassi_core.result import CalibrationResult
from cassi_core.run import Observer, RunControl
from cassi_core.simulate.camera import Camera
from cassi_core.simulate.rig import Misalignment, SimulatedRig, needed_margin, simulate_rig
from cassi_core.solvers.protocol import Candidate, GapSettings, GapSolver

SCENARIOS = ("ideal", "assumed", "corrected")
SMALLEST_FIELD = 32


@dataclass(frozen=True)
class SceneReport:
    """One scene in the three scenarios, and what the calibration found; `fitted` and `truth` hold all parameters by name."""

    name: str
    shape: tuple[int, int, int]
    ideal: CubeScores
    assumed: CubeScores
    corrected: CubeScores
    fitted: Mapping[str, float]
    truth: Mapping[str, float]
    seconds: float
    verdict: str

    def error(self, name: str) -> float:
        """Fitted value minus true value of a parameter."""
        return self.fitted[name] - self.truth[name]

    def scores(self, scenario: str) -> CubeScores:
        """The scores of a scenario by its name."""
        return {"ideal": self.ideal, "assumed": self.assumed, "corrected": self.corrected}[scenario]


def fit_field(
    scene: NDArray[np.float32], capture: NDArray[np.float32], truth: Misalignment
) -> tuple[NDArray[np.float32], tuple[int, int]]:
    """The middle of a scene ``(L, H, W)`` that a mask capture covers with the margin that the misalignment needs.

    Returns the cropped scene and the origin (row, column) of the nominal mask in the middle of the capture.

    Raises
    ------
    InputError
        When hardly anything is left.
    """
    margin = needed_margin((scene.shape[1], scene.shape[2]), truth)
    height, width = (min(s, m - 2 * margin) for s, m in zip(scene.shape[1:], capture.shape, strict=True))
    if min(height, width) < SMALLEST_FIELD:
        raise InputError(
            f"the mask of {capture.shape[0]} x {capture.shape[1]} pixels leaves a field of {max(0, height)} x {max(0, width)} "
            f"inside a margin of {margin} px for this mismatch; a larger mask or a smaller mismatch is needed"
        )
    top, left = (scene.shape[1] - height) // 2, (scene.shape[2] - width) // 2
    origin = (capture.shape[0] - height) // 2, (capture.shape[1] - width) // 2
    return np.ascontiguousarray(scene[:, top : top + height, left : left + width]), origin


def run_scenarios(
    name: str,
    scene: NDArray[np.float32],
    capture: NDArray[np.float32],
    dispersion: Dispersion,
    truth: Misalignment,
    config: CalibrationConfig,
    solver: GapSolver,
    *,
    refine: Sequence[str],
    camera: Camera | None = None,
    seed: int = 0,
    control: RunControl | None = None,
    observe: Observer | None = None,
    calibrate: Callable[..., CalibrationResult] | None = None,
) -> SceneReport:
    """Simulate one scene under a mismatch, calibrate it, rebuild it in the three scenarios, and score.

    Parameters
    ----------
    scene
        True cube ``(L, H, W)`` float32, scaled here to a maximum of one.
    capture
        The mask ``(Hm, Wm)`` float32 in 0..1; its middle is the nominal mask, its rim enters where the mask is displaced.
    dispersion
        Nominal dispersion to the right with L bands.
    refine
        Names of the parameters that the calibration may move.
    calibrate
        What calibrates; None: :func:`cassi_core.calibration.pipeline.calibrate`.

    Raises
    ------
    InputError
        When the mask leaves no field.
    """
    if calibrate is None:
        from cassi_core.calibration import pipeline

        calibrate = pipeline.calibrate
    control = control or RunControl()
    field, origin = fit_field(scene, capture, truth)
    field = np.clip(field / max(float(field.max()), 1e-12), 0.0, 1.0).astype(np.float32)
    rig = simulate_rig(field, capture, dispersion, truth, camera, seed=seed, origin=origin)
    inputs = CalibrationInputs.from_arrays(rig.measurement, rig.mask, dispersion)
    result = calibrate(inputs, config, ParameterSet.default(refine), control=control, observe=observe)
    settings = GapSettings(n_iter=config.quality.n_iter, denoiser="tv", tv_weight=config.quality.tv_weight, accelerated=True)
    scores = {}
    for scenario, candidate in _candidates(rig, result).items():
        cube, _ = solver.reconstruct(rig.measurement / np.float32(rig.gain), candidate, settings, control=control)
        scores[scenario] = compare_cubes(np.clip(cube, 0.0, 1.0), field)
    return SceneReport(
        name, (field.shape[0], field.shape[1], field.shape[2]), scores["ideal"], scores["assumed"], scores["corrected"],
        result.parameters.values(), truth.values(), result.seconds_total, result.verdict.status,
    )  # fmt: skip


def _candidates(rig: SimulatedRig, result: CalibrationResult) -> dict[str, Candidate]:
    fitted = result.parameters.values()
    split = replace(rig.dispersion, mode="interpolated")
    return {
        "ideal": Candidate(rig.true_mask, *split.offsets(rig.truth.values())),
        "assumed": Candidate(rig.mask, *split.offsets()),
        "corrected": Candidate(warp_mask(rig.mask, fitted), *split.offsets(fitted)),
    }


def mean_scores(reports: Sequence[SceneReport], scenario: str) -> CubeScores:
    """Averages over scenes of the three metrics in one scenario."""
    rows = [r.scores(scenario) for r in reports]
    return CubeScores(
        float(np.mean([s.psnr_db for s in rows])),
        float(np.mean([s.ssim for s in rows])),
        float(np.nanmean([s.sam_deg for s in rows])),
    )


def rms_error(reports: Sequence[SceneReport], name: str) -> float:
    """Root mean square over scenes of a parameter's error."""
    return float(np.sqrt(np.mean([r.error(name) ** 2 for r in reports])))


def report_rows(reports: Sequence[SceneReport], names: Iterable[str]) -> tuple[list[str], list[list[Any]]]:
    """Headings and rows of a table with full precision: one row a scene and one of averages (RMS for the errors)."""
    names = list(names)
    headings = ["scene", "bands", "rows", "cols"]
    headings += [f"{s}_{m}" for s in SCENARIOS for m in ("psnr_db", "ssim", "sam_deg")]
    headings += [f"{kind}_{name}" for name in names for kind in ("fitted", "error")] + ["seconds", "verdict"]
    rows: list[list[Any]] = []
    for r in reports:
        scores = [v for s in SCENARIOS for v in _numbers(r.scores(s))]
        found = [v for name in names for v in (r.fitted[name], r.error(name))]
        rows.append([r.name, *r.shape, *scores, *found, r.seconds, r.verdict])
    means = [v for s in SCENARIOS for v in _numbers(mean_scores(reports, s))]
    rms = [v for name in names for v in ("", rms_error(reports, name))]
    rows.append(["average (errors: rms)", "", "", "", *means, *rms, float(np.mean([r.seconds for r in reports])), ""])
    return headings, rows


def _numbers(scores: CubeScores) -> tuple[float, float, float]:
    return scores.psnr_db, scores.ssim, scores.sam_deg
