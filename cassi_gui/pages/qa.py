"""QA: is the mask right? Verdict, how far off it may be, found values, proof, what to do, accept or reject."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Slot
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QSizePolicy,
    QStackedWidget,
    QTabWidget,
    QTextBrowser,
    QWidget,
)

from cassi_core.errors import RunCancelled
from cassi_core.inputs import CalibrationInputs
from cassi_core.quality.headline import headline
from cassi_core.quality.optics_words import optics_sentences
from cassi_core.quality.pictures import ResultPictures, belongs_to
from cassi_core.result import CalibrationResult
from cassi_core.run import RunControl
from cassi_gui.desktop.actions import Actions
from cassi_gui.desktop.dialogs import Dialogs
from cassi_gui.desktop.saving import save_plot
from cassi_gui.logbook.keeper import LogbookKeeper
from cassi_gui.pages.page import Page
from cassi_gui.pages.qa_help import HELP
from cassi_gui.pages.qa_left import QaLeft, comparison_of, mask_lost
from cassi_gui.pages.qa_offers import Case
from cassi_gui.pages.qa_proof import ProofView, ViewSwitch
from cassi_gui.pages.qa_remedies import Remedies
from cassi_gui.pages.qa_runs import RunsTab
from cassi_gui.pages.qa_search import SearchProof
from cassi_gui.pages.qa_tuning import Tuning
from cassi_gui.plots.matrix import CorrelationPanel
from cassi_gui.run.controller import RunController
from cassi_gui.session import commands
from cassi_gui.session.state import AppState, PickedPoint, RunRecord
from cassi_gui.style.theme import LIGHT, MARGIN, SPACE, TYPE_SMALL_PT, Palette
from cassi_gui.widgets.candidate_tuner import CandidateTuner
from cassi_gui.widgets.naming import tip_tabs
from cassi_gui.widgets.optics_card import OpticsCard
from cassi_gui.widgets.run_facts import facts_html

NARROW_BELOW_PX = 1200
ASK_FAILED = "The checks say that the mask is not right. Accept this calibration all the same?"
ASK_UNFINISHED = "This search was not finished. Its error is not known. Accept all the same?"
TAB_TIPS = (
    "Pictures before and after the fit, and the shifts left over",
    "What the lenses do besides placing the mask",
    "All numbers, and how the values hang together",
    "All runs of this session side by side",
    "Three candidates for one parameter side by side",
)


class QaPage(Page):
    """Page 4 of 5."""

    can_blink = True
    title = "QA"
    help_html = HELP

    def __init__(
        self, state: AppState, runner: RunController, actions: Actions, dialogs: Dialogs, keeper: LogbookKeeper | None = None
    ) -> None:
        super().__init__()
        self.setObjectName("qa_page")
        self.setAccessibleName(self.title)
        self._state, self._runner, self._dialogs, self._keeper = state, runner, dialogs, keeper
        self._palette: Palette = LIGHT
        self._shown: tuple[str, bool] | None = ("", False)
        """The run on show and whether with its pictures; None: no run is. This here is neither."""
        self._narrow: bool | None = None
        self._missed: frozenset[str] = frozenset()
        """What changed while nobody looked at this page."""
        self.left = QaLeft(actions["qa.accept"].toolTip(), actions["qa.reject"].toolTip())
        self.decision = self.left.decision
        self.switch = ViewSwitch()
        self.proof = ProofView(self.switch)
        self.search = SearchProof()
        self.optics = OpticsCard()
        self.correlation = CorrelationPanel("qa_correlation", "How values hang together")
        self.facts = QTextBrowser()
        self.runs = RunsTab(state)
        self.tuner = CandidateTuner()
        self.tuning = Tuning(self.tuner, state, runner, dialogs)
        self.remedies = Remedies(state, runner, actions, dialogs, self)
        self._build()
        self._connect(actions)
        self._refresh(frozenset({"runs", "points"}))

    # -- building ---------------------------------------------------------------------------------------------------
    def _build(self) -> None:
        self.decision.rig.setVisible(self._keeper is not None)
        self.proofs = QStackedWidget()
        self.proofs.addWidget(self.proof)
        self.proofs.addWidget(self.search)
        self.tabs = QTabWidget()
        self.tabs.setObjectName("qa_tabs")
        self.tabs.setAccessibleName("Proof, numbers, runs, tuning")
        self.tabs.setToolTip("Proof, all numbers, all runs side by side, tuning by hand")
        for page, words in (
            (self.proofs, "Proof"),
            (self.optics, "Optics"),
            (self._numbers_tab(), "Numbers"),
            (self.runs, "Runs"),
            (self.tuner, "Tune by hand"),
        ):
            self.tabs.addTab(page, words)
        self.tabs.setCornerWidget(self.switch)
        tip_tabs(self.tabs, TAB_TIPS)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(MARGIN, SPACE + 4, MARGIN, SPACE + 4)
        layout.setSpacing(MARGIN)
        layout.addWidget(self.left)
        layout.addWidget(self.tabs, 1)

    def _numbers_tab(self) -> QWidget:
        self.facts.setObjectName("run_facts")
        self.facts.setAccessibleName("All numbers of the run on show")
        self.facts.setToolTip("All numbers of the run on show; they can be selected and copied")
        tab = QWidget()
        row = QHBoxLayout(tab)
        row.setContentsMargins(0, SPACE, 0, 0)
        row.setSpacing(MARGIN)
        self.facts.setStyleSheet(f"font-size: {TYPE_SMALL_PT}pt;")
        row.addWidget(self.facts, 60)
        row.addWidget(self.correlation, 40)
        return tab

    def _connect(self, actions: Actions) -> None:
        self._state.changed.connect(self._on_changed)
        self.decision.accepted.connect(self.accept_current)
        self.decision.rejected.connect(self.reject_current)
        self.decision.noted.connect(self._on_note)
        self.left.chosen.connect(self.remedies.do)
        self.tuning.logged.connect(self.logged)
        self.remedies.page_requested.connect(self.page_requested)
        self.remedies.logged.connect(self.logged)
        self.remedies.tried.connect(self.left.todo.show_progress)
        self.remedies.ways_changed.connect(self._on_ways)
        self.search.way_used.connect(self.remedies.use_way)
        self.tabs.currentChanged.connect(self._on_tab)
        self.proof.point_moved.connect(self._on_point)
        for source in (self.tuner, self.proof, self.search):
            source.cursor_text.connect(self.cursor_text)
        for plots in (self.proof, self.search, self.correlation, self.tuner):
            plots.export_requested.connect(self._on_export)
        if self._keeper is not None:
            self._keeper.changed.connect(self._show_logbook)
            self.decision.rig.rig_chosen.connect(self._keeper.set_rig)
            self.decision.rig.logbook_requested.connect(actions["go.logbook"].trigger)
            self._keeper.read_soon()

    # -- what the shell calls -----------------------------------------------------------------------------------------
    @Slot()
    def accept_current(self) -> None:
        """Make the run on show the calibration in force; asks first when it failed or was not finished."""
        self._catch_up()
        record = self._state.current_run
        if record is None or record.id == self._state.snapshot.accepted_id:
            return
        said = headline(record.result)
        if said.standing == "not_finished":
            if not self._dialogs.confirm(said.title, ASK_UNFINISHED, yes="Accept", no="Go on searching"):
                return
        elif said.standing == "fail" and not self._dialogs.confirm(said.title, ASK_FAILED, yes="Accept anyway"):
            return
        if self._keeper is not None:
            self._keeper.set_rig(self.decision.rig.rig)
        commands.accept_run(self._state, record.id, self.decision.note.text().strip(), self._keeper)

    @Slot()
    def reject_current(self) -> None:
        """Mark the run on show as rejected."""
        self._catch_up()
        record = self._state.current_run
        if record is not None and record.id not in self._state.snapshot.rejected_ids:
            commands.reject_run(self._state, record.id, self.decision.note.text().strip(), self._keeper)

    def toggle_blink(self) -> None:
        """Begin to blink between before and after, or stop."""
        self.tabs.setCurrentWidget(self.proofs)
        if self.proofs.currentWidget() is self.proof:
            self.proof.toggle_blink()

    @property
    def next_problems(self) -> tuple[str, ...]:
        """Why there is nothing to export yet."""
        if not self._state.runs:
            return ("no run has finished yet",)
        return () if self._state.accepted_run is not None else ("no run has been accepted yet",)

    @property
    def first_control(self) -> QWidget:
        """Accept after pass only; else the first thing to do."""
        record = self._state.current_run
        if record is None:
            return self
        if headline(record.result).standing == "pass":
            return self.decision.accept_button
        return self.left.first_action or self.decision.note

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self._palette = palette
        for part in (self.left, self.proof, self.search, self.optics, self.correlation, self.runs, self.tuner):
            part.set_palette(palette)

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

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < NARROW_BELOW_PX
        if narrow == self._narrow:
            return
        self._narrow = narrow
        self.left.set_narrow(narrow)
        self.proof.set_narrow(narrow)
        self.tabs.setTabText(self.tabs.indexOf(self.tuner), "By hand" if narrow else "Tune by hand")

    def _refresh(self, names: frozenset[str]) -> None:
        if "points" in names:
            self.proof.set_points([(p.row, p.col, p.label, p.colour) for p in self._state.points])
        if names & {"runs", "current_id", "accepted_id", "rejected_ids", "inputs"}:
            self.runs.show_runs()
            self._show_record(self._state.current_run, again="inputs" in names)
            self._show_decision(self._state.current_run)

    def _show_record(self, record: RunRecord | None, *, again: bool) -> None:
        # With its maps or without: those of an earlier run come back from the session's file after a moment.
        shown = None if record is None else (record.uid, record.result.maps is not None)
        if shown == self._shown and not again:
            return
        self._shown = shown
        self.remedies.clear()
        result = None if record is None else record.result
        self.left.show_findings(None if result is None else Case(result, self._state.snapshot, len(self.remedies.ways) or 1))
        self._show_values(record)
        self._show_proof(result)
        sentences = () if result is None else optics_sentences(result.optics, result.dispersion)
        self.optics.set_sentences(sentences)
        self.tabs.setTabVisible(self.tabs.indexOf(self.optics), bool(sentences))
        names, matrix = ((), None) if result is None else (result.correlation_names, result.correlation)
        self.correlation.set_correlation(names, matrix)
        self.decision.note.setText("" if record is None else record.note)
        self.tuning.forget()
        if self.tabs.currentWidget() is self.tuner:
            self.tuning.start()

    def _show_values(self, record: RunRecord | None) -> None:
        comparison = None if record is None else comparison_of(record, self._state.snapshot, self._keeper)
        self.left.show_values(None if record is None else record.result, comparison)
        self.facts.setHtml("" if record is None else facts_html(record.name, record.result, comparison))

    def _show_proof(self, result: CalibrationResult | None) -> None:
        inputs = self._state.inputs
        lost = result is not None and result.outcome != "not_finished" and mask_lost(result)
        self.proofs.setCurrentWidget(self.search if lost else self.proof)
        for part in (self.search, self.proof):
            # What is not on show must not keep the window wide.
            kind = QSizePolicy.Policy.Preferred if part is self.proofs.currentWidget() else QSizePolicy.Policy.Ignored
            part.setSizePolicy(kind, kind)
        self.switch.setVisible(not lost and result is not None and result.maps is not None)
        self.proof.set_result(None if lost else result, inputs)
        if result is None:
            return
        control = RunControl()
        if lost:
            mine = inputs if belongs_to(result, inputs) else None
            self.search.set_inputs(mine, self._state.config.auto.min_peak_z)
            if mine is not None:
                self._runner.submit(
                    _search,
                    mine,
                    control,
                    done=self.search.set_pair,
                    failed=self._on_task_failed,
                    key="qa pictures",
                    control=control,
                )
        elif result.maps is not None:
            self._runner.submit(
                _pictures,
                result,
                inputs,
                control,
                done=self._on_pictures,
                failed=self._on_task_failed,
                key="qa pictures",
                control=control,
            )

    @Slot()
    def _show_logbook(self) -> None:
        """The rigs on offer, and what the logbook says about the run on show."""
        keeper, record = self._keeper, self._state.current_run
        if keeper is None:
            return
        self.decision.rig.set_rigs(keeper.view.contents.rigs, keeper.rig)
        entry = None if record is None else keeper.entry_of(record.uid)
        if keeper.problem:
            self.decision.set_entry(f"Logbook: {keeper.problem}", bad=True)
        elif entry is not None:
            self.decision.set_entry(f"Entry {entry.id} of {entry.rig} in the logbook.", keeper.view.reasons(entry))
        else:
            self.decision.set_entry("")
        self._show_values(record)

    def _show_decision(self, record: RunRecord | None) -> None:
        decided = "" if record is None else self.runs.decision(record)
        standing = "" if record is None else headline(record.result).standing
        self.decision.set_decision(decided, standing=standing, there=record is not None)
        if record is not None and not self.decision.note.hasFocus():
            self.decision.note.setText(record.note)
        self._show_logbook()

    # -- answers from the background ------------------------------------------------------------------------------------
    def _on_pictures(self, pictures: ResultPictures) -> None:
        self.proof.set_pictures(pictures)

    def _on_task_failed(self, error: Exception) -> None:
        if not isinstance(error, RunCancelled):
            self.logged.emit("error", f"A picture could not be computed: {error}")

    @Slot()
    def _on_ways(self) -> None:
        self.search.set_tried(self.remedies.ways)

    # -- tabs -------------------------------------------------------------------------------------------------------
    @Slot(int)
    def _on_tab(self, _index: int) -> None:
        record = self._state.current_run
        there = self.tabs.currentWidget() is self.proofs and self.proofs.currentWidget() is self.proof
        self.switch.setVisible(there and record is not None and record.result.maps is not None)
        if self.tabs.currentWidget() is self.tuner:
            self.tuning.start()

    # -- edits ------------------------------------------------------------------------------------------------------
    @Slot()
    def _on_note(self) -> None:
        record = self._state.current_run
        note = self.decision.note.text().strip()
        if record is not None and note != record.note:
            commands.edit_run(self._state, record.id, note=note)

    @Slot(int, int, int)
    def _on_point(self, index: int, row: int, col: int) -> None:
        """Move a point; those that the program chose become a person's own then."""
        points = self.proof.points
        moved = tuple(
            PickedPoint(row if k == index else r, col if k == index else c, label, colour)
            for k, (r, c, label, colour) in enumerate(points)
        )
        commands.edit(self._state, f"Move point {points[index][2]}", f"move {points[index][2]}", points=moved)

    @Slot(object)
    def _on_export(self, request: Any) -> None:
        save_plot(self._dialogs, self._runner, request, self.logged.emit)


def _pictures(result: CalibrationResult, inputs: CalibrationInputs | None, control: RunControl) -> ResultPictures:
    from cassi_core.quality.pictures import result_pictures

    return result_pictures(result, inputs, control)


def _search(inputs: CalibrationInputs, control: RunControl) -> Any:
    from cassi_core.quality.search_map import search_pair

    return search_pair(inputs, control)
