"""What was opened lately: whole selections, so that one choice brings measurement, mask and settings back, and how they look."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QObject, Signal, Slot
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QMenu

from cassi_core.inputs import Float32Image
from cassi_gui.desktop.settings import UiSettings
from cassi_gui.run.controller import RunController
from cassi_gui.session.state import AppState, FileSelection, selection_title

PICTURE_PX = 80
"""Twice the size that it is shown with, for dense screens; about 4 kB."""


@dataclass(frozen=True)
class RecentEntry:
    """A selection that was loaded: when, with which size in words, how its last run was judged, and its picture as PNG."""

    files: FileSelection
    opened: str = ""
    size: str = ""
    verdict: str = ""
    png: bytes = b""
    lost: bool = False


def entry_to_text(entry: RecentEntry) -> str:
    """An entry as one line of JSON."""
    kept = {"opened": entry.opened, "size": entry.size, "verdict": entry.verdict, "png": base64.b64encode(entry.png).decode()}
    return json.dumps({"files": asdict(entry.files), **kept})


def entry_from_text(text: str) -> RecentEntry | None:
    """The entry of a line, or None when it is damaged or from another version."""
    try:
        fields: dict[str, Any] = json.loads(text)
        # Until version 0.2 a line held the selection only.
        files: dict[str, Any] = fields.get("files", fields)
        files["measurements"] = tuple(str(m) for m in files["measurements"])
        for name in ("mask_turn", "turn"):
            flip, turns = files.get(name, (False, 0))
            files[name] = (bool(flip), int(turns))
        opened, size, verdict = (str(fields.get(name, "")) for name in ("opened", "size", "verdict"))
        png = base64.b64decode(str(fields.get("png", "")), validate=True)
        return RecentEntry(FileSelection(**files), opened, size, verdict, png)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


class RecentFiles(QObject):
    """Keeps the list in the settings and in a menu; emits `chosen` with a selection and `changed` when the list does."""

    chosen = Signal(object)
    changed = Signal()

    def __init__(
        self, settings: UiSettings, menu: QMenu, state: AppState, runner: RunController, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._settings, self._menu, self._state, self._runner = settings, menu, state, runner
        self._lost: frozenset[FileSelection] = frozenset()
        self._rebuild()

    @Slot(object)
    def add(self, files: FileSelection) -> None:
        """Remember a selection that was loaded; the demo has its own entry in the menu."""
        inputs = self._state.inputs
        if files.demo or inputs is None:
            return
        known = next((e for e in self.entries if e.files == files), RecentEntry(files))
        image = inputs.frames[0].image
        entry = replace(
            known, opened=datetime.now().isoformat(timespec="minutes"), size=f"{image.shape[0]} × {image.shape[1]} px"
        )
        self._keep((entry, *(e for e in self.entries if e.files != files)))
        self._runner.submit(picture_of, image, done=partial(self._on_picture, files), key="recent picture")

    def judge(self, files: FileSelection, verdict: str) -> None:
        """Remember how the last run of a selection was judged."""
        self._change(files, verdict=verdict)

    @Slot()
    def clear(self) -> None:
        self._keep(())

    @property
    def entries(self) -> tuple[RecentEntry, ...]:
        """What was opened lately, newest first."""
        found = (entry_from_text(text) for text in self._settings.recent_files)
        return tuple(replace(e, lost=e.files in self._lost) for e in found if e is not None)

    def look_for_lost(self) -> None:
        """Find out in the background which files are not there any more: a network drive may take its time to say so."""
        self._runner.submit(_lost_of, tuple(e.files for e in self.entries), done=self._on_lost, key="recent lost")

    def _on_lost(self, lost: frozenset[FileSelection]) -> None:
        if lost != self._lost:
            self._lost = lost
            self.changed.emit()

    def _on_picture(self, files: FileSelection, png: bytes) -> None:
        self._change(files, png=png)

    def _change(self, files: FileSelection, **changes: Any) -> None:
        if any(e.files == files for e in self.entries):
            self._keep(tuple(replace(e, **changes) if e.files == files else e for e in self.entries))

    def _keep(self, entries: Sequence[RecentEntry]) -> None:
        self._settings.recent_files = tuple(entry_to_text(e) for e in entries)
        self._rebuild()

    def _rebuild(self) -> None:
        self._menu.clear()
        entries = self.entries
        self.changed.emit()
        for number, entry in enumerate(entries, 1):
            action = self._menu.addAction(f"&{number}  {selection_title(entry.files)}")
            action.setToolTip("\n".join((*entry.files.measurements, entry.files.mask)).strip())
            action.triggered.connect(partial(self._choose, entry.files))
        if entries:
            self._menu.addSeparator()
            self._menu.addAction("Clear this list").triggered.connect(self.clear)
        else:
            self._menu.addAction("Nothing opened yet").setEnabled(False)
        self._menu.setToolTipsVisible(True)

    def _choose(self, files: FileSelection, checked: bool = False) -> None:
        self.chosen.emit(files)


def picture_of(image: Float32Image) -> bytes:
    """A small PNG of a picture `(H, W)` (in the worker's thread)."""
    from cassi_core.io.overview import thumbnail

    levels = thumbnail(image, PICTURE_PX)
    rows, cols = levels.shape
    small = QImage(levels.tobytes(), cols, rows, cols, QImage.Format.Format_Grayscale8)
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    small.save(buffer, "PNG")  # type: ignore[call-overload]
    return bytes(data.data())


def _lost_of(selections: tuple[FileSelection, ...]) -> frozenset[FileSelection]:
    """Those of which a file is not there any more (in the worker's thread)."""

    def is_there(entry: str) -> bool:
        return Path(entry.partition("::")[0]).is_file()

    return frozenset(s for s in selections if not all(map(is_there, filter(None, (*s.measurements, s.mask)))))
