"""Coordinate descent by line searches: what a grid is too coarse for, without gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cassi_core.parameters import ParameterSet, index_of

Vector = NDArray[np.float64]
Evaluate = Callable[[Sequence[Vector]], Sequence[float] | NDArray[np.float32]]
"""Scores of vectors, NaN where none was computed."""
MOST_STEPS = 4
"""A line search goes at most this many steps before the next parameter has its turn."""


def descend(
    vector: Vector,
    score: float,
    parameters: ParameterSet,
    steps: Mapping[str, float],
    evaluate: Evaluate,
    *,
    rounds: int,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[tuple[Vector, float]]:
    """Follow the score downhill along one parameter after the other; yields the best vector and its score after every round.

    Parameters
    ----------
    vector, score
        Where the search begins, ``(9,)``, and the score there.
    parameters
        Bounds, and which parameters are refined: the others are left alone.
    steps
        First step of every parameter to move, in the order in which they take turns; halved from round to round.
    rounds
        How often each parameter has its turn.
    stop
        Asked between evaluations; true ends the search after the present round's yield.
    """
    names = [n for n in steps if parameters[n].refine]
    for around in range(rounds):
        for name in names:
            if not stop():
                vector, score = _along(name, steps[name] / 2**around, vector, score, parameters, evaluate, stop)
        yield vector, score
        if stop():
            return


def _along(
    name: str,
    step: float,
    vector: Vector,
    score: float,
    parameters: ParameterSet,
    evaluate: Evaluate,
    stop: Callable[[], bool],
) -> tuple[Vector, float]:
    """Step downhill along one parameter, then try the lowest point of the parabola through the last three points."""
    p, i = parameters[name], index_of(name)

    def at(value: float) -> Vector:
        moved = vector.copy()
        moved[i] = np.clip(value, p.lower, p.upper)
        return moved

    for _ in range(MOST_STEPS):
        sides = [at(vector[i] - step), at(vector[i] + step)]
        left, right = (float(s) if np.isfinite(s) else np.inf for s in evaluate(sides))
        if min(left, right) < score:
            vector, score = (sides[0], left) if left <= right else (sides[1], right)
            if stop():
                break
            continue
        curvature = left - 2 * score + right
        if 0 < curvature < np.inf and not stop():
            lowest = at(vector[i] + 0.5 * step * (left - right) / curvature)
            reached = float(evaluate([lowest])[0])
            if reached < score:
                return lowest, reached
        break
    return vector, score
