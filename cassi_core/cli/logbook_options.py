"""Options of `cassi logbook`: how days, bounds and numbers of entries are written."""

from __future__ import annotations

import argparse
from datetime import date, datetime
from typing import TYPE_CHECKING

from cassi_core.cli.options import comma_list

if TYPE_CHECKING:
    from cassi_core.logbook.selection import Selection

VERDICTS = ("pass", "warn", "fail")


def add_selection(parser: argparse.ArgumentParser) -> None:
    """Options that choose entries."""
    group = parser.add_argument_group("which entries")
    group.add_argument("--rig", metavar="NAME", help="of this rig only")
    group.add_argument("--since", type=day, metavar="DAY", help="first day, as 2026-11-01")
    group.add_argument("--until", type=day, metavar="DAY", help="last day")
    group.add_argument("--verdict", type=verdicts, default=(), metavar="NAMES", help="pass, warn, fail; several with commas")
    group.add_argument("--withdrawn", action="store_true", help="withdrawn entries too")


def selection(args: argparse.Namespace) -> Selection:
    """The entries that the options of :func:`add_selection` mean."""
    from cassi_core.logbook.selection import Selection

    return Selection(args.rig, args.since, args.until, args.verdict, args.withdrawn)


def day(text: str) -> date:
    """A day."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day; write it as 2026-11-01") from None


def moment(text: str) -> datetime:
    """A day with its time; midnight where there is none."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; write it as 2026-11-01T14:00") from None


def verdicts(text: str) -> tuple[str, ...]:
    """Verdicts with commas between them."""
    names = comma_list(text)
    wrong = [name for name in names if name not in VERDICTS]
    if wrong:
        raise argparse.ArgumentTypeError(f"{wrong[0]!r} is no verdict; choose from {', '.join(VERDICTS)}")
    return names


def bounds(text: str) -> tuple[str, float | None, float | None]:
    """`dx=-0.5:0.5` as name, lower and upper bound; either may be left out."""
    name, equals, bounds = text.partition("=")
    lower, colon, upper = bounds.partition(":")
    try:
        if not equals or not colon or not (lower.strip() or upper.strip()):
            raise ValueError
        return name.strip(), float(lower) if lower.strip() else None, float(upper) if upper.strip() else None
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=LOWER:UPPER, for instance dx=-0.5:0.5 or theta=:0.2") from None


def sigmas(text: str) -> float:
    """A number, or 0 for `off`."""
    try:
        value = 0.0 if text == "off" else float(text)
        if text != "off" and not 0 < value < float("inf"):
            raise ValueError
        return value
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of standard errors; give a positive number, or off") from None


def reference(text: str) -> int:
    """Number of an entry, or 0 for `median`."""
    if text == "median":
        return 0
    if text.isdigit() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no entry; give its number, or median")
