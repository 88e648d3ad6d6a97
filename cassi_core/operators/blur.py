"""The Gaussian denoiser of the GAP solvers: separable, edges repeated in space and mirrored along the bands (no autograd here).

Taps: :func:`cassi_core.solvers.protocol.gaussian_taps`. Sums of shifted slices are six times faster on a processor than a
banded matrix, and work on any device for any batch.
"""

from __future__ import annotations

import torch

from cassi_core.solvers.protocol import gaussian_taps

Taps = tuple[float, ...]


def taps_of(sigma: float) -> Taps:
    """One-sided taps as plain numbers; ``(1.0,)`` for no blur."""
    return tuple(float(t) for t in gaussian_taps(sigma))


def blur(
    cube: torch.Tensor, taps: Taps, band_taps: Taps = (1.0,), *, spare: torch.Tensor | None = None, transpose: bool = False
) -> tuple[torch.Tensor, torch.Tensor]:
    """Blur the last two axes of ``(..., L, H, W)`` with ``taps`` and the third last with ``band_taps``.

    ``transpose`` applies the transposed matrix: what was read from a repeated edge pixel goes back to it (along the bands, where the edge
    is mirrored, the matrix is symmetric). The cube and `spare` (a buffer like it) are overwritten; returned are the blurred cube and the
    buffer that is free now.
    """
    spare = torch.empty_like(cube) if spare is None else spare
    # The axes commute, so that the transposed factors may be applied in the same order.
    for dim, line in ((-3, band_taps), (-2, taps), (-1, taps)):
        if len(line) > 1:
            _blur_inside(cube, line, dim, spare)
            if dim == -3:
                _add_mirrored(cube, line, dim, spare)
            else:
                _add_repeated(cube, line, dim, transpose, spare)
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


def _add_mirrored(source: torch.Tensor, taps: Taps, dim: int, out: torch.Tensor) -> None:
    """What the taps read beyond the edges, where position ``-1 - i`` is ``i``, again and again."""
    size = source.shape[dim]
    for i in range(min(len(taps) - 1, size)):
        for j in range(i + 1, len(taps)):
            of = (j - i - 1) % (2 * size)
            of = min(of, 2 * size - 1 - of)
            out.select(dim, i).add_(source.select(dim, of), alpha=taps[j])
            out.select(dim, size - 1 - i).add_(source.select(dim, size - 1 - of), alpha=taps[j])
