"""The grids of a search in order: which stage has which, and what of a stage is drawn at one value of the further axis."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cassi_core.run import GridScores

Scores = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class GridSlice:
    """A grid's scores over the two axes of the map, `[down, across]`, with the values of the axes."""

    across: NDArray[np.float64]
    down: NDArray[np.float64]
    scores: Scores


@dataclass
class StageGrids:
    """The grids of one stage: a coarse stage has one, a stage of finer grids has one round each of its starts."""

    grids: list[GridScores] = field(default_factory=list)

    def take(self, grid: GridScores) -> None:
        """Put a new state of a grid in the place of the older one, or a new grid behind the others."""
        for index, known in enumerate(self.grids):
            if same_points(known, grid):
                self.grids[index] = grid
                return
        self.grids.append(grid)

    @property
    def best(self) -> GridScores:
        """The grid that holds the best point of the stage."""
        return min(self.grids, key=lowest)

    @property
    def tried(self) -> int:
        """How many points are scored."""
        return sum(int(np.isfinite(g.scores).sum()) for g in self.grids)


def same_points(a: GridScores, b: GridScores) -> bool:
    """Whether two states belong to one grid."""
    same = a.names == b.names and a.scores.shape == b.scores.shape
    return same and all(np.array_equal(x, y) for x, y in zip(a.axes, b.axes, strict=True))


def lowest(grid: GridScores) -> float:
    """The best score so far; infinite before the first."""
    finite = grid.scores[np.isfinite(grid.scores)]
    return float(finite.min()) if finite.size else float("inf")


def map_axes(names: tuple[str, ...]) -> tuple[str, str | None]:
    """The horizontal and the vertical axis of a map: dx across and dy down where there are any; None: a search along one axis."""
    across = "dx" if "dx" in names else names[0]
    rest = [n for n in names if n != across]
    down = "dy" if "dy" in rest else (rest[0] if rest else None)
    return across, down


def slice_at(grid: GridScores, further: dict[str, float]) -> GridSlice | None:
    """The slice of a grid nearest to values of its further axes; None when they lie outside of it by more than half a step."""
    across, down = map_axes(grid.names)
    where: list[slice | int] = []
    for name, axis in zip(grid.names, grid.axes, strict=True):
        if name in (across, down):
            where.append(slice(None))
            continue
        wanted = further.get(name, float(axis[0]))
        index = int(np.abs(axis - wanted).argmin())
        step = float(np.abs(np.diff(axis)).max()) if len(axis) > 1 else 0.0
        if abs(float(axis[index]) - wanted) > 0.5 * step + 1e-9:
            return None
        where.append(index)
    values = grid.scores[tuple(where)]
    axes = dict(zip(grid.names, grid.axes, strict=True))
    order = [n for n in grid.names if n in (across, down)]
    scores = values.T if values.ndim == 2 and order[0] == across else values
    return GridSlice(axes[across], axes[down] if down is not None else np.zeros(1), np.asarray(scores, np.float32))


def spacing(axis: NDArray[np.float64]) -> float:
    """Width of a cell along an axis."""
    return float(axis[-1] - axis[0]) / max(1, len(axis) - 1) or 1.0
