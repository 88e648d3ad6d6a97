"""Value, limit and status of every check agree, in the record, in files, in print and in the report."""

from __future__ import annotations

import json
import math
import re
from dataclasses import asdict
from typing import get_args

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_calibration_file import make_result

from cassi_core.cli.calibrate import print_result
from cassi_core.cli.console import Console
from cassi_core.dispersion import Dispersion
from cassi_core.inputs import CalibrationInputs
from cassi_core.io.calibration_file import calibration_document
from cassi_core.parameters import ParameterSet
from cassi_core.quality.check_text import check_line, check_numbers
from cassi_core.quality.check_words import CHECKS, Action
from cassi_core.quality.display import within_errors
from cassi_core.quality.fit_checks import registration_check
from cassi_core.quality.identifiability import what_the_picture_tells
from cassi_core.quality.residual_structure import Line
from cassi_core.quality.shift_checks import most_by_chance, shift_checks, shifted_blocks
from cassi_core.quality.verdict import judge, judge_unfinished
from cassi_core.report import content_of_result, report_html
from cassi_core.result import LocalShift, Reason, RegistrationError, Scores, Verdict

POSITIVE = st.floats(1e-6, 1e3, allow_nan=False)
SHIFT = st.floats(-3, 3, allow_nan=False)
RNG = np.random.default_rng(5)
INPUTS = [
    CalibrationInputs.from_arrays(
        RNG.random((24, 24 + extra), np.float32), RNG.random((24, 24), np.float32), Dispersion.constant(4, 2.0)
    )
    for extra in (6, 4, 9)
]


