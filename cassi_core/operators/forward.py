"""The forward model ``y = sum_l shift_l(M . x_l)``, its exact transpose and its normaliser, differentiable in everything.

Convention: :mod:`cassi_core.dispersion`. Bands move right by ``s_l*cos(phi)`` and down by ``s_l*sin(phi)`` pixels on a canvas
that no parameter changes. The functions take offsets ``cols``, ``rows`` ``(L,)`` as tensors; the classes compute them from
cumulative offsets and an angle.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.autograd.function import once_differentiable

from cassi_core.dispersion import DispersionMode
from cassi_core.errors import ConfigError, InputError
from cassi_core.operators.shifts import ShiftPlan, add_back_projection, add_projection, offset_gradients, plan_shifts
from cassi_core.operators.ste import round_straight_through
from cassi_core.solvers.protocol import PHI_FLOOR

Offsets = torch.Tensor | NDArray[np.floating] | Sequence[float]


def plan_of(cols: torch.Tensor, rows: torch.Tensor, shape: torch.Size, canvas: torch.Size | tuple[int, int]) -> ShiftPlan:
    """The taps for offset tensors; `shape` and `canvas` end with rows and columns."""
    learned = cols.requires_grad or rows.requires_grad
    right, down = (offsets.detach().to("cpu", torch.float64).numpy() for offsets in (cols, rows))
    return plan_shifts(right, down, (shape[-2], shape[-1]), (canvas[-2], canvas[-1]), with_gradient=learned)


class _Project(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, cube: torch.Tensor, masks: torch.Tensor, cols: torch.Tensor, rows: torch.Tensor, plan: ShiftPlan
    ) -> torch.Tensor:
        ctx.save_for_backward(cube, masks, cols, rows)
        ctx.plan = plan
        canvas = cube.new_zeros(plan.canvas)
        add_projection(canvas, cube, masks, plan)
        return canvas

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> Any:
        cube, masks, cols, rows = ctx.saved_tensors
        plan: ShiftPlan = ctx.plan
        by_cube = by_masks = None
        if ctx.needs_input_grad[0]:
            by_cube = torch.zeros_like(cube)
            add_back_projection(by_cube, gradient, masks, plan)
        if ctx.needs_input_grad[1]:
            by_masks = torch.zeros_like(masks)
            add_back_projection(by_masks, gradient, cube, plan)
        return by_cube, by_masks, *offset_gradients_if(ctx.needs_input_grad[2:4], cube, gradient, masks, cols, rows, plan), None


class _BackProject(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, canvas: torch.Tensor, masks: torch.Tensor, cols: torch.Tensor, rows: torch.Tensor, plan: ShiftPlan
    ) -> torch.Tensor:
        ctx.save_for_backward(canvas, masks, cols, rows)
        ctx.plan = plan
        cube = canvas.new_zeros((plan.n_bands, *plan.shape))
        add_back_projection(cube, canvas, masks, plan)
        return cube

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> Any:
        canvas, masks, cols, rows = ctx.saved_tensors
        plan: ShiftPlan = ctx.plan
        by_canvas = by_masks = None
        if ctx.needs_input_grad[0]:
            by_canvas = torch.zeros_like(canvas)
            add_projection(by_canvas, gradient, masks, plan)
        if ctx.needs_input_grad[1]:
            by_masks = torch.zeros_like(masks)
            add_back_projection(by_masks, canvas, gradient, plan)
        return (
            by_canvas,
            by_masks,
            *offset_gradients_if(ctx.needs_input_grad[2:4], gradient, canvas, masks, cols, rows, plan),
            None,
        )


def offset_gradients_if(
    needed: Sequence[bool],
    cube: torch.Tensor,
    canvas: torch.Tensor,
    masks: torch.Tensor,
    cols: torch.Tensor,
    rows: torch.Tensor,
    plan: ShiftPlan,
) -> tuple[torch.Tensor | None, torch.Tensor | None]:
    """Gradients for ``cols`` and ``rows`` in their own dtype and device, None for both when neither is needed."""
    if not any(needed):
        return None, None
    by_col, by_row = offset_gradients(cube, canvas, masks, plan)
    return by_col.to(cols), by_row.to(rows)


def masks_for(mask: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """A mask ``(H, W)`` or ``(L, H, W)`` as ``(1 or L, H, W)`` in the dtype of `like`."""
    return (mask[None] if mask.ndim == 2 else mask).to(like.dtype)


def project(
    cube: torch.Tensor, mask: torch.Tensor, cols: torch.Tensor, rows: torch.Tensor, canvas: tuple[int, int]
) -> torch.Tensor:
    """Forward model ``A x = sum_l shift_l(M_l . x_l)`` on the canvas ``(Hc, Wc)``.

    `cube` is ``(L, H, W)``, `mask` ``(H, W)`` or ``(L, H, W)``, `cols` and `rows` ``(L,)`` pixels; differentiable in all four.
    """
    plan = plan_of(cols, rows, cube.shape, canvas)
    image: torch.Tensor = _Project.apply(cube, masks_for(mask, cube), cols, rows, plan)  # type: ignore[no-untyped-call]
    return image


def back_project(canvas: torch.Tensor, mask: torch.Tensor, cols: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """Adjoint ``(A^T y)_l = M_l . shift_l^T(y)``, ``(L, H, W)``: the exact transpose of :func:`project`."""
    plan = plan_of(cols, rows, mask.shape, canvas.shape)
    masks = masks_for(mask, canvas)
    cube: torch.Tensor = _BackProject.apply(canvas, masks, cols, rows, plan)  # type: ignore[no-untyped-call]
    return cube


def normaliser(mask: torch.Tensor, cols: torch.Tensor, rows: torch.Tensor, canvas: tuple[int, int]) -> torch.Tensor:
    """``phi = sum_l shift_l(M_l^2)`` on the canvas, floored at ``PHI_FLOOR``: the squares matter for grey masks."""
    masks = mask if mask.ndim == 3 else mask.expand(cols.shape[0], *mask.shape)
    return project(masks, masks, cols, rows, canvas).clamp_min(PHI_FLOOR)


def band_offsets(
    s_nom: torch.Tensor, phi_d_deg: torch.Tensor | float, mode: DispersionMode
) -> tuple[torch.Tensor, torch.Tensor]:
    """Offsets ``(s_l*cos(phi), s_l*sin(phi))`` of the bands right and down in px, rounded straight-through in integer mode."""
    angle = torch.deg2rad(torch.as_tensor(phi_d_deg, dtype=s_nom.dtype, device=s_nom.device).reshape(()))
    cols, rows = s_nom * torch.cos(angle), s_nom * torch.sin(angle)
    return (round_straight_through(cols), round_straight_through(rows)) if mode == "integer" else (cols, rows)


class DispersedModule(nn.Module):
    """Base of the modules that move bands: cumulative offsets, an angle, and the canvas that belongs to them.

    The canvas is the mask's shape grown by the rounded travel, its origin such that the smallest rounded offset is 0. While an
    offset is being learned (`s_nom` or the angle requires a gradient) origin and growth stay what they were in the first
    call: a score must not be compared across canvases.

    Parameters
    ----------
    s_nom
        ``(L,)`` cumulative offsets in pixels; a tensor that requires a gradient learns.
    mode
        ``integer``: whole pixels with straight-through gradient; ``interpolated``: fractions split between neighbours.
    """

    s_nom: torch.Tensor

    def __init__(self, s_nom: Offsets, *, mode: DispersionMode = "integer") -> None:
        super().__init__()
        if mode not in ("integer", "interpolated"):
            raise ConfigError(f"unknown dispersion mode '{mode}'; use integer or interpolated")
        self.mode: DispersionMode = mode
        learned = isinstance(s_nom, torch.Tensor) and s_nom.requires_grad
        offsets = s_nom if isinstance(s_nom, torch.Tensor) and learned else torch.as_tensor(s_nom, dtype=torch.float64)
        if offsets.ndim != 1 or offsets.shape[0] < 1:
            raise InputError(f"band offsets of shape {tuple(offsets.shape)}; one offset per band, (L,), is needed")
        if learned:
            self.s_nom = offsets
        else:
            self.register_buffer("s_nom", offsets.detach().clone())
        self._held: tuple[tuple[int, int], tuple[int, int]] | None = None

    def place(
        self, phi_d_deg: torch.Tensor | float, grown: tuple[int, int] | None = None
    ) -> tuple[torch.Tensor, torch.Tensor, tuple[int, int]]:
        """Offsets from the canvas's first pixel ``(cols, rows)`` and the growth ``(rows, columns)`` of the canvas.

        `grown` is the growth where the measurement tells it.
        """
        cols, rows = band_offsets(self.s_nom, phi_d_deg, self.mode)
        learned = self.s_nom.requires_grad or (isinstance(phi_d_deg, torch.Tensor) and phi_d_deg.requires_grad)
        if learned and self._held is not None and grown in (None, self._held[1]):
            origin, grown = self._held
        else:
            whole = [np.round(o.detach().cpu().numpy()).astype(int) for o in (rows, cols)]
            grown = grown or (int(np.ptp(whole[0])), int(np.ptp(whole[1])))
            # Never further from band 0 than the canvas grew: on a measurement as high as its mask it stays in the first row.
            row, col = (int(o[0] + max(o.min() - o[0], -size)) for o, size in zip(whole, grown, strict=True))
            origin = row, col
            if learned:
                self._held = origin, grown
        return cols - origin[1], rows - origin[0], grown


class DifferentiableCassiForwardSTE(DispersedModule):
    """Forward model: ``DifferentiableCassiForwardSTE(s_nom)(x_1lhw, mask2d, phi_d_deg) -> [1, Hp, Wp]``."""

    def forward(self, x_1lhw: torch.Tensor, mask2d: torch.Tensor, phi_d_deg: torch.Tensor | float) -> torch.Tensor:
        """Measure cubes ``(1, L, H, W)`` through a mask ``(H, W)`` with the dispersion axis at `phi_d_deg` degrees."""
        n_bands = self.s_nom.shape[0]
        if x_1lhw.ndim != 4 or x_1lhw.shape[1] != n_bands or x_1lhw.shape[2:] != mask2d.shape[-2:]:
            raise InputError(
                f"a cube of shape {tuple(x_1lhw.shape)} for {n_bands} offsets and a mask of shape {tuple(mask2d.shape)}; "
                "(1, L, H, W) with the rows and columns of the mask is needed"
            )
        cols, rows, grown = self.place(phi_d_deg)
        canvas = (x_1lhw.shape[2] + grown[0], x_1lhw.shape[3] + grown[1])
        return torch.stack([project(cube, mask2d, cols, rows, canvas) for cube in x_1lhw])


class DifferentiableCassiAdjointSTE(DispersedModule):
    """Exact transpose of the forward model: ``...(s_nom)(y_1hw, mask2d, phi_d_deg, H, W, L) -> [1, L, H, W]``."""

    def forward(
        self, y_1hw: torch.Tensor, mask2d: torch.Tensor, phi_d_deg: torch.Tensor | float, H: int, W: int, L: int
    ) -> torch.Tensor:
        """Send measurements ``(1, Hp, Wp)`` back to the bands, ``(1, L, H, W)``; the canvas is the measurement's own."""
        grown = check_measurement(y_1hw, mask2d, self.s_nom.shape[0], (L, H, W))
        cols, rows, _ = self.place(phi_d_deg, grown)
        return torch.stack([back_project(image, mask2d, cols, rows) for image in y_1hw])


def check_measurement(y_1hw: torch.Tensor, mask2d: torch.Tensor, n_offsets: int, size: tuple[int, int, int]) -> tuple[int, int]:
    """How much larger than the mask a measurement ``(1, Hp, Wp)`` is, in rows and columns; InputError where nothing fits."""
    L, H, W = size
    if n_offsets != L or tuple(mask2d.shape[-2:]) != (H, W):
        raise InputError(
            f"{n_offsets} offsets and a mask of shape {tuple(mask2d.shape)} for a cube of {L} bands, {H} rows and {W} columns; "
            "they must agree"
        )
    if y_1hw.ndim != 3 or y_1hw.shape[1] < H or y_1hw.shape[2] < W:
        raise InputError(
            f"a measurement of shape {tuple(y_1hw.shape)}; (1, Hp, Wp) with at least {H} rows and {W} columns is needed"
        )
    return y_1hw.shape[1] - H, y_1hw.shape[2] - W
