"""What the tests of the window share: settings in a temporary folder, dialogs that answer by themselves, windows that are closed."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import fakes
import numpy as np
import pytest
from PySide6.QtCore import QEventLoop, QMimeData, QPoint, QPointF, QSettings, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from cassi_gui.desktop.dialogs import Dialogs, SaveAnswer
from cassi_gui.desktop.settings import UiSettings
from cassi_gui.plots.image_panel import ImagePanel
from cassi_gui.run.controller import RunController
from cassi_gui.shell.main_window import MainWindow
from cassi_gui.shell.page_deck import PageDeck
from cassi_gui.style.theme import palette_for

TIMEOUT_MS = 20_000


class AnsweringDialogs(Dialogs):
    """Gives prepared answers and remembers what was said."""

    def __init__(self, settings: UiSettings) -> None:
        super().__init__(settings)
        self.said: list[tuple[str, str]] = []
        self.files: tuple[str, ...] = ()
        self.save_path = ""
        self.folder_path = ""
        self.yes = True
        self.answer: int | None = 0
        self.words: str | None = "a note"
        self.array_key: str | None = None
        self.arrays_offered: list[tuple[str, ...]] = []
        self.raw_layout: str | None = None
        self.raw_sizes: list[int] = []
        self.region: tuple[int, int, int, int] | None = None
        self.region_pictures: list[Any] = []
        self.pages: list[tuple[str, str]] = []
        self.save_answer: SaveAnswer = "discard"
        self.asked_to_save: list[tuple[str, str]] = []

    def open_files(self, purpose: str, title: str, *, kind: str = "any", multiple: bool = True) -> tuple[str, ...]:
        return self.files

    def save_file(self, purpose: str, title: str, name: str, *, kind: str = "any") -> str:
        return self.save_path

    def folder(self, purpose: str, title: str) -> str:
        return self.folder_path

    def confirm(self, title: str, text: str, *, yes: str = "Yes", no: str = "Cancel") -> bool:
        self.said.append((title, text))
        return self.yes

    def ask(self, title: str, text: str, answers: Any) -> int | None:
        self.said.append((title, text))
        return self.answer

    def ask_save(self, title: str, text: str) -> SaveAnswer:
        self.asked_to_save.append((title, text))
        return self.save_answer

    def text(self, title: str, label: str, initial: str = "", *, multiline: bool = False) -> str | None:
        return self.words

    def inform(self, title: str, text: str) -> None:
        self.said.append((title, text))

    def error(self, title: str, text: str, details: str = "") -> None:
        self.said.append((title, text))

    def choose_array(self, path: str, arrays: Any, request: Any, purpose: str = "") -> str | None:
        self.arrays_offered.append(tuple(a.key for a in arrays))
        return self.array_key

    def describe_raw(self, path: str, size_bytes: int) -> str | None:
        self.raw_sizes.append(size_bytes)
        return self.raw_layout

    def choose_region(self, title: str, request: Any, current: Any, palette: Any) -> tuple[int, int, int, int] | None:
        loop = QEventLoop()

        def show(picture: Any) -> None:
            self.region_pictures.append(picture)
            loop.quit()

        request(show)
        loop.exec()
        return self.region

    def open_folder(self, path: str) -> None:
        self.pages.append(("folder", path))

    def show_html(self, title: str, html: str) -> None:
        self.pages.append((title, html))

    def show_text(self, title: str, text: str) -> None:
        self.pages.append((title, text))

    def show_table(self, title: str, header: Any, rows: Any, note: str = "") -> None:
        self.pages.append((title, "\n".join(" | ".join(row) for row in rows)))


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path) -> Iterator[Path]:
    """Nothing that a test does reaches the settings of the person who runs it."""
    folder = tmp_path / "settings"
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(folder))
    yield folder


@pytest.fixture(autouse=True)
def nothing_left_behind(qapp: QApplication) -> Iterator[None]:
    """Every test leaves as many top-level widgets as it found."""
    before = len(QApplication.topLevelWidgets())
    yield
    QApplication.processEvents()
    gc.collect()
    QApplication.sendPostedEvents(None, 52)  # QEvent.DeferredDelete
    left = [w for w in QApplication.topLevelWidgets() if w.isVisible()]
    assert not left, f"{left} are still open, {len(QApplication.topLevelWidgets()) - before} widgets more than before"


@pytest.fixture
def settings() -> UiSettings:
    return UiSettings()


@pytest.fixture
def dialogs(settings: UiSettings) -> AnsweringDialogs:
    return AnsweringDialogs(settings)


WindowMaker = Callable[..., MainWindow]


@pytest.fixture
def make_window(
    qtbot: QtBot, settings: UiSettings, dialogs: AnsweringDialogs, monkeypatch: pytest.MonkeyPatch
) -> Iterator[WindowMaker]:
    """Windows over a fake calibration (or any other); closed when the test ends."""
    made: list[MainWindow] = []
    # Pages are built when a test goes there: building all five for every test would take most of its time.
    monkeypatch.setattr(PageDeck, "build_in_background", lambda deck: None)

    def make(calibrate: Callable[..., Any] = fakes.calibrate, *, theme: str = "light", show: bool = True) -> MainWindow:
        settings.theme = theme
        runner = RunController(calibrate=calibrate)
        window = MainWindow(settings, palette_for(theme), dialogs=dialogs, runner=runner)
        made.append(window)
        if show:
            window.show()
            qtbot.waitExposed(window)
        return window

    yield make
    for window in made:
        if isValid(window):
            window.close()
            window.deleteLater()
    QApplication.processEvents()


@pytest.fixture
def window(make_window: WindowMaker) -> MainWindow:
    """A window whose runs end at once with the fake result."""
    return make_window()


@pytest.fixture
def slow_window(make_window: WindowMaker) -> MainWindow:
    """A window whose runs take about a second and obey the control."""
    return make_window(partial(fakes.calibrate, pause_s=0.05))


class RigFiles:
    """Files of the fake rig on disk, under names that say nothing."""

    def __init__(self, folder: Path) -> None:
        given = fakes.inputs()
        self.folder = folder
        self.measurement = folder / "a.npy"
        self.mask = folder / "b.npy"
        self.inputs = given
        np.save(self.measurement, given.frames[0].image)
        np.save(self.mask, given.mask)

    def save(self, name: str, array: Any) -> Path:
        path = self.folder / name
        np.save(path, array)
        return path


@pytest.fixture
def rig_files(tmp_path: Path) -> RigFiles:
    folder = tmp_path / "rig"
    folder.mkdir()
    return RigFiles(folder)


@pytest.fixture
def load(qtbot: QtBot) -> Callable[..., None]:
    """Give files to a window and wait until they are loaded."""

    def give(window: MainWindow, *paths: Path, bands: int = 6) -> None:
        window.add_files([str(p) for p in paths])
        qtbot.waitUntil(lambda: bool(window.state.snapshot.files.measurements), timeout=TIMEOUT_MS)
        window.load_page.form.bands.setValue(bands)
        qtbot.waitUntil(lambda: window.state.inputs is not None and not window.runner.busy, timeout=TIMEOUT_MS)

    return give


def drop(widget: QWidget, *paths: Path) -> QDropEvent:
    """Drag files over a widget and let them go there; Qt brings them to whatever in its line of parents takes them."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(p)) for p in paths])
    # File managers send the same as text.
    mime.setText("\n".join(u.toString() for u in mime.urls()))
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    place = centre(widget)
    QApplication.sendEvent(widget, QDragEnterEvent(place, copy, mime, left, none))
    event = QDropEvent(QPointF(place), copy, mime, left, none)
    QApplication.sendEvent(widget, event)
    return event


def centre(widget: QWidget) -> QPoint:
    return widget.rect().center()


def shown(qtbot: QtBot, widget: QWidget, width: int = 500, height: int = 360) -> QWidget:
    qtbot.addWidget(widget)
    widget.resize(width, height)
    widget.show()
    QApplication.processEvents()
    return widget


@pytest.fixture
def panel(qtbot: QtBot) -> ImagePanel:
    """A picture of 20 rows and 50 columns whose value is 100 * row + col."""
    panel = ImagePanel("picture", "Picture")
    shown(qtbot, panel)
    panel.set_image(100.0 * np.arange(20)[:, None] + np.arange(50)[None, :], unit="counts")
    QApplication.processEvents()
    return panel


def scene_position(panel: ImagePanel, row: float, col: float) -> QPointF:
    return panel.view.mapViewToScene(QPointF(col, row))
