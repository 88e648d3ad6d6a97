"""Total-variation denoising by Chambolle's dual iteration on torch tensors, differentiable (Chambolle 2004, section 3)."""

from __future__ import annotations

import torch
from torch.nn import functional

from cassi_core.solvers.protocol import TV_TAU

SMALLEST_SQUARE = 1e-12
"""Added under the root of the gradient's length: its derivative at 0 is infinite; the length changes by less than 1e-6."""


def chambolle_tv(image: torch.Tensor, weight: float, n_iter: int) -> torch.Tensor:
    """Minimise ``TV(u) + ||u - f||^2 / (2*weight)`` over the last two axes, each leading index by itself.

    ``p <- (p + tau*grad(div p - f/weight)) / (1 + tau*|grad(div p - f/weight)|)`` from ``p = 0``, result ``f - weight*div p``;
    forward differences that are zero in the last row and column, ``div`` their negative adjoint. Weight 0 returns the image.
    """
    if weight <= 0:
        return image
    scaled = image / weight
    down, right = torch.zeros_like(image), torch.zeros_like(image)
    for _ in range(n_iter):
        inner = _divergence(down, right) - scaled
        by_row = functional.pad(inner.diff(dim=-2), (0, 0, 0, 1))
        by_col = functional.pad(inner.diff(dim=-1), (0, 1))
        shrink = 1 + TV_TAU * torch.sqrt(by_row * by_row + by_col * by_col + SMALLEST_SQUARE)
        down, right = (down + TV_TAU * by_row) / shrink, (right + TV_TAU * by_col) / shrink
    return image - weight * _divergence(down, right)


def _divergence(down: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """Negative adjoint of the forward differences; the last row of `down` and the last column of `right` are zero."""
    return down - functional.pad(down[..., :-1, :], (0, 0, 1, 0)) + right - functional.pad(right[..., :-1], (1, 0))


def chambolle_tv_gradient(image: torch.Tensor, gradient: torch.Tensor, weight: float, n_iter: int) -> torch.Tensor:
    """Gradient of ``<gradient, chambolle_tv(image)>`` with respect to the image; the dual iterations are computed again."""
    if weight <= 0:
        return gradient
    with torch.enable_grad():
        leaf = image.detach().requires_grad_()
        # As a scalar: a gradient handed to grad() would load a computer algebra system (0.7 s, once).
        inner = (chambolle_tv(leaf, weight, n_iter) * gradient).sum()
    return torch.autograd.grad(inner, leaf)[0]
