"""A small rig, a result with every field filled, and a run that emits every event: what pages are tested against.

Nothing here is computed by the program's own model: the scene, the shifts and the residuals are written down directly.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np

from cassi_core.config import DEFAULT_REFINE, CalibrationConfig
from cassi_core.dispersion import Dispersion
from cassi_core.inputs import CalibrationInputs, Frame, Source
from cassi_core.parameters import PARAMETER_NAMES, ParameterSet
from cassi_core.quality.loupe import SPOTS, Loupe, Spot
from cassi_core.result import CalibrationResult, LocalShift, QualityMaps, Reason, RegistrationError, Scores, Verdict
from cassi_core.run import GridScores, IterationRow, Preview, RunRecorder, StageReport, readonly

TRUTH = {"dx": 0.83, "dy": -0.42, "theta": 0.21, "scale_x": 0.0012, "scale_y": -0.0008}


@dataclass(frozen=True)
class FakeRig:
    """Sizes of the fake rig."""

    height: int = 40
    width: int = 36
    bands: int = 6
    step: int = 2

    @property
    def measured_width(self) -> int:
        return self.width + (self.bands - 1) * self.step


def wavelengths(bands: int) -> np.ndarray:
    return np.linspace(450.0, 650.0, bands)


def scene(rig: FakeRig) -> np.ndarray:
    """A cube (L, H, W): a red disc at the upper left, a blue square at the lower right, grey ground."""
    rows, cols = np.mgrid[0 : rig.height, 0 : rig.width]
    band = np.linspace(0.0, 1.0, rig.bands)[:, None, None]
    disc = (rows - rig.height * 0.3) ** 2 + (cols - rig.width * 0.3) ** 2 < (rig.height * 0.16) ** 2
    square = (abs(rows - rig.height * 0.7) < rig.height * 0.15) & (abs(cols - rig.width * 0.7) < rig.width * 0.15)
    cube = 0.25 + 0.6 * disc * band**2 + 0.6 * square * (1 - band) ** 2
    return np.ascontiguousarray(cube, np.float32)


def inputs(rig: FakeRig | None = None, *, seed: int = 1, reference: bool = True) -> CalibrationInputs:
    """Measurement, mask and dispersion of the fake rig."""
    rig = rig or FakeRig()
    rng = np.random.default_rng(seed)
    mask = (rng.random((rig.height, rig.width)) > 0.5).astype(np.float32)
    cube = scene(rig)
    image = np.zeros((rig.height, rig.measured_width), np.float32)
    for band in range(rig.bands):
        image[:, band * rig.step : band * rig.step + rig.width] += 1000 * mask * cube[band]
    image += rng.normal(0, 8, image.shape).astype(np.float32)
    dispersion = Dispersion.constant(rig.bands, rig.step, wavelengths_nm=wavelengths(rig.bands))
    source = Source("fake.mat", "meas", "0" * 64, image.shape)
    return CalibrationInputs((Frame(image, source),), mask, dispersion, Source("fake.mat", "mask"), cube if reference else None)


def start_parameters(preset: str = "auto") -> ParameterSet:
    return ParameterSet.default(DEFAULT_REFINE[preset])


def fitted_parameters(preset: str = "auto") -> ParameterSet:
    parameters = start_parameters(preset)
    for name in parameters.refined:
        parameters = parameters.edit(name, value=TRUTH.get(name, 0.001))
    sigmas = {
        "dx": 0.012,
        "dy": 0.0064,
        "theta": 0.0041,
        "scale_x": 0.00021,
        "scale_y": 0.00009,
        "slope": 0.0004,
        "alpha": 0.02,
    }
    return parameters.with_sigmas({n: sigmas.get(n, 0.01) for n in parameters.refined})


def shifts(rig: FakeRig, right: float, down: float, sigma: float, blocks: int = 5) -> tuple[LocalShift, ...]:
    """A field that is `right`, `down` in the middle and turns slightly round it."""
    made = []
    for i in range(blocks):
        for j in range(blocks):
            row, col = (i + 0.5) * rig.height / blocks, (j + 0.5) * rig.measured_width / blocks
            turn = 0.2 * (i - blocks // 2), -0.2 * (j - blocks // 2)
            made.append(LocalShift(row, col, right * (1 + turn[0]), down * (1 + turn[1]), sigma, sigma))
    return tuple(made)


def maps(rig: FakeRig | None = None, seed: int = 2) -> QualityMaps:
    """Residuals and reconstructions: before, the mask's pattern is left; after, noise."""
    rig = rig or FakeRig()
    rng = np.random.default_rng(seed)
    truth = scene(rig)
    pattern = (rng.random((rig.height, rig.width)) > 0.5) - 0.5
    before = rng.normal(0, 12, (rig.height, rig.measured_width)).astype(np.float32)
    before[:, : rig.width] += (180 * pattern * truth.mean(axis=0)).astype(np.float32)
    after = rng.normal(0, 10, before.shape).astype(np.float32)
    spoiled = np.clip(truth * (1 + 0.6 * pattern), 0, None).astype(np.float32)
    clean = (truth + rng.normal(0, 0.01, truth.shape)).astype(np.float32)
    return QualityMaps(before, after, spoiled, clean, shifts(rig, 0.8, -0.42, 0.05), shifts(rig, 0.011, -0.006, 0.02))


