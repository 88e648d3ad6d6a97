"""The differentiable modules of the forward model (torch, loaded on first use of a name).

One functional layer (:mod:`shifts`, :mod:`forward`, :mod:`gap_tv`) takes the offsets of the bands and a canvas; the classes
with the published names are thin faces over it.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

# Idle OpenMP threads that spin steal the cores from the compiled kernel; torch reads this once, when it is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

if TYPE_CHECKING:
    from cassi_core.operators.forward import DifferentiableCassiAdjointSTE, DifferentiableCassiForwardSTE
    from cassi_core.operators.gap_tv import DifferentiableGAPTV
    from cassi_core.operators.ste import RoundSTE
    from cassi_core.operators.warp import DifferentiableMaskWarpFixed

_HOME = {
    "RoundSTE": "ste",
    "DifferentiableMaskWarpFixed": "warp",
    "DifferentiableCassiForwardSTE": "forward",
    "DifferentiableCassiAdjointSTE": "forward",
    "DifferentiableGAPTV": "gap_tv",
}

__all__ = [
    "DifferentiableCassiAdjointSTE",
    "DifferentiableCassiForwardSTE",
    "DifferentiableGAPTV",
    "DifferentiableMaskWarpFixed",
    "RoundSTE",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
