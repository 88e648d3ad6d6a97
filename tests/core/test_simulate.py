"""The simulator against hand-made pictures, against the written convention, and against an independent simulator."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from cassi_core.dispersion import Dispersion
from cassi_core.errors import ConfigError
from cassi_core.simulate import (
    MASK_KINDS,
    SCENE_KINDS,
    Camera,
    Misalignment,
    default_wavelengths,
    make_mask,
    make_scene,
    needed_margin,
    simulate_rig,
)
from cassi_core.simulate.rig import expose, true_mask

QUIET = Camera(noise=False)


def spot(shape: tuple[int, int], row: int, col: int) -> np.ndarray:
    image = np.zeros(shape)
    image[row, col] = 1.0
    return image


def brightest(image: np.ndarray) -> tuple[int, int]:
    row, col = np.unravel_index(np.argmax(image), image.shape)
    return int(row), int(col)


@pytest.mark.parametrize(
    ("truth", "expected"),
    [
        ({"dx": 3.0}, (10, 23)),  # right
        ({"dy": 2.0}, (12, 20)),  # down
        ({"theta": 36.8699}, None),
        ({"scale_x": 0.5}, None),
        ({"scale_y": 0.5}, None),
    ],
)
def test_a_spot_of_the_mask_moves_as_the_convention_says(truth: dict[str, float], expected: tuple[int, int] | None) -> None:
    height, width, margin = 31, 41, 40
    capture = spot((height + 2 * margin, width + 2 * margin), 10 + margin, 20 + margin)
    if "scale_x" in truth:  # six columns right of the centre, magnified to nine
        capture, expected = np.roll(capture, 6, axis=1), (10, 29)
    if "scale_y" in truth:  # four rows above the centre becomes six
        capture, expected = np.roll(capture, 1, axis=0), (9, 20)
    if "theta" in truth:  # sine 0.6, cosine 0.8: what is five rows above the centre comes from R^-1 (0, -5) = (-3, -4)
        expected = (11, 17)
    mask = true_mask(capture, (margin, margin), (height, width), Misalignment.of(truth))
    assert brightest(mask) == expected


@pytest.mark.parametrize(
    ("direction", "shape", "places"),
    [
        ("right", (16, 24), [(5, 9), (5, 12)]),
        ("left", (16, 24), [(5, 12), (5, 9)]),
        ("down", (19, 21), [(5, 9), (8, 9)]),
        ("up", (19, 21), [(8, 9), (5, 9)]),
    ],
)
def test_bands_move_in_the_direction_of_the_rig(direction: str, shape: tuple[int, int], places: list[tuple[int, int]]) -> None:
    scene = np.zeros((2, 16, 21), np.float32)
    scene[0, 5, 9], scene[1, 5, 9] = 1.0, 2.0
    dispersion = Dispersion.constant(2, 3.0, direction=direction)  # type: ignore[arg-type]
    light = expose(scene, np.ones((16, 21)), (0, 0), dispersion, Misalignment())
    assert light.shape == shape
    assert [light[p] for p in places] == pytest.approx([1.0, 2.0])
    assert light.sum() == pytest.approx(3.0)


def test_slope_curve_and_alpha_move_a_band_by_the_formula() -> None:
    scene = np.zeros((4, 40, 40), np.float32)
    scene[2, 20, 20] = 1.0
    truth = Misalignment(slope=0.3, curve=-0.25, alpha=20.0)
    light = expose(scene, np.ones((40, 40)), (0, 0), Dispersion.constant(4, 2.5), truth)
    s = 2 * (2.5 + 0.3) - 0.25 * 2 * (2 - 3)
    rows, cols = np.indices(light.shape)
    assert (light * cols).sum() == pytest.approx(20 + s * np.cos(np.deg2rad(20)), abs=1e-4)
    assert (light * rows).sum() == pytest.approx(20 + s * np.sin(np.deg2rad(20)), abs=1e-4)
    assert light.sum() == pytest.approx(1.0, abs=1e-6)


def test_subbands_smear_a_band_over_its_own_width() -> None:
    scene = np.zeros((3, 8, 30), np.float32)
    scene[:, 4, 10] = 1.0
    light = expose(scene, np.ones((8, 30)), (0, 0), Dispersion.constant(3, 4.0), Misalignment(), subbands=4)
    cols = np.arange(light.shape[1])
    # Twelve parts of a third each, one pixel apart, centred where the middle band lands.
    assert light.sum() == pytest.approx(3.0, abs=2e-3)
    assert (light[4] * cols).sum() / light.sum() == pytest.approx(14.0, abs=1e-3)
    spread = (light[4] * (cols - 14.0) ** 2).sum() / light.sum()
    # Parts that land between two pixels are shared by them, which adds a quarter.
    assert spread == pytest.approx((12**2 - 1) / 12 + 0.25, rel=0.01)


def test_content_enters_at_the_border_from_the_larger_capture() -> None:
    rng = np.random.default_rng(0)
    capture = rng.random((60, 60))
    mask = true_mask(capture, (10, 10), (40, 40), Misalignment(dx=5.0, dy=-7.0))
    np.testing.assert_allclose(mask, capture[17:57, 5:45], atol=1e-9)


def test_the_margin_covers_every_corner_and_no_more_than_needed() -> None:
    shape, truth = (40, 60), Misalignment(dx=2.5, dy=-1.5, theta=1.2, scale_x=-0.01, scale_y=0.01)
    margin = needed_margin(shape, truth)
    capture = np.full((shape[0] + 2 * margin, shape[1] + 2 * margin), 0.5)
    capture[:2] = capture[-2:] = capture[:, :2] = capture[:, -2:] = 9.0
    # Only what is far from the true mask was spoiled: the spline's tails of the spoiled rim are tiny.
    np.testing.assert_allclose(true_mask(capture, (margin, margin), shape, truth), 0.5, atol=0.05)
    assert margin <= 12


def test_the_same_seed_gives_the_same_snapshot_and_another_seed_other_noise() -> None:
    nm = default_wavelengths(3)
    scene, capture = make_scene("leaves", (32, 40), nm, 1), make_mask("binary", (48, 56), seed=1)
    first, again, other = (
        simulate_rig(scene, capture, Dispersion.constant(3, 2.0), Misalignment(dx=1.0), seed=s).measurement for s in (5, 5, 6)
    )
    assert np.array_equal(first, again)
    assert 0 < np.abs(first - other).max() < 0.1
    assert first.shape == (32, 44)


def test_a_capture_that_is_too_small_is_refused_with_the_needed_margin() -> None:
    scene = make_scene("leaves", (32, 40), default_wavelengths(2), 1)
    with pytest.raises(ConfigError, match=r"margin of 4 px"):
        simulate_rig(scene, make_mask("binary", (30, 40)), Dispersion.constant(2, 2.0), Misalignment())


@pytest.mark.parametrize("kind", SCENE_KINDS)
def test_a_scene_does_not_depend_on_the_number_of_bands(kind: str) -> None:
    nm = default_wavelengths(9)
    many, few = make_scene(kind, (48, 64), nm, 4), make_scene(kind, (48, 64), nm[::4], 4)
    assert many.shape == (9, 48, 64) and many.dtype == np.float32
    assert many.min() >= 0 and many.max() <= 1
    np.testing.assert_array_equal(many[::4], few)
    assert not np.array_equal(make_scene(kind, (48, 64), nm, 5), many)
    assert many.std() > 0.1  # contrast, in space and along the spectrum
    assert np.abs(np.diff(many, axis=0)).max() > 0.02


@pytest.mark.parametrize("kind", MASK_KINDS)
def test_a_mask_has_the_asked_open_share_and_feature_size(kind: str) -> None:
    mask = make_mask(kind, (128, 96), feature_px=4.0, open_fraction=0.3, blur_px=0.5, seed=2)
    assert mask.shape == (128, 96) and mask.dtype == np.float32
    open_share = float((mask > 0.4).mean())
    assert open_share == pytest.approx(0.3, abs=0.05)
    blocks = mask.reshape(32, 4, 24, 4)
    inside = blocks.std(axis=(1, 3)).mean()
    assert inside < 0.12 * mask.std() if kind == "binary" else inside < 0.6 * mask.std()
    assert set(np.unique(mask)) == {0.0, 1.0} if kind == "binary" else np.unique(mask).size > 1000


def test_elements_of_broken_size_hold_their_open_area() -> None:
    mask = make_mask("binary", (60, 60), feature_px=2.5, seed=0)
    assert set(np.unique(mask * 16).tolist()) <= set(range(17))
    assert np.unique(mask).size > 2


@pytest.mark.parametrize(
    "options", [{"feature_px": 0.1}, {"open_fraction": 1.0}, {"blur_px": -1.0}, {"feature_px": 40.0}, {"kind": "none"}]
)
def test_impossible_masks_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        make_mask(**{"kind": "binary", "shape": (60, 60), **options})  # type: ignore[arg-type]


def test_the_camera_adds_what_it_says() -> None:
    light = np.linspace(0, 1, 200 * 200).reshape(200, 200)
    rng = np.random.default_rng(0)
    plain = QUIET.expose(light, rng)
    np.testing.assert_allclose(plain, light * 0.9 / np.quantile(light, 0.999), atol=1e-6)
    noisy = Camera(exposure=0.8, full_well_e=1000.0, read_e=4.0, bits=10, pedestal_dn=50.0).expose(light, rng)
    np.testing.assert_allclose(noisy * 1023, np.rint(noisy * 1023), atol=1e-3)  # whole grey levels
    middle = noisy[95:105] - 50 / 1023
    expected = 0.8 * light[95:105] / np.quantile(light, 0.999)
    assert middle.mean() == pytest.approx(expected.mean(), abs=0.002)
    electrons = (middle - expected) * 1000
    assert electrons.var() == pytest.approx(expected.mean() * 1000 + 16, rel=0.1)
    assert (Camera(exposure=2.0).expose(light, rng) == 1).mean() == pytest.approx(0.5, abs=0.01)
    hot = Camera(hot_pixels=7).expose(np.append(np.zeros(999), 1e-9).reshape(10, 100), rng)
    assert (hot > 0.8).sum() in (7, 8)


@pytest.mark.parametrize(
    "wrong", [{"bits": 1}, {"exposure": 0.0}, {"read_e": -1.0}, {"full_well_e": 0.0}, {"pedestal_dn": 1e9}]
)
def test_impossible_cameras_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="camera: "):
        Camera(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "tolerance"), [("pub_ideal_01", 0.02), ("pub_rig_03", 0.04), ("pub_hard_02", 0.03)])
def test_the_light_equals_that_of_an_independent_simulator(
    independent_simulator: ModuleType, data_dir: Path, name: str, tolerance: float
) -> None:
    """That one multiplies mask and scene on a grid three times finer, disperses the product and integrates it over the pixels."""
    reference = independent_simulator
    cases = json.loads((data_dir.parent / "tools" / "public_cases.json").read_text())["cases"]
    case = next(c for c in cases if c["name"] == name)
    n, size, margin, origin = 7, 96, 24, tuple(case["mask_origin"])
    scene = reference.load_cube(data_dir / case["scene"], n)[:, :size, :size]
    fine = reference.real_mask(data_dir / case["mask"], origin, (size, size), margin)
    capture = reference.integrate(fine)
    parts = int(case.get("subbands", 1))
    optics = {"psf_px": float(case.get("psf_px", 0.0)), "subbands": parts}
    expected = reference.expose(scene, fine, margin, case["truth"], optics, case["step_px"])
    truth = Misalignment.of({**case["truth"], "psf": case.get("psf_px", 0.0)})
    light = expose(scene, capture, (margin, margin), Dispersion.constant(n, case["step_px"]), truth, parts)
    # At the very edge of the field that one rings and this one counts shares of pixels.
    inner = (slice(2, -2), slice(2, -2))
    error = np.sqrt(np.mean((light - expected)[inner] ** 2)) / np.sqrt(np.mean(expected[inner] ** 2))
    assert error < tolerance
