"""Algorithm 1: hierarchical beam search for the mask and the dispersion, from the data residual alone, without gradients.

1. Sweeps of one parameter at a time (dy, theta, dx) that keep the best few candidates, repeated until the best stays; a sweep whose
   best point lies on its border goes on beyond.
2. A beam: a small grid over dx, dy and theta round each of the best few.
3. The same over slope and alpha.
4. Rounds of coordinate descent with a parabola through the lowest points, steps halved from round to round.

NumPy, SciPy and the CPU kernel only.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from cassi_core.calibration.line_search import descend
from cassi_core.calibration.mismatch import MismatchParameters
from cassi_core.calibration.objective import ScorerCache, Scores, exact_hypothesis, score_candidates
from cassi_core.calibration.rig_model import RigModel, named
from cassi_core.config import Algorithm1Settings
from cassi_core.dispersion import Dispersion
from cassi_core.inputs import CalibrationInputs
from cassi_core.parameters import ParameterSet, index_of
from cassi_core.run import GridScores, Observer, RunControl, RunRecorder, readonly
from cassi_core.solvers.protocol import GapSettings, GapSolver

Vector = NDArray[np.float64]
POSE = ("dy", "theta", "dx")
"""Order of the sweeps: what shows across the dispersion first; dx is ambiguous by one band's step until those are right."""
SWEEP_PASSES = 2
DESCENT_STEP = {"dx": 0.1, "dy": 0.1, "theta": 0.04, "slope": 0.004, "alpha": 0.06}
"""Steps of the first round of descent: a little less than the spacing of the beams before it."""
SECONDS_PER_EVALUATION = 0.025
"""One candidate of 8 iterations at 256 x 256 x 28 on two cores: the unit of the stages' weights."""


def stage_plan(settings: Algorithm1Settings) -> tuple[tuple[str, str, float], ...]:
    """Stages as (name, label, weight), the weights being expected seconds at 256 x 256 x 28 on two cores."""
    unit = SECONDS_PER_EVALUATION * settings.n_iter / 8
    beam, width = settings.beam_points**3, settings.beam_width
    sweeps = settings.n_shift * (1 + width) + settings.n_theta * width
    return (
        ("sweeps", "Sweeps of dy, theta and dx", 1.7 * sweeps * unit),
        ("beam", "Beam over dx, dy and theta", 0.8 * beam * width * unit),
        ("dispersion", "Beam over slope and alpha", 2 * settings.n_slope * settings.n_alpha * width * unit),
        ("descent", "Coordinate descent", settings.rounds * 36 * unit),
    )


def run_algorithm1(
    models: Sequence[RigModel],
    start: ParameterSet,
    settings: Algorithm1Settings,
    solver: GapSolver,
    recorder: RunRecorder,
) -> tuple[Vector, float]:
    """Search dx, dy, theta, slope and alpha, those of them that `start` refines, within their bounds.

    Parameters
    ----------
    models
        Snapshots of one rig in the dispersion frame, scored together.
    start
        Where the search begins, in the dispersion frame; what it does not refine comes back bit for bit.

    Returns
    -------
    (vector, score)
        Best values ``(9,)`` in the order of PARAMETER_NAMES and their score; the best so far after ``finish_early``.
    """
    search = _BeamSearch(models, start, settings, solver, recorder)
    for name, stage in (
        ("sweeps", search.sweep),
        ("beam", search.beam_pose),
        ("dispersion", search.beam_dispersion),
        ("descent", search.descend),
    ):
        if recorder.control.finishing and search.beam_scores:
            break
        recorder.begin(name, search.expected_steps(name))
        stage()
        recorder.end(search.best_score)
    return search.beam[0], search.best_score


