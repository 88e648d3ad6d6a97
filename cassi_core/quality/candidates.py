"""A quick look at one set of parameters, for the tuning by hand: what does the picture say to these numbers?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cassi_core.inputs import CalibrationInputs
from cassi_core.parameters import ParameterSet
from cassi_core.quality.colour import pseudo_colour


@dataclass(frozen=True, eq=False)
class CandidateLook:
    """What a candidate gives: residual map `(H, Wm)`, pseudo-colour `(H, W, 3)` uint8, relative residual (lower is better)."""

    parameters: ParameterSet
    residual: NDArray[np.float32]
    colour: NDArray[np.uint8]
    score: float


def look_at(inputs: CalibrationInputs, parameters: ParameterSet, terms: Mapping[str, float] | None = None) -> CandidateLook:
    """Reconstruct with the given parameters and say how much of the measurement is left unexplained (rig's frame); `terms` of the optics."""
    from cassi_core.quality.maps import evaluate  # brings the compiled kernel with it

    seen = evaluate(inputs, parameters, terms=terms)
    return CandidateLook(parameters, seen.residual, pseudo_colour(seen.cube, inputs.dispersion.wavelengths_nm), seen.score)