def loupe(size: int = 60, seed: int = 5) -> Loupe:
    """A picture whose mask is calculated exactly with the fitted values, and two rows too far down with those of the start."""
    rng = np.random.default_rng(seed)
    picture = rng.normal(0, 1, (size, size + 10)).astype(np.float32)
    places = ((20, 24), (3, 4), (3, 40), (35, 4), (35, 40))
    found = tuple(Spot(name, row, col) for name, (row, col) in zip(SPOTS, places, strict=True))
    return Loupe(picture, np.roll(picture, 2, axis=0), picture.copy(), np.ones(picture.shape, bool), found)


def residual_view() -> Any:
    """The residuals of the fake run as shares of 1000."""
    from cassi_gui.plots.residual_pair import ResidualView  # the fakes are used by tests without a window too

    made = maps()
    return ResidualView(
        made.residual_before / 1000, made.residual_after / 1000, Scores(0.412, 0.1607), 0.15, "share of full scale"
    )


def verdict(status: str = "pass") -> Verdict:
    """A verdict with four checks; the last one decides."""
    beyond = status != "pass"
    reasons = (
        Reason("residual", "pass", 0.39, 1.02, "residual 0.4120 before, 0.1607 after", "at most", "times the start"),
        Reason("held-out residual", "pass", 0.45, 1.05, "held-out pixels: residual 0.4370 before, 0.1966 after", "at most", "times the start"),
        Reason("leftover shifts", "pass", 0.013, 0.1, "leftover local shifts beyond their errors: 0.013 px rms over 25 blocks", "at most", "px"),
        Reason("bounds", status, float(beyond), 0.0,  # type: ignore[arg-type]
               "dx ended on a bound: widen the bounds or check the rig" if beyond else "no parameter ended on a bound", "at most", "values"),
    )  # fmt: skip
    return Verdict(status, reasons)  # type: ignore[arg-type]


def grid(stage: str = "stage0", n: int = 9, n_theta: int = 7, scored: float = 1.0) -> GridScores:
    """A bowl over (dx, dy, theta) whose lowest point is nearest to the truth; part of it not scored yet."""
    dx, dy, theta = np.linspace(-3, 3, n), np.linspace(-3, 3, n), np.linspace(-1, 1, n_theta)
    gx, gy, gt = np.meshgrid(dx, dy, theta, indexing="ij")
    scores = 0.2 + 0.05 * (gx - TRUTH["dx"]) ** 2 + 0.03 * (gy - TRUTH["dy"]) ** 2 + 0.2 * (gt - TRUTH["theta"]) ** 2
    scores = scores.astype(np.float32)
    flat = scores.reshape(-1)
    flat[int(flat.size * scored) :] = np.nan
    i, j, k = np.unravel_index(int(np.nanargmin(scores)), scores.shape)
    return GridScores(stage, ("dx", "dy", "theta"), (dx, dy, theta), scores, (float(dx[i]), float(dy[j]), float(theta[k])))


def table(steps: int = 24, preset: str = "auto") -> tuple[IterationRow, ...]:
    """Rows of two stages that close in on the truth, with standard errors in the second one."""
    rows = []
    fitted = fitted_parameters(preset)
    for i in range(steps):
        rest = float(np.exp(-4 * i / steps))
        values = tuple(p.value * (1 - rest * np.cos(i)) if p.refine else p.value for p in fitted)
        late = i >= steps // 2
        sigmas = tuple(None if p.sigma is None else p.sigma * (1 + 4 * rest) for p in fitted) if late else None
        stage = "precise" if late else "wide"
        step = i - steps // 2 if late else i
        rows.append(IterationRow(stage, step, 0.2 * i, (0.12 if late else 0.2) + 0.3 * rest, values, sigmas))
    return tuple(rows)


def result(
    rig: FakeRig | None = None, *, status: str = "pass", preset: str = "auto", with_maps: bool = True, **changes: Any
) -> CalibrationResult:
    """A finished calibration with every field filled."""
    rig = rig or FakeRig()
    given = inputs(rig)
    fitted = fitted_parameters(preset)
    n = len(fitted.refined)
    correlation = np.eye(n) + 0.3 * (np.ones((n, n)) - np.eye(n))
    correlation[0, -1] = correlation[-1, 0] = -0.94
    made = CalibrationResult(
        parameters=fitted,
        start=start_parameters(preset),
        scores=Scores(0.412, 0.1607, 0.437, 0.1966),
        verdict=verdict(status),
        mask=given.mask,
        mask_source=given.mask_source,
        dispersion=given.dispersion,
        inputs=tuple(f.source for f in given.frames),
        preset=preset,
        source=preset,
        outcome="done",
        stages=(
            StageReport("prealign", "Find the mask", 0.4, 13, None),
            StageReport("wide", "Fit, wide prior", 1.9, 12, 0.2034),
            StageReport("precise", "Fit, precise prior", 2.6, 12, 0.1607),
        ),
        table=table(preset=preset),
        grids=(grid(),),
        seconds_total=4.9,
        device="cpu",
        seed=0,
        threads=2,
        correlation_names=fitted.refined,
        correlation=correlation,
        peak_z=41.0,
        maps=maps(rig) if with_maps else None,
        notes=("scale_x follows the band train's ends only",),
        registration=RegistrationError(0.0123, 0.001, 0.0161, 0.001, 0.12, 0.01, 7.5),
    )
    return replace(made, **changes)


