"""Step 5: the list of files that can be written, bundles that tick them, and what became of each."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import Slot
from PySide6.QtGui import QGuiApplication

from cassi_core.io.exports import ExportChoices
from cassi_core.io.exports.facts import FileFacts
from cassi_gui.desktop.actions import Actions
from cassi_gui.desktop.dialogs import Dialogs
from cassi_gui.logbook.keeper import LogbookKeeper
from cassi_gui.pages.export_items import (
    BUNDLES,
    EXPORT_ITEMS,
    FIRST_CHOICE,
    ExportItem,
    Written,
    all_facts,
    preview_text,
    write_items,
)
from cassi_gui.pages.export_layout import ExportLayout
from cassi_gui.pages.status import VERDICT_STATUS, Badge, of_other_files, plural
from cassi_gui.run.controller import RunController
from cassi_gui.session import commands
from cassi_gui.session.state import AppState, RunRecord
from cassi_gui.widgets.file_list import FileLine, State

NO_RUN = "There is no run to write yet. Run a calibration first; what it finds can be written here."

HELP = """<h2>Export</h2>
<p>The list names every file as it will be written, what it is for, what its layout loses, and its size. Tick the files you need, or
choose a <b>bundle</b>, which ticks the files that belong together and nothing more. Choose a folder and a common name, and press
<b>Write</b>. Every file is read again afterwards and held against what was to be written.</p>
<p><code>mask.mat</code> and <code>mask_3d_shift.mat</code> have the names that the public MST and TSA-Net code loads.</p>
<p>The accepted run is proposed. Another one can be written too; the page then says that nobody has accepted it.</p>"""


class ExportPage(ExportLayout):
    """Which files are chosen, what is known of each, and what became of it."""

    title = "Export"
    help_html = HELP

    def __init__(
        self,
        state: AppState,
        runner: RunController,
        actions: Actions,
        dialogs: Dialogs,
        keeper: LogbookKeeper | None = None,
    ) -> None:
        super().__init__(dialogs.settings.folder_for("export"))
        self.setObjectName("page.export")
        self.setAccessibleName("Export")
        self._state, self._runner, self._actions, self._dialogs = state, runner, actions, dialogs
        self._keeper = keeper
        self._chosen: frozenset[str] = frozenset()
        self._facts: dict[str, FileFacts] = {}
        self._written: dict[str, Written] = {}
        self._written_uid = ""
        """The run that the ticks in the list stand for."""
        self._connect()
        state.changed.connect(self._on_changed)
        if keeper is not None:
            keeper.changed.connect(self._on_rig)
        self._rig: str | None = None
        self._on_rig()
        self._propose_name()
        self._refresh_runs()

    @property
    def badge(self) -> Badge:
        """What the step says: how many files were written, or are chosen."""
        count = sum(len(w.paths) for w in self._written.values())
        if any(w.problem for w in self._written.values()):
            return Badge("not all written", "bad")
        if count:
            return Badge(f"{plural(count, 'file')} written", "ok")
        return Badge(f"{plural(len(self._selected()), 'file')} chosen" if self.record is not None else "")

    def _connect(self) -> None:
        self.bundles.chosen.connect(self._on_bundle)
        self.files.ticked.connect(self._on_ticked)
        self.run.currentIndexChanged.connect(self._on_run)
        self.shifts.currentIndexChanged.connect(self._on_layout_choice)
        self.normalise.toggled.connect(self._on_layout_choice)
        self.preview.clicked.connect(self._on_preview)
        self.accept.clicked.connect(self._on_accept)
        self.open.clicked.connect(self._on_open)
        self.copy.clicked.connect(self._on_copy)
        self.folder.textChanged.connect(self._on_target)
        self.choose.clicked.connect(self._on_choose)
        self.name.textChanged.connect(self._on_target)
        self.write.clicked.connect(self._on_write)

    # -- which run ------------------------------------------------------------------------------------------------
    @Slot(object)
    def _on_changed(self, names: frozenset[str]) -> None:
        if names & {"runs", "accepted_id", "current_id"}:
            self._refresh_runs()
        if "inputs" in names:
            self._propose_name()
            self._on_run()
        if "points" in names:
            self._ask_for_facts()

    def _propose_name(self) -> None:
        files = self._state.snapshot.files
        stem = "demo" if files.demo else Path(files.measurements[0].partition("::")[0]).stem if files.measurements else ""
        self.name.setText(stem or "calibration")

    @property
    def record(self) -> RunRecord | None:
        """The run that would be written."""
        return self._state.run(self.run.currentData())

    def _refresh_runs(self) -> None:
        shot = self._state.snapshot
        wanted = shot.accepted_id if shot.accepted_id is not None else shot.current_id
        blocked = self.run.blockSignals(True)
        self.run.clear()
        for r in reversed(shot.runs):
            mark = ", in force" if r.accepted else ""
            self.run.addItem(f"{r.name}, {r.when:%H:%M}, verdict: {r.result.verdict.status}{mark}", r.id)
        index = self.run.findData(wanted)
        self.run.setCurrentIndex(max(index, 0) if shot.runs else -1)
        self.run.setPlaceholderText("No run yet")
        self.run.blockSignals(blocked)
        self._on_run()

    @Slot()
    def _on_run(self) -> None:
        record = self.record
        if record is None or record.uid != self._written_uid:
            self._forget_written()
        self.run.setEnabled(record is not None)
        self.preview.setEnabled(record is not None)
        self.accept.setVisible(record is not None and not record.accepted)
        self._warn(*self._warning_of(record))
        self._ask_for_facts()
        self._show_files()

    def _warning_of(self, record: RunRecord | None) -> tuple[str, str]:
        """What a person should know about the run before writing it, with its status."""
        if record is None:
            return NO_RUN, ""
        status = record.result.verdict.status
        if status == "fail":
            return f"The verdict of this run is {status}: do not trust it unchecked.", VERDICT_STATUS[status]
        if of_other_files(record, self._state.inputs):
            return "This run was made with other files than those that are loaded now.", "warn"
        return ("", "") if record.accepted else ("Nobody has accepted this run yet; look at the QA page first.", "warn")

    def _warn(self, text: str, status: str) -> None:
        self.warning.setText(text)
        self.warning.setVisible(bool(text))
        self.warning.setProperty("status", status)
        self.warning.style().unpolish(self.warning)
        self.warning.style().polish(self.warning)

    # -- the list -------------------------------------------------------------------------------------------------
    @Slot()
    def _on_rig(self) -> None:
        """The choice of files is that of the rig; another rig brings its own."""
        rig = "" if self._keeper is None else self._keeper.rig
        if rig != self._rig:
            self._rig = rig
            self._chosen = frozenset(self._dialogs.settings.export_choice(rig) or FIRST_CHOICE)
            self._show_files()

    @Slot()
    def _on_layout_choice(self) -> None:
        self._forget_written()
        self._ask_for_facts()
        self._show_files()

    def _ask_for_facts(self) -> None:
        """Meanings, warnings and sizes are worked out beside the window: they need the mask at its place."""
        record = self.record
        if record is None:
            self._facts = {}
            return
        done = partial(self._on_facts, record.uid)
        self._runner.submit(all_facts, record.result, self._choices(record), done=done, key="export facts")

    def _on_facts(self, uid: str, facts: dict[str, FileFacts]) -> None:
        if self.record is not None and self.record.uid == uid:
            self._facts = facts
            self._show_files()

    def _possible(self, item: ExportItem) -> bool:
        return self.record is not None and not item.missing(self.record.result)

    def _selected(self) -> list[tuple[ExportItem, Path]]:
        folder, stem = Path(self.folder.text().strip()).expanduser(), self.name.text().strip()
        return [(i, folder / i.file_name(stem)) for i in EXPORT_ITEMS if i.id in self._chosen and self._possible(i)]

    @Slot()
    def _show_files(self) -> None:
        self.files.set_lines([self._line_of(item) for item in EXPORT_ITEMS])
        possible = {item.id for item in EXPORT_ITEMS if self._possible(item)}
        for bundle in BUNDLES:
            ids = [i for i in bundle.items if i in possible] or list(bundle.items)
            size = sum(self._facts[i].bytes for i in ids if i in self._facts)
            words = plural(len(ids), "file")
            self.bundles.buttons[bundle.id].set_details(f"{words}, up to {file_size(size)}" if size else words)
        marked = next((b.id for b in BUNDLES if set(b.items) & possible == self._chosen & possible != frozenset()), "")
        self.bundles.mark(marked)
        count, reason = len(self._selected()), self._blocked_reason()
        self.write.setText(f"Write {plural(count, 'file')}" if count else "Write files")
        self.write.setEnabled(not reason)
        self.write.setToolTip(reason or "Write the ticked files and read each of them again")
        self._show_done(reason)
        self.badge_changed.emit()

    def _line_of(self, item: ExportItem) -> FileLine:
        record, facts, written = self.record, self._facts.get(item.id, FileFacts("")), self._written.get(item.id)
        name = item.file_name(self.name.text().strip() or "\N{HORIZONTAL ELLIPSIS}")
        missing = item.missing(record.result) if record is not None else ""
        size = f"{'up to' if facts.at_most else 'about'} {file_size(facts.bytes)}" if facts.bytes else ""
        note, ticked = facts.warning, item.id in self._chosen and not missing
        kind: State = ""
        if missing:
            note, kind, size = missing, "impossible", ""
        elif written is not None and written.problem:
            note, kind, size = f"not written: {written.problem}", "failed", ""
        elif written is not None:
            note, kind, size = written.read_back, "written", file_size(written.bytes)
        if item.id == "calibration" and kind == "" and facts.bytes:
            size = file_size(facts.bytes)
        return FileLine(item.id, item.group, name, facts.meaning, note, size, ticked, kind)

    @Slot(str, bool)
    def _on_ticked(self, item_id: str, on: bool) -> None:
        self._choose(self._chosen | {item_id} if on else self._chosen - {item_id})

    @Slot(str)
    def _on_bundle(self, bundle_id: str) -> None:
        self._choose(frozenset(next(b.items for b in BUNDLES if b.id == bundle_id)))

    def _choose(self, ids: frozenset[str]) -> None:
        self._chosen = ids
        in_order = tuple(item.id for item in EXPORT_ITEMS if item.id in ids)
        self._dialogs.settings.remember_export_choice(self._rig or "", in_order)
        self._show_files()

    @Slot()
    def _on_target(self) -> None:
        """Other names, other files: what was written lies elsewhere."""
        self.folder.setToolTip(self.folder.text() or "Folder that the files are written to")
        self._forget_written()
        self._show_files()

    def _blocked_reason(self) -> str:
        if self.record is None:
            return "There is no run to write yet."
        name = self.name.text().strip()
        if not name or "/" in name or "\\" in name:
            return "Give a name without slashes."
        if not Path(self.folder.text().strip()).expanduser().is_dir():
            return "This folder does not exist."
        return "" if self._selected() else "Tick at least one file."

    # -- writing --------------------------------------------------------------------------------------------------
    @Slot()
    def _on_choose(self) -> None:
        folder = self._dialogs.folder("export", "Choose the folder for the files")
        if folder:
            self.folder.setText(folder)

    @Slot()
    def _on_accept(self) -> None:
        if self.record is not None:
            commands.accept_run(self._state, self.record.id, logbook=self._keeper)

    @Slot()
    def _on_preview(self) -> None:
        record = self.record
        if record is not None:
            title = f"{self.name.text().strip() or 'calibration'}.cassi.json"
            self._runner.submit(preview_text, record.result, done=partial(self._dialogs.show_text, title), key="export preview")

    @Slot()
    def _on_write(self) -> None:
        record, targets = self.record, self._selected()
        if record is None or not targets:
            return
        there = [path.name for _, path in targets if path.exists()]
        text = "These files exist and will be replaced:\n" + "\n".join(there)
        if there and not self._dialogs.confirm("Replace files?", text, yes="Replace"):
            return
        self._dialogs.settings.remember_folder("export", str(targets[0][1].parent))
        self._forget_written()
        self._show_files()
        self.write.setEnabled(False)
        done = partial(self._on_written, record.uid)
        self._runner.submit(write_items, record.result, targets, self._choices(record), done=done, failed=self._on_write_failed)

    def _choices(self, record: RunRecord) -> ExportChoices:
        """How masks are written, and the picked points that lie in this run's picture."""
        rows, cols = record.result.mask.shape
        points = tuple((p.row, p.col) for p in self._state.points if 0 <= p.row < rows and 0 <= p.col < cols)
        return ExportChoices(self.shifts.currentData(), self.normalise.isChecked(), points)

    def _on_written(self, uid: str, written: tuple[Written, ...]) -> None:
        for path in (p for w in written if w.item.id == "calibration" for p in w.paths):
            if self._keeper is not None:
                self._keeper.name_file(uid, path)
        for one in written:
            if one.problem:
                self.logged.emit("error", f"not written: {one.problem}")
            for path in one.paths:
                self.logged.emit("info", f"written: {path}")
        if self.record is not None and self.record.uid == uid:
            self._written_uid, self._written = uid, {w.item.id: w for w in written}
        self._show_files()

    def forget(self) -> None:
        """Another session is in place: what was written belongs to the old one."""
        self._forget_written()
        self._show_files()
        self.badge_changed.emit()

    def _on_write_failed(self, error: Exception) -> None:
        self._show_files()
        self._dialogs.error("The files could not be written", str(error))

    def _forget_written(self) -> None:
        self._written_uid, self._written = "", {}

    @property
    def _paths(self) -> list[Path]:
        return [p for w in self._written.values() for p in w.paths]

    def _show_done(self, reason: str) -> None:
        """The line above the folder: what was written and where, or why nothing can be."""
        paths, failed = self._paths, sum(bool(w.problem) for w in self._written.values())
        text = reason if self.record is not None else ""
        if self._written:
            where = f"{plural(len(paths), 'file')} written to {paths[0].parent}" if paths else "Nothing was written"
            text = f"{where}; {plural(failed, 'file')} NOT written, see the list" if failed else where
        self.done.set_full_text(text)
        self.done.setVisible(bool(text))
        self.done.setProperty("status", "bad" if failed else "ok" if paths else "")
        self.done.style().unpolish(self.done)
        self.done.style().polish(self.done)
        self.open.setVisible(bool(paths))
        self.copy.setVisible(bool(paths))

    @Slot()
    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText("\n".join(str(p) for p in self._paths))

    @Slot()
    def _on_open(self) -> None:
        if self._paths:
            self._dialogs.open_folder(str(self._paths[0].parent))


def file_size(size: int) -> str:
    """`850 bytes`, `14 kB`, `1.7 MB`, `53 MB`: two significant digits are enough to choose by."""
    if size < 1000:
        return f"{size} bytes"
    value, unit = (size / 1e3, "kB") if size < 1e6 else (size / 1e6, "MB") if size < 1e9 else (size / 1e9, "GB")
    return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"
