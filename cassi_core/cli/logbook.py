"""`cassi logbook`: the calibrations that were accepted for a rig, and whether the rig drifts."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cassi_core.cli.console import Console
from cassi_core.cli.logbook_options import add_selection, bounds, moment, reference, selection, sigmas
from cassi_core.cli.options import add_json_option, comma_list

if TYPE_CHECKING:
    from cassi_core.logbook.store import Contents, Logbook

DESCRIPTION = """Keep the accepted calibrations of your rigs in one file, look at how each parameter moves over the months, and be
warned when a rig drifts: a value outside the limits that you set, or a change of more standard errors than you allow.
The window adds to the same logbook when a run is accepted.
"""

EPILOG = """examples:
  cassi logbook add scene1.cassi.json --rig "left bench" --note "after the lens was changed"
  cassi logbook limits --rig "left bench" --set dx=-0.5:0.5 --set theta=:0.2 --sigmas 4
  cassi logbook trend dx dy --rig "left bench"
  cassi logbook list --since 2026-10-01 --verdict pass,warn
  cassi logbook export --csv rigs.csv
  cassi calibrate scene1.npz --logbook --rig "left bench"

A drift is a warning in the text (with --json: the field `drift`), not an error: the exit code stays 0.
Without --rig the only rig of the logbook is meant. Every command takes --file FILE for another logbook; the environment variable
CASSI_LOGBOOK or `cassi logbook where FILE` names another one for good, for instance on a drive that the laboratory shares.
exit codes: 0 done (with or without drift), 2 usage, 3 unusable input or a logbook that cannot be read or written
"""


def add_parser(subparsers: Any) -> None:
    """Add the command with its own commands."""
    parser = subparsers.add_parser(
        "logbook",
        help="accepted calibrations of your rigs over time, and their drift",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="logbook_command", metavar="WHAT", required=True)

    def command(name: str, run: Callable[[argparse.Namespace, Console], int], text: str) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text[:1].upper() + text[1:] + ".")
        made.add_argument("--file", metavar="FILE", help="the logbook (default: the one that `cassi logbook where` names)")
        made.add_argument("-q", "--quiet", action="store_true", default=argparse.SUPPRESS, help="no notes")
        made.set_defaults(run_logbook=run)
        return made

    def rig_option(made: argparse.ArgumentParser, text: str = "name of the rig (default: the only one)") -> None:
        made.add_argument("--rig", metavar="NAME", help=text)

    made = command("add", _add, "add calibration files to the logbook")
    made.add_argument("calibrations", nargs="+", metavar="FILE.cassi.json", help="calibration file")
    rig_option(made)
    made.add_argument("--note", default="", metavar="TEXT", help="what should be remembered")
    made.add_argument(
        "--date", type=moment, metavar="TIME", help="when it was calibrated, as 2026-11-23T14:00 (the date in the file)"
    )
    add_json_option(made, "the entries")

    made = command("list", _list, "list the entries, the oldest first")
    add_selection(made)
    add_json_option(made, "the entries")

    made = command("show", _show, "print one entry with all that is known about it")
    made.add_argument("entry", type=int, metavar="ENTRY", help="number of the entry")
    add_json_option(made, "the entry")

    made = command("trend", _trend, "print how parameters moved, with their changes in standard errors")
    made.add_argument("names", nargs="*", metavar="PARAMETER", help="dx, dy, theta ... (default: all that were refined)")
    rig_option(made)
    add_json_option(made, "the trends")

    made = command("limits", _limits, "show or set the limits of a rig; what is not named stays as it is")
    rig_option(made)
    made.add_argument(
        "--set", type=bounds, action="append", default=[], metavar="NAME=LOWER:UPPER", help="bounds; leave one out: dx=:0.5"
    )
    made.add_argument("--clear", type=comma_list, default=(), metavar="NAMES", help="parameters without bounds from now on")
    made.add_argument(
        "--sigmas", type=sigmas, metavar="K", help="a change of more than K standard errors is a drift; off: never"
    )
    made.add_argument(
        "--reference", type=reference, metavar="ENTRY", help="count changes from this entry; median: from the earlier ones"
    )
    add_json_option(made, "the limits")

    made = command("edit", _edit, "change the note or the rig of an entry")
    made.add_argument("entry", type=int, metavar="ENTRY", help="number of the entry")
    made.add_argument("--note", metavar="TEXT", help="the new note")
    rig_option(made, "the rig that the entry belongs to")
    add_json_option(made, "the entry")

    made = command("export", _export, "write the entries as a table")
    made.add_argument("--csv", required=True, metavar="FILE", help="table to write; - for standard output")
    add_selection(made)

    made = command("remove", _remove, "withdraw entries: they stay in the file and count for nothing")
    made.add_argument("entries", nargs="+", type=int, metavar="ENTRY", help="number of the entry")
    made.add_argument("--for-good", action="store_true", help="remove them from the file; this cannot be taken back")

    made = command("restore", _restore, "let withdrawn entries count again")
    made.add_argument("entries", nargs="+", type=int, metavar="ENTRY", help="number of the entry")

    made = command("where", _where, "print the path of the logbook, or use another from now on")
    made.add_argument("path", nargs="?", metavar="FILE", help="logbook to use from now on, here and in the window")
    made.add_argument("--default", action="store_true", help="use the logbook in the user's own folder again")


def run(args: argparse.Namespace, console: Console) -> int:
    """Do what was asked."""
    done: int = args.run_logbook(args, console)
    return done


def _add(args: argparse.Namespace, console: Console) -> int:
    from cassi_core.cli.logbook_output import entry_document, warn_of_drift
    from cassi_core.logbook.drift import judge_all
    from cassi_core.logbook.entry import entry_of_file

    book = _logbook(args)
    rig = _rig(args, book.read(), book)
    # All files are read before the first one is added: a wrong name in the list must not leave half of it done.
    entries = [entry_of_file(path, rig, args.date, note=args.note) for path in args.calibrations]
    added = [book.add(entry) for entry in entries]
    judged = judge_all(book.read())
    for one in added:
        note_added(one, console, (console.info if args.json else console.result))
        warn_of_drift(one.entry, judged.get(one.entry.id, ()), console)
    if args.json:
        documents = [{**entry_document(a.entry, judged.get(a.entry.id, ())), "outcome": a.outcome} for a in added]
        console.json({"logbook": str(book.path), "entries": documents})
    return 0


def note_added(added: Any, console: Console, say: Callable[[str], None]) -> None:
    """Say what became of an entry, and warn when its calibration failed."""
    from cassi_core.logbook.entry import local_day

    entry = added.entry
    words = {"new": "added:", "restored": "put back:", "known": "already there:"}[added.outcome]
    say(f"{words} entry {entry.id} of the rig '{entry.rig}', {local_day(entry.calibrated)}, verdict {entry.verdict.status}")
    if entry.verdict.status == "fail":
        console.warning(f"the verdict of entry {entry.id} is fail: later calibrations are not held against it")


def _list(args: argparse.Namespace, console: Console) -> int:
    from cassi_core.cli.logbook_output import entry_document, print_entries, warn_of_drift
    from cassi_core.logbook.drift import judge_all

    book = _logbook(args)
    contents = book.read()
    judged = judge_all(contents)
    entries = selection(args).of(contents.entries)
    if args.json:
        console.json({"logbook": str(book.path), "entries": [entry_document(e, judged[e.id]) for e in entries]})
        return 0
    if not entries:
        console.info(
            "no entry fits" if contents.entries else f"the logbook {book.path} has no entries yet; `cassi logbook add` adds one"
        )
        return 0
    print_entries(entries, judged, console)
    latest = {entry.rig: entry for entry in entries if entry.in_force}
    for entry in latest.values():
        warn_of_drift(entry, judged[entry.id], console)
    return 0


def _show(args: argparse.Namespace, console: Console) -> int:
    from cassi_core.cli.logbook_output import entry_document, print_entry, warn_of_drift
    from cassi_core.logbook.drift import judge_all

    contents = _logbook(args).read()
    entry = contents.entry(args.entry)
    judgements = judge_all(contents)[entry.id]
    if args.json:
        console.json(entry_document(entry, judgements))
        return 0
    print_entry(entry, judgements, console)
    warn_of_drift(entry, judgements, console)
    return 0


def _trend(args: argparse.Namespace, console: Console) -> int:
    from cassi_core.cli.logbook_output import print_trend, trend_document
    from cassi_core.logbook.drift import trends
    from cassi_core.parameters import PARAMETER_NAMES, check_names

    book = _logbook(args)
    contents = book.read()
    rig = _rig(args, contents, book, must_exist=True)
    names = [name for part in args.names for name in comma_list(part)]
    found = trends(contents, rig, check_names(names) or PARAMETER_NAMES)
    if args.json:
        console.json({"rig": rig, "trends": [trend_document(trend) for trend in found]})
        return 0
    if not found:
        console.info(f"no entry of the rig '{rig}' refined {', '.join(names) or 'anything'}")
    for trend in found:
        print_trend(trend, console)
        for reason in trend.points[-1].judgement.reasons:
            console.warning(f"drift of the rig '{rig}': {reason}")
    return 0


def _limits(args: argparse.Namespace, console: Console) -> int:
    from cassi_core.cli.logbook_output import limits_document, print_limits
    from cassi_core.logbook.limits import Limit
    from cassi_core.parameters import check_names

    book = _logbook(args)
    contents = book.read()
    rig = _rig(args, contents, book)
    limits = contents.limits_of(rig)
    changed = limits
    for name in check_names(args.clear):
        changed = changed.with_limit(name, Limit())
    for name, lower, upper in args.set:
        changed = changed.with_limit(check_names([name])[0], Limit(lower, upper))
    if args.sigmas is not None:
        changed = replace(changed, sigmas=args.sigmas or None)
    if args.reference is not None:
        changed = replace(changed, reference=args.reference or None)
    if changed != limits:
        book.set_limits(changed)
    if args.json:
        console.json(limits_document(changed))
    else:
        print_limits(changed, console)
    return 0


def _edit(args: argparse.Namespace, console: Console) -> int:
    from cassi_core.cli.logbook_output import entry_document
    from cassi_core.errors import ConfigError
    from cassi_core.logbook.drift import judge_all

    if args.note is None and args.rig is None:
        raise ConfigError("nothing to change; give --note or --rig")
    book = _logbook(args)
    if args.rig is not None:
        book.move(args.entry, args.rig)
    if args.note is not None:
        book.annotate(args.entry, args.note)
    contents = book.read()
    entry = contents.entry(args.entry)
    if args.json:
        console.json(entry_document(entry, judge_all(contents)[entry.id]))
    else:
        console.result(f"changed: entry {entry.id} of the rig '{entry.rig}'{f', note: {entry.note}' if entry.note else ''}")
    return 0


def _export(args: argparse.Namespace, console: Console) -> int:
    from cassi_core.logbook.drift import judge_all
    from cassi_core.logbook.table import entries_csv, write_entries

    contents = _logbook(args).read()
    entries = selection(args).of(contents.entries)
    judged = judge_all(contents)
    if args.csv == "-":
        console.result(entries_csv(entries, judged).rstrip("\n"))
    else:
        written = write_entries(args.csv, entries, judged)
        console.result(f"written: {written} ({len(entries)} {'entry' if len(entries) == 1 else 'entries'})")
    return 0


def _remove(args: argparse.Namespace, console: Console) -> int:
    book = _logbook(args)
    (book.delete if args.for_good else book.withdraw)(*args.entries)
    done = "removed for good" if args.for_good else "withdrawn"
    console.result(f"{done}: {_numbers(args.entries)}")
    if not args.for_good:
        console.info("`cassi logbook restore` puts back what was withdrawn")
    return 0


def _restore(args: argparse.Namespace, console: Console) -> int:
    _logbook(args).restore(*args.entries)
    console.result(f"put back: {_numbers(args.entries)}")
    return 0


def _where(args: argparse.Namespace, console: Console) -> int:
    from cassi_core.errors import ConfigError
    from cassi_core.logbook.location import choose_path
    from cassi_core.logbook.store import Logbook

    if args.path is not None and args.default:
        raise ConfigError("give FILE or --default, not both")
    if args.default:
        choose_path(None)
    elif args.path is not None:
        # Read first: a file that is no logbook must not become the one that everything is written to.
        Logbook(args.path).read()
        choose_path(args.path)
    book = _logbook(args)
    console.result(str(book.path))
    count = len(book.read().entries)
    console.info(
        f"{count} {'entry' if count == 1 else 'entries'}"
        if book.path.exists()
        else "no such file yet: the first entry makes it"
    )
    return 0


def _logbook(args: argparse.Namespace) -> Logbook:
    from cassi_core.logbook.location import logbook_path
    from cassi_core.logbook.store import Logbook

    return Logbook(Path(args.file) if args.file else logbook_path())


def _rig(args: argparse.Namespace, contents: Contents, book: Logbook, *, must_exist: bool = False) -> str:
    """The named rig, else the only one of the logbook; ConfigError or InputError that lists the rigs."""
    from cassi_core.errors import InputError
    from cassi_core.logbook.entry import rig_name

    rigs = contents.rigs
    if args.rig is None:
        return only_rig(contents)
    name = rig_name(args.rig)
    if must_exist and name not in rigs:
        known = f"it has {', '.join(rigs)}" if rigs else "it has no entries yet"
        raise InputError(f"{book.path}: the logbook has no rig '{name}'; {known}")
    return name


def only_rig(contents: Contents) -> str:
    """The rig that is meant when none is named; ConfigError when that is not clear."""
    from cassi_core.errors import ConfigError

    rigs = contents.rigs
    if len(rigs) == 1:
        return rigs[0]
    known = f"the logbook has {', '.join(rigs)}" if rigs else "the logbook has none yet, so give it a name"
    raise ConfigError(f"which rig? {known}: --rig NAME")


def _numbers(ids: list[int]) -> str:
    return f"{'entry' if len(ids) == 1 else 'entries'} {', '.join(str(i) for i in ids)}"
