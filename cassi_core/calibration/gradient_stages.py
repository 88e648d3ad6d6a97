"""Stages 2A, 2B and 2C of Algorithm 2: Adam on the mask's position, through the unrolled GAP solver.

Everything here is in the dispersion frame (:mod:`cassi_core.dispersion`). The score is the relative data residual

    score = sqrt( sum ||s . (y - A x_n)||^2 / sum ||s . y||^2 )        sums over the snapshots of the rig

with ``x_n`` the cube after ``n`` unrolled iterations, on a canvas that no parameter changes; ``s`` leaves the border out. The
dispersion is held: nothing in these stages moves it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from cassi_core.config import GradientStageSettings, ReferenceSettings
from cassi_core.dispersion import Dispersion
from cassi_core.operators.forward import project
from cassi_core.operators.gap_tv import Callback, unrolled_gap
from cassi_core.operators.warp import warp_mask
from cassi_core.parameters import ParameterSet, index_of
from cassi_core.run import RunRecorder
from cassi_core.solvers.protocol import GapSettings

Vector = NDArray[np.float64]
POSE = ("dx", "dy", "theta", "scale_x", "scale_y")
BETA_MEAN, BETA_SQUARE, EPSILON = 0.9, 0.999, 1e-8
"""Constants of Adam (Kingma and Ba 2015, algorithm 1)."""
SECONDS_PER_ITERATION = 0.02
"""One unrolled iteration of a step at 256 x 256 x 28 on two cores, checkpointed (measured)."""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """One measurement on its canvas, dispersion frame, ``(H, Wc)`` float32 each.

    `weight` is 1 where the solver sees a pixel of `y`, `scored` 1 where its residual counts.
    """

    y: NDArray[np.float32]
    weight: NDArray[np.float32]
    scored: NDArray[np.float32]

    @classmethod
    def with_margin(cls, y: NDArray[np.float32], margin_px: int) -> Snapshot:
        """A measurement whose pixels are all usable; a border of `margin_px` does not count."""
        inner = np.zeros(y.shape, np.float32)
        inner[margin_px : y.shape[0] - margin_px, margin_px : y.shape[1] - margin_px] = 1
        return cls(np.asarray(y, np.float32), np.ones(y.shape, np.float32), inner)


@dataclass(frozen=True)
class GradientStage:
    """A stage that will run: name, words, settings, and the first learning rate of every parameter that it moves."""

    name: str
    label: str
    settings: GradientStageSettings
    rates: tuple[tuple[str, float], ...]

    @property
    def expected_seconds(self) -> float:
        """Seconds at 256 x 256 x 28 on two cores: the weight of the stage in a plan."""
        return SECONDS_PER_ITERATION * self.settings.steps * self.settings.n_iter


def planned_stages(settings: ReferenceSettings, parameters: ParameterSet) -> tuple[GradientStage, ...]:
    """The stages that are enabled and move at least one refined parameter."""
    stages = []
    for name, chosen in (("2A", settings.stage_2a), ("2B", settings.stage_2b), ("2C", settings.stage_2c)):
        rates = (("dx", chosen.lr_dx), ("dy", chosen.lr_dy), ("theta", chosen.lr_theta))
        moved = tuple((n, rate) for n, rate in rates if rate > 0 and parameters[n].refine)
        if chosen.enabled and moved:
            stages.append(GradientStage(name, f"Gradient: {', '.join(n for n, _ in moved)}", chosen, moved))
    return tuple(stages)


def run_gradient_stages(
    snapshots: Sequence[Snapshot],
    mask: NDArray[np.float32],
    dispersion: Dispersion,
    start: ParameterSet,
    settings: ReferenceSettings,
    recorder: RunRecorder,
    *,
    device: str | torch.device = "cpu",
    origin_px: float = 0.0,
) -> tuple[Vector, float | None]:
    """Refine dx, dy and theta by gradients, stage after stage, each from the best iterate of the one before.

    Parameters
    ----------
    snapshots
        Measurements of one rig, dispersion frame, all of one shape.
    mask
        ``(H, W)`` float32, 0..1.
    dispersion
        Nominal dispersion; slope, curve and alpha come from `start`.
    start
        Start values, bounds, and which parameters are refined; the others keep their values bit by bit.
    settings
        Stages, learning rates, iterations and checkpointing.
    recorder
        Gets a row per step; its control cancels within one unrolled iteration, or finishes with the best so far.
    device
        Device of torch.
    origin_px
        Column of the canvas where band 0 of a nominal mask begins.

    Returns
    -------
    The best values ``(9,)`` in the order of PARAMETER_NAMES and their score by the last stage that ran, None if none did.
    """
    values, score = start.vector(), None
    objective = _Objective(snapshots, mask, dispersion, start.values(), origin_px, torch.device(device))
    for stage in planned_stages(settings, start):
        if recorder.control.finishing:
            break
        descent = _Descent(stage, start, settings.checkpointing, recorder)
        values, reached = descent.run(objective, values)
        score = reached if math.isfinite(reached) else score
    return values, score


class _Objective:
    """The score of a mask position and its gradient, with everything constant already on the device."""

    def __init__(
        self,
        snapshots: Sequence[Snapshot],
        mask: NDArray[np.float32],
        dispersion: Dispersion,
        values: dict[str, float],
        origin_px: float,
        device: torch.device,
    ) -> None:
        def on_device(image: NDArray[np.float32]) -> torch.Tensor:
            return torch.as_tensor(np.ascontiguousarray(image, np.float32), device=device)

        cols, rows = dispersion.offsets(values)
        self.cols, self.rows = torch.from_numpy(cols + origin_px), torch.from_numpy(rows)
        self.mask = on_device(mask)
        self.snapshots = [(on_device(s.y), on_device(s.weight), on_device(s.scored)) for s in snapshots]
        self.energy = sum(float(np.sum((s.scored * s.y).astype(np.float64) ** 2)) for s in snapshots)

    def score(self, values: Vector, settings: GapSettings, callback: Callback) -> float:
        """The score alone."""
        with torch.no_grad():
            warped = warp_mask(self.mask, *torch.from_numpy(values[: len(POSE)].copy()).unbind())
            parts = [float(self._part(i, warped, settings, False, callback)) for i in range(len(self.snapshots))]
        return math.sqrt(sum(parts))

    def score_and_gradient(
        self, values: Vector, settings: GapSettings, checkpointing: bool, callback: Callback
    ) -> tuple[float, Vector]:
        """The score and its derivatives with respect to dx, dy, theta, scale_x, scale_y, ``(5,)``."""
        pose = torch.from_numpy(values[: len(POSE)].copy()).requires_grad_()
        warped = warp_mask(self.mask, *pose.unbind())
        # One snapshot's graph at a time: the warp's own graph is walked once, at the end.
        leaf = warped.detach().requires_grad_()
        parts = []
        for i in range(len(self.snapshots)):
            part = self._part(i, leaf, settings, checkpointing, callback)
            part.backward()  # type: ignore[no-untyped-call]
            parts.append(float(part.detach()))
        score = math.sqrt(sum(parts))
        assert leaf.grad is not None
        # As a scalar: a gradient handed to backward() would load a computer algebra system (0.7 s, once).
        (warped * leaf.grad).sum().backward()  # type: ignore[no-untyped-call]
        assert pose.grad is not None
        # The parts add up to the score's square.
        return score, pose.grad.numpy() / (2 * score) if score > 0 else np.zeros(len(POSE))

    def _part(
        self, index: int, warped: torch.Tensor, settings: GapSettings, checkpointing: bool, callback: Callback
    ) -> torch.Tensor:
        """What a snapshot adds to the square of the score."""
        y, weight, scored = self.snapshots[index]
        cube = unrolled_gap(
            y, warped, self.cols, self.rows, settings, weight=weight, checkpointing=checkpointing, callback=callback
        )
        left = y - project(cube, warped, self.cols, self.rows, (y.shape[0], y.shape[1]))
        return (scored * left).square().sum() / self.energy


class _Descent:
    """One stage: Adam with cosine decay of the learning rates, clipped gradients, clamped values, the best iterate kept."""

    def __init__(
        self,
        stage: GradientStage,
        parameters: ParameterSet,
        checkpointing: bool,
        recorder: RunRecorder,
    ) -> None:
        self.stage, self.recorder, self.checkpointing = stage, recorder, checkpointing
        self.where = [index_of(name) for name, _ in stage.rates]
        self.rates = np.array([rate for _, rate in stage.rates])
        self.lower, self.upper = parameters.lower()[self.where], parameters.upper()[self.where]
        self.solver = GapSettings(stage.settings.n_iter, stage.settings.sigma_px)

    def run(self, objective: _Objective, values: Vector) -> tuple[Vector, float]:
        """From `values` to the best iterate and its score."""
        recorder, steps = self.recorder, self.stage.settings.steps
        recorder.begin(self.stage.name, steps)
        values, best, best_score = values.copy(), values.copy(), math.inf
        mean, square = np.zeros(len(self.where)), np.zeros(len(self.where))
        for step in range(steps):
            if recorder.control.finishing and step > 0:
                break
            score, slopes = objective.score_and_gradient(values, self.solver, self.checkpointing, recorder.control.checkpoint)
            if not (math.isfinite(score) and np.all(np.isfinite(slopes))):
                recorder.message(f"stage {self.stage.name}: the score is not a number at step {step}; stopped here", "warning")
                break
            if score < best_score:
                best, best_score = values.copy(), score
            recorder.row(score, values)
            gradient = self._clipped(slopes[self.where])
            mean = BETA_MEAN * mean + (1 - BETA_MEAN) * gradient
            square = BETA_SQUARE * square + (1 - BETA_SQUARE) * gradient**2
            size = (mean / (1 - BETA_MEAN ** (step + 1))) / (np.sqrt(square / (1 - BETA_SQUARE ** (step + 1))) + EPSILON)
            values[self.where] = np.clip(values[self.where] - self._rates_at(step) * size, self.lower, self.upper)
            recorder.advance()
        else:
            score = objective.score(values, self.solver, recorder.control.checkpoint)
            if score < best_score:
                best, best_score = values, score
        recorder.end(best_score if math.isfinite(best_score) else None)
        return best, best_score

    def _clipped(self, gradient: Vector) -> Vector:
        """The gradient, shortened to the largest norm allowed."""
        norm = float(np.linalg.norm(gradient))
        return gradient * min(1.0, self.stage.settings.clip / norm) if norm > 0 else gradient

    def _rates_at(self, step: int) -> Vector:
        """Cosine decay from the first learning rates to the last."""
        end = self.stage.settings.lr_end
        cosine = 0.5 * (1 + math.cos(math.pi * step / max(1, self.stage.settings.steps - 1)))
        return np.asarray(end + (self.rates - end) * cosine)
