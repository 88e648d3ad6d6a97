"""Movable borders: each stays where a person drags it, also in the next window, until the layout is reset."""

from __future__ import annotations

import fakes
import pytest
from conftest import WindowMaker
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QSplitter
from pytestqt.qtbot import QtBot

from cassi_gui.screenshots.made_up_logbook import fill
from cassi_gui.shell.main_window import MainWindow

DRAG_PX = -60
PLACES = {
    "check_splitter": "check",
    "run_columns": "run",
    "run_search": "run",
    "run_scene": "run",
    "logbook_splitter": "logbook",
}
"""Every splitter and the page that it is on."""


def shares(splitter: QSplitter) -> list[float]:
    sizes = splitter.sizes()
    return [size / sum(sizes) for size in sizes]


def show(qtbot: QtBot, window: MainWindow, name: str) -> QSplitter:
    window.resize(1280, 900)
    if name.startswith("run") and not window.state.runs:
        # Panels are seen when they have content: two states of a grid make a curve beside its map.
        window.state.add_run(fakes.result(grids=(fakes.grid(scored=0.5), fakes.grid())))
    window.show_page(PLACES[name])
    if name.startswith("run"):
        qtbot.waitUntil(lambda: not window.runner.busy)
        window.run_page.plots.choose_stage("stage0")
    splitter = window.findChild(QSplitter, name)
    assert isinstance(splitter, QSplitter)
    qtbot.waitUntil(splitter.isVisible)
    QApplication.processEvents()
    return splitter


def drag(qtbot: QtBot, splitter: QSplitter, by_px: int) -> None:
    """Move the first border of a splitter with the mouse."""
    handle = splitter.handle(1)
    along = QPoint(by_px, 0) if splitter.orientation() == Qt.Orientation.Horizontal else QPoint(0, by_px)
    middle = handle.rect().center()
    qtbot.mousePress(handle, Qt.MouseButton.LeftButton, pos=middle)
    qtbot.mouseMove(handle, middle + along)
    qtbot.mouseRelease(handle, Qt.MouseButton.LeftButton, pos=handle.rect().center())
    QApplication.processEvents()


def read_logbook(qtbot: QtBot, window: MainWindow) -> None:
    window.logbook.refresh()
    qtbot.waitUntil(lambda: bool(window.logbook.view.contents.entries))


def test_no_border_is_forgotten(window: MainWindow) -> None:
    window.deck.build_all()
    assert {s.objectName() for s in window.findChildren(QSplitter)} == set(PLACES)


def test_borders_come_back_in_the_next_window_and_are_reset(qtbot: QtBot, make_window: WindowMaker) -> None:
    first = make_window()
    fill(first.logbook.path)
    read_logbook(qtbot, first)
    before, moved = {}, {}
    for name in PLACES:
        before[name] = shares(show(qtbot, first, name))
    # From the outside to the inside: a border that moves takes the borders in it along.
    for name in PLACES:
        splitter = show(qtbot, first, name)
        drag(qtbot, splitter, DRAG_PX)
    for name in PLACES:
        moved[name] = shares(show(qtbot, first, name))
        assert moved[name] != pytest.approx(before[name], abs=0.02), name
    first.close()
    second = make_window()
    read_logbook(qtbot, second)
    for name in PLACES:
        assert shares(show(qtbot, second, name)) == pytest.approx(moved[name], abs=0.01), name
    second.slots_.reset_layout()
    for name in PLACES:
        assert shares(show(qtbot, second, name)) == pytest.approx(before[name], abs=0.01), name
    second.close()
    third = make_window()
    read_logbook(qtbot, third)
    for name in PLACES:
        assert shares(show(qtbot, third, name)) == pytest.approx(before[name], abs=0.01), name


def test_sizes_of_a_page_that_was_not_opened_are_kept(qtbot: QtBot, make_window: WindowMaker) -> None:
    first = make_window()
    drag(qtbot, show(qtbot, first, "run_search"), DRAG_PX)
    moved = shares(show(qtbot, first, "run_search"))
    assert moved[0] < 0.57
    first.close()
    make_window().close()
    assert shares(show(qtbot, make_window(), "run_search")) == pytest.approx(moved, abs=0.01)


def test_a_plot_shown_alone_spoils_no_sizes(qtbot: QtBot, make_window: WindowMaker) -> None:
    first = make_window()
    before = shares(show(qtbot, first, "run_search"))
    drag(qtbot, show(qtbot, first, "run_search"), DRAG_PX)
    moved = shares(show(qtbot, first, "run_search"))
    first.run_page.plots.grid.enlarge_requested.emit()
    first.close()
    second = make_window()
    assert shares(show(qtbot, second, "run_search")) == pytest.approx(moved, abs=0.01)
    second.run_page.plots.grid.enlarge_requested.emit()
    second.slots_.reset_layout()
    assert shares(show(qtbot, second, "run_search")) == pytest.approx(before, abs=0.01)
    assert second.run_page.plots.alone is None
