"""What holds for every control of the window, whatever it does: names, tips, the wheel, files dropped anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from conftest import RigFiles
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QDockWidget,
    QHeaderView,
    QInputDialog,
    QLineEdit,
    QPlainTextEdit,
    QScrollBar,
    QTabBar,
    QTabWidget,
    QTextEdit,
    QWidget,
)
from pytestqt.qtbot import QtBot

from cassi_core.io.readers import list_arrays
from cassi_gui.dialogs import Dialogs
from cassi_gui.main_window import PAGES, MainWindow
from cassi_gui.plots.dispersion_curve import CurveData
from cassi_gui.plots.panel import PlotPanel
from cassi_gui.settings import UiSettings
from cassi_gui.theme import LIGHT

Load = Callable[..., None]
CONTROLS = (
    *(QAbstractButton, QAbstractItemView, QAbstractSlider, QAbstractSpinBox, QComboBox, QLineEdit),
    *(QPlainTextEdit, QTabWidget, QTextEdit),
)
OF_QT = (QHeaderView, QScrollBar, QTabBar)


def controls(root: QWidget) -> Iterator[QWidget]:
    """Everything inside a widget that a person uses, without the inner parts of Qt's own widgets."""
    for widget in root.findChildren(QWidget):
        parents = []
        above = widget.parentWidget()
        while above is not None and above is not root:
            parents.append(above)
            above = above.parentWidget()
        inner = any(isinstance(p, (QAbstractSpinBox, QComboBox, QHeaderView, QTabBar, QAbstractItemView)) for p in parents)
        title = isinstance(widget.parentWidget(), QDockWidget) and isinstance(widget, QAbstractButton)
        inner = inner or widget.objectName() in ("qt_menubar_ext_button", "qt_toolbar_ext_button")
        if isinstance(widget, CONTROLS) and not isinstance(widget, OF_QT) and not inner and not title:
            yield widget


def shortcomings(root: QWidget) -> list[str]:
    """What a control lacks of an object name, a name for screen readers, and a tip."""
    found = []
    for widget in controls(root):
        words = widget.text() if isinstance(widget, QAbstractButton) else ""
        lacks = [
            what
            for what, there in (
                ("object name", widget.objectName() and not widget.objectName().startswith("qt_")),
                ("name", widget.accessibleName() or words),
                ("tip", widget.toolTip()),
            )
            if not there
        ]
        if lacks:
            found.append(f"{type(widget).__name__} {widget.objectName()} {words}: {', '.join(lacks)}")
    return found


@pytest.fixture
def whole(window: MainWindow, rig_files: RigFiles, load: Load, qtbot: QtBot) -> MainWindow:
    """A window with a finished run, all pages built and shown once."""
    load(window, rig_files.measurement, rig_files.mask)
    window.deck.build_all()
    window.slots_.start_run()
    qtbot.waitUntil(lambda: not window.runner.running and not window.runner.busy, timeout=20_000)
    for page in PAGES:
        window.show_page(page)
        for tabs in window.page.findChildren(QTabWidget):
            for index in range(tabs.count()):
                tabs.setCurrentIndex(index)
                QApplication.processEvents()
    return window


def test_every_control_has_a_name_and_a_tip(whole: MainWindow) -> None:
    assert not (found := shortcomings(whole)), "\n".join(found)
    for page in PAGES:
        assert whole.deck.page(page).accessibleName(), page
    for panel in whole.findChildren(PlotPanel):
        assert panel.graphics.accessibleName() and panel.graphics.toolTip(), panel.objectName()


def test_the_empty_window_too(window: MainWindow) -> None:
    window.deck.build_all()
    assert not (found := shortcomings(window)), "\n".join(found)


class Seen:
    """Looks at every dialog that opens, instead of a person, and closes it."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.wrong: list[str] = []
        self._timer = QTimer()
        self._timer.setInterval(10)
        self._timer.timeout.connect(self._look)
        self._timer.start()

    def stop(self) -> None:
        self._timer.stop()

    def _look(self) -> None:
        dialog = QApplication.activeModalWidget()
        if isinstance(dialog, QDialog):
            self.names.append(dialog.objectName())
            self.wrong += [f"{dialog.objectName()}: {line}" for line in shortcomings(dialog)]
            dialog.reject()


def test_every_control_of_every_dialog_has_a_name_and_a_tip(
    settings: UiSettings, qapp: QApplication, rig_files: RigFiles
) -> None:
    seen = Seen()
    dialogs = Dialogs(settings)
    picture = rig_files.inputs.mask
    np.savez(rig_files.folder / "two.npz", left=picture, right=picture)
    arrays = list_arrays(str(rig_files.folder / "two.npz"))
    ends, errors = np.array([500.0, 600.0]), np.full(2, 0.01)
    curve = CurveData(ends, np.array([0.0, 9.0]), errors, errors, errors, ends, np.array([0.0, 9.0]))
    try:
        assert not dialogs.confirm("Delete", "Really?", yes="Delete it")
        assert dialogs.ask("Which", "One of two", ("This one", "That one")) is None
        assert dialogs.ask_save("Save", "Save before closing?") == "cancel"
        assert dialogs.choose("Choose", "One of these", ("a", "b"), 1) is None
        assert dialogs.text("Note", "A note", "old") is None
        assert dialogs.text("Note", "A longer note", "old", multiline=True) is None
        dialogs.inform("Done", "It is done")
        dialogs.error("Wrong", "It went wrong", "the details")
        assert dialogs.choose_array("two.npz", arrays, lambda key, reply: None) is None
        assert dialogs.describe_raw("x.raw", 40 * 36 * 2) is None
        assert dialogs.choose_region("Region", lambda reply: reply(picture), None, LIGHT) is None
        assert dialogs.show_dispersion(curve, "a summary", "one frame", 6, LIGHT, lambda request: None) is None
        dialogs.show_html("Help", "<p>help</p>")
        dialogs.show_text("About", "versions")
        dialogs.show_table("Keys", ("a", "b"), (("1", "2"),), "a note")
    finally:
        seen.stop()
    assert len(seen.names) == 15 and all(seen.names), seen.names
    assert not seen.wrong, "\n".join(seen.wrong)


def test_a_text_is_typed_and_comes_back(settings: UiSettings, qapp: QApplication) -> None:
    def answer() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, QInputDialog)
        dialog.setTextValue("b" if dialog.isComboBoxEditable() or dialog.comboBoxItems() else "a new note")
        dialog.accept()

    dialogs = Dialogs(settings)
    QTimer.singleShot(50, answer)
    assert dialogs.text("Note", "A note", "old") == "a new note"
    QTimer.singleShot(50, answer)
    assert dialogs.choose("Choose", "One of these", ("a", "b")) == "b"
