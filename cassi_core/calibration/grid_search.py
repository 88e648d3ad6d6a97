"""Stages 0 and 1 of Algorithm 2: every point of a grid over dx, dy and theta is scored, then finer grids round the best.

Stage 0 covers +-3 px and +-1 degree round the start. When its best point lies on the border of the range (and not on a bound of
the parameter), the window moves there on the same lattice and its new points are scored, so that a mask further away is
found too. Stage 1 puts a small grid of one coarse step to either side round each of the best points. Its points are still up to 0.2 px
and 0.2 degrees off, enough for the score to prefer a mask that is a pixel away along the dispersion; so the best distinct
ones compete by a few line searches before anything else builds on one of them (stage "starts").
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from cassi_core.calibration.line_search import descend
from cassi_core.calibration.objective import Scores, exact_hypothesis, score_candidates
from cassi_core.calibration.rig_model import RigModel, named
from cassi_core.config import GridSettings
from cassi_core.parameters import Parameter, ParameterSet, index_of
from cassi_core.run import GridScores, RunRecorder, readonly
from cassi_core.solvers.protocol import GapSettings, GapSolver

Vector = NDArray[np.float64]
Scored = tuple[Vector, float]
GRID_NAMES = ("dx", "dy", "theta")
STARTS_ROUNDS = 2
EMIT_S = 0.2
"""Seconds between two pictures of the score map while it fills."""


@dataclass(frozen=True, eq=False)
class Axis:
    """A lattice of one parameter: ``first + i*step``, whole ``i`` from `least` to `most`; a window holds `n` points."""

    name: str
    first: float
    step: float
    n: int
    least: int
    most: int

    def value(self, index: int) -> float:
        return self.first + index * self.step

    def values(self, low: int, high: int) -> NDArray[np.float64]:
        """Values of the indices ``low .. high``, both included."""
        return np.array([self.value(i) for i in range(low, high + 1)])


def make_axis(parameter: Parameter, half_range: float, n: int, *, widen: int) -> Axis:
    """The lattice round a parameter's value: `n` points over ``+- half_range`` cut by its bounds, extensible by `widen` points.

    A parameter that is not refined has the one point that it is at.
    """
    if not parameter.refine or n == 1:
        return Axis(parameter.name, parameter.value, 0.0, 1, 0, 0)
    low = max(parameter.lower, parameter.value - half_range)
    high = min(parameter.upper, parameter.value + half_range)
    if high <= low:
        return Axis(parameter.name, parameter.value, 0.0, 1, 0, 0)
    step = (high - low) / (n - 1)
    below = min(widen, int((low - parameter.lower) / step + 1e-9))
    above = min(widen, int((parameter.upper - high) / step + 1e-9))
    return Axis(parameter.name, low, step, n, -below, n - 1 + above)


def run_grid_stages(
    models: Sequence[RigModel], start: ParameterSet, settings: GridSettings, solver: GapSolver, recorder: RunRecorder
) -> list[Scored]:
    """Run stages "0", "1" and "starts"; the points of the last one that ran, best first.

    Parameters
    ----------
    models
        Snapshots of one rig in the dispersion frame; the score is that of all of them together.
    start
        Values, bounds and refine flags in the dispersion frame. Only dx, dy and theta are searched; everything else, and what
        is not refined, keeps its value bit for bit.

    Returns
    -------
    list of (vector, score)
        Vectors ``(9,)`` in the order of PARAMETER_NAMES, sorted by score.
    """
    search = _GridSearch(models, start, settings, solver, recorder)
    coarse = search.coarse()
    if recorder.control.finishing:
        return coarse
    fine = search.fine(coarse[: settings.top])
    return fine if recorder.control.finishing or settings.starts == 0 else search.compete(fine)


def evaluations_of_a_start(n_axes: int) -> int:
    """Candidates that the line searches from one start need, about."""
    return 4 * n_axes * STARTS_ROUNDS


def evaluations(settings: GridSettings) -> tuple[int, int]:
    """Candidates of stage 0 (without widening) and of stage 1 when dx, dy and theta are refined."""
    return settings.n_dx * settings.n_dy * settings.n_theta, settings.top * settings.fine_n_shift**2 * settings.fine_n_theta


class _GridSearch:
    def __init__(
        self,
        models: Sequence[RigModel],
        start: ParameterSet,
        settings: GridSettings,
        solver: GapSolver,
        recorder: RunRecorder,
    ) -> None:
        self.models, self.start, self.settings, self.solver, self.recorder = models, start, settings, solver, recorder
        self.hypothesis = exact_hypothesis(models, start["psf"].value)
        half, points = self._window()
        # A window moves by half of itself at most.
        reach = [settings.max_widenings * ((n + 1) // 2) if settings.widen else 0 for n in points]
        self.axes = [
            make_axis(start[name], h, n, widen=r) for name, h, n, r in zip(GRID_NAMES, half, points, reach, strict=True)
        ]

    def _window(self) -> tuple[tuple[float, ...], tuple[int, ...]]:
        s = self.settings
        return (s.range_px, s.range_px, s.range_deg), (s.n_dx, s.n_dy, s.n_theta)

    def vector(self, values: Sequence[float]) -> Vector:
        """The start with dx, dy and theta replaced where they are refined."""
        vector = self.start.vector()
        for name, value in zip(GRID_NAMES, values, strict=True):
            if self.start[name].refine:
                vector[index_of(name)] = value
        return vector

    def coarse(self) -> list[Scored]:
        """Stage 0: the window, moved while its best point lies on its border; all points scored, best first."""
        settings = GapSettings(n_iter=self.settings.n_iter, sigma_px=self.settings.sigma_px)
        scored: dict[tuple[int, ...], float] = {}
        lows = [0] * len(self.axes)
        total = 0
        for widening in range(self.settings.max_widenings + 1):
            window = [range(low, low + axis.n) for low, axis in zip(lows, self.axes, strict=True)]
            fresh = [p for p in product(*window) if p not in scored]
            total += len(fresh)
            if widening == 0:
                self.recorder.begin("0", total)
            else:
                self.recorder.advance(0, total=total)
            self._score_points(fresh, settings, scored)
            best = min(scored, key=lambda p: scored[p])
            moved = [_moved(low, axis, at) for low, axis, at in zip(lows, self.axes, best, strict=True)]
            if moved == lows or not self.settings.widen or self.recorder.control.finishing:
                break
            if widening < self.settings.max_widenings:
                names = ", ".join(a.name for a, new, old in zip(self.axes, moved, lows, strict=True) if new != old)
                self.recorder.message(f"the best candidate lies on the border of {names}; the grid is moved there")
            lows = moved
        self.recorder.grid(self._map(scored), final=True)
        ranked = sorted(scored, key=lambda p: (scored[p], p))
        found = [(self.vector(self._at(p)), scored[p]) for p in ranked]
        self.recorder.row(found[0][1], found[0][0])
        self.recorder.end(found[0][1])
        return found

    def _at(self, point: Sequence[int]) -> tuple[float, ...]:
        return tuple(axis.value(i) for axis, i in zip(self.axes, point, strict=True))

    def _score_points(self, points: list[tuple[int, ...]], settings: GapSettings, scored: dict[tuple[int, ...], float]) -> None:
        def collect(scores: Scores) -> None:
            scored.update({p: float(s) for p, s in zip(points, scores, strict=True) if not np.isnan(s)})

        def show(scores: Scores) -> None:
            collect(scores)
            if scored:
                self.recorder.grid(self._map(scored))

        collect(self._score([self.vector(self._at(p)) for p in points], settings, show))

    def _score(self, vectors: list[Vector], settings: GapSettings, show: Callable[[Scores], None]) -> Scores:
        counted, shown = 0, time.perf_counter()

        def report(done: int, scores: Scores) -> None:
            nonlocal counted, shown
            self.recorder.advance(done - counted)
            counted = done
            if time.perf_counter() - shown > EMIT_S:
                shown = time.perf_counter()
                show(scores)

        candidates = [named(v) for v in vectors]
        return score_candidates(self.models, self.solver, candidates, settings, self.recorder.control, report, self.hypothesis)

    def _map(self, scored: dict[tuple[int, ...], float]) -> GridScores:
        """What is scored so far as one array over all windows; NaN where nothing was, or was to be, scored."""
        lows = [min(0, *(p[i] for p in scored)) for i in range(len(self.axes))]
        highs = [max(axis.n - 1, *(p[i] for p in scored)) for i, axis in enumerate(self.axes)]
        scores = np.full([high - low + 1 for low, high in zip(lows, highs, strict=True)], np.nan, np.float32)
        for point, score in scored.items():
            scores[tuple(i - low for i, low in zip(point, lows, strict=True))] = score
        axes = tuple(axis.values(low, high) for axis, low, high in zip(self.axes, lows, highs, strict=True))
        return grid_event("0", axes, scores)

    def fine(self, tops: list[Scored]) -> list[Scored]:
        """Stage 1: a small grid round each of the best points; all points scored, best first.

        While the very best lies on the rim of its grid in dx or dy, one more grid is put round it.
        """
        s = self.settings
        settings = GapSettings(n_iter=s.fine_n_iter, sigma_px=s.sigma_px)
        block = s.fine_n_shift**2 * s.fine_n_theta
        self.recorder.begin("1", len(tops) * block)
        found: list[Scored] = []
        centres: list[Vector] = []
        waiting = [top for top, _ in tops]
        while waiting:
            if self.recorder.control.finishing and found:
                break
            centres.append(waiting.pop(0))
            found += self._score_block(self._fine_axes(centres[-1]), settings)
            if not waiting and len(centres) < len(tops) + s.max_widenings and s.widen:
                best = min(found, key=lambda entry: entry[1])[0]
                if not any(self._inside(best, centre) for centre in centres):
                    waiting.append(best)
                    self.recorder.advance(0, total=(len(centres) + 1) * block)
        found.sort(key=lambda entry: entry[1])
        self.recorder.end(found[0][1])
        return found

    def compete(self, found: list[Scored]) -> list[Scored]:
        """Stage "starts": line searches from the best distinct points of stage 1; where each of them ended, best first."""
        s = self.settings
        settings = GapSettings(n_iter=s.fine_n_iter, sigma_px=s.sigma_px)
        steps = {axis.name: 0.25 * axis.step for axis in (self.axes[1], self.axes[2], self.axes[0]) if axis.step > 0}
        starts = self._distinct(found)
        self.recorder.begin("starts", len(starts) * evaluations_of_a_start(len(steps)))
        ended: list[Scored] = []
        for start, score in starts:
            if self.recorder.control.finishing:
                break
            rounds = descend(
                start,
                score,
                self.start,
                steps,
                lambda vectors: self._score(list(vectors), settings, lambda _: None),
                rounds=STARTS_ROUNDS,
                stop=lambda: self.recorder.control.finishing,
            )
            ended.append(list(rounds)[-1])
            self.recorder.row(ended[-1][1], ended[-1][0])
        ended = sorted(ended or found, key=lambda entry: entry[1])
        self.recorder.end(ended[0][1])
        return ended

    def _distinct(self, found: list[Scored]) -> list[Scored]:
        """The best points that lie more than half a coarse step from each other along some axis."""
        scale = np.array([axis.step or np.inf for axis in self.axes])
        chosen: list[Scored] = []
        for vector, score in found:
            if all(np.any(np.abs((vector - other)[:3]) > 0.51 * scale) for other, _ in chosen):
                chosen.append((vector, score))
            if len(chosen) == self.settings.starts:
                break
        return chosen

    def _fine_axes(self, centre: Vector) -> list[NDArray[np.float64]]:
        counts = self.settings.fine_n_shift, self.settings.fine_n_shift, self.settings.fine_n_theta
        return [
            _fine_axis(self.start[axis.name], centre[index_of(axis.name)], axis.step, n)
            for axis, n in zip(self.axes, counts, strict=True)
        ]

    def _inside(self, point: Vector, centre: Vector) -> bool:
        """Whether a point lies inside the fine grid round `centre`: not on its rim in dx or dy, unless the rim is a bound."""
        for axis in self.axes[:2]:
            i, p = index_of(axis.name), self.start[axis.name]
            distance = abs(point[i] - centre[i])
            if axis.step > 0 and distance > 0.99 * axis.step and p.lower < point[i] < p.upper:
                return False
        return True

    def _score_block(self, axes: list[NDArray[np.float64]], settings: GapSettings) -> list[Scored]:
        shape = [len(a) for a in axes]
        vectors = [self.vector(point) for point in product(*axes)]

        def show(scores: Scores) -> None:
            if not np.all(np.isnan(scores)):
                self.recorder.grid(grid_event("1", axes, scores.reshape(shape)))

        scores = self._score(vectors, settings, show)
        self.recorder.grid(grid_event("1", axes, scores.reshape(shape)), final=True)
        scored = [(v, float(score)) for v, score in zip(vectors, scores, strict=True) if not np.isnan(score)]
        best = min(scored, key=lambda entry: entry[1])
        self.recorder.row(best[1], best[0])
        return scored


def _moved(low: int, axis: Axis, best: int) -> int:
    """Where a window of the axis starts next: round the best index when that lies on the window's border, else where it is."""
    if axis.n == 1 or low < best < low + axis.n - 1:
        return low
    return int(np.clip(best - axis.n // 2, axis.least, axis.most - axis.n + 1))


def _fine_axis(parameter: Parameter, centre: float, step: float, n: int) -> NDArray[np.float64]:
    """`n` points over one coarse step to either side of `centre`, on the bounds where they reach beyond."""
    if not parameter.refine or step == 0:
        return np.array([centre])
    offsets = np.linspace(-step, step, n) if n > 1 else np.zeros(1)
    return np.asarray(np.clip(centre + offsets, parameter.lower, parameter.upper), np.float64)


def grid_event(stage: str, axes: Sequence[NDArray[np.float64]], scores: NDArray[np.float32]) -> GridScores:
    """The record of a (partly) scored grid over dx, dy and theta with its best point."""
    at = np.unravel_index(int(np.nanargmin(scores)), scores.shape)
    best = tuple(float(a[i]) for a, i in zip(axes, at, strict=True))
    kept = tuple(np.asarray(readonly(a), np.float64) for a in axes)
    return GridScores(stage, GRID_NAMES, kept, np.asarray(readonly(scores), np.float32), best)
