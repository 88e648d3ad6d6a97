"""The plots: where a pixel is, which way an arrow points, what a slice shows, what is written to files."""

from __future__ import annotations

import csv
import dataclasses
import math
import xml.etree.ElementTree as ET
from pathlib import Path

import fakes
import numpy as np
import pytest
from conftest import AnsweringDialogs, scene_position, shown
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from cassi_core.errors import OutputError
from cassi_core.result import LocalShift
from cassi_core.run import GridScores
from cassi_gui.desktop.saving import save_plot
from cassi_gui.plots import export
from cassi_gui.plots.convergence import ConvergencePanel
from cassi_gui.plots.cube_view import CubeView
from cassi_gui.plots.grid_score import GridScorePanel
from cassi_gui.plots.image_panel import ImagePanel
from cassi_gui.plots.linking import PanelLink
from cassi_gui.plots.loupe import LoupePanel
from cassi_gui.plots.matrix import CorrelationPanel
from cassi_gui.plots.pair import ViewMode
from cassi_gui.plots.panel import PlotPanel
from cassi_gui.plots.residual_pair import ResidualPanel as LeftOverPanel
from cassi_gui.plots.shift_field import ShiftFieldPanel
from cassi_gui.plots.spectrum import Spectrum, SpectrumPanel
from cassi_gui.style.theme import DARK, LIGHT


# -- files and themes -------------------------------------------------------------------------------------------------
def test_a_picture_is_written_as_png_svg_and_csv(panel: ImagePanel, tmp_path: Path) -> None:
    for kind in ("png", "svg", "csv"):
        panel.write(kind, tmp_path / f"x.{kind}")
    image = QImage(str(tmp_path / "x.png"))
    assert image.width() == 2 * panel.graphics.viewport().width()
    root = ET.fromstring((tmp_path / "x.svg").read_text())
    assert root.tag.endswith("svg") and "Picture" in (tmp_path / "x.svg").read_text()
    rows = list(csv.reader((tmp_path / "x.csv").read_text().splitlines()))
    assert rows[0][3] == "column 3" and float(rows[1 + 7][31]) == 731.0 and len(rows) == 21
    assert [p.name for p in tmp_path.iterdir() if p.suffix not in (".png", ".svg", ".csv")] == []


# With axes recorded at another resolution than they are drawn the shares are 0.016, 0.010 and 0.032.
@pytest.mark.parametrize(("kind", "share"), [("scores", 0.012), ("spectrum", 0.006), ("convergence", 0.024)])
def test_the_drawing_shows_the_same_as_the_picture(kind: str, share: float, qtbot: QtBot, tmp_path: Path) -> None:
    panel = make_panel(kind)
    shown(qtbot, panel, 420, 300)
    panel.write("png", tmp_path / "p.png")
    panel.write("svg", tmp_path / "p.svg")
    picture = QImage(str(tmp_path / "p.png")).convertToFormat(QImage.Format.Format_RGB32)
    drawing = QImage(picture.size(), QImage.Format.Format_RGB32)
    painter = QPainter(drawing)
    QSvgRenderer(str(tmp_path / "p.svg")).render(painter)
    painter.end()
    a, b = (np.frombuffer(i.constBits(), np.uint8).astype(int) for i in (picture, drawing))
    assert np.mean(np.abs(a - b) > 60) < share, "axes and plots lie where they do on the screen"


