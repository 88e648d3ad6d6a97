"""Forward model and adjoint: against shift matrices, the dot test, and gradients with respect to the offsets."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cassi_core.errors import ConfigError, InputError
from cassi_core.operators import DifferentiableCassiAdjointSTE, DifferentiableCassiForwardSTE, RoundSTE
from cassi_core.operators.forward import back_project, band_offsets, normaliser, project

F64 = torch.float64
SHAPES = [(3, 8, 8), (4, 9, 13), (5, 14, 7), (1, 6, 5)]


def shift_matrix(offset: float, size: int, canvas: int) -> np.ndarray:
    """``(canvas, size)``: pixel i goes to i + offset, split linearly between two pixels."""
    matrix = np.zeros((canvas, size))
    for i in range(size):
        for at, share in ((int(np.floor(i + offset)), 1 - offset % 1), (int(np.floor(i + offset)) + 1, offset % 1)):
            if 0 <= at < canvas:
                matrix[at, i] += share
    return matrix


def measured(cube: np.ndarray, mask: np.ndarray, cols: np.ndarray, rows: np.ndarray, canvas: tuple[int, int]) -> np.ndarray:
    h, w = cube.shape[1:]
    bands = zip(cube * mask, cols, rows, strict=True)
    return sum(shift_matrix(r, h, canvas[0]) @ x @ shift_matrix(c, w, canvas[1]).T for x, c, r in bands)


def tensors(*arrays: np.ndarray, dtype: torch.dtype = F64) -> list[torch.Tensor]:
    return [torch.tensor(a, dtype=dtype) for a in arrays]


@pytest.mark.parametrize("per_band_mask", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, F64])
def test_projection_is_the_sum_of_shift_matrices(per_band_mask: bool, dtype: torch.dtype, rng: np.random.Generator) -> None:
    cube, mask = rng.random((4, 7, 9)), rng.random((4, 7, 9) if per_band_mask else (7, 9))
    cols, rows = np.array([-1.3, 0.0, 2.75, 6.2]), np.array([0.4, 1.0, -2.2, 3.5])
    image = project(*tensors(cube, mask, dtype=dtype), *tensors(cols, rows), (8, 13))
    np.testing.assert_allclose(image.numpy(), measured(cube, mask, cols, rows, (8, 13)), rtol=2e-6, atol=1e-6)


def test_normaliser_sums_the_squares_of_a_grey_mask(rng: np.random.Generator) -> None:
    mask, cols, rows = rng.random((6, 8)), np.array([0.0, 2.0, 4.5]), np.zeros(3)
    phi = normaliser(*tensors(mask, cols, rows), (6, 13)).numpy()
    np.testing.assert_allclose(phi, np.maximum(measured(np.stack([mask] * 3), mask, cols, rows, (6, 13)), 0.01), rtol=1e-12)


@pytest.mark.parametrize("mode", ["integer", "interpolated"])
@pytest.mark.parametrize("size", SHAPES)
@pytest.mark.parametrize("alpha", [0.0, 7.0, -11.0])
def test_adjoint_passes_the_dot_test(mode: str, size: tuple[int, int, int], alpha: float, rng: np.random.Generator) -> None:
    L, H, W = size
    s_nom = np.cumsum(rng.uniform(1.0, 3.0, L)) - 1
    forward, adjoint = (cls(s_nom, mode=mode) for cls in (DifferentiableCassiForwardSTE, DifferentiableCassiAdjointSTE))
    x, mask = tensors(rng.random((1, L, H, W)), rng.random((H, W)))
    image = forward(x, mask, alpha)
    y = torch.tensor(rng.random(image.shape))
    back = adjoint(y, mask, alpha, H, W, L)
    assert back.shape == x.shape
    assert float((image * y).sum()) == pytest.approx(float((x * back).sum()), rel=1e-10)


@pytest.mark.parametrize("alpha", [0.0, 9.0, -9.0])
def test_the_canvas_holds_the_rounded_offsets_from_zero(alpha: float, rng: np.random.Generator) -> None:
    s_nom = np.array([0.0, 2.6, 5.1, 7.4])
    cube, mask = rng.random((4, 6, 8)), rng.random((6, 8))
    cols, rows = (np.round(s_nom * f(np.deg2rad(alpha))) for f in (np.cos, np.sin))
    cols, rows = cols - cols.min(), rows - rows.min()
    canvas = (6 + int(rows.max()), 8 + int(cols.max()))
    image = DifferentiableCassiForwardSTE(s_nom)(*tensors(cube[None], mask), alpha)
    assert image.shape == (1, *canvas)
    np.testing.assert_allclose(image[0].numpy(), measured(cube, mask, cols, rows, canvas), rtol=1e-12)


def test_the_smallest_offset_lies_at_zero_for_any_first_offset(rng: np.random.Generator) -> None:
    x, mask = tensors(rng.random((1, 3, 5, 6)), rng.random((5, 6)))
    images = [DifferentiableCassiForwardSTE(np.array([0.0, 2.0, 4.0]) + first)(x, mask, 0.0) for first in (0, 3, -7)]
    assert images[0].shape == (1, 5, 10)
    assert torch.equal(images[0], images[1]) and torch.equal(images[0], images[2])


def test_a_batch_is_measured_cube_by_cube(rng: np.random.Generator) -> None:
    forward = DifferentiableCassiForwardSTE([0, 2, 4])
    x, mask = tensors(rng.random((2, 3, 5, 6)), rng.random((5, 6)))
    assert torch.equal(forward(x, mask, 0.0)[1], forward(x[1:], mask, 0.0)[0])


def test_gradients_agree_with_finite_differences(rng: np.random.Generator) -> None:
    cube, mask = (t.requires_grad_() for t in tensors(rng.random((3, 4, 5)), rng.random((4, 5))))
    cols, rows = (t.requires_grad_() for t in tensors(np.array([-0.7, 1.3, 3.6]), np.array([0.2, -0.6, 1.4])))
    assert torch.autograd.gradcheck(lambda *a: project(*a, (5, 9)), (cube, mask, cols, rows))
    image = torch.tensor(rng.random((5, 9)), requires_grad=True)
    assert torch.autograd.gradcheck(back_project, (image, mask, cols, rows))


def test_offsets_and_axis_angle_learn_in_interpolated_mode(rng: np.random.Generator) -> None:
    s_nom = torch.tensor([0.3, 1.7, 3.2], dtype=F64, requires_grad=True)  # off the kinks at whole pixels
    phi = torch.tensor(8.0, dtype=F64, requires_grad=True)
    x, mask = tensors(rng.random((1, 3, 5, 6)), rng.random((5, 6)))

    def image(s: torch.Tensor, angle: torch.Tensor) -> torch.Tensor:
        return DifferentiableCassiForwardSTE(s, mode="interpolated")(x, mask, angle)

    assert torch.autograd.gradcheck(image, (s_nom, phi))


def test_rounding_passes_the_gradient_through() -> None:
    value = torch.tensor([0.2, 1.7, -2.5, 3.5], requires_grad=True)
    rounded = RoundSTE.apply(value)
    (rounded * torch.tensor([1.0, 2.0, 3.0, 4.0])).sum().backward()
    assert rounded.tolist() == [0.0, 2.0, -2.0, 4.0]
    assert value.grad.tolist() == [1.0, 2.0, 3.0, 4.0]


def test_an_integer_offset_has_the_gradient_of_the_interpolated_shift_there(rng: np.random.Generator) -> None:
    """In the original the offsets were detached and learned nothing."""
    x, mask = tensors(rng.random((3, 6, 7)), rng.random((6, 7)))
    target = torch.tensor(rng.random((7, 12)))
    angle = torch.tensor(4.0, dtype=F64)

    def slopes(mode: str, s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        cols, rows = (o.detach().requires_grad_() for o in band_offsets(torch.tensor(s), angle, "interpolated"))
        placed = (RoundSTE.apply(cols), RoundSTE.apply(rows)) if mode == "integer" else (cols.round(), rows.round())
        leaves = (cols, rows) if mode == "integer" else tuple(p.detach().requires_grad_() for p in placed)
        used = placed if mode == "integer" else leaves
        (project(x, mask, *used, (7, 12)) * target).sum().backward()
        return leaves[0].grad.numpy(), leaves[1].grad.numpy()

    for straight, interpolated in zip(
        *(slopes(m, np.array([0.3, 1.8, 4.4])) for m in ("integer", "interpolated")), strict=True
    ):
        np.testing.assert_allclose(straight, interpolated, rtol=1e-12)
        assert np.all(np.abs(straight) > 1e-3)
    # The same from the definition: the next pixel's share grows by what this one's loses.
    one_row = (np.zeros(1), (7, 12))
    bands = [(x.numpy()[b : b + 1], mask.numpy(), np.array([2.0 * b])) for b in range(3)]
    moved = [measured(band, m, at + 1, *one_row) - measured(band, m, at, *one_row) for band, m, at in bands]
    expected = [float((change * target.numpy()).sum()) for change in moved]
    learned = torch.tensor([0.3, 1.8, 4.4], dtype=F64, requires_grad=True)
    (project(x, mask, RoundSTE.apply(learned), torch.zeros(3, dtype=F64), (7, 12)) * target).sum().backward()
    np.testing.assert_allclose(learned.grad.numpy(), expected, rtol=1e-10)


def test_slope_and_angle_learn_through_the_integer_classes(rng: np.random.Generator) -> None:
    slope = torch.tensor(0.04, dtype=F64, requires_grad=True)
    phi = torch.tensor(2.0, dtype=F64, requires_grad=True)
    s = torch.arange(4, dtype=F64) * (2 + slope)
    x, mask = tensors(rng.random((1, 4, 6, 7)), rng.random((6, 7)))
    DifferentiableCassiForwardSTE(s)(x, mask, phi).square().sum().backward()
    assert abs(float(slope.grad)) > 1e-3 and abs(float(phi.grad)) > 1e-6


def test_the_canvas_stays_while_an_offset_is_learned(rng: np.random.Generator) -> None:
    s_nom = torch.nn.Parameter(torch.tensor([0.0, 2.2, 4.4], dtype=F64))
    forward = DifferentiableCassiForwardSTE(s_nom)
    x, mask = tensors(rng.random((1, 3, 6, 7)), rng.random((6, 7)))
    before = forward(x, mask, 0.0)
    with torch.no_grad():
        s_nom += torch.tensor([0.0, 1.0, 2.0])
    after = forward(x, mask, 0.0)
    assert before.shape == after.shape == (1, 6, 11)
    assert not torch.equal(before, after)
    assert DifferentiableCassiForwardSTE([0.0, 3.2, 6.4])(x, mask, 0.0).shape == (1, 6, 13)


def test_a_measurement_as_high_as_its_mask_keeps_band_0_in_the_first_row(rng: np.random.Generator) -> None:
    y, mask = tensors(rng.random((1, 6, 11)), rng.random((6, 7)))
    adjoint = DifferentiableCassiAdjointSTE([0.0, 2.0, 4.0], mode="interpolated")
    np.testing.assert_allclose(adjoint(y, mask, -40.0, 6, 7, 3)[0, 0].numpy(), (mask * y[0, :, :7]).numpy(), rtol=1e-12)


def test_wrong_sizes_are_refused_with_the_shapes() -> None:
    mask = torch.ones(5, 6)
    with pytest.raises(InputError, match=r"\(1, 3, 5, 7\)"):
        DifferentiableCassiForwardSTE([0, 2, 4])(torch.ones(1, 3, 5, 7), mask, 0.0)
    with pytest.raises(InputError, match=r"\(1, 4, 10\)"):
        DifferentiableCassiAdjointSTE([0, 2, 4])(torch.ones(1, 4, 10), mask, 0.0, 5, 6, 3)
    with pytest.raises(InputError, match="must agree"):
        DifferentiableCassiAdjointSTE([0, 2, 4])(torch.ones(1, 5, 10), mask, 0.0, 5, 6, 4)
    with pytest.raises(InputError, match="one offset per band"):
        DifferentiableCassiForwardSTE(np.zeros((2, 2)))
    with pytest.raises(ConfigError, match="sideways"):
        DifferentiableCassiForwardSTE([0, 2], mode="sideways")  # type: ignore[arg-type]
