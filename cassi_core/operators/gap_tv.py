"""GAP unrolled for differentiation, with hand-written derivatives and as little memory as asked for.

Formulas, normaliser and denoisers: :mod:`cassi_core.solvers.protocol` (Yuan 2016, GAP-TV, eq. 8-11). An iteration is linear
in ``x``, so that its backward pass is an iteration of the same cost. With ``i = w/phi``, the gradient ``g`` after the
denoiser's transpose, ``q = i . S(M.g)`` and ``r = y - S(M.x)``:

    dL/dx = g - M . S^T q        dL/dM += g . S^T(i.r) - x . S^T q        dL/di += S(M.g) . r        dL/dy += q
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch.autograd.function import once_differentiable

from cassi_core.dispersion import DispersionMode
from cassi_core.errors import ConfigError
from cassi_core.operators.blur import blur, smoother_of, taps_of
from cassi_core.operators.forward import DispersedModule, Offsets, check_measurement, masks_for, normaliser, plan_of
from cassi_core.operators.shifts import ShiftPlan, add_back_projection, add_projection, offset_gradients
from cassi_core.solvers.protocol import Denoiser, GapSettings
from cassi_core.solvers.tv_torch import chambolle_tv, chambolle_tv_gradient

Callback = Callable[[], None]


def nothing() -> None:
    """The callback of a run that nobody watches."""


@dataclass(frozen=True, eq=False)
class _Iteration:
    """One GAP iteration on fixed data: ``y`` and ``share = w/phi`` ``(Hc, Wc)``, masks ``(1 or L, H, W)``."""

    y: torch.Tensor
    masks: torch.Tensor
    share: torch.Tensor
    plan: ShiftPlan
    settings: GapSettings
    callback: Callback

    def left(self, cube: torch.Tensor) -> torch.Tensor:
        """``y - A x``."""
        left = self.y.clone()
        add_projection(left, cube, self.masks, self.plan, -1.0)
        return left

    def start(self) -> torch.Tensor:
        cube = self.y.new_zeros((self.plan.n_bands, *self.plan.shape))
        add_back_projection(cube, self.y * self.share, self.masks, self.plan)
        return cube

    def advance(self, cube: torch.Tensor, spare: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The next iterate and a free buffer; both given tensors are overwritten."""
        add_back_projection(cube, self.left(cube) * self.share, self.masks, self.plan)
        if self.settings.denoiser == "tv":
            for band in cube:
                self.callback()
                band.copy_(chambolle_tv(band, self.settings.tv_weight, self.settings.tv_iter))
            return cube, spare
        return blur(cube, *self._widths(cube), spare=spare)

    def denoiser_gradient(
        self, cube: torch.Tensor, left: torch.Tensor, gradient: torch.Tensor, spare: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The gradient before the denoiser of this iterate's step, and a free buffer; both given buffers are overwritten."""
        if self.settings.denoiser == "tv":
            spare.copy_(cube)
            add_back_projection(spare, left * self.share, self.masks, self.plan)
            for band, slope in zip(spare, gradient, strict=True):
                self.callback()
                slope.copy_(chambolle_tv_gradient(band, slope, self.settings.tv_weight, self.settings.tv_iter))
            return gradient, spare
        return blur(gradient, *self._widths(gradient), spare=spare, transpose=True)

    def _widths(self, cube: torch.Tensor) -> tuple[tuple[float, ...], torch.Tensor | None]:
        """Taps of the spatial blur and the matrix that smooths spectra."""
        return taps_of(self.settings), smoother_of(self.settings.sigma_bands, self.plan.n_bands, cube)


class _Gradients:
    """What the backward pass collects over the iterations."""

    def __init__(self, iteration: _Iteration, offsets: bool) -> None:
        self._it = iteration
        self.y, self.share = torch.zeros_like(iteration.y), torch.zeros_like(iteration.share)
        self.masks = torch.zeros_like(iteration.masks)
        zeros = torch.zeros(iteration.plan.n_bands, dtype=torch.float64, device=iteration.y.device)
        self.cols, self.rows, self._offsets = zeros, zeros.clone(), offsets

    def add_back_projected(self, gradient: torch.Tensor, source: torch.Tensor) -> torch.Tensor:
        """Of ``M . S^T(i . source)`` with respect to ``i``, masks and offsets; returns ``q``, that for the source."""
        it = self._it
        seen = torch.zeros_like(source)
        add_projection(seen, gradient, it.masks, it.plan)
        scaled = source * it.share
        self.share += seen * source
        add_back_projection(self.masks, scaled, gradient, it.plan)
        self._add_offsets(gradient, scaled, 1.0)
        back = seen * it.share
        self.y += back
        return back

    def subtract_projected(self, cube: torch.Tensor, back: torch.Tensor) -> None:
        """Of ``-S(M . x)`` with respect to masks and offsets, for the gradient `back` of the canvas."""
        add_back_projection(self.masks, back, cube, self._it.plan, -1.0)
        self._add_offsets(cube, back, -1.0)

    def _add_offsets(self, cube: torch.Tensor, canvas: torch.Tensor, sign: float) -> None:
        if self._offsets:
            by_col, by_row = offset_gradients(cube, canvas, self._it.masks, self._it.plan)
            self.cols += sign * by_col
            self.rows += sign * by_row


class _UnrolledGap(torch.autograd.Function):
    """All iterations at once. Every ``stride``-th iterate is kept; those between are computed again in the backward pass."""

    @staticmethod
    def forward(
        ctx: Any,
        y: torch.Tensor,
        masks: torch.Tensor,
        share: torch.Tensor,
        cols: torch.Tensor,
        rows: torch.Tensor,
        plan: ShiftPlan,
        settings: GapSettings,
        stride: int,
        callback: Callback,
    ) -> torch.Tensor:
        iteration = _Iteration(y, masks, share, plan, settings, callback)
        cube = iteration.start()
        spare = torch.empty_like(cube)
        kept = None
        if stride:
            kept = cube.new_empty((math.ceil(settings.n_iter / stride), *cube.shape))
            ctx.save_for_backward(y, masks, share, cols, rows, kept)
            ctx.constants = plan, settings, stride, callback
        for k in range(settings.n_iter):
            callback()
            if kept is not None and k % stride == 0:
                kept[k // stride].copy_(cube)
            cube, spare = iteration.advance(cube, spare)
        return cube

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> Any:
        y, masks, share, cols, rows, kept = ctx.saved_tensors
        plan, settings, stride, callback = ctx.constants
        iteration = _Iteration(y, masks, share, plan, settings, callback)
        total = _Gradients(iteration, any(ctx.needs_input_grad[3:5]))
        gradient = gradient.clone(memory_format=torch.contiguous_format)
        spare = torch.empty_like(gradient)
        between = torch.empty((stride - 1, *gradient.shape), dtype=y.dtype, device=y.device)
        for first in reversed(range(0, settings.n_iter, stride)):
            iterates = [kept[first // stride], *between[: settings.n_iter - first - 1]]
            for before, after in pairwise(iterates):
                callback()
                made, free = iteration.advance(after.copy_(before), spare)
                spare = free if made is after else made
                after.copy_(made)
            for cube in reversed(iterates):
                callback()
                left = iteration.left(cube)
                gradient, spare = iteration.denoiser_gradient(cube, left, gradient, spare)
                back = total.add_back_projected(gradient, left)
                total.subtract_projected(cube, back)
                add_back_projection(gradient, back, masks, plan, -1.0)
        total.add_back_projected(gradient, y)
        return total.y, total.masks, total.share, total.cols.to(cols), total.rows.to(rows), None, None, None, None


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
        Iterations and denoiser; the accelerated form is not unrolled (ConfigError).
    weight
        ``(Hc, Wc)``, 1 where a pixel counts and 0 elsewhere.
    checkpointing
        Keep about ``sqrt(n_iter)`` iterates and compute the others again in the backward pass; otherwise all are kept.
    callback
        Called in every iteration, also when it is computed again and in its backward pass; what it raises ends the computation.
    """
    if settings.accelerated:
        raise ConfigError("the accelerated form of GAP is not unrolled for differentiation; use accelerated=False")
    callback()
    share = 1 / normaliser(mask, cols, rows, (y.shape[0], y.shape[1]))
    share = share if weight is None else share * weight
    plan = plan_of(cols, rows, mask.shape, y.shape)
    stride = 0
    if torch.is_grad_enabled() and any(t.requires_grad for t in (y, mask, cols, rows)):
        stride = max(1, math.isqrt(settings.n_iter)) if checkpointing else 1
    cube: torch.Tensor = _UnrolledGap.apply(  # type: ignore[no-untyped-call]
        y, masks_for(mask, y), share, cols, rows, plan, settings, stride, callback
    )
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
        Width of the denoisers ``gaussian`` and ``matern`` in pixels.
    use_checkpointing
        Compute iterates again in the backward pass instead of keeping them; the gradients are the same.
    mode
        Dispersion mode, ``integer`` or ``interpolated``.
    denoiser, tv_weight, tv_iter
        ``gaussian``, ``matern`` (heavier tails), or ``tv``: Chambolle's total variation with this weight and number of dual iterations
        (ConfigError otherwise).
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
        denoiser: Denoiser = "gaussian",
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
        cubes = [
            unrolled_gap(image, mask2d, cols, rows, self.settings, checkpointing=self.use_checkpointing, callback=self.callback)
            for image in y
        ]
        return torch.stack(cubes)
