"""Verify an earlier calibration with today's picture: the one entry point."""

from __future__ import annotations

import time

from cassi_core.calibration.frames import parameters_from_dispersion_frame, vector_from_frame
from cassi_core.calibration.likelihood.problem import ensure_likelihood_compiled
from cassi_core.calibration.rig_model import RigModel
from cassi_core.config import AutoSettings
from cassi_core.errors import InputError
from cassi_core.inputs import CalibrationInputs
from cassi_core.parameters import ParameterSet
from cassi_core.run import Observer, RunControl, RunRecorder
from cassi_core.solvers.fused_cpu import FusedCpuSolver
from cassi_core.verification import words
from cassi_core.verification.comparing import LIMIT_PX, compare
from cassi_core.verification.earlier import EarlierCalibration
from cassi_core.verification.result import Verification
from cassi_core.verification.today import Today, find_today, plan


def verify(
    inputs: CalibrationInputs,
    earlier: EarlierCalibration,
    settings: AutoSettings | None = None,
    *,
    threads: int = 0,
    control: RunControl | None = None,
    observe: Observer | None = None,
) -> Verification:
    """Whether an earlier calibration still holds for today's pictures of the rig.

    Parameters
    ----------
    inputs
        Today's snapshots with the mask and the nominal dispersion of the earlier calibration.
    earlier
        The earlier calibration (:class:`EarlierCalibration` is made of a run or of a file). What it held is held here too.
    settings
        Those of preset auto: how far the search reaches and what is known before, here counted from the earlier values.
    threads
        Threads of the likelihood; 0: all cores.
    control, observe
        Cancel and pause from another thread; receives the events of :mod:`cassi_core.run` in the thread of this call.

    Raises
    ------
    RunCancelled
        After ``control.cancel()``.
    InputError
        The dispersion of the inputs is not that of the calibration.
    """
    begun = time.perf_counter()
    settings, control = settings or AutoSettings(), control or RunControl()
    _check_rig(inputs, earlier)
    direction = inputs.dispersion.direction
    turned = inputs.in_dispersion_frame()
    count = FusedCpuSolver(threads).threads
    models = [RigModel.from_frame(turned, f, margin_px=settings.margin_px, threads=count) for f in turned.frames]
    recorder = RunRecorder(control, observe, "verify", plan(), to_rig=lambda vector: vector_from_frame(vector, direction))
    ensure_likelihood_compiled(control)
    old, old_covariance = earlier.in_dispersion_frame
    today = find_today(models, old, earlier.optics, settings, recorder)
    control.checkpoint()
    if today.estimate is None:
        reasons = words.not_found(inputs, today.peak_z)
        seconds = time.perf_counter() - begun
        return Verification(
            "cannot_tell",
            reasons,
            earlier.parameters,
            earlier.parameters,
            seconds,
            peak_z=today.peak_z,
            evidence=today.evidence,
            limit_px=LIMIT_PX,
        )
    found = compare(old, old_covariance, today.estimate, direction)
    result = Verification(
        found.state,
        (),
        earlier.parameters,
        _values_of_today(earlier.parameters, old, today, inputs),
        time.perf_counter() - begun,
        found.changes,
        found.across,
        found.pattern,
        found.common,
        found.chi_square,
        found.degrees,
        found.probability,
        LIMIT_PX,
        today.peak_z,
        today.evidence,
    )
    return words.explained(result, inputs, earlier)


def _check_rig(inputs: CalibrationInputs, earlier: EarlierCalibration) -> None:
    one, other = inputs.dispersion, earlier.dispersion
    if one.direction != other.direction or one.n_bands != other.n_bands:
        raise InputError(
            f"the picture is read with {one.n_bands} bands to the {one.direction} and the earlier calibration is of {other.n_bands} bands "
            f"to the {other.direction}; verify a picture of the same rig"
        )


def _values_of_today(parameters: ParameterSet, old: ParameterSet, today: Today, inputs: CalibrationInputs) -> ParameterSet:
    """Today's values and errors of what the earlier calibration refined; what it held stays bit-identical."""
    estimate = today.estimate
    assert estimate is not None
    direction = inputs.dispersion.direction
    values = parameters_from_dispersion_frame(old.with_vector(estimate.vector), direction).vector()
    sigmas = {}
    turned = parameters_from_dispersion_frame(old.with_sigmas(estimate.sigmas), direction)
    for p in turned:
        if p.refine and p.sigma is not None:
            sigmas[p.name] = p.sigma
    return parameters.with_vector(values).with_sigmas(sigmas)
