"""A search that was stopped before errors are known says so everywhere, and gives none."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from search_rigs import make_rig
from test_algorithm2 import QUICK
from test_cli_export import problems

from cassi_core.assets import read_asset
from cassi_core.calibration.pipeline import calibrate
from cassi_core.cli import main
from cassi_core.cli.calibrate import print_result
from cassi_core.cli.console import Console
from cassi_core.config import Algorithm1Settings, AutoSettings, CalibrationConfig, QualitySettings
from cassi_core.inputs import CalibrationInputs
from cassi_core.io.calibration_file import calibration_document, read_calibration, steps_of, write_calibration
from cassi_core.parameters import ParameterSet
from cassi_core.report import content_of_file, report_html
from cassi_core.report.pdf import report_pdf
from cassi_core.result import CalibrationResult
from cassi_core.run import Event, IterationRow, RunControl, StageStarted

POSE = ("dx", "dy", "theta")
TRUTH = {"dx": 1.4, "dy": -0.8, "theta": 0.5}
AUTO = CalibrationConfig(
    auto=AutoSettings(reach_px=8, reach_deg=1.5, min_peak_z=6.0), refine=POSE, threads=2, quality=QualitySettings(maps=False)
)
SWEEPS = Algorithm1Settings(beam_width=2, beam_points=3, n_slope=3, n_alpha=3, rounds=2, n_iter=4)
PRESETS = {
    "auto": AUTO,
    "reference": AUTO.model_copy(
        update={
            "preset": "reference",
            "reference": QUICK.model_copy(update={"grid": QUICK.grid.model_copy(update={"starts": 2, "fine_n_shift": 5})}),
        }
    ),
    "algorithm1": AUTO.model_copy(update={"preset": "algorithm1", "algorithm1": SWEEPS, "refine": (*POSE, "slope", "alpha")}),
}
SEARCHES = [
    ("auto", "prealign", 1),
    ("auto", "coarse", 2),
    *(("reference", stage, i) for i, stage in enumerate(("0", "1", "starts", "2B", "2C", "errors"), 1)),
    *(("algorithm1", stage, i) for i, stage in enumerate(("sweeps", "beam", "dispersion", "descent", "errors"), 1)),
]
COUNTS = {"auto": 4, "reference": 7, "algorithm1": 6}
GRIDS = ("prealign", "0", "1", "sweeps", "beam", "dispersion")


@pytest.fixture(scope="module")
def inputs() -> CalibrationInputs:
    rig = make_rig(TRUTH)
    return CalibrationInputs.from_arrays(rig.measurement, rig.mask, rig.dispersion)


def stopped(inputs: CalibrationInputs, preset: str, stage: str) -> tuple[CalibrationResult, list[Event]]:
    """A run that is asked to finish as soon as a stage begins."""
    control, events = RunControl(), []

    def observe(event: Event) -> None:
        events.append(event)
        if isinstance(event, StageStarted) and event.name == stage:
            control.finish_early()

    return calibrate(inputs, PRESETS[preset], control=control, observe=observe), events


@pytest.mark.parametrize(("preset", "stage", "number"), SEARCHES)
def test_a_search_stopped_in_any_stage_has_no_errors_and_says_where(
    inputs: CalibrationInputs, preset: str, stage: str, number: int
) -> None:
    result, events = stopped(inputs, preset, stage)
    assert result.outcome == "not_finished"
    assert all(p.sigma is None for p in result.parameters)
    assert result.registration is None and result.correlation is None and result.error_terms == ()
    assert result.correlation_names == ()
    judged = [r for r in result.verdict.reasons if r.check not in ("width", "saturation", "light")]
    assert [r.check for r in judged] == ["search not finished"] and result.verdict.status == "fail"
    assert judged[0].text.startswith(f"Stopped in stage {number} of {COUNTS[preset]}. The values are ")
    assert judged[0].text.endswith("; how wrong they are is not known.")
    assert ("best of a coarse grid" in judged[0].text) == (stage in GRIDS) == bool(result.grid_steps)
    assert "continue_search" in judged[0].actions
    last = [e for e in events if isinstance(e, IterationRow)][-1]
    assert last == result.table[-1] and last.sigmas is None
    assert last.values == tuple(p.value for p in result.parameters)


def test_the_steps_are_those_of_the_grid(inputs: CalibrationInputs) -> None:
    coarse = {s.name: s.step for s in stopped(inputs, "reference", "0")[0].grid_steps}
    assert coarse == pytest.approx({"dx": 0.75, "dy": 0.75, "theta": 0.6})
    fine = {s.name: s.step for s in stopped(inputs, "reference", "1")[0].grid_steps}
    assert fine == pytest.approx({"dx": 0.375, "dy": 0.375, "theta": 0.6})
    peak = {s.name: s.step for s in stopped(inputs, "auto", "prealign")[0].grid_steps}
    assert peak["dx"] == peak["dy"] == 1.0 and 0 < peak["theta"] <= 0.5


def test_a_stop_in_the_final_fit_keeps_its_honest_errors(inputs: CalibrationInputs) -> None:
    result, _ = stopped(inputs, "auto", "final")
    assert result.outcome == "finished_early" and result.grid_steps == ()
    assert all(result.parameters[n].sigma > 0 for n in POSE) and result.registration is not None
    assert any(r.check == "finished early" and r.status == "warn" for r in result.verdict.reasons)


@pytest.mark.parametrize("preset", PRESETS)
def test_one_run_has_one_answer(inputs: CalibrationInputs, preset: str, tmp_path: Path) -> None:
    """Values and errors of the last row of the table, the result and the file are the same numbers."""
    events: list[Event] = []
    result = calibrate(inputs, PRESETS[preset], observe=events.append)
    assert result.outcome == "done"
    rows = [e for e in events if isinstance(e, IterationRow)]
    assert tuple(rows) == result.table
    assert rows[-1].values == tuple(p.value for p in result.parameters)
    assert rows[-1].sigmas == tuple(p.sigma for p in result.parameters)
    assert all(p.sigma is not None and p.sigma > 0 for p in result.parameters if p.name in POSE)
    stored = read_calibration(write_calibration(result, tmp_path / "a.cassi.json")).parameters
    assert [(p.value, p.sigma) for p in stored] == [(p.value, p.sigma) for p in result.parameters]
    assert not any(r.stage == "errors" for r in rows), "computing errors moves no value"


def test_gradients_that_do_not_improve_the_grid_are_a_note(inputs: CalibrationInputs) -> None:
    wild = PRESETS["reference"].reference.stage_2b.model_copy(update={"lr_dy": 3.0, "lr_theta": 1.0, "lr_end": 3.0, "steps": 2})
    settings = QUICK.model_copy(
        update={"stage_2b": wild, "stage_2c": wild, "grid": QUICK.grid.model_copy(update={"n_iter": 2, "starts": 2})}
    )
    result = calibrate(inputs, PRESETS["reference"].model_copy(update={"reference": settings}))
    grid = [r for r in result.table if r.stage == "starts"]
    best = min(grid, key=lambda r: r.score)
    if result.table[-1].values[:3] == best.values[:3]:
        assert any("did not improve the best of the grid" in note for note in result.notes)
    else:
        assert result.notes == ()


class _Words:
    """Where a console writes."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None: ...

    def isatty(self) -> bool:
        return False


