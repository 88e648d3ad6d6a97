"""A check as one line: the same words and numbers on the command line, in reports and in the window."""

from __future__ import annotations

import math

from cassi_core.formatting import format_number, format_pair
from cassi_core.result import Outcome, Reason, VerdictStatus


def check_numbers(reason: Reason) -> str:
    """`0.321 px, at most 0.100 px`: value, side and limit; the value alone where it has no limit; nothing where there is no number."""
    if not math.isfinite(reason.value):
        return ""
    unit = f" {reason.unit}" if reason.unit else ""
    if reason.threshold is None or reason.direction is None:
        return f"{format_number(reason.value, 3)}{unit}" if reason.threshold is None and reason.unit else ""
    value, limit = format_pair(reason.value, reason.threshold)
    return f"{value}{unit}, {reason.direction} {limit}{unit}"


def check_line(reason: Reason) -> str:
    """Title, words and numbers of a check."""
    numbers = check_numbers(reason)
    text = f"{reason.title}: {reason.text}" if reason.title else reason.text
    return f"{text} ({numbers})" if numbers else text


def verdict_words(status: VerdictStatus, outcome: Outcome) -> str:
    """The verdict in a word or two: a search that was not finished has none."""
    return "search not finished" if outcome == "not_finished" else status


def outcome_words(outcome: Outcome) -> str:
    """How a run ended, to follow its duration."""
    return {"done": "", "finished_early": ", finished early", "not_finished": ", stopped in the search"}[outcome]
