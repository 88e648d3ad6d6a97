"""The fused CPU kernel against the definitions of the solver protocol, written as a plain NumPy loop."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from scipy import ndimage as ndi

from cassi_core.errors import InputError, RunCancelled
from cassi_core.run import RunControl
from cassi_core.solvers.fused_cpu import FusedCpuSolver, ensure_compiled
from cassi_core.solvers.protocol import PHI_FLOOR, TV_TAU, Candidate, GapSettings, gaussian_taps, matern_taps

ROOM = 20


def shift(image, col, row, shape):
    """Bilinear split of a real offset onto a canvas."""
    out = np.zeros((shape[0] + 2 * ROOM, shape[1] + 4 * ROOM))
    c, r = int(np.floor(col + ROOM)), int(np.floor(row + ROOM))
    f, g = col + ROOM - c, row + ROOM - r
    for i, a in ((0, 1 - g), (1, g)):
        for j, b in ((0, 1 - f), (1, f)):
            out[r + i : r + i + image.shape[0], c + j : c + j + image.shape[1]] += a * b * image
    return out[ROOM : ROOM + shape[0], ROOM : ROOM + shape[1]]


def shift_back(canvas, col, row, shape):
    padded = np.pad(canvas, ((ROOM, ROOM), (ROOM, 3 * ROOM)))
    c, r = int(np.floor(col + ROOM)), int(np.floor(row + ROOM))
    f, g = col + ROOM - c, row + ROOM - r
    return sum(
        a * b * padded[r + i : r + i + shape[0], c + j : c + j + shape[1]]
        for i, a in ((0, 1 - g), (1, g))
        for j, b in ((0, 1 - f), (1, f))
    )


def total_variation(f, strength, n_iter):
    """Chambolle's dual iteration for one image, with NumPy differences."""
    p = np.zeros((2, *f.shape))

    def divergence(p):
        out = np.zeros_like(f)
        out[:-1] += p[0, :-1]
        out[1:] -= p[0, :-1]
        out[:, :-1] += p[1, :, :-1]
        out[:, 1:] -= p[1, :, :-1]
        return out

    for _ in range(n_iter):
        u = divergence(p) - f / strength
        g = np.zeros_like(p)
        g[0, :-1], g[1, :, :-1] = np.diff(u, axis=0), np.diff(u, axis=1)
        p = (p + TV_TAU * g) / (1 + TV_TAU * np.sqrt((g**2).sum(0)))
    return f - strength * divergence(p)


def plain_gap(y, candidate, settings, weight):
    bands = len(candidate.cols)
    masks = candidate.mask if candidate.mask.ndim == 3 else np.repeat(candidate.mask[None], bands, 0)
    small, canvas = masks.shape[1:], y.shape
    where = list(zip(candidate.cols, candidate.rows, strict=True))

    def forward(x):
        return sum(shift(m * b, *w, canvas) for m, b, w in zip(masks, x, where, strict=True))

    def adjoint(r):
        return np.stack([m * shift_back(r, *w, small) for m, w in zip(masks, where, strict=True)])

    phi = np.maximum(sum(shift(m**2, *w, canvas) for m, w in zip(masks, where, strict=True)), PHI_FLOOR)

    def denoise(x):
        if settings.denoiser == "tv":
            return np.stack([total_variation(b, settings.tv_weight, settings.tv_iter) for b in x])
        g = (matern_taps if settings.denoiser == "matern" else gaussian_taps)(settings.sigma_px)
        for axis in (1, 2):
            x = ndi.correlate1d(x, np.r_[g[:0:-1], g].astype(float), axis=axis, mode="nearest")
        bend = np.diff(np.eye(bands), 2, axis=0)
        return np.tensordot(np.linalg.inv(np.eye(bands) + settings.sigma_bands**4 / 2 * bend.T @ bend), x, 1)

    x, y1 = adjoint(weight * y / phi), np.zeros_like(y)
    for _ in range(settings.n_iter):
        r = weight * (y - forward(x))
        if settings.accelerated:
            y1 = y1 + r
            r = y1 - weight * forward(x)
        x = denoise(x + adjoint(r / phi))
    return x, y - forward(x)


