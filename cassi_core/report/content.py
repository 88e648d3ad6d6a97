"""What a report tells, whether it comes from a finished run or from a calibration file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cassi_core.calibration.frames import parameters_to_dispersion_frame
from cassi_core.calibration.rig_model import Optics, RigModel
from cassi_core.calibration.scene_prior import BRIEF
from cassi_core.config import CalibrationConfig
from cassi_core.dispersion import Dispersion, from_dispersion_frame
from cassi_core.inputs import CalibrationInputs
from cassi_core.io.calibration_file import StoredCalibration, calibration_document, read_optics
from cassi_core.parameters import ParameterSet
from cassi_core.quality.maps import explain, reconstruction_settings, residual_in_rig
from cassi_core.quality.shift_field import local_shifts
from cassi_core.result import CalibrationResult, QualityMaps, Scores, Verdict
from cassi_core.run import GridScores, IterationRow, RunControl
from cassi_core.solvers.fused_cpu import FusedCpuSolver


@dataclass(frozen=True, eq=False)
class ReportContent:
    """Everything that the page shows. `document` is the calibration file; `measurement` the first snapshot, if at hand.

    Without `maps`, `table` or `grids` the page says in words why they are missing.
    """

    name: str
    document: dict[str, Any]
    parameters: ParameterSet
    start: ParameterSet
    scores: Scores
    verdict: Verdict
    dispersion: Dispersion
    maps: QualityMaps | None = None
    measurement: NDArray[np.float32] | None = None
    table: tuple[IterationRow, ...] = ()
    grids: tuple[GridScores, ...] = ()
    has_record: bool = False
    config: CalibrationConfig | None = None


def content_of_result(
    result: CalibrationResult,
    inputs: CalibrationInputs | None = None,
    name: str = "",
    config: CalibrationConfig | None = None,
) -> ReportContent:
    """The report of a finished run; `inputs` add the picture of the measurement, `config` what was set for the run."""
    first = result.inputs[0].path if result.inputs else ""
    return ReportContent(
        name or first,
        calibration_document(result),
        result.parameters,
        result.start,
        result.scores,
        result.verdict,
        result.dispersion,
        result.maps,
        None if inputs is None else inputs.frames[0].image,
        result.table,
        result.grids,
        True,
        config,
    )


def content_of_file(
    stored: StoredCalibration, inputs: CalibrationInputs | None, control: RunControl | None = None
) -> ReportContent:
    """The report of a calibration file; with its `inputs` the maps are computed again.

    Raises
    ------
    RunCancelled
        After ``control.cancel()``.
    """
    terms = {term.name: term.value_px for term in read_optics(stored.document)}
    maps = None if inputs is None else compute_maps(inputs, stored.start, stored.parameters, terms, control or RunControl())
    return ReportContent(
        stored.path.name,
        stored.document,
        stored.parameters,
        stored.start,
        stored.scores,
        stored.verdict,
        stored.dispersion,
        maps,
        None if inputs is None else inputs.frames[0].image,
    )


def compute_maps(
    inputs: CalibrationInputs,
    before: ParameterSet,
    after: ParameterSet,
    terms: Mapping[str, float],
    control: RunControl,
    config: CalibrationConfig | None = None,
) -> QualityMaps:
    """Residual maps, reconstructions and leftover shifts of the first snapshot with two sets of parameters (rig's frame) and terms of the optics."""
    config = config or CalibrationConfig()
    direction = inputs.dispersion.direction
    turned = inputs.in_dispersion_frame()
    model = RigModel.from_frame(turned, turned.frames[0], margin_px=config.auto.margin_px)
    solver, optics = FusedCpuSolver(config.threads), Optics(config.auto.smear_px, terms=terms)
    residuals, cubes, fields = [], [], []
    for parameters in (before, after):
        vector = parameters_to_dispersion_frame(parameters, direction).vector()
        _, residual = explain(model, solver, vector, BRIEF, optics, control)
        residuals.append(residual_in_rig(model, residual, direction))
        cube, _ = explain(model, solver, vector, reconstruction_settings(config.quality), optics, control)
        cubes.append(from_dispersion_frame(cube * np.float32(model.scale), direction))
        fields.append(local_shifts([model], solver, vector, optics, control, direction, blocks=config.quality.blocks))
    return QualityMaps(residuals[0], residuals[1], cubes[0], cubes[1], fields[0], fields[1])
