"""How far the mask pattern still lies off, block by block: matched filter of the picture against its prediction.

The prediction ``T = A x_s`` uses a strongly smoothed scene ``x_s`` (what is as fine as the mask is left to the mask), so it carries the
mask pattern of all bands where the parameters put it. In each block the high-passed, contrast-normalised measurement is correlated with
the high-passed prediction; the peak, refined by a parabola, is the shift left over. Its standard error is the slope noise of the
correlation far from the peak over the curvature at the peak. Unlike a step of the fit it needs no linearisation: shifts of several pixels
show in full, and a scene estimate that has swallowed part of the error cannot hide it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy import ndimage as ndi

from cassi_core.calibration.contrast import high_pass
from cassi_core.calibration.rig_model import CANVAS_PAD, Optics, RigModel
from cassi_core.run import RunControl
from cassi_core.solvers.protocol import GapSettings, GapSolver

SCENE_BOXES_PX = (15, 17, 15)
"""Averages one after the other that blur the scene behind the prediction like a Gaussian of 8 px: coarser than the mask's details, finer
than most objects."""
REACH_PX = 4
"""Largest leftover shift looked for."""
NOISE_PX = 14
"""The correlation is computed this far out; beyond twice the reach it is only noise."""
LEAST_BLOCK_PX = 45
"""Smaller blocks hold too little of the pattern to tell a tenth of a pixel."""
LEAST_PEAK = 4.0
"""A block whose peak is lower than this, in units of the noise of its correlation, tells nothing."""
ALONG_SHARE = 0.25
"""Along the dispersion a shift by one step is nearly the same picture, so a block's spectrum pulls its peak by part of a step."""
BRIEF = GapSettings(4, 2.0)
"""The smoothed scene needs no more than a coarse estimate."""


@dataclass(frozen=True)
class BlockShift:
    """Shift of the pattern in one block (dispersion frame, pixels): centre of the block on the measurement, shift, standard errors."""

    row: float
    col: float
    right: float
    down: float
    sigma_right: float
    sigma_down: float


def block_shifts(
    models: Sequence[RigModel],
    solver: GapSolver,
    vector: NDArray[np.float64],
    optics: Optics,
    control: RunControl,
    *,
    blocks: int = 6,
) -> tuple[BlockShift, ...]:
    """Shifts of the mask pattern left over with a parameter vector, one per block that holds enough light and pattern.

    At most `blocks` per axis, fewer for small pictures. Correlations of several snapshots are summed.
    """
    height, width = models[0].y.shape
    blocks = min(blocks, max(2, models[0].mask.shape[0] // LEAST_BLOCK_PX))
    rows = np.linspace(0, height, blocks + 1).astype(int)
    cols = np.linspace(CANVAS_PAD, width - CANVAS_PAD, blocks + 1).astype(int)
    maps = np.zeros((blocks, blocks, 2 * NOISE_PX + 1, 2 * NOISE_PX + 1))
    for model in models:
        control.checkpoint()
        candidate = optics.candidate(model, vector)
        smooth = smooth_scene(model, solver, vector, optics, control)
        predicted = high_pass(solver.project(smooth, candidate, (height, width))) * model.scored
        seen = model.contrast * model.scored
        control.checkpoint()
        for i in range(blocks):
            for j in range(blocks):
                maps[i, j] += _correlation(seen, predicted, (rows[i], rows[i + 1]), (cols[j], cols[j + 1]))
    found = []
    for i in range(blocks):
        for j in range(blocks):
            peak = _peak(maps[i, j], ALONG_SHARE * models[0].dispersion.step_px)
            if peak is not None:
                row = (rows[i] + rows[i + 1] - 1) / 2
                col = (cols[j] + cols[j + 1] - 1) / 2 - CANVAS_PAD
                found.append(BlockShift(float(row), float(col), *peak))
    return tuple(found)


def smooth_scene(
    model: RigModel, solver: GapSolver, vector: NDArray[np.float64], optics: Optics, control: RunControl
) -> NDArray[np.float32]:
    """The scene behind the prediction, ``(L, H, W)``: a brief estimate, without negative light, strongly blurred."""
    candidate = optics.candidate(model, vector)
    cube, _ = solver.reconstruct(model.y, candidate, BRIEF, weight=model.observed, control=control)
    smooth = np.maximum(cube, 0)

    def blur(bands: slice) -> None:
        for band in smooth[bands]:
            for size in SCENE_BOXES_PX:
                ndi.uniform_filter(band, size, mode="nearest", output=band)

    model.in_threads(blur, len(smooth))
    return smooth


def _correlation(
    seen: NDArray[np.float32], predicted: NDArray[np.float32], rows: tuple[int, int], cols: tuple[int, int]
) -> NDArray[np.float64]:
    """``c(down, right) = sum_block seen(r, c) predicted(r - down, c - right)`` for shifts within NOISE_PX."""
    block = seen[rows[0] : rows[1], cols[0] : cols[1]]
    padded = np.pad(predicted, NOISE_PX)
    around = padded[rows[0] : rows[1] + 2 * NOISE_PX, cols[0] : cols[1] + 2 * NOISE_PX]
    size = [fft.next_fast_len(n, real=True) for n in around.shape]
    product = fft.irfft2(np.conj(fft.rfft2(block, size)) * fft.rfft2(around, size), size)
    # product[u, v] = sum seen(r, c) around(r + u, c + v), which is a shift of NOISE_PX - u down and NOISE_PX - v to the right
    return np.asarray(product[2 * NOISE_PX :: -1, 2 * NOISE_PX :: -1][: 2 * NOISE_PX + 1, : 2 * NOISE_PX + 1], np.float64)


def _peak(plane: NDArray[np.float64], ambiguity_px: float) -> tuple[float, float, float, float] | None:
    """(right, down, sigma right, sigma down) of the peak within the reach, None where it does not stand out."""
    inner = slice(NOISE_PX - REACH_PX, NOISE_PX + REACH_PX + 1)
    window = plane[inner, inner]
    u, v = np.unravel_index(int(np.argmax(window)), window.shape)
    if not (0 < u < 2 * REACH_PX and 0 < v < 2 * REACH_PX):
        return None
    # Across the dispersion the rows far from the peak hold no pattern of any band; along it neighbouring bands overlap everywhere.
    far = np.concatenate([plane[: NOISE_PX - 2 * REACH_PX + 2], plane[NOISE_PX + 2 * REACH_PX - 1 :]])
    noise = float(np.std(far))
    if noise <= 0 or window[u, v] - float(np.median(far)) < LEAST_PEAK * noise:
        return None
    slope_down = float(np.std((far[2:] - far[:-2]) / 2))
    slope_right = float(np.std((far[:, 2:] - far[:, :-2]) / 2))
    down, sigma_down = _vertex(window[u - 1 : u + 2, v], slope_down)
    right, sigma_right = _vertex(window[u, v - 1 : v + 2], slope_right)
    return float(v - REACH_PX) + right, float(u - REACH_PX) + down, float(np.hypot(sigma_right, ambiguity_px)), sigma_down


def _vertex(three: NDArray[np.float64], slope_noise: float) -> tuple[float, float]:
    curvature = 2 * three[1] - three[0] - three[2]
    if curvature <= 0:
        return 0.0, 1.0
    return float(np.clip((three[2] - three[0]) / (2 * curvature), -0.5, 0.5)), float(min(slope_noise / curvature, 2.0))
