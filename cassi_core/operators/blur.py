"""The denoiser of the GAP solvers without total variation: a blur in space, a smoothing spline along the bands (no autograd here).

Formulas: :meth:`cassi_core.solvers.protocol.GapSettings.taps`, :func:`cassi_core.solvers.protocol.spectral_roughness`. In space sums of shifted
slices are six times faster on a processor than a banded matrix; the bands are few, so that a dense matrix smooths spectra on any device.
"""

from __future__ import annotations

import numpy as np
import torch

from cassi_core.solvers.protocol import GapSettings, spectral_roughness

Taps = tuple[float, ...]


def taps_of(settings: GapSettings) -> Taps:
    """One-sided taps of the blur in space as plain numbers; ``(1.0,)`` for no blur."""
    return tuple(float(t) for t in settings.taps())


def smoother_of(sigma: float, bands: int, like: torch.Tensor) -> torch.Tensor | None:
    """The symmetric matrix ``S`` ``(L, L)`` that smooths spectra, on the device and in the type of `like`; None for no smoothing."""
    return torch.as_tensor(np.linalg.inv(spectral_roughness(sigma, bands))).to(like) if sigma > 0 else None


def blur(
    cube: torch.Tensor,
    taps: Taps,
    smoother: torch.Tensor | None = None,
    *,
    spare: torch.Tensor | None = None,
    transpose: bool = False,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Blur the last two axes of ``(..., L, H, W)`` with ``taps`` and smooth the spectra with `smoother` ``(L, L)``.

    ``transpose`` applies the transposed matrix: what was read from a repeated edge pixel goes back to it (the smoother is symmetric). The
    cube and `spare` (a buffer like it) are overwritten; returned are the blurred cube and the buffer that is free now.
    """
    spare = torch.empty_like(cube) if spare is None else spare
    # The axes commute, so that the transposed factors may be applied in the same order.
    if smoother is not None:
        torch.matmul(smoother, cube.flatten(-2), out=spare.view(*cube.shape[:-2], -1))
        cube, spare = spare, cube
    if len(taps) > 1:
        for dim in (-2, -1):
            _blur_inside(cube, taps, dim, spare)
            _add_repeated(cube, taps, dim, transpose, spare)
            cube, spare = spare, cube
    return cube, spare


def _blur_inside(source: torch.Tensor, taps: Taps, dim: int, out: torch.Tensor) -> None:
    size = source.shape[dim]
    torch.mul(source, taps[0], out=out)
    for j in range(1, min(len(taps), size)):
        out.narrow(dim, j, size - j).add_(source.narrow(dim, 0, size - j), alpha=taps[j])
        out.narrow(dim, 0, size - j).add_(source.narrow(dim, j, size - j), alpha=taps[j])


def _add_repeated(source: torch.Tensor, taps: Taps, dim: int, transpose: bool, out: torch.Tensor) -> None:
    """What the taps read beyond the edges, where the edge pixel is repeated."""
    size = source.shape[dim]
    for i in range(min(len(taps) - 1, size)):
        beyond = sum(taps[i + 1 :])
        for inner, edge in ((i, 0), (size - 1 - i, size - 1)):
            to, of = (edge, inner) if transpose else (inner, edge)
            out.select(dim, to).add_(source.select(dim, of), alpha=beyond)