@st.composite
def verdicts(draw: st.DrawFn) -> Verdict:
    """The verdict of anything that may come out of a run."""
    names = draw(st.sets(st.sampled_from(("dx", "scale_x", "alpha"))))
    parameters = ParameterSet.default(("dx", "scale_x", "alpha"))
    for name in names:
        parameters = parameters.edit(name, value=parameters[name].upper)
    optional = st.none() | POSITIVE
    count = draw(st.integers(0, 30))
    field = [
        LocalShift(12.0 * (i % 6), 12.0 * (i // 6), draw(SHIFT), draw(SHIFT), draw(POSITIVE), draw(POSITIVE))
        for i in range(count)
    ]
    error = draw(st.none() | st.builds(RegistrationError, *[POSITIVE] * 6, st.none() | POSITIVE))
    line = draw(st.none() | st.builds(Line, st.floats(0, 100), st.floats(0.01, 30), st.floats(0.07, 0.5), st.floats(-0.5, 0.5)))
    sigma = np.array([draw(POSITIVE), draw(POSITIVE)])
    told = what_the_picture_tells(("dx", "slope"), np.diag(sigma**2), np.array([np.inf, draw(POSITIVE)]))
    return judge(
        parameters,
        Scores(draw(POSITIVE), draw(POSITIVE), draw(optional), draw(optional)),
        inputs=draw(st.sampled_from(INPUTS)),
        peak_z=draw(optional),
        min_peak_z=8.0,
        evidence=draw(optional),
        shifts=field,
        frame_shifts=(field[::2], field[1::2]),
        line=line,
        told=draw(st.sampled_from((None, told))),
        registration=error,
        noise_share=draw(st.none() | st.floats(0, 1)),
        settled=draw(st.booleans()),
        finished_early=draw(st.booleans()),
    )


def agrees(status: str, value: float | None, direction: str | None, limit: float | None) -> bool:
    """Whether a status is what value and limit say."""
    if direction is None or limit is None or value is None:
        return True
    return (status == "pass") == (value <= limit if direction == "at most" else value >= limit)


NUMBERS = re.compile(r"\((?P<value>[\d.]+)\D*?, (?P<side>at most|at least) (?P<limit>[\d.]+)[^()]*\)$")


def said(line: str) -> tuple[float, str, float] | None:
    """Value, side and limit of a printed line; None where it holds none."""
    found = NUMBERS.search(line.rstrip())
    return None if found is None else (float(found["value"]), found["side"], float(found["limit"]))


class Paper:
    """Where a console writes."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.lines = ""

    def write(self, text: str) -> None:
        self.lines += text

    def flush(self) -> None: ...

    def isatty(self) -> bool:
        return False


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(verdicts())
def test_status_value_and_limit_agree_everywhere(verdict: Verdict) -> None:
    for r in verdict.reasons:
        assert agrees(r.status, r.value, r.direction, r.threshold)
        assert r.threshold is None or math.isfinite(r.threshold)
        assert r.title and r.means and r.causes and r.advice
        assert set(r.actions) <= set(get_args(Action))
        assert bool(r.actions) <= (r.status != "pass")
    result = make_result(verdict=verdict)
    stored = json.loads(json.dumps(calibration_document(result), allow_nan=False))["verdict"]["checks"]
    for entry, r in zip(stored, verdict.reasons, strict=True):
        assert agrees(entry["status"], entry["value"], entry["direction"], entry["threshold"])
        again = Reason.from_record(entry)
        assert asdict(again) == asdict(r) or not math.isfinite(r.value)
    paper = Paper()
    print_result(result, Console(out=paper, err=Paper()))  # type: ignore[arg-type]
    page = report_html(content_of_result(result))
    for r in verdict.reasons:
        line = f"  {r.status}: {check_line(r)}"
        assert line in paper.lines and (check_numbers(r) in page)
        numbers = said(line)
        if numbers is not None:
            assert agrees(r.status, *numbers)


def test_a_contradiction_cannot_be_made() -> None:
    with pytest.raises(ValueError, match=r"systematic shifts: 0.321, at most 0.1, is no pass"):
        Reason("systematic shifts", "pass", 0.321, 0.1, "", "at most")
    with pytest.raises(ValueError, match="mask found"):
        Reason("mask found", "fail", 12.0, 8.0, "", "at least")
    old = {"check": "systematic shifts", "status": "pass", "value": 0.321, "threshold": 0.1, "text": "of version 0.1"}
    assert check_numbers(Reason.from_record(old)) == "", "an old file's contradiction is not repeated"
    assert Reason.from_record({**old, "threshold": float("inf")}).threshold is None


def test_a_pattern_that_is_not_beyond_doubt_has_no_size_to_judge() -> None:
    rng = np.random.default_rng(2)
    field = [LocalShift(40.0 * i, 40.0 * j, *rng.normal(0, 0.5, 2), 0.5, 0.5) for i in range(4) for j in range(4)]
    check = next(r for r in shift_checks(field, (field,), (160, 160)) if r.check == "systematic shifts")
    assert (check.status, check.value) == ("pass", 0.0)
    turned = [LocalShift(s.row, s.col, -(s.row - 60) / 50, (s.col - 60) / 50, 0.02, 0.02) for s in field]
    check = next(r for r in shift_checks(turned, (turned,), (160, 160)) if r.check == "systematic shifts")
    assert check.status == "warn" and "rotation" in check.text and check.actions == ("refine_more",)


def test_every_frame_of_a_joint_fit_is_looked_at() -> None:
    """Two frames that are shifted against each other cancel in the field of both."""
    places = [(40.0 * i, 40.0 * j) for i in range(4) for j in range(4)]
    none = [LocalShift(r, c, 0.0, 0.0, 0.05, 0.05) for r, c in places]
    up, down = ([LocalShift(r, c, 0.0, d, 0.05, 0.05) for r, c in places] for d in (-0.4, 0.4))
    checks = {r.check: r for r in shift_checks(none, (up, down), (160, 160))}
    assert checks["leftover shifts"].status == "pass"
    assert checks["shifted blocks"].status == "warn" and checks["shifted blocks"].value == 16
    assert "16 of 16 blocks of frame 1" in checks["shifted blocks"].text
    assert {r.check: r.status for r in shift_checks(none, (none, none), (160, 160))}["shifted blocks"] == "pass"


def test_chance_gives_as_many_shifted_blocks_as_the_limit_allows() -> None:
    rng = np.random.default_rng(0)
    over = 0
    for _ in range(2000):
        right, down = rng.normal(0, np.hypot(0.3, 0.1), (2, 30))
        field = [LocalShift(0, 0, r, d, 0.3, 0.3) for r, d in zip(right, down, strict=True)]
        over += shifted_blocks(field) > most_by_chance(30)
    assert over <= 8, "one in a thousand is expected"
    assert within_errors(LocalShift(0, 0, 0.19, 0.0, 0.0, 0.0)) and not within_errors(LocalShift(0, 0, 0.21, 0.0, 0.0, 0.0))


def test_more_light_is_promised_only_where_it_helps() -> None:
    far = RegistrationError(0.2, 0.01, 0.05, 0.01, 0.1, 0.1)
    limited, unlimited = registration_check(far, 0.95), registration_check(far, 0.3)
    assert limited.light_factor == pytest.approx(4.0) and "about 4 times the light" in limited.advice
    assert limited.actions[0] == "more_light"
    assert unlimited.light_factor is None and "times the light" not in unlimited.advice
    assert registration_check(RegistrationError(0.05, 0.01, 0.05, 0.01, 0.1, 0.1), 0.95).light_factor is None


def test_a_shift_on_its_bound_is_a_failure_and_another_value_a_warning() -> None:
    def bounds(name: str) -> Reason:
        parameters = ParameterSet.default((name,))
        found = judge(
            parameters.edit(name, value=parameters[name].upper), Scores(0.2, 0.1), inputs=INPUTS[0], peak_z=None, min_peak_z=8
        )
        return next(r for r in found.reasons if r.check == "bounds")

    assert bounds("dx").status == "fail" and bounds("dx").actions[0] == "widen_bounds"
    assert bounds("scale_x").status == "warn"


def test_an_unfinished_search_keeps_what_is_true_of_its_inputs() -> None:
    found = judge_unfinished((2, 6), INPUTS[1], in_grid=True)
    assert [r.check for r in found.reasons] == ["search not finished", "width"] and found.status == "fail"
    assert set(get_args(Action)) >= {a for words in CHECKS.values() for a in words.actions}
