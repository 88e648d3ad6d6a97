"""The score that the searches compare candidates by, and the fastest solver that the device has to compute it.

    score(p) = sqrt( sum_frames ||scored . (y - A_p x_p)||^2 / sum_frames ||scored . y||^2 )

``x_p`` is the cube that a few GAP iterations rebuild with the mask and offsets of candidate ``p``. The canvas and the scored
pixels come from the data alone, so scores of different candidates compare; no ground truth takes part.
"""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import count

import numpy as np
from numpy.typing import NDArray

from cassi_core.calibration.rig_model import RigModel
from cassi_core.errors import InputError
from cassi_core.run import RunControl
from cassi_core.solvers.fused_cpu import FusedCpuSolver, ensure_compiled
from cassi_core.solvers.protocol import Candidate, GapSettings, GapSolver

Scores = NDArray[np.float32]
Report = Callable[[int, Scores], None]
"""Called in the caller's thread with how many candidates are done and the scores so far (NaN: not yet)."""
Hypothesis = Callable[[Mapping[str, float]], Candidate]
"""Makes what the solver is given out of parameter values; called from several threads."""

REPORT_S = 0.05
"""Seconds between two reports while candidates are scored."""
BATCH_BYTES = 2**30
"""Cubes of one batch on an accelerator together take at most this much, about four copies each."""


def score_candidates(
    models: Sequence[RigModel],
    solver: GapSolver,
    candidates: Sequence[Mapping[str, float]],
    settings: GapSettings,
    control: RunControl | None = None,
    report: Report | None = None,
    hypothesis: Hypothesis | None = None,
) -> Scores:
    """Scores of all candidates, in their order; lower is better.

    Parameters
    ----------
    models
        Snapshots of one rig, in the dispersion frame.
    candidates
        Parameter values by name; what is missing is zero.
    report
        Told about every 50 ms what is done; may raise to stop.
    hypothesis
        Default: :func:`exact_hypothesis` without blur of the optics.

    Returns
    -------
    ndarray
        ``(N,)`` float32. After ``control.finish_early()`` the candidates not reached are NaN; the first is always scored.

    Raises
    ------
    RunCancelled
        Within a GAP iteration of ``control.cancel()``.
    """
    control = control or RunControl()
    control.checkpoint()
    tell = report or (lambda _done, _scores: None)
    if not candidates:
        return np.empty(0, np.float32)
    energy = sum(_energy(m, m.y) for m in models)
    score = _Scorer(models, solver, settings, control, energy, hypothesis or exact_hypothesis(models))
    if solver.device == "cpu":
        return _score_in_threads(score, candidates, int(getattr(solver, "threads", 1)), control, tell)
    return _score_in_batches(score, candidates, control, tell)


def exact_hypothesis(models: Sequence[RigModel], psf_px: float = 0.0) -> Hypothesis:
    """The engine's form: a cubic spline of the mask, sampled where each band really lands.

    Bilinear sampling blurs the mask at half pixels: the score then ripples along dx with a period of a pixel, by more than 0.3 px of dx
    are worth. Splitting fractional offsets between pixels blurs too and punishes every slope and alpha but zero.
    """
    model, spline = models[0], models[0].spline(psf_px)
    return lambda values: model.candidate(values, spline)


@dataclass(frozen=True, eq=False)
class _Scorer:
    models: Sequence[RigModel]
    solver: GapSolver
    settings: GapSettings
    control: RunControl
    energy: float
    hypothesis: Hypothesis

    def __call__(self, candidates: Sequence[Mapping[str, float]]) -> Scores:
        # Frames of one rig share mask and dispersion, so that a hypothesis is built once for all of them.
        hypotheses = [self.hypothesis(c) for c in candidates]
        left = np.zeros(len(candidates))
        for m in self.models:
            images = self.solver.residuals(m.y, hypotheses, self.settings, weight=m.observed, control=self.control)
            left += [_energy(m, image) for image in images]
        if self.energy <= 0:
            return np.full(len(candidates), np.inf, np.float32)
        return np.sqrt(left / self.energy).astype(np.float32)


def _energy(model: RigModel, image: NDArray[np.float32]) -> float:
    """``||scored . image||^2``, summed in double precision."""
    return float(np.sum(model.scored * image.astype(np.float64) ** 2))


