"""What is wrong with inputs is found, placed and graded; good inputs give no findings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage as ndi

from cassi_core.dispersion import Dispersion
from cassi_core.inputs import CalibrationInputs, Frame
from cassi_core.io.inputs_from_files import load_inputs
from cassi_core.quality.findings import Finding, find_problems, fullest_block

H, W, L, STEP = 64, 72, 8, 2


def snapshot(*, noise: float = 0.003, seed: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """A measurement and its mask by the forward model's definition: the sum of the shifted coded bands."""
    rng = np.random.default_rng(seed)
    mask = (rng.random((H, W)) > 0.5).astype(np.float32)
    texture = ndi.gaussian_filter(rng.random((H, W)), 3)
    scene = (texture - texture.min()) / np.ptp(texture)
    y = np.zeros((H, W + STEP * (L - 1)))
    for band in range(L):
        y[:, band * STEP : band * STEP + W] += mask * scene * np.sin(np.pi * (band + 0.5) / L)
    y = y / y.max() + noise * rng.standard_normal(y.shape)
    return np.clip(y, 0, None).astype(np.float32), mask


def inputs_of(y: np.ndarray, mask: np.ndarray, *, usable: np.ndarray | None = None, bands: int = L) -> CalibrationInputs:
    frame = Frame(y.astype(np.float32), usable=usable)
    return CalibrationInputs((frame,), mask.astype(np.float32), Dispersion.constant(bands, STEP))


def codes(inputs: CalibrationInputs) -> dict[str, Finding]:
    return {finding.code: finding for finding in find_problems(inputs)}


def test_good_inputs_give_no_findings():
    assert find_problems(inputs_of(*snapshot())) == ()


def test_saturation_is_counted_graded_and_placed():
    y, mask = snapshot()
    usable = np.ones(y.shape, bool)
    usable[50:54, 10:13] = False
    y[50:54, 10:13] = y.max()
    found = codes(inputs_of(y, mask, usable=usable))["saturation"]
    assert found.value == pytest.approx(12 / y.size) and found.severity == "info" and "12 pixels" in found.text
    row0, col0, row1, col1 = found.place
    assert row0 <= 50 < row1 and col0 <= 10 < col1, "rows and columns of the place are not swapped"
    usable[:20] = False
    y[:20] = y.max()
    assert codes(inputs_of(y, mask, usable=usable))["saturation"].severity == "error"


def test_a_clipped_picture_from_memory_is_saturated_too():
    y, mask = snapshot()
    clipped = np.minimum(y, 0.4)
    found = codes(inputs_of(clipped, mask))["saturation"]
    assert found.value == pytest.approx(np.mean(y >= 0.4)) and found.severity == "warning"


def test_pixels_lost_in_the_dark_or_flat_frame_are_told_apart_from_saturation():
    y, mask = snapshot()
    usable = np.ones(y.shape, bool)
    usable[5, 6] = False
    y[5, 6] = 0
    found = codes(inputs_of(y, mask, usable=usable))
    assert set(found) == {"lost"} and "1 pixels" in found["lost"].text


@pytest.mark.parametrize(("level", "severity"), [(0.01, "info"), (0.2, "warning")])
def test_a_background_level_is_measured(level: float, severity: str):
    y, mask = snapshot()
    found = codes(inputs_of(y + level, mask))["pedestal"]
    top = np.quantile(y + level, 0.999)
    assert found.value == pytest.approx(level / top, rel=0.25) and found.severity == severity


def test_the_background_is_looked_for_where_the_bands_end_in_every_direction():
    y, mask = snapshot()
    turned = CalibrationInputs((Frame(y.T.copy()),), mask.T.copy(), Dispersion.constant(L, STEP, direction="down"))
    assert find_problems(turned) == ()
    lifted = replace(turned, frames=(Frame(y.T + np.float32(0.01)),))
    assert codes(lifted)["pedestal"].place == (0, 0, 2, H)


def test_hot_pixels_are_counted_and_placed():
    y, mask = snapshot()
    for row, col in ((3, 80), (4, 84), (40, 10)):
        y[row, col] = 1.2
    found = codes(inputs_of(y, mask))["hot_pixels"]
    assert found.value == 3 and found.severity == "warning"
    row0, col0, row1, col1 = found.place
    assert row0 <= 3 < row1 and col0 <= 80 < col1


def test_little_light_and_few_levels_are_told():
    y, mask = snapshot(noise=0.0)
    assert codes(inputs_of(np.round(y * 20), mask))["few_levels"].value <= 21
    dark = y * 0.001
    dark[:8, :8] += y[:8, :8]
    found = codes(inputs_of(dark, mask))["dark_scene"]
    assert found.value > 0.9 and found.place[0] == 0 and found.place[1] == 0


def test_low_contrast_is_told():
    y, mask = snapshot()
    found = codes(inputs_of(0.05 * y + 1, mask))
    assert found["low_contrast"].value < 0.1 and found["pedestal"].severity == "warning"


def test_a_mask_without_contrast_or_nearly_closed_or_open_is_told():
    y, mask = snapshot()
    assert codes(inputs_of(y, 0.5 + 0.1 * mask))["mask_contrast"].value == pytest.approx(0.1 / 1.1, rel=0.01)
    sparse = np.zeros_like(mask)
    sparse[::8, ::8] = 1
    assert "closed" in codes(inputs_of(y, sparse))["mask_open"].title
    assert "open" in codes(inputs_of(y, 1 - 0.9 * sparse))["mask_open"].title


@pytest.mark.parametrize(("bands", "words"), [(L + 2, "4 fewer columns"), (L - 3, "6 more columns")])
def test_a_width_that_does_not_fit_the_travel_is_told(bands: int, words: str):
    found = codes(inputs_of(*snapshot(), bands=bands))["width"]
    assert words in found.text and found.value == 14 and found.threshold == STEP * (bands - 1)


def test_findings_are_sorted_by_gravity_and_name_their_frame():
    y, mask = snapshot()
    bad = y.copy()
    bad[:30] = bad.max()
    inputs = CalibrationInputs((Frame(y + np.float32(0.01)), Frame(bad)), mask, Dispersion.constant(L, STEP))
    found = find_problems(inputs)
    assert found[0].code == "saturation" and found[0].frame == 1 and found[0].severity == "error"
    assert any(f.code == "pedestal" and f.frame == 0 for f in found)


def test_the_fullest_block_of_an_odd_sized_picture():
    flags = np.zeros((13, 29), bool)
    flags[12, 0:3] = True
    row0, col0, row1, col1 = fullest_block(flags)
    assert row1 == 13 and col0 == 0 and row0 <= 12 and flags[row0:row1, col0:col1].sum() == 3


def test_real_frames_show_their_background_and_no_false_alarms(data_dir: Path):
    for name, rig in (("tsa_net_real_scene1_legoplant", "tsa_net"), ("smem_fern_root", "smem")):
        inputs = load_inputs([data_dir / "measurements" / f"{name}.npz"], mask=data_dir / "masks" / f"{rig}_real_mask_660.npz")
        found = codes(inputs)
        assert set(found) == ({"pedestal", "saturation"} if rig == "tsa_net" else {"pedestal"})
        assert 0.01 < found["pedestal"].value < 0.02
