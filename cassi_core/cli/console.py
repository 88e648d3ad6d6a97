"""The one place where the command line writes: results to standard output, everything else to standard error.

A :class:`Console` shows a run as a bar that is redrawn in place when standard error is a terminal, and as one plain line
per stage when it is a file or a pipe, so that logs stay readable.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from cassi_core.formatting import MINUS, format_remaining
from cassi_core.run import Event, Message, Progress, RunStarted, StageFinished, StageStarted

BAR_WIDTH = 24


class Console:
    """Writes results, notes, warnings, errors and the progress of a run; `quiet` keeps notes and progress back."""

    def __init__(self, *, quiet: bool = False, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self.quiet = quiet
        self._out = sys.stdout if out is None else out
        self._err = sys.stderr if err is None else err
        self._live = not quiet and self._err.isatty()
        self._bar_shown = False
        self._stages: tuple[tuple[str, str], ...] = ()
        self._label = ""

    def write(self, text: str, stream: TextIO) -> None:
        """Write text as it is; characters that the stream cannot show become question marks."""
        encoding = getattr(stream, "encoding", None) or "utf-8"
        try:
            text.encode(encoding)
        except UnicodeEncodeError:
            # Consoles of one byte a character have no true minus sign; a number without its sign would be another number.
            text = text.replace(MINUS, "-")
        stream.write(text.encode(encoding, "replace").decode(encoding))
        stream.flush()

    def result(self, text: str = "") -> None:
        """A line of the result, on standard output."""
        self._clear_bar()
        self.write(text + "\n", self._out)

    def json(self, document: Mapping[str, Any]) -> None:
        """A document on standard output, as JSON that every parser reads (no NaN)."""
        self._clear_bar()
        self.write(json.dumps(document, indent=1, allow_nan=False) + "\n", self._out)

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[str]], *, numeric: Sequence[int] = ()) -> None:
        """A table on standard output; the columns in `numeric` are aligned to the right."""
        for line in format_table(headings, rows, numeric=numeric):
            self.result(line)

    def info(self, text: str) -> None:
        """A note on standard error; kept back by --quiet."""
        if not self.quiet:
            self._note(text)

    def warning(self, text: str) -> None:
        """Something the user should know, on standard error."""
        self._note(f"warning: {text}")

    def error(self, text: str) -> None:
        """Why the program stopped, one sentence on standard error."""
        self._note(f"cassi: {text}")

    def observe(self, event: Event) -> None:
        """Observer of a run: shows stages, progress and messages."""
        if isinstance(event, Message):
            (self.info if event.level == "info" else self.warning)(event.text)
        elif isinstance(event, RunStarted):
            self._stages = event.stages
            self.info(f"preset {event.preset}, {len(event.stages)} stages, on {event.device}")
        elif isinstance(event, StageStarted):
            self._label = event.label
        elif isinstance(event, Progress) and self._live:
            self._draw(progress_line(self._label, event, shutil.get_terminal_size().columns))
        elif isinstance(event, StageFinished):
            score = "" if event.score is None else f", unexplained {event.score:.4f}"
            self.info(f"{event.label}: {event.seconds:.1f} s{score}")

    def reading(self, text: str, fraction: float) -> None:
        """How far a large file has been read; only drawn where a bar can be drawn in place."""
        if self._live:
            filled = round(BAR_WIDTH * fraction)
            line = f"[{'#' * filled}{'-' * (BAR_WIDTH - filled)}] {100 * fraction:3.0f} %  {text}"
            self._draw(line[: max(1, shutil.get_terminal_size().columns - 1)])

    def done(self) -> None:
        """Remove the progress bar: call it when a run ends, however it ended."""
        self._clear_bar()

    def _note(self, text: str) -> None:
        self._clear_bar()
        self.write(text + "\n", self._err)

    def _draw(self, line: str) -> None:
        self.write("\r\x1b[K" + line, self._err)
        self._bar_shown = True

    def _clear_bar(self) -> None:
        if self._bar_shown:
            self.write("\r\x1b[K", self._err)
            self._bar_shown = False


def progress_line(label: str, progress: Progress, columns: int) -> str:
    """One line: stage, bar, per cent of the whole run, elapsed and remaining time; cut to the width of the terminal."""
    filled = round(BAR_WIDTH * min(1.0, max(0.0, progress.fraction)))
    bar = "#" * filled + "-" * (BAR_WIDTH - filled)
    remaining = "..." if progress.remaining_s is None else format_remaining(progress.remaining_s)
    steps = f"{progress.done}/{progress.total}"
    line = f"[{bar}] {100 * progress.fraction:3.0f} %  {clock(progress.elapsed_s)}, {remaining} left  {label} {steps}"
    return line[: max(1, columns - 1)]


def clock(seconds: float) -> str:
    """Seconds as m:ss, or h:mm:ss from an hour on."""
    whole = max(0, round(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, secs = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{secs:02d}" if hours else f"{minutes}:{secs:02d}"


def format_table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, numeric: Sequence[int] = ()) -> list[str]:
    """Lines of a table with two blanks between columns; the columns in `numeric` are aligned to the right."""
    widths = [max(len(row[i]) for row in (headings, *rows)) for i in range(len(headings))]

    def line(cells: Sequence[str]) -> str:
        padded = [c.rjust(w) if i in numeric else c.ljust(w) for i, (c, w) in enumerate(zip(cells, widths, strict=True))]
        return "  ".join(padded).rstrip()

    return [line(headings), "  ".join("-" * w for w in widths), *(line(row) for row in rows)]
