"""Pictures of a finished calibration that are computed once and then only looked at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cassi_core.inputs import CalibrationInputs
from cassi_core.quality.colour import pseudo_colours
from cassi_core.quality.display import predicted_measurement
from cassi_core.result import CalibrationResult


@dataclass(frozen=True, eq=False)
class ResultPictures:
    """Pseudo-colour `(H, W, 3)` uint8 on one scale, and what the model predicts for the camera `(H, Wm)` float32.

    The predictions and the reference's colour are None when the inputs of the run are not at hand.
    """

    colour_before: NDArray[np.uint8] | None
    colour_after: NDArray[np.uint8] | None
    colour_reference: NDArray[np.uint8] | None
    predicted_before: NDArray[np.float32] | None
    predicted_after: NDArray[np.float32] | None
    reference_scale: float = 1.0
    """What the reference is to be multiplied with to compare its spectra: a camera's units are not those of the scene."""


def belongs_to(result: CalibrationResult, inputs: CalibrationInputs | None) -> bool:
    """True when the result was computed from these inputs: same sources, same shapes."""
    if inputs is None:
        return False
    same = tuple(f.source for f in inputs.frames) == result.inputs
    maps = result.maps
    return same and (maps is None or maps.residual_after.shape == inputs.frames[0].image.shape)


def light_scale(reference: NDArray[np.float32], cube: NDArray[np.float32]) -> float:
    """The factor ``sum(x) / sum(r)`` that gives a reference `r` the light of a reconstruction `x` (1 for a dark reference).

    Not the least-squares factor ``<r, x> / <r, r>``: a smooth reconstruction correlates less than perfectly, and that factor would
    draw every spectrum of the reference too low.
    """
    light = float(reference.sum(dtype=np.float64))
    return float(cube.sum(dtype=np.float64)) / light if light > 0 else 1.0


def result_pictures(result: CalibrationResult, inputs: CalibrationInputs | None) -> ResultPictures:
    """The pictures of a result's maps; all None when the result carries no maps."""
    maps = result.maps
    if maps is None:
        return ResultPictures(None, None, None, None, None)
    reference = predicted_before = predicted_after = None
    scale = 1.0
    if inputs is not None and belongs_to(result, inputs):
        image = inputs.frames[0].image
        reference = inputs.reference
        scale = 1.0 if reference is None else light_scale(reference, maps.cube_after)
        predicted_before = predicted_measurement(image, maps.residual_before)
        predicted_after = predicted_measurement(image, maps.residual_after)
    before, after = pseudo_colours((maps.cube_before, maps.cube_after), result.dispersion.wavelengths_nm)
    # The reference may be in other units than the reconstruction: it gets its own white.
    (coloured,) = pseudo_colours((reference,), result.dispersion.wavelengths_nm)
    return ResultPictures(before, after, coloured, predicted_before, predicted_after, scale)
