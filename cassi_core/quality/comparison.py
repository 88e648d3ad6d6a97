"""How far found values are off a known truth, or off an earlier calibration, in units of their errors."""

from __future__ import annotations

import math
from collections.abc import Mapping

from cassi_core.formatting import format_number
from cassi_core.logbook.entry import Measured
from cassi_core.parameters import ParameterSet

NOT_KNOWN = "not known"


def sigmas_off(value: float, sigma: float | None, other: float, other_sigma: float = 0.0) -> float | None:
    """``(value - other) / sqrt(sigma^2 + other_sigma^2)``; None where no error is known."""
    error = math.hypot(sigma or 0.0, other_sigma)
    return (value - other) / error if sigma is not None and error > 0 else None


def sigmas_text(off: float | None) -> str:
    """`+0.4 σ`."""
    return NOT_KNOWN if off is None else f"{format_number(off, 1, signed=True)} σ"


def off_truth(parameters: ParameterSet, truth: Mapping[str, float]) -> dict[str, str]:
    """By name: the refined values against the truth; what the truth does not name is zero."""
    return {p.name: sigmas_text(sigmas_off(p.value, p.sigma, truth.get(p.name, 0.0))) for p in parameters if p.refine}


def since_entry(parameters: ParameterSet, earlier: Mapping[str, Measured]) -> dict[str, str]:
    """By name: the refined values against those of an earlier calibration; empty where that one held the value."""
    cells = {}
    for p in (p for p in parameters if p.refine):
        old = earlier.get(p.name)
        measured = old is not None and old.refined
        cells[p.name] = (
            sigmas_text(sigmas_off(p.value, p.sigma, old.value, old.sigma or 0.0)) if old is not None and measured else ""
        )
    return cells
