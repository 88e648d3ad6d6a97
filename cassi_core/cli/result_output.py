"""What `cassi calibrate`, `show` and `demo` print of a calibration: the same words and numbers for a fresh result and for a file."""

from __future__ import annotations

from collections.abc import Sequence

from cassi_core.cli.console import Console
from cassi_core.dispersion import Dispersion
from cassi_core.formatting import format_number, format_value
from cassi_core.parameters import GEOMETRY_NAMES, Parameter, ParameterSet
from cassi_core.quality.check_text import check_line
from cassi_core.quality.optics_words import optics_lines
from cassi_core.result import GridStep, OpticsTerm, Scores, Verdict


def print_parameters(parameters: ParameterSet, start: ParameterSet, steps: Sequence[GridStep], console: Console) -> None:
    """The table of the parameters; of a search that was not finished with the steps of its grid, which are no errors."""
    known = {step.name: step.step for step in steps}
    rows = []
    for p in parameters:
        if p.name in GEOMETRY_NAMES or p.refine or p.value != 0:
            value = format_value(p.value, p.sigma, "", p.spec.digits)
            started = format_value(start[p.name].value, None, "", p.spec.digits)
            rows.append((p.name, value, p.unit, _state(p, known.get(p.name)), started))
    console.table(("parameter", "value", "unit", "", "start"), rows, numeric=(4,))


def _state(p: Parameter, step: float | None) -> str:
    if not p.refine:
        return "held"
    state = "at its bound" if p.at_bound else "refined"
    return state if step is None else f"grid step {format_number(step, p.spec.digits)}"


def print_optics(terms: Sequence[OpticsTerm], dispersion: Dispersion, console: Console) -> None:
    """What the lenses do besides placing the mask, a sentence each; nothing where nothing was found."""
    for k, line in enumerate(optics_lines(terms, dispersion)):
        console.result(f"{'optics' if k == 0 else '':<15} {line}")


def print_checks(verdict: Verdict, console: Console) -> None:
    """Every check with status, words, value and limit."""
    for reason in verdict.reasons:
        console.result(f"  {reason.status}: {check_line(reason)}")


def print_scores(scores: Scores, console: Console) -> None:
    """Residuals before and after."""
    console.result(f"residual        {scores.residual_before:.4f} before, {scores.residual_after:.4f} after")
    if scores.held_out_before is not None and scores.held_out_after is not None:
        console.result(f"held-out pixels {scores.held_out_before:.4f} before, {scores.held_out_after:.4f} after")
