"""The torch solver against a plain NumPy loop and against the compiled kernel; devices; ending it from outside."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy import ndimage as ndi

from cassi_core.errors import InputError, RunCancelled
from cassi_core.run import RunControl
from cassi_core.solvers import torch_gap
from cassi_core.solvers.protocol import PHI_FLOOR, TV_TAU, Candidate, GapSettings, gaussian_taps, matern_taps
from cassi_core.solvers.torch_gap import TorchGapSolver, select_device

SETTINGS = [
    GapSettings(4, 0.7),
    GapSettings(3, 1.0, 0.8),
    GapSettings(3, 0.0, 1.0),
    GapSettings(3, 1.3, 0.8, "matern", accelerated=True),
    GapSettings(2, 4.5, 1.0, "matern"),
    GapSettings(4, 0.5, accelerated=True),
    GapSettings(3, denoiser="tv", tv_weight=0.05, tv_iter=5),
    GapSettings(3, denoiser="tv", tv_weight=0.02, accelerated=True),
]
Shift = Callable[[np.ndarray], np.ndarray]


def shift_matrix(offset: float, size: int, canvas: int) -> np.ndarray:
    """``(canvas, size)``: pixel i goes to i + offset, split linearly between two pixels."""
    matrix = np.zeros((canvas, size))
    for i in range(size):
        for at, share in ((int(np.floor(i + offset)), 1 - offset % 1), (int(np.floor(i + offset)) + 1, offset % 1)):
            if 0 <= at < canvas:
                matrix[at, i] += share
    return matrix


def tv_loop(f: np.ndarray, weight: float, n_iter: int) -> np.ndarray:
    p = np.zeros((2, *f.shape))

    def div() -> np.ndarray:
        back = np.zeros_like(f)
        back[:-1] += p[0][:-1]
        back[1:] -= p[0][:-1]
        back[:, :-1] += p[1][:, :-1]
        back[:, 1:] -= p[1][:, :-1]
        return back

    for _ in range(n_iter):
        g = div() - f / weight
        d = np.stack([np.diff(g, axis=0, append=g[-1:]), np.diff(g, axis=1, append=g[:, -1:])])
        p = (p + TV_TAU * d) / (1 + TV_TAU * np.sqrt((d**2).sum(0)))
    return f - weight * div()


def smoothing_spline(x: np.ndarray, sigma: float) -> np.ndarray:
    """The spectra that minimise ``|s - x|^2 + sigma^4/2 |s''|^2``, by least squares."""
    bands = len(x)
    bend = [np.eye(bands)[i] - 2 * np.eye(bands)[i + 1] + np.eye(bands)[i + 2] for i in range(bands - 2)]
    stacked = np.vstack([np.eye(bands), *(np.sqrt(sigma**4 / 2) * row[None] for row in bend)])
    wanted = np.vstack([x.reshape(bands, -1), np.zeros((len(bend), x[0].size))])
    return np.linalg.lstsq(stacked, wanted, rcond=None)[0].reshape(x.shape)


def gap_loop(y: np.ndarray, c: Candidate, s: GapSettings, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The protocol's formulas with dense shift matrices, float64."""
    n, (height, width) = len(c.cols), c.mask.shape[-2:]
    masks = np.broadcast_to(c.mask.astype(float), (n, height, width))
    down = [shift_matrix(o, height, y.shape[0]) for o in c.rows]
    right = [shift_matrix(o, width, y.shape[1]).T for o in c.cols]

    def forward(x: np.ndarray) -> np.ndarray:
        return sum(a @ (m * b) @ z for a, m, b, z in zip(down, masks, x, right, strict=True))

    def adjoint(r: np.ndarray) -> np.ndarray:
        return np.stack([m * (a.T @ r @ z.T) for a, m, z in zip(down, masks, right, strict=True)])

    def denoise(x: np.ndarray) -> np.ndarray:
        if s.denoiser == "tv":
            return np.stack([tv_loop(b, s.tv_weight, s.tv_iter) for b in x])
        taps = (matern_taps if s.denoiser == "matern" else gaussian_taps)(s.sigma_px).astype(float)
        for axis in (1, 2):
            x = ndi.correlate1d(x, np.concatenate([taps[:0:-1], taps]), axis, mode="nearest")
        return smoothing_spline(x, s.sigma_bands)

    phi = np.maximum(forward(masks), PHI_FLOOR)
    x, y1 = adjoint(w * y / phi), np.zeros_like(y)
    for _ in range(s.n_iter):
        seen = forward(x)
        y1 = y1 + w * (y - seen)
        x = denoise(x + adjoint((y1 - w * seen if s.accelerated else w * (y - seen)) / phi))
    return x, y - forward(x)


def a_problem(
    rng: np.random.Generator, shape: tuple[int, int], bands: int, canvas: tuple[int, int], per_band: bool
) -> tuple[np.ndarray, Candidate, np.ndarray]:
    y = rng.random(canvas).astype(np.float32)
    mask = (rng.random((bands, *shape) if per_band else shape) > 0.4) * rng.uniform(
        0.5, 1, (bands, *shape) if per_band else shape
    )
    cols = np.arange(bands) * 2.3 - 1.7
    rows = np.linspace(-1.4, 1.6, bands)
    weight = (rng.random(canvas) > 0.1).astype(np.float32)
    return y, Candidate(mask.astype(np.float32), cols, rows), weight


