"""Numbers as people read them: the same digits and signs on the command line, in reports and in the window.

A negative number has a true minus sign (U+2212), a value that rounds to zero has no sign, nothing has an exponent.
"""

from __future__ import annotations

import math

MINUS = "\N{MINUS SIGN}"


def format_number(value: float, digits: int, *, signed: bool = False) -> str:
    """A number with fixed decimals; `signed` writes a plus too. What is not finite is "not known"."""
    if not math.isfinite(value):
        return "not known"
    text = f"{abs(value):.{digits}f}"
    if not any("1" <= c <= "9" for c in text):
        return text
    return f"{MINUS if value < 0 else '+' if signed else ''}{text}"


def format_limit(value: float) -> str:
    """A number that somebody typed, with its sign and as many digits as it has (six decimals at most)."""
    text = f"{abs(value):.6f}".rstrip("0").rstrip(".")
    return text if text == "0" else f"{MINUS if value < 0 else '+'}{text}"


def error_digits(sigma: float) -> int:
    """Decimals that show two significant digits of a positive standard error."""
    digits = max(0, 1 - math.floor(math.log10(sigma)))
    # 0.0996 rounds to 0.10: rounding up may cost a decimal.
    return max(0, 1 - math.floor(math.log10(round(sigma, digits) or sigma)))


def format_value(value: float, sigma: float | None, unit: str, digits: int = 4) -> str:
    """A number as `value ± sigma unit`, both with the decimals of two significant digits of sigma; without one, with `digits`."""
    if sigma is not None and math.isfinite(sigma) and sigma > 0:
        digits = error_digits(sigma)
        text = f"{format_number(value, digits, signed=True)} ± {format_number(sigma, digits)}"
    else:
        text = format_number(value, digits, signed=True)
    return f"{text} {unit}".rstrip()


def format_pair(value: float, limit: float, least: int = 3) -> tuple[str, str]:
    """A value and its limit with the same decimals, enough to see on which side of the limit it lies.

    `least` significant digits of the limit (of the value, where the limit is zero) at least.
    """
    size = abs(limit) or abs(value)
    digits = 0 if size == 0 else min(9, max(0, least - 1 - math.floor(math.log10(size))))
    if float(limit).is_integer() and float(value).is_integer():
        digits = 0
    while digits < 12 and value != limit and f"{value:.{digits}f}" == f"{limit:.{digits}f}":
        digits += 1
    return format_number(value, digits), format_number(limit, digits)


def format_duration(seconds: float) -> str:
    """`17 s`, `1 min 45 s`, `2 h 05 min`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def format_remaining(seconds: float) -> str:
    """The time that is left in steps of 5 s, never less than what is known to be left."""
    return format_duration(5 * math.ceil(max(seconds, 0.1) / 5 - 1e-9))
