"""From the chosen files to loaded inputs: reacts to edits of the selection, reads in the background, reports in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from cassi_core.errors import MaskWantedError, RunCancelled
from cassi_core.inputs import CalibrationInputs
from cassi_core.run import RunControl
from cassi_gui.run.controller import RunController, RunPhase
from cassi_gui.session.state import AppState, FileSelection

if TYPE_CHECKING:
    from cassi_core.io.camera import CameraReading
    from cassi_core.quality.detection import MaskDetection
    from cassi_core.quality.findings import Finding

WORDS = (
    ("(--bands)", "(field Bands)"),
    ("--dispersion", "the dispersion table"),
    ("--direction", "the field Direction"),
    ("--bands", "the field Bands"),
    ("--step", "the field Step"),
    ("(--mask-turn 90 or --mask-turn 270)", "(field Mask turned)"),
    ("(--bad-pixels)", "(the slot Bad pixels)"),
    ("(--wavelengths)", "(the slot Wavelengths)"),
    ("(--mask-roi)", "(field Mask region)"),
    ("(--roi)", "(field Region)"),
    ("--mask", "the Mask slot"),
    ("--dark", "the Dark slot"),
    ("--flat", "the Flat slot"),
)
"""Options of the command line in messages of the core, and what a person at the window calls them."""


CANCELLED = "Reading was cancelled: read the files again, or choose others."
PROGRESS_INTERVAL_MS = 200
MASK_WANTED = "Now choose the mask: the file of the measurement holds none."
"""Half of the way, where everybody is who chooses the files one by one: no fault, and not shown as one."""


NOTHING_KNOWN: dict[str, Any] = {"findings": (), "detection": None, "detecting": False}
"""What is known about inputs goes when they do."""


@dataclass(frozen=True, eq=False)
class Loaded:
    """Inputs that were read and checked, and what is known to be true about them (the demo)."""

    inputs: CalibrationInputs
    truth: Any = None


def in_window_words(text: str) -> str:
    """A message of the core with the window's names instead of the command line's options."""
    for option, name in WORDS:
        text = text.replace(option, name)
    return text[:1].upper() + text[1:]


def load_selection(files: FileSelection, control: RunControl, report: Callable[[str, float], None]) -> Loaded:
    """Read everything that was chosen (in the worker's thread); `report` hears what is read and how far it is.

    Raises
    ------
    RunCancelled
        After ``control.cancel()``.
    """
    if files.demo:
        from cassi_core.demo import load_demo
        from cassi_core.quality.placement import turn_mask

        demo = load_demo()
        flip, turns = files.mask_turn
        return Loaded(turn_mask(demo.inputs, flip, turns), demo.truth)
    from cassi_core.io.inputs_from_files import load_inputs
    from cassi_core.io.readers import ReadMeter, Roi, Turn

    inputs = load_inputs(
        files.measurements,
        mask=files.mask or None,
        bands=files.n_bands,
        step=files.step_px,
        dispersion_csv=files.dispersion_csv or None,
        dark=files.dark or None,
        flat=files.flat or None,
        direction=files.direction,  # type: ignore[arg-type]
        mode=files.mode,  # type: ignore[arg-type]
        reference=files.reference or None,
        camera=camera_of(files),
        mask_roi=Roi.parse(files.mask_roi) if files.mask_roi else None,
        mask_turn=Turn(*files.mask_turn),
        wavelengths=files.wavelengths or None,
        meter=ReadMeter(control, report),
    )
    return Loaded(inputs)


def camera_of(files: FileSelection) -> CameraReading:
    """How the pictures of a selection are read."""
    from cassi_core.io.camera import CameraReading
    from cassi_core.io.readers import Roi, Turn

    return CameraReading(
        files.picture,
        files.average,  # type: ignore[arg-type]
        Roi.parse(files.roi) if files.roi else None,
        Turn(*files.turn),
        files.bad_pixels or None,
        files.saturation,
    )


def find_problems(inputs: CalibrationInputs) -> tuple[Any, ...]:
    """The findings of the core, imported where they are needed (in the worker's thread)."""
    from cassi_core.quality.findings import find_problems as find

    return find(inputs)


def look_for_mask(inputs: CalibrationInputs, min_peak_z: float, control: RunControl) -> MaskDetection:
    """Whether the mask's pattern is in the picture, and how (in the worker's thread)."""
    from cassi_core.quality.detection import detect_mask

    return detect_mask(inputs, min_peak_z=min_peak_z, control=control)


class InputLoader(QObject):
    """Keeps `inputs` of the state, and what is known about them, in step with its `files`."""

    logged = Signal(str, str)
    """A line for the log: (level, text)."""
    loaded = Signal(object)
    """The selection whose inputs have just arrived."""
    progress = Signal(str, float)
    """What is being read and the fraction (0..1) of it that is done, a few times a second while a large file is read."""

    def __init__(self, state: AppState, runner: RunController, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state, self._runner = state, runner
        self._files = state.snapshot.files
        self._control = RunControl()
        """Of the search for the mask, which steps aside when files change or a run begins."""
        self._reading = RunControl()
        """Of the files that are being read."""
        self._heard: tuple[str, float] | None = None
        """The latest report of the worker's thread, passed on by a timer: never one signal per block."""
        self._timer = QTimer(self)
        self._timer.setInterval(PROGRESS_INTERVAL_MS)
        self._timer.timeout.connect(self._on_timer)
        self._adopted: tuple[FileSelection, Loaded] | None = None
        """What a session brought with it: its files need not exist any more."""
        state.changed.connect(self._on_changed)
        runner.state_changed.connect(self._on_phase)

    def adopt(self, files: FileSelection, loaded: Loaded) -> None:
        """Take inputs that come from a session for those of a selection, now and when an undo leads back to it."""
        self._adopted = files, loaded

    @Slot(object)
    def _on_changed(self, names: frozenset[str]) -> None:
        if "files" in names:
            self._reload()

    @Slot(object)
    def _on_phase(self, phase: RunPhase) -> None:
        if phase is not RunPhase.IDLE:
            self._control.cancel()
        elif self._state.inputs is not None and self._state.snapshot.detection is None:
            # The search stepped aside for the run.
            self._look(self._state.inputs)

    def _reload(self) -> None:
        self._control.cancel()
        state, files = self._state, self._state.snapshot.files
        other_pictures = files.measurements != self._files.measurements or files.demo != self._files.demo
        self._files = files
        self._runner.submit(_nothing, key="findings")
        self._runner.submit(_nothing, key="detection")
        if not files.measurements and not files.demo:
            self._runner.submit(_nothing, key="load")
            state.replace(inputs=None, truth=None, loading=False, load_problem="", **NOTHING_KNOWN)
            return
        if self._adopted is not None and files is self._adopted[0]:
            self._use_adopted(self._adopted[1])
            return
        if other_pictures:
            state.replace(inputs=None, truth=None, loading=True, load_problem="", **NOTHING_KNOWN)
        else:
            state.replace(loading=True, load_problem="", **NOTHING_KNOWN)
        self._read(files)

    def _read(self, files: FileSelection) -> None:
        self._reading, self._heard = RunControl(), None
        self._timer.start()
        self._runner.submit(
            load_selection,
            files,
            self._reading,
            self._hear,
            done=self._on_loaded,
            failed=self._on_failed,
            key="load",
            control=self._reading,
        )

    def cancel(self) -> None:
        """Stop reading; the selection stays, and :meth:`read_again` reads it from the beginning."""
        self._reading.cancel()

    def read_again(self) -> None:
        """Read the files of the selection once more (after a cancel, or when they have changed on disk)."""
        files = self._state.snapshot.files
        if files.measurements or files.demo:
            self._state.replace(inputs=None, truth=None, loading=True, load_problem="", **NOTHING_KNOWN)
            self._read(files)

    def _hear(self, text: str, fraction: float) -> None:
        """Take a report (in the worker's thread)."""
        self._heard = text, fraction

    @Slot()
    def _on_timer(self) -> None:
        if not self._state.snapshot.loading:
            self._timer.stop()
        elif self._heard is not None:
            self.progress.emit(*self._heard)

    def _use_adopted(self, loaded: Loaded) -> None:
        """As if the files had just been read."""
        self._runner.submit(_nothing, key="load")
        self._state.replace(inputs=loaded.inputs, truth=loaded.truth, loading=False, load_problem="", **NOTHING_KNOWN)
        self._examine(loaded.inputs)

    def _on_loaded(self, loaded: Loaded) -> None:
        inputs = loaded.inputs
        self._state.replace(inputs=inputs, truth=loaded.truth, loading=False, load_problem="", **NOTHING_KNOWN)
        shape = inputs.frames[0].image.shape
        count = f"{len(inputs.frames)} measurements" if len(inputs.frames) > 1 else "measurement"
        text = f"loaded {count} {shape[0]} × {shape[1]} px from {inputs.frames[0].source.path}; "
        text += f"mask {inputs.mask.shape[0]} × {inputs.mask.shape[1]} px from {inputs.mask_source.path}; "
        dispersion = inputs.dispersion
        text += f"{dispersion.n_bands} bands, {dispersion.step_px:.4g} px per band to the {dispersion.direction}"
        self.logged.emit("info", text)
        self.loaded.emit(self._state.snapshot.files)
        self._examine(inputs)

    def _examine(self, inputs: CalibrationInputs) -> None:
        """Look at the pictures, and for the mask in them: both in the background, each in its own thread."""
        self._runner.submit(find_problems, inputs, done=self._on_findings, failed=self._on_not_examined, key="findings")
        self._look(inputs)

    @Slot(bool)
    def look(self, wanted: bool) -> None:
        """Look for the mask again (a run that is going on comes first), or stop looking."""
        inputs = self._state.inputs
        if not wanted:
            self._control.cancel()
        elif inputs is not None:
            self._state.replace(detection=None)
            self._look(inputs)

    def _look(self, inputs: CalibrationInputs) -> None:
        self._control.cancel()
        if self._runner.running:
            return
        self._control = control = RunControl()
        self._state.replace(detecting=True)
        self._runner.submit(
            look_for_mask,
            inputs,
            self._state.config.auto.min_peak_z,
            control,
            done=partial(self._on_detected, inputs),
            failed=partial(self._on_not_detected, inputs),
            key="detection",
            control=control,
            search=True,
        )

    def _on_failed(self, error: Exception) -> None:
        text = in_window_words(str(error)) or type(error).__name__
        if isinstance(error, RunCancelled):
            text = CANCELLED
        half_way = isinstance(error, MaskWantedError)
        text = MASK_WANTED if half_way else text
        self._state.replace(inputs=None, truth=None, loading=False, load_problem=text, **NOTHING_KNOWN)
        self.logged.emit("info" if half_way else "error", text)

    def _on_findings(self, findings: tuple[Finding, ...]) -> None:
        self._state.replace(findings=findings)
        self._log(findings)

    def _on_detected(self, inputs: CalibrationInputs, detection: MaskDetection) -> None:
        if inputs is self._state.inputs:
            self._state.replace(detection=detection, detecting=False)
            self._log(detection.findings)

    def _log(self, findings: tuple[Finding, ...]) -> None:
        for finding in findings:
            level = finding.severity if finding.severity in ("warning", "error") else "info"
            self.logged.emit(level, f"{finding.title}: {in_window_words(finding.text)}")

    def _on_not_detected(self, inputs: CalibrationInputs, error: Exception) -> None:
        if inputs is self._state.inputs:
            self._state.replace(detecting=False)
        self._on_not_examined(error)

    def _on_not_examined(self, error: Exception) -> None:
        if not isinstance(error, RunCancelled):
            self.logged.emit("error", f"the inputs could not be examined: {error}")


def _nothing() -> None:
    """A job that only makes an older one with the same key stale."""
