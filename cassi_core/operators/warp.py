"""The mask as the rig shows it, differentiable in its position.

Convention: :mod:`cassi_core.geometry`, in the normalised coordinates of ``torch.nn.functional.affine_grid`` with
``align_corners=False``, where pixel centres lie at ``x = (2*col + 1)/W - 1``. A displacement of ``dx`` pixels is
``tx = -2*dx/W``; the off-diagonal elements carry ``H/W`` and ``W/H``, so that rotation acts in pixels for ``H != W`` too.
Outside the mask its edge pixels are repeated.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from cassi_core.errors import InputError


def warp_mask(
    mask: torch.Tensor,
    dx: torch.Tensor,
    dy: torch.Tensor,
    theta: torch.Tensor,
    scale_x: torch.Tensor,
    scale_y: torch.Tensor,
) -> torch.Tensor:
    """Sample a mask ``(H, W)`` bilinearly where a rig with this pose shows it, ``(H, W)`` in the mask's dtype.

    ``dx``, ``dy`` in pixels, ``theta`` in degrees, the scales dimensionless; all are float scalars. Grid and sampling are
    float64: float32 coordinates are wrong by 3e-5 px at 256 columns.
    """
    height, width = mask.shape
    # A product of gradients must not depend on which device a scalar was made on.
    dx, dy, theta, scale_x, scale_y = (v.to(mask.device, torch.float64) for v in (dx, dy, theta, scale_x, scale_y))
    angle = torch.deg2rad(theta)
    cos, sin = torch.cos(angle), torch.sin(angle)
    matrix = torch.stack(
        [
            torch.stack([cos / (1 + scale_x), -sin / (1 + scale_y) * (height / width), -2 * dx / width]),
            torch.stack([sin / (1 + scale_x) * (width / height), cos / (1 + scale_y), -2 * dy / height]),
        ]
    )
    grid = functional.affine_grid(matrix[None], [1, 1, height, width], align_corners=False)
    image = mask.to(torch.float64)[None, None]
    warped = functional.grid_sample(image, grid, mode="bilinear", padding_mode="border", align_corners=False)
    return warped[0, 0].to(mask.dtype)


class DifferentiableMaskWarpFixed(nn.Module):
    """A nominal mask with a learnable position: ``DifferentiableMaskWarpFixed(mask)() -> (H, W)``.

    Parameters
    ----------
    mask2d_nominal
        ``(H, W)`` tensor or array; float32 unless it is float64.
    dx_init, dy_init
        Start values in pixels, right and down.
    theta_init
        Start value in degrees.

    Attributes
    ----------
    dx, dy, theta, scale_x, scale_y
        Scalar ``torch.nn.Parameter`` each; the scales start at 0.
    """

    mask2d_nominal: torch.Tensor

    def __init__(
        self,
        mask2d_nominal: torch.Tensor | NDArray[np.floating],
        dx_init: float = 0.0,
        dy_init: float = 0.0,
        theta_init: float = 0.0,
    ) -> None:
        super().__init__()
        mask = torch.as_tensor(mask2d_nominal)
        if mask.ndim != 2:
            raise InputError(f"a mask of shape {tuple(mask.shape)}; (H, W) is needed")
        mask = mask if mask.dtype == torch.float64 else mask.to(torch.float32)
        self.register_buffer("mask2d_nominal", mask.detach().clone())

        def learnable(value: float) -> nn.Parameter:
            return nn.Parameter(torch.tensor(float(value), dtype=mask.dtype, device=mask.device))

        self.dx, self.dy, self.theta = learnable(dx_init), learnable(dy_init), learnable(theta_init)
        self.scale_x, self.scale_y = learnable(0.0), learnable(0.0)

    def forward(self) -> torch.Tensor:
        """The warped mask ``(H, W)``."""
        return warp_mask(self.mask2d_nominal, self.dx, self.dy, self.theta, self.scale_x, self.scale_y)
