"""What a session is made of besides results: the chosen files, picked points, and the history of runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

from cassi_core.parameters import ParameterSet
from cassi_core.result import CalibrationResult


@dataclass(frozen=True)
class FileSelection:
    """What a person chose: paths (as `FILE` or `FILE::key`), how their pictures are read, and the nominal dispersion.

    `n_bands`, `step_px` are None while the file or the widths decide. `mask_turn` is (flip left-right, quarter turns
    counter-clockwise) applied to the mask after reading, `turn` the same for the camera's pictures. `picture`, `average`, `roi` and
    `saturation` are those of :class:`cassi_core.io.camera.CameraReading`; regions are written `ROW:ROW,COL:COL`, empty: everything.
    """

    measurements: tuple[str, ...] = ()
    mask: str = ""
    dark: str = ""
    flat: str = ""
    reference: str = ""
    dispersion_csv: str = ""
    n_bands: int | None = None
    step_px: float | None = None
    direction: str = "right"
    mode: str = "interpolated"
    mask_turn: tuple[bool, int] = (False, 0)
    demo: bool = False
    bad_pixels: str = ""
    wavelengths: str = ""
    picture: int | None = None
    average: str = ""
    roi: str = ""
    turn: tuple[bool, int] = (False, 0)
    mask_roi: str = ""
    saturation: float | None = None


@dataclass(frozen=True)
class PickedPoint:
    """A point of the scene whose spectrum is shown: mask pixel (row, col), a label, an index into the palette's series."""

    row: int
    col: int
    label: str
    colour: int


@dataclass(frozen=True)
class CutRun:
    """A run that had not ended when this was written: its preset, and the best values so far with their moment."""

    when: datetime
    preset: str
    parameters: ParameterSet


def new_uid() -> str:
    """A name that no other run has, in whichever session: 32 hexadecimal digits."""
    return uuid4().hex


@dataclass(frozen=True, eq=False)
class RunRecord:
    """A finished run in a session's history; `id` counts within the session, `uid` tells it from the runs of all others."""

    id: int
    name: str
    result: CalibrationResult
    when: datetime
    note: str = ""
    accepted: bool = False
    uid: str = field(default_factory=new_uid)
