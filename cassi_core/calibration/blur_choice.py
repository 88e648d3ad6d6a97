"""The width of the optical blur, from how sharply the mask pattern stands in the picture.

A step of the fit sees the blur only through what the scene estimate leaves over, and wanders: the estimate swallows a wrong blur. Here the
picture is compared with the prediction ``T(psf) = A x_s`` of a strongly smoothed scene ``x_s``, as for the block-wise shifts: what is as fine
as the mask is left to the mask. The correlation ``<y, T> / (|y| |T|)`` of the high-passed images is largest where ``T`` has the shape of the
pattern that is there, whatever noise and scene add; a parabola through three widths, in ``psf^2``, finds it. The sampling alone makes the
best match OWN_BLUR_PX too wide, which is taken off in squares (a smear of the bands samples the mask more coarsely, and makes up for it). The
standard error is the jackknife over strips of the picture and the scatter of OWN_BLUR_PX.

A band of a rig that sees all wavelengths is smeared over its own step of the dispersion; one behind narrow filters is not. The same
correlation tells which: :func:`sharpness`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cassi_core.calibration.block_shifts import smooth_scene
from cassi_core.calibration.contrast import high_pass
from cassi_core.calibration.rig_model import Optics, RigModel, named
from cassi_core.parameters import PARAMETER_NAMES, ParameterSet
from cassi_core.run import RunControl
from cassi_core.solvers.protocol import GapSolver

WIDTHS_PX = (0.0, 0.3, 0.5, 0.7, 0.9, 1.2, 1.6, 2.1, 2.7, 3.4)
"""Widths tried, from the first on until the correlation falls."""
LEAST_TRIED = 3
OWN_BLUR_PX = 0.3
"""The width found on simulated rigs without blur (0.15 to 0.44)."""
SCATTER_PX = 0.1
"""How far the width found scatters about the true one beyond the jackknife; smaller changes of it mean nothing."""
STRIPS = 12
LEAST_GAIN = 1.0005
"""A smear is believed where the correlation with it is higher by this factor: beside a wide blur it changes nothing."""


@dataclass(frozen=True)
class Blur:
    """Chosen width of the blur and its standard error, px; the correlation (any unit) and the width, own blur included, it belongs to."""

    psf: float
    sigma: float
    score: float
    width: float


@dataclass(frozen=True, eq=False)
class Sharpness:
    """The blur that matches the snapshots best with the `known` optics and, where these have no smear, with one of the bands' own step.

    The former stands for both together wherever the mask is used as the result says.
    """

    blur: Blur
    known: Optics
    smeared: Blur | None
    smear_px: float

    @property
    def is_smeared(self) -> bool:
        """Whether the snapshots match clearly better with a smear that the settings do not name."""
        return self.smeared is not None and self.smeared.score > LEAST_GAIN * self.blur.score

    def optics(self, is_smeared: bool) -> Optics:
        """The optics, for the fit only, with or without the smear; the blur of the smeared ones is what remains beside it."""
        return Optics(self.smear_px, self.smeared.psf) if is_smeared and self.smeared is not None else self.known


def choose_blur(
    models: Sequence[RigModel], solver: GapSolver, parameters: ParameterSet, optics: Optics, control: RunControl
) -> Blur:
    """The blur with which the mask pattern matches the snapshots best, at the other parameters' values; within the bounds of `psf`."""
    at = PARAMETER_NAMES.index("psf")
    lower, upper = parameters["psf"].lower, parameters["psf"].upper
    scenes = [smooth_scene(m, solver, parameters.vector(), optics, control) for m in models]
    tried: list[float] = []
    sums: list[NDArray[np.float64]] = []
    for width in np.unique(np.clip(WIDTHS_PX, lower, np.hypot(upper, OWN_BLUR_PX))):
        vector = parameters.vector()
        vector[at] = width
        tried.append(float(width))
        sums.append(
            np.sum([_products(m, s, solver, vector, optics, control) for m, s in zip(models, scenes, strict=True)], axis=0)
        )
        scores = [_correlation(s.sum(axis=-1)) for s in sums]
        if len(tried) >= LEAST_TRIED and scores[-1] < scores[-2]:
            break
    table = np.array(sums)
    whole = table.sum(axis=2)
    squares = np.square(tried)
    own = 0.0 if optics.smear_px > 0 else OWN_BLUR_PX
    square, score = _best(squares, whole)
    psf = float(np.sqrt(max(0.0, square - own**2)))
    left_out = np.array([_best(squares, whole - table[:, :, strip])[0] for strip in range(STRIPS)])
    jackknife = np.sqrt((STRIPS - 1) * np.mean(np.square(left_out - left_out.mean())))
    # In squares, as the own blur is taken off: near zero a width is known much worse than further up.
    of_square = float(np.hypot(jackknife, 2 * own * SCATTER_PX))
    sigma = float(np.hypot(np.sqrt(psf**2 + of_square) - psf, SCATTER_PX))
    return Blur(float(np.clip(psf, lower, upper)), sigma, score, float(np.sqrt(square)))


