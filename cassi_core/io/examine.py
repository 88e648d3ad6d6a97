"""A look at files for the slots that they were given to: facts, thumbnail, arrays to choose from, or why they cannot be used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cassi_core.errors import InputError
from cassi_core.io.dispersion_from_files import read_dispersion_csv
from cassi_core.io.overview import Assignment, Overview, overview, sort_files
from cassi_core.io.readers import ArrayInfo, list_arrays, split_spec
from cassi_core.io.readers.formats import holds_raw_numbers
from cassi_core.io.text_tables import read_text_table
from cassi_core.io.wavelengths import TEXT_SUFFIXES, read_band_wavelengths

OTHER = {"measurement": "mask", "mask": "measurement"}
"""The two roles whose pictures are taken for each other."""


@dataclass(frozen=True, eq=False)
class Examined:
    """A file looked at for a role: facts in words and a thumbnail; arrays to choose from; or why it cannot be used.

    `raw_bytes` is the size of a file of raw numbers whose layout has to be asked for (0: it is none). `pictures` counts the pictures of a
    stack. `seen` has the numbers behind the facts of a picture.
    """

    spec: str
    role: str
    reason: str = ""
    facts: str = ""
    thumbnail: NDArray[np.uint8] | None = None
    arrays: tuple[ArrayInfo, ...] = ()
    problem: str = ""
    raw_bytes: int = 0
    pictures: int = 1
    seen: Overview | None = None


def examine(specs: Sequence[str], role: str = "") -> tuple[Examined, ...]:
    """Look at files for a role (measurement, mask, dark, flat, cube, bad-pixel map, dispersion or wavelengths), or sort them when no role is given.

    A file that holds several fitting arrays without telling names comes back with `arrays` filled, to be asked about. A mask given as the
    measurement, or a snapshot given as the mask, comes back with the role that it has by its content.
    """
    assigned = sort_files(specs) if not role else [Assignment(s, role, "") for s in specs]
    return tuple(_examine_one(a) for a in assigned)


def _examine_one(assignment: Assignment) -> Examined:
    """As what it was given or, where that is wrong beyond doubt, as what it looks like."""
    item = _examine_as(assignment)
    other = OTHER.get(item.role)
    if other is None or item.arrays or item.raw_bytes or (item.seen is not None and item.seen.looks != other):
        return item
    moved = _examine_as(replace(assignment, role=other, reason=f"it looks like a {other}"))
    return moved if moved.seen is not None and moved.seen.looks == other else item


def _examine_as(assignment: Assignment) -> Examined:
    spec, role = assignment.spec, assignment.role
    if not split_spec(spec)[1] and holds_raw_numbers(split_spec(spec)[0]):
        return Examined(spec, role, raw_bytes=split_spec(spec)[0].stat().st_size)
    if not role:
        return Examined(spec, "", problem=assignment.reason)
    try:
        if role == "dispersion":
            offsets, wavelengths = read_dispersion_csv(spec)
            nm = "" if wavelengths is None else f", {wavelengths[0]:g} … {wavelengths[-1]:g} nm"
            facts = f"{len(offsets)} offsets, {offsets[0]:g} … {offsets[-1]:g} px{nm}"
            return Examined(spec, role, assignment.reason, facts)
        if role == "wavelengths":
            centres = read_band_wavelengths(split_spec(spec)[0])
            facts = f"{len(centres)} bands, {centres[0]:g} … {centres[-1]:g} nm"
            return Examined(spec, role, assignment.reason, facts)
        if role == "bad-pixel map" and split_spec(spec)[0].suffix.lower() in TEXT_SUFFIXES:
            count = len(read_text_table(spec, "list of bad pixels").rows)
            return Examined(spec, role, assignment.reason, f"{count} bad pixels")
        seen = overview(spec, role)  # type: ignore[arg-type]
        return Examined(spec, role, assignment.reason, seen.words(), seen.thumbnail, pictures=seen.pictures, seen=seen)
    except InputError as error:
        path, key = split_spec(spec)
        several = () if key else _pictures_inside(path)
        if len(several) > 1:
            return Examined(spec, role, assignment.reason, arrays=several)
        return Examined(spec, role, problem=str(error))


def _pictures_inside(path: Path) -> tuple[ArrayInfo, ...]:
    try:
        return tuple(a for a in list_arrays(path) if a.usable and len([n for n in a.shape if n > 1]) >= 2)
    except InputError:
        return ()
