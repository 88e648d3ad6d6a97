"""The errors that a user of the program can meet, each with the exit code that scripts rely on.

Every message says what is wrong, where (file, field, shape) and what to do about it.
"""

from __future__ import annotations


class CassiError(Exception):
    """Base of everything that this program refuses on purpose."""

    exit_code = 1


class ConfigError(CassiError):
    """A setting or an option that cannot be used (exit code 2)."""

    exit_code = 2


class InputError(CassiError):
    """An input file or array that cannot be used (exit code 3)."""

    exit_code = 3


class MaskWantedError(InputError):
    """No mask was named and none is where it should be: half of the way, not a fault of the other files (exit code 3)."""


class OutputError(CassiError):
    """A result that cannot be written where it was asked for (exit code 3)."""

    exit_code = 3


class NumericsError(CassiError):
    """A computation that left the range where its result means anything."""


class SessionError(CassiError):
    """A session or calibration file that cannot be read or is newer than this program (exit code 3)."""

    exit_code = 3


class RunCancelled(CassiError):  # noqa: N818 - a request of the user, not an error
    """Raised at a checkpoint after the user asked to cancel (exit code 130)."""

    exit_code = 130
