"""Writing files so that a reader finds the old file or the new one, never half of one.

The content goes to a temporary file in the same folder, is flushed to the disk, and takes the final name in one step. A process that
is killed meanwhile leaves its temporary file behind, `.HOST-PROCESS-RANDOM.NAME`; the next save of the same file removes it.
"""

from __future__ import annotations

import os
import platform
import re
import secrets
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cassi_core.errors import OutputError

ABANDONED_S = 24 * 3600.0
"""A temporary file whose process cannot be asked (another computer, Windows) is litter when it is this old."""
_TOKEN = re.compile(r"\.([0-9a-f]{8})-([0-9a-f]+)-[0-9a-f]{8}\.")


def atomic_write(path: str | Path, data: bytes) -> Path:
    """Write bytes to a file in one step and return its absolute path.

    Raises
    ------
    OutputError
        The folder is missing, may not be written, or the disk is full; the old file, if any, is untouched.
    """
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)
    return Path(path).absolute()


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """A temporary path beside `path`, with the same suffixes, that becomes `path` when the block ends without an error.

    For libraries that write files themselves (HDF5, TIFF, MATLAB). Whatever the block raises, nothing is left behind; what a killed
    process left of this file before is removed.

    Raises
    ------
    OutputError
        As for :func:`atomic_write`.
    """
    path = Path(path)
    check_writable(path)
    _remove_litter(path)
    temporary = path.with_name(f".{_host()}-{os.getpid():x}-{secrets.token_hex(4)}.{path.name}")
    try:
        yield temporary
        _flush_to_disk(temporary)
        temporary.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: the file could not be written ({error.strerror or error}); nothing was changed") from error
    finally:
        temporary.unlink(missing_ok=True)
    _flush_folder(path.parent)


def check_writable(path: str | Path) -> None:
    """Refuse a place where a file cannot be written, before anything is computed for it.

    Raises
    ------
    OutputError
        The folder is missing or may not be written, or the path is a folder.
    """
    path = Path(path)
    folder = path.parent
    if path.is_dir():
        raise OutputError(f"{path}: this is a folder; name a file in it")
    if not folder.exists():
        raise OutputError(f"{path}: the folder {folder} does not exist; make it first or choose another")
    if not folder.is_dir():
        raise OutputError(f"{path}: {folder} is not a folder; choose another place")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"{path}: the folder {folder} may not be written; choose another place")


def _host() -> str:
    """Eight digits that stand for this computer: temporary files on a shared disk may be another one's."""
    return f"{zlib.crc32(platform.node().encode()):08x}"


def _remove_litter(path: Path) -> None:
    """Remove temporary files of a path whose process is gone; those of running processes (or whose process is unknown) stay."""
    try:
        names = [entry.name for entry in os.scandir(path.parent) if entry.name.endswith(f".{path.name}")]
    except OSError:
        return
    for name in names:
        match = _TOKEN.match(name)
        if match is None or name[match.end() :] != path.name:
            continue
        litter = path.with_name(name)
        try:
            here = match[1] == _host() and os.name != "nt"
            gone = not _is_running(int(match[2], 16)) if here else time.time() - litter.stat().st_mtime > ABANDONED_S
            if gone:
                litter.unlink()
        except OSError:
            continue


def _is_running(process: int) -> bool:
    """Whether a process of this computer exists (not on Windows, where signal 0 would end it)."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _flush_to_disk(path: Path) -> None:
    with path.open("r+b") as stream:
        os.fsync(stream.fileno())


def _flush_folder(folder: Path) -> None:
    """Make the renaming itself durable, where the system can do that (Windows cannot open folders)."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)
