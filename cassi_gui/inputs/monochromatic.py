"""A folder of monochromatic frames on its way to a dispersion table: measured in the background, shown, saved, put into the slot."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from cassi_gui.desktop.dialogs import Dialogs
from cassi_gui.desktop.saving import save_plot
from cassi_gui.inputs.loading import in_window_words
from cassi_gui.run.controller import RunController
from cassi_gui.session import commands
from cassi_gui.session.state import AppState
from cassi_gui.style.theme import LIGHT, Palette

NO_MASK = "Choose the mask first: the frames are pictures of it, and their dispersion is measured against it."


@dataclass(frozen=True, eq=False)
class Measured:
    """What the worker brings back: the measurement, its curve for the plot, and the words beside it."""

    measurement: Any
    curve: Any
    summary: str
    left_out: str


class FramesIntake(QObject):
    """Measures the dispersion with a folder of frames; `told` carries a line (level, text) for the page, `logged` one for the log."""

    told = Signal(str, str)
    logged = Signal(str, str)

    def __init__(self, state: AppState, runner: RunController, dialogs: Dialogs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state, self._runner, self._dialogs = state, runner, dialogs
        self.palette: Palette = LIGHT

    def offer(self, folder: str) -> None:
        """Measure with the frames of a folder, or say what is missing."""
        files, inputs = self._state.snapshot.files, self._state.inputs
        if not files.mask and inputs is None:
            self._dialogs.error("The dispersion cannot be measured yet", NO_MASK)
            return
        mask = inputs.mask if inputs is not None else files.mask
        self.told.emit("info", f"Measuring the dispersion with the frames in {folder} …")
        self._runner.submit(
            measure_folder, folder, mask, files.direction, done=self._on_measured, failed=self._on_failed, key="frames"
        )

    def _on_measured(self, measured: Measured) -> None:
        for left in measured.measurement.left_out:
            self.logged.emit("warning", f"{left.name} is left out: {left.reason}")
        self.told.emit("info", "")
        inputs = self._state.inputs
        bands = inputs.dispersion.n_bands if inputs is not None else self._state.snapshot.files.n_bands
        wanted = self._dialogs.show_dispersion(
            measured.curve,
            measured.summary,
            measured.left_out,
            bands or len(measured.measurement.frames),
            self.palette,
            self._save_plot,
        )
        if wanted is None:
            return
        path = self._dialogs.save_file("dispersion", "Save the dispersion table", "dispersion.csv", kind="csv")
        if path:
            target = path if Path(path).suffix else f"{path}.csv"
            done = partial(self._on_written, measured)
            self._runner.submit(write_table, measured.measurement, wanted, target, done=done, failed=self._on_failed)

    def _on_written(self, measured: Measured, written: tuple[str, float]) -> None:
        path, alpha = written
        self.logged.emit("info", f"written: {path}")
        shot = self._state.snapshot
        # The measured axis is where a run starts from; slope and curve are in the table.
        names = tuple(n for n in shot.parameters.refined if n not in ("slope", "curve", "alpha"))
        parameters = shot.parameters.edit("alpha", value=alpha).refining(names)
        files = replace(shot.files, dispersion_csv=path, n_bands=None, step_px=None, direction=measured.measurement.direction)
        commands.edit(self._state, "Use the measured dispersion", files=files, parameters=parameters)

    def _save_plot(self, request: Any) -> None:
        save_plot(self._dialogs, self._runner, request, self.logged.emit)

    def _on_failed(self, error: Exception) -> None:
        self.told.emit("info", "")
        self._dialogs.error("The dispersion could not be measured", in_window_words(str(error)))


def measure_folder(folder: str, mask: Any, direction: str) -> Measured:
    """Find, read and register the frames (in the worker's thread); the direction of the window decides unless it is the usual one."""
    from cassi_core.dispersion_measurement import measure_dispersion
    from cassi_core.io.mask_from_files import read_mask
    from cassi_core.io.monochromatic_frames import find_frames, read_frames
    from cassi_gui.plots.dispersion_curve import CurveData

    named, strangers = find_frames(folder)
    frames, broken = read_frames(named)
    nominal = read_mask(mask, direction).mask if isinstance(mask, str) else mask  # type: ignore[arg-type]
    found = measure_dispersion(
        frames,
        nominal,
        direction=None if direction == "right" else direction,  # type: ignore[arg-type]
        left_out=(*strangers, *broken),
    )
    curve_nm, curve_px = found.curve.sampled()
    curve = CurveData(*found.columns(), curve_nm, curve_px)
    left_out = "\n".join(f"{left.name}: {left.reason}" for left in found.left_out)
    return Measured(found, curve, found.words(), left_out)


def write_table(measurement: Any, bands: int, path: str) -> tuple[str, float]:
    """Write the table of the bands; its path and alpha in degrees."""
    from cassi_core.dispersion_measurement import band_table
    from cassi_core.dispersion_measurement.bands import equal_bands
    from cassi_core.io.dispersion_to_file import write_dispersion

    table = band_table(measurement.curve, equal_bands(measurement.curve, bands, "px"))
    return str(write_dispersion(measurement, table, path)), measurement.alpha_deg
