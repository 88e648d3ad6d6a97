"""Maps of runs beyond those in memory: which files hold them, which are not written yet, and how they come back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

from PySide6.QtCore import QObject, Signal, Slot

from cassi_core.result import QualityMaps
from cassi_gui.session.io import SessionIo
from cassi_gui.session.state import AppState, Snapshot
from cassi_gui.session.values import read_maps


class RunStore(QObject):
    """Holds the maps of a run until a file has them, and reads them again when a person looks at that run."""

    logged = Signal(str, str)

    def __init__(self, state: AppState, io: SessionIo, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state, self._io = state, io
        self._unsaved: dict[str, QualityMaps] = {}
        self._written: dict[str, Path] = {}
        self._asked: set[str] = set()
        state.changed.connect(self._on_changed)

    @property
    def files(self) -> tuple[Path, ...]:
        """Files that hold maps of this session's runs."""
        return tuple(dict.fromkeys(self._written.values()))

    @property
    def unsaved(self) -> Mapping[str, QualityMaps]:
        """Maps, by the run's uid, that no file has yet."""
        return MappingProxyType(dict(self._unsaved))

    def note_written(self, shot: Snapshot, path: Path) -> None:
        """A file holds everything of a snapshot now."""
        for record in shot.runs:
            if record.uid in self._unsaved or record.uid in self._written or record.result.maps is not None:
                self._written[record.uid] = path
                self._unsaved.pop(record.uid, None)
        self._asked.clear()

    def forget(self, path: Path) -> None:
        """A file is going away; another one has everything."""
        self._written = {uid: place for uid, place in self._written.items() if place != path}

    def reset(self, uids: Iterable[str] = (), path: Path | None = None) -> None:
        """Another session: its runs are in a file, or it has none."""
        self._unsaved.clear()
        self._asked.clear()
        self._written = {} if path is None else dict.fromkeys(uids, path)

    @Slot(object)
    def _on_changed(self, names: frozenset[str]) -> None:
        if "runs" in names:
            for record in self._state.runs:
                if record.result.maps is not None and record.uid not in self._written:
                    self._unsaved[record.uid] = record.result.maps
        if names & {"runs", "current_id", "accepted_id"}:
            for shown in (self._state.current_run, self._state.accepted_run):
                if shown is not None and shown.result.maps is None:
                    self._bring_back(shown.uid)

    def _bring_back(self, uid: str) -> None:
        if uid in self._unsaved:
            self._state.put_maps(uid, self._unsaved[uid])
        elif uid in self._written and uid not in self._asked:
            self._asked.add(uid)
            done, failed = partial(self._on_maps, uid), self._on_failed
            self._io.submit("", read_maps, (self._written[uid], *self.files), uid, done=done, failed=failed)

    def _on_maps(self, uid: str, maps: QualityMaps | None) -> None:
        if maps is None:
            return
        self._asked.discard(uid)
        shown = (self._state.current_run, self._state.accepted_run)
        if any(r is not None and r.uid == uid for r in shown):
            self._state.put_maps(uid, maps)

    def _on_failed(self, error: Exception) -> None:
        self.logged.emit("warning", f"the maps of an earlier run could not be read: {error}")
