"""The mask's edges in the picture beside the same edges calculated from the mask: what the eye compares to believe a shift.

The prediction is ``T = A x_s`` with a smooth scene ``x_s``: everything as fine as the mask is left to the mask. Picture and prediction are both
high-passed and divided by their local contrast, so that a dim place counts as much as a bright one. The match of a square of the detector is
the correlation of both over it,

    match = <p, t> / sqrt(<p, p> <t, t>)

over the usable pixels, means taken out. Bands overlap along the dispersion, so that most of the pattern are streaks, which prove the place
across it; what tells the place along it is the finer part, ``p - G_1px p`` with a Gaussian along the dispersion, and has a match of its own.
All arrays are in the rig's frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from cassi_core.calibration.block_shifts import smooth_scene
from cassi_core.calibration.contrast import CONTRAST_PX, high_pass, local_contrast
from cassi_core.calibration.frames import parameters_to_dispersion_frame
from cassi_core.calibration.rig_model import Optics, RigModel
from cassi_core.config import CalibrationConfig
from cassi_core.dispersion import QUARTER_TURNS, from_dispersion_frame
from cassi_core.inputs import CalibrationInputs
from cassi_core.parameters import ParameterSet
from cassi_core.run import RunControl
from cassi_core.solvers.fused_cpu import FusedCpuSolver

if TYPE_CHECKING:
    from cassi_core.solvers.protocol import GapSolver

Contrast = NDArray[np.float32]

LOUPE_PX = 22
"""Side of the square: ten details of a mask of 2 px, each still 7 px wide on the screen."""
STREAK_PX = 1.0
"""Sigma of the Gaussian along the dispersion whose result counts as streaks: half of the step of usual rigs."""
SPOTS = ("centre", "top left", "top right", "bottom left", "bottom right")
"""Parts of the picture that a loupe is laid on."""


@dataclass(frozen=True)
class Spot:
    """Where the loupe lies: its part of the picture, and the first row and column of the square."""

    name: str
    row: int
    col: int


@dataclass(frozen=True)
class Match:
    """Correlation of picture and prediction over a square: of everything, and of what tells the place along the dispersion; -1..1."""

    whole: float
    along: float


@dataclass(frozen=True, eq=False)
class Loupe:
    """Local contrast of the picture and of its predictions with the start and the fitted values, each `(H, Wm)` float32, and the places.

    `along_axis` is the axis of the arrays along which the bands are dispersed.
    """

    picture: Contrast
    before: Contrast
    after: Contrast
    usable: NDArray[np.bool_]
    spots: tuple[Spot, ...]
    along_axis: int = 1
    size_px: int = LOUPE_PX

    def cut(self, image: Contrast, spot: Spot) -> Contrast:
        """The square of an image at a spot, `(size_px, size_px)`."""
        return image[spot.row : spot.row + self.size_px, spot.col : spot.col + self.size_px]

    def match(self, predicted: Contrast, spot: Spot) -> Match:
        """How well the picture agrees with a prediction over the square."""
        rows, cols = slice(spot.row, spot.row + self.size_px), slice(spot.col, spot.col + self.size_px)
        usable = self.usable[rows, cols]
        pairs = (self.picture, predicted), (self._without_streaks(self.picture), self._without_streaks(predicted))
        whole, along = (correlation(p[rows, cols][usable], t[rows, cols][usable]) for p, t in pairs)
        return Match(whole, along)

    def _without_streaks(self, image: Contrast) -> Contrast:
        return np.asarray(image - ndi.gaussian_filter1d(image, STREAK_PX, axis=self.along_axis, mode="nearest"), np.float32)


def correlation(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """Pearson's correlation of two arrays of one shape; 0 where one of them is constant."""
    a, b = one.astype(np.float64).ravel(), other.astype(np.float64).ravel()
    if a.size < 2:
        return 0.0
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.sqrt(np.vdot(a, a) * np.vdot(b, b)))
    return float(np.vdot(a, b)) / norm if norm > 0 else 0.0