def relative(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("per_band", [False, True])
@pytest.mark.parametrize(("shape", "canvas"), [((15, 22), (15, 27)), ((20, 13), (20, 30)), ((17, 17), (17, 17))])
def test_the_solver_is_the_plain_loop(
    settings: GapSettings, per_band: bool, shape: tuple[int, int], canvas: tuple[int, int], rng: np.random.Generator
) -> None:
    y, candidate, weight = a_problem(rng, shape, 5, canvas, per_band)
    cube, left = gap_loop(y, candidate, settings, weight)
    found, residual = TorchGapSolver().reconstruct(y, candidate, settings, weight=weight)
    assert found.dtype == residual.dtype == np.float32
    assert relative(found, cube) < 1e-5 and relative(residual, left) < 1e-5


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("per_band", [False, True])
@pytest.mark.parametrize(("shape", "canvas"), [((15, 22), (15, 27)), ((20, 13), (20, 30)), ((17, 17), (19, 17))])
def test_a_few_large_operations_give_the_same_numbers(
    settings: GapSettings, per_band: bool, shape: tuple[int, int], canvas: tuple[int, int], rng: np.random.Generator
) -> None:
    """The way of a GPU, for whole offsets; bands leave the canvas on all sides."""
    y, candidate, weight = a_problem(rng, shape, 5, canvas, per_band)
    whole = Candidate(candidate.mask, np.round(candidate.cols), np.round(candidate.rows))
    cube, left = gap_loop(y, whole, settings, weight)
    solver = TorchGapSolver(gather=True)
    found, residual = solver.reconstruct(y, whole, settings, weight=weight)
    assert relative(found, cube) < 1e-5 and relative(residual, left) < 1e-5
    images = np.stack([y, y[::-1]])
    for one, other in zip(
        solver.filter_images(images, whole, settings), TorchGapSolver().filter_images(images, whole, settings), strict=True
    ):
        assert relative(one, other) < 1e-5


def test_candidates_are_solved_together_as_they_are_alone(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups of equal offsets, batches smaller than a group, one mask per band beside one for all."""
    monkeypatch.setattr(torch_gap, "BATCH_BYTES_CPU", 2 * 4 * 5 * 12 * 14)
    y, first, weight = a_problem(rng, (12, 14), 5, (12, 20), False)
    masks = [rng.random((12, 14)).astype(np.float32) for _ in range(4)]
    candidates = [Candidate(m, first.cols, first.rows) for m in masks]
    candidates.insert(2, Candidate(masks[0], first.cols + 0.25, first.rows))
    candidates.append(a_problem(rng, (12, 14), 5, (12, 20), True)[1])
    settings = GapSettings(3, 0.7, 0.5)
    together = TorchGapSolver().residuals(y, candidates, settings, weight=weight)
    assert together.shape == (6, 12, 20)
    for residual, candidate in zip(together, candidates, strict=True):
        assert relative(residual, gap_loop(y, candidate, settings, weight)[1]) < 1e-5


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("per_band", [False, True])
def test_the_compiled_kernel_gives_the_same_numbers(settings: GapSettings, per_band: bool, rng: np.random.Generator) -> None:
    fused_cpu = pytest.importorskip("cassi_core.solvers.fused_cpu")
    y, candidate, weight = a_problem(rng, (21, 26), 6, (21, 36), per_band)
    cube, residual = TorchGapSolver().reconstruct(y, candidate, settings, weight=weight)
    kernel = fused_cpu.FusedCpuSolver(1)
    other_cube, other_residual = kernel.reconstruct(y, candidate, settings, weight=weight)
    assert relative(cube, other_cube) < 1e-4 and relative(residual, other_residual) < 1e-4
    both = [solver.residuals(y, [candidate], settings)[0] for solver in (TorchGapSolver(), kernel)]
    assert relative(*both) < 1e-4


@pytest.mark.parametrize("gather", [False, True])
def test_light_of_the_bands_means_the_same_as_for_the_kernel(gather: bool, rng: np.random.Generator) -> None:
    fused_cpu = pytest.importorskip("cassi_core.solvers.fused_cpu")
    y, plain, weight = a_problem(rng, (21, 26), 6, (21, 36), False)
    lights = [np.linspace(0.3, 1.5, 6, dtype=np.float32), np.linspace(1.4, 0.4, 6, dtype=np.float32)]
    candidates = [Candidate(plain.mask, np.round(plain.cols), np.round(plain.rows), light) for light in lights]
    candidates.append(Candidate(plain.mask, candidates[0].cols, candidates[0].rows))
    settings, torch_solver, kernel = SETTINGS[0], TorchGapSolver(gather=gather), fused_cpu.FusedCpuSolver(1)
    together = torch_solver.residuals(y, candidates, settings, weight=weight)
    for residual, candidate in zip(together, candidates, strict=True):
        cube, alone = torch_solver.reconstruct(y, candidate, settings, weight=weight)
        other_cube, other = kernel.reconstruct(y, candidate, settings, weight=weight)
        assert relative(cube, other_cube) < 1e-4 and relative(alone, other) < 1e-4 and relative(residual, other) < 1e-4
        projected = [solver.project(cube, candidate, y.shape) for solver in (torch_solver, kernel)]
        assert relative(*projected) < 1e-5 and np.allclose(y - projected[0], alone, atol=1e-4)
    assert relative(together[0], together[2]) > 1e-3 and relative(together[0], together[1]) > 1e-3


@pytest.mark.parametrize("denoiser", ["gaussian", "tv"])
def test_a_run_is_cancelled_at_once(denoiser: str, rng: np.random.Generator) -> None:
    y, candidate, _ = a_problem(rng, (64, 64), 8, (64, 84), False)
    control = RunControl()
    outcome: list[BaseException] = []

    def work() -> None:
        try:
            TorchGapSolver().residuals(y, [candidate] * 4, GapSettings(100_000, denoiser=denoiser), control=control)  # type: ignore[arg-type]
        except RunCancelled as error:
            outcome.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    time.sleep(0.1)
    control.cancel()
    thread.join(5)
    assert not thread.is_alive() and len(outcome) == 1


def test_a_cancelled_run_starts_nothing(rng: np.random.Generator) -> None:
    y, candidate, _ = a_problem(rng, (12, 14), 5, (12, 20), False)
    control = RunControl()
    control.cancel()
    with pytest.raises(RunCancelled):
        TorchGapSolver().reconstruct(y, candidate, GapSettings(3), control=control)


def test_masks_and_offsets_must_agree() -> None:
    candidate = Candidate(np.ones((3, 8, 8), np.float32), np.zeros(4), np.zeros(4))
    with pytest.raises(InputError, match="3 bands and offsets for 4"):
        TorchGapSolver().reconstruct(np.ones((8, 8), np.float32), candidate, GapSettings())


def test_auto_picks_what_works_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    device, message = select_device("auto")
    assert device.type == "cpu" and "processor" in message and "no CUDA device" in message
    assert select_device("cpu")[0].type == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch_gap, "_cuda_problem", lambda index: None)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda index: "a GPU")
    assert select_device("auto") == (torch.device("cuda:0"), "running on a GPU (cuda:0)")
    assert select_device("cuda")[0] == torch.device("cuda:0")
    monkeypatch.setattr(torch_gap, "_cuda_problem", lambda index: "warning: CUDA device 0 fails (driver)")
    device, message = select_device("auto")
    assert device.type == "cpu" and "warning" in message and "driver" in message


@pytest.mark.parametrize("name", ["cuda:7", "cuda", "tpu", "cuda:x", "cpu:1"])
def test_a_named_device_that_does_not_exist_is_bad_input(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match=name) as error:
        select_device(name)
    assert error.value.exit_code == 3 and "auto" in str(error.value)


def test_a_device_that_fails_when_used_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def zeros(*_: object, **__: object) -> torch.Tensor:
        raise RuntimeError("no kernel image\nsecond line")

    monkeypatch.setattr(torch, "zeros", zeros)
    assert torch_gap._cuda_problem(0) == "warning: CUDA device 0 fails (no kernel image)"


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="NO GPU: the CUDA path of the torch solver is not tested")
@pytest.mark.parametrize("settings", SETTINGS)
def test_the_gpu_gives_the_same_numbers(settings: GapSettings, rng: np.random.Generator) -> None:
    y, fractional, weight = a_problem(rng, (21, 26), 6, (21, 36), True)
    whole = Candidate(fractional.mask, np.round(fractional.cols), np.round(fractional.rows))
    for candidate in (fractional, whole):
        cubes = [TorchGapSolver(d).reconstruct(y, candidate, settings, weight=weight)[0] for d in ("cpu", "cuda")]
        assert relative(*cubes) < 1e-4


def test_filtering_and_projecting_equal_the_kernel() -> None:
    fused = pytest.importorskip("cassi_core.solvers.fused_cpu").FusedCpuSolver(1)
    rng = np.random.default_rng(8)
    candidate = Candidate(rng.random((4, 15, 12)).astype(np.float32), np.arange(4) * 2.3, np.array([0.0, 0.3, -0.2, 1.1]))
    images = rng.standard_normal((3, 15, 20)).astype(np.float32)
    settings = GapSettings(3, 0.6, 0.8)
    ours = TorchGapSolver().filter_images(images, candidate, settings)
    wanted = fused.filter_images(images, candidate, settings)
    assert np.abs(ours - wanted).max() < 1e-4 * np.abs(wanted).max()
    cube = rng.random((4, 15, 12)).astype(np.float32)
    projected = TorchGapSolver().project(cube, candidate, (15, 20))
    assert np.allclose(projected, fused.project(cube, candidate, (15, 20)), atol=1e-5)
