"""Page 1: give the measurement and the mask; everything else is optional."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from cassi_gui.desktop.actions import Actions
from cassi_gui.desktop.dialogs import Dialogs
from cassi_gui.inputs.intake import FIELDS, KINDS, MAIN_SLOTS, NAMES, FileIntake
from cassi_gui.inputs.loading import CANCELLED, MASK_WANTED, in_window_words
from cassi_gui.inputs.monochromatic import FramesIntake
from cassi_gui.inputs.pictures import PictureSettings
from cassi_gui.inputs.recent import RecentEntry
from cassi_gui.pages.load_more import MoreInputs
from cassi_gui.pages.load_words import (
    ANY_ORDER,
    calibration_words,
    day_words,
    demo_overviews,
    recent_row,
    role_of_problem,
    summary_text,
)
from cassi_gui.pages.page import Page
from cassi_gui.run.controller import RunController
from cassi_gui.session import commands
from cassi_gui.session.state import AppState
from cassi_gui.session.values import is_session
from cassi_gui.style.paths import short_name
from cassi_gui.style.theme import LIGHT, MARGIN, SPACE, Palette
from cassi_gui.widgets.big_slot import BigSlot
from cassi_gui.widgets.cut_card import CutCard
from cassi_gui.widgets.demo_card import DemoCard
from cassi_gui.widgets.dispersion_form import DispersionValues
from cassi_gui.widgets.file_slot import FileSlot
from cassi_gui.widgets.reading_bar import ReadingBar
from cassi_gui.widgets.recent_card import RecentCard

if TYPE_CHECKING:
    from cassi_core.io.calibration_file import StoredCalibration
    from cassi_core.io.examine import Examined
    from cassi_core.io.overview import Overview

DEMO_ENTRY = "Demo rig"
RIGHT_WIDTH = 372
"""Largest width of the column with the demo and what was opened lately."""
SHARES = (7, 3)
"""How the slots and that column share the width."""
DISPERSION_FIELDS = ("n_bands", "step_px", "direction", "mode")
DISPERSION_QUESTION = (
    "Is there a table with the offset of each band, or a folder with frames of the mask in light of known wavelengths "
    "(mask_540nm.tif, 540.5.png), to measure it with?"
)
PROBLEM_BELOW = "What is wrong stands in red on this page"

HELP = """<h2>Load</h2>
<p>Two pictures are enough: what the camera took, and the mask. Drop one or many files anywhere on the window: they are sorted by their
content, and a line says why each one went where. A mask in the measurement's slot (or the other way round) is recognised and moved.</p>
<ul><li><b>Measurement</b>: the grey picture of the camera. Several snapshots of <i>one</i> rig are fitted together.</li>
<li><b>Mask</b>: the picture of the coded aperture as it was made, or photographed without dispersion.</li></ul>
<p><b>More inputs</b> unfolds what is optional:</p>
<ul><li><b>Dispersion</b>: bands and step come from the file or from the widths unless you set them. A table of offsets can be given, or a
<b>folder of frames of the mask</b> in light of known wavelengths (named like mask_540nm.tif): the dispersion is measured with them.</li>
<li><b>Dark</b> and <b>flat</b> frames, a <b>reference cube</b>; a map or table of <b>bad pixels</b> keeps them out of the fit;
a table of <b>wavelengths</b> names the bands.</li>
<li><b>Pictures</b>: average repeated exposures, use a region of the sensor (… draws it), mirror or turn pictures and mask.</li></ul>
<p>A file that holds several arrays opens a list with previews. A <code>.raw</code> file without a header is asked about: rows, columns,
type. ENVI cubes are chosen by their <code>.hdr</code>.</p>"""


class LoadPage(Page):
    """Two large slots, what is optional below them, the demo and what was opened lately at the right."""

    title = "Load"
    help_html = HELP
    recent_chosen = Signal(object)
    clear_recent_requested = Signal()
    tour_requested = Signal()

    def __init__(self, state: AppState, runner: RunController, actions: Actions, dialogs: Dialogs) -> None:
        super().__init__()
        self.setObjectName("page.load")
        self.setAccessibleName("Load")
        self._state, self._runner, self._actions, self._dialogs = state, runner, actions, dialogs
        self._palette: Palette = LIGHT
        self._recent: tuple[RecentEntry, ...] = ()
        self._demo: dict[str, Overview] = {}
        self._comes_next = ""
        self.intake = FileIntake(state, runner, dialogs, self)
        self.intake.noted.connect(self._show_notes)
        self.intake.logged.connect(self.logged)
        self.intake.seen_changed.connect(self._refresh)
        self.intake.calibration_given.connect(self._on_calibration)
        self.frames = FramesIntake(state, runner, dialogs, self)
        self.frames.told.connect(self._on_told)
        self.frames.logged.connect(self.logged)
        self._build()
        state.changed.connect(self._on_changed)
        self._show_notes(())
        self._refresh()

    @property
    def next_problems(self) -> tuple[str, ...]:
        """What is missing before Check makes sense; a problem is told in its slot, once."""
        shot = self._state.snapshot
        if shot.loading:
            return ("Reading the files …",)
        if shot.load_problem == MASK_WANTED:
            return ("Needs a mask",)
        if shot.load_problem:
            return (PROBLEM_BELOW,)
        if not shot.files.measurements and not shot.files.demo:
            return ("Needs a measurement and a mask" if not shot.files.mask else "Needs a measurement",)
        return () if shot.inputs is not None else ("The files are not loaded",)

    def add_files(self, paths: Sequence[str]) -> None:
        """Sort files by content and put them into the slots (drop on the window, Open files, command line)."""
        self._take(paths, "")

    def ask_for(self, role: str) -> None:
        """Ask for another measurement or mask, or open the fields of the dispersion."""
        if role == "dispersion":
            self.more.set_open(True)
            self.form.bands.setFocus()
        else:
            self._on_choose(role)

    def _take(self, paths: Sequence[str], role: str) -> None:
        """A session among the files is opened in place of everything; other files go into their slots."""
        session = next((path for path in paths if is_session(path)), "")
        if session:
            self.session_given.emit(session)
        elif paths:
            self.intake.offer(paths, role)

    # -- building -------------------------------------------------------------------------------------------------
    def _build(self) -> None:
        outer = QHBoxLayout(self)
        outer.setContentsMargins(MARGIN, 12, MARGIN, 12)
        outer.setSpacing(MARGIN)
        outer.addWidget(self._build_left(), 1)
        right = self._build_right()
        right.setMaximumWidth(RIGHT_WIDTH)
        outer.addWidget(right)
        for place, share in enumerate(SHARES):
            outer.setStretch(place, share)

    def _build_left(self) -> QScrollArea:
        headline = QLabel("Where is the mask in your picture?")
        headline.setProperty("role", "title")
        below = QLabel(
            "Give the picture that the imager took and the picture of its mask. Everything else is found or optional."
        )
        below.setProperty("role", "muted")
        below.setWordWrap(True)
        self.big = {spec.id: BigSlot(spec) for spec in MAIN_SLOTS}
        self.more = MoreInputs(self._palette)
        self.more.unfolded.connect(self._on_unfolded)
        self.form, self.camera = self.more.form, self.more.camera
        self.form.edited.connect(self._on_dispersion)
        self.pictures = PictureSettings(self.camera, self._state, self._runner, self._dialogs, self)
        self.slots: dict[str, BigSlot | FileSlot] = {**self.big, **self.more.slots}
        for slot in self.slots.values():
            slot.choose_requested.connect(self._on_choose)
            slot.paths_given.connect(self._on_paths)
            slot.array_requested.connect(self._on_array)
            slot.remove_requested.connect(self.intake.remove)
        self.notes, self.summary = _text_label("load_notes"), _text_label("load_summary")
        self.summary.setProperty("role", "small")
        self.reading = ReadingBar()
        self.reading.cancel_requested.connect(self.cancel_requested)
        self.reading.again_requested.connect(self.again_requested)
        two = QHBoxLayout()
        two.setSpacing(MARGIN)
        for big in self.big.values():
            big.shown_changed.connect(self._refresh_slots)
            two.addWidget(big, 1)
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE)
        self.cut = CutCard()
        column.addWidget(self.cut)
        column.addWidget(headline)
        column.addWidget(below)
        column.addLayout(two, 1)
        for widget in (self.more, self.notes, self.reading, self.summary):
            column.addWidget(widget)
        self._scroll = QScrollArea()
        self._scroll.setObjectName("load.scroll")
        self._scroll.setAccessibleName("Files and settings")
        self._scroll.setToolTip("Files of the rig, and how they are read")
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(inner)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        # Never narrower than what is in it: there is no bar to scroll sideways.
        self._scroll.setMinimumWidth(inner.minimumSizeHint().width() + self._scroll.verticalScrollBar().sizeHint().width())
        return self._scroll

    def _build_right(self) -> QWidget:
        self.demo = DemoCard()
        self.demo.demo_requested.connect(self._actions["file.demo"].trigger)
        self.demo.tour_requested.connect(self.tour_requested)
        self.demo_button = self.demo.demo
        self.recent = RecentCard()
        self.recent.chosen.connect(self._on_recent)
        self.recent.clear_requested.connect(self.clear_recent_requested)
        self.recent.session_requested.connect(self._actions["file.open_session"].trigger)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(self.demo)
        column.addWidget(self.recent, 1)
        return right

    @property
    def first_control(self) -> QWidget:
        """Where the keyboard begins: the slot that comes next."""
        return self.slots[self._comes_next or "measurement"].choose

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self._palette = self.frames.palette = self.pictures.palette = palette
        for slot in self.big.values():
            slot.set_palette(palette)
        self.more.set_palette(palette)
        self.cut.set_palette(palette)
        self.demo.set_palette(palette)
        self.recent.set_palette(palette)

    def forget(self) -> None:
        """Another session is in place."""
        self.intake.forget()
        self._demo = {}
        self.more.set_open(False)
        self._show_notes(())
        self._refresh()

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
            shown = self.big[role].shown_index if role in self.big else -1
            self.intake.choose_array(entries[shown], role)

    @Slot(int)
    def _on_recent(self, index: int) -> None:
        self.recent_chosen.emit(self._recent[index].files)

    @Slot(object)
    def _on_dispersion(self, values: DispersionValues) -> None:
        files = self._state.snapshot.files
        changed = replace(files, n_bands=values.n_bands, step_px=values.step_px, direction=values.direction, mode=values.mode)
        edited = "+".join(name for name in DISPERSION_FIELDS if getattr(changed, name) != getattr(files, name))
        commands.edit(self._state, "Change the dispersion", f"dispersion {edited}", files=changed)

    @Slot(str, str)
    def _on_told(self, level: str, text: str) -> None:
        self._show_notes(((level, text),) if text else ())

    @Slot(str)
    def _on_calibration(self, path: str) -> None:
        self.calibration_given.emit(path)
        done = partial(self._on_calibration_read, path)
        self._runner.submit(
            _read_calibration, path, done=done, failed=partial(self._on_no_calibration, path), key="calibration"
        )

    def _on_calibration_read(self, path: str, stored: StoredCalibration) -> None:
        self._show_notes((("info", calibration_words(path, stored.calibrated, datetime.now())),))

    def _on_no_calibration(self, path: str, error: Exception) -> None:
        self._show_notes((("error", f"{short_name(path)} is not used: {in_window_words(str(error))}"),))

    @Slot()
    def _on_unfolded(self) -> None:
        # After the layout has grown.
        QTimer.singleShot(0, self, self._show_unfolded)

    def _show_unfolded(self) -> None:
        bar = self._scroll.verticalScrollBar()
        bar.setValue(min(bar.maximum(), self.more.y() - SPACE))

    # -- showing --------------------------------------------------------------------------------------------------
    @Slot(object)
    def _show_notes(self, lines: Sequence[tuple[str, str]]) -> None:
        """How files were sorted, and what is wrong with those that no slot was given for."""
        words = {"error": "Problem: ", "warning": "Warning: ", "info": ""}
        self.notes.setText("\n".join(words[level] + line for level, line in lines) or ANY_ORDER)
        self.notes.setProperty("role", "" if lines else "small")
        _set_status(self.notes, "bad" if any(level == "error" for level, _ in lines) else "")

    @Slot(object)
    def _on_changed(self, names: frozenset[str]) -> None:
        if names & {"files", "inputs", "loading", "load_problem"}:
            self._refresh()

    @Slot(object)
    def show_cut(self, when: datetime | None) -> None:
        """Offer to go on with a run that was cut off at a moment; None: there is none (any more)."""
        self.cut.show_cut("" if when is None else day_words(when.isoformat(), datetime.now()))

    def show_recent(self, entries: Sequence[RecentEntry]) -> None:
        """List what was opened lately; who has opened something knows the demo."""
        self._recent = tuple(entries)
        today = datetime.now()
        self.recent.set_rows([recent_row(entry, today) for entry in self._recent])
        self.demo.set_short(bool(self._recent))

    @Slot()
    def _refresh(self) -> None:
        self._refresh_slots()
        self._refresh_summary()

    def _entries(self, role: str) -> tuple[str, ...]:
        files, inputs = self._state.snapshot.files, self._state.inputs
        if files.demo:
            return (DEMO_ENTRY,) if role in ("measurement", "mask", "cube") and inputs is not None else ()
        if role == "measurement":
            return files.measurements
        entry = str(vars(files)[FIELDS[role]])
        return (entry,) if entry else ()

    @Slot()
    def _refresh_slots(self) -> None:
        shot = self._state.snapshot
        files, inputs, problem = shot.files, shot.inputs, shot.load_problem
        at_fault = role_of_problem(problem, files, FIELDS) if problem not in ("", MASK_WANTED, CANCELLED) else ""
        for role, slot in self.slots.items():
            entries = self._entries(role)
            if slot.entries != entries:
                slot.set_entries(entries)
            slot.set_fixed(files.demo and bool(entries))
            if files.demo:
                self._show_demo(role, slot)
            elif entries:
                self._show_facts(slot, entries)
            if role in self.intake.refused:
                stays = f" Still used: {short_name(entries[-1])}." if entries else ""
                slot.set_facts(f"{self.intake.refused[role].rstrip('.')}.{stays}", "bad")
            elif role == at_fault:
                slot.set_facts(problem, "bad")
            elif not entries:
                slot.set_facts("" if isinstance(slot, BigSlot) else slot.spec.hint)
        if at_fault in self.more.slots:
            self.more.set_open(True)
        if not files.demo and not files.mask and inputs is not None:
            source = inputs.mask_source
            self.big["mask"].set_facts(f"The measurement's own mask is used ({short_name(source.path)}::{source.key}).", "ok")
        if files.demo and inputs is not None and not self._demo:
            self._runner.submit(demo_overviews, inputs, done=self._on_demo_overviews, key="demo overviews")
        values = DispersionValues(files.n_bands, files.step_px, files.direction, files.mode)
        shown = inputs.dispersion if inputs is not None else None
        self.form.set_values(values, shown, from_table=bool(files.dispersion_csv), locked=files.demo)
        self.pictures.refresh()
        self.more.show_count(files)
        self._mark_next()

    def _mark_next(self) -> None:
        """Tint the slot that comes next, and give it the focus when the hand was on a slot."""
        shot = self._state.snapshot
        comes_next = ""
        if not shot.files.demo and shot.inputs is None:
            comes_next = "measurement" if not shot.files.measurements else "" if shot.files.mask else "mask"
        before, self._comes_next = self._comes_next, comes_next
        for role, slot in self.big.items():
            slot.set_next(role == comes_next)
        focus = self.focusWidget()
        on_a_slot = focus is None or any(slot.isAncestorOf(focus) for slot in self.big.values())
        if comes_next and comes_next != before and on_a_slot:
            self.big[comes_next].choose.setFocus()

    def _show_facts(self, slot: BigSlot | FileSlot, entries: tuple[str, ...]) -> None:
        role, seen = slot.spec.id, self.intake.seen
        missing = [e for e in entries if (role, e) not in seen]
        if missing:
            self.intake.look_at(missing, role)
            slot.set_facts("Reading …")
            return
        index = slot.shown_index if isinstance(slot, BigSlot) else -1
        item = seen[role, entries[index]]
        gone = not Path(entries[index].partition("::")[0]).is_file()
        if item.problem and gone and self._state.inputs is not None:
            slot.set_facts("Kept in the session; the file itself is not there any more.", "warn")
            return
        if isinstance(slot, BigSlot):
            _fill(slot, item.seen, item)
        else:
            slot.set_facts(in_window_words(item.problem) or item.facts, "bad" if item.problem else "")
            slot.set_thumbnail(item.thumbnail)

    def _show_demo(self, role: str, slot: BigSlot | FileSlot) -> None:
        seen = self._demo.get(role)
        if seen is None or not slot.entries:
            return
        if isinstance(slot, BigSlot):
            _fill(slot, seen)
        else:
            slot.set_facts(seen.words())
            slot.set_thumbnail(seen.thumbnail)

    def _on_demo_overviews(self, overviews: dict[str, Overview]) -> None:
        self._demo = overviews
        self._refresh_slots()

    def _refresh_summary(self) -> None:
        shot = self._state.snapshot
        if shot.load_problem == CANCELLED:
            self.reading.show_stopped()
        elif not shot.loading:
            self.reading.rest()
        if shot.inputs is not None:
            self.summary.setText(summary_text(shot.inputs, shot.truth is not None))
        else:
            self.summary.setText(CANCELLED if shot.load_problem == CANCELLED else "Reading the files …" if shot.loading else "")
        self.summary.setVisible(bool(self.summary.text()))

    @Slot(str, float)
    def show_reading(self, text: str, fraction: float) -> None:
        """How far the files have been read."""
        if self._state.snapshot.loading:
            self.reading.show_progress(text, fraction)


def _fill(slot: BigSlot, seen: Overview | None, item: Examined | None = None) -> None:
    """Picture and facts of a file, or what is wrong with it."""
    if seen is None:
        slot.set_facts(in_window_words(item.problem) if item is not None else "", "bad")
        return
    slot.set_facts(seen.short_words())
    slot.set_picture(seen.thumbnail)
    slot.set_light(*(seen.exposure() if slot.spec.id == "measurement" else ("", "")))


def _text_label(name: str) -> QLabel:
    label = QLabel()
    label.setObjectName(name)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def _set_status(label: QLabel, status: str) -> None:
    label.setProperty("status", status)
    label.style().unpolish(label)
    label.style().polish(label)


def _read_calibration(path: str) -> StoredCalibration:
    from cassi_core.io.calibration_file import read_calibration

    return read_calibration(path)
