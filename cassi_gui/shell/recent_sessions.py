"""The menu of sessions opened or saved lately."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QMenu

from cassi_gui.desktop.settings import UiSettings
from cassi_gui.session.values import SUFFIX


class RecentSessions(QObject):
    """Fills a menu from the settings; emits `chosen` with a path."""

    chosen = Signal(str)

    def __init__(self, settings: UiSettings, menu: QMenu, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings, self._menu = settings, menu
        # Another window may have saved something since: the menu is filled when it opens.
        menu.aboutToShow.connect(self._rebuild)
        self._rebuild()

    @Slot(str)
    def add(self, path: str) -> None:
        """Remember a session."""
        self._settings.add_recent_session(path)
        self._rebuild()

    @Slot()
    def clear(self) -> None:
        self._settings.clear_recent_sessions()
        self._rebuild()

    @Slot()
    def _rebuild(self) -> None:
        self._menu.clear()
        self._menu.setToolTipsVisible(True)
        paths = self._settings.recent_sessions
        for number, path in enumerate(paths, 1):
            action = self._menu.addAction(f"&{number}  {Path(path).name.removesuffix(SUFFIX)}")
            action.setToolTip(path)
            action.triggered.connect(partial(self._choose, path))
        if paths:
            self._menu.addSeparator()
            self._menu.addAction("Clear this list").triggered.connect(self.clear)
        else:
            self._menu.addAction("No session opened or saved yet").setEnabled(False)

    def _choose(self, path: str, checked: bool = False) -> None:
        self.chosen.emit(path)
