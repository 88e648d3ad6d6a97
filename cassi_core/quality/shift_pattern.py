"""Is the field of leftover shifts a pattern? Magnification, rotation, shear, bow and barrel, told by one fit through all blocks.

With ``(u, v)`` the place in the picture relative to its centre, in units of half its longer side, and ``(right, down)`` the shift::

    right = a0 + m_x u - t v + s v + k u (u^2 + v^2) + b1 u^2 + b2 u v + b3 v^2
    down  = c0 + m_y v + t u + s u + k v (u^2 + v^2) + d1 u^2 + d2 u v + d3 v^2

``m`` magnification, ``t`` rotation, ``s`` shear, ``k`` barrel (negative) or pincushion (positive), ``b`` and ``d`` bow. Shear, barrel and bow are
outside the model of eight parameters: a calibration that leaves them is right in the middle of the light and off at its edges.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cassi_core.result import LocalShift

LEAST_BLOCKS = 12
SCATTER_PX = 0.1
"""Scatter of a block beyond its own standard error: its scene pulls it."""
OUTLIER = 3.0
TERMS = {"magnification": (2, 3), "rotation": (4,), "shear": (5,), "barrel": (6,), "bow": (7, 8, 9, 10, 11, 12)}
"""Columns of the fit by what they are called."""


@dataclass(frozen=True)
class Pattern:
    """One systematic pattern: its name, its size (rms over the blocks, px) and how many standard errors that is."""

    name: str
    rms_px: float
    significance: float


def patterns(shifts: Sequence[LocalShift], shape: tuple[int, int]) -> tuple[Pattern, ...]:
    """All patterns in the leftover shifts of a picture ``(H, W)``, the largest first; none when too few blocks tell anything.

    Blocks that lie more than three times the usual scatter off the fit are left out.
    """
    if len(shifts) < LEAST_BLOCKS:
        return ()
    half = max(shape) / 2
    v = np.array([(s.row - (shape[0] - 1) / 2) / half for s in shifts])
    u = np.array([(s.col - (shape[1] - 1) / 2) / half for s in shifts])
    design = _design(u, v)
    value = np.concatenate([[s.right for s in shifts], [s.down for s in shifts]])
    sigma = np.hypot(np.concatenate([[s.sigma_right for s in shifts], [s.sigma_down for s in shifts]]), SCATTER_PX)
    # What no block can tell stays near zero: nobody expects a pattern of a pixel.
    ridge = np.eye(design.shape[1])
    weight = 1 / sigma
    for _ in range(6):
        weighted = design * weight[:, None]
        covariance = np.linalg.inv(weighted.T @ weighted + ridge)
        solution = covariance @ (weighted.T @ (value * weight))
        off = np.abs(value - design @ solution) / sigma
        weight = np.where(off < OUTLIER * max(1.0, 1.4826 * float(np.median(off))), 1 / sigma, 0.0)
    found = []
    for name, columns in TERMS.items():
        part = list(columns)
        rms = float(np.sqrt(2 * np.mean(np.square(design[:, part] @ solution[part]))))
        chi2 = float(solution[part] @ np.linalg.solve(covariance[np.ix_(part, part)], solution[part]))
        sign = np.sign(solution[part[0]]) if name == "barrel" else 1.0
        label = "pincushion" if name == "barrel" and sign > 0 else name
        found.append(Pattern(label, rms, float(np.sqrt(max(0.0, chi2 - len(part) + 1)))))
    return tuple(sorted(found, key=lambda p: -p.rms_px))


def _design(u: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.float64]:
    """Columns of the fit for all shifts to the right, then all shifts down, ``(2 N, 13)``."""
    one, zero, r2 = np.ones_like(u), np.zeros_like(u), u**2 + v**2
    right = [one, zero, u, zero, -v, v, u * r2, u**2, u * v, v**2, zero, zero, zero]
    down = [zero, one, zero, v, u, u, v * r2, zero, zero, zero, u**2, u * v, v**2]
    return np.concatenate([np.stack(right, axis=1), np.stack(down, axis=1)])
