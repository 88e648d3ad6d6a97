"""A verification as a document: what `--json` prints and scripts read."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from cassi_core.inputs import CalibrationInputs
from cassi_core.io.calibration_file import StoredCalibration
from cassi_core.verification.result import Movement, Verification
from cassi_core.verification.words import headline

FORMAT, VERSION = "cassi-verification", 1


def verification_document(found: Verification, stored: StoredCalibration, inputs: CalibrationInputs) -> dict[str, Any]:
    """The verification in the types of JSON; what is not known is null."""
    parameters = {
        c.name: {
            "old": c.old,
            "old_sigma": c.old_sigma,
            "new": c.new,
            "new_sigma": c.new_sigma,
            "change": c.change,
            "sigma": c.sigma,
            "in_sigmas": c.significance,
            "allowed": c.allowed,
            "told": c.told,
            "unit": c.unit,
        }
        for c in found.changes
    }
    return {
        "format": FORMAT,
        "version": VERSION,
        "state": found.state,
        "headline": headline(found),
        "reasons": list(found.reasons),
        "calibration": {
            "path": str(stored.path),
            "calibrated": None if stored.calibrated is None else stored.calibrated.isoformat(timespec="seconds"),
        },
        "inputs": [asdict(frame.source) for frame in inputs.frames],
        "mask": asdict(inputs.mask_source),
        "parameters": parameters,
        "moved": {
            "across": _movement(found.across),
            "pattern": _movement(found.pattern),
            "common": _movement(found.common),
            "limit_px": found.limit_px,
        },
        "chi_square": found.chi_square,
        "degrees_of_freedom": found.degrees,
        "probability": found.probability,
        "peak_z": found.peak_z,
        "evidence": found.evidence,
        "seconds": found.seconds,
    }


def _movement(moved: Movement | None) -> dict[str, float] | None:
    return None if moved is None else asdict(moved)
