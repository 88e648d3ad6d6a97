"""What the command line writes: a bar on a terminal, plain lines in a log, aligned tables."""

from __future__ import annotations

import io
from typing import Any

import pytest

from cassi_core.cli.console import Console, clock, format_table, progress_line
from cassi_core.run import Progress, RunStarted, StageFinished, StageStarted


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


EVENTS: tuple[Any, ...] = (
    RunStarted("auto", (("a", "Align"), ("b", "Fit")), "cpu"),
    StageStarted("a", "Align", 0, 10),
    Progress("a", 5, 10, 0.25, 61.0, 183.0),
    StageFinished("a", "Align", 61.0, None),
)


def test_a_terminal_gets_a_bar_that_is_removed_before_a_line():
    err = Terminal()
    console = Console(out=io.StringIO(), err=err)
    for event in EVENTS[:3]:
        console.observe(event)
    assert "[######------------------]  25 %  1:01, 3 min 05 s left  Align 5/10" in err.getvalue()
    console.observe(EVENTS[3])
    assert err.getvalue().endswith("\r\x1b[KAlign: 61.0 s\n")


def test_a_log_file_gets_one_plain_line_a_stage():
    err = io.StringIO()
    console = Console(out=io.StringIO(), err=err)
    for event in EVENTS:
        console.observe(event)
    assert err.getvalue() == "preset auto, 2 stages, on cpu\nAlign: 61.0 s\n"


def test_a_bar_never_wraps():
    line = progress_line("A very long name of a stage", Progress("a", 1, 2, 0.5, 1, None), 40)
    assert len(line) == 39 and "..." not in line[39:]


def test_a_stream_of_few_characters_gets_question_marks():
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")
    Console(out=out, err=io.StringIO()).result("1 ± 2")
    out.flush()
    assert raw.getvalue().replace(b"\r", b"") == b"1 ? 2\n"


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0:00"), (59.6, "1:00"), (3725, "1:02:05"), (-3, "0:00")])
def test_clock(seconds: float, text: str):
    assert clock(seconds) == text


def test_tables_are_aligned():
    lines = format_table(("name", "n"), [("a", "10"), ("long name", "9")], numeric=(1,))
    assert lines == ["name        n", "---------  --", "a          10", "long name   9"]
