"""Page 1: choose the files of a rig, see what is in them, and say how the light is dispersed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from cassi_core.io.overview import Examined, describe, examine
from cassi_gui import commands
from cassi_gui.actions import Actions
from cassi_gui.dialogs import Dialogs
from cassi_gui.icons import make_icon, make_pixmap
from cassi_gui.loading import in_window_words
from cassi_gui.plots.image_panel import ImagePanel
from cassi_gui.runner import RunController
from cassi_gui.state import AppState, FileSelection
from cassi_gui.theme import GAP, LIGHT, MARGIN, SPACE, Palette
from cassi_gui.widgets.dispersion_form import DispersionForm, DispersionValues
from cassi_gui.widgets.file_slot import FileSlot, SlotSpec, dropped_paths, short_name

SLOTS: tuple[SlotSpec, ...] = (
    SlotSpec(
        "measurement", "Measurement", "image", "One or several snapshots of one rig, as the camera left them.", True, True
    ),
    SlotSpec(
        "mask", "Mask", "mask", "The nominal mask (coded aperture). Optional when the measurement's file holds one.", True
    ),
    SlotSpec("dark", "Dark frame", "dark", "Taken with the light blocked; it is subtracted."),
    SlotSpec("flat", "Flat field", "flat", "An evenly lit frame without the mask; the measurement is divided by it."),
    SlotSpec("cube", "Reference cube", "cube", "An independent cube of the scene, used for comparison only."),
    SlotSpec("dispersion", "Dispersion table", "curve", "CSV with the offset of each band in pixels (and its wavelength)."),
)
FIELDS = {"mask": "mask", "dark": "dark", "flat": "flat", "cube": "reference", "dispersion": "dispersion_csv"}
KINDS = {"cube": "cube", "dispersion": "csv"}
NAMES = {spec.id: spec.title.lower() for spec in SLOTS}

HELP = """<h2>Load</h2>
<p>Give the program what your rig left on disk. Drop one or many files anywhere on this page: they are sorted by their content,
and a line says why each one went where. You can also drop on a slot, type a path into it, or use <b>Choose …</b>.</p>
<ul><li><b>Measurement</b>: the grey picture of the camera. Several snapshots of <i>one</i> rig are fitted together.</li>
<li><b>Mask</b>: the picture of the coded aperture as it was made, or photographed without dispersion.</li>
<li><b>Dark</b> and <b>flat</b> frames, a <b>reference cube</b> and a <b>dispersion table</b> are optional.</li></ul>
<p>A file that holds several arrays opens a list with previews; <code>FILE::key</code> in the path names one directly.
Bands and step come from the file or from the widths unless you set them.</p>"""


class LoadPage(QWidget):
    """Slots, dispersion form, and a look at the measurement."""

    next_requested = Signal()
    cursor_text = Signal(str)
    logged = Signal(str, str)

    def __init__(self, state: AppState, runner: RunController, actions: Actions, dialogs: Dialogs) -> None:
        super().__init__()
        self.setObjectName("page.load")
        self.setAccessibleName("Load")
        self.setAcceptDrops(True)
        self._state, self._runner, self._actions, self._dialogs = state, runner, actions, dialogs
        self._palette: Palette = LIGHT
        self._seen: dict[str, Examined] = {}
        self._refused: dict[str, str] = {}
        self._build()
        state.changed.connect(self._on_changed)
        self._refresh()

    title = "Load"
    help_html = HELP

    @property
    def next_problems(self) -> tuple[str, ...]:
        """What is missing before Check makes sense."""
        shot = self._state.snapshot
        if shot.loading:
            return ("Reading the files …",)
        if shot.load_problem:
            return (shot.load_problem,)
        if not shot.files.measurements and not shot.files.demo:
            return ("Choose a measurement, or open the demo",)
        return () if shot.inputs is not None else ("The files are not loaded",)

    # -- building -------------------------------------------------------------------------------------------------
    def _build(self) -> None:
        self.slots: dict[str, FileSlot] = {}
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(SPACE)
        for i, spec in enumerate(SLOTS):
            slot = FileSlot(spec, self._palette)
            slot.choose_requested.connect(self._on_choose)
            slot.paths_given.connect(self._on_paths)
            slot.array_requested.connect(self._on_array)
            slot.remove_requested.connect(self._on_remove)
            self.slots[spec.id] = slot
            grid.addWidget(slot, i // 2, i % 2)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        self.form = DispersionForm()
        self.form.edited.connect(self._on_dispersion)
        self.notes = QLabel()
        self.notes.setObjectName("load_notes")
        self.notes.setWordWrap(True)
        self.notes.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.notes.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.notes.hide()
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, SPACE, 0)
        column.setSpacing(SPACE)
        column.addLayout(grid)
        column.addWidget(self.form)
        column.addWidget(self.notes)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inner)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._right = QStackedLayout()
        self._right.addWidget(self._build_welcome())
        self._right.addWidget(self._build_summary())
        outer = QHBoxLayout(self)
        outer.setContentsMargins(MARGIN, MARGIN, MARGIN, SPACE)
        outer.setSpacing(MARGIN)
        outer.addWidget(scroll, 5)
        outer.addLayout(self._right, 4)

    def _build_welcome(self) -> QFrame:
        card = QFrame()
        card.setProperty("role", "card")
        card.setObjectName("welcome")
        self._welcome_icon = QLabel()
        self._welcome_icon.setAlignment(Qt.AlignmentFlag.AlignCenter)
        title = QLabel("Drop your files here")
        title.setProperty("role", "title")
        text = QLabel("A measurement and the mask of the rig are enough. They are sorted by their content, in any order.")
        text.setProperty("role", "muted")
        text.setWordWrap(True)
        text.setMaximumWidth(400)
        demo_text = QLabel("New here? The demo is a simulated rig whose true misalignment is known.")
        demo_text.setProperty("role", "muted")
        demo_text.setWordWrap(True)
        demo_text.setMaximumWidth(400)
        self.demo_button = self._action_button("file.demo", "Open demo", primary=True)
        self.open_button = self._action_button("file.open", "Open files …")
        layout = QVBoxLayout(card)
        layout.setSpacing(SPACE)
        layout.addStretch(1)
        for widget in (self._welcome_icon, title, text):
            layout.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
            if isinstance(widget, QLabel):
                widget.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout.addSpacing(SPACE)
        layout.addWidget(self.open_button, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addSpacing(GAP)
        demo_text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout.addWidget(demo_text, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addWidget(self.demo_button, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(1)
        return card

    def _build_summary(self) -> QFrame:
        card = QFrame()
        card.setProperty("role", "card")
        card.setObjectName("summary")
        self.summary_title = QLabel("Ready to check")
        self.summary_title.setProperty("role", "heading")
        self.summary = QLabel()
        self.summary.setObjectName("load_summary")
        self.summary.setWordWrap(True)
        self.summary.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.picture = ImagePanel("load_picture", "Measurement")
        self.picture.cursor_moved.connect(self._on_cursor)
        self.picture.export_requested.connect(self._on_export)
        self.run_button = self._action_button("run.start", "Run calibration", primary=True)
        layout = QVBoxLayout(card)
        layout.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        layout.setSpacing(SPACE)
        layout.addWidget(self.summary_title)
        layout.addWidget(self.summary)
        layout.addWidget(self.picture, 1)
        layout.addWidget(self.run_button, 0, Qt.AlignmentFlag.AlignRight)
        return card

    def _action_button(self, action_id: str, text: str, *, primary: bool = False) -> QPushButton:
        action = self._actions[action_id]
        button = QPushButton(text)
        button.setObjectName(f"load.{action_id}")
        button.setToolTip(action.toolTip())
        button.setAccessibleName(text.rstrip(" …"))
        if primary:
            button.setProperty("role", "primary")
        button.clicked.connect(action.trigger)
        return button

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self._palette = palette
        for slot in self.slots.values():
            slot.set_palette(palette)
        self.picture.set_palette(palette)
        self._welcome_icon.setPixmap(make_pixmap("load", palette, 56, palette.accent))
        self.open_button.setIcon(make_icon("open", palette))
        for button, icon in ((self.demo_button, "demo"), (self.run_button, "run")):
            button.setIcon(make_icon(icon, palette, palette.accent_text))

    # -- what arrives ---------------------------------------------------------------------------------------------
    def add_files(self, paths: Sequence[str]) -> None:
        """Sort files by content and put them into the slots (drop on the page, Open files, command line)."""
        if paths:
            self._examine(paths, "")

    def _examine(self, paths: Sequence[str], role: str) -> None:
        done = partial(self._on_examined, role)
        self._runner.submit(examine, tuple(paths), role, done=done, failed=self._on_examine_failed)

    def _on_examined(self, role: str, results: tuple[Examined, ...]) -> None:
        given: dict[str, list[str]] = {}
        lines: list[tuple[str, str]] = []
        for item in results:
            self._take(item, role, given, lines)
        for level, line in lines:
            self.logged.emit(level, line)
        self._show_notes(lines if not role or any(level == "error" for level, _ in lines) else [])
        if given:
            self._assign(given)
        self._refresh_slots()

    def _take(self, item: Examined, role: str, given: dict[str, list[str]], lines: list[tuple[str, str]]) -> None:
        """Sort one examined file into `given`, ask which array is meant, or say why it is refused."""
        name = short_name(item.spec)
        if item.problem:
            text = in_window_words(item.problem)
            lines.append(("error", f"{name} is not used: {text}"))
            if role:
                self._refused[role] = text
            return
        self._refused.pop(item.role, None)
        if item.arrays:
            key = self._ask_array(item.spec, item.arrays, item.role)
            if key is None:
                lines.append(("info", f"{name} is not used: no array was chosen"))
                return
            spec = f"{item.spec}::{key}"
            given.setdefault(item.role, []).append(spec)
            lines.append(("info", f"{name}: array {key} is the {NAMES[item.role]}"))
            return
        self._seen[item.spec] = item
        given.setdefault(item.role, []).append(item.spec)
        lines.append(("info", f"{name} → {NAMES[item.role]}" + (f": {item.reason}" if item.reason else "")))

    def _ask_array(self, spec: str, arrays: Sequence[Any], role: str) -> str | None:
        def request(key: str, reply: Any) -> None:
            def answer(results: tuple[Examined, ...]) -> None:
                (item,) = results
                reply(key, item.thumbnail, item.facts or in_window_words(item.problem))

            self._runner.submit(examine, (f"{spec}::{key}",), role, done=answer, key="array preview")

        return self._dialogs.choose_array(spec, arrays, request, NAMES[role])

    def _on_examine_failed(self, error: Exception) -> None:
        self._dialogs.error("The files could not be examined", str(error))

    def _assign(self, given: dict[str, list[str]]) -> None:
        """One undoable edit of the selection."""
        files = self._state.snapshot.files
        if files.demo:
            files = FileSelection(direction=files.direction, mode=files.mode)
        changes: dict[str, Any] = {FIELDS[role]: specs[-1] for role, specs in given.items() if role in FIELDS}
        new = tuple(given.get("measurement", ()))
        if new:
            old = tuple(m for m in files.measurements if m not in new)
            if old:
                answers = ("Add to them", "Replace them")
                text = f"{len(old)} measurement{'s are' if len(old) > 1 else ' is'} loaded. Are the new files of the same rig?"
                answer = self._dialogs.ask("More measurements", text, answers)
                if answer is None:
                    return
                old = old if answer == 0 else ()
            changes["measurements"] = (*old, *new)
        names = ", ".join(NAMES[r] for r in given)
        commands.edit(self._state, f"Choose {names}", files=replace(files, **changes))

    def _show_notes(self, lines: Sequence[tuple[str, str]]) -> None:
        words = {"error": "Problem: ", "warning": "Warning: ", "info": ""}
        self.notes.setText("\n".join(words[level] + line for level, line in lines))
        self.notes.setProperty("status", "bad" if any(level == "error" for level, _ in lines) else "")
        self.notes.style().unpolish(self.notes)
        self.notes.style().polish(self.notes)
        self.notes.setVisible(bool(lines))

    # -- intents of the slots -------------------------------------------------------------------------------------
    @Slot(str)
    def _on_choose(self, role: str) -> None:
        spec = self.slots[role].spec
        paths = self._dialogs.open_files(
            role, f"Choose the {NAMES[role]}", kind=KINDS.get(role, "image"), multiple=spec.multiple
        )
        if paths:
            self._examine(paths, role)

    @Slot(str, object)
    def _on_paths(self, role: str, paths: tuple[str, ...]) -> None:
        single = not self.slots[role].spec.multiple
        # Several files dropped on a slot for one are sorted like a drop on the page.
        self._examine(paths, "" if single and len(paths) > 1 else role)

    @Slot(str)
    def _on_array(self, role: str) -> None:
        """Choose another array of the (last) file of a slot."""
        entries = self.slots[role].entries
        if not entries or self._state.snapshot.files.demo:
            return
        path = entries[-1].partition("::")[0]
        self._runner.submit(_arrays_of, path, done=partial(self._on_arrays, role, entries[-1]), failed=self._on_examine_failed)

    def _on_arrays(self, role: str, entry: str, arrays: tuple[Any, ...]) -> None:
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

    @Slot(str, int)
    def _on_remove(self, role: str, index: int) -> None:
        files = self._state.snapshot.files
        if files.demo:
            commands.edit(self._state, "Close the demo", files=FileSelection())
        elif role == "measurement":
            kept = tuple(m for i, m in enumerate(files.measurements) if i != index)
            commands.edit(self._state, "Remove a measurement", files=replace(files, measurements=kept))
        else:
            commands.edit(self._state, f"Remove the {NAMES[role]}", files=replace(files, **{FIELDS[role]: ""}))

    @Slot(object)
    def _on_dispersion(self, values: DispersionValues) -> None:
        files = self._state.snapshot.files
        changed = replace(files, n_bands=values.n_bands, step_px=values.step_px, direction=values.direction, mode=values.mode)
        commands.edit(self._state, "Change the dispersion", "dispersion", files=changed)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_paths(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = dropped_paths(event)
        if paths:
            event.acceptProposedAction()
            self.add_files(paths)

    # -- showing --------------------------------------------------------------------------------------------------
    @Slot(object)
    def _on_changed(self, names: frozenset[str]) -> None:
        if names & {"files", "inputs", "loading", "load_problem"}:
            self._refresh()

    def _refresh(self) -> None:
        self._refresh_slots()
        self._refresh_summary()

    def _entries(self, role: str) -> tuple[str, ...]:
        files, inputs = self._state.snapshot.files, self._state.inputs
        if files.demo:
            sources = {"measurement": inputs is not None, "mask": inputs is not None, "cube": inputs is not None}
            return ("Demo rig (comes with the program)",) if sources.get(role) else ()
        if role == "measurement":
            return files.measurements
        entry = getattr(files, FIELDS[role])
        return (entry,) if entry else ()

    def _refresh_slots(self) -> None:
        files = self._state.snapshot.files
        for role, slot in self.slots.items():
            entries = self._entries(role)
            if slot.entries != entries:
                slot.set_entries(entries)
            slot.set_fixed(files.demo and bool(entries))
            if role in self._refused and not entries:
                slot.set_facts(self._refused[role], "bad")
            elif entries and not files.demo:
                self._show_facts(slot, entries)
        if files.demo and self._state.inputs is not None:
            self._runner.submit(_demo_overviews, self._state.inputs, done=self._on_demo_overviews, key="demo overviews")
        elif not files.mask and self._state.inputs is not None:
            source = self._state.inputs.mask_source
            self.slots["mask"].set_facts(f"The measurement's own mask is used ({short_name(source.path)}::{source.key}).", "ok")
        shown = self._state.inputs.dispersion if self._state.inputs is not None else None
        values = DispersionValues(files.n_bands, files.step_px, files.direction, files.mode)
        self.form.set_values(values, shown, from_table=bool(files.dispersion_csv), locked=files.demo)

    def _show_facts(self, slot: FileSlot, entries: tuple[str, ...]) -> None:
        missing = [e for e in entries if e not in self._seen]
        if missing:
            role = slot.spec.id
            self._runner.submit(examine, tuple(missing), role, done=self._on_looked, key=f"look {role}")
            slot.set_facts("Reading …")
            return
        items = [self._seen[e] for e in entries]
        problem = next((i.problem for i in items if i.problem), "")
        several = f"{len(items)} snapshots of one rig; the last: " if len(items) > 1 else ""
        slot.set_facts(in_window_words(problem) if problem else several + items[-1].facts, "bad" if problem else "")
        slot.set_thumbnail(items[-1].thumbnail)

    def _on_looked(self, results: tuple[Examined, ...]) -> None:
        for item in results:
            self._seen[item.spec] = item
        self._refresh_slots()

    def _on_demo_overviews(self, overviews: dict[str, Any]) -> None:
        if self._state.snapshot.files.demo:
            for role, seen in overviews.items():
                self.slots[role].set_facts(seen.words())
                self.slots[role].set_thumbnail(seen.thumbnail)

    def _refresh_summary(self) -> None:
        shot = self._state.snapshot
        something = bool(shot.files.measurements or shot.files.demo)
        self._right.setCurrentIndex(1 if something else 0)
        self.run_button.setEnabled(shot.inputs is not None)
        if shot.inputs is None:
            heading = "Reading …" if shot.loading else "Not complete yet"
            self.summary_title.setText(heading)
            self.summary.setText(shot.load_problem or ("The files are being read and checked." if shot.loading else ""))
            self._status(self.summary, "bad" if shot.load_problem else "")
            self.picture.set_image(None, empty="The measurement appears here when the files fit together.")
            return
        self.summary_title.setText("Ready")
        self._status(self.summary, "")
        self.summary.setText(_summary_text(shot.inputs, shot.truth is not None))
        self.picture.set_image(shot.inputs.frames[0].image, unit="counts")

    @staticmethod
    def _status(label: QLabel, status: str) -> None:
        label.setProperty("status", status)
        label.style().unpolish(label)
        label.style().polish(label)

    @Slot(object)
    def _on_cursor(self, cursor: tuple[int, int, float] | None) -> None:
        self.cursor_text.emit("" if cursor is None else self.picture.value_text(cursor[0], cursor[1]))

    @Slot(object)
    def _on_export(self, request: Any) -> None:
        path = self._dialogs.save_file("plot", "Save the picture", request.name, kind="plot")
        if path:
            request.write(Path(path))
            self.logged.emit("info", f"written: {path}")


def _summary_text(inputs: Any, demo: bool) -> str:
    """What will be calibrated, in two sentences."""
    rows, cols = inputs.frames[0].image.shape
    d = inputs.dispersion
    count = f"{len(inputs.frames)} snapshots" if len(inputs.frames) > 1 else "One snapshot"
    nm = d.wavelengths_nm
    waves = f", {nm[0]:.0f} … {nm[-1]:.0f} nm" if nm is not None else ""
    text = f"{count} of {rows} × {cols} px with a mask of {inputs.mask.shape[0]} × {inputs.mask.shape[1]} px. "
    text += f"{d.n_bands} bands{waves}, {d.step_px:.4g} px per band to the {d.direction}."
    return text + (" The demo's true misalignment is known, so the result can be checked against it." if demo else "")


def _arrays_of(path: str) -> tuple[Any, ...]:
    from cassi_core.io.readers import list_arrays

    return tuple(list_arrays(path))


def _demo_overviews(inputs: Any) -> dict[str, Any]:
    """Facts and thumbnails of arrays in memory (in the worker's thread)."""
    found = {"measurement": describe(inputs.frames[0].image, "", "measurement"), "mask": describe(inputs.mask, "", "mask")}
    if inputs.reference is not None:
        found["cube"] = describe(inputs.reference, "", "cube")
    return found