def test_a_large_picture_is_written_and_copied_in_the_background(
    qtbot: QtBot, tmp_path: Path, dialogs: AnsweringDialogs
) -> None:
    panel = ImagePanel("large", "Large")
    shown(qtbot, panel)
    picture = np.arange(300 * 400, dtype=np.float32).reshape(300, 400) / 8
    panel.set_image(picture)
    jobs: list[object] = []

    class Runner:
        def submit(self, function, *args, done, failed):
            jobs.append(function)
            done(function(*args))

    said: list[str] = []
    panel.export_requested.connect(
        lambda request: save_plot(dialogs, Runner(), request, lambda _level, text: said.append(text))
    )
    dialogs.save_path = str(tmp_path / "large.csv")
    panel.menu.actions()[2].trigger()
    assert len(jobs) == 1 and said[-1] == f"written: {tmp_path / 'large.csv'}"
    rows = (tmp_path / "large.csv").read_text().splitlines()
    assert rows[0].startswith("column 0,column 1,") and rows[300].split(",")[399] == repr(float(picture[299, 399]))
    QApplication.clipboard().clear()
    panel._copy_numbers()
    qtbot.waitUntil(lambda: QApplication.clipboard().text().splitlines() == rows)
    assert len(jobs) == 2
    colour = export.PictureRows(np.arange(24, dtype=np.uint8).reshape(2, 4, 3))
    assert len(colour) == 8 and colour[5] == [1, 1, 15, 16, 17] and colour[-1] == [1, 3, 21, 22, 23]


@pytest.mark.parametrize(
    ("index", "asked", "given"),
    [(1, "a.svg", "a.svg"), (1, "a.png", "a.svg"), (1, "a", "a.svg"), (0, "b.svg", "b.png"), (1, "v1.2", "v1.2.svg")],
)
def test_a_file_ends_as_its_content_does(
    index: int, asked: str, given: str, panel: ImagePanel, tmp_path: Path, dialogs: AnsweringDialogs
) -> None:
    panel.export_requested.connect(lambda request: save_plot(dialogs, None, request, lambda _level, _text: None))
    dialogs.save_path = str(tmp_path / asked)
    panel.menu.actions()[index].trigger()
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [given]
    head = (tmp_path / given).read_bytes()[:300]
    assert (b"<svg" in head) == given.endswith("svg") and head.startswith(b"\x89PNG") == given.endswith("png")
    before = (tmp_path / given).stat().st_mtime_ns
    dialogs.yes = False
    if asked != given:
        panel.menu.actions()[index].trigger()
        assert (tmp_path / given).stat().st_mtime_ns == before and "exists" in dialogs.said[-1][1], (
            "not under another name unasked"
        )


def test_the_menu_asks_for_a_file_with_a_proposed_name(panel: ImagePanel, qtbot: QtBot, tmp_path: Path) -> None:
    for index, kind in enumerate(("png", "svg", "csv")):
        with qtbot.waitSignal(panel.export_requested, timeout=1000) as caught:
            panel.menu.actions()[index].trigger()
        request = caught.args[0]
        assert (request.format, request.name) == (kind, f"picture.{kind}")
        request.write(tmp_path / request.name)
        assert (tmp_path / request.name).stat().st_size > 100


def test_a_plot_that_cannot_be_written_is_an_error_in_words(panel: ImagePanel, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="does not exist; make it first or choose another"):
        panel.write("png", tmp_path / "missing" / "x.png")


def test_picture_and_numbers_are_copied(panel: ImagePanel) -> None:
    by_text = {a.text(): a for a in panel.menu.actions()}
    by_text["Copy numbers"].trigger()
    assert QApplication.clipboard().text().splitlines()[1].startswith("0.0,1.0,2.0")
    by_text["Copy picture"].trigger()
    assert not QApplication.clipboard().image().isNull()


def make_panel(kind: str) -> PlotPanel:
    """One kind of plot with something to show."""
    if kind == "image":
        panel: PlotPanel = ImagePanel(kind)
        panel.set_image(np.eye(20))
        panel.set_points([(3, 4, "P1", 0)])
    elif kind == "cube":
        panel = CubeView(kind)
        panel.set_cube(fakes.scene(fakes.FakeRig()), None, None)
    elif kind == "loupe":
        panel = LoupePanel(kind)
        panel.set_loupe(fakes.loupe())
    elif kind == "left over":
        panel = LeftOverPanel(kind)
        panel.set_view(fakes.residual_view())
    elif kind == "scores":
        panel = GridScorePanel(kind)
        panel.show_grid(fakes.grid())
    elif kind == "convergence":
        panel = ConvergencePanel(kind)
        panel.set_parameters(fakes.start_parameters())
        panel.set_rows(fakes.table())
    elif kind == "spectrum":
        panel = SpectrumPanel(kind)
        panel.set_spectra([Spectrum("P1", 0, "after", np.arange(4.0))], None)
    elif kind == "field":
        panel = ShiftFieldPanel(kind)
        panel.set_shifts(fakes.shifts(fakes.FakeRig(), 0.2, 0.1, 0.01), (40, 46))
    else:
        panel = CorrelationPanel(kind)
        panel.set_correlation(("dx", "dy"), np.array([[1.0, 0.2], [0.2, 1.0]]))
    return panel


