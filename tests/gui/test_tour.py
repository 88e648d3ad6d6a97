"""The tour of five steps: by itself at the very first start only, back from Help, away at a click."""

from __future__ import annotations

from conftest import WindowMaker
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from cassi_gui.shell.main_window import STEPS


def test_the_tour_walks_the_steps_and_comes_by_itself_only_once(qtbot: QtBot, make_window: WindowMaker) -> None:
    window = make_window()
    window.offer_tour()
    assert window.tour.isVisible()
    walked = []
    for _ in STEPS:
        walked.append(window.page_id)
        assert window.rect().contains(window.tour.geometry()) and window.tour.text.text()
        qtbot.keyClick(window.tour.next, Qt.Key.Key_Return)
    assert walked == [step.id for step in STEPS]
    assert not window.tour.isVisible()
    window.offer_tour()
    assert not window.tour.isVisible(), "it was seen"
    window.action_set["help.tour"].trigger()
    assert window.tour.isVisible() and window.page_id == "load" and not window.tour.back.isEnabled()
    window.resize(1024, 668)
    qtbot.wait(20)
    assert window.tour.geometry().bottom() <= window.centralWidget().height()
    qtbot.mouseClick(window.tour.close_, Qt.MouseButton.LeftButton)
    assert not window.tour.isVisible()
    link = window.load_page.findChild(QPushButton, "load.tour")
    assert isinstance(link, QPushButton)
    qtbot.mouseClick(link, Qt.MouseButton.LeftButton)
    assert window.tour.isVisible()
