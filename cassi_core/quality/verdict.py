"""Whether a calibration can be trusted: every check with its number, its limit and its meaning in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

from cassi_core.inputs import CalibrationInputs
from cassi_core.parameters import ParameterSet
from cassi_core.quality.fit_checks import (
    WEAK_EVIDENCE,
    bounds_check,
    early_check,
    evidence_check,
    held_out_check,
    peak_check,
    registration_check,
    residual_check,
    settled_check,
    wavelength_check,
)
from cassi_core.quality.input_checks import input_checks
from cassi_core.quality.residual_structure import Line
from cassi_core.quality.shift_checks import shift_checks
from cassi_core.result import Limits, LocalShift, Reason, RegistrationError, Scores, Verdict, VerdictStatus, judged

ORDER: dict[VerdictStatus, int] = {"pass": 0, "warn": 1, "fail": 2}
WARN_LINE_PERCENT, FAIL_LINE_PERCENT = 15.0, 50.0
"""Share of the residual's variance in one regular pattern. Simulated right rigs leave up to 4.4 % (18 with real masks, which have a lattice of their
own that the scene estimate follows imperfectly) and 7.5 % (ten small ones, of which a chart with regular lines left most); twice that is no
accident, and half of it is another picture."""


def judge(
    parameters: ParameterSet,
    scores: Scores,
    *,
    inputs: CalibrationInputs,
    peak_z: float | None,
    min_peak_z: float,
    evidence: float | None = None,
    shifts: Sequence[LocalShift] = (),
    frame_shifts: Sequence[Sequence[LocalShift]] = (),
    line: Line | None = None,
    told: Reason | None = None,
    registration: RegistrationError | None = None,
    noise_share: float | None = None,
    settled: bool = True,
    finished_early: bool = False,
) -> Verdict:
    """The verdict of a finished calibration; its status is the worst of its reasons.

    `shifts` are those of all frames together, `frame_shifts` of every frame, `line` the strongest pattern in a residual, `told` says what the
    picture tells, `noise_share` how much of the unexplained variance is the noise of the light.
    """
    reasons: list[Reason] = []
    if peak_z is not None:
        reasons.append(peak_check(peak_z, min_peak_z) if evidence is None else evidence_check(evidence, peak_z))
    reasons.append(residual_check(scores, proven=evidence is not None and evidence >= WEAK_EVIDENCE))
    if scores.held_out_before is not None and scores.held_out_after is not None:
        reasons.append(held_out_check(scores.held_out_before, scores.held_out_after))
    reasons.append(bounds_check(parameters))
    if told is not None:
        reasons.append(told)
    if registration is not None:
        reasons += [registration_check(registration, noise_share), wavelength_check(registration)]
    if not settled:
        reasons.append(settled_check())
    height, width = inputs.frames[0].image.shape
    reasons += shift_checks(shifts, frame_shifts, (height, width))
    if line is not None:
        reasons.append(line_check(line))
    reasons += input_checks(inputs)
    if finished_early:
        reasons.append(early_check())
    return _verdict(reasons)


def judge_unfinished(stage: tuple[int, int], inputs: CalibrationInputs, *, in_grid: bool) -> Verdict:
    """The verdict of a search that was stopped in a stage (its number, of how many) before errors were known: nothing of it can be judged."""
    number, count = stage
    values = "the best of a coarse grid" if in_grid else "where the search stood then"
    text = f"Stopped in stage {number} of {count}. The values are {values}; how wrong they are is not known."
    return _verdict([Reason("search not finished", "fail", math.nan, None, text), *input_checks(inputs)])


def _verdict(reasons: Sequence[Reason]) -> Verdict:
    status = max((r.status for r in reasons), key=ORDER.__getitem__)
    return Verdict(status, tuple(reasons))


def line_check(line: Line) -> Reason:
    """Whether a regular pattern stands out of what the fit cannot explain; what chance alone may reach is allowed."""
    warn = max(WARN_LINE_PERCENT, line.chance_percent)
    stripes = f"{'lying' if line.lying else 'standing'} stripes of {line.period_px:.1f} px"
    text = f"what is left over shows {stripes}, {line.percent:.1f} % of it"
    return judged(
        "pattern in what is left",
        line.percent,
        Limits("at most", warn=warn, fail=max(FAIL_LINE_PERCENT, warn)),
        {
            "fail": text + ": something else is in the picture",
            "warn": text + ": the rig shows a pattern that the mask picture does not, or another one lies over it",
            "pass": "no regular pattern stands out of what is left over",
        },
        unit="%",
    )
