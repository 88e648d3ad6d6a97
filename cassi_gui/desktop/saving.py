"""Writing a plot to a file that the person chooses, or to the clipboard; used by the pages that show plots."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from cassi_core.errors import CassiError
from cassi_gui.plots import export


def save_plot(dialogs: Any, runner: Any, request: export.PlotExport, log: Callable[[str, str], None]) -> None:
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

    def written(_none: None) -> None:
        log("info", f"written: {target.resolve()}")

    if table.size <= export.SHORT_CELLS:
        _try(dialogs, lambda: written(export.write_csv(target, table)))
        return
    log("info", f"writing {target} …")
    runner.submit(export.write_csv, target, table, done=written, failed=_failed(dialogs, "The plot could not be written"))


def _write_picture(dialogs: Any, request: export.PlotExport, log: Callable[[str, str], None]) -> None:
    target = _ask(dialogs, request)
    if target is None:
        return

    def write() -> None:
        request.write(target)
        log("info", f"written: {target.resolve()}")

    _try(dialogs, write)


def _ask(dialogs: Any, request: export.PlotExport) -> Path | None:
    path = dialogs.save_file("plot", f"Save the plot as {request.format.upper()}", request.name, kind="plot")
    if not path:
        return None
    return Path(path) if Path(path).suffix else Path(f"{path}.{request.format}")


def _try(dialogs: Any, write: Callable[[], None]) -> None:
    try:
        write()
    except CassiError as error:
        dialogs.error("The plot could not be written", str(error))


def _failed(dialogs: Any, title: str) -> Callable[[Exception], None]:
    return lambda error: dialogs.error(title, str(error))


def _copied(text: str, log: Callable[[str, str], None]) -> None:
    export.copy_text(text)
    log("info", "the numbers of the plot are on the clipboard")
