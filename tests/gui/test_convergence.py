"""The plots over the steps of a run: parameters with their errors, and the residual."""

from __future__ import annotations

from dataclasses import replace

import fakes
import numpy as np
import pytest
from conftest import shown
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from cassi_core.config import DEFAULT_REFINE
from cassi_core.parameters import ParameterSet
from cassi_core.run import IterationRow
from cassi_gui.plots.axes import PowerAxis, StepAxis, ValueAxis
from cassi_gui.plots.convergence import ConvergencePanel


def one_stage(count: int) -> tuple[IterationRow, ...]:
    """Rows of a single stage, which is what one drawing is about."""
    return tuple(replace(row, stage="precise", step=i) for i, row in enumerate(fakes.table(count)))


# -- convergence ----------------------------------------------------------------------------------------------------------
def test_each_refined_parameter_has_its_own_curve_and_band(qtbot: QtBot) -> None:
    panel = ConvergencePanel("conv")
    shown(qtbot, panel)
    panel.set_parameters(fakes.start_parameters())
    rows = one_stage(20)
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
    panel.set_rows(one_stage(20))
    panel.set_parameters(fakes.start_parameters())
    rows = one_stage(12)
    for count, row in enumerate(rows, start=1):
        panel.take_rows([row])
        assert panel.draw_part(), "a new row at every part: some plots are always behind"
        everywhere = 2 * count >= len(panel.names) + 1
        assert bool(panel.empty_text) != everywhere, "what the run before left there is not shown"
    lengths = [len(panel.trace(name)[0]) for name in panel.names]
    assert len(rows) - min(lengths) < (len(panel.names) + 1) / 2 and max(lengths) == len(rows)
    while panel.draw_part():
        pass
    assert {len(panel.trace(name)[0]) for name in panel.names} == {len(rows)}


def test_many_small_plots_share_the_room_and_their_ticks_do_not_overlap(qtbot: QtBot) -> None:
    panel = ConvergencePanel("conv")
    shown(qtbot, panel, 386, 235)
    panel.set_parameters(ParameterSet.default(DEFAULT_REFINE["auto"]))
    panel.set_rows(one_stage(6))
    panel.settle()
    QApplication.processEvents()
    heights = [t.plot.vb.height() for t in panel._traces.values()]
    assert min(heights) > 15 and max(heights) < 2.5 * min(heights)
    tops = [round(t.plot.sceneBoundingRect().top()) for t in panel._traces.values()]
    assert [t.plot.getAxis("bottom").style["showValues"] for t in panel._traces.values()] == [top == tops[-1] for top in tops]
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
    panel.set_rows([replace(row, step=i) for i, row in enumerate(fakes.table(10) * 900)])
    steps, _ = panel.trace("dx")
    assert len(steps) <= 2500 and steps[-1] == 8999
    assert len(panel.table().rows) == 9000


def test_the_residual_of_a_stage_has_a_plot_of_its_own(qtbot: QtBot) -> None:
    panel = ConvergencePanel("conv")
    shown(qtbot, panel)
    panel.set_parameters(fakes.start_parameters())
    rows = [row for row in fakes.table(20) if row.stage == "precise"]
    panel.add_rows(rows[:4])
    panel.add_rows(rows[4:])
    steps, scores = panel.trace("residual")
    assert list(steps) == list(range(10)) and list(scores) == pytest.approx([r.score for r in rows])
    panel.clear_rows()
    assert panel.empty_text


def test_headings_of_a_run_that_has_ended_say_what_the_result_says(qtbot: QtBot) -> None:
    """The last row of the table may stand elsewhere: a search keeps its best, and errors are worked out afterwards."""
    panel = ConvergencePanel("conv")
    shown(qtbot, panel, 900, 600)
    panel.set_parameters(fakes.start_parameters())
    panel.set_rows(fakes.table(20))
    fitted = fakes.fitted_parameters().edit("dx", value=1.392)
    panel.set_result(fitted)
    assert panel.heading("dx") == "dx +1.392 \N{PLUS-MINUS SIGN} 0.012 px"
    assert panel.heading("scale_y") == "scale_y \N{MINUS SIGN}0.0800 \N{PLUS-MINUS SIGN} 0.0090 %"


def test_only_what_lies_along_the_map_is_drawn_of_a_grid(qtbot: QtBot) -> None:
    panel = ConvergencePanel("conv")
    shown(qtbot, panel)
    panel.set_parameters(fakes.start_parameters())
    panel.show_only(("dx", "dy"))
    panel.set_rows(fakes.table(6))
    assert panel.names == ("dx", "dy") and len(panel.trace("residual")[0]) == 6
    assert len(panel.trace("theta")[0]) == 0


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
    below = [v for _, values in StepAxis().tickValues(-30.0, 600.0, 400.0) for v in values]
    assert min(below) == 0, "there is no step below 0"
    wide = [v for _, values in StepAxis().tickValues(0.6, 3.4, 1400.0) for v in values]
    assert sorted(wide) == [1, 2, 3], "few steps in a wide plot have their numbers too"
