"""The first look at files: facts, thumbnails, and which file is what."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cassi_core.errors import InputError
from cassi_core.io.examine import examine
from cassi_core.io.overview import describe, overview, sort_files, thumbnail


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def binary_mask(rng: np.random.Generator) -> np.ndarray:
    return (rng.random((48, 48)) < 0.5).astype(np.float32)


def picture(rng: np.random.Generator, width: int = 60) -> np.ndarray:
    """Grey values around a middle, modulated from pixel to pixel as behind a mask."""
    return (500 + 80 * rng.standard_normal((48, width))).clip(1).astype(np.uint16)


def test_files_without_telling_names_are_sorted_by_content(tmp_path: Path, rng: np.random.Generator) -> None:
    smooth = np.full((48, 60), 900.0) + np.linspace(0, 50, 60)
    for name, array in {"a": binary_mask(rng), "b": picture(rng), "c": picture(rng) // 40, "d": smooth}.items():
        np.save(tmp_path / f"{name}.npy", array)
    found = {Path(a.spec).stem: a for a in sort_files(sorted(tmp_path.iterdir()))}
    assert [found[k].role for k in "abcd"] == ["mask", "measurement", "dark", "flat"]
    assert "dark or bright" in found["a"].reason
    assert "darker" in found["c"].reason


def test_names_go_before_content(tmp_path: Path, rng: np.random.Generator) -> None:
    np.save(tmp_path / "dark_frame.npy", picture(rng))
    np.savez(tmp_path / "x1.npz", cube=rng.random((4, 16, 16)))
    np.savez(tmp_path / "x2.npz", mask=picture(rng))
    (tmp_path / "curve.csv").write_text("0\n1\n")
    roles = {Path(a.spec).name: a.role for a in sort_files(sorted(tmp_path.iterdir()))}
    assert roles == {"dark_frame.npy": "dark", "x1.npz": "cube", "x2.npz": "mask", "curve.csv": "dispersion"}


def test_a_picture_called_scene_is_no_cube(tmp_path: Path, rng: np.random.Generator) -> None:
    np.save(tmp_path / "scene1.npy", rng.gamma(2.0, size=(40, 50)))
    np.save(tmp_path / "scene2.npy", rng.random((40, 50, 6)))
    assert [a.role for a in sort_files([tmp_path / "scene1.npy", tmp_path / "scene2.npy"])] == ["measurement", "cube"]


def test_a_file_with_both_gives_both_unless_there_is_another_mask(tmp_path: Path, rng: np.random.Generator) -> None:
    both, other = tmp_path / "both.npz", tmp_path / "z.npy"
    np.savez(both, meas=picture(rng), mask=binary_mask(rng))
    np.save(other, binary_mask(rng))
    assert [(a.spec, a.role) for a in sort_files([both])] == [(str(both), "measurement"), (f"{both}::mask", "mask")]
    assert [(a.spec, a.role) for a in sort_files([both, other])] == [(str(both), "measurement"), (str(other), "mask")]


def test_unreadable_files_get_no_role_and_a_reason(tmp_path: Path) -> None:
    (tmp_path / "letter.docx").write_bytes(b"not a picture at all, only words")
    (answer,) = sort_files([tmp_path / "letter.docx"])
    assert answer.role == ""
    assert "letter.docx" in answer.reason
    (missing,) = sort_files([tmp_path / "nowhere.npy"])
    assert missing.role == "" and "no such file" in missing.reason


def test_facts_say_size_bits_range_and_saturation(tmp_path: Path) -> None:
    image = np.arange(40 * 50, dtype=np.uint16).reshape(40, 50)
    image[:2, :5] = 4095
    np.save(tmp_path / "y.npy", image)
    facts = overview(tmp_path / "y.npy", "measurement")
    assert (facts.shape, facts.bit_depth, facts.minimum, facts.maximum) == ((40, 50), 12, 5.0, 4095.0)
    assert facts.saturated == pytest.approx(10 / 2000)
    assert facts.words() == "40 × 50 px, uint16, 12 bits used, 5 … 4095, 0.5 % saturated"
    with pytest.raises(InputError, match=r"nowhere\.npy"):
        overview(tmp_path / "nowhere.npy", "mask")


def test_values_that_are_not_numbers_are_counted_and_left_out() -> None:
    image = np.ones((20, 20), np.float32)
    image[3, 4], image[5, 6], image[0, 0] = np.nan, np.inf, 7
    facts = describe(image, "y")
    assert (facts.not_finite, facts.maximum) == (2, 7.0)
    assert "2 values are not numbers" in facts.words()


def test_the_thumbnail_keeps_the_picture_upright_and_survives_a_hot_pixel() -> None:
    image = np.zeros((600, 300), np.float32)
    image[:300] = np.linspace(0, 1, 300)[None, :]
    image[599, 0] = 1e6
    small = thumbnail(image, 100)
    assert small.shape == (100, 50)
    assert small[10, 45] > 200 and small[10, 2] < 40, "brightness grows to the right"
    assert small[60:99, 5:].max() == 0, "the lower half is dark"


def test_a_thumbnail_is_not_blackened_by_a_blown_place() -> None:
    image = np.full((200, 200), 0.02, np.float32)
    image[:, 100:] = 0.04
    image[:40, :40] = 1.0
    small = thumbnail(image, 100)
    assert small[60, 80] > small[60, 20] + 40 and small[10, 10] == 255


def test_several_arrays_are_offered_and_problems_are_said(tmp_path: Path, rng: np.random.Generator) -> None:
    np.savez(tmp_path / "two.npz", left=picture(rng), right=picture(rng), note=np.array("text"))
    (tmp_path / "curve.csv").write_text("450, 0\n500, 2.5\n")
    (several,) = examine([str(tmp_path / "two.npz")], "measurement")
    assert [a.key for a in several.arrays] == ["left", "right"] and not several.problem
    (chosen,) = examine([f"{tmp_path / 'two.npz'}::right"], "measurement")
    assert chosen.facts.startswith("48 × 60 px") and chosen.thumbnail is not None
    (wrong,) = examine([f"{tmp_path / 'two.npz'}::note"], "mask")
    assert "text" in wrong.problem and not wrong.arrays
    (table,) = examine([str(tmp_path / "curve.csv")])
    assert (table.role, table.facts) == ("dispersion", "2 offsets, 0 … 2.5 px, 450 … 500 nm")
