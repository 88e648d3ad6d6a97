"""The unrolled solver: the ideal case, gradients, checkpoints, and ending it from outside."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from scipy import ndimage as ndi

from cassi_core.errors import ConfigError, RunCancelled
from cassi_core.operators import DifferentiableGAPTV
from cassi_core.operators.blur import blur, smoother_of, taps_of
from cassi_core.operators.gap_tv import unrolled_gap
from cassi_core.solvers.protocol import GapSettings, gaussian_taps

F64 = torch.float64


def two_sided(sigma: float) -> np.ndarray:
    taps = gaussian_taps(sigma).astype(float)
    return np.concatenate([taps[:0:-1], taps])


@pytest.mark.parametrize("dtype", [torch.float32, F64])
@pytest.mark.parametrize("size", [(3, 16, 16), (4, 11, 18), (5, 20, 9)])
def test_the_ideal_case_is_a_six_line_loop(dtype: torch.dtype, size: tuple[int, int, int], rng: np.random.Generator) -> None:
    L, H, W = size
    mask, y, s = 0.1 + rng.random((H, W)), rng.random((H, W + 2 * (L - 1))), 2 * np.arange(L)
    phi = sum(np.pad(mask**2, ((0, 0), (o, 2 * (L - 1) - o))) for o in s)
    x = np.stack([mask * (y / phi)[:, o : o + W] for o in s])
    for _ in range(5):
        r = (y - sum(np.pad(mask * b, ((0, 0), (o, 2 * (L - 1) - o))) for b, o in zip(x, s, strict=True))) / phi
        x = np.stack([b + mask * r[:, o : o + W] for b, o in zip(x, s, strict=True)])
        x = ndi.correlate1d(ndi.correlate1d(x, two_sided(0.7), 1, mode="nearest"), two_sided(0.7), 2, mode="nearest")

    solver = DifferentiableGAPTV(s, H, W, L, n_iter=5, gauss_sigma=0.7)
    cube = solver(torch.tensor(y[None], dtype=dtype), torch.tensor(mask, dtype=dtype), 0.0)
    assert cube.shape == (1, L, H, W) and cube.dtype == dtype
    np.testing.assert_allclose(cube[0].numpy(), x, rtol=1e-10 if dtype == F64 else 2e-4, atol=1e-6)


@pytest.mark.parametrize("settings", [GapSettings(sigma_px=1.0), GapSettings(sigma_px=2.2, denoiser="matern")])
@pytest.mark.parametrize("size", [(6, 9, 12), (2, 3, 30), (1, 7, 2)])
def test_blur_repeats_the_edges_smooths_spectra_and_has_an_exact_transpose(
    size: tuple[int, int, int], settings: GapSettings, rng: np.random.Generator
) -> None:
    half = settings.taps().astype(float)
    cube, other = rng.standard_normal(size), rng.standard_normal(size)
    bend = np.diff(np.eye(size[0]), 2, axis=0) if size[0] > 2 else np.zeros((0, size[0]))
    expected = np.tensordot(np.linalg.inv(np.eye(size[0]) + 1.4**4 / 2 * bend.T @ bend), cube, 1)
    for axis in (1, 2):
        expected = ndi.correlate1d(expected, np.concatenate([half[:0:-1], half]), axis, mode="nearest")
    smoother = smoother_of(1.4, size[0], torch.tensor(cube))
    blurred = blur(torch.tensor(cube), taps_of(settings), smoother)[0].numpy()
    np.testing.assert_allclose(blurred, expected, atol=1e-12)
    turned = blur(torch.tensor(other), taps_of(settings), smoother, transpose=True)[0].numpy()
    assert float((blurred * other).sum()) == pytest.approx(float((cube * turned).sum()), rel=1e-12)


DENOISERS = [
    GapSettings(3, 0.7),
    GapSettings(3, 0.5, 0.8),
    GapSettings(2, 0.0),
    GapSettings(2, 1.2, 0.8, "matern"),
    GapSettings(2, denoiser="tv", tv_weight=0.1, tv_iter=3),
    GapSettings(2, denoiser="tv", tv_weight=0.0),
]


@pytest.mark.parametrize("settings", DENOISERS)
@pytest.mark.parametrize("per_band_mask", [False, True])
def test_gradients_agree_with_finite_differences(settings: GapSettings, per_band_mask: bool, rng: np.random.Generator) -> None:
    y = torch.tensor(rng.random((5, 9)), requires_grad=True)
    mask = torch.tensor(0.2 + rng.random((3, 4, 5) if per_band_mask else (4, 5)), requires_grad=True)
    cols = torch.tensor([-0.6, 1.3, 3.7], dtype=F64, requires_grad=True)
    rows = torch.tensor([0.2, -0.4, 0.9], dtype=F64, requires_grad=True)
    weight = torch.tensor((rng.random((5, 9)) > 0.2).astype(float))
    assert torch.autograd.gradcheck(
        lambda *a: unrolled_gap(*a, settings, weight=weight, checkpointing=True), (y, mask, cols, rows), fast_mode=True
    )


@pytest.mark.parametrize("mode", ["integer", "interpolated"])
@pytest.mark.parametrize("denoiser", ["gaussian", "matern", "tv"])
@pytest.mark.parametrize("n_iter", [1, 7, 9])
def test_checkpointing_changes_no_gradient(mode: str, denoiser: str, n_iter: int, rng: np.random.Generator) -> None:
    y, mask = torch.tensor(rng.random((1, 9, 16))), rng.random((9, 10))
    found = []
    for checkpointing in (False, True):
        s_nom = torch.tensor([0.0, 2.1, 3.9, 6.0], dtype=F64, requires_grad=True)
        leaf = torch.tensor(mask, requires_grad=True)
        solver = DifferentiableGAPTV(s_nom, 9, 10, 4, n_iter, use_checkpointing=checkpointing, mode=mode, denoiser=denoiser)
        solver(y, leaf, 0.4).square().sum().backward()
        found.append((leaf.grad, s_nom.grad))
    (mask_off, s_off), (mask_on, s_on) = found
    torch.testing.assert_close(mask_on, mask_off, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(s_on, s_off, rtol=1e-9, atol=1e-12)
    assert float(mask_on.abs().max()) > 1e-3 and float(s_on[1:].abs().min()) > 1e-6


def test_the_axis_angle_learns_through_the_solver(rng: np.random.Generator) -> None:
    y, mask = torch.tensor(rng.random((1, 9, 16))), torch.tensor(rng.random((9, 10)))

    def score(phi: torch.Tensor) -> torch.Tensor:
        return DifferentiableGAPTV([0, 2.1, 3.9, 6], 9, 10, 4, 3, mode="interpolated")(y, mask, phi).square().sum()

    assert torch.autograd.gradcheck(score, torch.tensor(3.0, dtype=F64, requires_grad=True))


@pytest.mark.parametrize("denoiser", ["gaussian", "tv"])
def test_the_callback_ends_the_forward_pass_the_recomputation_and_the_backward_pass(
    denoiser: str, rng: np.random.Generator
) -> None:
    calls, stop_at = 0, 10**9

    def callback() -> None:
        nonlocal calls
        calls += 1
        if calls >= stop_at:
            raise RunCancelled("enough")

    y, mask = torch.tensor(rng.random((1, 8, 12))), torch.tensor(rng.random((8, 8)), requires_grad=True)
    solver = DifferentiableGAPTV([0, 2, 4], 8, 8, 3, 4, denoiser=denoiser, callback=callback)
    cube = solver(y, mask, 0.0)
    forward_calls = calls
    cube.sum().backward()
    assert forward_calls >= 4 and calls - forward_calls >= 4 + 2
    for stop in (2, forward_calls + 1, calls):
        calls, stop_at = 0, stop
        with pytest.raises(RunCancelled, match="enough"):
            solver(y, mask, 0.0).sum().backward()
        assert calls == stop


def test_the_accelerated_form_is_not_unrolled() -> None:
    zeros = torch.zeros(1, dtype=F64)
    with pytest.raises(ConfigError, match="accelerated"):
        unrolled_gap(torch.ones(4, 4), torch.ones(4, 4), zeros, zeros, GapSettings(accelerated=True))


def test_names_are_loaded_without_torch_and_steps_without_its_compiler() -> None:
    """torch takes seconds to load; its compiler takes as long again and would come with torch's own checkpoints."""
    code = (
        "import sys, cassi_core.operators as o; assert 'torch' not in sys.modules\n"
        "import torch; m = torch.rand(8, 8, requires_grad=True)\n"
        "for denoiser in ('gaussian', 'tv'):\n"
        "    o.DifferentiableGAPTV([0, 2], 8, 8, 2, denoiser=denoiser)(torch.rand(1, 8, 10), m, 0.0).sum().backward()\n"
        "assert float(m.grad.abs().sum()) > 0\n"
        "assert not {'torch._dynamo', 'sympy'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    with pytest.raises(AttributeError, match="Nothing"):
        import cassi_core.operators as operators

        operators.Nothing  # noqa: B018


def test_a_denoiser_that_there_is_not_is_refused() -> None:
    with pytest.raises(ConfigError, match="no denoiser 'median'"):
        DifferentiableGAPTV([0, 2], 5, 6, 2, denoiser="median")  # type: ignore[arg-type]
