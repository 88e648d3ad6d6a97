"""How the chosen pictures are read: the form on the page, the selection behind it, and regions drawn in a picture."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, Slot

from cassi_gui.desktop.dialogs import Dialogs
from cassi_gui.inputs.loading import in_window_words
from cassi_gui.run.controller import RunController
from cassi_gui.session import commands
from cassi_gui.session.state import AppState
from cassi_gui.style.theme import LIGHT, Palette
from cassi_gui.widgets.camera_form import CameraForm, CameraValues

FIELDS = {"measurement": "roi", "mask": "mask_roi"}
TITLES = {"measurement": "Region of the measurement", "mask": "Region of the mask's picture"}


class PictureSettings(QObject):
    """Keeps a :class:`CameraForm` and the selection of the session in step; every change is one undoable edit."""

    def __init__(self, form: CameraForm, state: AppState, runner: RunController, dialogs: Dialogs, parent: QObject) -> None:
        super().__init__(parent)
        self._form, self._state, self._runner, self._dialogs = form, state, runner, dialogs
        self._shown = CameraValues()
        self.palette: Palette = LIGHT
        form.edited.connect(self._on_edited)
        form.region_requested.connect(self._on_region)

    def refresh(self) -> None:
        """Show what the selection says."""
        files = self._state.snapshot.files
        values = CameraValues(
            files.picture, files.average, files.roi, files.turn, files.saturation, files.mask_roi, files.mask_turn
        )
        if values != self._shown:
            # Not at every change of the state: it would undo what somebody is typing.
            self._shown = values
            self._form.set_values(values, locked=files.demo)
        else:
            self._form.set_locked(files.demo)

    @Slot(object)
    def _on_edited(self, values: CameraValues) -> None:
        changed = replace(
            self._state.snapshot.files,
            picture=values.picture,
            average=values.average,
            roi=values.roi,
            turn=values.turn,
            saturation=values.saturation,
            mask_roi=values.mask_roi,
            mask_turn=values.mask_turn,
        )
        commands.edit(self._state, "Change how pictures are read", files=changed)

    @Slot(str)
    def _on_region(self, role: str) -> None:
        files, inputs = self._state.snapshot.files, self._state.inputs
        spec = files.mask if role == "mask" else (files.measurements or ("",))[0]
        if not spec and role == "mask" and inputs is not None:
            spec = f"{inputs.mask_source.path}::{inputs.mask_source.key}"
        if not spec:
            self._dialogs.error("There is no picture yet", f"Choose the {role} first: the region is drawn in its picture.")
            return

        jobs = []

        def request(show: Any) -> None:
            def failed(error: Exception) -> None:
                show(in_window_words(str(error)))

            jobs.append(self._runner.submit(_whole_picture, spec, role, done=show, failed=failed, key="region picture"))

        field = FIELDS[role]
        found = self._dialogs.choose_region(TITLES[role], request, _edges(getattr(files, field)), self.palette)
        for job in jobs:
            job.cancel()  # an answer that comes now has no dialog to go to
        if found is not None:
            top, bottom, left, right = found
            region: dict[str, Any] = {field: f"{top}:{bottom},{left}:{right}"}
            commands.edit(self._state, f"Choose the {TITLES[role].lower()}", files=replace(files, **region))


def _edges(text: str) -> tuple[int, int, int, int] | None:
    """`ROW:ROW,COL:COL` as four numbers; None for an empty text and for one that is mistyped."""
    from cassi_core.errors import InputError
    from cassi_core.io.readers import Roi

    try:
        roi = Roi.parse(text)
    except InputError:
        return None
    return *roi.rows, *roi.cols


def _whole_picture(spec: str, role: str) -> Any:
    """The picture of a file (in the worker's thread)."""
    from cassi_core.io.overview import whole_picture

    return whole_picture(spec, role)  # type: ignore[arg-type]
