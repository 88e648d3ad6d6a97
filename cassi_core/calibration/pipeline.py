"""From inputs to a calibration: the one entry point of a run.

inputs (rig's frame) -> dispersion frame -> preset (auto, reference, algorithm1) -> scores, maps, verdict -> result (rig's frame)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from cassi_core.calibration import auto
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
from cassi_core.calibration.rig_model import Optics, RigModel, relative_residual
from cassi_core.calibration.scene_prior import BRIEF, unexplained_share
from cassi_core.config import DEFAULT_REFINE, CalibrationConfig
from cassi_core.dispersion import Direction, from_dispersion_frame
from cassi_core.inputs import CalibrationInputs
from cassi_core.parameters import PARAMETER_NAMES, ParameterSet
from cassi_core.quality.identifiability import what_the_picture_tells
from cassi_core.quality.maps import explain, reconstruction_settings, residual_in_rig
from cassi_core.quality.shift_field import local_shifts
from cassi_core.quality.verdict import across_excess, judge
from cassi_core.result import CalibrationResult, LocalShift, NamedCovariance, QualityMaps, Reason, Scores
from cassi_core.run import Event, Observer, Preview, RunControl, RunRecorder, StageFinished, readonly
from cassi_core.solvers.fused_cpu import FusedCpuSolver, ensure_compiled
from cassi_core.solvers.protocol import GapSettings, GapSolver

Vector = NDArray[np.float64]
T = TypeVar("T")
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
    search, plan = _preset(config)
    recorder = RunRecorder(
        control,
        observe,
        config.preset,
        (*plan, ("proof", "Residuals, maps and verdict", 1.1)),
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


def _preset(config: CalibrationConfig) -> tuple[Searcher, Plan]:
    """The search of a preset and its plan; modules that need torch are imported only here."""
    if config.preset == "auto":

        def search_auto(models: Sequence[RigModel], start: ParameterSet, solver: GapSolver, recorder: RunRecorder) -> _Search:
            out = auto.run_auto(models, start, config.auto, solver, recorder)
            return _Search(out.vector, out.estimate, "auto", out.alignment.z, solver.device, evidence=out.evidence)

        return search_auto, auto.plan()
    from cassi_core.calibration import reference_presets

    search, plan = reference_presets.searcher(config)

    def search_reference(models: Sequence[RigModel], start: ParameterSet, solver: GapSolver, recorder: RunRecorder) -> _Search:
        out = search(models, start, solver, recorder)
        return _Search(out.vector, None, out.source, None, out.device, out.notes)

    return search_reference, plan


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
    silent = {name for name, _, _ in recorder.plan[-2 if config.quality.maps else -1 :]}

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
    control = recorder.control
    outcome: Literal["done", "finished_early"] = "finished_early" if control.finishing else "done"
    recorder.begin("proof", 6 if config.quality.maps else 3)
    before = parameters_to_dispersion_frame(start, direction).vector()
    fitted = parameters_to_dispersion_frame(start, direction).with_vector(found.vector)
    if found.estimate is not None:
        # A preset may hold what the picture does not tell: what comes back as refined is what was fitted in the end.
        fitted = fitted.refining(found.estimate.names)
    estimate = _estimate(found, models, fitted, config, recorder)
    optics = Optics(config.auto.smear_px if estimate is None else estimate.smear_px)
    maps, shifts, scores = _proof(models, solver, before, fitted.vector(), optics, config, recorder, direction)
    budget = _budget(estimate, across_excess(shifts, direction), models[0])
    names, covariance = ((), None) if budget is None else (budget.names, budget.covariance)
    registration = None
    if estimate is not None and covariance is not None:
        registration = estimate.registration_with(covariance)
    recorder.end(scores.residual_after)
    parameters = parameters_from_dispersion_frame(fitted, direction)
    correlation_names, correlation = _correlation(names, covariance, direction)
    if covariance is not None:
        sigmas = dict(zip(correlation_names, np.sqrt(np.maximum(np.diag(covariance), 0)).tolist(), strict=True))
        parameters = parameters.with_sigmas(sigmas)
    verdict = judge(
        parameters,
        scores,
        inputs=inputs,
        peak_z=found.peak_z,
        min_peak_z=config.auto.min_peak_z,
        evidence=found.evidence,
        shifts=shifts,
        told=_told(found.estimate, direction),
        registration=registration,
        settled=estimate is None or estimate.settled,
        finished_early=outcome == "finished_early",
    )
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
        maps=maps,
        notes=found.notes,
        calibrated=datetime.now(UTC),
        registration=registration,
        error_terms=_terms(budget, direction),
    )


def _estimate(
    found: _Search, models: Sequence[RigModel], fitted: ParameterSet, config: CalibrationConfig, recorder: RunRecorder
) -> Estimate | None:
    """What the fit knows of its errors; for a search without a likelihood, what the likelihood says at the place that it found."""
    if found.estimate is not None or found.peak_z is not None or not fitted.refined or recorder.control.finishing:
        return found.estimate
    problem = RigProblem(models, config.auto.margin_px, FusedCpuSolver(config.threads).threads, recorder.control)
    return Estimator(problem, fitted, {}, config.auto.smear_px, recorder).here()


def _budget(estimate: Estimate | None, excess_px: float, model: RigModel) -> ErrorBudget | None:
    """The error budget with what the leftover shifts add to it."""
    if estimate is None or not estimate.names:
        return None
    term = distortion_term(estimate.names, excess_px, (model.mask.shape[0], model.mask.shape[1]), model.dispersion.n_bands)
    return estimate.budget.plus(term)


def _terms(budget: ErrorBudget | None, direction: Direction) -> tuple[NamedCovariance, ...]:
    """The terms of the budget in the rig's frame."""
    if budget is None:
        return ()
    signs = np.array([sign for _, sign in names_from_frame(budget.names, direction)])
    return tuple(NamedCovariance(t.name, t.formula, t.origin, t.covariance * np.outer(signs, signs)) for t in budget.terms)


