"""Tables of numbers however they are written: separators, decimal marks, headings, comments, encodings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cassi_core.errors import InputError
from cassi_core.io.dispersion_from_files import read_dispersion_table
from cassi_core.io.text_tables import read_text_table
from cassi_core.io.wavelengths import read_band_wavelengths

many = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
SEPARATORS = {";": ",.", "\t": ",.", ",": ".", " ": ",.", "; ": ",.", ", ": "."}
"""Separator and the decimal marks that can stand beside it."""


@many
@given(
    st.lists(st.tuples(st.floats(300, 900), st.floats(0.25, 90)), min_size=2, max_size=6),
    st.sampled_from([(s, mark) for s, marks in SEPARATORS.items() for mark in marks]),
    st.sampled_from(
        ["", "wavelength_nm{0}offset_px\n", '"Wavelength [nm]"{0}"Shift [px]"\n', "# made by a person, 1,5 m away\n\n"]
    ),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_every_way_to_write_a_table_gives_the_same_numbers(tmp_path: Path, rows, style, heading: str, end: str, encoding: str):
    separator, mark = style
    if separator == " " and "[" in heading:
        return  # a name with a blank in it cannot stand between blanks
    lines = [separator.join(repr(value).replace(".", mark) for value in row) for row in rows]
    text = heading.format(separator) + "\n".join(lines) + "\n# end\n"
    (tmp_path / "t.csv").write_bytes(text.replace("\n", end).encode(encoding))
    table = read_dispersion_table(tmp_path / "t.csv")
    np.testing.assert_array_equal(table.wavelengths_nm, [nm for nm, _ in rows])
    np.testing.assert_array_equal(table.offsets_px, [px for _, px in rows])


@pytest.mark.parametrize(
    ("text", "offsets", "nm", "sigma"),
    [
        ("offset_px;wavelength_nm\n1,5;450\n3;460\n", [1.5, 3], [450, 460], None),
        ("band\tshift (px)\tlambda (nm)\n0\t0\t450\n1\t2,25\t460\n", [0, 2.25], [450, 460], None),
        ("band,wavelength_um,sigma_px,offset_px,file\n", None, None, None),
        ("band,wavelength_um,sigma_px,offset_px,note\n0,0.45,0.1,0,1\n1,0.46,0.2,2,1\n", [0, 2], [450, 460], [0.1, 0.2]),
        ("Offset\n0,5\n1,25\n", [0.5, 1.25], None, None),
        ("pixel nm\n0 450,5\n2 460,5\n", [0, 2], [450.5, 460.5], None),
        ("450 0\n460 2\n", [0, 2], [450, 460], None),
        ("µm;px\n0,45;0\n0,46;2\n".encode("cp1252"), [0, 2], [450, 460], None),
    ],
)
def test_columns_are_found_by_their_names(tmp_path: Path, text, offsets, nm, sigma):
    path = tmp_path / "t.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    if offsets is None:
        with pytest.raises(InputError, match="holds no numbers"):
            read_dispersion_table(path)
        return
    table = read_dispersion_table(path)
    np.testing.assert_allclose(table.offsets_px, offsets, rtol=1e-12)
    assert table.wavelengths_nm is None if nm is None else np.allclose(table.wavelengths_nm, nm, rtol=1e-12)
    assert table.sigma_px is None if sigma is None else table.sigma_px.tolist() == sigma


def test_a_table_of_wavelengths_is_no_dispersion(tmp_path: Path):
    (tmp_path / "w.txt").write_text("wavelength_nm\n450\n460\n")
    with pytest.raises(InputError, match="holds wavelengths and no offsets"):
        read_dispersion_table(tmp_path / "w.txt")
    np.testing.assert_array_equal(read_band_wavelengths(tmp_path / "w.txt"), [450, 460])


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("w.csv", "0.45\n0.46\n", "nanometres are needed"),
        ("w.csv", "450\n450\n", "neither rise nor fall"),
        ("w.csv", "", "holds no numbers"),
        ("w.csv", "450\n460;1\nx\n", "line 2 has 2 columns"),
        ("w.npy", None, "holds no wavelengths"),
    ],
)
def test_bad_tables_of_wavelengths_are_refused_in_words(tmp_path: Path, name: str, text: str | None, words: str):
    if text is None:
        np.save(tmp_path / name, np.ones((9, 9)))
    else:
        (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=words):
        read_band_wavelengths(tmp_path / name)


def test_wavelengths_come_from_a_cube_too(tmp_path: Path):
    np.savez(tmp_path / "c.npz", cube=np.ones((2, 9, 9)), wavelengths_nm=[450.0, 460.0])
    np.testing.assert_array_equal(read_band_wavelengths(tmp_path / "c.npz"), [450, 460])


def test_binary_files_are_no_tables(tmp_path: Path):
    (tmp_path / "t.csv").write_bytes(bytes(range(256)))
    with pytest.raises(InputError, match="cannot be read as text"):
        read_text_table(tmp_path / "t.csv", "table")
