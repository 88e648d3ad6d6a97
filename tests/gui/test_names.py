"""Every control has a name for scripts, one for screen readers and a tip for the mouse; Tab reaches it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fakes
import numpy as np
import pyqtgraph as pg
import pytest
from conftest import AnsweringDialogs, WindowMaker
from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QCalendarWidget,
    QComboBox,
    QDialog,
    QDoubleSpinBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QMenu,
    QMenuBar,
    QPlainTextEdit,
    QScrollArea,
    QScrollBar,
    QSpinBox,
    QTabBar,
    QTableView,
    QTabWidget,
    QTextEdit,
    QToolBar,
    QWidget,
)
from pytestqt.qtbot import QtBot

from cassi_core.io.readers import list_arrays
from cassi_gui.desktop.dialogs import Dialogs
from cassi_gui.desktop.settings import UiSettings
from cassi_gui.plots.dispersion_curve import CurveData
from cassi_gui.plots.panel import PlotPanel
from cassi_gui.run.controller import _core_calibrate
from cassi_gui.screenshots.made_up_logbook import fill
from cassi_gui.shell.main_window import PAGES, MainWindow
from cassi_gui.style.theme import LIGHT

CONTROLS = (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QScrollArea,
    QTabBar,
    QTabWidget,
    QTextEdit,
    pg.GraphicsView,
)
INSIDES = (QAbstractSpinBox, QComboBox, QHeaderView, QCalendarWidget, QTabBar, QScrollBar, pg.GraphicsView)
"""What is in these was put there by Qt or pyqtgraph."""


def made_by_the_program(widget: QWidget) -> bool:
    if isinstance(widget, QScrollBar | QHeaderView | QMenu | QMenuBar) or widget.objectName().startswith("qt_"):
        return False
    if type(widget).__name__ == "QWidget" and isinstance(widget.parentWidget(), QAbstractItemView | QScrollArea):
        return False
    if isinstance(widget, QAbstractButton) and isinstance(widget.parentWidget(), QTableView):
        return False  # the corner between the headers
    parent = widget.parentWidget()
    while parent is not None:
        if isinstance(parent, INSIDES):
            return False
        parent = parent.parentWidget()
    return True


def controls_in(root: QWidget) -> Iterator[QWidget]:
    """Everything that a person can act on, shown or not: what takes the focus by Tab, and what only looks as if it did."""
    for widget in root.findChildren(QWidget):
        if widget.isWindow() and widget is not root:
            continue
        takes_focus = widget.focusPolicy() & Qt.FocusPolicy.TabFocus == Qt.FocusPolicy.TabFocus
        if (isinstance(widget, CONTROLS) or takes_focus) and made_by_the_program(widget):
            yield widget


def visible_text(widget: QWidget) -> str:
    return widget.text() if isinstance(widget, QAbstractButton | QLabel) else ""


def reached_otherwise(widget: QWidget) -> bool:
    """The toolbar repeats the menus; of buttons that exclude each other Tab reaches one, and arrows the others."""
    if isinstance(widget, QAbstractButton) and (widget.autoExclusive() or widget.group() is not None):
        return True
    return isinstance(widget, QScrollArea) or isinstance(widget.parentWidget(), QToolBar)


def faults(root: QWidget) -> list[str]:
    """What is wrong with the controls of a window or dialog, in words."""
    found, seen = [], {}
    for widget in controls_in(root):
        name = widget.objectName()
        who = f"{type(widget).__name__} {name or visible_text(widget) or widget.parentWidget().objectName()!r}"
        if not name:
            found.append(f"{who} has no object name")
        elif seen.setdefault(name, widget) is not widget:
            found.append(f"{who} shares its object name")
        if not (widget.accessibleName() or visible_text(widget).strip("\N{HORIZONTAL ELLIPSIS} ")):
            found.append(f"{who} has no accessible name")
        if not widget.toolTip() and not (isinstance(widget, QLabel) and widget.text()):
            found.append(f"{who} has no tip")
        if isinstance(widget, QSpinBox | QDoubleSpinBox):
            unit = widget.suffix().strip()
            if unit and not unit.startswith("of ") and unit.lower() not in widget.toolTip().lower():
                found.append(f"{who} does not say {unit} in its tip")
        if isinstance(widget, QTabWidget):
            found += [f"{who}: no tip of {widget.tabText(i)}" for i in range(widget.count()) if not widget.tabToolTip(i)]
        if not reached_otherwise(widget) and not widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            found.append(f"{who} cannot be reached by keyboard")
    found += [f"{type(p).__name__} has no name" for p in root.findChildren(PlotPanel) if not p.objectName()]
    return found


def visit(qtbot: QtBot, window: MainWindow) -> list[str]:
    """Go to every page and every tab of it, as some controls are made when they are first shown."""
    found = []
    for page in PAGES:
        window.show_page(page)
        if not window.page.accessibleName() or not window.page.objectName():
            found.append(f"the page {page} is called {window.page.objectName()!r}, {window.page.accessibleName()!r}")
        if not getattr(window.page, "title", ""):
            found.append(f"the page {page} has no title")
        found += faults(window.page)
        for tabs in window.page.findChildren(QTabWidget):
            for index in range(tabs.count()):
                tabs.setCurrentIndex(index)
                qtbot.waitUntil(lambda: not window.runner.busy, timeout=60_000)
    return sorted({*found, *faults(window)})


def test_controls_of_an_empty_start(qtbot: QtBot, window: MainWindow) -> None:
    wrong = visit(qtbot, window)
    assert not wrong, "\n".join(wrong)
    assert len(list(controls_in(window))) > 200


@pytest.mark.slow
def test_controls_after_a_run_of_the_demo(qtbot: QtBot, make_window: WindowMaker, tmp_path: Path) -> None:
    window = make_window(_core_calibrate)
    fill(window.logbook.path)
    window.logbook.refresh()
    window.log_dock.show()
    window.slots_.open_demo()
    qtbot.waitUntil(lambda: window.state.inputs is not None and not window.runner.busy, timeout=60_000)
    window.slots_.start_run()
    qtbot.waitUntil(lambda: not window.runner.running and not window.runner.busy, timeout=200_000)
    window.qa_page.accept_current()
    window.export_page.folder.setText(str(tmp_path))
    window.export_page.write.click()
    qtbot.waitUntil(lambda: not window.runner.busy, timeout=60_000)
    wrong = visit(qtbot, window)
    assert not wrong, "\n".join(wrong)


def test_fields_that_open_in_tables_have_names_and_tips(qtbot: QtBot, window: MainWindow) -> None:
    window.state.replace(inputs=fakes.inputs())
    window.state.add_run(fakes.result())
    fill(window.logbook.path)
    window.logbook.refresh()
    tables = []
    for page, find, columns in (
        ("run", lambda: window.run_page.table, (1, 3)),
        ("qa", lambda: window.qa_page.runs.list, (0, "Note")),
        ("logbook", lambda: window.logbook_page.table, ("Rig", "Note")),
    ):
        window.show_page(page)
        qtbot.waitUntil(lambda: not window.runner.busy)
        table = find()
        if page == "qa":
            window.qa_page.tabs.setCurrentIndex(2)
        qtbot.waitUntil(lambda t=table: t.model().rowCount() > 0)  # type: ignore[misc]
        titles = [table.model().headerData(i, Qt.Orientation.Horizontal) for i in range(table.model().columnCount())]
        for column in columns:
            table.edit(table.model().index(0, titles.index(column) if isinstance(column, str) else column))
            editor = table.findChild(QLineEdit)
            assert editor.objectName() and editor.accessibleName() and editor.toolTip(), (page, column)
            table.setFocus()
            qtbot.waitUntil(lambda t=table: t.findChild(QLineEdit) is None)  # type: ignore[misc]
        tables.append(table)
    assert len(tables) == 3


# -- dialogs ----------------------------------------------------------------------------------------------------------
def curve() -> CurveData:
    nm = np.linspace(450.0, 650.0, 5)
    return CurveData(nm, nm / 10, nm * 0 + 0.1, nm * 0, nm * 0, nm, nm / 10)


def give_picture(reply: Callable[[Any], None]) -> None:
    reply(np.zeros((40, 30), np.float32))


OPENED: dict[str, Callable[[Dialogs, Path], object]] = {
    "confirm": lambda d, _: d.confirm("Replace?", "Really?", yes="Replace"),
    "ask": lambda d, _: d.ask("Which?", "One of two", ("First", "Second")),
    "ask_save": lambda d, _: d.ask_save("Save?", "Runs would be lost."),
    "text": lambda d, _: d.text("Note", "Why?"),
    "text_lines": lambda d, _: d.text("Note", "Why?", multiline=True),
    "inform": lambda d, _: d.inform("Done", "All is well"),
    "error": lambda d, _: d.error("It failed", "Choose another folder", "line 7"),
    "choose_array": lambda d, path: d.choose_array(str(path), list_arrays(path), lambda key, reply: None, "mask"),
    "show_dispersion": lambda d, _: d.show_dispersion(curve(), "28 bands", "one frame", 28, LIGHT, lambda request: None),
    "describe_raw": lambda d, _: d.describe_raw("camera.raw", 2 * 1024 * 1280),
    "choose_region": lambda d, _: d.choose_region("Region", give_picture, None, LIGHT),
    "show_html": lambda d, _: d.show_html("Help: Load", "<p>Drop files</p>"),
    "show_text": lambda d, _: d.show_text("About", "version 1"),
    "show_table": lambda d, _: d.show_table("Keys", ("Menu", "Keys"), [("File", "Ctrl+O")], "note"),
}


@pytest.mark.parametrize("kind", OPENED)
def test_controls_of_a_dialog(kind: str, qtbot: QtBot, settings: UiSettings, tmp_path: Path) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    path = tmp_path / "many.npz"
    np.savez(path, first=np.eye(12), second=np.ones((9, 14), np.uint16))
    found: list[str] = []
    count: list[int] = []

    def look() -> None:
        dialog = QApplication.activeModalWidget()
        if not isinstance(dialog, QDialog):
            QTimer.singleShot(10, look)
            return
        found.extend(faults(dialog))
        count.append(len(list(controls_in(dialog))))
        if not dialog.objectName():
            found.append("the dialog has no object name")
        dialog.reject()

    QTimer.singleShot(0, look)
    OPENED[kind](Dialogs(settings, window), path)
    assert not found, "\n".join(found)
    assert count[0] >= 1
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    assert window.findChildren(QDialog) == [], "nothing of it stays"


def test_no_dialog_is_left_out() -> None:
    others = {"open_files", "save_file", "folder", "open_folder"}
    assert {n for n in vars(Dialogs) if not n.startswith("_")} - others == set(OPENED) - {"text_lines"}


def test_help_says_which_page_it_is_about(window: MainWindow, dialogs: AnsweringDialogs) -> None:
    said = []
    for page in PAGES:
        window.show_page(page)
        window.slots_.show_help()
        said.append(dialogs.pages[-1][0])
    assert said == ["Help: Load", "Help: Check", "Help: Run", "Help: QA", "Help: Export", "Help: Verify", "Help: Logbook"]