KINDS = ("image", "cube", "loupe", "left over", "scores", "convergence", "spectrum", "field", "matrix")


@pytest.mark.parametrize("kind", KINDS)
def test_every_plot_repaints_with_the_theme_and_is_written(kind: str, qtbot: QtBot, tmp_path: Path) -> None:
    panel = make_panel(kind)
    shown(qtbot, panel, 360, 260)
    corners = []
    for palette in (LIGHT, DARK):
        panel.set_palette(palette)
        QApplication.processEvents()
        corners.append(panel.graphics.grab().toImage().pixelColor(2, 2).name())
    assert corners == [LIGHT.plot_background, DARK.plot_background]
    panel.write("svg", tmp_path / "p.svg")
    panel.write("csv", tmp_path / "p.csv")
    assert "</svg>" in (tmp_path / "p.svg").read_text()
    header, *rows = csv.reader((tmp_path / "p.csv").read_text().splitlines())
    assert rows and all(len(row) == len(header) for row in rows)
    assert panel.graphics.accessibleName() and panel.objectName()


# -- before and after, linking, cube -------------------------------------------------------------------------------------
def test_both_residuals_have_one_scale_and_blink_in_one_place(qtbot: QtBot) -> None:
    panel = LeftOverPanel("left")
    shown(qtbot, panel)
    view = fakes.residual_view()
    panel.set_view(view)
    before, after = panel.tiles
    assert before.array is view.before and after.array is view.after
    assert before.levels == after.levels and before.levels[0] == -before.levels[1]
    panel.set_mode(ViewMode.BLINK)
    assert [t.array is view.after for t in panel.tiles] == [True]
    panel.flip()
    assert [t.array is view.before for t in panel.tiles] == [True]
    panel.set_mode(ViewMode.DIFFERENCE)
    gain = panel.tiles[0].array
    assert gain == pytest.approx(np.abs(view.before) - np.abs(view.after))
    panel.set_mode(ViewMode.BOTH)
    panel.set_narrow(True)
    assert [t.array is view.after for t in panel.tiles] == [True] and "before 41.2 %" in panel.captions[0]


def test_the_loupe_shows_the_picture_left_of_the_line_and_the_calculation_right_of_it(qtbot: QtBot) -> None:
    panel = LoupePanel("loupe")
    shown(qtbot, panel)
    loupe = fakes.loupe()
    panel.set_loupe(loupe)
    spot = loupe.spots[0]
    before, after = (t.array for t in panel.tiles)
    half = loupe.size_px // 2
    seen = loupe.cut(loupe.picture, spot)
    assert np.array_equal(before[:, :half], seen[:, :half]) and np.array_equal(after[:, :half], seen[:, :half])
    assert np.array_equal(after[:, half:], loupe.cut(loupe.after, spot)[:, half:])
    assert np.array_equal(before[:, half:], loupe.cut(loupe.before, spot)[:, half:])
    assert panel.tiles[0].divided == "standing" and "match 1.00" in panel.captions[1]
    panel.set_loupe(dataclasses.replace(loupe, along_axis=0))
    assert np.array_equal(panel.tiles[1].array[half:], loupe.cut(loupe.after, spot)[half:]), (
        "streaks that run down are cut across"
    )
    panel.set_mode(ViewMode.DIFFERENCE)
    assert panel.tiles[0].array == pytest.approx(seen - loupe.cut(loupe.before, spot)) and not panel.tiles[1].array.any()


