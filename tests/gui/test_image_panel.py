"""The picture: which pixel is where, what zoom, contrast and overlay do."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import scene_position
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from cassi_gui.plots.image_panel import ImagePanel


# -- picture ----------------------------------------------------------------------------------------------------------
def test_rows_go_down_and_columns_to_the_right(panel: ImagePanel) -> None:
    first, lower, right = (scene_position(panel, *p) for p in ((0, 0), (19, 0), (0, 49)))
    assert lower.y() > first.y() + 50 and abs(lower.x() - first.x()) < 1
    assert right.x() > first.x() + 50 and abs(right.y() - first.y()) < 1


def test_the_value_under_the_cursor_is_that_of_the_pixel_whose_centre_is_nearest(panel: ImagePanel, qtbot: QtBot) -> None:
    seen: list[object] = []
    panel.cursor_moved.connect(seen.append)
    panel.graphics.scene().sigMouseMoved.emit(scene_position(panel, 7.4, 30.6))
    assert seen[-1] == (7, 31, 731.0)
    assert "row 7, column 31: 731 counts" in panel.value_text(7, 31)
    panel.graphics.scene().sigMouseMoved.emit(scene_position(panel, -0.6, 3))
    assert seen[-1] is None


def test_a_click_picks_the_pixel(panel: ImagePanel, qtbot: QtBot) -> None:
    position = panel.graphics.mapFromScene(scene_position(panel, 12, 5))
    with qtbot.waitSignal(panel.point_picked, timeout=1000) as caught:
        qtbot.mouseClick(panel.graphics.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(position.x(), position.y()))
    assert caught.args == [(12, 5)]


def test_points_can_be_picked_with_the_keyboard(panel: ImagePanel, qtbot: QtBot) -> None:
    qtbot.keyClick(panel.graphics, Qt.Key.Key_Right)
    qtbot.keyClick(panel.graphics, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    with qtbot.waitSignal(panel.point_picked, timeout=1000) as caught:
        qtbot.keyClick(panel.graphics, Qt.Key.Key_Return)
    assert caught.args == [(19, 26)]  # from the middle (10, 25): one right, ten down, held at the border


def test_zoom_keys_and_show_everything(panel: ImagePanel, qtbot: QtBot) -> None:
    before = panel.view.viewRect().width()
    qtbot.keyClick(panel.graphics, Qt.Key.Key_Plus)
    assert panel.view.viewRect().width() < before
    qtbot.keyClick(panel.graphics, Qt.Key.Key_0)
    assert panel.view.viewRect().width() == pytest.approx(before, rel=0.02)


def test_contrast_survives_a_hot_pixel_and_can_be_opened(panel: ImagePanel) -> None:
    image = np.tile(np.linspace(0, 1, 50), (20, 1))
    image[3, 3] = 1e6
    panel.set_image(image)
    assert panel.levels is not None and panel.levels[1] <= 1.0
    panel.set_levels_full()
    assert panel.levels == (0.0, 1e6)
    panel.set_levels_auto()
    assert panel.levels[1] <= 1.0


def test_signed_maps_are_symmetric_about_zero(panel: ImagePanel) -> None:
    panel.set_image(np.linspace(-1, 5, 1000).reshape(20, 50), colours="diverging")
    low, high = panel.levels or (0, 0)
    assert low == -high and high > 4


def test_the_zoom_stays_when_the_next_picture_has_the_same_shape(panel: ImagePanel) -> None:
    panel.view.setRange(xRange=(10, 20), yRange=(4, 8), padding=0)
    kept = panel.view.viewRect()
    panel.set_image(np.ones((20, 50)) * np.arange(50))
    assert panel.view.viewRect() == kept
    panel.set_image(np.ones((40, 50)) * np.arange(50))
    assert panel.view.viewRect().height() > 39


def test_no_picture_says_so(panel: ImagePanel) -> None:
    panel.set_image(None, empty="Load a measurement first")
    assert panel.empty_text == "Load a measurement first"
    panel.set_image(np.eye(9))
    assert panel.empty_text == ""


def test_the_overlay_lies_on_the_footprint(panel: ImagePanel) -> None:
    panel.set_footprint((2.5, 8.0, 10, 12))
    panel.set_overlay(np.ones((10, 12), bool), 0.3)
    rect = panel._overlay._rect
    assert (rect.left(), rect.top(), rect.width(), rect.height()) == (7.5, 2.0, 12, 10)
    panel.set_footprint((4.0, 8.0, 10, 12))
    assert panel._overlay._rect.top() == 3.5


def test_dragging_the_footprint_reports_row_and_column(panel: ImagePanel) -> None:
    panel.set_footprint((0, 0, 10, 12), movable=True)
    seen: list[tuple[float, float]] = []
    panel.footprint_moved.connect(seen.append)
    panel._roi.setPos((5.0, 1.0))  # the outline is half a pixel outside the first pixel's centre
    assert seen[-1] == (1.5, 5.5)
    panel.set_footprint((3, 4, 10, 12), movable=True)
    assert len(seen) == 1, "setting the footprint from outside is no drag"


def test_large_pictures_are_shown_reduced_until_zoomed_in(panel: ImagePanel) -> None:
    panel.set_image(np.random.default_rng(0).random((2048, 2048)).astype(np.float32))
    QApplication.processEvents()
    visible = [i for i in panel._picture._items if i.isVisible()]
    assert len(visible) == 1 and max(visible[0].image.shape) <= 1024
    panel.view.setRange(xRange=(1000, 1100), yRange=(1000, 1080), padding=0)
    QApplication.processEvents()
    visible = [i for i in panel._picture._items if i.isVisible()]
    assert len(visible) == 1 and visible[0].image.shape == (2048, 2048)
    assert visible[0].boundingRect().width() == 2048


def test_a_reduced_copy_covers_the_same_place(panel: ImagePanel) -> None:
    panel.set_image(np.zeros((1030, 2048), np.float32) + np.arange(2048))
    for item in panel._picture._items[:2]:
        rect = item.mapRectToParent(item.boundingRect())
        assert (rect.left(), rect.top(), rect.width(), rect.height()) == (-0.5, -0.5, 2048, 1030)


@pytest.mark.parametrize("size", [(500, 360), (900, 300), (260, 500)])
def test_axes_end_where_the_picture_ends(panel: ImagePanel, size: tuple[int, int]) -> None:
    """No column -200 beside a picture, whatever the shape of its place; a zoom stays a zoom."""
    panel.resize(*size)
    QApplication.processEvents()
    (left, right), (top, bottom) = panel.view.viewRange()
    assert (left, right, top, bottom) == pytest.approx((-0.5, 49.5, -0.5, 19.5), abs=0.4)
    panel.view.setRange(xRange=(10, 20), yRange=(4, 8), padding=0)
    panel.resize(size[0] + 60, size[1])
    QApplication.processEvents()
    (left, right), _ = panel.view.viewRange()
    assert right - left < 25
