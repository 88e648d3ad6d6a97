"""What parameters are called on the screen, and how their numbers are written there: magnifications in per cent.

Signs are those of the file: a positive `dy` is a shift down, whatever the sentence around it says.
"""

from __future__ import annotations

from cassi_core.formatting import format_value
from cassi_core.parameters import SPECS, Parameter

NAMES: dict[str, str] = {
    "dx": "Shift right",
    "dy": "Shift down",
    "theta": "Turned left",
    "scale_x": "Larger along",
    "scale_y": "Larger across",
    "slope": "Step longer",
    "curve": "Step changes",
    "alpha": "Axis tilted",
    "psf": "Blur of mask",
}
"""What a positive value of each parameter means, in two or three words."""
PER_CENT = frozenset(name for name, spec in SPECS.items() if spec.unit == "")
"""Pure numbers, which people read in per cent."""


def screen_factor(name: str) -> float:
    """By what a value of the file is multiplied for the screen: 100 for magnifications, else 1."""
    return 100.0 if name in PER_CENT else 1.0


def screen_unit(name: str) -> str:
    """The unit that stands beside a number on the screen."""
    return "%" if name in PER_CENT else SPECS[name].unit.replace("^2", "\N{SUPERSCRIPT TWO}")


def screen_digits(name: str) -> int:
    """Decimals of a number on the screen whose error is not known."""
    return SPECS[name].digits - (2 if name in PER_CENT else 0)


def screen_value(name: str, value: float, sigma: float | None = None, *, unit: bool = False) -> str:
    """`+1.376 ± 0.014`, or `+1.376` without an error; `unit` appends the unit."""
    factor = screen_factor(name)
    error = None if sigma is None else factor * sigma
    return format_value(factor * value, error, screen_unit(name) if unit else "", screen_digits(name))


def found_text(parameter: Parameter) -> str:
    """What was found for a refined parameter, with its error where one is known; `held` for one that was not refined."""
    return screen_value(parameter.name, parameter.value, parameter.sigma) if parameter.refine else "held"
