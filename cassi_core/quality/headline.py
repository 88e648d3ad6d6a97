"""A verdict as one headline and one sentence: the same words in the window, in reports and on the command line."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from cassi_core.formatting import format_number, format_pair
from cassi_core.quality.names import screen_name, where_it_sits
from cassi_core.result import CalibrationResult, Reason

Standing = Literal["pass", "warn", "fail", "not_finished"]
COUNTS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
DO_NOT_USE = "Do not use this calibration."
GRAVITY = {"fail": 0, "warn": 1, "pass": 2}


@dataclass(frozen=True)
class Headline:
    """What is said first: how the calibration stands, a headline of a few words, and a sentence."""

    standing: Standing
    title: str
    sentence: str


def headline(result: CalibrationResult) -> Headline:
    """The headline of a finished or stopped calibration."""
    if result.outcome == "not_finished":
        return Headline("not_finished", "Search not finished", _stopped(result))
    status = result.verdict.status
    worst = worst_reason(result)
    if status == "fail" and worst is not None:
        title, sentence = FAILED.get(worst.check, _not_right)(result, worst)
        return Headline(status, title, f"{sentence} {DO_NOT_USE}")
    sits = f"It sits {where_it_sits(result.parameters)}."
    if status == "warn":
        count = sum(r.status == "warn" for r in result.verdict.reasons)
        several = f"{COUNTS[count] if count < len(COUNTS) else str(count)} check{'' if count == 1 else 's'}"
        return Headline(
            status, "The mask is nearly right", f"{sits} {several} want{'s' if count == 1 else ''} a look; what to do is below."
        )
    return Headline(status, "The mask is right", f"{sits} Every check passed.")


def worst_reason(result: CalibrationResult) -> Reason | None:
    """The first check with the gravest status, None when all are passed."""
    reasons = sorted(result.verdict.reasons, key=lambda r: GRAVITY[r.status])
    return reasons[0] if reasons and reasons[0].status != "pass" else None


def _stopped(result: CalibrationResult) -> str:
    said = [r.text for r in result.verdict.reasons if r.check == "search not finished"]
    return said[0] if said else "How wrong the values are is not known."


def _no_mask(result: CalibrationResult, reason: Reason) -> tuple[str, str]:
    z = result.peak_z
    if z is not None and reason.threshold is not None and math.isclose(z, reason.value):
        said = f"The strongest trace of the mask is {z:.1f} times the noise; a mask that is there gives {reason.threshold:g} or more."
    else:
        said = "Some pixels away the mask explains the picture nearly as well as where it was put."
    return "The mask was not found", said


def _on_bound(result: CalibrationResult, reason: Reason) -> tuple[str, str]:
    direction = result.dispersion.direction
    said = []
    for p in (p for p in result.parameters if p.at_bound):
        name, bound = screen_name(p.name, direction), p.lower if abs(p.value - p.lower) < abs(p.value - p.upper) else p.upper
        said.append(f"{name.words} ended at its bound of {abs(bound * name.factor):g} {name.unit}.")
    return "The mask may be further away", " ".join(said[:2]) or "A value ended at its bound."


def _no_help(result: CalibrationResult, reason: Reason) -> tuple[str, str]:
    return "The fit did not help", "The picture is explained no better than at the start."


def _pattern(result: CalibrationResult, reason: Reason) -> tuple[str, str]:
    return "Something else is in the picture", "What is left over shows a pattern, stronger than noise."


def _parts_off(result: CalibrationResult, reason: Reason) -> tuple[str, str]:
    return "Parts of the mask are in the wrong place", f"{reason.text[:1].upper()}{reason.text[1:].rstrip('.')}."


def _not_right(result: CalibrationResult, reason: Reason) -> tuple[str, str]:
    return "The mask is not right", f"{reason.text[:1].upper()}{reason.text[1:].rstrip('.')}."


FAILED: dict[str, Callable[[CalibrationResult, Reason], tuple[str, str]]] = {
    "mask found": _no_mask,
    "bounds": _on_bound,
    "residual": _no_help,
    "pattern in what is left": _pattern,
    "leftover shifts": _parts_off,
    "shifted blocks": _parts_off,
    "systematic shifts": _parts_off,
}
"""By the check that failed first."""


def value_and_limit(reason: Reason) -> tuple[str, str]:
    """`0.130 px` and `limit 0.100 px` of a check, as its line shows them; empty where it has none."""
    if not math.isfinite(reason.value):
        return "", ""
    unit = f" {reason.unit}" if reason.unit else ""
    if reason.threshold is None or reason.direction is None:
        return (f"{format_number(reason.value, 3)}{unit}", "") if reason.unit else ("", "")
    # Two digits of the limit where they say it exactly, else three.
    exact = math.isclose(float(f"{reason.threshold:.1e}"), reason.threshold)
    value, limit = format_pair(reason.value, reason.threshold, least=2 if exact else 3)
    return f"{value}{unit}", f"{'limit' if reason.direction == 'at most' else 'at least'} {limit}"
