"""CASSI calibration: where the mask of a coded-aperture snapshot spectral imager really sits, from its pictures alone.

The names of ``__all__`` are loaded when they are first used, so that ``import cassi_core`` is quick and needs no torch.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cassi_core.calibration.algorithm1 import Algorithm1HierarchicalBeamSearch
    from cassi_core.calibration.algorithm2 import Algorithm2JointGradientRefinement
    from cassi_core.calibration.mismatch import MismatchParameters
    from cassi_core.operators import (
        DifferentiableCassiAdjointSTE,
        DifferentiableCassiForwardSTE,
        DifferentiableGAPTV,
        DifferentiableMaskWarpFixed,
        RoundSTE,
    )

__version__ = "0.2.0"

# Worker threads of torch that spin while they wait take the cores from the compiled kernel; read when torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

_HOME = {
    "Algorithm1HierarchicalBeamSearch": "calibration.algorithm1",
    "Algorithm2JointGradientRefinement": "calibration.algorithm2",
    "DifferentiableCassiAdjointSTE": "operators",
    "DifferentiableCassiForwardSTE": "operators",
    "DifferentiableGAPTV": "operators",
    "DifferentiableMaskWarpFixed": "operators",
    "MismatchParameters": "calibration.mismatch",
    "RoundSTE": "operators",
}

__all__ = [
    "Algorithm1HierarchicalBeamSearch",
    "Algorithm2JointGradientRefinement",
    "DifferentiableCassiAdjointSTE",
    "DifferentiableCassiForwardSTE",
    "DifferentiableGAPTV",
    "DifferentiableMaskWarpFixed",
    "MismatchParameters",
    "RoundSTE",
    "__version__",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
