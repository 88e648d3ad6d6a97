"""What the lenses of a simulated rig do besides placing the mask: distortion, lateral colour, bent lines.

Written for itself: the simulator shares no code with the model that is fitted. Lengths are pixels at the edge of the mask's picture, half of its
larger side from the centre; u grows along the dispersion, v a quarter turn clockwise from it.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from cassi_core.errors import ConfigError

MOST_PX = 20.0
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Lens:
    """`radial`: details at the edge lie that much further out; `colour1`, `colour2`: the band at w = -1 .. +1 is larger by c1 w + c2 w^2;
    `bow_*`: details lie further along v by so much times u^2, u v, v^2."""

    colour1: float = 0.0
    colour2: float = 0.0
    radial: float = 0.0
    bow_u2: float = 0.0
    bow_uv: float = 0.0
    bow_v2: float = 0.0

    def __post_init__(self) -> None:
        for name, value in self.values().items():
            if not abs(value) <= MOST_PX:
                raise ConfigError(f"{name} is {value:g}; between {-MOST_PX:g} and {MOST_PX:g} px is possible")

    def values(self) -> dict[str, float]:
        """The terms by name."""
        return {name: float(value) for name, value in asdict(self).items()}

    @property
    def straight(self) -> bool:
        return not any(self.values().values())

    def undistorted(self, row: Array, col: Array, canvas: tuple[int, int], edge_px: float) -> tuple[Array, Array]:
        """Where a detector pixel would look without distortion; the lens is centred on the canvas."""
        y, x = row - (canvas[0] - 1) / 2, col - (canvas[1] - 1) / 2
        inwards = self.radial * (x * x + y * y) / edge_px**3
        return row - y * inwards, col - x * inwards

    def on_mask(self, row: Array, col: Array, place: float, edge_px: float, angle: float) -> tuple[Array, Array]:
        """Where light of a band looks from a place of its picture (both from the centre), before the mask is moved; `angle` of the dispersion."""
        along, across = math.cos(angle), math.sin(angle)
        u, v = col * along + row * across, row * along - col * across
        smaller = 1 - (self.colour1 * place + self.colour2 * place * place) / edge_px
        bend = (self.bow_u2 * u * u + self.bow_uv * u * v + self.bow_v2 * v * v) / edge_px**2
        u, v = u * smaller, v * smaller - bend
        return u * across + v * along, u * along - v * across
