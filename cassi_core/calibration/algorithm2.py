"""Algorithm 2: grid search, then gradients through the unrolled solver, for the mask's position.

Stages 0 and 1 score every candidate of a grid (:mod:`cassi_core.calibration.grid_search`), stages 2A, 2B and 2C follow the gradient of the
same data residual from the best of them (:mod:`cassi_core.calibration.gradient_stages`, which loads torch). All snapshots of a rig take part in
every stage. A gradient result that does not score lower than the grid's is not taken. Without torch the result is that of Algorithm 1
and says so.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cassi_core.calibration import algorithm1
from cassi_core.calibration.grid_search import GRID_NAMES, evaluations, evaluations_of_a_start, run_grid_stages
from cassi_core.calibration.mismatch import MismatchParameters
from cassi_core.calibration.objective import (
    ScorerCache,
    choose_device,
    exact_hypothesis,
    load_torch,
    score_candidates,
    torch_available,
)
from cassi_core.calibration.rig_model import CANVAS_PAD, RigModel, named
from cassi_core.config import Algorithm1Settings, GradientStageSettings, ReferenceSettings
from cassi_core.dispersion import Dispersion
from cassi_core.errors import InputError
from cassi_core.inputs import CalibrationInputs
from cassi_core.parameters import ParameterSet
from cassi_core.quality.metrics import CubeScores, compare_cubes
from cassi_core.run import Observer, RunControl, RunRecorder
from cassi_core.solvers.protocol import GapSettings, GapSolver

Vector = NDArray[np.float64]
log = logging.getLogger(__name__)

SECONDS_PER_GRID_ITERATION = 0.003
"""One GAP iteration of one candidate at 256 x 256 x 28 by the compiled kernel on two cores (measured)."""
SECONDS_PER_GRADIENT_ITERATION = 0.02
"""One unrolled iteration, forward and backward, of a gradient step there (measured)."""


@dataclass(frozen=True, eq=False)
class SearchOutcome:
    """What a reference search found, dispersion frame: vector ``(9,)``, score, and the algorithm (`source`) that it comes from."""

    vector: Vector
    score: float
    source: str
    device: str = "cpu"
    notes: tuple[str, ...] = ()


def stage_plan(
    settings: ReferenceSettings, refined: Sequence[str] = GRID_NAMES, coarse: Algorithm1Settings | None = None
) -> tuple[tuple[str, str, float], ...]:
    """Stages as (name, label, weight), the weights being expected seconds at 256 x 256 x 28 on two cores.

    Where torch is missing and would be needed, these are the stages of Algorithm 1.
    """
    if _lacks_torch(settings):
        return algorithm1.stage_plan(coarse or Algorithm1Settings())
    first, second = evaluations(settings.grid)
    unit = SECONDS_PER_GRID_ITERATION
    third = settings.grid.starts * evaluations_of_a_start(len(GRID_NAMES)) * settings.grid.fine_n_iter * unit
    starts = (("starts", "Line searches from the best candidates", third),) if settings.grid.starts else ()
    return (
        ("0", "Grid over dx, dy and theta", first * settings.grid.n_iter * unit),
        ("1", "Finer grids round the best", second * settings.grid.fine_n_iter * unit),
        *starts,
        *(
            (name, f"Gradient: {', '.join(moved)}", stage.steps * stage.n_iter * SECONDS_PER_GRADIENT_ITERATION)
            for name, stage, moved in _moving_stages(settings, refined)
        ),
    )


def _gradient_stages(settings: ReferenceSettings) -> list[tuple[str, GradientStageSettings]]:
    stages = (("2A", settings.stage_2a), ("2B", settings.stage_2b), ("2C", settings.stage_2c))
    return [(name, stage) for name, stage in stages if stage.enabled]


def _moving_stages(settings: ReferenceSettings, refined: Sequence[str]) -> list[tuple[str, GradientStageSettings, list[str]]]:
    """The gradient stages that move at least one refined parameter, and which."""
    moved = [
        (name, stage, [n for n in GRID_NAMES if n in refined and getattr(stage, f"lr_{n}") > 0])
        for name, stage in _gradient_stages(settings)
    ]
    return [entry for entry in moved if entry[2]]


def _lacks_torch(settings: ReferenceSettings) -> bool:
    return bool(_gradient_stages(settings)) and not torch_available()


def run_algorithm2(
    models: Sequence[RigModel],
    start: ParameterSet,
    settings: ReferenceSettings,
    solver: GapSolver,
    recorder: RunRecorder,
    *,
    device: str = "cpu",
    coarse: Algorithm1Settings | None = None,
) -> SearchOutcome:
    """Search dx, dy and theta, those of them that `start` refines, within their bounds.

    Parameters
    ----------
    models
        Snapshots of one rig in the dispersion frame; all of them are scored together in every stage.
    start
        Centre of the grid, bounds and refine flags; everything not searched comes back bit for bit.
    solver
        The scorer of the grid stages.
    device
        Torch device of the gradient stages, as :func:`cassi_core.calibration.objective.choose_device` names it.
    coarse
        Settings of Algorithm 1, which runs instead where torch is missing.

    Returns
    -------
    SearchOutcome
        The best so far after ``finish_early``; `source` is "algorithm2", or "algorithm1" without torch.
    """
    if _lacks_torch(settings):
        text = "torch is not installed: this is the result of Algorithm 1, without the gradient stages"
        recorder.message(text, "warning")
        vector, score = algorithm1.run_algorithm1(models, start, coarse or Algorithm1Settings(), solver, recorder)
        return SearchOutcome(vector, score, "algorithm1", "cpu", (text,))
    ignored = [n for n in start.refined if n not in GRID_NAMES]
    notes: tuple[str, ...] = ()
    if ignored:
        notes = (f"Algorithm 2 searches dx, dy and theta; {', '.join(ignored)} kept the start value",)
        recorder.message(notes[0], "warning")
    best, score = run_grid_stages(models, start, settings.grid, solver, recorder)[0]
    if _moving_stages(settings, start.refined) and not recorder.control.finishing:
        best, score, kept = _follow_gradient(models, start.with_vector(best), settings, solver, recorder, device)
        notes += kept
    return SearchOutcome(best, score, "algorithm2", device, notes)


def _follow_gradient(
    models: Sequence[RigModel],
    found: ParameterSet,
    settings: ReferenceSettings,
    solver: GapSolver,
    recorder: RunRecorder,
    device: str,
) -> tuple[Vector, float, tuple[str, ...]]:
    """The gradient stages from what the grid found; kept when their result scores lower by the last stage's own solver.

    Vector, score, and a note when it did not.
    """
    load_torch(recorder.control)
    from cassi_core.calibration.gradient_stages import Snapshot, run_gradient_stages

    first = models[0]
    snapshots = [Snapshot(m.y, m.observed, m.scored) for m in models]
    refined, _ = run_gradient_stages(
        snapshots, first.mask, first.dispersion, found, settings, recorder, device=device, origin_px=float(CANVAS_PAD)
    )
    last = _gradient_stages(settings)[-1][1]
    gap = GapSettings(n_iter=last.n_iter, sigma_px=last.sigma_px)
    # Two evaluations: a request to finish early must not leave the second one out.
    hypothesis = exact_hypothesis(models, found["psf"].value)
    before, after = (
        float(score_candidates(models, solver, [named(v)], gap, recorder.control, hypothesis=hypothesis)[0])
        for v in (found.vector(), refined)
    )
    if after < before:
        return refined, after, ()
    if recorder.control.finishing:
        return found.vector(), before, ()
    note = (
        f"the gradient stages did not improve the best of the grid (score {after:.5f} after them, {before:.5f} before): "
        "the values of the grid are kept"
    )
    recorder.message(note)
    return found.vector(), before, (note,)


@dataclass(frozen=True)
class RefinedMismatch(MismatchParameters):
    """A mismatch that Algorithm 2 found, with its score, the algorithm it comes from, the device, and metrics if a truth was given.

    `metrics` compare a reconstruction with the found mask against `x_true`; they take no part in the search.
    """

    score: float = float("nan")
    source: str = "algorithm2"
    device: str = "cpu"
    metrics: CubeScores | None = None


class Algorithm2JointGradientRefinement:
    """Grid and gradient refinement of a coarse mismatch, under its public name.

    Parameters
    ----------
    device
        ``auto`` (CUDA when there is one), ``cpu``, ``cuda`` or ``cuda:INDEX``. A device that is not there becomes the CPU, with a
        warning.
    use_checkpointing
        Recompute activations in the backward pass to save memory; the result is the same.
    settings
        None: the defaults of :class:`cassi_core.config.ReferenceSettings`.
    threads
        Candidates scored side by side on the CPU; 0: one per core.
    """

    def __init__(
        self,
        device: str = "auto",
        use_checkpointing: bool = True,
        *,
        settings: ReferenceSettings | None = None,
        threads: int = 0,
    ) -> None:
        self.device = device
        self.settings = (settings or ReferenceSettings()).model_copy(update={"checkpointing": use_checkpointing})
        self.threads = threads
        self._scorers = ScorerCache()

    def refine(
        self,
        mismatch_coarse: MismatchParameters | None,
        y_meas: NDArray[np.generic],
        mask_real: NDArray[np.generic],
        x_true: NDArray[np.floating] | None = None,
        s_nom: NDArray[np.floating] | None = None,
        *,
        control: RunControl | None = None,
        observe: Observer | None = None,
    ) -> RefinedMismatch:
        """Refine dx, dy and theta of a coarse mismatch by the data residual of one snapshot.

        Parameters
        ----------
        mismatch_coarse
            Where the search begins; its dispersion and blur are held. None: the nominal position.
        y_meas
            Measurement ``[H, Wm]``.
        mask_real
            Nominal mask ``[H, W]``.
        x_true
            True cube ``[H, W, L]``, for reported metrics only.
        s_nom
            Nominal cumulative offsets of the bands in pixels ``[L]``; None: equal steps that fill the measurement, which needs
            `x_true` to tell the number of bands.

        Raises
        ------
        InputError
            When the arrays do not fit together.
        """
        control = control or RunControl()
        truth = None if x_true is None else np.asarray(x_true)
        dispersion = _dispersion(np.asarray(y_meas), np.asarray(mask_real), truth, s_nom)
        reference = None if truth is None else np.ascontiguousarray(np.moveaxis(truth, -1, 0), np.float32)
        inputs = CalibrationInputs.from_arrays(np.asarray(y_meas), np.asarray(mask_real), dispersion, reference=reference)
        model = RigModel.from_frame(inputs, inputs.frames[0], margin_px=self.settings.margin_px)
        step = dispersion.step_px
        start = (mismatch_coarse or MismatchParameters(disp_a1=step)).parameter_set(step, ParameterSet.default(GRID_NAMES))
        device, text = self._device(control)
        recorder = RunRecorder(control, observe, "reference", stage_plan(self.settings), device)
        recorder.message(text)
        solver = self._scorers.solver(device, self.threads, control)
        found = run_algorithm2([model], start, self.settings, solver, recorder, device=device)
        fitted = start.with_vector(found.vector)
        mismatch = MismatchParameters.from_values(fitted.values(), step)
        metrics = None if reference is None else _metrics(model, solver, fitted.values(), reference, control)
        return RefinedMismatch(**vars(mismatch), score=found.score, source=found.source, device=device, metrics=metrics)

    def _device(self, control: RunControl) -> tuple[str, str]:
        if _lacks_torch(self.settings):
            return "cpu", "torch is not installed; running on the processor"
        try:
            device, text = choose_device(self.device, control)
        except InputError as error:
            warnings.warn(f"{error}; running on the processor instead", RuntimeWarning, stacklevel=3)
            return "cpu", f"{error}; running on the processor instead"
        log.info(text)
        return device, text


def _dispersion(
    y: NDArray[np.generic], mask: NDArray[np.generic], truth: NDArray[np.generic] | None, s_nom: NDArray[np.floating] | None
) -> Dispersion:
    if s_nom is not None:
        return Dispersion(np.asarray(s_nom, np.float64))
    if truth is None or truth.ndim != 3:
        raise InputError(
            "the number of bands is not known; give the nominal offsets of the bands as s_nom, in pixels, shape (L,)"
        )
    n = truth.shape[-1]
    return Dispersion.constant(n, (y.shape[-1] - mask.shape[-1]) / max(1, n - 1))


def _metrics(
    model: RigModel, solver: GapSolver, values: dict[str, float], truth: NDArray[np.float32], control: RunControl
) -> CubeScores:
    """PSNR, SSIM and SAM of a GAP-TV reconstruction against the truth, after the best common factor between their units."""
    settings = GapSettings(n_iter=30, denoiser="tv", accelerated=True)
    cube, _ = solver.reconstruct(model.y, model.split_candidate(values), settings, weight=model.observed, control=control)
    energy = float(np.sum(cube.astype(np.float64) ** 2))
    gain = float(np.sum(cube.astype(np.float64) * truth)) / energy if energy > 0 else 1.0
    return compare_cubes(np.clip(cube * gain, 0, None), truth, data_range=float(truth.max()))
