"""The pages of the window, each built when it is first needed: the first window shows before the plots are imported."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtWidgets import QStackedWidget, QWidget

from cassi_gui.pages.page import Page
from cassi_gui.pages.status import Badge


class PageDeck(QStackedWidget):
    """Pages in order; emits `built(page)` for each new one, before it is shown."""

    built = Signal(object)

    def __init__(self, factories: Mapping[str, Callable[[], Page]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._factories = dict(factories)
        self._order = tuple(factories)
        self._pages: dict[str, Page] = {}
        for _ in self._order:
            self.addWidget(QWidget())
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._build_one)

    @property
    def pages(self) -> tuple[Page, ...]:
        """The pages that exist so far, in order."""
        return tuple(self._pages[i] for i in self._order if i in self._pages)

    @property
    def badges(self) -> dict[str, Badge]:
        """What the pages that know more than the session say about their step, whichever page is on show."""
        found = {page_id: page.badge for page_id, page in self._pages.items()}
        return {page_id: badge for page_id, badge in found.items() if badge is not None}

    @property
    def current_id(self) -> str:
        return self._order[self.currentIndex()]

    def page(self, page_id: str) -> Page:
        """A page, built now if it does not exist yet."""
        if page_id not in self._pages:
            page = self._factories[page_id]()
            self._pages[page_id] = page
            self.built.emit(page)
            index = self._order.index(page_id)
            shown = self.currentIndex()
            placeholder = self.widget(index)
            self.insertWidget(index, page)
            if placeholder is not None:
                self.removeWidget(placeholder)
                placeholder.deleteLater()
            self.setCurrentIndex(shown)
        return self._pages[page_id]

    def show_page(self, page_id: str) -> None:
        """Bring a page to the front."""
        self.setCurrentWidget(self.page(page_id))

    def build_in_background(self) -> None:
        """Build the remaining pages one by one while the event loop is idle, so that the window never stalls for long."""
        self._timer.start(0)

    def build_all(self) -> None:
        """Build the remaining pages now."""
        self._timer.stop()
        for page_id in self._order:
            self.page(page_id)

    @Slot()
    def _build_one(self) -> None:
        missing = [i for i in self._order if i not in self._pages]
        if missing:
            self.page(missing[0])
            self._timer.start(0)