LAYOUTS = {
    "whole": (np.array([0.0, 2, 4, 6, 8]), np.zeros(5)),
    "fractional": (np.array([0.3, 2.25, 4.5, 6.75, 8.1]), np.zeros(5)),
    "tilted": (np.array([0.3, 2.25, 4.5, 6.75, 8.1]), np.array([0.0, -0.4, 0.7, 2.3, -1.6])),
    "partly off the canvas": (np.array([-3.5, 1.0, 5.0, 9.0, 13.25]), np.array([0.0, 0.5, 1.0, 1.5, 2.0])),
}
SETTINGS = {
    "gaussian": GapSettings(4, 0.7),
    "matern": GapSettings(3, 1.3, 0.8, "matern"),
    "wide matern": GapSettings(2, 4.0, 0.8, "matern", accelerated=True),
    "spectral": GapSettings(3, 1.2, 1.0),
    "accelerated": GapSettings(4, 0.7, accelerated=True),
    "tv": GapSettings(3, denoiser="tv", tv_weight=0.05, tv_iter=4),
    "no blur": GapSettings(2, 0.0),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", SETTINGS)
@pytest.mark.parametrize("per_band", [False, True])
def test_equals_the_definition(layout, kind, per_band):
    rng = np.random.default_rng(3)
    mask = rng.random((5, 21, 17) if per_band else (21, 17)).astype(np.float32)
    y = rng.random((21, 26)).astype(np.float32)
    weight = (rng.random(y.shape) > 0.2).astype(np.float32)
    cols, rows = LAYOUTS[layout]
    candidate = Candidate(mask, cols, rows)
    cube, residual = FusedCpuSolver(2).reconstruct(y, candidate, SETTINGS[kind], weight=weight)
    wanted, wanted_residual = plain_gap(y.astype(float), candidate, SETTINGS[kind], weight)
    assert np.abs(cube - wanted).max() < 2e-5 * np.abs(wanted).max()
    assert np.abs(residual - wanted_residual).max() < 2e-5 * np.abs(wanted_residual).max()


@pytest.mark.parametrize("kind", SETTINGS)
@pytest.mark.parametrize("per_band", [False, True])
def test_light_of_the_bands_is_in_the_masks_of_the_solver_and_in_the_cube(kind, per_band):
    rng = np.random.default_rng(13)
    mask = rng.random((5, 21, 17) if per_band else (21, 17)).astype(np.float32)
    y, light = rng.random((21, 26)).astype(np.float32), np.array([0.3, 0.6, 1.1, 1.4, 0.9], np.float32)
    cols, rows = LAYOUTS["tilted"]
    candidate = Candidate(mask, cols, rows, light)
    cube, residual = FusedCpuSolver(2).reconstruct(y, candidate, SETTINGS[kind])
    bright = np.broadcast_to(mask, (5, 21, 17)) * light[:, None, None]
    wanted, wanted_residual = plain_gap(y.astype(float), Candidate(bright, cols, rows), SETTINGS[kind], np.ones_like(y))
    assert np.abs(cube - wanted * light[:, None, None]).max() < 3e-5 * np.abs(wanted).max()
    assert np.abs(residual - wanted_residual).max() < 3e-5 * np.abs(wanted_residual).max()
    assert np.allclose(y - FusedCpuSolver(1).project(cube, candidate, y.shape), residual, atol=1e-5), "x itself is projected"


def test_many_candidates_equal_one_at_a_time_whatever_the_threads():
    rng = np.random.default_rng(4)
    y = rng.random((30, 40)).astype(np.float32)
    candidates = [Candidate(rng.random((30, 33)).astype(np.float32), np.arange(4) * 2.1, np.zeros(4)) for _ in range(5)]
    settings = GapSettings(5, 0.7, 1.0)
    one, three = (FusedCpuSolver(n).residuals(y, candidates, settings) for n in (1, 3))
    assert np.array_equal(one, three)
    single = FusedCpuSolver(2).residuals(y, candidates[3:4], settings)[0]
    assert np.array_equal(one[3], single)


def test_filtering_images_is_the_residual_of_each():
    rng = np.random.default_rng(5)
    images = rng.standard_normal((3, 20, 27)).astype(np.float32)
    candidate = Candidate(rng.random((20, 19)).astype(np.float32), np.arange(4) * 2.5, np.zeros(4))
    settings = GapSettings(4, 0.5)
    filtered = FusedCpuSolver(2).filter_images(images, candidate, settings)
    for image, wanted in zip(images, filtered, strict=True):
        assert np.array_equal(FusedCpuSolver(1).residuals(image, [candidate], settings)[0], wanted)
    doubled = FusedCpuSolver(1).filter_images(2 * images, candidate, settings)
    assert np.allclose(doubled, 2 * filtered, atol=1e-5)


@pytest.mark.parametrize("kind", [*SETTINGS, "wide"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_strips_of_rows_give_what_one_thread_gives(layout, kind):
    rng = np.random.default_rng(7)
    settings = SETTINGS.get(kind, GapSettings(5, 2.0))
    cols, rows = LAYOUTS[layout]
    candidate = Candidate(rng.random((5, 97, 17)).astype(np.float32), cols, rows)
    y, weight = rng.random((97, 26)).astype(np.float32), (rng.random((97, 26)) > 0.1).astype(np.float32)
    one, three = (FusedCpuSolver(n).reconstruct(y, candidate, settings, weight=weight) for n in (1, 3))
    assert np.array_equal(one[0], three[0]) and np.array_equal(one[1], three[1])


def test_projection_is_the_coded_sum_of_the_bands():
    rng = np.random.default_rng(6)
    cube, mask = rng.random((3, 9, 11)).astype(np.float32), rng.random((9, 11)).astype(np.float32)
    out = FusedCpuSolver(1).project(cube, Candidate(mask, np.array([0.0, 2.0, 4.0]), np.zeros(3)), (9, 15))
    wanted = np.zeros((9, 15))
    for band in range(3):
        wanted[:, 2 * band : 2 * band + 11] += mask * cube[band]
    assert np.allclose(out, wanted, atol=1e-6)


def test_a_mask_with_other_rows_is_refused():
    candidate = Candidate(np.ones((9, 11), np.float32), np.zeros(2), np.zeros(2))
    with pytest.raises(InputError, match="rows of the measurement"):
        FusedCpuSolver(1).residuals(np.ones((10, 12), np.float32), [candidate], GapSettings(1))


def test_cancel_ends_a_long_solve_quickly():
    ensure_compiled()
    control = RunControl()
    rng = np.random.default_rng(7)
    candidate = Candidate(rng.random((128, 128)).astype(np.float32), np.arange(20) * 2.0, np.zeros(20))
    y = rng.random((128, 166)).astype(np.float32)
    asked: list[float] = []

    def cancel() -> None:
        asked.append(time.perf_counter())
        control.cancel()

    threading.Timer(0.2, cancel).start()
    with pytest.raises(RunCancelled):
        FusedCpuSolver(2).residuals(y, [candidate] * 50, GapSettings(200, 1.0), control=control)
    assert asked