def test_dots_and_arrow_keys_lay_the_loupe_elsewhere(qtbot: QtBot) -> None:
    panel = LoupePanel("loupe")
    shown(qtbot, panel)
    loupe = fakes.loupe()
    panel.set_loupe(loupe)
    qtbot.mouseClick(panel.dots, Qt.MouseButton.LeftButton, pos=panel.dots.dot(2).toPoint())
    assert panel.dots.spot == "top right" and panel.tiles[0].origin == (loupe.spots[2].row, loupe.spots[2].col)
    walked = []
    for key in (Qt.Key.Key_Left, Qt.Key.Key_Down, Qt.Key.Key_Right, Qt.Key.Key_Up):
        qtbot.keyClick(panel.dots, key)
        walked.append(panel.dots.spot)
    assert walked == ["centre", "bottom left", "centre", "top left"]


def test_the_axes_of_the_shift_field_end_where_the_picture_ends(qtbot: QtBot) -> None:
    panel = ShiftFieldPanel("field")
    shown(qtbot, panel, 500, 260)
    panel.set_shifts(fakes.shifts(fakes.FakeRig(), 0.2, 0.1, 0.01), (40, 46))
    for width in (500, 320):
        panel.resize(width, 260)
        QApplication.processEvents()
        x, y = panel.plot.getViewBox().viewRange()
        assert x == pytest.approx([-0.5, 45.5], abs=0.6) and y == pytest.approx([-0.5, 39.5], abs=0.6)


def test_the_legend_of_the_shift_field_counts_the_blocks_beyond_two_errors(qtbot: QtBot) -> None:
    panel = ShiftFieldPanel("field")
    shown(qtbot, panel)
    sure, unsure = LocalShift(10, 20, 0.5, 0.0, 0.01, 0.01), LocalShift(30, 20, 0.01, 0.0, 0.02, 0.02)
    panel.set_shifts([sure, unsure], (40, 60))
    assert panel.legend.counts == "beyond 2 errors: 1 of 2" and panel.beyond_errors == 1


def test_linked_panels_share_zoom_and_cursor(qtbot: QtBot) -> None:
    panels = [ImagePanel(f"linked_{i}") for i in range(2)]
    link = PanelLink(panels)
    for i, panel in enumerate(panels):
        shown(qtbot, panel)
        panel.set_image(np.arange(600.0).reshape(20, 30) + 1000 * i)
    panels[0].view.setRange(xRange=(4, 14), yRange=(3, 9), padding=0)
    for name in ("left", "top", "width", "height"):
        assert getattr(panels[1].view.viewRect(), name)() == pytest.approx(getattr(panels[0].view.viewRect(), name)(), abs=0.2)
    panels[0].graphics.scene().sigMouseMoved.emit(scene_position(panels[0], 5, 8))
    assert "row 5, column 8: 1158" in panels[1]._detail.full_text
    assert link.parent() is None


def test_the_band_slider_shows_that_band_with_its_wavelength(qtbot: QtBot) -> None:
    view = CubeView("cube")
    shown(qtbot, view)
    cube = fakes.scene(fakes.FakeRig())
    colour = np.zeros((40, 36, 3), np.uint8)
    view.set_cube(cube, fakes.wavelengths(6), colour)
    assert view.image is colour and view.band is None and not view.slider.isEnabled()
    view.mode_box.setCurrentIndex(1)
    with qtbot.waitSignal(view.band_changed) as caught:
        view.slider.setValue(4)
    assert caught.args == [4]
    assert np.array_equal(view.image, cube[4])
    assert view.band_label.text() == "band 5 of 6, 610.0 nm"
    view.set_cube(None, None, None)
    assert view.empty_text


