"""The plots over the steps of a run: parameters with their errors, and the residual."""

from __future__ import annotations

import fakes
import numpy as np
import pytest
from conftest import shown
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from cassi_core.config import DEFAULT_REFINE
from cassi_core.parameters import ParameterSet
from cassi_gui.plots.axes import PowerAxis, StepAxis, ValueAxis
from cassi_gui.plots.convergence import ConvergencePanel, ResidualPanel


# -- convergence ----------------------------------------------------------------------------------------------------------
def test_each_refined_parameter_has_its_own_curve_and_band(qtbot: QtBot) -> None:
    panel = ConvergencePanel("conv")
    shown(qtbot, panel)
    panel.set_parameters(fakes.start_parameters())
    rows = fakes.table(20)
    panel.add_rows(rows[:7])
    panel.add_rows(rows[7:])
    assert panel.names == DEFAULT_REFINE["auto"]
    steps, values = panel.trace("dy")
    assert list(steps) == list(range(20)) and list(values) == [r.values[1] for r in rows]
    low, high = panel.band("theta")
    late = [r for r in rows if r.sigmas is not None]
    assert len(low) == len(late) == 10
    assert high[-1] - low[-1] == pytest.approx(2 * late[-1].sigmas[2])


def test_rows_that_come_faster_than_plots_are_drawn_reach_all_of_them(qtbot: QtBot) -> None:
    panel = ConvergencePanel("conv")
    shown(qtbot, panel)
    panel.set_parameters(fakes.start_parameters())
    panel.set_rows(fakes.table(20))
    panel.set_parameters(fakes.start_parameters())
    rows = fakes.table(12)
    for count, row in enumerate(rows, start=1):
        panel.take_rows([row])
        assert panel.draw_part(), "a new row at every part: some plots are always behind"
        everywhere = 2 * count >= len(panel.names)
        assert bool(panel.empty_text) != everywhere, "what the run before left there is not shown"
    lengths = [len(panel.trace(name)[0]) for name in panel.names]
    assert len(rows) - min(lengths) < len(panel.names) / 2 and max(lengths) == len(rows)
    while panel.draw_part():
        pass
    assert {len(panel.trace(name)[0]) for name in panel.names} == {len(rows)}


def test_many_small_plots_share_the_room_and_their_ticks_do_not_overlap(qtbot: QtBot) -> None:
    panel = ConvergencePanel("conv")
    shown(qtbot, panel, 386, 235)
    panel.set_parameters(ParameterSet.default(DEFAULT_REFINE["auto"]))
    panel.set_rows(fakes.table(6))
    panel.settle()
    QApplication.processEvents()
    heights = [t.plot.vb.height() for t in panel._traces.values()]
    assert min(heights) > 15 and max(heights) < 2.5 * min(heights)
    assert [t.plot.getAxis("bottom").style["showValues"] for t in panel._traces.values()] == [False] * 6 + [True] * 2
    low, high = -1.0, 1.0
    for height in (18, 40, 300):
        for spacing, values in ValueAxis().tickValues(low, high, height):
            apart = np.diff(values) * height / (high - low)
            assert len(values) >= 1 and (apart >= 15 - 1e-9).all() and spacing > 0


def test_no_blur_is_an_answer_and_not_a_bound() -> None:
    none = ParameterSet.default(("psf",))["psf"]
    assert none.value == none.lower == 0.0 and not none.at_bound
    assert ParameterSet.default(("psf",)).edit("psf", value=3.0)["psf"].at_bound


def test_a_value_on_its_bound_says_so(qtbot: QtBot) -> None:
    panel = ConvergencePanel("conv")
    shown(qtbot, panel)
    parameters = ParameterSet.default(("dx",)).edit("dx", upper=fakes.TRUTH["dx"])
    panel.set_parameters(parameters)
    row = fakes.table(4)[-1]
    values = (fakes.TRUTH["dx"], *row.values[1:])
    panel.set_rows([type(row)("precise", 0, 0.0, 0.1, values)])
    assert "bound" in panel._traces["dx"].heading.text
    panel.set_rows([type(row)("precise", 0, 0.0, 0.1, (0.2, *row.values[1:]))])
    assert "bound" not in panel._traces["dx"].heading.text


def test_long_tables_are_thinned_but_end_where_the_search_stands(qtbot: QtBot) -> None:
    panel = ConvergencePanel("conv")
    shown(qtbot, panel)
    panel.set_parameters(fakes.start_parameters())
    panel.set_rows(fakes.table(10) * 900)
    steps, _ = panel.trace("dx")
    assert len(steps) <= 2500 and steps[-1] == 8999
    assert len(panel.table().rows) == 9000


def test_the_residual_has_one_curve_a_stage(qtbot: QtBot) -> None:
    panel = ResidualPanel("res")
    shown(qtbot, panel)
    rows = fakes.table(20)
    panel.add_rows(rows[:15])
    panel.add_rows(rows[15:])
    steps, scores = panel.curve("precise")
    assert list(steps) == list(range(10, 20)) and list(scores) == pytest.approx([r.score for r in rows[10:]])
    panel.clear()
    assert panel.empty_text


def test_names_of_stages_stay_inside_whatever_the_width(qtbot: QtBot) -> None:
    panel = ResidualPanel("res")
    shown(qtbot, panel, 460, 260)
    panel.set_stage_labels({"wide": "Fit with a brief scene estimate", "precise": "Fit with a precise scene estimate"})
    for rows in (fakes.table(20)[:11], fakes.table(20)[11:]):
        panel.add_rows(rows)
        for width in (460, 340, 900):
            panel.resize(width, 260)
            QApplication.processEvents()
            box = panel.plot.getViewBox().sceneBoundingRect()
            for stage in ("wide", "precise"):
                words = panel.name_of(stage)
                assert box.left() - 1 <= words.left() and words.right() <= box.right() + 1, (stage, width)


def test_axes_write_values_that_differ_and_whole_steps() -> None:
    axis = PowerAxis("left", logarithmic=True)
    expected = {
        (-0.886, -0.884, 150): ["0.1302", "0.1304", "0.1306"],
        (-1.9, -0.8, 150): ["0.02", "0.05", "0.1"],
        (-3.0, 2.0, 150): ["0.001", "0.01", "0.1", "1", "10", "100"],
        (-12.0, 3.0, 60): ["1.00e-08", "1"],
        (0.1, 0.3, 60): ["1.5"],
    }
    for (low, high, height), words in expected.items():
        [(spacing, values)] = axis.tickValues(low, high, height)
        assert axis.tickStrings(values, 1.0, spacing) == words
        assert all(low <= v <= high for v in values) and (np.diff(values) * height / (high - low) >= 15).all()
    ticks = [v for _, values in StepAxis().tickValues(0.0, 3.0, 400.0) for v in values]
    assert sorted(ticks) == [0, 1, 2, 3]
    wide = [v for _, values in StepAxis().tickValues(0.6, 3.4, 1400.0) for v in values]
    assert sorted(wide) == [1, 2, 3], "few steps in a wide plot have their numbers too"
