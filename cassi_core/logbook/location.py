"""Where the logbook lies: one file that the command line and the window share."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from cassi_core.errors import ConfigError, OutputError
from cassi_core.io.atomic import atomic_write

VARIABLE = "CASSI_LOGBOOK"
"""Environment variable that names the logbook's file; it comes before everything else."""
FILE_NAME = "logbook.sqlite"
POINTER_NAME = "logbook-path.txt"
"""File beside the default logbook that holds the path of the chosen one."""


def data_folder() -> Path:
    """The user's folder for data of this program (not made here); `XDG_DATA_HOME` counts on every system where it is set."""
    named = os.environ.get("XDG_DATA_HOME")
    if named:
        base = Path(named)
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path.home() / ".local" / "share"
    return base / "cassi-calibration"


def default_path() -> Path:
    """The logbook of a user who chose nothing."""
    return data_folder() / FILE_NAME


def logbook_path() -> Path:
    """The logbook in use: the variable's, else the chosen one, else the default; the file need not exist."""
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named).expanduser().absolute()
    try:
        chosen = (data_folder() / POINTER_NAME).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        chosen = ""
    return Path(chosen) if chosen else default_path()


def choose_path(path: str | Path | None) -> Path:
    """Use another file from now on (None: the default again) and return its path; nothing is moved or copied.

    Raises
    ------
    ConfigError
        The environment variable names the logbook, so that a choice would do nothing.
    OutputError
        The choice cannot be kept.
    """
    if os.environ.get(VARIABLE):
        raise ConfigError(f"the logbook is named by the environment variable {VARIABLE}; change or unset that")
    pointer = data_folder() / POINTER_NAME
    try:
        if path is None:
            pointer.unlink(missing_ok=True)
            return default_path()
        make_default_folder()
        chosen = Path(path).expanduser().absolute()
        atomic_write(pointer, f"{chosen}\n".encode())
    except OSError as error:
        raise OutputError(f"{pointer}: the choice cannot be kept ({error.strerror or error})") from None
    return chosen


def make_default_folder() -> None:
    """Make the user's folder for data; OutputError where that cannot be done."""
    folder = data_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{folder}: the folder for the logbook cannot be made ({error.strerror or error}); name another file with {VARIABLE}"
        ) from None
