"""From older session files to the present layout, one step a version; each works on a copy in memory."""

from __future__ import annotations

from collections.abc import Callable
from uuid import NAMESPACE_URL, uuid5

import h5py

from cassi_core.io.session.codec import COUNT, LAYOUT, TABLE
from cassi_core.io.session.leaves import to_text, write_attribute, write_values


def _from_0(file: h5py.File) -> None:
    """Version 0 (trial versions): times in milliseconds, points without names, runs that only their session knew apart."""
    for run in file["runs"].values():
        table = run["result/table"]
        milliseconds = table["elapsed_ms"][()]
        del table["elapsed_ms"]
        table["elapsed_s"] = milliseconds / 1000.0
        name = f"{to_text(run.attrs['when'])} {int(run.attrs['id'])}"
        write_attribute(run, "uid", uuid5(NAMESPACE_URL, name).hex, str)
    places = file["points"][()]
    del file["points"]
    points = file.create_group("points")
    points.attrs[LAYOUT], points.attrs[COUNT] = TABLE, len(places)
    for name, values in (("row", places[:, 0]), ("col", places[:, 1]), ("colour", range(len(places)))):
        write_values(points, name, [int(v) for v in values], int, (len(places),))
    write_values(points, "label", [f"P{i + 1}" for i in range(len(places))], str, (len(places),))
    file.move("configuration", "config")


MIGRATIONS: dict[int, Callable[[h5py.File], None]] = {0: _from_0}
"""Version and the step that leads to the next one."""
