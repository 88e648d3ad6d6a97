"""Sizes of the parts of the pages: kept from one start to the next. The pages themselves know their first sizes."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QTimer, Slot
from PySide6.QtWidgets import QSplitter, QWidget

from cassi_gui.desktop.settings import UiSettings


def keep_splitters(page: QWidget, settings: UiSettings) -> None:
    """Give every splitter of a page the sizes of the last time, and remember the new ones whenever a person moves it."""
    for splitter in page.findChildren(QSplitter):
        _Keeper(splitter, settings)


class _Keeper(QObject):
    """Lives with its splitter."""

    def __init__(self, splitter: QSplitter, settings: UiSettings) -> None:
        super().__init__(splitter)
        if not splitter.objectName():
            raise ValueError("a splitter whose sizes are to be kept needs an object name")
        self._splitter, self._settings = splitter, settings
        self._key = f"splitter_{splitter.objectName()}"
        splitter.splitterMoved.connect(self._save)
        # A timer of its own: `QTimer.singleShot` would keep a window alive that is closed before it fires.
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._restore)
        # When it has its place: a page is first laid out smaller than it will be, and that would squeeze what was kept.
        splitter.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Show:
            self._splitter.removeEventFilter(self)
            self._timer.start()
        return False

    @Slot()
    def _restore(self) -> None:
        saved = self._settings.layout(self._key)
        if not saved.isEmpty():
            self._splitter.restoreState(saved)

    @Slot(int, int)
    def _save(self, _position: int, _index: int) -> None:
        self._settings.save_layout(self._key, self._splitter.saveState())
