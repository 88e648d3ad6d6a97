"""QA: is the mask right? Verdict, how far off it may be, found values, proof, what to do, accept or reject."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QTabWidget,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from cassi_core.errors import CassiError, RunCancelled
from cassi_core.inputs import CalibrationInputs
from cassi_core.parameters import ParameterSet
from cassi_core.quality.comparison import off_truth, since_entry
from cassi_core.quality.headline import headline
from cassi_core.quality.pictures import ResultPictures, belongs_to
from cassi_core.result import CalibrationResult, Reason
from cassi_core.run import RunControl
from cassi_gui.desktop.actions import Actions
from cassi_gui.desktop.dialogs import Dialogs
from cassi_gui.desktop.saving import save_plot
from cassi_gui.logbook.keeper import LogbookKeeper
from cassi_gui.pages.page import Page
from cassi_gui.pages.qa_help import HELP
from cassi_gui.pages.qa_offers import Case, offers_of, offers_of_all
from cassi_gui.pages.qa_proof import ProofView, ViewSwitch
from cassi_gui.pages.qa_remedies import Remedies
from cassi_gui.pages.qa_runs import RunsTab
from cassi_gui.pages.qa_search import SearchProof
from cassi_gui.plots.matrix import CorrelationPanel
from cassi_gui.run.controller import RunController
from cassi_gui.session import commands
from cassi_gui.session.state import AppState, PickedPoint, RunRecord
from cassi_gui.style.theme import LIGHT, MARGIN, SPACE, Palette
from cassi_gui.widgets.candidate_tuner import CandidateTuner, Look
from cassi_gui.widgets.checks_list import CheckItem, ChecksList
from cassi_gui.widgets.decision_card import DecisionCard
from cassi_gui.widgets.far_off_card import FarOffCard
from cassi_gui.widgets.found_values import Comparison, FoundValues
from cassi_gui.widgets.naming import tip_tabs
from cassi_gui.widgets.offer import Offer, TodoCard
from cassi_gui.widgets.run_facts import facts_html
from cassi_gui.widgets.verdict_card import VerdictCard

LEFT_PX, NARROW_LEFT_PX = 430, 372
NARROW_BELOW_PX = 1200
UNIT = "measurement units"
NO_MASK = "mask found"
NO_VALUES = "<b>No values.</b> Nothing to measure without the mask."
ASK_FAILED = "The checks say that the mask is not right. Accept this calibration all the same?"
ASK_UNFINISHED = "This search was not finished. Its error is not known. Accept all the same?"
TAB_TIPS = (
    "Pictures before and after the fit, and the shifts left over",
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
        self._tuned_id: int | None = None
        self._narrow: bool | None = None
        self._missed: frozenset[str] = frozenset()
        """What changed while nobody looked at this page."""
        self.verdict = VerdictCard()
        self.far_off = FarOffCard()
        self.todo = TodoCard()
        self.found = FoundValues()
        self.checks = ChecksList()
        self.decision = DecisionCard(actions["qa.accept"].toolTip(), actions["qa.reject"].toolTip())
        self.switch = ViewSwitch()
        self.proof = ProofView(self.switch)
        self.search = SearchProof()
        self.correlation = CorrelationPanel("qa_correlation", "How values hang together")
        self.facts = QTextBrowser()
        self.runs = RunsTab(state)
        self.tuner = CandidateTuner()
        self.remedies = Remedies(state, runner, actions, dialogs, self)
        self._build()
        self._connect(actions)
        self._refresh(frozenset({"runs", "points"}))

    # -- building ---------------------------------------------------------------------------------------------------
    def _build(self) -> None:
        inside = QWidget()
        cards = QVBoxLayout(inside)
        cards.setContentsMargins(0, 0, 0, 0)
        cards.setSpacing(SPACE)
        for card in (self.far_off, self.todo, self.found, self.checks):
            cards.addWidget(card)
        cards.addStretch(1)
        self._cards = cards
        self.scroll_area = QScrollArea()
        self.scroll_area.setObjectName("qa_scroll")
        self.scroll_area.setAccessibleName("Error, values and checks")
        self.scroll_area.setToolTip("How far off the mask may be, the found values, and every check")
        self.scroll_area.setWidgetResizable(True)
        self.scroll_area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.scroll_area.setWidget(inside)
        self.left = QWidget()
        column = QVBoxLayout(self.left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE)
        column.addWidget(self.verdict)
        column.addWidget(self.scroll_area, 1)
        column.addWidget(self.decision)
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
        row.addWidget(self.facts, 1)
        row.addWidget(self.correlation, 1)
        return tab

    def _connect(self, actions: Actions) -> None:
        self._state.changed.connect(self._on_changed)
        self.decision.accepted.connect(self.accept_current)
        self.decision.rejected.connect(self.reject_current)
        self.decision.noted.connect(self._on_note)
        self.todo.chosen.connect(self.remedies.do)
        self.checks.chosen.connect(self.remedies.do)
        self.checks.opened.connect(self._on_opened)
        self.remedies.page_requested.connect(self.page_requested)
        self.remedies.logged.connect(self.logged)
        self.remedies.tried.connect(self.todo.show_progress)
        self.remedies.ways_changed.connect(self._on_ways)
        self.search.way_used.connect(self.remedies.use_way)
        self.tuner.wanted.connect(self._on_candidates)
        self.tuner.apply_requested.connect(self._on_apply)
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
        buttons = (*self.todo.buttons, *(b for item in self.checks.items for b, _ in item.buttons))
        return next(iter(buttons), self.decision.note)

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self._palette = palette
        for part in (
            self.verdict, self.far_off, self.todo, self.found, self.checks, self.decision,
            self.proof, self.search, self.correlation, self.runs, self.tuner,
        ):  # fmt: skip
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
        self.left.setFixedWidth(NARROW_LEFT_PX if narrow else LEFT_PX)
        self.scroll_area.setStyleSheet("QScrollBar:vertical { width: 8px; }" if narrow else "")
        for part in (self.far_off, self.todo, self.found, self.decision, self.proof):
            part.set_narrow(narrow)
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
        self.verdict.set_headline(None if result is None else headline(result))
        if result is None or self._lost(result):
            self.far_off.set_error(None)
        else:
            self.far_off.set_error(result.registration, result.dispersion.direction)
        self._show_findings(result)
        self._show_values(record)
        self._show_proof(result)
        names, matrix = ((), None) if result is None else (result.correlation_names, result.correlation)
        self.correlation.set_correlation(names, matrix)
        self.decision.note.setText("" if record is None else record.note)
        self._tuned_id = None
        if self.tabs.currentWidget() is self.tuner:
            self._start_tuning()

    def _show_findings(self, result: CalibrationResult | None) -> None:
        """What to do, and the checks: after fail the actions come first, after warn the values make room for the open check."""
        standing = "" if result is None else headline(result).standing
        above = standing in ("fail", "not_finished")
        case = None if result is None else Case(result, self._state.snapshot, len(self.remedies.ways) or 1)

        def offers(reason: Reason) -> list[Offer]:
            return [] if case is None else offers_of(case, reason)

        self.todo.set_offers(offers_of_all(case) if case is not None and above else ())
        self.checks.set_verdict(
            None if result is None else result.verdict,
            offers,
            unfinished=standing == "not_finished",
            said_above=standing == "fail",
        )
        # With a check open the values shrink to a line and go below it.
        for index, card in enumerate((self.checks, self.found) if standing == "warn" else (self.found, self.checks)):
            self._cards.removeWidget(card)
            self._cards.insertWidget(2 + index, card)
        self.scroll_area.verticalScrollBar().setValue(0)

    def _show_values(self, record: RunRecord | None) -> None:
        if record is None:
            self.found.set_values(None, None)
            self.facts.setHtml("")
            return
        result = record.result
        comparison = self._comparison(record)
        said = headline(result)
        # Nothing to measure without the mask.
        without = said.standing == "fail" and self._lost(result)
        self.found.set_values(
            None if without else result.parameters,
            result.start,
            direction=result.dispersion.direction,
            unfinished=said.standing == "not_finished",
            steps=result.grid_steps,
            comparison=comparison,
            instead=NO_VALUES if without else "",
        )
        self.found.fold(foldable=said.standing in ("warn", "fail"))
        self.facts.setHtml(facts_html(record.name, result, comparison))

    def _comparison(self, record: RunRecord) -> Comparison | None:
        """The truth where one is known, else the entry before in the logbook of this rig."""
        result, shot = record.result, self._state.snapshot
        if shot.truth is not None and belongs_to(result, shot.inputs):
            return Comparison("off truth", off_truth(result.parameters, shot.truth))
        if self._keeper is None:
            return None
        earlier = [
            e for e in self._keeper.view.contents.entries if e.rig == self._keeper.rig and e.in_force and e.run != record.uid
        ]
        if not earlier:
            return None
        last = max(earlier, key=lambda e: e.calibrated)
        return Comparison(f"since entry {last.id}", since_entry(result.parameters, last.parameters))

    @staticmethod
    def _lost(result: CalibrationResult) -> bool:
        return any(r.check == NO_MASK and r.status == "fail" for r in result.verdict.reasons)

    def _show_proof(self, result: CalibrationResult | None) -> None:
        inputs = self._state.inputs
        lost = result is not None and result.outcome != "not_finished" and self._lost(result)
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
        rig = self.decision.rig
        rig.set_rigs(keeper.view.contents.rigs, keeper.rig)
        entry = None if record is None else keeper.entry_of(record.uid)
        if keeper.problem:
            rig.set_entry(f"Logbook: {keeper.problem}", bad=True)
        elif entry is not None:
            rig.set_entry(f"Entry {entry.id} of {entry.rig} in the logbook.", keeper.view.reasons(entry))
        else:
            rig.set_entry("")
        self._show_values(record)

    def _show_decision(self, record: RunRecord | None) -> None:
        self._show_logbook()
        decided = "" if record is None else self.runs.decision(record)
        standing = "" if record is None else headline(record.result).standing
        self.decision.set_decision(decided, standing=standing, there=record is not None)
        if record is not None and not self.decision.note.hasFocus():
            self.decision.note.setText(record.note)

    # -- answers from the background ------------------------------------------------------------------------------------
    def _on_pictures(self, pictures: ResultPictures) -> None:
        self.proof.set_pictures(pictures)

    def _on_task_failed(self, error: Exception) -> None:
        if not isinstance(error, RunCancelled):
            self.logged.emit("error", f"A picture could not be computed: {error}")

    @Slot()
    def _on_ways(self) -> None:
        self.search.set_tried(self.remedies.ways)

    @Slot(object)
    def _on_opened(self, item: CheckItem) -> None:
        self.scroll_area.ensureWidgetVisible(item)

    # -- tuning -----------------------------------------------------------------------------------------------------
    @Slot(int)
    def _on_tab(self, _index: int) -> None:
        record = self._state.current_run
        there = self.tabs.currentWidget() is self.proofs and self.proofs.currentWidget() is self.proof
        self.switch.setVisible(there and record is not None and record.result.maps is not None)
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


def _look(inputs: Any, parameters: ParameterSet) -> Any:
    from cassi_core.quality.candidates import look_at

    return look_at(inputs, parameters)
