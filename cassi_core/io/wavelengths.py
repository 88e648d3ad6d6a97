"""Band centres in nanometres from a text table or from a file that carries them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cassi_core.errors import InputError
from cassi_core.io.readers import read_metadata
from cassi_core.io.text_tables import TextTable, read_text_table

SHORTEST_NM, LONGEST_NM = 100.0, 30_000.0
WORDS = ("wave", "lambda", "λ", "nm", "micro", "µm", "um")
"""What a column of wavelengths is called."""
TEXT_SUFFIXES = frozenset({".csv", ".txt", ".tsv"})


def read_band_wavelengths(path: str | Path) -> NDArray[np.float64]:
    """Wavelengths `(L,)` in nm, ascending or descending, one a band.

    A table (`.csv`, `.txt`) has one column, a column named after wavelengths, or begins with them; any other file gives its
    `wavelengths_nm` (an ENVI header its `wavelength`).

    Raises
    ------
    InputError
        The file cannot be read or holds no wavelengths.
    """
    path = Path(path)
    if path.suffix.lower() in TEXT_SUFFIXES or not path.is_file():
        nm = wavelengths_of(read_text_table(path, "table of wavelengths"))
    else:
        found = read_metadata(path).wavelengths_nm
        if found is None:
            raise InputError(f"{path}: the file holds no wavelengths; give a table with one a line")
        nm = found
    if nm.min() < SHORTEST_NM or nm.max() > LONGEST_NM:
        raise InputError(f"{path}: wavelengths from {nm.min():g} to {nm.max():g}; nanometres are needed")
    steps = np.diff(nm)
    if not (np.all(steps > 0) or np.all(steps < 0)):
        raise InputError(f"{path}: the wavelengths neither rise nor fall from band to band; sort them")
    return nm


def wavelengths_of(table: TextTable) -> NDArray[np.float64]:
    """The column of wavelengths of a table in nm: the named one, otherwise the first; a name with µm is understood."""
    column = table.column(*WORDS)
    name = "" if column is None else table.names[column].lower()
    values = np.array([row.values[column or 0] for row in table.rows], np.float64)
    return values * 1e3 if any(word in name for word in ("micro", "µm", "um")) else values
