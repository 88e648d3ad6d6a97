"""The differentiable mask warp against scipy's sampling, and its gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage as ndi

from cassi_core.errors import InputError
from cassi_core.geometry import source_coordinates
from cassi_core.operators import DifferentiableMaskWarpFixed
from cassi_core.operators.warp import warp_mask

POSE = {"dx": 1.37, "dy": -2.41, "theta": 1.9, "scale_x": 0.011, "scale_y": -0.007}


def warped_with(mask: np.ndarray, pose: dict[str, float], dtype: torch.dtype) -> np.ndarray:
    values = (torch.tensor(pose.get(name, 0.0), dtype=torch.float64) for name in ("dx", "dy", "theta", "scale_x", "scale_y"))
    return warp_mask(torch.tensor(mask, dtype=dtype), *values).numpy()


@pytest.mark.parametrize("shape", [(24, 24), (31, 20), (20, 33), (17, 64)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_warp_is_scipys_sampling_with_repeated_edges(
    shape: tuple[int, int], dtype: torch.dtype, rng: np.random.Generator
) -> None:
    mask = rng.random(shape)
    expected = ndi.map_coordinates(mask, source_coordinates(shape, **POSE), order=1, mode="nearest")
    np.testing.assert_allclose(warped_with(mask, POSE, dtype), expected, atol=1e-6)


@pytest.mark.parametrize("name", list(POSE))
def test_each_parameter_alone_is_scipys_sampling(name: str, rng: np.random.Generator) -> None:
    mask = rng.random((19, 26))
    pose = {name: POSE[name]}
    expected = ndi.map_coordinates(mask, source_coordinates(mask.shape, **pose), order=1, mode="nearest")
    np.testing.assert_allclose(warped_with(mask, pose, torch.float64), expected, atol=1e-12)


def test_a_large_float32_mask_is_sampled_to_1e_5(rng: np.random.Generator) -> None:
    mask = (rng.random((300, 660)) > 0.5).astype(np.float32)
    expected = ndi.map_coordinates(mask, source_coordinates(mask.shape, **POSE), order=1, mode="nearest")
    np.testing.assert_allclose(warped_with(mask, POSE, torch.float32), expected, atol=1e-5)


def test_dx_moves_the_mask_right_and_dy_down(rng: np.random.Generator) -> None:
    mask = rng.random((9, 12)).astype(np.float32)
    moved = DifferentiableMaskWarpFixed(mask, dx_init=2, dy_init=1)().detach().numpy()
    np.testing.assert_allclose(moved[1:, 2:], mask[:-1, :-2], atol=1e-6)
    np.testing.assert_allclose(moved[0], DifferentiableMaskWarpFixed(mask, dx_init=2)().detach().numpy()[0], atol=1e-6)


def test_the_module_learns_position_and_scales(rng: np.random.Generator) -> None:
    mask = rng.random((15, 22))
    module = DifferentiableMaskWarpFixed(mask, dx_init=0.3, dy_init=-0.2, theta_init=0.7)
    assert {name for name, _ in module.named_parameters()} == {"dx", "dy", "theta", "scale_x", "scale_y"}
    module().square().sum().backward()
    assert all(abs(float(p.grad)) > 1e-3 for p in module.parameters())
    expected = ndi.map_coordinates(mask, source_coordinates(mask.shape, dx=0.3, dy=-0.2, theta=0.7), order=1, mode="nearest")
    np.testing.assert_allclose(module().detach().numpy(), expected, atol=1e-12)


def test_gradients_agree_with_finite_differences(rng: np.random.Generator) -> None:
    mask = torch.tensor(rng.random((7, 11)), requires_grad=True)
    pose = [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in (0.31, -0.43, 1.7, 0.013, -0.017)]
    assert torch.autograd.gradcheck(warp_mask, (mask, *pose))


def test_a_mask_of_three_dimensions_is_refused() -> None:
    with pytest.raises(InputError, match=r"\(2, 4, 5\)"):
        DifferentiableMaskWarpFixed(np.ones((2, 4, 5)))
