"""A calibration among the files that a person brings is recognised by what it says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from cassi_gui.inputs.calibrations import is_calibration


def test_a_calibration_is_known_by_its_content_and_nothing_else_is(tmp_path: Path) -> None:
    calibration, other, picture = (tmp_path / name for name in ("today.txt", "settings.cassi.json", "meas.npy"))
    calibration.write_text(json.dumps({"format": "cassi-calibration", "version": 1}, indent=1))
    other.write_text(json.dumps({"note": '"format": "cassi-calibration"'}))
    np.save(picture, np.ones((8, 8), np.float32))
    assert is_calibration(calibration)
    assert not any(is_calibration(path) for path in (other, picture, tmp_path, tmp_path / "absent.cassi.json"))