def lay_loupe(
    inputs: CalibrationInputs,
    before: ParameterSet,
    after: ParameterSet,
    *,
    terms: Mapping[str, float] | None = None,
    config: CalibrationConfig | None = None,
    control: RunControl | None = None,
    solver: GapSolver | None = None,
) -> Loupe:
    """The loupe on the first snapshot of a rig, with start and fitted values (rig's frame): about a second at 256 x 256 x 28.

    `terms` of the optics (:mod:`cassi_core.optics`, dispersion frame) hold for both, as in the residual maps.

    Raises
    ------
    RunCancelled
        After ``control.cancel()``.
    """
    config, control = config or CalibrationConfig(), control or RunControl()
    direction = inputs.dispersion.direction
    turned = inputs.in_dispersion_frame()
    used = solver or FusedCpuSolver(config.threads)
    model = RigModel.from_frame(turned, turned.frames[0], margin_px=config.auto.margin_px)
    optics = Optics(config.auto.smear_px, terms=dict(terms or {}))
    predicted = [
        _predicted(model, used, parameters_to_dispersion_frame(p, direction).vector(), optics, control) for p in (before, after)
    ]
    usable = model.crop(model.scored) > 0
    picture = local_contrast(model.crop(model.y), model.crop(model.observed))
    contrasts = [local_contrast(image, np.ones_like(image)) for image in predicted]
    in_rig = [from_dispersion_frame(image, direction) for image in (picture, *contrasts)]
    clear = from_dispersion_frame(_clearness(model.crop(model.y), predicted[1], usable), direction)
    axis = 1 - QUARTER_TURNS[direction] % 2
    return Loupe(in_rig[0], in_rig[1], in_rig[2], from_dispersion_frame(usable, direction), spots(clear), axis)


def _predicted(
    model: RigModel, solver: GapSolver, vector: NDArray[np.float64], optics: Optics, control: RunControl
) -> NDArray[np.float32]:
    """What the camera would see of the mask in a smooth scene, `(H, Wm)`."""
    scene = smooth_scene(model, solver, vector, optics, control)
    control.checkpoint()
    candidate = optics.candidate(model, vector)
    return model.crop(solver.project(scene, candidate, (model.y.shape[0], model.y.shape[1])))


def _clearness(seen: NDArray[np.float32], predicted: NDArray[np.float32], usable: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Where the mask's pattern should be strong and is not drowned by detail of the scene: ``E_t^2 / (E_t + E_p)`` of local energies.

    Only how strong picture and prediction are counts, not whether they agree: the places are not chosen for a good match.
    """
    energy = [ndi.gaussian_filter(high_pass(image) ** 2 * usable, CONTRAST_PX, mode="constant") for image in (predicted, seen)]
    return np.asarray(energy[0] ** 2 / (energy[0] + energy[1] + 1e-20), np.float32)


def spots(clear: NDArray[np.float32], size_px: int = LOUPE_PX) -> tuple[Spot, ...]:
    """The clearest place in the middle third and in the corner ninths of a map of clearness `(H, Wm)`."""
    height, width = clear.shape
    size = min(size_px, height, width)
    thirds_r, thirds_c = (0, height // 3, 2 * height // 3, height), (0, width // 3, 2 * width // 3, width)
    parts = ((1, 1), (0, 0), (0, 2), (2, 0), (2, 2))
    found = []
    for name, (i, j) in zip(SPOTS, parts, strict=True):
        rows, cols = slice(thirds_r[i], thirds_r[i + 1]), slice(thirds_c[j], thirds_c[j + 1])
        part = clear[rows, cols]
        r, c = (int(k) for k in np.unravel_index(int(np.argmax(part)), part.shape))
        row = min(max(rows.start + r - size // 2, 0), height - size)
        col = min(max(cols.start + c - size // 2, 0), width - size)
        found.append(Spot(name, row, col))
    return tuple(found)
