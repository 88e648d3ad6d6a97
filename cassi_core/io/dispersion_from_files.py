"""The nominal dispersion of a rig from options, metadata, a table or the widths of measurement and mask."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cassi_core.dispersion import Direction, Dispersion, DispersionMode
from cassi_core.errors import InputError
from cassi_core.io.readers import Metadata
from cassi_core.io.text_tables import TextTable, read_text_table
from cassi_core.io.wavelengths import WORDS as WAVELENGTH_WORDS
from cassi_core.io.wavelengths import wavelengths_of
from cassi_core.parameters import SPECS


@dataclass(frozen=True, eq=False)
class DispersionTable:
    """A table of cumulative offsets `(L,)` in pixels, with wavelengths `(L,)` in nm and standard errors `(L,)` in pixels (None: not given).

    `measured` holds what a measured table says about the rig beside its offsets: (value, standard error) by parameter name.
    """

    offsets_px: NDArray[np.float64]
    wavelengths_nm: NDArray[np.float64] | None = None
    sigma_px: NDArray[np.float64] | None = None
    measured: Mapping[str, tuple[float, float]] = field(default_factory=dict)


def read_dispersion_csv(path: str | Path) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Cumulative offsets `(L,)` in pixels and wavelengths `(L,)` in nm (None: not given) of :func:`read_dispersion_table`."""
    table = read_dispersion_table(path)
    return table.offsets_px, table.wavelengths_nm


def read_dispersion_table(path: str | Path) -> DispersionTable:
    """A table of offsets from a text file (:mod:`cassi_core.io.text_tables`: separators, decimal marks, heading, comments).

    One offset per line, two columns `wavelength_nm, offset_px`, or three with the standard error of the offset; where a heading names
    a column of wavelengths and one of offsets (shifts, positions in px), they may stand in any order among others. Comments like
    `# alpha = 0.31 +- 0.01 deg` are taken as `measured`.

    Raises
    ------
    InputError
        The file cannot be read, a line holds something else, or lines have different numbers of columns.
    """
    table = read_text_table(path, "dispersion table")
    measured: dict[str, tuple[float, float]] = {}
    for comment in table.comments:
        measured.update(_measured(comment))
    wavelength, offset, sigma = _columns(table)
    rows = np.array([row.values for row in table.rows], np.float64)
    if sigma is not None and (rows[:, sigma] < 0).any():
        wrong = table.rows[int(np.argmax(rows[:, sigma] < 0))]
        raise InputError(
            f"{path}: line {wrong.line} says a standard error of {wrong.values[sigma]:g} px; it cannot be negative"
        )
    return DispersionTable(
        rows[:, offset],
        None if wavelength is None else wavelengths_of(table) if table.names else rows[:, wavelength],
        None if sigma is None else rows[:, sigma],
        measured,
    )


def _columns(table: TextTable) -> tuple[int | None, int, int | None]:
    """The columns of wavelengths, offsets and standard errors: by their names, otherwise in this order."""
    wavelength, sigma = table.column(*WAVELENGTH_WORDS), table.column("sigma", "error", "uncert", "std")
    offset = table.column("offset", "shift", "s_nom", "displace", "travel", "position")
    if offset is None:
        offset = next((i for i, name in enumerate(table.names) if i != sigma and re.search(r"px|pixel", name.lower())), None)
    count = len(table.rows[0].values)
    if offset is not None and len({wavelength, offset, sigma}) == 3 - (wavelength is None and sigma is None):
        return wavelength, offset, sigma
    if wavelength is not None and offset is None and (count == 1 or sigma is not None):
        raise InputError(f"{table.path}: the table holds wavelengths and no offsets; give it as wavelengths (--wavelengths)")
    if count > 3:
        first = table.rows[0]
        raise InputError(
            f"{table.path}: line {first.line} is {first.text!r}; one offset, or wavelength_nm and offset_px (and sigma_px), is needed; "
            "or a heading with these names"
        )
    return (0 if count > 1 else None), min(count - 1, 1), (2 if count > 2 else None)


_MEASURED = re.compile(r"(\w+)\s*=\s*([-+.\deE]+)\s*\+-\s*([.\deE+-]+)")


def _measured(line: str) -> dict[str, tuple[float, float]]:
    """`NAME = VALUE +- SIGMA UNIT` for a parameter of the calibration; nothing for any other comment."""
    match = _MEASURED.match(line.strip())
    if match is None or match[1] not in SPECS:
        return {}
    try:
        value, sigma = float(match[2]), float(match[3])
    except ValueError:
        return {}
    return {match[1]: (value, sigma)} if np.isfinite([value, sigma]).all() else {}


def choose_dispersion(
    metadata: Metadata,
    travel_px: int,
    *,
    bands: int | None = None,
    step: float | None = None,
    mask_offsets: NDArray[np.float64] | None = None,
    direction: Direction = "right",
    mode: DispersionMode = "interpolated",
    name: str = "measurement",
) -> Dispersion:
    """The nominal dispersion: options before metadata, metadata before a 3-dimensional mask, that before the widths.

    The widths tell one of bands and step from the other: ``travel_px = W_measurement - W_mask = round(step*(L-1))``.

    Raises
    ------
    InputError
        The number of bands or the step cannot be told; the message says which option to give.
    """
    wavelengths = metadata.wavelengths_nm
    said = bands is not None or step is not None or metadata.n_bands is not None or metadata.step_px is not None
    if mask_offsets is not None and not said:
        return Dispersion(mask_offsets, direction, mode, _matching(wavelengths, len(mask_offsets)))
    n = bands if bands is not None else metadata.n_bands
    if n is None and wavelengths is not None:
        n = len(wavelengths)
    if n is None and mask_offsets is not None:
        n = len(mask_offsets)
    pixels = step if step is not None else metadata.step_px
    if n is None and pixels is None:
        raise InputError(f"{name}: the file does not say how many bands it holds; give --bands (and --step in px per band)")
    if pixels is not None and not (np.isfinite(pixels) and pixels > 0):
        raise InputError(f"a dispersion step of {pixels:g} px; it must be positive (--step; use --direction for left or up)")
    if n is None and pixels is not None:
        n = _bands_from_widths(travel_px, pixels, name)
    if n is None or n < 1:
        raise InputError(f"{n} bands; a measurement has at least one (--bands)")
    if pixels is None:
        pixels = _step_from_widths(travel_px, n, name)
    return Dispersion.constant(
        n, pixels, direction=direction, mode=mode, wavelengths_nm=_matching(wavelengths, n, strict=bands is None)
    )


def _bands_from_widths(travel_px: int, step: float, name: str) -> int:
    n = round(travel_px / step) + 1
    if round(step * (n - 1)) != travel_px:
        raise InputError(
            f"{name}: the measurement is {travel_px} px wider than the mask, which is no whole number of steps of {step:g} px; "
            "give --bands"
        )
    return n


def _step_from_widths(travel_px: int, n: int, name: str) -> float:
    if n == 1:
        return 1.0
    if travel_px <= 0:
        raise InputError(
            f"{name}: the measurement is as wide as the mask, so the dispersion step cannot be told from the widths; "
            "give --step in px per band"
        )
    return travel_px / (n - 1)


def _matching(wavelengths: NDArray[np.float64] | None, n: int, *, strict: bool = True) -> NDArray[np.float64] | None:
    """The wavelengths of a file unless the user said that it has another number of bands."""
    return wavelengths if wavelengths is None or len(wavelengths) == n or strict else None
