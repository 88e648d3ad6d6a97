"""The menu of files opened lately: whole selections, so that one choice brings measurement, mask and settings back."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QMenu

from cassi_gui.desktop.settings import UiSettings
from cassi_gui.session.state import FileSelection, selection_title


def selection_to_text(files: FileSelection) -> str:
    """A selection as one line of JSON."""
    return json.dumps(asdict(files))


def selection_from_text(text: str) -> FileSelection | None:
    """The selection of a line, or None when it is damaged or from another version."""
    try:
        fields: dict[str, Any] = json.loads(text)
        fields["measurements"] = tuple(str(m) for m in fields["measurements"])
        for name in ("mask_turn", "turn"):
            flip, turns = fields.get(name, (False, 0))
            fields[name] = (bool(flip), int(turns))
        return FileSelection(**fields)
    except (ValueError, TypeError, KeyError):
        return None


class RecentFiles(QObject):
    """Fills a menu from the settings; emits `chosen` with a selection and `changed` when the list does."""

    chosen = Signal(object)
    changed = Signal()

    def __init__(self, settings: UiSettings, menu: QMenu, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings, self._menu = settings, menu
        self._rebuild()

    @Slot(object)
    def add(self, files: FileSelection) -> None:
        """Remember a selection that was loaded; the demo has its own entry in the menu."""
        if not files.demo:
            self._settings.add_recent(selection_to_text(files))
            self._rebuild()

    @Slot()
    def clear(self) -> None:
        self._settings.clear_recent()
        self._rebuild()

    @property
    def selections(self) -> tuple[FileSelection, ...]:
        """What was opened lately, newest first."""
        return tuple(s for s in map(selection_from_text, self._settings.recent_files) if s is not None)

    def _rebuild(self) -> None:
        self._menu.clear()
        selections = self.selections
        self.changed.emit()
        for number, files in enumerate(selections, 1):
            action = self._menu.addAction(f"&{number}  {selection_title(files)}")
            action.setToolTip("\n".join((*files.measurements, files.mask)).strip())
            action.triggered.connect(partial(self._choose, files))
        if selections:
            self._menu.addSeparator()
            self._menu.addAction("Clear this list").triggered.connect(self.clear)
        else:
            self._menu.addAction("Nothing opened yet").setEnabled(False)
        self._menu.setToolTipsVisible(True)

    def _choose(self, files: FileSelection, checked: bool = False) -> None:
        self.chosen.emit(files)
