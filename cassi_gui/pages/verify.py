"""Verify: is an earlier calibration still right for today's picture? A place of its own, which answers in seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QPushButton, QVBoxLayout, QWidget

from cassi_core.errors import CassiError, MaskWantedError, RunCancelled
from cassi_core.formatting import format_duration
from cassi_core.inputs import CalibrationInputs
from cassi_core.io.calibration_file import SESSION_SUFFIX
from cassi_core.logbook.drift import Trend
from cassi_core.logbook.entry import LogEntry
from cassi_core.parameters import ParameterSet
from cassi_core.run import Progress, RunControl, StageStarted
from cassi_core.session import FileSelection
from cassi_core.verification.result import Verification
from cassi_gui.desktop.actions import Actions
from cassi_gui.desktop.dialogs import Dialogs
from cassi_gui.desktop.saving import save_plot
from cassi_gui.inputs.calibrations import is_calibration
from cassi_gui.inputs.loading import in_window_words
from cassi_gui.inputs.verifying import (
    EarlierChoice,
    Verified,
    choice_of_entry,
    choice_of_file,
    choice_of_run,
    lay_loupe,
    short_day,
    verify_files,
)
from cassi_gui.logbook import commands as edits
from cassi_gui.logbook.keeper import LogbookKeeper
from cassi_gui.pages.page import Page
from cassi_gui.pages.verify_evidence import VerifyEvidence
from cassi_gui.plots.export import PlotExport
from cassi_gui.run.controller import DRAIN_INTERVAL_MS, Mailbox, RunController
from cassi_gui.session.state import AppState
from cassi_gui.style.icons import make_icon
from cassi_gui.style.paths import short_name
from cassi_gui.style.theme import LIGHT, MARGIN, SPACE, Palette
from cassi_gui.widgets.answer_card import AnswerCard
from cassi_gui.widgets.changes_table import ChangesTable
from cassi_gui.widgets.given_card import GivenCard
from cassi_gui.widgets.next_step_card import NextStepCard

if TYPE_CHECKING:
    from cassi_core.io.overview import Overview
    from cassi_core.quality.loupe import Loupe

STATUS = {"holds": "ok", "drifted": "bad", "cannot_tell": "warn"}
WANTED = "Choose an earlier calibration and today's picture: the answer comes by itself."
LATEST_ENTRIES = 8
"""Entries of the logbook that the button offers at once; older ones are in the logbook's files."""
NARROW_PX = 1180
"""Below this width the page uses its short words."""


@dataclass(frozen=True, eq=False)
class FreshStart:
    """A calibration to begin: today's pictures as chosen and as read, and the values to start from."""

    files: FileSelection
    inputs: CalibrationInputs
    start: ParameterSet


