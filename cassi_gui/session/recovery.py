"""Recovery files: one for each open window, locked while that window lives, found by the next start when it died.

`recovery/NAME.cassi.h5` beside `NAME.lock`. A lock whose process is gone can be taken over; one of a living window, of this
or another process, cannot, so that windows never touch each other's files.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from PySide6.QtCore import QLockFile

from cassi_gui.session.values import SUFFIX

logger = logging.getLogger(__name__)


@dataclass(eq=False)
class RecoveryFile:
    """A recovery file that this process holds the lock of."""

    path: Path
    lock: QLockFile

    def release(self, *, remove: bool) -> None:
        """Give it up: remove it (nothing in it is needed any more), or leave it for another start."""
        if remove:
            for part in (self.path, *self.path.parent.glob(f".*.{self.path.name}")):
                part.unlink(missing_ok=True)
        self.lock.unlock()


class RecoveryFolder:
    """The folder of all recovery files of a person."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def claim(self) -> RecoveryFile | None:
        """A new recovery file for a window; None, with a line in the log, when the folder cannot be used."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            logger.warning("sessions cannot be kept for recovery in %s: %s", self.folder, error)
            return None
        return self._locked(self.folder / f"{uuid4().hex[:12]}{SUFFIX}")

    def left_over(self) -> tuple[RecoveryFile, ...]:
        """Files of windows that ended without closing, newest first, locked for this process until they are released."""
        if not self.folder.is_dir():
            return ()
        self._sweep()
        there = []
        for path in self.folder.glob(f"[!.]*{SUFFIX}"):
            held = self._locked(path)
            if held is not None and path.is_file():
                there.append(held)
            elif held is not None:
                # Another start has dealt with it in the meantime.
                held.release(remove=True)
        return tuple(sorted(there, key=lambda held: held.path.stat().st_mtime, reverse=True))

    def _locked(self, path: Path) -> RecoveryFile | None:
        lock = QLockFile(str(path.with_name(path.name.removesuffix(SUFFIX) + ".lock")))
        # Never stale by age: a window may live for weeks. One whose process has gone is taken over all the same.
        lock.setStaleLockTime(0)
        return RecoveryFile(path, lock) if lock.tryLock(0) else None

    def _sweep(self) -> None:
        """Remove half-written files of processes that were killed before their first autosave was done."""
        for part in self.folder.glob(f".*{SUFFIX}"):
            owner = part.with_name(re.sub(r"^\.[0-9a-f-]+\.", "", part.name))
            held = None if owner.is_file() else self._locked(owner)
            if held is not None:
                held.release(remove=True)