def _products(
    model: RigModel,
    scene: NDArray[np.float32],
    solver: GapSolver,
    vector: NDArray[np.float64],
    optics: Optics,
    control: RunControl,
) -> NDArray[np.float64]:
    """``<y, T>`` and ``<T, T>`` of the high-passed images, by strips of rows, ``(2, STRIPS)``."""
    control.checkpoint()
    candidate = model.candidate(named(vector), optics.spline(model, vector))
    predicted = high_pass(solver.project(scene, candidate, model.y.shape)) * model.scored
    seen = model.contrast * model.scored
    rows = np.stack([np.sum(a * predicted, axis=1, dtype=np.float64) for a in (seen, predicted)])
    return np.stack([part.sum(axis=1) for part in np.array_split(rows, STRIPS, axis=1)], axis=1)


def _correlation(products: NDArray[np.float64]) -> float:
    """From ``<y, T>`` and ``<T, T>``."""
    with_picture, with_itself = products
    return float(with_picture / np.sqrt(max(with_itself, 1e-300)))


def _best(squares: NDArray[np.float64], products: NDArray[np.float64]) -> tuple[float, float]:
    """The squared width at the vertex of the parabola through three points of the correlation over ``psf^2``, and the correlation there."""
    scores = np.array([_correlation(p) for p in products])
    top = int(np.argmax(scores))
    if len(scores) >= LEAST_TRIED:
        near = int(np.clip(top, 1, len(scores) - 2))
        part = slice(near - 1, near + 2)
        curve = np.polyfit(squares[part], scores[part], 2)
        if curve[0] < 0:
            best = float(np.clip(-curve[1] / (2 * curve[0]), squares[part][0], squares[part][-1]))
            return best, float(np.polyval(curve, best))
    return float(squares[top]), float(scores[top])


def sharpness(
    models: Sequence[RigModel], solver: GapSolver, parameters: ParameterSet, known: Optics, control: RunControl
) -> Sharpness:
    """The blur at a place of the mask, with the `known` optics and with a smear of the bands over their own step."""
    blur = choose_blur(models, solver, parameters, known, control)
    step_px = models[0].dispersion.step_px
    smeared = None if known.smear_px else choose_blur(models, solver, parameters, Optics(step_px), control)
    return Sharpness(blur, known, smeared, step_px)


def smeared_now(
    models: Sequence[RigModel], solver: GapSolver, parameters: ParameterSet, first: Sharpness, control: RunControl
) -> bool:
    """Whether the snapshots match better with the smear where the mask is now, with the two blurs that were found `first`.

    A smear that was not seen at first must be seen clearly.
    """
    if first.smeared is None:
        return False
    at = PARAMETER_NAMES.index("psf")
    scores = []
    for optics, width in ((first.known, first.blur.width), (Optics(first.smear_px), first.smeared.width)):
        vector = parameters.vector()
        vector[at] = width
        scenes = [smooth_scene(m, solver, vector, optics, control) for m in models]
        products = [_products(m, s, solver, vector, optics, control) for m, s in zip(models, scenes, strict=True)]
        scores.append(_correlation(np.sum(products, axis=0).sum(axis=-1)))
    return scores[1] > (1.0 if first.is_smeared else LEAST_GAIN) * scores[0]
