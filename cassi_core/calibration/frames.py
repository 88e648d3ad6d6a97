"""Parameters between the rig's frame and the frame in which the dispersion goes to the right (:mod:`cassi_core.dispersion`)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cassi_core.dispersion import QUARTER_TURNS, Direction
from cassi_core.parameters import PARAMETER_NAMES, Parameter, ParameterSet
from cassi_core.run import GridScores

Axis = tuple[str, float]


def _sources(direction: Direction, *, inverse: bool) -> dict[str, Axis]:
    """For each parameter of the wanted frame: the parameter of the other frame that it equals, and the sign."""
    turns = QUARTER_TURNS[direction] if not inverse else -QUARTER_TURNS[direction]
    axes: dict[str, Axis] = {"dx": ("dx", 1.0), "dy": ("dy", 1.0)}
    for _ in range(turns % 4):
        # A quarter turn of the picture (counter-clockwise) makes what was down right, and what was right up.
        (dx_name, dx_sign), (dy_name, dy_sign) = axes["dx"], axes["dy"]
        axes = {"dx": (dy_name, dy_sign), "dy": (dx_name, -dx_sign)}
    scales = ("scale_x", "scale_y") if turns % 2 == 0 else ("scale_y", "scale_x")
    same = {name: (name, 1.0) for name in PARAMETER_NAMES}
    return {**same, **axes, "scale_x": (scales[0], 1.0), "scale_y": (scales[1], 1.0)}


def _turned(parameters: ParameterSet, sources: dict[str, Axis]) -> ParameterSet:
    def one(name: str) -> Parameter:
        other, sign = sources[name]
        p = parameters[other]
        if sign > 0:
            return replace(p, name=name)
        return replace(p, name=name, value=-p.value, lower=-p.upper, upper=-p.lower)

    return ParameterSet(tuple(one(name) for name in PARAMETER_NAMES))


def parameters_to_dispersion_frame(parameters: ParameterSet, direction: Direction) -> ParameterSet:
    """Parameters of the rig as the solvers see them: values, bounds, refine flags and standard errors."""
    return parameters if direction == "right" else _turned(parameters, _sources(direction, inverse=False))


def parameters_from_dispersion_frame(parameters: ParameterSet, direction: Direction) -> ParameterSet:
    """Undo :func:`parameters_to_dispersion_frame`; values that nobody changed come back bit-identical."""
    return parameters if direction == "right" else _turned(parameters, _sources(direction, inverse=True))


def vector_from_frame(vector: NDArray[np.float64], direction: Direction) -> NDArray[np.float64]:
    """A vector of all parameters of the dispersion frame in the rig's frame."""
    if direction == "right":
        return vector
    sources = _sources(direction, inverse=True)
    return np.array([sources[n][1] * vector[PARAMETER_NAMES.index(sources[n][0])] for n in PARAMETER_NAMES])


def names_from_frame(names: tuple[str, ...], direction: Direction) -> tuple[tuple[str, float], ...]:
    """For parameters of the dispersion frame: the name in the rig's frame and the sign."""
    sources = _sources(direction, inverse=False)
    return tuple(sources[n] for n in names)


def grid_from_frame(grid: GridScores, direction: Direction) -> GridScores:
    """Grid scores with their axes named, signed and sorted as in the rig's frame."""
    if direction == "right":
        return grid
    mapped = names_from_frame(grid.names, direction)
    axes = tuple(axis * sign for axis, (_, sign) in zip(grid.axes, mapped, strict=True))
    scores = grid.scores
    for i, axis in enumerate(axes):
        if len(axis) > 1 and axis[0] > axis[-1]:
            scores = np.flip(scores, i)
    axes = tuple(axis[::-1] if len(axis) > 1 and axis[0] > axis[-1] else axis for axis in axes)
    best = tuple(b * sign for b, (_, sign) in zip(grid.best, mapped, strict=True))
    order = sorted(range(len(mapped)), key=lambda i: PARAMETER_NAMES.index(mapped[i][0]))
    return replace(
        grid,
        names=tuple(mapped[i][0] for i in order),
        axes=tuple(axes[i] for i in order),
        scores=np.ascontiguousarray(scores.transpose(order)),
        best=tuple(best[i] for i in order),
    )