class _BeamSearch:
    """The best few vectors so far, and every score that was computed."""

    def __init__(
        self,
        models: Sequence[RigModel],
        start: ParameterSet,
        settings: Algorithm1Settings,
        solver: GapSolver,
        recorder: RunRecorder,
    ) -> None:
        self.models, self.start, self.settings, self.solver, self.recorder = models, start, settings, solver, recorder
        self.gap = GapSettings(n_iter=settings.n_iter, sigma_px=settings.sigma_px)
        self.hypothesis = exact_hypothesis(models, start["psf"].value)
        self.known: dict[tuple[float, ...], float] = {}
        self.beam: list[Vector] = [start.vector()]
        self.beam_scores: list[float] = []

    @property
    def best_score(self) -> float:
        return self.beam_scores[0]

    def expected_steps(self, stage: str) -> int:
        weight = next(w for n, _, w in stage_plan(self.settings) if n == stage)
        return max(1, round(weight / (SECONDS_PER_EVALUATION * self.settings.n_iter / 8)))

    def refined(self, names: Sequence[str]) -> list[str]:
        return [n for n in names if self.start[n].refine]

    def evaluate(
        self, vectors: Sequence[Vector], grid: tuple[str, tuple[str, ...], list[NDArray[np.float64]]] | None = None
    ) -> Scores:
        """Scores of vectors; each is computed once in a search. `grid` tells the stage, names and axes to show them as."""
        new = list({_key(v): v for v in vectors if _key(v) not in self.known}.items())
        counted, shown = 0, time.perf_counter()

        def report(done: int, scores: Scores) -> None:
            nonlocal counted, shown
            self.recorder.advance(done - counted)
            counted = done
            if grid is not None and time.perf_counter() - shown > 0.2:
                shown = time.perf_counter()
                self._remember(new, scores)
                self._show(vectors, grid, final=False)

        if new:
            candidates = [named(v) for _, v in new]
            scores = score_candidates(
                self.models, self.solver, candidates, self.gap, self.recorder.control, report, self.hypothesis
            )
            self._remember(new, scores)
        if grid is not None:
            self._show(vectors, grid, final=True)
        return self._scores(vectors)

    def _remember(self, new: list[tuple[tuple[float, ...], Vector]], scores: Scores) -> None:
        self.known.update({key: float(s) for (key, _), s in zip(new, scores, strict=True) if not np.isnan(s)})

    def _scores(self, vectors: Sequence[Vector]) -> Scores:
        return np.array([self.known.get(_key(v), np.nan) for v in vectors], np.float32)

    def _show(
        self, vectors: Sequence[Vector], grid: tuple[str, tuple[str, ...], list[NDArray[np.float64]]], *, final: bool
    ) -> None:
        stage, names, axes = grid
        scores = self._scores(vectors)
        if np.all(np.isnan(scores)):
            return
        best = vectors[int(np.nanargmin(scores))]
        event = GridScores(
            stage,
            names,
            tuple(np.asarray(readonly(a), np.float64) for a in axes),
            np.asarray(readonly(scores.reshape([len(a) for a in axes])), np.float32),
            tuple(float(best[index_of(n)]) for n in names),
        )
        self.recorder.grid(event, final=final)

    def keep(self, vectors: Sequence[Vector], width: int | None = None) -> None:
        """Take the best of the vectors, and of the beam so far, as the new beam."""
        entries = {_key(v): v for v in (*self.beam, *vectors) if _key(v) in self.known}
        ranked = sorted(entries, key=lambda k: (self.known[k], k))[: width or self.settings.beam_width]
        self.beam = [entries[k] for k in ranked]
        self.beam_scores = [self.known[k] for k in ranked]
        self.recorder.row(self.best_score, self.beam[0])

    # ------------------------------------------------------------------ stages

    def sweep(self) -> None:
        """One parameter at a time over its whole range, for each candidate of the beam; twice, unless nothing changes."""
        self.evaluate(self.beam)
        self.keep([])
        for _ in range(SWEEP_PASSES):
            before = _key(self.beam[0])
            for name in self.refined(POSE):
                self._sweep_one(name)
                if self.recorder.control.finishing:
                    return
            if _key(self.beam[0]) == before:
                return

    def _sweep_one(self, name: str) -> None:
        p, s = self.start[name], self.settings
        half, n = (s.range_deg, s.n_theta) if name == "theta" else (s.range_px, s.n_shift)
        step = 2 * half / (n - 1)
        values = [p.value + (i - (n - 1) / 2) * step for i in range(n)]
        members = list(self.beam)
        for widening in range(s.max_widenings + 1):
            inside = [v for v in values if p.lower <= v <= p.upper] or [p.value]
            vectors = [_with(member, {name: v}) for member in members for v in inside]
            self.evaluate(vectors)
            self._show_sweep(name, members[0], inside)
            best = min(vectors, key=lambda v: self.known.get(_key(v), np.inf))[index_of(name)]
            if self.recorder.control.finishing or best not in (inside[0], inside[-1]) or widening == s.max_widenings:
                break
            side = -1 if best == inside[0] else 1
            end = inside[0] if side < 0 else inside[-1]
            further = [end + side * (i + 1) * step for i in range(n // 2)]
            if not any(p.lower <= v <= p.upper for v in further):
                break
            self.recorder.message(f"the best {name} lies on the border of its sweep; the sweep goes on")
            values = sorted([*inside, *further])
        self.keep(vectors)

    def _show_sweep(self, name: str, member: Vector, values: list[float]) -> None:
        self._show([_with(member, {name: v}) for v in values], ("sweeps", (name,), [np.array(values)]), final=True)

    def beam_pose(self) -> None:
        """A grid over dx, dy and theta round each candidate of the beam."""
        s = self.settings
        half = {"dx": s.beam_px, "dy": s.beam_px, "theta": s.beam_deg}
        self._beam("beam", half, dict.fromkeys(half, s.beam_points))

    def beam_dispersion(self) -> None:
        """A grid over slope and alpha round each candidate of the beam."""
        s = self.settings
        half = {"slope": s.range_slope, "alpha": s.range_alpha}
        self._beam("dispersion", half, {"slope": s.n_slope, "alpha": s.n_alpha})

    def _beam(self, stage: str, half: dict[str, float], points: dict[str, int]) -> None:
        names = self.refined(list(half))
        if not names:
            return
        found: list[Vector] = []
        for member in self.beam:
            axes = [self._axis(n, member[index_of(n)], half[n], points[n]) for n in names]
            vectors = [_with(member, dict(zip(names, point, strict=True))) for point in product(*axes)]
            self.evaluate(vectors, (stage, tuple(names), axes))
            found += vectors
            if self.recorder.control.finishing:
                break
        self.keep(found)

    def _axis(self, name: str, centre: float, half: float, n: int) -> NDArray[np.float64]:
        p = self.start[name]
        offsets = np.linspace(-half, half, n) if n > 1 else np.zeros(1)
        return np.unique(np.clip(centre + offsets, p.lower, p.upper))

    def descend(self) -> None:
        """Line searches along one parameter after the other, steps halved from round to round."""
        rounds = descend(
            self.beam[0],
            self.best_score,
            self.start,
            DESCENT_STEP,
            self.evaluate,
            rounds=self.settings.rounds,
            stop=lambda: self.recorder.control.finishing,
        )
        for vector, score in rounds:
            self.beam, self.beam_scores = [vector], [score]
            self.recorder.row(score, vector)


def _key(vector: Vector) -> tuple[float, ...]:
    """Vectors that differ by rounding only count as one."""
    return tuple(round(float(v), 9) for v in vector)


def _with(vector: Vector, values: dict[str, float]) -> Vector:
    changed = vector.copy()
    for name, value in values.items():
        changed[index_of(name)] = value
    return changed


class Algorithm1HierarchicalBeamSearch:
    """The coarse search under its public name: works without torch, scores by the data residual only.

    Parameters
    ----------
    settings
        None: the defaults of :class:`cassi_core.config.Algorithm1Settings`.
    threads
        Candidates scored side by side; 0: one per core.
    """

    def __init__(self, settings: Algorithm1Settings | None = None, threads: int = 0) -> None:
        self.settings = settings or Algorithm1Settings()
        self.threads = threads
        self._scorers = ScorerCache()

    def search(
        self,
        y_meas: NDArray[np.generic],
        mask_real: NDArray[np.generic],
        s_nom: NDArray[np.floating],
        *,
        refine: Sequence[str] = ("dx", "dy", "theta", "slope", "alpha"),
        control: RunControl | None = None,
        observe: Observer | None = None,
    ) -> MismatchParameters:
        """Where the mask ``(H, W)`` and the bands sit in the measurement ``(H, Wm)``.

        `s_nom` holds the nominal cumulative offsets in pixels, ``(L,)``. Raises InputError for data that do not fit together.
        """
        control = control or RunControl()
        dispersion = Dispersion(np.asarray(s_nom, np.float64))
        inputs = CalibrationInputs.from_arrays(y_meas, mask_real, dispersion)
        model = RigModel.from_frame(inputs, inputs.frames[0], margin_px=self.settings.margin_px)
        solver = self._scorers.solver("cpu", self.threads, control)
        recorder = RunRecorder(control, observe, "algorithm1", stage_plan(self.settings))
        vector, _ = run_algorithm1([model], ParameterSet.default(refine), self.settings, solver, recorder)
        return MismatchParameters.from_values(named(vector), dispersion.step_px)
