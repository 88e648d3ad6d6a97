"""Checks of the leftover local shifts: how large beyond their errors, in how many blocks, and whether they follow a rule.

The one place where a field of shifts becomes a number: everything that shows an rms or a count of blocks takes it from here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cassi_core.dispersion import Direction
from cassi_core.quality.check_words import Action
from cassi_core.quality.display import BEYOND, within_errors
from cassi_core.quality.shift_pattern import Pattern, patterns
from cassi_core.result import Limits, LocalShift, Reason, judged

WARN_RMS_PX, FAIL_RMS_PX = 0.1, 0.5
"""Leftover misregistration above which reconstructions visibly suffer, and above which the mask is in the wrong place."""
PATTERN_PX, PATTERN_SIGMAS = 0.1, 4.0
"""A pattern in the shifts counts from this size on, when it is beyond so many of its errors."""
CHANCE = 1e-3
"""Probability with which blocks without any shift may exceed the limit of their number."""
PATTERN_MEANING = {
    "magnification": "the fit has not found the magnification; run it again with scale_x and scale_y refined",
    "rotation": "the fit has not found the angle; run it again with theta refined",
    "shear": "the eight parameters cannot express it; trust the middle of the picture and look at how the mask is mounted",
    "barrel": "the optics distort, which the eight parameters cannot express; trust the middle of the picture more than its edges",
    "pincushion": "the optics distort, which the eight parameters cannot express; trust the middle of the picture more than its edges",
    "bow": "lines of the mask are bent, as by a prism; trust the middle of the picture more than its edges",
}
REFINABLE = ("magnification", "rotation")


def shifted_blocks(shifts: Sequence[LocalShift]) -> int:
    """How many blocks are shifted beyond their errors."""
    return sum(not within_errors(s) for s in shifts)


def most_by_chance(blocks: int) -> int:
    """So many of `blocks` without any shift lie beyond two errors at most, but for one field in a thousand.

    One does with probability ``exp(-2^2 / 2)`` (two Gaussian components); their number is binomial.
    """
    p = math.exp(-(BEYOND**2) / 2)
    beyond = 1.0
    for k in range(blocks + 1):
        beyond -= math.comb(blocks, k) * p**k * (1 - p) ** (blocks - k)
        if beyond < CHANCE:
            return k
    return blocks


def leftover_rms(shifts: Sequence[LocalShift]) -> float:
    """RMS of the local shifts in pixels, both directions together; see :func:`excess_rms`."""
    values = np.array([(s.right, s.down) for s in shifts]).ravel()
    return excess_rms(values, np.array([(s.sigma_right, s.sigma_down) for s in shifts]).ravel())


def excess_rms(values: NDArray[np.float64], sigmas: NDArray[np.float64]) -> float:
    """RMS of shifts in pixels beyond what their standard errors explain, weighted by their certainty."""
    sigmas = np.maximum(sigmas, 1e-3)
    weights = 1 / (sigmas**2 + 0.05**2)
    return float(np.sqrt(max(0.0, float(np.sum(weights * (values**2 - sigmas**2)) / np.sum(weights)))))


def across_excess(shifts: Sequence[LocalShift], direction: Direction) -> float:
    """RMS in pixels of the local shifts across the dispersion beyond what their standard errors explain; 0 without shifts."""
    if not shifts:
        return 0.0
    across = [(s.right, s.sigma_right) if direction in ("down", "up") else (s.down, s.sigma_down) for s in shifts]
    return excess_rms(*np.array(across).T)


def shift_checks(
    shifts: Sequence[LocalShift], frame_shifts: Sequence[Sequence[LocalShift]], shape: tuple[int, int]
) -> list[Reason]:
    """All checks of the shifts of all frames together and of every frame alone, for pictures ``(H, W)``."""
    reasons = []
    if shifts:
        reasons.append(_leftover(shifts))
    counted = [frame for frame in (frame_shifts or (shifts,)) if frame]
    if counted:
        reasons.append(_shifted(counted))
    return reasons + _systematic(patterns(shifts, shape))


def _leftover(shifts: Sequence[LocalShift]) -> Reason:
    rms = leftover_rms(shifts)
    text = f"leftover local shifts beyond their errors: {rms:.3f} px rms over {len(shifts)} {'block' if len(shifts) == 1 else 'blocks'}"
    return judged(
        "leftover shifts",
        rms,
        Limits("at most", warn=WARN_RMS_PX, fail=FAIL_RMS_PX),
        {
            "fail": text + ": the mask pattern is not where the result puts it",
            "warn": text + ": part of the misalignment is outside the model; the standard errors allow for it",
            "pass": text,
        },
        unit="px",
    )


def _shifted(fields: Sequence[Sequence[LocalShift]]) -> Reason:
    """The frame with most shifted blocks against what chance gives."""
    excess = [shifted_blocks(field) - most_by_chance(len(field)) for field in fields]
    worst = int(np.argmax(excess))
    count, blocks = shifted_blocks(fields[worst]), len(fields[worst])
    where = f" of frame {worst + 1}" if len(fields) > 1 else ""
    text = f"{count} of {blocks} blocks{where} are shifted beyond two of their errors; chance gives {math.exp(-2) * blocks:.0f} of them"
    return judged(
        "shifted blocks",
        float(count),
        Limits("at most", warn=float(most_by_chance(blocks))),
        {"warn": text + ": the mask pattern does not sit where the result puts it everywhere", "pass": text},
        unit=f"of {blocks} blocks",
    )


def _systematic(found: Sequence[Pattern]) -> list[Reason]:
    """The largest pattern in the leftover shifts that is beyond doubt; one that is not beyond doubt has no size to judge."""
    if not found:
        return []
    sure = max((p for p in found if p.significance > PATTERN_SIGMAS), key=lambda p: p.rms_px, default=None)
    limits = Limits("at most", warn=PATTERN_PX)
    if sure is None:
        text = f"no pattern in the leftover shifts beyond {PATTERN_SIGMAS:g} of its errors"
        return [judged("systematic shifts", 0.0, limits, {"pass": text}, unit="px")]
    actions: tuple[Action, ...] = ("refine_more",) if sure.name in REFINABLE else ("choose_mask", "add_frame")
    text = f"the leftover shifts form a pattern, {sure.name} of {sure.rms_px:.2f} px rms"
    return [
        judged(
            "systematic shifts",
            sure.rms_px,
            limits,
            {"warn": f"{text}: {PATTERN_MEANING[sure.name]}", "pass": text + ", too small to matter"},
            unit="px",
            actions=actions,
        )
    ]
