"""What every file format offers to the readers, and how damage is told in one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from cassi_core.errors import CassiError, InputError
from cassi_core.io.readers.stored import StoredArray


@dataclass(frozen=True)
class ArrayInfo:
    """An array in a file: its key (empty where the file holds one nameless array), shape, type, and why it cannot be used.

    `picture_axis` counts the pictures of a stack or the bands of a cube, where the format says so (None: it does not).
    """

    key: str
    shape: tuple[int, ...]
    dtype: str
    problem: str = ""
    picture_axis: int | None = None

    @property
    def usable(self) -> bool:
        """True for real numbers of a plain type."""
        return not self.problem

    def describe(self) -> str:
        """Key, shape and type in a few words, for messages."""
        size = " x ".join(str(n) for n in self.shape) or "a single value"
        return f"{self.key or '(nameless)'} [{size}, {self.problem or self.dtype}]"


class Format(Protocol):
    """A file format: lists the arrays of a file without loading them, opens one, and gives attributes beside them."""

    name: str

    def list_arrays(self, path: Path) -> list[ArrayInfo]: ...

    def open(self, path: Path, key: str) -> AbstractContextManager[StoredArray]:
        """An array to read from, as long as the context lasts."""
        ...

    def attributes(self, path: Path) -> dict[str, Any]: ...

    def files(self, path: Path) -> tuple[Path, ...]:
        """The files that the arrays come from: one, or a header and its data."""
        ...


def problem_of(dtype: np.dtype[Any]) -> str:
    """Why values of a type cannot be used, in words; empty for real numbers and truth values."""
    if dtype.kind in "fiub":
        return ""
    words = {
        "O": "Python objects (refused: reading them could run code)",
        "c": "complex numbers",
        "U": "text",
        "S": "text",
        "V": "records",
        "M": "dates",
        "m": "durations",
    }
    return words.get(dtype.kind, f"values of type {dtype}")


@contextmanager
def reading(path: Path, format_name: str) -> Iterator[None]:
    """Turn whatever a library raises on a damaged file into an InputError.

    The libraries raise a dozen unrelated exception types on damaged bytes (zlib.error, struct.error, KeyError, MemoryError
    from an absurd size in a header, ...), so that everything but this program's own errors counts as damage.
    """
    try:
        yield
    except CassiError:
        raise
    except PermissionError:
        raise InputError(f"{path}: the file may not be read; check its permissions") from None
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        raise InputError(
            f"{path}: the {format_name} file is damaged or cut short ({reason}); copy or export it again"
        ) from error