# -- score map ----------------------------------------------------------------------------------------------------------
def test_the_score_map_has_dx_across_and_dy_down_whatever_the_order_of_the_axes(qtbot: QtBot) -> None:
    dx, dy, theta = np.arange(3.0), np.arange(10.0, 14.0), np.array([-1.0, 0.0, 1.0])
    scores = (100 * dx[:, None, None] + dy[None, :, None] + 1000 * (theta[None, None, :] + 2)).astype(np.float32)
    for order in ((0, 1, 2), (2, 1, 0), (1, 0, 2)):
        names, axes = ("dx", "dy", "theta"), (dx, dy, theta)
        grid = GridScores(
            "s",
            tuple(names[i] for i in order),
            tuple(axes[i] for i in order),
            scores.transpose(order),
            tuple((0.0, 10.0, -1.0)[i] for i in order),
        )
        panel = GridScorePanel(f"grid_{order[0]}{order[1]}")
        shown(qtbot, panel)
        panel.show_grid(grid)
        assert panel.axes_shown() == ("dx", "dy")
        panel.set_slice("theta", 2)
        assert panel.slice_scores().shape == (4, 3)
        assert panel.slice_scores()[3, 2] == 200 + 13 + 3000
        assert panel.value_at(QPointF(2.2, 12.8)) == "dx +2.000 px, dy +13.000 px: 3213"


def test_the_best_is_marked_and_its_slice_followed(qtbot: QtBot) -> None:
    panel = GridScorePanel("grid")
    shown(qtbot, panel)
    grid = fakes.grid()
    panel.show_grid(grid)
    x, y = panel._best.getData()
    assert (x[0], y[0]) == (grid.best[0], grid.best[1]) == (0.75, -0.75)
    slider, label = panel._sliders["theta"]
    assert slider.value() == 4 and label.text() == "theta +0.333 deg"
    slider.setValue(0)
    assert not panel.follow_box.isChecked()
    assert panel.slice_scores().min() > 0.4
    panel.follow_box.setChecked(True)
    assert slider.value() == 4


def test_heights_of_a_correlation_are_shown_upright_and_by_their_logarithm_if_wanted(qtbot: QtBot) -> None:
    panel = GridScorePanel("grid")
    shown(qtbot, panel)
    residuals = fakes.grid()
    panel.show_grid(residuals)
    assert panel.logarithmic and panel.log_box.isChecked(), "residuals by their logarithm"
    heights = np.array([[-100.0, 4.0], [-10.0, -1.0]], np.float32)
    panel.clear()
    panel.show_grid(GridScores("prealign", ("dx", "dy"), (np.arange(2.0), np.arange(2.0)), heights, (0.0, 0.0)))
    assert not panel.logarithmic and panel._image.image.tolist() == [[100.0, 10.0], [-4.0, 1.0]]
    assert panel._detail.full_text.startswith("best 100 times the noise")
    assert panel.table().header[-1] == "correlation (noise = 1)" and panel.table().rows[0] == (0.0, 0.0, 100.0)
    assert panel.value_at(QPointF(0, 1)) == "dx 0.000 px, dy +1.000 px: \N{MINUS SIGN}4 times the noise"
    panel.log_box.click()
    assert panel.logarithmic and panel._image.image == pytest.approx(np.array([[2.0, 1.0], [0.0, 0.0]]))


def test_points_not_scored_yet_say_so(qtbot: QtBot) -> None:
    panel = GridScorePanel("grid")
    shown(qtbot, panel)
    panel.show_grid(fakes.grid(scored=0.3))
    assert "not scored yet" in panel.value_at(QPointF(3, 3))
    assert "not scored yet" not in panel.value_at(QPointF(-3, -3))


def test_a_chosen_stage_stays_while_another_one_runs(qtbot: QtBot) -> None:
    panel = GridScorePanel("grid")
    shown(qtbot, panel)
    panel.show_grid(fakes.grid("stage0"))
    panel.show_grid(fakes.grid("stage1", n=5, n_theta=3))
    assert panel.grid is not None and panel.grid.stage == "stage1", "the newest one until a person chooses"
    panel.choose_stage("stage0")
    panel.show_grid(fakes.grid("stage1", n=5, n_theta=3))
    assert panel.grid.stage == "stage0" and panel.slice_scores().shape == (9, 9)


