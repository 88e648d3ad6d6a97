"""The forward model and the denoiser in a dozen large operations each, for devices on which many small ones are slow (no autograd here).

For whole offsets only: a pixel of the canvas gathers one pixel from every band, and a pixel of a band one from the canvas, so that all bands
of a batch move in one operation; the blur is a banded matrix on either side. On a GPU, where an operation costs more to start than
to run, this replaces the slices of :mod:`cassi_core.operators.shifts`; on a processor those are faster.

Arrays: cubes ``(B, L, H, W)``, masks ``(B, 1 or L, H, W)``, canvases ``(B, Hc, Wc)``.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from cassi_core.solvers.protocol import GapSettings, spectral_roughness


class Gathered:
    """Shifts by whole ``cols`` and ``rows`` ``(L,)`` between bands of a shape and a canvas; what leaves the canvas is lost."""

    def __init__(
        self,
        cols: NDArray[np.int64],
        rows: NDArray[np.int64],
        shape: tuple[int, int],
        canvas: tuple[int, int],
        device: torch.device,
    ) -> None:
        self._canvas = canvas
        self._from_canvas = _places(rows, cols, shape, canvas, device).flatten()
        bands = torch.arange(len(cols), device=device)[:, None, None]
        outside = len(cols) * shape[0] * shape[1]
        places = _places(-rows, -cols, canvas, shape, device)
        inside = places < shape[0] * shape[1]
        self._from_bands = torch.where(inside, places + bands * (shape[0] * shape[1]), outside).flatten()
        self._bands = len(cols)

    def projected(self, cubes: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
        """``A x = sum_l shift_l(M_l . x_l)``, ``(B, Hc, Wc)``."""
        coded = (masks * cubes).flatten(1)
        seen = _with_zero(coded).index_select(1, self._from_bands)
        return seen.view(len(cubes), self._bands, *self._canvas).sum(1)

    def add_back_projected(self, cubes: torch.Tensor, canvas: torch.Tensor, masks: torch.Tensor) -> None:
        """Add ``M_l . shift_l^T(canvas)`` to every band of the cubes in place."""
        spread = _with_zero(canvas.flatten(1)).index_select(1, self._from_canvas)
        cubes.addcmul_(masks, spread.view(cubes.shape))


class MatrixBlur:
    """Blur in space (edges repeated) and smoothing of spectra ``(L, H, W)`` by matrices, as the solver's settings say."""

    def __init__(self, settings: GapSettings, size: tuple[int, int, int], device: torch.device) -> None:
        bands, height, width = size
        taps, sigma_bands = settings.taps(), settings.spectral_width()
        self._left = self._right = self._spectral = None
        if len(taps) > 1:
            self._left = _tensor(blur_matrix(taps, height), device)
            self._right = _tensor(blur_matrix(taps, width).T, device)
        if sigma_bands > 0:
            self._spectral = _tensor(np.linalg.inv(spectral_roughness(sigma_bands, bands)).astype(np.float64), device)

    def __call__(self, cubes: torch.Tensor) -> torch.Tensor:
        """The blurred cubes ``(B, L, H, W)``."""
        if self._spectral is not None:
            cubes = torch.matmul(self._spectral, cubes.flatten(-2)).view(cubes.shape)
        if self._left is not None and self._right is not None:
            cubes = torch.matmul(torch.matmul(self._left, cubes), self._right)
        return cubes


def blur_matrix(taps: NDArray[np.float32], size: int) -> NDArray[np.float64]:
    """``(size, size)``: the one-sided taps of the solvers along one axis, what lies beyond an edge read from the edge pixel."""
    matrix = np.zeros((size, size))
    at = np.arange(size)
    for j in range(-(len(taps) - 1), len(taps)):
        np.add.at(matrix, (at, np.clip(at + j, 0, size - 1)), float(taps[abs(j)]))
    return matrix


def _places(
    rows: NDArray[np.int64], cols: NDArray[np.int64], shape: tuple[int, int], within: tuple[int, int], device: torch.device
) -> torch.Tensor:
    """For every shifted pixel of `shape` its flat place in an image of shape `within`, or one beyond the last; ``(L, *shape)``."""
    down = torch.arange(shape[0], device=device)[None] + torch.as_tensor(rows, device=device)[:, None]
    right = torch.arange(shape[1], device=device)[None] + torch.as_tensor(cols, device=device)[:, None]
    row_inside = (down >= 0) & (down < within[0])
    col_inside = (right >= 0) & (right < within[1])
    places = down[:, :, None] * within[1] + right[:, None, :]
    return torch.where(row_inside[:, :, None] & col_inside[:, None, :], places, within[0] * within[1])


def _with_zero(images: torch.Tensor) -> torch.Tensor:
    """Flat images ``(B, N)`` with a zero behind the last pixel, which everything outside reads."""
    return torch.nn.functional.pad(images, (0, 1))


def _tensor(matrix: NDArray[np.float64], device: torch.device) -> torch.Tensor:
    return torch.as_tensor(np.ascontiguousarray(matrix, np.float32), device=device)
