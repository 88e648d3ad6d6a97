"""A session with every field filled, written down directly, and the comparison that finds any difference between two values."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from cassi_core.config import CalibrationConfig
from cassi_core.dispersion import Dispersion
from cassi_core.inputs import CalibrationInputs, Frame, Source
from cassi_core.io.session import Session
from cassi_core.parameters import PARAMETER_NAMES, ParameterSet
from cassi_core.quality.findings import Finding
from cassi_core.result import CalibrationResult, LocalShift, QualityMaps, Reason, Scores, Verdict
from cassi_core.run import GridScores, IterationRow, StageReport
from cassi_core.session import CutRun, FileSelection, PickedPoint, RunRecord

HEIGHT, WIDTH, BANDS, STEP = 11, 14, 3, 2
MEASURED = WIDTH + (BANDS - 1) * STEP
HASH = "ab" * 32


def differences(a: Any, b: Any, place: str = "") -> list[str]:
    """Where two values differ: types, bits of numbers and arrays, fields of records; all fields, whatever is added later."""
    if isinstance(a, np.ndarray):
        same = isinstance(b, np.ndarray) and (a.dtype, a.shape) == (b.dtype, b.shape) and a.tobytes() == b.tobytes()
        return [] if same else [place]
    if isinstance(a, float) and isinstance(b, float):
        return [] if np.float64(a).tobytes() == np.float64(b).tobytes() else [f"{place}: {a!r} {b!r}"]
    if isinstance(a, tuple) and isinstance(b, tuple):
        if len(a) != len(b):
            return [f"{place}: {len(a)} and {len(b)} items"]
        return [d for i, (x, y) in enumerate(zip(a, b, strict=True)) for d in differences(x, y, f"{place}[{i}]")]
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return differences(tuple(a.items()), tuple(b.items()), place)
    if dataclasses.is_dataclass(a) and type(a) is type(b):
        names = [f.name for f in dataclasses.fields(a)]
        return [d for n in names for d in differences(getattr(a, n), getattr(b, n), f"{place}.{n}")]
    return [] if type(a) is type(b) and a == b else [f"{place}: {a!r} {b!r}"]


def inputs(seed: int = 1, frames: int = 2) -> CalibrationInputs:
    rng = np.random.default_rng(seed)
    made = []
    for i in range(frames):
        image = rng.random((HEIGHT, MEASURED)).astype(np.float32)
        usable = rng.random(image.shape) > 0.1 if i == 0 else None
        made.append(Frame(image, Source(f"/rig/scene{i}.npy", f"meas[{i}]", HASH, image.shape), usable))
    dispersion = Dispersion(np.array([0.0, 2.1, 4.05]), wavelengths_nm=np.array([450.1, 500.2, 640.3]))
    mask = rng.random((HEIGHT, WIDTH)).astype(np.float32)
    reference = rng.random((BANDS, HEIGHT, WIDTH)).astype(np.float32)
    return CalibrationInputs(tuple(made), mask, dispersion, Source("/rig/mask.mat", "mask", HASH, mask.shape), reference)


def maps(seed: int = 2, scale: int = 1) -> QualityMaps:
    rng = np.random.default_rng(seed)
    h, w = HEIGHT * scale, WIDTH * scale
    measured = w + (BANDS - 1) * STEP
    pictures = [rng.normal(size=(h, measured)).astype(np.float32) for _ in range(2)]
    cubes = [rng.random((BANDS, h, w)).astype(np.float32) for _ in range(2)]
    shifts = tuple(LocalShift(*(float(v) for v in rng.random(6))) for _ in range(5))
    return QualityMaps(*pictures, *cubes, shifts, shifts[:2])


def result(seed: int = 3, **changes: Any) -> CalibrationResult:
    """Every field differs from its default, and numbers have all their digits."""
    rng = np.random.default_rng(seed)
    given = inputs()
    start = ParameterSet.default(("dx", "dy", "theta"), {"slope": 1 / 300})
    fitted = start.edit("dx", value=0.1 + 0.2, sigma=1 / 7).edit("dy", value=-1 / 3, lower=-2.0).edit("psf", value=0.3)
    rows = tuple(
        IterationRow(
            "wide" if i < 2 else "précis",
            i,
            0.1 * i,
            float(rng.random()),
            tuple(float(v) for v in rng.normal(size=len(PARAMETER_NAMES))),
            None if i == 1 else (None if i == 2 else 0.1, *(1 / 3 for _ in PARAMETER_NAMES[1:])),
        )
        for i in range(4)
    )
    axes = (np.linspace(-3, 3, 4), np.linspace(-1, 1, 5))
    scores = rng.random((4, 5)).astype(np.float32)
    scores[1, 2] = np.nan
    grid = GridScores("stage0", ("dx", "theta"), axes, scores, (0.5, -0.5))
    made = CalibrationResult(
        parameters=fitted,
        start=start,
        scores=Scores(0.4, 0.1 + 0.2, None, 0.3),
        verdict=Verdict(
            "warn", (Reason("a", "pass", 0.61, 0.2, "fällt um 61 %"), Reason("b", "warn", float("nan"), 1e-300, ""))
        ),
        mask=given.mask,
        mask_source=given.mask_source,
        dispersion=given.dispersion,
        inputs=tuple(f.source for f in given.frames),
        preset="reference",
        source="algorithm2",
        outcome="finished_early",
        stages=(StageReport("a", "A", 0.25, 3, None), StageReport("b", "B b", 1.5, 4, float("nan"))),
        table=rows,
        grids=(grid, replace(grid, stage="stage1")),
        seconds_total=2.2250738585072014e-308,
        device="cuda:0",
        seed=7,
        threads=3,
        correlation_names=("dx", "dy"),
        correlation=np.array([[1.0, 1 / 3], [1 / 3, 1.0]]),
        peak_z=17.25,
        maps=maps(),
        notes=("one", "two\nlines"),
        calibrated=datetime(2026, 11, 23, 14, 3, 5, 123456, tzinfo=UTC),
    )
    return replace(made, **changes)


FILES = FileSelection(
    ("/rig/scene0.npy", "/rig/scene1.npy::a/b"), "/rig/mask.mat", "/rig/dark.tif", n_bands=3, step_px=2.1, mask_turn=(True, 3)
)


def session(**changes: Any) -> Session:
    """Three runs: one accepted, one rejected, one without maps."""
    when = datetime(2026, 11, 23, 14, 3, 5, 123456)
    runs = (
        RunRecord(1, "Run 1 (auto)", result(), when, "after the lens was changed: Ω", True),
        RunRecord(2, "second", result(4, maps=maps(5)), when),
        RunRecord(4, "without maps", result(6, maps=None, peak_z=None, correlation=None, table=(), grids=(), stages=()), when),
    )
    finding = Finding("saturation", "warning", "Bright", "look here", 0.02, 0.01, (1, 2, 3, 4), 0)
    made = Session(
        files=FILES,
        inputs=inputs(),
        truth={"dx": 0.83, "dy": -1 / 3},
        config=CalibrationConfig(preset="reference", seed=11),
        parameters=ParameterSet.default(("dx", "alpha"), {"dx": 1 / 3}),
        findings=(finding, replace(finding, code="b", place=None, frame=None)),
        runs=runs,
        accepted_id=1,
        current_id=2,
        rejected_ids=frozenset({2, 4}),
        points=(PickedPoint(3, 4, "P1", 0), PickedPoint(7, 2, "P3", 2)),
        cut=CutRun(when, "reference", ParameterSet.default(("dx",), {"dx": 2 / 3})),
    )
    return replace(made, **changes)
