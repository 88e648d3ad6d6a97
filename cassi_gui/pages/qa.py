"""QA: is the mask right? Verdict, pictures, numbers with errors, comparison of runs, tuning by hand, accept or reject."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSplitter,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from cassi_core.errors import CassiError
from cassi_core.parameters import ParameterSet
from cassi_core.quality.pictures import ResultPictures, belongs_to
from cassi_core.result import CalibrationResult
from cassi_gui.desktop.actions import Actions
from cassi_gui.desktop.dialogs import Dialogs
from cassi_gui.desktop.saving import save_plot
from cassi_gui.logbook.keeper import LogbookKeeper
from cassi_gui.pages.page import Page
from cassi_gui.pages.qa_proof import UNIT, ProofView
from cassi_gui.plots.matrix import CorrelationPanel
from cassi_gui.run.controller import RunController
from cassi_gui.session import commands
from cassi_gui.session.state import AppState, RunRecord
from cassi_gui.style.icons import make_icon
from cassi_gui.style.theme import LIGHT, MARGIN, SPACE, Palette
from cassi_gui.widgets.candidate_tuner import CandidateTuner, Look
from cassi_gui.widgets.naming import tip_tabs
from cassi_gui.widgets.parameter_cards import ParameterCards
from cassi_gui.widgets.rig_choice import RigChoice
from cassi_gui.widgets.run_facts import facts_html
from cassi_gui.widgets.run_list import RunEntry, RunList
from cassi_gui.widgets.verdict_panel import VerdictPanel

LEFT_WIDTH = 356


class QaPage(Page):
    """Page 4 of 5."""

    can_blink = True
    title = "QA"

    help_html = (
        "<p>Can this calibration be believed? The <b>verdict</b> lists every check with its number, its threshold and what it "
        "means. The <b>proof</b> lets you see it: flip the residual between before and after (<b>B</b>). With a right mask the "
        "residual gets much fainter. The reconstruction is shown for orientation and for spectra at picked points.</p>"
        "<p><b>Leftover shifts</b>: how far the pattern is still off in each block, as arrows with a scale. Thin arrows are "
        "within their error. Arrows that all point one way, or turn round a centre, mean that a parameter is still wrong.</p>"
        "<p><b>Numbers</b> shows which parameters the data can hardly tell apart, <b>Runs</b> compares the runs so far, "
        "<b>Tune by hand</b> puts three candidates side by side.</p>"
        "<p><b>Accept</b> makes the run the calibration in force, which Export writes, and adds it to the <b>logbook</b> under "
        "the rig named above the buttons; <b>Reject</b> marks it. Both keep your note and can be undone.</p>"
    )

    def __init__(
        self, state: AppState, runner: RunController, actions: Actions, dialogs: Dialogs, keeper: LogbookKeeper | None = None
    ) -> None:
        super().__init__()
        self.setObjectName("qa_page")
        self.setAccessibleName(self.title)
        self._state, self._runner, self._actions, self._dialogs = state, runner, actions, dialogs
        self._keeper = keeper
        self._palette: Palette = LIGHT
        self._shown: tuple[str, bool] | None = None
        self._tuned_id: int | None = None
        self._missed: frozenset[str] = frozenset()
        """What changed while nobody looked at this page."""
        self.verdict = VerdictPanel()
        self.cards = ParameterCards()
        self.proof = ProofView()
        self.correlation = CorrelationPanel("qa_correlation", "Correlations")
        self.rig = RigChoice()
        self.facts = QLabel()
        self.runs = RunList()
        self.tuner = CandidateTuner()
        self._build()
        self._connect()
        self._refresh(frozenset({"runs", "points"}))

    # -- building ---------------------------------------------------------------------------------------------------
    def _build(self) -> None:
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE)
        inside = QWidget()
        cards = QVBoxLayout(inside)
        cards.setContentsMargins(0, 0, 0, 0)
        cards.setSpacing(SPACE)
        cards.addWidget(self.verdict)
        cards.addWidget(self.cards)
        cards.addStretch(1)
        scroll = QScrollArea()
        scroll.setObjectName("qa_scroll")
        scroll.setAccessibleName("Verdict and parameters")
        scroll.setToolTip("The verdict and the fitted parameters of the run on show")
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inside)
        column.addWidget(scroll, 1)
        column.addWidget(self._decision_card())
        self.tabs = QTabWidget()
        self.tabs.setObjectName("qa_tabs")
        self.tabs.setAccessibleName("Proof, numbers, runs, tuning")
        self.tabs.setToolTip("Pictures and leftover shifts, parameters and correlations, all runs side by side, tuning by hand")
        self.tabs.addTab(self.proof, "Proof")
        self.tabs.addTab(self._numbers_tab(), "Numbers")
        self.tabs.addTab(self._runs_tab(), "Runs")
        self.tabs.addTab(self.tuner, "Tune by hand")
        tips = (
            "Pictures before and after the fit, and the shifts left over",
            "Which errors belong together, and the facts of the run",
            "All runs of this session side by side",
            "Three candidates for one parameter side by side",
        )
        tip_tabs(self.tabs, tips)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setObjectName("qa_splitter")
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setHandleWidth(MARGIN)
        self.splitter.addWidget(left)
        self.splitter.addWidget(self.tabs)
        self.splitter.setStretchFactor(1, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, SPACE, MARGIN, SPACE)
        layout.addWidget(self.splitter)
        self.splitter.setSizes([LEFT_WIDTH, 10_000])

    def _decision_card(self) -> QFrame:
        card = QFrame()
        card.setObjectName("decision")
        card.setProperty("role", "card")
        self.decision_label = QLabel()
        self.decision_label.setObjectName("decision_label")
        self.decision_label.setWordWrap(True)
        self.note = QLineEdit()
        self.note.setObjectName("decision_note")
        self.note.setAccessibleName("Note on this run")
        self.note.setPlaceholderText("Note")
        self.note.setToolTip(
            "Note on this run, for instance: after the lens was changed. Kept with the run and shown in the table"
        )
        self.accept_button = QPushButton("Accept")
        self.accept_button.setObjectName("decision_accept")
        self.accept_button.setProperty("role", "primary")
        self.reject_button = QPushButton("Reject")
        self.reject_button.setObjectName("decision_reject")
        for button, action in ((self.accept_button, "qa.accept"), (self.reject_button, "qa.reject")):
            button.setToolTip(self._actions[action].toolTip())
            button.setAccessibleName(button.text() + " this run")
        row = QHBoxLayout()
        row.setSpacing(SPACE)
        row.addWidget(self.note, 1)
        row.addWidget(self.reject_button)
        row.addWidget(self.accept_button)
        layout = QVBoxLayout(card)
        layout.setContentsMargins(SPACE * 3 // 2, SPACE, SPACE * 3 // 2, SPACE * 3 // 2)
        layout.setSpacing(SPACE)
        layout.addWidget(self.decision_label)
        layout.addWidget(self.rig)
        layout.addLayout(row)
        self.rig.setVisible(self._keeper is not None)
        return card

    def _numbers_tab(self) -> QWidget:
        self.facts.setObjectName("run_facts")
        self.facts.setWordWrap(True)
        self.facts.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.facts.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        tab = QWidget()
        row = QHBoxLayout(tab)
        row.setContentsMargins(0, SPACE, 0, 0)
        row.setSpacing(MARGIN)
        row.addWidget(self.correlation, 3)
        row.addWidget(self.facts, 2)
        return tab

    def _runs_tab(self) -> QWidget:
        self.runs_hint = QLabel()
        self.runs_hint.setObjectName("runs_hint")
        self.runs_hint.setProperty("role", "small")
        self.runs_hint.setWordWrap(True)
        tab = QWidget()
        column = QVBoxLayout(tab)
        column.setContentsMargins(0, SPACE, 0, 0)
        column.setSpacing(SPACE)
        column.addWidget(self.runs_hint)
        column.addWidget(self.runs, 1)
        return tab

    def _connect(self) -> None:
        self._state.changed.connect(self._on_changed)
        self.accept_button.clicked.connect(self.accept_current)
        self.reject_button.clicked.connect(self.reject_current)
        self.note.editingFinished.connect(self._on_note)
        self.runs.chosen.connect(self._on_run_chosen)
        self.runs.note_edited.connect(self._on_note_edited)
        self.runs.name_edited.connect(self._on_name_edited)
        self.tuner.cursor_text.connect(self.cursor_text)
        self.tuner.wanted.connect(self._on_candidates)
        self.tuner.apply_requested.connect(self._on_apply)
        self.tabs.currentChanged.connect(self._on_tab)
        self.proof.point_picked.connect(self._on_point)
        self.proof.cursor_text.connect(self.cursor_text)
        for source in (self.proof, self.correlation, self.tuner):
            source.export_requested.connect(self._on_export)
        if self._keeper is not None:
            self._keeper.changed.connect(self._show_logbook)
            self.rig.rig_chosen.connect(self._keeper.set_rig)
            self.rig.logbook_requested.connect(self._actions["go.logbook"].trigger)
            self._keeper.read_soon()

    # -- what the shell calls -----------------------------------------------------------------------------------------
    @Slot()
    def accept_current(self) -> None:
        """Make the run on show the calibration in force; asks again when its verdict is a failure."""
        self._catch_up()
        record = self._state.current_run
        if record is None or record.id == self._state.snapshot.accepted_id:
            return
        if record.result.verdict.status == "fail":
            text = "The checks say that the mask is not right. Accept this calibration all the same?"
            if not self._dialogs.confirm("The verdict is: fail", text, yes="Accept anyway"):
                return
        if self._keeper is not None:
            self._keeper.set_rig(self.rig.rig)
        commands.accept_run(self._state, record.id, self.note.text().strip(), self._keeper)

    @Slot()
    def reject_current(self) -> None:
        """Mark the run on show as rejected."""
        self._catch_up()
        record = self._state.current_run
        if record is not None and record.id not in self._state.snapshot.rejected_ids:
            commands.reject_run(self._state, record.id, self.note.text().strip(), self._keeper)

    def toggle_blink(self) -> None:
        """Flip the pictures between before and after."""
        self.tabs.setCurrentWidget(self.proof)
        self.proof.toggle_blink()

    @property
    def next_problems(self) -> tuple[str, ...]:
        """Why there is nothing to export yet."""
        if not self._state.runs:
            return ("no run has finished yet",)
        return () if self._state.accepted_run is not None else ("no run has been accepted yet",)

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self._palette = palette
        for part in (self.verdict, self.cards, self.proof, self.correlation, self.runs, self.tuner, self.rig):
            part.set_palette(palette)
        self.accept_button.setIcon(make_icon("accept", palette, palette.accent_text))
        self.reject_button.setIcon(make_icon("reject", palette))

    def reset_layout(self) -> None:
        """Sizes as at the first start."""
        self.splitter.setSizes([LEFT_WIDTH, 10_000])
        self.proof.reset_layout()

    # -- showing the state ----------------------------------------------------------------------------------------------
    @Slot(object)
    def _on_changed(self, names: frozenset[str]) -> None:
        # A run that ends must not hold up the page on show for the tenth of a second that the drawing of this one takes.
        self._missed |= names
        if self.isVisible():
            self._catch_up()

    def _catch_up(self) -> None:
        missed, self._missed = self._missed, frozenset()
        self._refresh(missed)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._catch_up()

    def _refresh(self, names: frozenset[str]) -> None:
        if "points" in names:
            self.proof.set_points([(p.row, p.col, p.label, p.colour) for p in self._state.points])
        if names & {"runs", "current_id", "accepted_id", "rejected_ids", "inputs"}:
            self._show_runs()
            self._show_record(self._state.current_run, again="inputs" in names)
            self._show_decision(self._state.current_run)

    def _show_record(self, record: RunRecord | None, *, again: bool) -> None:
        # With its maps or without: those of an earlier run come back from the session's file after a moment.
        shown = None if record is None else (record.uid, record.result.maps is not None)
        if shown == self._shown and not again:
            return
        self._shown = shown
        result = None if record is None else record.result
        inputs = self._state.inputs
        mine = result is not None and belongs_to(result, inputs)
        self.verdict.set_verdict(None if result is None else result.verdict, None if result is None else result.registration)
        self.cards.set_parameters(*((None, None) if result is None else (result.parameters, result.start)))
        measured = inputs.frames[0].image if mine and inputs is not None else None
        reference = inputs.reference if mine and inputs is not None else None
        self.proof.set_result(result, measured, reference)
        if result is not None and result.maps is not None:
            self._runner.submit(
                _pictures, result, inputs, done=self._on_pictures, failed=self._on_task_failed, key="qa pictures"
            )
        names, matrix = ((), None) if result is None else (result.correlation_names, result.correlation)
        self.correlation.set_correlation(names, matrix)
        self.facts.setText("" if record is None else facts_html(record.name, record.result))
        self.note.setText("" if record is None else record.note)
        self._tuned_id = None
        if self.tabs.currentWidget() is self.tuner:
            self._start_tuning()

    def _show_runs(self) -> None:
        shot = self._state.snapshot
        entries = [
            RunEntry(r.id, r.name, r.result, r.when, r.note, _decision(r, shot.accepted_id, shot.rejected_ids))
            for r in shot.runs
        ]
        self.runs.set_runs(entries, shot.current_id)
        count = len(entries)
        self.runs_hint.setText(
            "Every run of this session is listed here with its numbers."
            if not count
            else "Select a run to look at it on all tabs. Names and notes can be changed (double-click)."
        )

    @Slot()
    def _show_logbook(self) -> None:
        """The rigs on offer, and what the logbook says about the run on show."""
        keeper, record = self._keeper, self._state.current_run
        if keeper is None:
            return
        self.rig.set_rigs(keeper.view.contents.rigs, keeper.rig)
        entry = None if record is None else keeper.entry_of(record.uid)
        if keeper.problem:
            self.rig.set_entry(f"Logbook: {keeper.problem}", bad=True)
        elif entry is not None:
            self.rig.set_entry(f"Entry {entry.id} of {entry.rig} in the logbook.", keeper.view.reasons(entry))
        else:
            self.rig.set_entry("")

    def _show_decision(self, record: RunRecord | None) -> None:
        self._show_logbook()
        shot = self._state.snapshot
        for widget in (self.note, self.accept_button, self.reject_button):
            widget.setEnabled(record is not None)
        if record is None:
            self.decision_label.setText("Nothing to decide yet.")
            return
        decision = _decision(record, shot.accepted_id, shot.rejected_ids)
        words = {
            "accepted": "accepted: it is the calibration in force.",
            "rejected": "rejected.",
            "": "not decided yet.",
        }
        self.decision_label.setText(f"<b>{record.name}</b> is {words[decision]}")
        self.accept_button.setEnabled(decision != "accepted")
        self.reject_button.setEnabled(decision != "rejected")
        if not self.note.hasFocus():
            self.note.setText(record.note)

    # -- answers from the background ------------------------------------------------------------------------------------
    def _on_pictures(self, pictures: ResultPictures) -> None:
        self.proof.set_pictures(pictures)

    def _on_task_failed(self, error: Exception) -> None:
        self.logged.emit("error", f"A picture could not be computed: {error}")

    # -- tuning -----------------------------------------------------------------------------------------------------
    @Slot(int)
    def _on_tab(self, _index: int) -> None:
        if self.tabs.currentWidget() is self.tuner:
            self._start_tuning()

    def _start_tuning(self) -> None:
        record = self._state.current_run
        if record is None or not belongs_to(record.result, self._state.inputs):
            self._tuned_id = None
            self.tuner.set_start(None)
        elif record.id != self._tuned_id:
            self._tuned_id = record.id
            self.tuner.set_start(record.result.parameters, UNIT)

    @Slot(object)
    def _on_candidates(self, candidates: tuple[ParameterSet, ...]) -> None:
        # The middle one first: it is the one that everything is compared with.
        for index in (1, 0, 2):
            self._runner.submit(
                _look,
                self._state.inputs,
                candidates[index],
                done=partial(self._on_look, index),
                failed=self._on_task_failed,
                key=f"candidate {index}",
            )

    def _on_look(self, index: int, look: Any) -> None:
        self.tuner.set_look(index, Look(look.residual, look.colour, look.score))

    @Slot(object)
    def _on_apply(self, tuned: ParameterSet) -> None:
        parameters = self._state.parameters
        try:
            for p in tuned:
                parameters = parameters.edit(p.name, value=p.value)
        except CassiError as error:
            self._dialogs.inform("The values do not fit the table", f"{error}. Widen the bounds on the Run page.")
            return
        commands.set_parameters(self._state, parameters, "Use the tuned values")
        self.logged.emit("info", "The tuned values are the start of the next run (page 3).")

    # -- edits ------------------------------------------------------------------------------------------------------
    @Slot()
    def _on_note(self) -> None:
        record = self._state.current_run
        if record is not None and self.note.text().strip() != record.note:
            commands.edit_run(self._state, record.id, note=self.note.text().strip())

    @Slot(int)
    def _on_run_chosen(self, run_id: int) -> None:
        self._state.replace(current_id=run_id)

    @Slot(int, str)
    def _on_note_edited(self, run_id: int, note: str) -> None:
        commands.edit_run(self._state, run_id, note=note)

    @Slot(int, str)
    def _on_name_edited(self, run_id: int, name: str) -> None:
        commands.edit_run(self._state, run_id, name=name)

    @Slot(object)
    def _on_point(self, pixel: tuple[int, int]) -> None:
        commands.add_point(self._state, *pixel)

    @Slot(object)
    def _on_export(self, request: Any) -> None:
        save_plot(self._dialogs, self._runner, request, self.logged.emit)


def _decision(record: RunRecord, accepted_id: int | None, rejected_ids: frozenset[int]) -> str:
    if record.id == accepted_id:
        return "accepted"
    return "rejected" if record.id in rejected_ids else ""


def _pictures(result: CalibrationResult, inputs: Any) -> ResultPictures:
    from cassi_core.quality.pictures import result_pictures

    return result_pictures(result, inputs)


def _look(inputs: Any, parameters: ParameterSet) -> Any:
    from cassi_core.quality.candidates import look_at

    return look_at(inputs, parameters)