def finer(centre: tuple[float, float, float], best: float) -> GridScores:
    """A grid of 5 x 5 x 3 points round a place, one coarse step to either side; its lowest score is in the middle."""
    dx, dy, theta = (c + np.linspace(-s, s, n) for c, s, n in zip(centre, (0.75, 0.75, 1 / 3), (5, 5, 3), strict=True))
    away = [np.abs(a - c) for a, c in zip((dx, dy, theta), centre, strict=True)]
    scores = best + away[0][:, None, None] + away[1][None, :, None] + away[2][None, None, :]
    return GridScores("stage1", ("dx", "dy", "theta"), (dx, dy, theta), scores.astype(np.float32), centre)


def test_finer_grids_lie_inside_the_coarse_map_at_their_true_places(qtbot: QtBot) -> None:
    panel = GridScorePanel("grid")
    shown(qtbot, panel)
    panel.show_grid(fakes.grid("stage0"))
    panel.show_grid(finer((0.75, -0.75, 1 / 3), 0.1))
    panel.show_grid(finer((-1.5, 1.5, 1 / 3), 0.15))
    QApplication.processEvents()
    (left, right), (top, bottom) = panel.view.viewRange()
    assert (left, right, top, bottom) == pytest.approx((-3.375, 3.375, -3.375, 3.375)), "the map stays that of the coarse grid"
    frames = sorted((r.left(), r.right(), r.top(), r.bottom()) for r in panel.insets)
    assert frames[0] == pytest.approx((-2.4375, -0.5625, 0.5625, 2.4375), abs=0.04)
    assert frames[1] == pytest.approx((-0.1875, 1.6875, -1.6875, 0.1875), abs=0.04)
    assert panel.value_at(QPointF(0.76, -0.74)) == "dx +0.750 px, dy \N{MINUS SIGN}0.750 px: 0.1", "of the finest grid there"


def test_the_ring_stands_only_on_the_slice_that_holds_the_best(qtbot: QtBot) -> None:
    panel = GridScorePanel("grid")
    shown(qtbot, panel)
    panel.show_grid(fakes.grid())
    assert list(panel._best.getData()[0]) == [0.75]
    slider, _ = panel._sliders["theta"]
    slider.setValue(1)
    assert len(panel._best.getData()[0]) == 0, "the best lies on another slice"
    panel.show_grid(fakes.grid())
    assert slider.value() == 1 and len(panel._best.getData()[0]) == 0, "touched: it stays where it was put"
    slider.setValue(4)
    assert list(panel._best.getData()[0]) == [0.75]


def test_a_shift_of_nothing_is_zero_and_has_no_exponent(qtbot: QtBot) -> None:
    panel = GridScorePanel("grid")
    shown(qtbot, panel)
    axis = np.array([-1.0, -5.551e-17, 1.0])
    panel.show_grid(
        GridScores("s", ("dx", "dy", "theta"), (axis, axis, axis), np.ones((3, 3, 3), np.float32), (0.0, 0.0, axis[1]))
    )
    assert panel._sliders["theta"][1].text() == "theta 0.000 deg"
    assert panel.value_at(QPointF(-1.0, 0.0)) == "dx \N{MINUS SIGN}1.000 px, dy 0.000 px: 1"


def test_a_sweep_of_one_parameter_is_a_curve(qtbot: QtBot) -> None:
    panel = GridScorePanel("grid")
    shown(qtbot, panel)
    axis = np.linspace(-1, 1, 5)
    panel.show_grid(GridScores("sweep", ("theta",), (axis,), (0.2 + axis**2).astype(np.float32), (0.0,)))
    x, y = panel._curve.getData()
    assert list(x) == list(axis) and y[2] == pytest.approx(0.2)
    assert panel.axes_shown() == ("theta", None)


