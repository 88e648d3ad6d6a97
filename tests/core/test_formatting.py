"""Numbers as people read them."""

from __future__ import annotations

import io
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cassi_core.cli.console import Console
from cassi_core.formatting import MINUS, format_duration, format_number, format_pair, format_remaining, format_value

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)


@pytest.mark.parametrize(
    ("value", "sigma", "unit", "text"),
    [
        (1.3761, 0.0142, "px", "+1.376 ± 0.014 px"),
        (-0.84816, 0.00984, "px", f"{MINUS}0.8482 ± 0.0098 px"),
        (-5.551e-17, None, "deg", "0.000 deg"),
        (-0.0004, 0.05, "px", "0.000 ± 0.050 px"),
        (0.1, 0.0996, "px", "+0.10 ± 0.10 px"),
        (12.0, 31.4, "", "+12 ± 31"),
        (0.25, math.nan, "px", "+0.250 px"),
        (math.nan, None, "", "not known"),
    ],
)
def test_value_and_error_share_the_decimals_of_the_error(value: float, sigma: float | None, unit: str, text: str) -> None:
    assert format_value(value, sigma, unit, 3) == text


@given(NUMBERS, st.integers(0, 6), st.booleans())
def test_a_number_has_no_exponent_and_no_sign_when_it_rounds_to_zero(value: float, digits: int, signed: bool) -> None:
    text = format_number(value, digits, signed=signed)
    assert "e" not in text and "-" not in text
    read = float(text.replace(MINUS, "-"))
    assert abs(read - value) <= 0.5 * 10**-digits * (1 + 1e-9) + 1e-9
    assert (text[0] in f"+{MINUS}") <= (read != 0)


@given(NUMBERS, NUMBERS)
def test_a_printed_value_lies_on_the_same_side_of_its_printed_limit(value: float, limit: float) -> None:
    shown, held = (float(t.replace(MINUS, "-")) for t in format_pair(value, limit))
    assert (shown > held) == (value > limit) or abs(value - limit) < 1e-11
    assert (shown < held) == (value < limit) or abs(value - limit) < 1e-11


def test_durations_in_words() -> None:
    assert [format_duration(s) for s in (16.6, 105, 7500)] == ["17 s", "1 min 45 s", "2 h 05 min"]
    assert [format_remaining(s) for s in (0.0, 5.0, 5.1, 101)] == ["5 s", "5 s", "10 s", "1 min 45 s"]


def test_a_console_without_a_true_minus_keeps_the_sign() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, "cp1252", write_through=True)
    Console(out=out, err=io.StringIO()).result(f"{MINUS}0.83 ± 0.01")
    assert raw.getvalue().decode("cp1252").strip() == "-0.83 ± 0.01"
