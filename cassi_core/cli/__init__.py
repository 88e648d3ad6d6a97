"""The command line `cassi`: one module a command, loaded only when that command is asked for.

Exit codes: 0 done, 2 usage, 3 unusable input, 4 done but the verdict is "fail" (verify: the picture cannot tell), 5 drifted, 130 cancelled.
Every command module has `add_parser(subparsers)` and `run(args, console) -> int`.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

# Before numpy or torch is imported: their waiting threads must not burn the cores that the compiled kernel works on.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from cassi_core import __version__
from cassi_core.cli.console import Console
from cassi_core.errors import CassiError, RunCancelled

COMMANDS: dict[str, tuple[str, str]] = {
    "calibrate": ("cassi_core.cli.calibrate", "find where the mask sits, from one or several snapshots"),
    "verify": ("cassi_core.cli.verify", "say whether an earlier calibration still holds today"),
    "check": ("cassi_core.cli.check", "look at the inputs and say what is wrong with them"),
    "dispersion": ("cassi_core.cli.dispersion", "measure the dispersion with monochromatic frames of the mask"),
    "simulate": ("cassi_core.cli.simulate", "make snapshots of a rig with a known misalignment"),
    "benchmark": ("cassi_core.cli.benchmark", "measure the calibration and the solvers on known cases"),
    "reconstruct": ("cassi_core.cli.reconstruct", "rebuild the spectral cube of snapshots with a calibration"),
    "export": ("cassi_core.cli.export", "write the calibrated mask for reconstruction software"),
    "report": ("cassi_core.cli.report", "a report as HTML or PDF, to read, print and keep"),
    "show": ("cassi_core.cli.show", "print a calibration file for humans"),
    "logbook": ("cassi_core.cli.logbook", "accepted calibrations of your rigs over time, and their drift"),
    "diff": ("cassi_core.cli.diff", "compare two calibration files"),
    "demo": ("cassi_core.cli.demo", "calibrate the embedded demo rig and compare with its truth"),
}
"""Command, module that implements it, and one line of help: `cassi --help` imports none of the modules."""

EXIT_CANCELLED = 130

EPILOG = """examples:
  cassi demo
  cassi calibrate scene1.npz --mask mask.npz
  cassi calibrate scene1.mat scene2.mat --mask mask.mat --bands 28 --refine dx,dy,theta
  cassi check scene1.npz::meas --mask mask.npz

exit codes: 0 done, 2 usage, 3 unusable input, 4 done but the verdict is "fail", 5 drifted, 130 cancelled
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; errors become one sentence on standard error."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        args = _parser(arguments).parse_args(arguments)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 2
    console = Console(quiet=args.quiet)
    with _messages_to(console):
        try:
            return int(importlib.import_module(COMMANDS[args.command][0]).run(args, console))
        except (RunCancelled, KeyboardInterrupt):
            console.error("cancelled; nothing was written")
            return EXIT_CANCELLED
        except CassiError as error:
            console.error(str(error))
            return error.exit_code
        except BrokenPipeError:
            # The reader of our output (head, less) went away: nothing is wrong, and nobody reads a message.
            sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 - replaces the broken stream until the process ends
            return 0
        finally:
            console.done()


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """The parser with the options of the asked command only; the others are listed by their help line."""
    parser = argparse.ArgumentParser(
        prog="cassi",
        description="Finds where the mask of a coded-aperture snapshot spectral imager really sits, from its pictures alone.",
        epilog=EPILOG,
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, max_help_position=28),
    )
    parser.add_argument("--version", action="version", version=f"cassi {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    asked = next((a for a in arguments if not a.startswith("-")), None)
    for name, (module, text) in COMMANDS.items():
        if name == asked:
            importlib.import_module(module).add_parser(subparsers)
            subparsers.choices[name].add_argument("-q", "--quiet", action="store_true", help="no notes and no progress")
        else:
            subparsers.add_parser(name, help=text)
    return parser


@contextmanager
def _messages_to(console: Console) -> Iterator[None]:
    """Show warnings of this program through the console, and keep those of the libraries out of the way."""

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.name.startswith("cassi_core"):
                console.warning(record.getMessage())

    handler = Handler(logging.WARNING)
    root = logging.getLogger()
    root.addHandler(handler)
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, category, *_: console.warning(str(message)) if category is UserWarning else None
        try:
            yield
        finally:
            root.removeHandler(handler)