# -- spectra, shifts, correlations ---------------------------------------------------------------------------------------
def test_spectra_are_drawn_over_wavelengths_or_band_numbers(qtbot: QtBot) -> None:
    panel = SpectrumPanel("spec")
    shown(qtbot, panel)
    curves = [Spectrum("P1", 0, "before", np.arange(6.0)), Spectrum("P1", 0, "after", np.arange(6.0) + 1)]
    panel.set_spectra(curves, fakes.wavelengths(6))
    assert panel.axis_values[1] == 490.0 and "nm" in panel.plot.getAxis("bottom").labelText
    assert panel.table().header == ("wavelength (nm)", "P1 before", "P1 after")
    assert panel._curves[0].opts["pen"].style() != panel._curves[1].opts["pen"].style()
    panel.set_band(2)
    assert panel.band_line.value() == 530.0
    panel.set_spectra(curves[:1], None)
    assert list(panel.axis_values) == [1, 2, 3, 4, 5, 6]
    drawn = panel._curves[1].xData
    assert drawn is None or len(drawn) == 0, "the curve that is gone is not drawn any more"
    panel.set_spectra((), None)
    assert "Click a point" in panel.empty_text


def test_arrows_point_right_and_down_as_the_shifts_say(qtbot: QtBot) -> None:
    panel = ShiftFieldPanel("field")
    shown(qtbot, panel)
    panel.set_shifts([LocalShift(10, 20, 0.5, 0.0, 0.01, 0.01), LocalShift(30, 20, 0.0, 0.25, 0.01, 0.01)], (40, 60))
    (_, _, right, flat), (col, row, zero, down) = panel.arrows()
    assert right > 0 and flat == 0 and zero == 0 and down == pytest.approx(right / 2)
    view = panel.plot.getViewBox()
    start, end = view.mapViewToScene(QPointF(col, row)), view.mapViewToScene(QPointF(col, row + down))
    assert end.y() > start.y(), "a shift downwards is drawn downwards"
    assert panel.magnification * 0.5 <= 20, "an arrow stays in its block"
    assert panel.scale_px == 0.5


def test_a_good_calibration_looks_calm(qtbot: QtBot) -> None:
    panel = ShiftFieldPanel("field")
    shown(qtbot, panel)
    blocks = [(r, c) for r in (10.0, 30.0) for c in (10.0, 30.0)]
    panel.set_shifts([LocalShift(r, c, 0.01, 0.0, 0.02, 0.02) for r, c in blocks], (40, 40))
    assert max(math.hypot(a[2], a[3]) for a in panel.arrows()) < 0.1 * 20
    assert panel._sure.getData()[0] is None or len(panel._sure.getData()[0]) == 0, "within two sigma: drawn thin"
    panel.set_shifts([LocalShift(r, c, 0.3, 0.0, 0.02, 0.02) for r, c in blocks], (40, 40))
    assert len(panel._sure.getData()[0]) > 0
    assert panel._unsure.getData()[0] is None or len(panel._unsure.getData()[0]) == 0


def test_correlations_are_written_in_their_cells(qtbot: QtBot) -> None:
    panel = CorrelationPanel("matrix")
    shown(qtbot, panel)
    matrix = np.array([[1, 0.1, -0.95], [0.1, 1, 0.2], [-0.95, 0.2, 1]])
    panel.set_correlation(("dx", "dy", "slope"), matrix)
    at = {(c.pos().y(), c.pos().x()): c.textItem.toPlainText() for c in panel._cells}
    assert at[(0, 2)] == "-0.95" and at[(1, 2)] == "+0.20"
    assert panel.strong_pairs() == "hard to tell apart: dx and slope (-0.95)"
    panel.set_correlation((), None)
    assert "no uncertainties" in panel.empty_text


def test_a_long_legend_breaks_into_lines_and_never_widens_the_plot(qtbot: QtBot) -> None:
    panel = SpectrumPanel("spec")
    shown(qtbot, panel, 700, 300)
    curves = [Spectrum(f"Point {i}", i, kind, np.arange(4.0)) for i in range(8) for kind in ("before", "after")]
    panel.set_spectra(curves, None)
    for width in (700, 320):
        panel.resize(width, 300)
        QApplication.processEvents()
        assert panel.graphics.ci.geometry().width() <= panel.graphics.width()
        assert panel.legend.item.boundingRect().width() <= panel.graphics.width()
    assert panel.legend.geometry().height() > 30
