"""Rounding that still learns: forward ``round``, backward identity (Bengio et al. 2013, straight-through estimator)."""

from __future__ import annotations

from typing import Any

import torch


class RoundSTE(torch.autograd.Function):
    """Round to whole numbers; the gradient passes as if nothing had been rounded.

    ``RoundSTE.apply(offset_px)``: a band that is moved by the rounded offset gets, with respect to the offset, the gradient of
    the interpolated shift at the whole pixel where it lies, so that slope and axis angle learn in integer mode too.
    """

    @staticmethod
    def forward(ctx: Any, value: torch.Tensor) -> torch.Tensor:
        return torch.round(value)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        return gradient


def round_straight_through(value: torch.Tensor) -> torch.Tensor:
    """:class:`RoundSTE` as a function of a tensor of any shape."""
    rounded: torch.Tensor = RoundSTE.apply(value)  # type: ignore[no-untyped-call]
    return rounded