def test_it_is_said_in_file_report_and_on_the_command_line(
    inputs: CalibrationInputs, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result, _ = stopped(inputs, "reference", "0")
    document = calibration_document(result)
    schema = json.loads(read_asset("schema", "calibration-1.schema.json"))
    assert problems(json.loads(json.dumps(document)), schema, schema) == []
    assert document["outcome"] == "not_finished" and document["grid_steps"]["dx"] == pytest.approx(0.75)
    assert {entry["sigma"] for entry in document["parameters"].values()} == {None}
    path = write_calibration(result, tmp_path / "stopped.cassi.json")
    stored = read_calibration(path)
    assert stored.outcome == "not_finished" and steps_of(stored.document) == result.grid_steps
    assert stored.verdict == result.verdict or np.isnan(stored.verdict.reasons[0].value)
    out = _Words()
    print_result(result, Console(out=out, err=_Words()))
    assert main(["show", str(path)]) == 0
    shown = capsys.readouterr().out
    content = content_of_file(stored, None)
    page = report_html(content)
    for text in (out.text, shown):
        assert "verdict         search not finished" in text and "grid step 0.750" in text
    for text in (out.text, shown, page):
        assert "how wrong they are is not known" in text and "may be off by" not in text
        assert "\N{PLUS-MINUS SIGN}" not in re.sub("±1|near ±", "", text.split("Conventions")[0])
    assert b"%PDF" in report_pdf(content)[:8]


def test_parameters_of_a_stopped_search_are_those_of_its_best_candidate(inputs: CalibrationInputs) -> None:
    result, _ = stopped(inputs, "reference", "0")
    assert result.parameters["dx"].value == result.grids[0].best[0]
    assert ParameterSet.default().values()["alpha"] == result.parameters["alpha"].value