def _told(fit: Estimate | None, direction: Direction) -> Reason | None:
    """What the picture tells, in the names and signs of the rig's frame."""
    if fit is None or not fit.names:
        return None
    mapped = names_from_frame(fit.names, direction)
    signs = np.array([sign for _, sign in mapped])
    return what_the_picture_tells([name for name, _ in mapped], fit.covariance * np.outer(signs, signs), fit.prior_sigma)


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


def _proof(
    models: Sequence[RigModel],
    solver: GapSolver,
    before: Vector,
    after: Vector,
    optics: Optics,
    config: CalibrationConfig,
    recorder: RunRecorder,
    direction: Direction,
) -> tuple[QualityMaps | None, tuple[LocalShift, ...], Scores]:
    """If wanted, the maps; leftover shifts with the fitted parameters; residuals (also on held-out pixels) with them and with the start."""
    control = recorder.control
    model = models[0]

    def score(solver: GapSolver, vector: Vector) -> tuple[NDArray[np.float32], float, float]:
        """Residual image of the first snapshot, relative residual and held-out residual of all."""
        images = [explain(m, solver, vector, BRIEF, optics, control)[1] for m in models]
        relative = [relative_residual(image, m) for image, m in zip(images, models, strict=True)]
        held_out = unexplained_share(models, solver, vector, optics, control, seed=config.seed)
        return images[0], float(np.sqrt(np.mean(np.square(relative)))), held_out

    def picture(solver: GapSolver, vector: Vector) -> tuple[NDArray[np.float32], tuple[LocalShift, ...]]:
        """Reconstruction of the first snapshot and leftover shifts of all."""
        cube, _ = explain(model, solver, vector, reconstruction_settings(config.quality), optics, control)
        return from_dispersion_frame(cube * np.float32(model.scale), direction), leftover(solver, vector)

    def leftover(solver: GapSolver, vector: Vector) -> tuple[LocalShift, ...]:
        return local_shifts(models, solver, vector, optics, control, direction, blocks=config.quality.blocks)

    scored = _side_by_side(score, solver, (before, after))
    recorder.advance(2)
    (image_before, score_before, held_before), (image_after, score_after, held_after) = scored
    result = Scores(score_before, score_after, held_before, held_after)
    if not config.quality.maps:
        shifts = leftover(solver, after)
        recorder.advance()
        return None, shifts, result
    (cube_before, shifts_before), (cube_after, shifts_after) = _side_by_side(picture, solver, (before, after))
    recorder.advance(4)
    residuals = [residual_in_rig(model, image, direction) for image in (image_before, image_after)]
    maps = QualityMaps(residuals[0], residuals[1], cube_before, cube_after, shifts_before, shifts_after)
    return maps, shifts_after, result


def _side_by_side(work: Callable[[GapSolver, Vector], T], solver: GapSolver, vectors: Sequence[Vector]) -> list[T]:
    """The same work with each vector, on half of the processors each: threads that share every solve wait for each other."""
    if not isinstance(solver, FusedCpuSolver) or solver.threads < len(vectors):
        return [work(solver, vector) for vector in vectors]
    share = FusedCpuSolver(solver.threads // len(vectors))
    with ThreadPoolExecutor(len(vectors)) as pool:
        return list(pool.map(lambda vector: work(share, vector), vectors))
