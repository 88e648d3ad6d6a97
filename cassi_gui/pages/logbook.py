"""Logbook: the calibrations that were accepted for a rig, how its parameters move, and whether it drifts."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QTabWidget,
    QTextBrowser,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from cassi_core.errors import CassiError
from cassi_core.logbook.drift import Trend
from cassi_core.logbook.entry import LogEntry, entry_of_file, local_day
from cassi_core.logbook.limits import RigLimits
from cassi_core.logbook.store import Added, Logbook
from cassi_core.logbook.table import write_entries
from cassi_gui.desktop.actions import Actions
from cassi_gui.desktop.dialogs import Dialogs
from cassi_gui.desktop.saving import save_plot
from cassi_gui.logbook import commands as edits
from cassi_gui.logbook.keeper import LogbookKeeper
from cassi_gui.pages.page import Page
from cassi_gui.plots.export import PlotExport
from cassi_gui.plots.trend import TrendPanel
from cassi_gui.run.controller import RunController
from cassi_gui.session.state import AppState
from cassi_gui.style.elided import ElidedLabel
from cassi_gui.style.icons import make_icon, make_pixmap
from cassi_gui.style.theme import LIGHT, MARGIN, SPACE, Palette
from cassi_gui.widgets.entry_facts import entry_html
from cassi_gui.widgets.limits_form import LimitsForm
from cassi_gui.widgets.logbook_filter import LogbookFilter
from cassi_gui.widgets.logbook_table import LogbookTable
from cassi_gui.widgets.naming import tip_tabs

ICON_PX = 20
EMPTY = (
    "No calibration is in the logbook yet.\n\nAccept a run on the QA page (it is added under the rig named there), "
    "or add calibration files that you have."
)


class LogbookPage(Page):
    """A place of its own (Ctrl+5)."""

    title = "Logbook"

    help_html = (
        "<p>Every accepted run is kept here, rig by rig, with its parameters, their standard errors, the verdict and the "
        "calibration file. <b>Trends</b> shows how each parameter moves: a point a calibration, its error bar one standard "
        "error, dashed lines the limits, a dotted line what the next one will be held against.</p>"
        "<p>A <b>drift</b> is a value outside the <b>Limits</b> that you set, or a change of more standard errors than you "
        "allow, counted from the median of the earlier entries or from one entry that you trust. It is marked by a triangle, "
        "by a sign in the table, and said in words above it.</p>"
        "<p>Rigs and notes are changed in the table (double-click). <b>Withdraw</b> takes an entry back without deleting it. "
        "All of this can be undone.</p>"
        "<p>The logbook is one file; the menu at the right uses another, for instance on a shared drive. The command line has "
        "the same logbook: <tt>cassi logbook --help</tt>.</p>"
    )

    def __init__(
        self, state: AppState, runner: RunController, actions: Actions, dialogs: Dialogs, keeper: LogbookKeeper
    ) -> None:
        super().__init__()
        self.setObjectName("logbook_page")
        self.setAccessibleName(self.title)
        self._state, self._runner, self._actions, self._dialogs, self._keeper = state, runner, actions, dialogs, keeper
        self._palette: Palette = LIGHT
        self._entries: tuple[LogEntry, ...] = ()
        self.filter = LogbookFilter()
        self.table = LogbookTable()
        self.trend = TrendPanel("logbook_trend", "Trends")
        self.facts = QTextBrowser()
        self.limits = LimitsForm()
        self._build()
        self._connect()
        keeper.read_soon()

    # -- building ---------------------------------------------------------------------------------------------------
    def _build(self) -> None:
        self.stack = QStackedWidget()
        self.stack.addWidget(self._contents())
        self.stack.addWidget(self._nothing())
        self.where = ElidedLabel()
        self.where.setObjectName("logbook_where")
        self.where.setProperty("role", "small")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, SPACE, MARGIN, SPACE)
        layout.setSpacing(SPACE)
        layout.addLayout(self._top_row())
        layout.addWidget(self._banner())
        layout.addWidget(self.stack, 1)
        layout.addWidget(self.where)

    def _top_row(self) -> QHBoxLayout:
        self.withdraw = QPushButton("Withdraw")
        self.withdraw.setToolTip("Take the selected entries back: they stay in the file and count for nothing (can be undone)")
        self.add = QPushButton("Add files \N{HORIZONTAL ELLIPSIS}")
        self.add.setToolTip("Add calibration files (*.cassi.json) that were made elsewhere or before")
        self.export = QPushButton("Export CSV \N{HORIZONTAL ELLIPSIS}")
        self.export.setToolTip("Write the entries that are listed as a table")
        self.more = QToolButton()
        self.more.setText("\N{HORIZONTAL ELLIPSIS}")
        self.more.setToolTip("Another file, read again, delete for good")
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.more.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        self.menu = QMenu(self)
        self.menu.setObjectName("logbook_menu")
        self.more.setMenu(self.menu)
        for text, slot in (
            ("Read again", self._keeper.refresh),
            ("Use another file \N{HORIZONTAL ELLIPSIS}", self._on_other_file),
            ("Use the file in my own folder", self._on_default_file),
        ):
            self.menu.addAction(text).triggered.connect(slot)
        self.menu.addSeparator()
        self.delete = self.menu.addAction("Delete the selected entries for good \N{HORIZONTAL ELLIPSIS}")
        self.delete.triggered.connect(self._on_delete)
        row = QHBoxLayout()
        row.setSpacing(SPACE)
        row.addWidget(self.filter)
        row.addStretch(1)
        for widget, name in (
            (self.withdraw, "withdraw"),
            (self.add, "add"),
            (self.export, "export"),
            (self.more, "more"),
        ):
            widget.setObjectName(f"logbook_{name}")
            widget.setAccessibleName("More about the logbook" if name == "more" else widget.text())
            row.addWidget(widget)
        return row

    def _banner(self) -> QFrame:
        self.banner = QFrame()
        self.banner.setObjectName("logbook_banner")
        self.banner.setProperty("role", "card")
        self._banner_icon = QLabel()
        self.banner_text = QLabel()
        self.banner_text.setObjectName("logbook_banner_text")
        self.banner_text.setWordWrap(True)
        self.banner_text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        row = QHBoxLayout(self.banner)
        row.setContentsMargins(SPACE, SPACE // 2, SPACE, SPACE // 2)
        row.setSpacing(SPACE)
        row.addWidget(self._banner_icon, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.banner_text, 1)
        return self.banner

    def _contents(self) -> QWidget:
        self.facts.setObjectName("logbook_facts")
        self.facts.setAccessibleName("The selected entry")
        self.facts.setToolTip("Values with standard errors, verdict and files of the selected entry")
        self.facts.setOpenLinks(False)
        self.tabs = QTabWidget()
        self.tabs.setObjectName("logbook_tabs")
        self.tabs.setAccessibleName("Trends, selected entry, limits")
        self.tabs.setToolTip("How the parameters moved, everything about one entry, and when to warn")
        for widget, text in ((self.trend, "Trends"), (self.facts, "Selected entry"), (self.limits, "Limits")):
            self.tabs.addTab(widget, text)
        tip_tabs(self.tabs, ("How each parameter moved", "Everything about one calibration", "From where on to warn"))
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.splitter.setObjectName("logbook_splitter")
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setHandleWidth(SPACE)
        self.splitter.addWidget(self.table)
        self.splitter.addWidget(self.tabs)
        self.splitter.setStretchFactor(0, 2)
        self.splitter.setStretchFactor(1, 3)
        self.splitter.setSizes([200, 300])
        return self.splitter

    def _nothing(self) -> QWidget:
        self.nothing = QLabel(EMPTY)
        self.nothing.setObjectName("logbook_nothing")
        self.nothing.setProperty("role", "muted")
        self.nothing.setWordWrap(True)
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.nothing.setMargin(MARGIN)
        return self.nothing

    def _connect(self) -> None:
        self._keeper.changed.connect(self._show)
        self.filter.changed.connect(self._show)
        self.table.chosen.connect(self._on_chosen)
        self.table.note_edited.connect(self._on_note)
        self.table.rig_edited.connect(self._on_rig)
        self.trend.entry_picked.connect(self._on_picked)
        self.trend.export_requested.connect(self._on_plot_export)
        self.limits.edited.connect(self._on_limits)
        self.withdraw.clicked.connect(self._on_withdraw)
        self.add.clicked.connect(self._on_add)
        self.export.clicked.connect(self._on_export)
        remove = QShortcut(QKeySequence(Qt.Key.Key_Delete), self.table)
        remove.setContext(Qt.ShortcutContext.WidgetShortcut)
        remove.activated.connect(self._on_withdraw)

    # -- what the shell calls -----------------------------------------------------------------------------------------
    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self._palette = palette
        self.table.set_palette(palette)
        self.trend.set_palette(palette)
        for button, icon in ((self.withdraw, "remove"), (self.add, "add"), (self.export, "save")):
            button.setIcon(make_icon(icon, palette))
        self._show()

    def reset_layout(self) -> None:
        """Sizes as at the first start."""
        self.splitter.setSizes([200, 300])

    # -- showing ------------------------------------------------------------------------------------------------------
    @property
    def rig(self) -> str | None:
        """The rig whose trends and limits are shown: the chosen one, else that of the selected or the latest entry."""
        chosen = self.filter.selection.rig
        if chosen is not None:
            return chosen
        listed = {entry.id: entry.rig for entry in self._entries}
        selected = next((i for i in self.table.selected if i in listed), None)
        if selected is not None:
            return listed[selected]
        return self._entries[-1].rig if self._entries else next(iter(self._keeper.view.contents.rigs), None)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._show()

    @Slot()
    def _show(self) -> None:
        # What nobody looks at is drawn when somebody does.
        if not self.isVisible():
            return
        keeper = self._keeper
        contents = keeper.view.contents
        self.filter.set_rigs(contents.rigs)
        self._entries = self.filter.selection.of(contents.entries)
        self.table.set_entries(self._entries, keeper.view.judged)
        self.where.set_full_text(f"{_count(len(contents.entries))} in {keeper.path}")
        self.stack.setCurrentIndex(0 if contents.entries else 1)
        self.nothing.setText(f"{keeper.problem}\n\nThe menu at the upper right uses another file." if keeper.problem else EMPTY)
        self.export.setEnabled(bool(self._entries))
        self.filter.setEnabled(bool(contents.entries))
        self._show_rig()
        self._show_selected()

    def _show_rig(self) -> None:
        rig, view = self.rig, self._keeper.view
        entries = [e for e in view.contents.entries if e.rig == rig]
        takes = replace(self.filter.selection, rig=None).takes
        shown = [replace(t, points=tuple(p for p in t.points if takes(p.entry))) for t in view.trends.get(rig or "", ())]
        self.trend.set_title(f"Trends of {rig}" if rig else "Trends")
        self._show_trends(shown)
        self.limits.set_limits(None if rig is None else view.contents.limits_of(rig), entries)
        self._show_banner(rig, [e for e in entries if e.in_force])

    def _show_trends(self, trends: list[Trend]) -> None:
        """Courses over time; of a single calibration there is none, which a sentence says better than plots of one point."""
        points = [point for trend in trends for point in trend.points]
        entries = {point.entry.id: point.entry for point in points}
        empty = "No calibration of this rig fits the choice above."
        if len(entries) == 1:
            (entry,) = entries.values()
            where = f"entry {entry.id}, {local_day(entry.calibrated)}"
            empty = f"One calibration so far ({where}). How the values move is drawn here from the second on."
        self.trend.set_trends(trends if len(entries) > 1 else (), empty=empty)

    def _show_banner(self, rig: str | None, entries: list[LogEntry]) -> None:
        view = self._keeper.view
        status, icon = "", "info"
        if self._keeper.problem and view.contents.entries:
            text, status, icon = f"The last change was not made: {self._keeper.problem}", "bad", "bad"
        elif not entries:
            self.banner.hide()
            return
        else:
            latest = entries[-1]
            reasons = view.reasons(latest)
            where = f"entry {latest.id}, {local_day(latest.calibrated)}"
            if reasons:
                text, status, icon = f"{rig} drifts ({where}): {'; '.join(reasons)}.", "warn", "warn"
            elif len(entries) == 1:
                text = f"{rig} has one calibration ({where}): whether it moves shows from the second on."
            else:
                text, status, icon = f"{rig} stands still: its latest calibration ({where}) shows no drift.", "ok", "ok"
        self.banner_text.setText(text)
        self._banner_icon.setPixmap(make_pixmap(icon, self._palette, ICON_PX, self._palette.colour(status or "info")))
        self._banner_icon.setAccessibleName({"warn": "Warning", "bad": "Problem", "ok": "Good"}.get(status, "Note"))
        self.banner.setProperty("banner_status", status)
        self.banner.show()

    def _show_selected(self) -> None:
        selected = self.table.selected
        entry = next((e for e in self._entries if selected and e.id == selected[0]), None)
        self.trend.choose(None if entry is None else entry.id)
        if entry is None:
            self.facts.setHtml("<p>Select an entry in the table, or click a point of a trend.</p>")
        else:
            self.facts.setHtml(entry_html(entry, self._keeper.view.judged.get(entry.id, ()), self._palette))
        withdrawn = self._all_withdrawn()
        self.withdraw.setEnabled(bool(selected))
        self.withdraw.setText("Put back" if withdrawn else "Withdraw")
        self.delete.setEnabled(bool(selected))

    def _all_withdrawn(self) -> bool:
        chosen = [e for e in self._entries if e.id in self.table.selected]
        return bool(chosen) and not any(e.in_force for e in chosen)

    @Slot(int)
    def _on_chosen(self, _entry_id: int) -> None:
        if self.filter.selection.rig is None:
            self._show_rig()
        self._show_selected()

    @Slot(int)
    def _on_picked(self, entry_id: int) -> None:
        self.table.select_entry(entry_id)
        self.tabs.setCurrentWidget(self.facts)

    # -- edits --------------------------------------------------------------------------------------------------------
    @Slot()
    def _on_withdraw(self) -> None:
        selected = self.table.selected
        if selected:
            (edits.restore_entries if self._all_withdrawn() else edits.withdraw_entries)(self._state, self._keeper, selected)

    @Slot(int, str)
    def _on_note(self, entry_id: int, note: str) -> None:
        edits.annotate_entry(self._state, self._keeper, entry_id, note)

    @Slot(int, str)
    def _on_rig(self, entry_id: int, rig: str) -> None:
        edits.move_entry(self._state, self._keeper, entry_id, rig)

    @Slot(object)
    def _on_limits(self, limits: RigLimits) -> None:
        edits.set_limits(self._state, self._keeper, limits)

    @Slot()
    def _on_delete(self) -> None:
        selected = self.table.selected
        what = f"entry {selected[0]}" if len(selected) == 1 else _count(len(selected))
        text = f"{what.capitalize()} will be removed from the file. This cannot be undone; withdrawing can."
        if selected and self._dialogs.confirm("Delete for good?", text, yes="Delete for good"):
            self._keeper.change(partial(_delete, ids=selected))

    @Slot()
    def _on_add(self) -> None:
        paths = self._dialogs.open_files("calibration", "Add calibration files to the logbook", kind="calibration")
        rig = self.filter.selection.rig or self._keeper.rig or self.rig
        if paths and rig:
            for path in paths:
                self._keeper.change(partial(_add_file, path=path, rig=rig))
        elif paths:
            self._dialogs.inform("Which rig?", "Choose a rig at the upper left, or name one on the QA page.")

    # -- files --------------------------------------------------------------------------------------------------------
    @Slot()
    def _on_export(self) -> None:
        path = self._dialogs.save_file("logbook", "Export the listed entries", "logbook.csv", kind="csv")
        if path:
            target = Path(path) if Path(path).suffix else Path(f"{path}.csv")
            entries, judged = self._entries, self._keeper.view.judged
            self._runner.submit(write_entries, target, entries, judged, done=self._on_exported, failed=self._on_export_failed)

    def _on_exported(self, path: Path) -> None:
        self.logged.emit("info", f"written: {path}")

    def _on_export_failed(self, error: Exception) -> None:
        self._dialogs.error("The table could not be written", str(error))

    @Slot(object)
    def _on_plot_export(self, request: PlotExport) -> None:
        save_plot(self._dialogs, self._runner, request, self.logged.emit)

    @Slot()
    def _on_other_file(self) -> None:
        path = self._dialogs.save_file(
            "logbook_file", "Use this logbook (a new name begins a new one)", "logbook.sqlite", kind="logbook"
        )
        if path:
            self._use(Path(path))

    @Slot()
    def _on_default_file(self) -> None:
        self._use(None)

    def _use(self, path: Path | None) -> None:
        try:
            self._keeper.use_file(path)
        except CassiError as error:
            self._dialogs.inform("The logbook stays where it is", f"{error}.".replace("..", "."))


def _delete(book: Logbook, ids: tuple[int, ...]) -> None:
    book.delete(*ids)


def _add_file(book: Logbook, path: str, rig: str) -> Added:
    return book.add(entry_of_file(path, rig))


def _count(entries: int) -> str:
    return "1 entry" if entries == 1 else f"{entries} entries"
