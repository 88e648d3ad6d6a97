"""Files that ship with the program: found in a checkout and in an installation alike."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable

from cassi_core.errors import InputError

PACKAGE = "resources"


def asset(*names: str) -> Traversable:
    """A shipped file or folder, for instance ``asset("presets", "auto.json")``.

    Raises
    ------
    InputError
        When it is missing: the installation is incomplete.
    """
    found = files(PACKAGE).joinpath(*names)
    if not (found.is_file() or found.is_dir()):
        raise InputError(f"the program's own file '{'/'.join(names)}' is missing; install the program again")
    return found


def read_asset(*names: str) -> bytes:
    """The bytes of a shipped file."""
    return asset(*names).read_bytes()
