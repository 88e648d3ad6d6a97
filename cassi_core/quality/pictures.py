"""Pictures of a finished calibration that are computed once and then only looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cassi_core.inputs import CalibrationInputs
from cassi_core.quality.colour import pseudo_colours
from cassi_core.result import CalibrationResult
from cassi_core.run import RunControl

if TYPE_CHECKING:
    from cassi_core.quality.loupe import Loupe

POINTS = 3
"""Spectra are shown at so many places when nobody has picked one: more curves hide each other."""


@dataclass(frozen=True, eq=False)
class ResultPictures:
    """What the proof of a result shows beyond its maps.

    `colour` is the fitted scene in pseudo-colour `(H, W, 3)` uint8, `points` are places `(row, col)` of it to look at. Those that follow are
    None without the inputs of the run: `full_scale`, what the brightest pixels of the picture hold (99.9th percentile, in its units);
    `noise_share`, see :func:`~cassi_core.quality.noise.noise_share`; and the `loupe`. `reference_scale` is what the reference is to be
    multiplied with to compare its spectra: a camera's units are not those of the scene.
    """

    colour: NDArray[np.uint8] | None = None
    points: tuple[tuple[int, int], ...] = ()
    reference_scale: float = 1.0
    full_scale: float | None = None
    noise_share: float | None = None
    loupe: Loupe | None = None


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


def result_pictures(
    result: CalibrationResult, inputs: CalibrationInputs | None, control: RunControl | None = None
) -> ResultPictures:
    """The pictures behind a result's maps: about two seconds at 256 x 256 x 28; empty when the result carries no maps.

    Raises
    ------
    RunCancelled
        After ``control.cancel()``.
    """
    maps = result.maps
    if maps is None:
        return ResultPictures()
    from cassi_core.quality.points import spectrum_points  # brings SciPy with it

    (colour,) = pseudo_colours((maps.cube_after,), result.dispersion.wavelengths_nm)
    points = spectrum_points(maps.cube_after, POINTS)
    if inputs is None or not belongs_to(result, inputs):
        return ResultPictures(colour, points)
    from cassi_core.quality.loupe import lay_loupe  # brings the compiled kernel with it
    from cassi_core.quality.noise import noise_share

    scale = 1.0 if inputs.reference is None else light_scale(inputs.reference, maps.cube_after)
    full_scale = float(np.quantile(inputs.frames[0].image, 0.999)) or 1.0
    terms = {term.name: term.value_px for term in result.optics}
    loupe = lay_loupe(inputs, result.start, result.parameters, terms=terms, control=control)
    return ResultPictures(colour, points, scale, full_scale, noise_share(inputs), loupe)
