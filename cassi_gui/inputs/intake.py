"""Files on their way into the slots: examined in the background, asked about where needed, put in as one undoable edit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from cassi_gui.desktop.dialogs import Dialogs
from cassi_gui.inputs.calibrations import is_calibration
from cassi_gui.inputs.loading import in_window_words
from cassi_gui.run.controller import RunController
from cassi_gui.session import commands
from cassi_gui.session.state import AppState, FileSelection
from cassi_gui.style.paths import short_name
from cassi_gui.widgets.big_slot import BigSlotSpec
from cassi_gui.widgets.file_slot import SlotSpec

if TYPE_CHECKING:
    from cassi_core.io.examine import Examined
    from cassi_core.io.readers import ArrayInfo

MAIN_SLOTS: tuple[BigSlotSpec, ...] = (
    BigSlotSpec(
        "measurement",
        1,
        "Measurement",
        "image",
        "Drop the snapshot here. Several are fitted together.",
        "TIFF, PNG, MAT, HDF5, NPY",
        multiple=True,
    ),
    BigSlotSpec(
        "mask",
        2,
        "Mask",
        "mask",
        "Drop the picture of the mask here, as it was made or photographed without dispersion.",
        "the same formats",
    ),
)
MORE_SLOTS: tuple[SlotSpec, ...] = (
    SlotSpec("dark", "Dark frame", "dark", "Taken with the light blocked; it is subtracted."),
    SlotSpec("flat", "Flat field", "flat", "An evenly lit frame without the mask; the measurement is divided by it."),
    SlotSpec("cube", "Reference cube", "cube", "An independent cube of the scene, used for comparison only."),
    SlotSpec(
        "dispersion",
        "Dispersion table",
        "curve",
        "Table with the offset of each band in px, or a folder of monochromatic frames.",
    ),
    SlotSpec("bad-pixel map", "Bad pixels", "pixels", "Picture in which bad pixels are not 0, or a table of row and column."),
    SlotSpec("wavelengths", "Wavelengths", "rainbow", "Band centres in nm: a table with one a line, or the file of a cube."),
)
FIELDS = {
    "mask": "mask",
    "dark": "dark",
    "flat": "flat",
    "cube": "reference",
    "dispersion": "dispersion_csv",
    "bad-pixel map": "bad_pixels",
    "wavelengths": "wavelengths",
}
"""Field of the selection for every slot that holds one file."""
KINDS = {"cube": "cube", "dispersion": "csv", "bad-pixel map": "bad", "wavelengths": "wavelengths"}
NAMES = {spec.id: spec.title.lower() for spec in MAIN_SLOTS} | {spec.id: spec.title.lower() for spec in MORE_SLOTS}
NUMBERS = {spec.id: spec.number for spec in MAIN_SLOTS}

Line = tuple[str, str]


class FileIntake(QObject):
    """Puts files into the session's selection.

    Signals: `noted` with lines (level, text) to show, `logged` for the log, `seen_changed` when facts about files arrived,
    `calibration_given` with the path of a calibration that was brought as if it were a picture.
    """

    noted = Signal(object)
    logged = Signal(str, str)
    seen_changed = Signal()
    calibration_given = Signal(str)

    def __init__(self, state: AppState, runner: RunController, dialogs: Dialogs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state, self._runner, self._dialogs = state, runner, dialogs
        self.seen: dict[tuple[str, str], Examined] = {}
        """What is known about files, by (role, path and key)."""
        self.refused: dict[str, str] = {}
        """Why the last file given to a slot was refused."""

    def offer(self, paths: Sequence[str], role: str = "") -> None:
        """Take files for a slot, or sort them by content when no role is given; a calibration among them is handed on."""
        calibrations = tuple(path for path in paths if is_calibration(path))
        if calibrations:
            self.calibration_given.emit(calibrations[-1])
        pictures = tuple(_in_full(path) for path in paths if path not in calibrations)
        if pictures:
            done = partial(self._on_examined, role)
            self._runner.submit(_examine, pictures, role, done=done, failed=self._on_failed)

    def forget(self) -> None:
        """Nothing is known about files that were refused in an earlier session."""
        self.refused.clear()

    def look_at(self, specs: Sequence[str], role: str) -> None:
        """Find out the facts about files that are in a slot already (recent files, undo)."""
        self._runner.submit(_examine, tuple(specs), role, done=self._on_looked, failed=self._on_failed, key=f"look {role}")

    def choose_array(self, entry: str, role: str) -> None:
        """Ask for another array of the file of an entry."""
        path, _, key = entry.partition("::")
        if key.startswith("shape="):
            self.offer((path,), role)  # raw numbers: asks for their layout again
            return
        self._runner.submit(_arrays_of, path, done=partial(self._on_arrays, role, entry), failed=self._on_failed)

    def remove(self, role: str, index: int) -> None:
        """Take a file out of its slot; taking anything from the demo closes the demo."""
        files = self._state.snapshot.files
        self.refused.pop(role, None)
        if files.demo:
            commands.edit(self._state, "Close the demo", files=FileSelection())
        elif role == "measurement":
            kept = tuple(m for i, m in enumerate(files.measurements) if i != index)
            commands.edit(self._state, "Remove a measurement", files=replace(files, measurements=kept))
        else:
            nothing: dict[str, Any] = {FIELDS[role]: ""}
            commands.edit(self._state, f"Remove the {NAMES[role]}", files=replace(files, **nothing))

    # -- answers of the worker ------------------------------------------------------------------------------------
    def _on_examined(self, role: str, results: tuple[Examined, ...]) -> None:
        given: dict[str, list[str]] = {}
        lines: list[Line] = []
        for item in results:
            self._take(item, role, given, lines)
        for level, line in lines:
            self.logged.emit(level, line)
        moved = [slot for slot in given if role and slot != role]
        if moved:
            self.noted.emit((("info", self._moved_words(moved[0])),))
        elif not role or given:
            self.noted.emit(() if role else tuple(lines))
        if given:
            self._assign(given)
        self.seen_changed.emit()

    def _moved_words(self, role: str) -> str:
        instead = self._state.snapshot.files.mask if role == "mask" else ""
        words = f"This looks like a {NAMES[role]}, so it went to slot {NUMBERS[role]}"
        return f"{words}, in place of {short_name(instead)}." if instead else f"{words}."

    def _take(self, item: Examined, role: str, given: dict[str, list[str]], lines: list[Line]) -> None:
        """Sort one examined file into `given`, ask which array is meant, or say why it is refused."""
        name = short_name(item.spec)
        if item.problem:
            text = in_window_words(item.problem)
            lines.append(("error", f"{name} is not used: {text}"))
            if role:
                self.refused[role] = text
            return
        if item.raw_bytes:
            layout = self._dialogs.describe_raw(item.spec, item.raw_bytes)
            if layout is None:
                lines.append(("info", f"{name} is not used: nobody said how its numbers are stored"))
            else:
                self.offer((f"{item.spec}::{layout}",), role)
            return
        self.refused.pop(item.role, None)
        if item.arrays:
            key = self._ask_array(item.spec, item.arrays, item.role)
            if key is None:
                lines.append(("info", f"{name} is not used: no array was chosen"))
                return
            self.offer((f"{item.spec}::{key}",), item.role)
            return
        self.seen[item.role, item.spec] = item
        given.setdefault(item.role, []).append(item.spec)
        lines.append(("info", f"{name} → {NAMES[item.role]}" + (f": {item.reason}" if item.reason else "")))

    def _ask_array(self, path: str, arrays: Sequence[ArrayInfo], role: str) -> str | None:
        def request(key: str, reply: Any) -> None:
            def answer(results: tuple[Examined, ...]) -> None:
                (item,) = results
                reply(key, item.thumbnail, item.facts or in_window_words(item.problem))

            self._runner.submit(_examine, (f"{path}::{key}",), role, done=answer, failed=self._on_failed, key="array preview")

        return self._dialogs.choose_array(path, arrays, request, NAMES[role])

    def _assign(self, given: dict[str, list[str]]) -> None:
        """One undoable edit of the selection; asks whether new measurements join the old ones."""
        files = self._state.snapshot.files
        if files.demo:
            files = FileSelection(direction=files.direction, mode=files.mode)
        changes: dict[str, Any] = {FIELDS[role]: specs[-1] for role, specs in given.items() if role in FIELDS}
        new = tuple(given.get("measurement", ()))
        if new:
            old = tuple(m for m in files.measurements if m not in new)
            if old:
                text = f"{len(old)} measurement{'s are' if len(old) > 1 else ' is'} loaded. Are the new files of the same rig?"
                answer = self._dialogs.ask("More measurements", text, ("Add to them", "Replace them"))
                if answer is None:
                    return
                old = old if answer == 0 else ()
            changes["measurements"] = (*old, *new)
        names = ", ".join(NAMES[r] for r in given)
        commands.edit(self._state, f"Choose {names}", files=replace(files, **changes))

    def _on_arrays(self, role: str, entry: str, arrays: tuple[ArrayInfo, ...]) -> None:
        path = entry.partition("::")[0]
        key = self._ask_array(path, arrays, role)
        if key is None:
            return
        spec = f"{path}::{key}" if key else path
        files = self._state.snapshot.files
        if role == "measurement":
            changes: dict[str, Any] = {"measurements": tuple(spec if m == entry else m for m in files.measurements)}
        else:
            changes = {FIELDS[role]: spec}
        commands.edit(self._state, f"Choose array {key}", files=replace(files, **changes))

    def _on_looked(self, results: tuple[Examined, ...]) -> None:
        for item in results:
            self.seen[item.role, item.spec] = item
        self.seen_changed.emit()

    def _on_failed(self, error: Exception) -> None:
        self._dialogs.error("The files could not be examined", in_window_words(str(error)))


def _in_full(path: str) -> str:
    """A path as typed, the home folder written out."""
    return str(Path(path).expanduser()) if path.startswith("~") else path


def _examine(specs: tuple[str, ...], role: str) -> tuple[Examined, ...]:
    """Look at files (in the worker's thread, where the readers are imported)."""
    from cassi_core.io.examine import examine

    return examine(specs, role)


def _arrays_of(path: str) -> tuple[ArrayInfo, ...]:
    from cassi_core.io.readers import list_arrays

    return tuple(list_arrays(path))