@dataclass(frozen=True, eq=False)
class FakeRecord:
    """What a page reads of a run of the session."""

    id: int
    name: str
    result: CalibrationResult
    when: datetime = datetime(2026, 11, 23, 14, 3)
    note: str = ""
    accepted: bool = False


def calibrate(
    given: CalibrationInputs,
    config: CalibrationConfig,
    parameters: ParameterSet,
    *,
    control: Any,
    observe: Any,
    pause_s: float = 0.0,
    rig: FakeRig | None = None,
) -> CalibrationResult:
    """Stands in for the core's pipeline: emits every kind of event, obeys the control, returns the fake result."""
    plan = (("stage0", "Grid search", 1.0), ("wide", "Fit, wide prior", 1.0), ("precise", "Fit, precise prior", 1.0))
    recorder = RunRecorder(control, observe, config.preset, plan)
    recorder.begin("stage0", 4)
    for part in (0.3, 0.6, 1.0):
        recorder.grid(grid(scored=part), final=part == 1.0)
        recorder.advance()
        time.sleep(pause_s)
    recorder.end(0.3)
    rows = table(preset=config.preset)
    for stage in ("wide", "precise"):
        recorder.begin(stage, len(rows) // 2)
        for row in (r for r in rows if r.stage == stage):
            if control.finishing:
                break
            sigmas = None if row.sigmas is None else np.array([np.nan if s is None else s for s in row.sigmas])
            recorder.row(row.score, np.array(row.values), sigmas)
            recorder.advance()
            time.sleep(pause_s)
        recorder.emit(Preview(stage, readonly(scene(rig or FakeRig())), rows[-1].values))  # type: ignore[arg-type]
        recorder.end(0.2)
    recorder.message("done")
    made = result(rig, preset=config.preset, parameters=_keep_fixed(parameters, fitted_parameters(config.preset)))
    sources = tuple(f.source for f in given.frames)
    return replace(made, inputs=sources, start=parameters, table=tuple(recorder.table), grids=tuple(recorder.grids))


def _keep_fixed(given: ParameterSet, fitted: ParameterSet) -> ParameterSet:
    """Fixed parameters stay as given, refined ones take the fake fit's values."""
    vector = np.array([fitted[n].value for n in PARAMETER_NAMES])
    sigmas = {n: fitted[n].sigma or 0.01 for n in given.refined}
    return given.with_vector(vector).with_sigmas(sigmas)


class FakeSettings:
    """Stands in for the window's preferences."""

    def __init__(self, folder: Any) -> None:
        from PySide6.QtCore import QByteArray

        self.presets_folder = folder / "presets"
        self._empty = QByteArray()

    def layout(self, _name: str) -> Any:
        return self._empty

    def save_layout(self, _name: str, _state: Any) -> None:
        """Nothing is kept between tests."""


class FakeDialogs:
    """Answers in the place of a person: set `answer_*`, read `shown`."""

    def __init__(self, folder: Any) -> None:
        self.settings = FakeSettings(folder)
        self.folder = folder
        self.answer_text: str | None = "mine"
        self.answer_confirm = True
        self.answer_files: tuple[str, ...] = ()
        self.answer_choice: int | None = 0
        self.shown: list[str] = []

    def text(self, _title: str, _label: str, _initial: str = "", *, multiline: bool = False) -> str | None:
        return self.answer_text

    def confirm(self, title: str, text: str, *, yes: str = "Yes", no: str = "Cancel") -> bool:
        self.shown.append(f"{title}: {text}")
        return self.answer_confirm

    def open_files(self, purpose: str, title: str, *, kind: str = "any", multiple: bool = True) -> tuple[str, ...]:
        return self.answer_files

    def ask(self, title: str, text: str, answers: Any) -> int | None:
        self.shown.append(f"{title}: {text} {answers}")
        return self.answer_choice

    def error(self, title: str, text: str, details: str = "") -> None:
        self.shown.append(f"{title}: {text}")

    def inform(self, title: str, text: str) -> None:
        self.shown.append(f"{title}: {text}")

    def save_file(self, _purpose: str, _title: str, name: str, *, kind: str = "any") -> str:
        return str(self.folder / name)
