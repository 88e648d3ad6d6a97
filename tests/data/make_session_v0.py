"""How `session-v0.cassi.h5` was made: a session of format 1, taken back to what the trial versions wrote (format 0).

The file is kept as it is: run this only to see what is in it (`python -m tests.data.make_session_v0`; it
needs a program that writes format 1).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import h5py
import numpy as np

from cassi_core.config import CalibrationConfig
from cassi_core.io.session import VERSION, write_session
from cassi_core.session import RunRecord
from tests.core.session_samples import BANDS, HEIGHT, WIDTH, inputs, maps, result, session

HERE = Path(__file__).parent


def main() -> None:
    """Write the file beside this script."""
    assert VERSION == 1
    base = result()
    cube = np.arange(BANDS * HEIGHT * WIDTH).reshape(BANDS, HEIGHT, WIDTH).astype(np.float32)
    band, row, col = np.indices(cube.shape)
    cube[...] = 1000 * band + 100 * row + col
    fitted = base.parameters.edit("dx", value=0.75, sigma=0.0625)
    rows = tuple(replace(r, elapsed_s=t) for r, t in zip(base.table, (0.0, 0.125, 0.25), strict=False))
    made = replace(base, parameters=fitted, table=rows, maps=replace(maps(), cube_after=cube))
    run = RunRecord(3, "Run 3 (auto)", made, datetime(2026, 9, 1, 10, 30), "of a trial version", True)
    saved = session(
        inputs=inputs(frames=1),
        runs=(run,),
        accepted_id=3,
        current_id=3,
        rejected_ids=frozenset(),
        config=CalibrationConfig(seed=5),
    )
    path = write_session(saved, HERE / "session-v0.cassi.h5")
    with h5py.File(path, "r+") as file:
        file.attrs["version"] = 0
        file.attrs["program"] = "0.0.3"
        group = file["runs/run_003"]
        del group.attrs["uid"]
        table = group["result/table"]
        table["elapsed_ms"] = table["elapsed_s"][()] * 1000
        del table["elapsed_s"]
        points = np.stack([file["points/row"][()], file["points/col"][()]], axis=1)
        del file["points"]
        file["points"] = points
        file.move("config", "configuration")


if __name__ == "__main__":
    main()
