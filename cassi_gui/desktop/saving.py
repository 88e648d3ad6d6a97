"""Writing a plot to a file that the person chooses, or to the clipboard; used by the pages that show plots."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from cassi_core.errors import CassiError
from cassi_gui.desktop.dialogs import Dialogs
from cassi_gui.plots import export

SUFFIXES = tuple(f".{kind}" for kind in ("png", "svg", "csv"))


class Runner(Protocol):
    """What does work outside the window's thread."""

    def submit(
        self, function: Callable[..., Any], *args: Any, done: Callable[[Any], None], failed: Callable[[Exception], None]
    ) -> Any: ...


def save_plot(dialogs: Dialogs, runner: Runner, request: export.PlotExport, log: Callable[[str, str], None]) -> None:
    """Ask for a path and write the plot there, or copy its numbers; long tables are written in the task thread.

    `log` is told (level, text) when the file is there.
    """
    if request.table is None:
        _write_picture(dialogs, request, log)
        return
    table = request.table
    if request.format == "copy":
        failed = _failed(dialogs, "The numbers could not be copied")
        runner.submit(export.csv_text, table, done=lambda text: _copied(text, log), failed=failed)
        return
    target = _ask(dialogs, request)
    if target is None:
        return

    def write() -> None:
        export.write_csv(target, table)
        written(None)

    def written(_none: None) -> None:
        log("info", f"written: {target.resolve()}")

    if table.size <= export.SHORT_CELLS:
        _try(dialogs, write)
        return
    log("info", f"writing {target} …")
    runner.submit(export.write_csv, target, table, done=written, failed=_failed(dialogs, "The plot could not be written"))


def _write_picture(dialogs: Dialogs, request: export.PlotExport, log: Callable[[str, str], None]) -> None:
    target = _ask(dialogs, request)
    if target is None:
        return

    def write() -> None:
        request.write(target)
        log("info", f"written: {target.resolve()}")

    _try(dialogs, write)


def _ask(dialogs: Dialogs, request: export.PlotExport) -> Path | None:
    """The path to write to, which ends as its content does: a drawing is never written under the name of a picture."""
    path = dialogs.save_file("plot", f"Save the plot as {request.format.upper()}", request.name, kind=request.format)
    if not path:
        return None
    suffix = f".{request.format}"
    if path.lower().endswith(suffix):
        return Path(path)
    stem = Path(path)
    target = stem.with_suffix(suffix) if stem.suffix.lower() in SUFFIXES else Path(f"{path}{suffix}")
    text = f"{target.name} exists and would be replaced."
    return target if not target.exists() or dialogs.confirm("Replace the file?", text, yes="Replace") else None


def _try(dialogs: Dialogs, write: Callable[[], None]) -> None:
    try:
        write()
    except CassiError as error:
        dialogs.error("The plot could not be written", str(error))


def _failed(dialogs: Dialogs, title: str) -> Callable[[Exception], None]:
    return lambda error: dialogs.error(title, str(error))


def _copied(text: str, log: Callable[[str, str], None]) -> None:
    export.copy_text(text)
    log("info", "the numbers of the plot are on the clipboard")
