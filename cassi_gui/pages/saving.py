"""Writing a plot to a file that the person chooses; used by the pages that show plots."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cassi_core.errors import CassiError


def save_plot(dialogs: Any, request: Any) -> str:
    """Ask for a path and write a PlotExport there; returns the full path, or an empty string when nothing was written."""
    path = dialogs.save_file("plot", f"Save the plot as {request.format.upper()}", request.name, kind="plot")
    if not path:
        return ""
    target = Path(path) if Path(path).suffix else Path(f"{path}.{request.format}")
    try:
        request.write(target)
    except CassiError as error:
        dialogs.error("The plot could not be written", str(error))
        return ""
    return str(target.resolve())
