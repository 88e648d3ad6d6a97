"""Preset `auto`: find the mask by matched filter, then fit everything by the likelihood of the picture (coarse, then final)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cassi_core.calibration.costs import Workload, coarse_fit, final_fit, matched_filter, seconds
from cassi_core.calibration.likelihood.estimate import Estimate, Estimator
from cassi_core.calibration.likelihood.problem import RigProblem
from cassi_core.calibration.likelihood.scoring import Stop
from cassi_core.calibration.prealign import PreAlignment, prealign
from cassi_core.calibration.rig_model import Optics, RigModel
from cassi_core.calibration.straighten import straighten
from cassi_core.config import AutoSettings
from cassi_core.optics import OPTICS_NAMES
from cassi_core.parameters import ParameterSet
from cassi_core.quality.fit_checks import LEAST_EVIDENCE
from cassi_core.run import MATCHED_FILTER, GridScores, RunRecorder
from cassi_core.solvers.protocol import GapSolver

OPTICS_NEED = ("dx", "dy", "theta", "scale_x", "scale_y")
"""What has to be refined before the optics are looked for: what is held would be taken for a distortion."""
COARSE, FINAL = "coarse", "final"
"""Names of the two stages of the fit."""
TRIED_PEAK = 5.0
"""From this correlation peak on the likelihood decides whether the mask is in the picture. Masks of a random pattern reach 5.7 where they do
not belong, right ones 5.5 on blurred pictures of many bands."""


@dataclass(frozen=True, eq=False)
class AutoOutcome:
    """What the preset found: the estimate (None when the mask was not found or nothing is refined) and the pre-alignment.

    `stopped_in` names the stage in which it was asked to stop before there were errors (None: there are, or there is nothing to find).
    """

    vector: NDArray[np.float64]
    estimate: Estimate | None
    alignment: PreAlignment
    found: bool
    evidence: float | None = None
    stopped_in: str | None = None


def plan(load: Workload, settings: AutoSettings) -> tuple[tuple[str, str, float], ...]:
    """Stages as (name, label, expected seconds of one core)."""
    return (
        (MATCHED_FILTER, "Pre-alignment by matched filter", matched_filter(load, settings).seconds),
        (COARSE, "Coarse fit: blur, light, scene and noise", coarse_fit(load).seconds),
        (FINAL, "Final fit on the whole picture", seconds(final_fit(load, settings))),
    )


def run_auto(
    models: Sequence[RigModel],
    start: ParameterSet,
    settings: AutoSettings,
    solver: GapSolver,
    recorder: RunRecorder,
) -> AutoOutcome:
    """Calibrate from nothing but the snapshots and the nominal mask, looking round `start` (dispersion frame).

    When no correlation peak rises above `min_peak_z` the mask is not in the picture: nothing is fitted then.
    """
    alignment, current = _find(models, start, settings, solver, recorder)
    if alignment.z < _least_peak(settings):
        recorder.message(
            f"the mask was not found in the picture: its best correlation peak is {alignment.z:.1f} times the noise, "
            f"{_least_peak(settings):g} are needed",
            "warning",
        )
        return AutoOutcome(start.vector(), None, alignment, False)
    if not start.refined:
        return AutoOutcome(start.vector(), None, alignment, True)
    if recorder.control.finishing:
        return AutoOutcome(current.vector(), None, alignment, True, stopped_in=MATCHED_FILTER)
    load = Workload.of(models)
    problem = RigProblem(models, settings.margin_px, models[0].threads, recorder.control)
    optics = OPTICS_NAMES if settings.optics and set(OPTICS_NEED) <= set(start.refined) else ()
    estimator = Estimator(problem, current, nominal_priors(start, settings), settings.smear_px, recorder, optics)

    recorder.begin(COARSE, 0, parts=(coarse_fit(load),))
    scored = estimator.coarse()
    recorder.end(scored.evaluation.spread)
    if scored.stop is Stop.ASKED:
        return AutoOutcome(estimator.vector(scored.x), None, alignment, True, stopped_in=COARSE)
    recorder.begin(FINAL, 0, parts=final_fit(load, settings))
    if not recorder.control.finishing:
        scored = estimator.subset()
    recorder.next_part()
    evidence = estimator.evidence()
    if evidence < LEAST_EVIDENCE:
        recorder.message("the mask was not found: the picture is hardly less likely with it some pixels away", "warning")
        recorder.end(scored.evaluation.spread)
        return AutoOutcome(start.vector(), None, alignment, False, evidence)
    recorder.next_part()
    if not recorder.control.finishing:
        scored = estimator.final(settings.max_steps, settings.tolerance)
    recorder.next_part()
    if settings.optics:
        scored = estimator.without_needless(scored, settings.tolerance)
        recorder.next_part()
    estimate = estimator.estimate(scored)
    errors = np.array([estimate.sigmas.get(p.name, np.nan) for p in start])
    recorder.row(estimate.spread, estimate.vector, errors)
    recorder.end(estimate.spread)
    return AutoOutcome(estimate.vector, estimate, alignment, True, evidence)


def _least_peak(settings: AutoSettings) -> float:
    return min(TRIED_PEAK, settings.min_peak_z)


def _find(
    models: Sequence[RigModel], start: ParameterSet, settings: AutoSettings, solver: GapSolver, recorder: RunRecorder
) -> tuple[PreAlignment, ParameterSet]:
    """The mask within one of its details everywhere: matched filter, then a straight line through the shifts of blocks."""
    recorder.begin(MATCHED_FILTER, 1)
    alignment = prealign(
        models,
        reach_px=settings.reach_px,
        reach_deg=settings.reach_deg,
        angle_step_deg=settings.angle_step_deg,
        near=start.values(),
        control=recorder.control,
    )
    recorder.grid(_peak_map(alignment), final=True)
    current = start
    if alignment.z >= _least_peak(settings):
        current = straighten(models, solver, _placed(start, alignment), Optics(settings.smear_px), recorder.control)
    recorder.row(float("nan"), current.vector())
    recorder.advance()
    recorder.end()
    return alignment, current


def nominal_priors(start: ParameterSet, settings: AutoSettings) -> Mapping[str, tuple[float, float]]:
    """Centre and standard error of the parameters that the rig's drawing knows better than nothing; the start is the drawing."""
    widths = {
        "scale_x": settings.prior_scale,
        "scale_y": settings.prior_scale,
        "slope": settings.prior_slope,
        "curve": settings.prior_curve,
        "alpha": settings.prior_alpha,
    }
    return {name: (start[name].value, width) for name, width in widths.items()}


def _placed(start: ParameterSet, alignment: PreAlignment) -> ParameterSet:
    """The start with the refined ones of dx, dy and theta taken from the pre-alignment."""
    vector = start.vector()
    vector[:3] = alignment.dx, alignment.dy, alignment.theta
    return start.with_vector(vector)


def _peak_map(alignment: PreAlignment) -> GridScores:
    """The pre-alignment as a score map (lower is better): the negative correlation in units of its noise."""
    scores = -alignment.maps.transpose(2, 1, 0)
    return GridScores(
        MATCHED_FILTER,
        ("dx", "dy", "theta"),
        (alignment.shifts_x, alignment.shifts_y, alignment.angles_deg),
        np.ascontiguousarray(scores),
        (alignment.dx, alignment.dy, alignment.theta),
    )
