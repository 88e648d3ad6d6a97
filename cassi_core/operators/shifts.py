"""The shifts of the bands on a fixed canvas, as sums of a few in-place slices (no autograd here).

``shift_l`` moves a band right by ``cols[l]`` and down by ``rows[l]`` pixels. A fraction is split linearly between
neighbours, so that a band reaches the canvas through one, two or four *taps*, each a rectangle of the band added to a
rectangle of the canvas. What leaves the canvas is lost.

Arrays: cube ``(..., L, H, W)``, mask ``(..., 1 or L, H, W)``, canvas ``(..., Hc, Wc)``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

NO_FRACTION = 1e-6
"""Fractions of a pixel below this count as none, as in every solver."""


@dataclass(frozen=True)
class Tap:
    """One rectangle of a band and where it goes: `weight` times band[source] is added to canvas[target]."""

    band: int
    weight: float
    by_col: float
    """Derivative of the weight with respect to the band's column offset."""
    by_row: float
    """Derivative of the weight with respect to the band's row offset."""
    source: tuple[int, int]
    target: tuple[int, int]
    size: tuple[int, int]

    def of(self, image: torch.Tensor) -> torch.Tensor:
        """The rectangle of a band's image ``(..., H, W)``, a view."""
        return image.narrow(-2, self.source[0], self.size[0]).narrow(-1, self.source[1], self.size[1])

    def on(self, canvas: torch.Tensor) -> torch.Tensor:
        """The rectangle of the canvas ``(..., Hc, Wc)``, a view."""
        return canvas.narrow(-2, self.target[0], self.size[0]).narrow(-1, self.target[1], self.size[1])


@dataclass(frozen=True)
class ShiftPlan:
    """All taps of a hypothesis on a canvas, for bands of shape `shape`."""

    n_bands: int
    shape: tuple[int, int]
    canvas: tuple[int, int]
    taps: tuple[Tap, ...]


def plan_shifts(
    cols: NDArray[np.float64],
    rows: NDArray[np.float64],
    shape: tuple[int, int],
    canvas: tuple[int, int],
    *,
    with_gradient: bool = False,
) -> ShiftPlan:
    """The taps for offsets ``cols``, ``rows`` ``(L,)`` in pixels; with gradients those of weight 0 are kept too."""
    taps = []
    for band, (col, row) in enumerate(zip(cols, rows, strict=True)):
        for row_start, row_weight, row_slope in _split(float(row)):
            for col_start, col_weight, col_slope in _split(float(col)):
                weight = row_weight * col_weight
                if weight == 0 and not with_gradient:
                    continue
                down, right = _overlap(row_start, shape[0], canvas[0]), _overlap(col_start, shape[1], canvas[1])
                if down is None or right is None:
                    continue
                slopes = (col_slope * row_weight, row_slope * col_weight)
                taps.append(Tap(band, weight, *slopes, (down[0], right[0]), (down[1], right[1]), (down[2], right[2])))
    return ShiftPlan(len(cols), shape, canvas, tuple(taps))


def _split(offset: float) -> Iterator[tuple[int, float, float]]:
    """Whole pixel, weight and derivative of the weight, for both neighbours."""
    whole = int(np.floor(offset + NO_FRACTION))
    fraction = offset - whole
    fraction = fraction if fraction >= NO_FRACTION else 0.0
    yield whole, 1.0 - fraction, -1.0
    yield whole + 1, fraction, 1.0


def _overlap(start: int, size: int, canvas: int) -> tuple[int, int, int] | None:
    """First index in the band, first index on the canvas, and length of what lies on the canvas."""
    first, last = max(start, 0), min(start + size, canvas)
    return (first - start, first, last - first) if last > first else None


def band_of(images: torch.Tensor, band: int) -> torch.Tensor:
    """The image of one band from ``(..., L, H, W)``, or the one shared by all bands from ``(..., 1, H, W)``."""
    return images.select(-3, band if images.shape[-3] > 1 else 0)


def add_projection(canvas: torch.Tensor, cube: torch.Tensor, masks: torch.Tensor, plan: ShiftPlan, factor: float = 1.0) -> None:
    """Add ``factor * sum_l shift_l(M_l . x_l)`` to the canvas in place."""
    for tap in plan.taps:
        if tap.weight:
            coded, mask = tap.of(band_of(cube, tap.band)), tap.of(band_of(masks, tap.band))
            tap.on(canvas).addcmul_(mask, coded, value=factor * tap.weight)


def add_back_projection(
    cube: torch.Tensor, canvas: torch.Tensor, masks: torch.Tensor, plan: ShiftPlan, factor: float = 1.0
) -> None:
    """Add ``factor * M_l . shift_l^T(canvas)`` to every band of the cube in place.

    With the roles of cube and masks exchanged this is the gradient with respect to the masks; one shared by all bands
    collects the sum.
    """
    for tap in plan.taps:
        if tap.weight:
            mask = tap.of(band_of(masks, tap.band))
            tap.of(band_of(cube, tap.band)).addcmul_(mask, tap.on(canvas), value=factor * tap.weight)


def offset_gradients(
    cube: torch.Tensor, canvas: torch.Tensor, masks: torch.Tensor, plan: ShiftPlan
) -> tuple[torch.Tensor, torch.Tensor]:
    """Derivatives of ``<canvas, sum_l shift_l(M_l . x_l)>`` with respect to ``cols`` and ``rows``, ``(L,)`` float64 each."""
    by_col = torch.zeros(plan.n_bands, dtype=torch.float64, device=cube.device)
    by_row = torch.zeros_like(by_col)
    for tap in plan.taps:
        coded = tap.of(band_of(masks, tap.band)) * tap.of(band_of(cube, tap.band))
        inner = (coded * tap.on(canvas)).sum().to(torch.float64)
        by_col[tap.band] += tap.by_col * inner
        by_row[tap.band] += tap.by_row * inner
    return by_col, by_row
