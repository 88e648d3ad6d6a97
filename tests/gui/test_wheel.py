"""The wheel: it scrolls the page under the cursor, and changes a box only while that box has the focus."""

from __future__ import annotations

from collections.abc import Callable

import fakes
from conftest import RigFiles
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QComboBox, QScrollArea, QScrollBar, QWidget
from pytestqt.qtbot import QtBot

from cassi_gui.shell.main_window import PAGES, MainWindow
from cassi_gui.widgets.raw_form import RawDialog

Load = Callable[..., None]
NOTCH = 120


def turn_wheel(widget: QWidget, notches: int) -> None:
    """Turn the wheel over the middle of a widget; up is positive. Qt passes on only what comes from a real wheel, so this does."""
    middle = widget.rect().center()
    target = widget.childAt(middle) or widget
    place = QPointF(target.mapFrom(widget, middle))
    while True:
        event = QWheelEvent(
            place,
            target.mapToGlobal(place),
            QPoint(),
            QPoint(0, notches * NOTCH),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(target, event)
        if event.isAccepted() or target.isWindow():
            return
        place = target.mapToParent(place)
        target = target.parentWidget()


def boxes_in(root: QWidget) -> list[QWidget]:
    """Every spin box and combo box that the program made."""
    found = [*root.findChildren(QAbstractSpinBox), *root.findChildren(QComboBox)]
    return [box for box in found if not box.objectName().startswith("qt_")]


def content(box: QWidget) -> str:
    return box.currentText() if isinstance(box, QComboBox) else box.text()  # type: ignore[attr-defined]


def test_no_box_of_any_page_is_changed_by_the_wheel_without_the_focus(
    qtbot: QtBot, window: MainWindow, rig_files: RigFiles, load: Load
) -> None:
    load(window, rig_files.measurement, rig_files.mask)
    for _ in range(2):
        window.state.add_run(fakes.result())
    window.state.replace(accepted_id=1)
    window.log_dock.show()
    changed, walked = [], set()
    for page in PAGES:
        window.show_page(page)
        qtbot.waitUntil(lambda: not window.runner.busy)
        window.page.setFocus()
        for box in boxes_in(window):
            box.setEnabled(True)
            box.clearFocus()
            before = window.state.snapshot, content(box)
            for notches in (1, -1, -1):
                turn_wheel(box, notches)
                if (window.state.snapshot, content(box)) != before:
                    changed.append(box.objectName())
            assert not box.hasFocus() and not box.focusPolicy() & (Qt.FocusPolicy.WheelFocus & ~Qt.FocusPolicy.StrongFocus)
            walked.add(box.objectName())
    assert sorted(set(changed)) == []
    assert {"dispersion.bands", "dispersion.step", "camera.turn", "preset_box", "check.band", "export.run"} <= walked
    assert {"logbook_since", "limits_sigmas", "tuner_step", "log_level", "decision_rig"} <= walked
    assert len(walked) > 60


def test_a_dialog_keeps_to_the_same_rule(qtbot: QtBot) -> None:
    dialog = RawDialog("camera.raw", 2 * 1024 * 1280)
    qtbot.addWidget(dialog)
    before = dialog.layout_text()
    for box in boxes_in(dialog):
        box.clearFocus()
        turn_wheel(box, -1)
    assert dialog.layout_text() == before


def test_the_wheel_over_a_box_scrolls_the_page_and_with_the_focus_changes_the_box(qtbot: QtBot, window: MainWindow) -> None:
    window.resize(900, 500)
    window.activateWindow()
    bands = window.load_page.form.bands
    area: QWidget | None = bands
    while not isinstance(area, QScrollArea):
        assert area is not None
        area = area.parentWidget()
    bar: QScrollBar = area.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0)
    window.load_page.setFocus()
    turn_wheel(bands, -1)
    assert bar.value() > 0 and bands.value() == 0
    bands.setFocus()
    qtbot.waitUntil(bands.hasFocus)
    turn_wheel(bands, 1)
    assert bands.value() == 1
