"""Page 1: choose the files of a rig, see what is in them, and say how the light is dispersed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from cassi_gui.desktop.actions import Actions
from cassi_gui.desktop.dialogs import Dialogs
from cassi_gui.desktop.saving import save_plot
from cassi_gui.inputs.intake import FIELDS, KINDS, NAMES, SLOTS, FileIntake
from cassi_gui.inputs.loading import CANCELLED, MASK_WANTED, in_window_words
from cassi_gui.inputs.monochromatic import FramesIntake
from cassi_gui.inputs.pictures import PictureSettings
from cassi_gui.pages.page import Page
from cassi_gui.run.controller import RunController
from cassi_gui.session import commands
from cassi_gui.session.state import AppState, FileSelection, selection_title
from cassi_gui.session.values import is_session
from cassi_gui.style.icons import make_icon, make_pixmap
from cassi_gui.style.paths import short_name
from cassi_gui.style.theme import GAP, LIGHT, MARGIN, SPACE, Palette
from cassi_gui.widgets.camera_form import CameraForm
from cassi_gui.widgets.dispersion_form import DispersionForm, DispersionValues
from cassi_gui.widgets.file_slot import FileSlot
from cassi_gui.widgets.reading_bar import ReadingBar
from cassi_gui.widgets.recent_list import RecentList

if TYPE_CHECKING:
    from cassi_gui.plots.image_panel import ImagePanel

DEMO_ENTRY = "Demo rig"
DISPERSION_FIELDS = ("n_bands", "step_px", "direction", "mode")
RARE = ("bad-pixel map", "wavelengths")
"""Slots that few rigs need: they come after everything else."""
DISPERSION_QUESTION = (
    "Is there a table with the offset of each band, or a folder with frames of the mask in light of known wavelengths "
    "(mask_540nm.tif, 540.5.png), to measure it with?"
)

HELP = """<h2>Load</h2>
<p>Give the program what your rig left on disk. Drop one or many files anywhere on the window: they are sorted by their content,
and a line says why each one went where. You can also drop on a slot, type a path into it, or use <b>Choose …</b>.</p>
<ul><li><b>Measurement</b>: the grey picture of the camera. Several snapshots of <i>one</i> rig are fitted together.</li>
<li><b>Mask</b>: the picture of the coded aperture as it was made, or photographed without dispersion.</li>
<li><b>Dark</b> and <b>flat</b> frames, a <b>reference cube</b> and a <b>dispersion table</b> are optional.</li>
<li>A map or table of <b>bad pixels</b> keeps them out of the fit; a table of <b>wavelengths</b> names the bands.</li>
<li><b>Pictures</b>: average repeated exposures, use a region of the sensor (… draws it), mirror or turn pictures and mask.</li>
<li>Instead of a table, a <b>folder of frames of the mask</b> in light of known wavelengths (named like mask_540nm.tif) can be dropped on the
dispersion slot: the dispersion is measured with them and shown, with what is left over.</li></ul>
<p>A file that holds several arrays opens a list with previews; <code>FILE::key</code> in the path names one directly.
A <code>.raw</code> file without a header is asked about: rows, columns, type. ENVI cubes are chosen by their <code>.hdr</code>.
Bands and step come from the file or from the widths unless you set them.</p>"""


class LoadPage(Page):
    """Slots, dispersion form, and a look at the measurement."""

    title = "Load"
    help_html = HELP

    def __init__(self, state: AppState, runner: RunController, actions: Actions, dialogs: Dialogs) -> None:
        super().__init__()
        self.setObjectName("page.load")
        self.setAccessibleName("Load")
        self._state, self._runner, self._actions, self._dialogs = state, runner, actions, dialogs
        self._palette: Palette = LIGHT
        self._picture: ImagePanel | None = None
        self._recent: tuple[FileSelection, ...] = ()
        self.intake = FileIntake(state, runner, dialogs, self)
        self.intake.noted.connect(self._show_notes)
        self.intake.logged.connect(self.logged)
        self.intake.seen_changed.connect(self._refresh_slots)
        self.frames = FramesIntake(state, runner, dialogs, self)
        self.frames.told.connect(self._on_told)
        self.frames.logged.connect(self.logged)
        self._build()
        state.changed.connect(self._on_changed)
        self._refresh()

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

    def add_files(self, paths: Sequence[str]) -> None:
        """Sort files by content and put them into the slots (drop on the window, Open files, command line)."""
        self._take(paths, "")

    def _take(self, paths: Sequence[str], role: str) -> None:
        """A session among the files is opened in place of everything; other files go into their slots."""
        session = next((path for path in paths if is_session(path)), "")
        if session:
            self.session_given.emit(session)
        elif paths:
            self.intake.offer(paths, role)

    # -- building -------------------------------------------------------------------------------------------------
    def _build(self) -> None:
        self.slots: dict[str, FileSlot] = {}
        main, more = _two_columns(), _two_columns()
        for i, spec in enumerate(SLOTS):
            slot = FileSlot(spec, self._palette)
            slot.choose_requested.connect(self._on_choose)
            slot.paths_given.connect(self._on_paths)
            slot.array_requested.connect(self._on_array)
            slot.remove_requested.connect(self.intake.remove)
            self.slots[spec.id] = slot
            (more if spec.id in RARE else main).addWidget(slot, i // 2, i % 2)
        self.form = DispersionForm()
        self.form.edited.connect(self._on_dispersion)
        self.camera = CameraForm()
        self.pictures = PictureSettings(self.camera, self._state, self._runner, self._dialogs, self)
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
        column.addLayout(main)
        column.addWidget(self.form)
        column.addWidget(self.notes)
        column.addWidget(self.camera)
        column.addLayout(more)
        self.recent = RecentList()
        self.recent.chosen.connect(self._on_recent)
        column.addWidget(self.recent, 1)
        scroll = QScrollArea()
        scroll.setObjectName("load.scroll")
        scroll.setAccessibleName("Files and settings")
        scroll.setToolTip("Files of the rig, and how they are read")
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inner)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._right = QStackedWidget()
        self._right.addWidget(self._build_welcome())
        self._right.addWidget(self._build_summary())
        outer = QHBoxLayout(self)
        outer.setContentsMargins(MARGIN, MARGIN, MARGIN, SPACE)
        outer.setSpacing(MARGIN)
        outer.addWidget(scroll, 8)
        outer.addWidget(self._right, 5)

    def _build_welcome(self) -> QFrame:
        card = QFrame()
        card.setProperty("role", "card")
        card.setObjectName("welcome")
        self._welcome_icon = QLabel()
        title = QLabel("Drop your files here")
        title.setProperty("role", "title")
        text = self._paragraph(
            "A measurement and the mask of the rig are enough.\nThey are sorted by their content, in any order."
        )
        demo_text = self._paragraph("New here? The demo is a simulated rig\nwhose true misalignment is known.")
        self.demo_button = self._action_button("file.demo", "Open demo", primary=True)
        self.open_button = self._action_button("file.open", "Open files …")
        layout = QVBoxLayout(card)
        layout.setSpacing(SPACE)
        layout.addStretch(1)
        for widget in (self._welcome_icon, title, text, self.open_button, None, demo_text, self.demo_button):
            if widget is None:
                layout.addSpacing(GAP)
            else:
                layout.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(1)
        return card

    @staticmethod
    def _paragraph(text: str) -> QLabel:
        label = QLabel(text)
        label.setProperty("role", "muted")
        label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        return label

    def _build_summary(self) -> QFrame:
        card = QFrame()
        card.setProperty("role", "card")
        card.setObjectName("summary")
        self.summary_title = QLabel()
        self.summary_title.setProperty("role", "heading")
        self.summary = QLabel()
        self.summary.setObjectName("load_summary")
        self.summary.setWordWrap(True)
        self.summary.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._summary_layout = QVBoxLayout(card)
        self._summary_layout.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        self._summary_layout.setSpacing(SPACE)
        self._summary_layout.addWidget(self.summary_title)
        self._summary_layout.addWidget(self.summary)
        self.reading = ReadingBar()
        self.reading.cancel_requested.connect(self.cancel_requested)
        self.reading.again_requested.connect(self.again_requested)
        self._summary_layout.addWidget(self.reading)
        self._filler = QWidget()
        self._summary_layout.addWidget(self._filler, 1)
        return card

    @property
    def first_control(self) -> QWidget:
        """Where the keyboard begins: the demo while there is nothing, else the first slot."""
        return self.demo_button if self._right.currentIndex() == 0 else self.slots["measurement"].choose

    @property
    def picture(self) -> ImagePanel:
        """The measurement; made when the first one arrives, because it brings the plots with it."""
        if self._picture is None:
            from cassi_gui.plots.image_panel import ImagePanel

            self._picture = ImagePanel("load_picture", "Measurement")
            self._picture.set_palette(self._palette)
            self._picture.cursor_moved.connect(self._on_cursor)
            self._picture.export_requested.connect(self._on_export)
            self._summary_layout.replaceWidget(self._filler, self._picture)
            self._filler.deleteLater()
            self._summary_layout.setStretchFactor(self._picture, 1)
        return self._picture

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
        self._palette = self.frames.palette = self.pictures.palette = palette
        for slot in self.slots.values():
            slot.set_palette(palette)
        if self._picture is not None:
            self._picture.set_palette(palette)
        self._welcome_icon.setPixmap(make_pixmap("load", palette, 56, palette.accent))
        self.open_button.setIcon(make_icon("open", palette))
        self.demo_button.setIcon(make_icon("demo", palette, palette.accent_text))

    # -- intents --------------------------------------------------------------------------------------------------
    @Slot(str)
    def _on_choose(self, role: str) -> None:
        if role == "dispersion":
            answer = self._dialogs.ask("Dispersion", DISPERSION_QUESTION, ("Read a table", "Measure with frames"))
            if answer is None:
                return
            if answer == 1:
                folder = self._dialogs.folder("frames", "Choose the folder of the monochromatic frames")
                if folder:
                    self.frames.offer(folder)
                return
        several = self.slots[role].spec.multiple
        paths = self._dialogs.open_files(role, f"Choose the {NAMES[role]}", kind=KINDS.get(role, "image"), multiple=several)
        self._take(paths, role)

    @Slot(str, object)
    def _on_paths(self, role: str, paths: tuple[str, ...]) -> None:
        if len(paths) == 1 and Path(paths[0]).is_dir() and role == "dispersion":
            self.frames.offer(paths[0])
            return
        single = not self.slots[role].spec.multiple
        # Several files dropped on a slot for one are sorted like a drop on the page.
        self._take(paths, "" if single and len(paths) > 1 else role)

    @Slot(str)
    def _on_array(self, role: str) -> None:
        entries = self.slots[role].entries
        if entries and not self._state.snapshot.files.demo:
            self.intake.choose_array(entries[-1], role)

    @Slot(int)
    def _on_recent(self, index: int) -> None:
        commands.edit(self._state, "Open recent files", files=self._recent[index])

    @Slot(object)
    def _on_dispersion(self, values: DispersionValues) -> None:
        files = self._state.snapshot.files
        changed = replace(files, n_bands=values.n_bands, step_px=values.step_px, direction=values.direction, mode=values.mode)
        edited = "+".join(name for name in DISPERSION_FIELDS if getattr(changed, name) != getattr(files, name))
        commands.edit(self._state, "Change the dispersion", f"dispersion {edited}", files=changed)

    @Slot(str, str)
    def _on_told(self, level: str, text: str) -> None:
        self._show_notes(((level, text),) if text else ())

    # -- showing --------------------------------------------------------------------------------------------------
    @Slot(object)
    def _show_notes(self, lines: Sequence[tuple[str, str]]) -> None:
        """How files were sorted, and what is wrong with those that are not used."""
        words = {"error": "Problem: ", "warning": "Warning: ", "info": ""}
        self.notes.setText("\n".join(words[level] + line for level, line in lines))
        self._status(self.notes, "bad" if any(level == "error" for level, _ in lines) else "")
        self.notes.setVisible(bool(lines))

    @Slot(object)
    def _on_changed(self, names: frozenset[str]) -> None:
        if names & {"files", "inputs", "loading", "load_problem"}:
            self._refresh()

    def show_recent(self, selections: Sequence[FileSelection]) -> None:
        """List what was opened lately."""
        self._recent = tuple(selections)
        self.recent.set_entries([(selection_title(s), "\n".join((*s.measurements, s.mask)).strip()) for s in self._recent])

    def _refresh(self) -> None:
        self._refresh_slots()
        self._refresh_summary()

    def _entries(self, role: str) -> tuple[str, ...]:
        files, inputs = self._state.snapshot.files, self._state.inputs
        if files.demo:
            return (DEMO_ENTRY,) if role in ("measurement", "mask", "cube") and inputs is not None else ()
        if role == "measurement":
            return files.measurements
        entry = str(getattr(files, FIELDS[role]))
        return (entry,) if entry else ()

    @Slot()
    def _refresh_slots(self) -> None:
        files, inputs = self._state.snapshot.files, self._state.inputs
        for role, slot in self.slots.items():
            entries = self._entries(role)
            if slot.entries != entries:
                slot.set_entries(entries)
            slot.set_fixed(files.demo and bool(entries))
            if role in self.intake.refused:
                stays = f" Still used: {short_name(entries[-1])}." if entries else ""
                slot.set_facts(f"{self.intake.refused[role].rstrip('.')}.{stays}", "bad")
            elif entries and not files.demo:
                self._show_facts(slot, entries)
        if files.demo and inputs is not None:
            self._runner.submit(_demo_overviews, inputs, done=self._on_demo_overviews, key="demo overviews")
        elif not files.mask and inputs is not None:
            source = inputs.mask_source
            self.slots["mask"].set_facts(f"The measurement's own mask is used ({short_name(source.path)}::{source.key}).", "ok")
        values = DispersionValues(files.n_bands, files.step_px, files.direction, files.mode)
        shown = inputs.dispersion if inputs is not None else None
        self.form.set_values(values, shown, from_table=bool(files.dispersion_csv), locked=files.demo)
        self.pictures.refresh()

    def _show_facts(self, slot: FileSlot, entries: tuple[str, ...]) -> None:
        seen = self.intake.seen
        missing = [e for e in entries if e not in seen]
        if missing:
            self.intake.look_at(missing, slot.spec.id)
            slot.set_facts("Reading …")
            return
        items = [seen[e] for e in entries]
        problem = next((i.problem for i in items if i.problem), "")
        several = f"{len(items)} snapshots of one rig; the last: " if len(items) > 1 else ""
        gone = [e for e in entries if not Path(e.partition("::")[0]).is_file()]
        if problem and gone and self._state.inputs is not None:
            slot.set_facts("Kept in the session; the file itself is not there any more.", "warn")
            return
        slot.set_facts(in_window_words(problem) if problem else several + items[-1].facts, "bad" if problem else "")
        slot.set_thumbnail(items[-1].thumbnail)

    def _on_demo_overviews(self, overviews: dict[str, Any]) -> None:
        if self._state.snapshot.files.demo:
            for role, seen in overviews.items():
                self.slots[role].set_facts(seen.words())
                self.slots[role].set_thumbnail(seen.thumbnail)

    def _refresh_summary(self) -> None:
        shot = self._state.snapshot
        something = bool(shot.files.measurements or shot.files.demo)
        self._right.setCurrentIndex(1 if something else 0)
        if shot.inputs is None:
            self.summary_title.setText("Reading …" if shot.loading else "Not complete yet")
            self.summary.setText(shot.load_problem or ("The files are being read and checked." if shot.loading else ""))
            self._status(self.summary, "bad" if shot.load_problem not in ("", MASK_WANTED) else "")
            if shot.load_problem == CANCELLED:
                self.reading.show_stopped()
            else:
                self.reading.rest()
            if self._picture is not None:
                self._picture.set_image(None, empty="The measurement appears here when the files fit together.")
            return
        self.reading.rest()
        self.summary_title.setText("Ready")
        self._status(self.summary, "")
        self.summary.setText(_summary_text(shot.inputs, shot.truth is not None))
        count = len(shot.inputs.frames)
        self.picture.set_title("Measurement" if count < 2 else f"Measurement, first of {count} snapshots")
        self.picture.set_image(shot.inputs.frames[0].image)

    @Slot(str, float)
    def show_reading(self, text: str, fraction: float) -> None:
        """How far the files have been read."""
        if self._state.snapshot.loading:
            self.reading.show_progress(text, fraction)

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
        save_plot(self._dialogs, self._runner, request, self.logged.emit)


def _two_columns() -> QGridLayout:
    grid = QGridLayout()
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setSpacing(SPACE)
    grid.setColumnStretch(0, 1)
    grid.setColumnStretch(1, 1)
    return grid


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


def _demo_overviews(inputs: Any) -> dict[str, Any]:
    """Facts and thumbnails of arrays in memory (in the worker's thread)."""
    from cassi_core.io.overview import describe

    found = {"measurement": describe(inputs.frames[0].image, "", "measurement"), "mask": describe(inputs.mask, "", "mask")}
    if inputs.reference is not None:
        found["cube"] = describe(inputs.reference, "", "cube")
    return found