def _score_in_threads(
    score: _Scorer, candidates: Sequence[Mapping[str, float]], threads: int, control: RunControl, report: Report
) -> Scores:
    """One candidate per thread, each thread takes the next one when it is ready; no thread waits for another."""
    scores = np.full(len(candidates), np.nan, np.float32)
    following = count()
    broken = threading.Event()

    def work() -> None:
        while not broken.is_set() and not control.cancelled:
            index = next(following)
            if index >= len(candidates) or (control.finishing and index > 0):
                return
            try:
                scores[index] = score(candidates[index : index + 1])[0]
            except BaseException:
                broken.set()
                raise

    pool = ThreadPoolExecutor(max(1, min(threads, len(candidates))), thread_name_prefix="score")
    try:
        workers = [pool.submit(work) for _ in range(pool._max_workers)]
        pending = set(workers)
        while pending:
            _, pending = wait(pending, timeout=REPORT_S)
            report(int(np.count_nonzero(~np.isnan(scores))), scores)
            control.checkpoint()
        for worker in workers:
            worker.result()
    finally:
        broken.set()
        # After a cancel the workers stop at their next check; the caller need not wait for a large mask to be sampled.
        pool.shutdown(wait=False)
    return scores


def _score_in_batches(score: _Scorer, candidates: Sequence[Mapping[str, float]], control: RunControl, report: Report) -> Scores:
    """As many candidates at once as the accelerator's memory is asked to hold."""
    scores = np.full(len(candidates), np.nan, np.float32)
    model = score.models[0]
    cube_bytes = 4 * model.dispersion.n_bands * model.y.size
    size = int(np.clip(BATCH_BYTES // (4 * cube_bytes), 1, 64))
    for first in range(0, len(candidates), size):
        control.checkpoint()
        if control.finishing and first > 0:
            break
        scores[first : first + size] = score(candidates[first : first + size])
        report(min(first + size, len(candidates)), scores)
    return scores


def torch_available() -> bool:
    """Whether torch is installed; does not load it."""
    try:
        return importlib.util.find_spec("torch") is not None
    except (ImportError, ValueError):
        return False


def load_torch(control: RunControl | None = None) -> None:
    """Import torch and its optimisers (1-2 s) while the caller stays cancellable."""
    error: list[BaseException] = []

    def load() -> None:
        try:
            from cassi_core import operators  # noqa: F401 - sets what torch reads once, when it is imported

            importlib.import_module("torch.optim")
        except BaseException as problem:
            error.append(problem)

    thread = threading.Thread(target=load, name="load-torch", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(REPORT_S)
        if control is not None:
            control.checkpoint()
    if error:
        raise error[0]


def choose_device(wanted: str = "auto", control: RunControl | None = None) -> tuple[str, str]:
    """The device's name for ``auto``, ``cpu``, ``cuda`` or ``cuda:INDEX``, and a sentence that says what was picked.

    ``auto`` takes a working CUDA device when there is one. torch is loaded for everything but ``cpu``.

    Raises
    ------
    InputError
        When a CUDA device is asked for by name and there is none.
    """
    if wanted == "cpu":
        return "cpu", "running on the processor"
    if not torch_available():
        if wanted == "auto":
            return "cpu", "torch is not installed; running on the processor"
        raise InputError(f"device '{wanted}' needs torch, which is not installed; use --device auto or cpu")
    load_torch(control)
    from cassi_core.solvers.torch_gap import select_device

    device, text = select_device(wanted)
    return str(device), text


@dataclass
class ScorerCache:
    """Solvers that were made already, one per device and thread count; owned by whoever starts runs."""

    _solvers: dict[tuple[str, int], GapSolver] = field(default_factory=dict)

    def solver(self, device: str = "cpu", threads: int = 0, control: RunControl | None = None) -> GapSolver:
        """The fastest scorer of a device: the compiled kernel on processors, torch on CUDA."""
        key = device, threads if device == "cpu" else 0
        if key not in self._solvers:
            self._solvers[key] = self._make(device, threads, control)
        return self._solvers[key]

    @staticmethod
    def _make(device: str, threads: int, control: RunControl | None) -> GapSolver:
        if device == "cpu":
            ensure_compiled(control)
            return FusedCpuSolver(threads)
        load_torch(control)
        from cassi_core.solvers.torch_gap import TorchGapSolver

        solver: GapSolver = TorchGapSolver(device)
        return solver
