"""GAP unrolled for differentiation: every iteration by hand-written derivatives, memory by checkpoints.

Formulas, normaliser and denoisers: :mod:`cassi_core.solvers.protocol` (Yuan 2016, GAP-TV, eq. 8-11). An iteration is linear
in ``x``, so that its backward pass is an iteration of the same cost: with the gradient ``g`` after the denoiser's transpose,
``q = w . S(M.g) / phi`` and the scaled residual ``r = w . (y - S(M.x)) / phi``,

    dL/dx = g - M . S^T q        dL/dM = g . S^T r - x . S^T q        dL/d(1/phi) = S(M.g) . r * phi
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

import torch
from torch.utils.checkpoint import checkpoint

from cassi_core.dispersion import DispersionMode
from cassi_core.errors import ConfigError
from cassi_core.operators.blur import gaussian_blur
from cassi_core.operators.forward import (
    DispersedModule,
    Offsets,
    back_project,
    check_measurement,
    masks_for,
    normaliser,
    offset_gradients_if,
    plan_of,
)
from cassi_core.operators.shifts import ShiftPlan, add_back_projection, add_projection, offset_gradients
from cassi_core.solvers.protocol import GapSettings
from cassi_core.solvers.tv_torch import chambolle_tv

Callback = Callable[[], None]


def nothing() -> None:
    """The callback of a run that nobody watches."""


class _GapStep(torch.autograd.Function):
    """``x + M . S^T(inverse . w . (y - S(M.x)))``, the iteration without its denoiser."""

    @staticmethod
    def forward(
        ctx: Any,
        cube: torch.Tensor,
        masks: torch.Tensor,
        y: torch.Tensor,
        share: torch.Tensor,
        cols: torch.Tensor,
        rows: torch.Tensor,
        plan: ShiftPlan,
        callback: Callback,
    ) -> torch.Tensor:
        left = y.clone()
        add_projection(left, cube, masks, plan, -1.0)
        ctx.save_for_backward(cube, masks, left, share, cols, rows)
        ctx.plan, ctx.callback = plan, callback
        moved = cube.clone()
        add_back_projection(moved, left * share, masks, plan)
        return moved

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> Any:
        cube, masks, left, share, cols, rows = ctx.saved_tensors
        plan: ShiftPlan = ctx.plan
        ctx.callback()
        seen = torch.zeros_like(left)
        add_projection(seen, gradient, masks, plan)
        back, residual = seen * share, left * share
        by_cube = gradient.clone()
        add_back_projection(by_cube, back, masks, plan, -1.0)
        by_masks = by_cols = by_rows = None
        if ctx.needs_input_grad[1]:
            by_masks = torch.zeros_like(masks)
            add_back_projection(by_masks, residual, gradient, plan)
            add_back_projection(by_masks, back, cube, plan, -1.0)
        if any(ctx.needs_input_grad[4:6]):
            by_cols, by_rows = offset_gradients_if(ctx.needs_input_grad[4:6], gradient, residual, masks, cols, rows, plan)
            less_cols, less_rows = offset_gradients(cube, back, masks, plan)
            by_cols, by_rows = by_cols - less_cols.to(cols), by_rows - less_rows.to(rows)  # type: ignore[operator]
        return by_cube, by_masks, back, seen * left, by_cols, by_rows, None, None


def denoise(cube: torch.Tensor, settings: GapSettings) -> torch.Tensor:
    """The denoiser of the settings on a cube ``(..., L, H, W)``, differentiable."""
    if settings.denoiser == "tv":
        return chambolle_tv(cube, settings.tv_weight, settings.tv_iter)
    return gaussian_blur(cube, settings.sigma_px, settings.sigma_bands)


def unrolled_gap(
    y: torch.Tensor,
    mask: torch.Tensor,
    cols: torch.Tensor,
    rows: torch.Tensor,
    settings: GapSettings,
    *,
    weight: torch.Tensor | None = None,
    checkpointing: bool = False,
    callback: Callback = nothing,
) -> torch.Tensor:
    """The cube ``(L, H, W)`` after ``n_iter`` plain GAP iterations, differentiable in measurement, mask and offsets.

    Parameters
    ----------
    y
        Measurement ``(Hc, Wc)``; its shape is the canvas.
    mask
        ``(H, W)`` or ``(L, H, W)``.
    cols, rows
        ``(L,)`` offsets of the bands on the canvas in pixels.
    settings
        Iterations and denoiser; the accelerated form is not unrolled.
    weight
        ``(Hc, Wc)``, 1 where a pixel counts and 0 elsewhere.
    checkpointing
        Keep only about ``sqrt(n_iter)`` iterates and compute the others again in the backward pass.
    callback
        Called in every iteration, also when it is computed again and in its backward pass; what it raises ends the computation.
    """
    if settings.accelerated:
        raise ConfigError("the accelerated form of GAP is not unrolled for differentiation; use accelerated=False")
    share = 1 / normaliser(mask, cols, rows, (y.shape[0], y.shape[1]))
    share = share if weight is None else share * weight
    masks, plan = masks_for(mask, y), plan_of(cols, rows, mask.shape, y.shape)

    def advance(cube: torch.Tensor, n_iter: int) -> torch.Tensor:
        for _ in range(n_iter):
            callback()
            moved = _GapStep.apply(cube, masks, y, share, cols, rows, plan, callback)  # type: ignore[no-untyped-call]
            cube = denoise(moved, settings)
        return cube

    cube = back_project(y * share, mask, cols, rows)
    if not (checkpointing and torch.is_grad_enabled() and cube.requires_grad):
        return advance(cube, settings.n_iter)
    # A step of the Gaussian keeps one cube, so that segments of sqrt(n) are best; the dual iterations of TV keep dozens.
    length = 1 if settings.denoiser == "tv" else math.isqrt(settings.n_iter)
    for first in range(0, settings.n_iter, length):
        part = min(length, settings.n_iter - first)
        cube = checkpoint(advance, cube, part, use_reentrant=False, preserve_rng_state=False)
    return cube


class DifferentiableGAPTV(DispersedModule):
    """Unrolled GAP: ``DifferentiableGAPTV(s_nom, H, W, L)(y, mask2d, phi_d_deg) -> [1, L, H, W]``.

    Parameters
    ----------
    s_nom
        ``(L,)`` cumulative offsets in pixels.
    H, W, L
        Rows, columns and bands of the cube.
    n_iter
        Unrolled iterations.
    gauss_sigma
        Width of the Gaussian denoiser in pixels.
    use_checkpointing
        Compute iterates again in the backward pass instead of keeping them; the gradients are the same.
    mode
        Dispersion mode, ``integer`` or ``interpolated``.
    denoiser, tv_weight, tv_iter
        ``gaussian``, or ``tv``: Chambolle's total variation with this weight and number of dual iterations.
    callback
        Called in every unrolled iteration, also in the backward pass; raising there ends the computation.
    """

    def __init__(
        self,
        s_nom: Offsets,
        H: int,
        W: int,
        L: int,
        n_iter: int = 12,
        gauss_sigma: float = 0.5,
        use_checkpointing: bool = True,
        *,
        mode: DispersionMode = "integer",
        denoiser: Literal["gaussian", "tv"] = "gaussian",
        tv_weight: float = 0.02,
        tv_iter: int = 8,
        callback: Callback | None = None,
    ) -> None:
        super().__init__(s_nom, mode=mode)
        self.size = (L, H, W)
        self.settings = GapSettings(n_iter, gauss_sigma, denoiser=denoiser, tv_weight=tv_weight, tv_iter=tv_iter)
        self.use_checkpointing = use_checkpointing
        self.callback = callback or nothing

    def forward(self, y: torch.Tensor, mask2d: torch.Tensor, phi_d_deg: torch.Tensor | float) -> torch.Tensor:
        """Reconstruct measurements ``(1, Hp, Wp)`` (or ``(Hp, Wp)``) through a mask ``(H, W)``, ``(1, L, H, W)``."""
        y = y[None] if y.ndim == 2 else y
        cols, rows, _ = self.place(phi_d_deg, check_measurement(y, mask2d, self.s_nom.shape[0], self.size))
        options = {"checkpointing": self.use_checkpointing, "callback": self.callback}
        return torch.stack([unrolled_gap(image, mask2d, cols, rows, self.settings, **options) for image in y])  # type: ignore[arg-type]