class VerifyPage(Page):
    """A place of its own (Ctrl+2)."""

    calibrate_requested = Signal(object)
    """A :class:`FreshStart`: calibrate today's picture from the earlier values."""

    can_blink = True
    title = "Verify"
    help_html = (
        "<p>Is yesterday's calibration still right? Give an <b>earlier calibration</b> (a file, an entry of the logbook, or the one in force) and "
        "<b>today's picture</b> of the rig: the answer comes by itself in seconds.</p>"
        "<p><b>Holds</b>: nothing moved, or by less than 0.10 px in the picture. <b>Drifted</b>: something moved by more than that, and by more than "
        "the errors explain. <b>Cannot tell</b>: the mask is not in the picture, or there is too little light to see 0.10 px.</p>"
        "<p>Each line is a parameter: both values, the change with its error, the change in errors, and a mark against what is allowed. What one "
        "picture cannot tell counts for neither side. <b>Mask edges</b> shows picture and calculation with the earlier and with today's values; "
        "streaks that run on across the line prove the place.</p>"
        "<p><b>Calibrate from these values</b> opens Run with today's picture and the earlier values as start.</p>"
    )

    def __init__(
        self, state: AppState, runner: RunController, actions: Actions, dialogs: Dialogs, keeper: LogbookKeeper
    ) -> None:
        super().__init__()
        self.setObjectName("verify_page")
        self.setAccessibleName(self.title)
        self._state, self._runner, self._actions, self._dialogs, self._keeper = state, runner, actions, dialogs, keeper
        self._palette: Palette = LIGHT
        self._earlier: EarlierChoice | None = None
        self._files = FileSelection()
        self._verified: Verified | None = None
        self._mask_wanted = self._noted = False
        self._control, self._loupe_control = RunControl(), RunControl()
        self._mailbox = Mailbox()
        self._what = ""
        self._timer = QTimer(self)
        self._timer.setInterval(DRAIN_INTERVAL_MS)
        self._timer.timeout.connect(self._drain)
        self._build()
        self._connect()
        self._show_missing()
        keeper.read_soon()

    # -- building ---------------------------------------------------------------------------------------------------
    def _build(self) -> None:
        self.earlier_card = GivenCard(
            "verify_earlier", "Earlier calibration", "logbook", "A file, a logbook entry, or the one in force"
        )
        self.menu = QMenu(self)
        self.menu.setObjectName("verify_earlier_menu")
        self.earlier_card.set_menu(self.menu)
        self.today_card = GivenCard("verify_today", "Today's picture", "image", "A new snapshot of the same rig")
        self.again = QPushButton("Verify again")
        self.again.setObjectName("verify_again")
        self.again.setAccessibleName("Verify again")
        self.again.setToolTip("Read both once more and verify")
        top = QHBoxLayout()
        top.setSpacing(SPACE)
        beside = QLabel("beside")
        beside.setProperty("role", "muted")
        top.addWidget(self.earlier_card, 1)
        top.addWidget(beside)
        top.addWidget(self.today_card, 1)
        top.addWidget(self.again)
        self.answer = AnswerCard()
        self.changes = ChangesTable()
        self.decision = NextStepCard()
        left = QVBoxLayout()
        left.setSpacing(SPACE)
        left.addWidget(self.answer)
        left.addWidget(self.changes)
        left.addStretch(1)
        left.addWidget(self.decision)
        self.evidence = VerifyEvidence()
        columns = QHBoxLayout()
        columns.setSpacing(MARGIN)
        columns.addLayout(left, 3)
        columns.addWidget(self.evidence, 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, SPACE + SPACE // 2, MARGIN, SPACE + SPACE // 2)
        layout.setSpacing(SPACE + SPACE // 2)
        layout.addLayout(top)
        layout.addLayout(columns, 1)

    def _connect(self) -> None:
        self.menu.aboutToShow.connect(self._fill_menu)
        self.earlier_card.paths_given.connect(self._on_paths)
        self.today_card.paths_given.connect(self._on_paths)
        self.today_card.change_requested.connect(self._on_choose_today)
        self.decision.picture_requested.connect(self._on_choose_today)
        self.again.clicked.connect(self.start)
        self.answer.cancel_requested.connect(self._on_cancel)
        self.decision.mask_requested.connect(self._on_choose_mask)
        self.decision.calibration_requested.connect(self._on_calibrate)
        self.decision.note_requested.connect(self._on_note)
        self.evidence.loupe.cursor_text.connect(self.cursor_text)
        for panel in (self.evidence.loupe, self.evidence.history):
            panel.export_requested.connect(self._on_export)
        self._keeper.changed.connect(self._show_history)
        self._state.changed.connect(self._on_state)

    # -- what is given ----------------------------------------------------------------------------------------------
    def give(self, earlier: EarlierChoice | None = None, files: FileSelection | None = None) -> None:
        """Put an earlier calibration and today's pictures into their places; the verification starts when both are there."""
        if earlier is not None:
            self._earlier = earlier
            self.earlier_card.show_given(earlier.title, earlier.detail)
        if files is not None and files.measurements:
            self._files = replace(files, mask="")
            more = f" and {len(files.measurements) - 1} more" if len(files.measurements) > 1 else ""
            self.today_card.show_given(short_name(files.measurements[0]) + more, "")
            self._runner.submit(
                _overview, files.measurements[0], done=self._on_overview, failed=self._on_no_overview, key="verify overview"
            )
        self.start()

    def give_calibration(self, path: str) -> None:
        """A calibration file as the earlier calibration, beside the measurement that is loaded if there is one."""
        files = self._state.snapshot.files
        self.give(choice_of_file(path), files if files.measurements and not self._files.measurements else None)

    @Slot(object)
    def _on_paths(self, paths: Sequence[str]) -> None:
        """Files dropped on either card: which is which is told by their content."""
        calibrations = [p for p in paths if is_calibration(p) or p.lower().endswith(SESSION_SUFFIX)]
        pictures = tuple(p for p in paths if p not in calibrations)
        self.give(
            choice_of_file(calibrations[-1]) if calibrations else None,
            FileSelection(measurements=pictures) if pictures else None,
        )

    @Slot()
    def _fill_menu(self) -> None:
        """The calibration in force, the latest entries of the logbook, any file."""
        self.menu.clear()
        self.menu.addAction("Calibration file \N{HORIZONTAL ELLIPSIS}").triggered.connect(self._on_choose_earlier)
        accepted = self._state.accepted_run
        if accepted is not None:
            choice = choice_of_run(accepted, self._keeper.entry_of(accepted.uid))
            self.menu.addAction(f"In force: {accepted.name}").triggered.connect(partial(self._choose, choice))
        entries = [e for e in self._keeper.view.contents.entries if e.in_force and e.path]
        if entries:
            self.menu.addSeparator()
        for entry in reversed(entries[-LATEST_ENTRIES:]):
            text = f"Entry {entry.id} of {entry.rig}, {short_day(entry.calibrated)}, {entry.verdict.status}"
            self.menu.addAction(text).triggered.connect(partial(self._choose, choice_of_entry(entry)))

    def _choose(self, choice: EarlierChoice, _checked: bool = False) -> None:
        self.give(choice)

    @Slot()
    def _on_choose_earlier(self) -> None:
        paths = self._dialogs.open_files("calibration", "Choose an earlier calibration", kind="calibration", multiple=False)
        if paths:
            self.give(choice_of_file(paths[0]))

    @Slot()
    def _on_choose_today(self) -> None:
        paths = self._dialogs.open_files("measurement", "Choose today's picture", kind="image")
        if paths:
            self.give(files=FileSelection(measurements=tuple(paths)))

    @Slot()
    def _on_choose_mask(self) -> None:
        paths = self._dialogs.open_files("mask", "Choose the mask of the calibration", kind="image", multiple=False)
        if paths:
            self._files = replace(self._files, mask=paths[0])
            self.start()

    def _on_overview(self, seen: Overview) -> None:
        size = " \u00d7 ".join(str(n) for n in seen.shape)
        self.today_card.show_given(self.today_card.title, f"{size} px", seen.thumbnail)

    def _on_no_overview(self, error: Exception) -> None:
        """The verification says what is wrong with the file."""

    # -- verifying --------------------------------------------------------------------------------------------------
    @Slot()
    def start(self) -> None:
        """Verify, if both are there; an older verification ends."""
        self._control.cancel()
        self._loupe_control.cancel()
        self._verified, self._mask_wanted, self._noted = None, False, False
        self._show_missing()
        if self._earlier is None or not self._files.measurements:
            return
        self._control, self._mailbox, self._what = RunControl(), Mailbox(), "Reading both"
        self.answer.show_progress(0.0, self._what)
        self._timer.start()
        self._runner.submit(
            verify_files,
            self._earlier,
            self._files,
            self._control,
            self._mailbox.put,
            done=self._on_verified,
            failed=self._on_failed,
            key="verify",
            control=self._control,
        )

    @Slot()
    def _drain(self) -> None:
        for event in self._mailbox.drain():
            if isinstance(event, StageStarted):
                self._what = event.label
            elif isinstance(event, Progress):
                self.answer.show_progress(event.fraction, self._what)

    @Slot()
    def _on_cancel(self) -> None:
        self._control.cancel()
        self._end("", "Not verified", ("The verification was cancelled.",))

    def _end(self, status: str, title: str, sentences: tuple[str, ...]) -> None:
        self._timer.stop()
        self.answer.say(status, title, sentences)
        self._refresh_buttons()

    def _on_failed(self, error: Exception) -> None:
        if isinstance(error, RunCancelled):
            self._end("", "Not verified", ("The verification was cancelled.",))
            return
        self._mask_wanted = isinstance(error, MaskWantedError)
        if self._mask_wanted:
            gone = str(error).partition(";")[0]
            self._end("warn", "The mask is not where it was", (f"{gone}. Choose where it lies now.",))
            return
        known = isinstance(error, CassiError)
        text = in_window_words(str(error)) if known else f"{type(error).__name__}: {error}"
        self._end("warn", "Cannot be verified", (text.rstrip(".") + ".",))
        self.logged.emit("error", f"verify: {text}")

    def _on_verified(self, verified: Verified) -> None:
        from cassi_core.verification.words import headline

        self._verified = verified
        found = verified.found
        title = headline(found)
        sentences = tuple(in_window_words(reason) for reason in found.reasons)
        self._end(STATUS[found.state], title, sentences)
        self.logged.emit("info", f"verified in {format_duration(found.seconds)}: {title}. {' '.join(sentences)}")
        assert self._earlier is not None
        self.changes.setVisible(found.found)
        self.changes.set_changes(found.changes, self._earlier.short, verified.inputs.dispersion.direction)
        self._show_history()
        if found.found:
            self.evidence.await_loupe()
            self._loupe_control = RunControl()
            self._runner.submit(
                lay_loupe,
                verified,
                self._loupe_control,
                done=self._on_loupe,
                failed=self._on_no_loupe,
                key="verify loupe",
                control=self._loupe_control,
            )

    def _on_loupe(self, loupe: Loupe) -> None:
        self.evidence.show_loupe(loupe, self._earlier_words())

    def _on_no_loupe(self, error: Exception) -> None:
        if not isinstance(error, RunCancelled):
            self.evidence.show_no_loupe(f"The mask's edges cannot be shown: {error}")

    def _earlier_words(self) -> str:
        return "Earlier" if self._earlier is None or self._earlier.short == "earlier" else self._earlier.short

    # -- showing ----------------------------------------------------------------------------------------------------
    def _show_missing(self) -> None:
        """Nothing was verified yet: what is wanted next, and no panel without content."""
        self._timer.stop()
        self.answer.say("", "Is an earlier calibration still right?", (WANTED,))
        self.changes.hide()
        self.evidence.clear()
        self._refresh_buttons()

    def _refresh_buttons(self) -> None:
        verified = self._verified
        both = self._earlier is not None and bool(self._files.measurements)
        self.again.setEnabled(both)
        self.earlier_card.set_next(self._earlier is None)
        self.today_card.set_next(self._earlier is not None and not self._files.measurements)
        self.decision.offer(
            None if verified is None else verified.found.state,
            mask_wanted=self._mask_wanted,
            has_entry=self._entry() is not None,
            noted=self._noted,
        )

    def _entry(self) -> LogEntry | None:
        """The logbook entry of the earlier calibration: the one chosen, or the one whose file it is."""
        earlier, verified = self._earlier, self._verified
        if earlier is None:
            return None
        if earlier.entry is not None:
            return earlier.entry
        path = "" if verified is None else str(verified.stored.path.absolute())
        return next((e for e in reversed(self._keeper.view.contents.entries) if e.in_force and e.path and e.path == path), None)

    @Slot()
    def _show_history(self) -> None:
        """The parameter that moved most over the entries of the rig; nothing where the rig is not in the logbook."""
        verified, entry = self._verified, self._entry()
        moved = None if verified is None else verified.found.moved_most
        trend = None if entry is None or moved is None else self._trend(entry.rig, moved.name)
        status = "" if verified is None else STATUS[verified.found.state]
        self.evidence.show_history(trend, moved, status)
        self._refresh_buttons()

    def _trend(self, rig: str, name: str) -> Trend | None:
        return next((t for t in self._keeper.view.trends.get(rig, ()) if t.parameter == name and t.points), None)

    @Slot(object)
    def _on_state(self, names: frozenset[str]) -> None:
        """A new session: nothing of the old one stays on show."""
        if "runs" in names and not self._state.runs and self._earlier is not None and self._earlier.title.startswith("Run "):
            self._earlier = None
            self.earlier_card.clear()
            self.start()

    # -- doing ------------------------------------------------------------------------------------------------------
    @Slot()
    def _on_calibrate(self) -> None:
        verified = self._verified
        if verified is None:
            return
        dispersion, source = verified.inputs.dispersion, verified.inputs.mask_source
        mask = f"{source.path}::{source.key}" if source.key else source.path
        files = FileSelection(
            measurements=self._files.measurements,
            mask=mask,
            dark=self._files.dark,
            flat=self._files.flat,
            n_bands=dispersion.n_bands,
            step_px=dispersion.step_px,
            direction=dispersion.direction,
            mode=dispersion.mode,
            bad_pixels=self._files.bad_pixels,
            picture=self._files.picture,
            average=self._files.average,
            roi=self._files.roi,
            turn=self._files.turn,
            saturation=self._files.saturation,
        )
        self.calibrate_requested.emit(FreshStart(files, verified.inputs, verified.found.earlier))

    @Slot()
    def _on_note(self) -> None:
        verified, entry = self._verified, self._entry()
        if verified is None or entry is None:
            return
        note = note_with(self._keeper.view.contents.entry(entry.id).note, verified.found)
        edits.annotate_entry(self._state, self._keeper, entry.id, note)
        self._noted = True
        self._refresh_buttons()
        self.logged.emit("info", f"entry {entry.id} of {entry.rig}: {note}")

    @Slot(object)
    def _on_export(self, request: PlotExport) -> None:
        save_plot(self._dialogs, self._runner, request, self.logged.emit)

    # -- look -------------------------------------------------------------------------------------------------------
    @property
    def first_control(self) -> QWidget:
        return self.earlier_card.button

    def set_palette(self, palette: Palette) -> None:
        self._palette = palette
        for part in (self.earlier_card, self.today_card, self.answer, self.changes, self.decision, self.evidence):
            part.set_palette(palette)
        self.again.setIcon(make_icon("verify", palette))

    def toggle_blink(self) -> None:
        self.evidence.blink.toggle()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < NARROW_PX
        self.changes.set_narrow(narrow)
        self.evidence.set_narrow(narrow)


def note_with(note: str, found: Verification) -> str:
    """The note of an entry with the answer of a verification at its end."""
    from cassi_core.verification.words import headline

    said = f"Verified {datetime.now():%d %b %Y}: {headline(found).lower()}"
    return f"{note}; {said}" if note else said


def _overview(spec: str) -> Overview:
    """Size and thumbnail of a picture (in the worker's thread)."""
    from cassi_core.io.overview import overview

    return overview(spec, "measurement")
