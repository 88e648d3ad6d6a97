"""The proof of a calibration: residuals, reconstructions and leftover shifts with the start and with the fitted parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from cassi_core.calibration.rig_model import Optics, RigModel, relative_residual
from cassi_core.calibration.scene_prior import BRIEF, unexplained_share
from cassi_core.config import CalibrationConfig
from cassi_core.dispersion import Direction, from_dispersion_frame
from cassi_core.quality.maps import explain, reconstruction_settings, residual_in_rig
from cassi_core.quality.residual_structure import Line, strongest_line, worst_line
from cassi_core.quality.shift_field import local_shifts
from cassi_core.result import LocalShift, QualityMaps, Scores
from cassi_core.run import RunRecorder
from cassi_core.solvers.fused_cpu import FusedCpuSolver
from cassi_core.solvers.protocol import GapSolver

Vector = NDArray[np.float64]
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Proof:
    """What shows whether a calibration is right.

    `shifts` are the leftover shifts of all frames together, `frame_shifts` those of every frame alone, `line` the strongest pattern in the
    residual of any frame. `maps` are those of the first frame (None: not wanted).
    """

    scores: Scores
    shifts: tuple[LocalShift, ...]
    frame_shifts: tuple[tuple[LocalShift, ...], ...]
    line: Line | None
    maps: QualityMaps | None


def prove(
    models: Sequence[RigModel],
    solver: GapSolver,
    before: Vector,
    after: Vector,
    optics: Optics,
    config: CalibrationConfig,
    recorder: RunRecorder,
    direction: Direction,
) -> Proof:
    """The proof with two parameter vectors ``(9,)`` of the dispersion frame; pictures and shifts come back in the rig's frame."""
    control = recorder.control

    def score(solver: GapSolver, vector: Vector) -> tuple[list[NDArray[np.float32]], float, float]:
        """Residual images of all snapshots, their relative residual and their held-out residual."""
        images = [explain(m, solver, vector, BRIEF, optics, control)[1] for m in models]
        relative = [relative_residual(image, m) for image, m in zip(images, models, strict=True)]
        held_out = unexplained_share(models, solver, vector, optics, control, seed=config.seed)
        return images, float(np.sqrt(np.mean(np.square(relative)))), held_out

    def picture(solver: GapSolver, vector: Vector) -> tuple[NDArray[np.float32], tuple[LocalShift, ...]]:
        """Reconstruction of the first snapshot and leftover shifts of all."""
        cube, _ = explain(models[0], solver, vector, reconstruction_settings(config.quality), optics, control)
        return from_dispersion_frame(cube * np.float32(models[0].scale), direction), leftover(models, solver, vector)

    def leftover(of: Sequence[RigModel], solver: GapSolver, vector: Vector) -> tuple[LocalShift, ...]:
        return local_shifts(of, solver, vector, optics, control, direction, blocks=config.quality.blocks)

    scored = _side_by_side(score, solver, (before, after))
    recorder.advance(2)
    recorder.next_part()
    (images_before, score_before, held_before), (images_after, score_after, held_after) = scored
    scores = Scores(score_before, score_after, held_before, held_after)
    line = worst_line([_line(m, image, direction) for m, image in zip(models, images_after, strict=True)])
    maps = None
    if config.quality.maps:
        (cube_before, shifts_before), (cube_after, shifts) = _side_by_side(picture, solver, (before, after))
        residuals = [residual_in_rig(models[0], images[0], direction) for images in (images_before, images_after)]
        maps = QualityMaps(residuals[0], residuals[1], cube_before, cube_after, shifts_before, shifts)
    else:
        shifts = leftover(models, solver, after)
    each = (shifts,) if len(models) == 1 else tuple(leftover([m], solver, after) for m in models)
    recorder.advance()
    return Proof(scores, shifts, each, line, maps)


def _line(model: RigModel, image: NDArray[np.float32], direction: Direction) -> Line | None:
    """The strongest pattern in a residual on the canvas, in the rig's frame."""
    seen = from_dispersion_frame(model.crop(model.scored), direction) > 0
    return strongest_line(residual_in_rig(model, image, direction), seen)


def _side_by_side(work: Callable[[GapSolver, Vector], T], solver: GapSolver, vectors: Sequence[Vector]) -> list[T]:
    """The same work with each vector, on half of the processors each: threads that share every solve wait for each other."""
    if not isinstance(solver, FusedCpuSolver) or solver.threads < len(vectors):
        return [work(solver, vector) for vector in vectors]
    share = FusedCpuSolver(solver.threads // len(vectors))
    with ThreadPoolExecutor(len(vectors)) as pool:
        return list(pool.map(lambda vector: work(share, vector), vectors))
