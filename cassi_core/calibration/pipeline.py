"""From inputs to a calibration: the one entry point of a run.

inputs (rig's frame) -> dispersion frame -> preset (auto, reference, algorithm1) -> scores, maps, verdict -> result (rig's frame)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from cassi_core.calibration import auto
from cassi_core.calibration.costs import Workload, errors, proof, seconds
from cassi_core.calibration.frames import (
    grid_from_frame,
    names_from_frame,
    parameters_from_dispersion_frame,
    parameters_to_dispersion_frame,
    vector_from_frame,
)
from cassi_core.calibration.likelihood.budget import ErrorBudget, distortion_term
from cassi_core.calibration.likelihood.estimate import Estimate, Estimator
from cassi_core.calibration.likelihood.problem import RigProblem, ensure_likelihood_compiled
from cassi_core.calibration.objective import ScorerCache, choose_device
from cassi_core.calibration.proof import Proof, prove
from cassi_core.calibration.rig_model import Optics, RigModel
from cassi_core.config import DEFAULT_REFINE, CalibrationConfig
from cassi_core.dispersion import Direction, from_dispersion_frame
from cassi_core.inputs import CalibrationInputs
from cassi_core.parameters import PARAMETER_NAMES, ParameterSet
from cassi_core.quality.identifiability import what_the_picture_tells
from cassi_core.quality.maps import explain
from cassi_core.quality.shift_checks import across_excess
from cassi_core.quality.verdict import judge, judge_unfinished
from cassi_core.result import (
    CalibrationResult,
    GridStep,
    NamedCovariance,
    OpticsTerm,
    Outcome,
    Reason,
    RegistrationError,
    Verdict,
)
from cassi_core.run import Event, GridScores, Observer, Preview, RunControl, RunRecorder, StageFinished, readonly
from cassi_core.solvers.fused_cpu import FusedCpuSolver, ensure_compiled
from cassi_core.solvers.protocol import GapSettings, GapSolver

Vector = NDArray[np.float64]
ERRORS, PROOF = "errors", "proof"
"""Names of the stages after the search."""
Plan = tuple[tuple[str, str, float], ...]


@dataclass(frozen=True, eq=False)
class _Search:
    """What a preset brings back: vector in the dispersion frame, the estimate with its errors if any, and where it comes from."""

    vector: Vector
    estimate: Estimate | None
    source: str
    peak_z: float | None
    device: str
    notes: tuple[str, ...] = ()
    evidence: float | None = None
    stopped_in: str | None = None


def calibrate(
    inputs: CalibrationInputs,
    config: CalibrationConfig | None = None,
    parameters: ParameterSet | None = None,
    *,
    control: RunControl | None = None,
    observe: Observer | None = None,
) -> CalibrationResult:
    """Find where the mask of a rig really sits from its snapshots alone.

    Parameters
    ----------
    inputs
        Snapshots of one rig, fitted jointly to one geometry, with the nominal mask and dispersion.
    config
        Preset and all settings; default: preset `auto`.
    parameters
        Start values, bounds and which parameters are refined (rig's frame); default: nominal values, refining `config.refine` or the
        preset's default choice. Parameters that are not refined come back bit-identical.
    control
        Cancel, pause and finish early from another thread.
    observe
        Receives the events of :mod:`cassi_core.run` in the thread of the run.

    Raises
    ------
    RunCancelled
        After ``control.cancel()``.
    InputError, ConfigError, NumericsError
        When inputs, settings or the computation are not usable.
    """
    config = config or CalibrationConfig()
    control = control or RunControl()
    start = _start_parameters(config, parameters)
    direction = inputs.dispersion.direction
    turned = inputs.in_dispersion_frame()
    solver = _solver(config, control)
    margins = {
        "auto": config.auto.margin_px,
        "reference": config.reference.margin_px,
        "algorithm1": config.algorithm1.margin_px,
    }
    margin = margins[config.preset]
    # The other presets work on several hypotheses side by side.
    threads = FusedCpuSolver(config.threads).threads if config.preset == "auto" else 1
    models = [RigModel.from_frame(turned, frame, margin_px=margin, threads=threads) for frame in turned.frames]
    load = Workload.of(models)
    search, plan = _preset(config, load)
    recorder = RunRecorder(
        control,
        observe,
        config.preset,
        (*plan, (PROOF, "Residuals, maps and verdict", seconds(proof(load, config.quality)))),
        to_rig=lambda vector: vector_from_frame(vector, direction),
        grid_to_rig=lambda grid: grid_from_frame(grid, direction),
    )
    if observe is not None:
        recorder.observe = _with_previews(observe, recorder, models[0], solver, config, direction)
    ensure_compiled(control)
    ensure_likelihood_compiled(control)
    found = search(models, parameters_to_dispersion_frame(start, direction), solver, recorder)
    return _finish(inputs, config, start, models, solver, recorder, found)


def _solver(config: CalibrationConfig, control: RunControl) -> GapSolver:
    """The compiled kernel, or for preset auto the named GPU; ``auto`` stays on the processor, which needs no torch and seconds only."""
    if config.preset == "auto" and config.device.startswith("cuda"):
        device, _ = choose_device(config.device, control)
        return ScorerCache().solver(device, control=control)
    return FusedCpuSolver(config.threads)


def _start_parameters(config: CalibrationConfig, parameters: ParameterSet | None) -> ParameterSet:
    if parameters is None:
        return ParameterSet.default(config.refine or DEFAULT_REFINE[config.preset])
    return parameters if config.refine is None else parameters.refining(config.refine)


Searcher = Callable[[Sequence[RigModel], ParameterSet, GapSolver, RunRecorder], _Search]


def _preset(config: CalibrationConfig, load: Workload) -> tuple[Searcher, Plan]:
    """The search of a preset and its plan; modules that need torch are imported only here."""
    if config.preset == "auto":

        def search_auto(models: Sequence[RigModel], start: ParameterSet, solver: GapSolver, recorder: RunRecorder) -> _Search:
            out = auto.run_auto(models, start, config.auto, solver, recorder)
            peak = out.alignment.z
            return _Search(out.vector, out.estimate, "auto", peak, solver.device, (), out.evidence, out.stopped_in)

        return search_auto, auto.plan(load, config.auto)
    from cassi_core.calibration import reference_presets

    search, plan = reference_presets.searcher(config, load)

    def search_reference(models: Sequence[RigModel], start: ParameterSet, solver: GapSolver, recorder: RunRecorder) -> _Search:
        out = search(models, start, solver, recorder)
        return _Search(out.vector, None, out.source, None, out.device, out.notes)

    return search_reference, (*plan, (ERRORS, "Errors of the values", seconds(errors(load))))


def _with_previews(
    observe: Observer,
    recorder: RunRecorder,
    model: RigModel,
    solver: GapSolver,
    config: CalibrationConfig,
    direction: Direction,
) -> Observer:
    """An observer that also gets a reconstruction after every stage but the last one, with the best parameters of that stage."""
    settings = GapSettings(8, 0.7, 0.5)
    optics = Optics(config.auto.smear_px)
    # The proof follows the last stage of the search with a reconstruction of its own.
    searched = [name for name, _, _ in recorder.plan if name not in (ERRORS, PROOF)]
    silent = {ERRORS, PROOF, *(searched[-1:] if config.quality.maps else ())}

    def forward(event: Event) -> None:
        observe(event)
        if not isinstance(event, StageFinished) or event.name in silent:
            return
        rows = [r for r in recorder.table if r.stage == event.name]
        if not rows:
            return
        best = min(rows, key=lambda r: r.score if np.isfinite(r.score) else np.inf)
        values = parameters_to_dispersion_frame(
            ParameterSet.default(values=dict(zip(PARAMETER_NAMES, best.values, strict=True))), direction
        ).vector()
        cube, _ = explain(model, solver, values, settings, optics, recorder.control)
        cube = from_dispersion_frame(cube * np.float32(model.scale), direction)
        observe(Preview(event.name, readonly(cube), best.values))  # type: ignore[arg-type]

    return forward


def _finish(
    inputs: CalibrationInputs,
    config: CalibrationConfig,
    start: ParameterSet,
    models: Sequence[RigModel],
    solver: GapSolver,
    recorder: RunRecorder,
    found: _Search,
) -> CalibrationResult:
    """Scores, sigmas, maps and verdict of what a preset found."""
    direction = inputs.dispersion.direction
    before = parameters_to_dispersion_frame(start, direction).vector()
    fitted = parameters_to_dispersion_frame(start, direction).with_vector(found.vector)
    if found.estimate is not None:
        # A preset may hold what the picture does not tell: what comes back as refined is what was fitted in the end.
        fitted = fitted.refining(found.estimate.names)
    estimate = _estimate(found, models, fitted, config, recorder)
    # Presets without a likelihood of their own have no errors before the stage that computes them is through.
    stopped_in = found.stopped_in if found.peak_z is not None else recorder.stopped_in
    if stopped_in is not None:
        estimate = None
    outcome: Outcome = "not_finished" if stopped_in else "finished_early" if recorder.control.finishing else "done"
    recorder.begin(PROOF, 0, parts=proof(Workload.of(models), config.quality))
    optics = Optics(config.auto.smear_px) if estimate is None else Optics(estimate.smear_px, terms=estimate.terms)
    proved = prove(models, solver, before, fitted.vector(), optics, config, recorder, direction)
    scores = proved.scores
    budget = _budget(estimate, across_excess(proved.shifts, direction), models[0])
    covariance = None if budget is None else budget.covariance
    names = () if estimate is None else estimate.names
    registration = None
    if estimate is not None and covariance is not None:
        registration = estimate.registration_with(covariance)
    parameters = parameters_from_dispersion_frame(fitted, direction)
    own = None if covariance is None else covariance[: len(names), : len(names)]
    correlation_names, correlation = _correlation(names, own, direction)
    if covariance is not None and estimate is not None:
        sigmas = dict(zip(correlation_names, np.sqrt(np.maximum(np.diag(covariance[: len(names)]), 0)).tolist(), strict=False))
        parameters = parameters.with_sigmas(sigmas)
    # The last row of the table is the result itself: values and errors are the same wherever they are shown.
    recorder.result_row(scores.residual_after, parameters)
    recorder.end(scores.residual_after)
    steps = () if stopped_in is None else grid_steps(recorder.grids, stopped_in, parameters)
    if stopped_in is None:
        verdict = _verdict(inputs, config, parameters, proved, found, estimate, registration, early=outcome == "finished_early")
    else:
        verdict = judge_unfinished(recorder.place_of(stopped_in), inputs, in_grid=bool(steps))
    return CalibrationResult(
        parameters=parameters,
        start=start,
        scores=scores,
        verdict=verdict,
        mask=inputs.mask,
        mask_source=inputs.mask_source,
        dispersion=inputs.dispersion,
        inputs=tuple(frame.source for frame in inputs.frames),
        preset=config.preset,
        source=found.source,
        outcome=outcome,
        stages=tuple(recorder.stages),
        table=tuple(recorder.table),
        grids=tuple(recorder.grids),
        seconds_total=recorder.elapsed_s,
        device=found.device,
        seed=config.seed,
        threads=FusedCpuSolver(config.threads).threads,
        correlation_names=correlation_names,
        correlation=correlation,
        peak_z=found.peak_z,
        maps=proved.maps,
        notes=found.notes,
        calibrated=datetime.now(UTC),
        registration=registration,
        error_terms=_terms(budget, names, direction),
        optics=_optics(estimate, covariance),
        grid_steps=steps,
    )


def _verdict(
    inputs: CalibrationInputs,
    config: CalibrationConfig,
    parameters: ParameterSet,
    proved: Proof,
    found: _Search,
    estimate: Estimate | None,
    registration: RegistrationError | None,
    *,
    early: bool,
) -> Verdict:
    """The verdict of a search that came to its end."""
    return judge(
        parameters,
        proved.scores,
        inputs=inputs,
        peak_z=found.peak_z,
        min_peak_z=config.auto.min_peak_z,
        evidence=found.evidence,
        shifts=proved.shifts,
        frame_shifts=proved.frame_shifts,
        line=proved.line,
        told=_told(found.estimate, inputs.dispersion.direction),
        registration=registration,
        noise_share=None if estimate is None else noise_share(estimate),
        settled=estimate is None or estimate.settled,
        finished_early=early,
    )


def _estimate(
    found: _Search, models: Sequence[RigModel], fitted: ParameterSet, config: CalibrationConfig, recorder: RunRecorder
) -> Estimate | None:
    """What the fit knows of its errors; for a search without a likelihood, what the likelihood says at the place that it found."""
    if found.peak_z is not None or not fitted.refined or recorder.stopped_in is not None:
        return found.estimate
    recorder.begin(ERRORS, 0, parts=errors(Workload.of(models)), rows=False)
    problem = RigProblem(models, config.auto.margin_px, FusedCpuSolver(config.threads).threads, recorder.control)
    estimate = Estimator(problem, fitted, {}, config.auto.smear_px, recorder).here()
    recorder.end()
    return estimate


def grid_steps(grids: Sequence[GridScores], stage: str, parameters: ParameterSet) -> tuple[GridStep, ...]:
    """How far apart the candidates of a stage were along each refined parameter, in its last grid; nothing where it compared none."""
    found: dict[str, float] = {}
    for grid in grids:
        if grid.stage == stage:
            found |= {
                n: float(np.median(np.diff(axis))) for n, axis in zip(grid.names, grid.axes, strict=True) if len(axis) > 1
            }
    return tuple(GridStep(name, found[name]) for name in parameters.refined if name in found)


def noise_share(estimate: Estimate) -> float | None:
    """Share of the variance of the prediction errors that is the shot noise of the light, as the fit sees it; None: not known."""
    problem, x = estimate.problem, estimate.x
    shot = [
        np.exp(x[problem.index("shot noise", k)]) * np.median(s.smooth / s.brightness**2)
        for k, s in enumerate(problem.snapshots)
    ]
    return min(1.0, float(np.mean(shot)) / estimate.spread**2) if estimate.spread > 0 else None


def _budget(estimate: Estimate | None, excess_px: float, model: RigModel) -> ErrorBudget | None:
    """The error budget with what the leftover shifts add to it."""
    if estimate is None or not estimate.names:
        return None
    term = distortion_term(
        estimate.budget.names, excess_px, (model.mask.shape[0], model.mask.shape[1]), model.dispersion.n_bands
    )
    return estimate.budget.plus(term)


def _optics(estimate: Estimate | None, covariance: Vector | None) -> tuple[OpticsTerm, ...]:
    """The terms of the optics that the picture shows, with their errors."""
    if estimate is None or covariance is None:
        return ()
    errors = np.sqrt(np.maximum(np.diag(covariance)[len(estimate.names) :], 0.0))
    return tuple(OpticsTerm(n, v, float(e)) for (n, v), e in zip(estimate.terms.items(), errors, strict=True))


def _terms(budget: ErrorBudget | None, names: tuple[str, ...], direction: Direction) -> tuple[NamedCovariance, ...]:
    """The terms of the budget in the rig's frame."""
    if budget is None:
        return ()
    signs = np.array([sign for _, sign in names_from_frame(names, direction)])
    size = len(names)
    return tuple(
        NamedCovariance(t.name, t.formula, t.origin, t.covariance[:size, :size] * np.outer(signs, signs)) for t in budget.terms
    )


def _told(fit: Estimate | None, direction: Direction) -> Reason | None:
    """What the picture tells, in the names and signs of the rig's frame."""
    if fit is None or not fit.names:
        return None
    mapped = names_from_frame(fit.names, direction)
    signs = np.array([sign for _, sign in mapped])
    return what_the_picture_tells(
        [name for name, _ in mapped], fit.covariance[: len(mapped), : len(mapped)] * np.outer(signs, signs), fit.prior_sigma
    )


def _correlation(
    names: tuple[str, ...], covariance: Vector | None, direction: Direction
) -> tuple[tuple[str, ...], Vector | None]:
    """Names in the rig's frame and the correlation matrix with the signs of that frame."""
    if covariance is None or not names:
        return (), None
    mapped = names_from_frame(names, direction)
    signs = np.array([sign for _, sign in mapped])
    scale = np.sqrt(np.maximum(np.diag(covariance), 1e-300))
    correlation = covariance / np.outer(scale, scale) * np.outer(signs, signs)
    return tuple(name for name, _ in mapped), np.clip(correlation, -1, 1)
