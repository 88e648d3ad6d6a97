"""Where each band lands: nominal travel, its refinement by slope, curve and alpha, and the direction of a rig.

Conventions
-----------
The nominal cumulative offsets ``s_nom[l]`` (pixels, band 0 at 0; constant step: ``step*l``) are refined by ``slope``
(px/band), ``curve`` (px/band^2) and the axis angle ``alpha`` (degrees):

    s_l = s_nom[l] + slope*l + curve*l*(l-(L-1))
    offset_l = (s_l*cos(axis+alpha) right, s_l*sin(axis+alpha) down)

``axis`` is the rig's choice of direction: right 0, down 90, left 180, up 270 degrees. A rig that disperses to the left,
down or up is turned by quarter turns into the frame where it disperses to the right (:func:`to_dispersion_frame`);
``theta``, ``slope``, ``curve`` and ``alpha`` are the same in both frames, ``(dx, dy)`` turn with it and the two scales
change places for odd quarter turns. Everything that fits works in that frame; everything shown or written is in the rig's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from cassi_core.errors import InputError

Scalar = TypeVar("Scalar", bound=np.generic)
Direction = Literal["right", "down", "left", "up"]
DispersionMode = Literal["interpolated", "integer"]

QUARTER_TURNS: dict[str, int] = {"right": 0, "down": 1, "left": 2, "up": 3}
"""Quarter turns (`numpy.rot90`, counter-clockwise as displayed) that bring a direction to the right."""


@dataclass(frozen=True, eq=False)
class Dispersion:
    """Nominal dispersion of a rig: cumulative offsets in pixels, direction, and how fractions of a pixel are treated."""

    s_nom: NDArray[np.float64]
    direction: Direction = "right"
    mode: DispersionMode = "interpolated"
    wavelengths_nm: NDArray[np.float64] | None = field(default=None)

    def __post_init__(self) -> None:
        s = np.array(self.s_nom, np.float64).reshape(-1)
        if s.size < 1:
            raise InputError("the dispersion has no bands; give at least one (--bands)")
        if not np.all(np.isfinite(s)):
            raise InputError("the dispersion offsets hold NaN or infinite values")
        if s.size > 1 and np.any(np.diff(s) <= 0):
            raise InputError(
                "the dispersion offsets must grow from band to band; "
                "for a rig that disperses to the left or up set the direction"
            )
        s = s - s[0]
        s.flags.writeable = False
        object.__setattr__(self, "s_nom", s)
        if self.direction not in QUARTER_TURNS:
            raise InputError(f"unknown dispersion direction '{self.direction}'; use right, left, down or up")
        if self.mode not in ("interpolated", "integer"):
            raise InputError(f"unknown dispersion mode '{self.mode}'; use interpolated or integer")
        if self.wavelengths_nm is not None:
            nm = np.array(self.wavelengths_nm, np.float64).reshape(-1)
            if nm.size != s.size:
                raise InputError(f"{nm.size} wavelengths for {s.size} bands; one wavelength per band is needed")
            nm.flags.writeable = False
            object.__setattr__(self, "wavelengths_nm", nm)

    @classmethod
    def constant(
        cls,
        n_bands: int,
        step_px: float,
        *,
        direction: Direction = "right",
        mode: DispersionMode = "interpolated",
        wavelengths_nm: NDArray[np.float64] | None = None,
    ) -> Dispersion:
        """Equal steps: ``s_nom[l] = step_px * l``."""
        if n_bands < 1:
            raise InputError(f"{n_bands} bands; a measurement has at least one (--bands)")
        if not step_px > 0 and n_bands > 1:
            raise InputError(f"a dispersion step of {step_px:g} px; it must be positive (use the direction for left or up)")
        return cls(np.arange(n_bands, dtype=np.float64) * step_px, direction, mode, wavelengths_nm)

    @property
    def n_bands(self) -> int:
        return int(self.s_nom.size)

    @property
    def step_px(self) -> float:
        """Mean nominal step in pixels per band."""
        return float(self.s_nom[-1] / (self.n_bands - 1)) if self.n_bands > 1 else 0.0

    @property
    def travel_px(self) -> float:
        """Nominal distance between the first and the last band in pixels."""
        return float(self.s_nom[-1])

    def travel(self, slope: float = 0.0, curve: float = 0.0) -> NDArray[np.float64]:
        """Refined cumulative offsets along the axis, ``s_l`` in pixels, shape ``(L,)`` float64."""
        band = np.arange(self.n_bands, dtype=np.float64)
        return np.asarray(self.s_nom + slope * band + curve * band * (band - (self.n_bands - 1)), np.float64)

    def offsets(self, parameters: Mapping[str, float] | None = None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Offsets ``(columns right, rows down)`` of each band in the dispersion frame, each ``(L,)`` float64 pixels.

        Whole pixels in ``integer`` mode. The direction of the rig is not in here: see :func:`to_dispersion_frame`.
        """
        p = parameters or {}
        s = self.travel(p.get("slope", 0.0), p.get("curve", 0.0))
        angle = np.deg2rad(p.get("alpha", 0.0))
        cols, rows = s * np.cos(angle), s * np.sin(angle)
        return (np.round(cols), np.round(rows)) if self.mode == "integer" else (cols, rows)

    def whole_offsets(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Nominal offsets ``(columns, rows)`` rounded to whole pixels: the grid on which the engine keeps the scene of every band."""
        return np.round(self.s_nom), np.zeros(self.n_bands)

    def canvas_shape(self, mask_shape: tuple[int, int]) -> tuple[int, int]:
        """Nominal measurement shape in the rig's frame: the mask grown by the rounded travel along the dispersion axis."""
        grow = round(self.travel_px)
        height, width = mask_shape
        return (height, width + grow) if QUARTER_TURNS[self.direction] % 2 == 0 else (height + grow, width)


def to_dispersion_frame(image: NDArray[Scalar], direction: Direction) -> NDArray[Scalar]:
    """Turn the last two axes of an image, mask or cube so that the dispersion goes to the right (a contiguous copy)."""
    return np.ascontiguousarray(np.rot90(image, QUARTER_TURNS[direction], axes=(-2, -1)))


def from_dispersion_frame(image: NDArray[Scalar], direction: Direction) -> NDArray[Scalar]:
    """Undo :func:`to_dispersion_frame`."""
    return np.ascontiguousarray(np.rot90(image, -QUARTER_TURNS[direction], axes=(-2, -1)))


def vector_to_dispersion_frame(dx: float, dy: float, direction: Direction) -> tuple[float, float]:
    """Turn a displacement (right, down) of the rig's frame into the dispersion frame."""
    for _ in range(QUARTER_TURNS[direction]):
        dx, dy = dy, -dx
    return dx, dy


def vector_from_dispersion_frame(dx: float, dy: float, direction: Direction) -> tuple[float, float]:
    """Turn a displacement (right, down) of the dispersion frame into the rig's frame."""
    for _ in range(QUARTER_TURNS[direction]):
        dx, dy = -dy, dx
    return dx, dy
