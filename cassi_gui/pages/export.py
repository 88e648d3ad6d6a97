"""Page 5: write the files that other software reads, and say where they are."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from cassi_core.io.exports import ExportChoices
from cassi_gui.desktop.actions import Actions
from cassi_gui.desktop.dialogs import Dialogs
from cassi_gui.logbook.keeper import LogbookKeeper
from cassi_gui.pages.export_items import EXPORT_ITEMS, GROUPS, MASKS, ExportItem, Written, preview_text, write_items
from cassi_gui.pages.page import Page
from cassi_gui.pages.status import VERDICT_STATUS, Badge, of_other_files, plural
from cassi_gui.run.controller import RunController
from cassi_gui.session import commands
from cassi_gui.session.state import AppState, RunRecord
from cassi_gui.style.boxes import ChoiceBox
from cassi_gui.style.icons import make_icon
from cassi_gui.style.theme import HALF_SPACE, LIGHT, MARGIN, SPACE, TYPE_SMALL_PT, Palette, font

SHIFTS = (
    ("Band shifts as each program assumes", None),
    ("Whole-pixel band shifts", "integer"),
    ("Sub-pixel pattern for each band", "interpolated"),
)

HELP = """<h2>Export</h2>
<p>Choose a run, tick the files you need, choose a folder and a common name, and press <b>Write files</b>. The full paths appear
below afterwards. The calibration file is read back after writing.</p>
<p>The accepted run is proposed. Another one can be written too; the page then says that nobody has accepted it.</p>"""


class ExportPage(Page):
    """Checklist at the left, preview of the calibration file at the right."""

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
        super().__init__()
        self.setObjectName("page.export")
        self.setAccessibleName("Export")
        self._state, self._runner, self._actions, self._dialogs = state, runner, actions, dialogs
        self._keeper = keeper
        self._palette: Palette = LIGHT
        self._written: tuple[Written, ...] = ()
        self._boxes: dict[str, QCheckBox] = {}
        self._targets: dict[str, QLabel] = {}
        self._build()
        state.changed.connect(self._on_changed)
        self._propose_name()
        self._refresh_runs()

    @property
    def badge(self) -> Badge:
        """What the step says: how many files were written."""
        count = sum(len(w.paths) for w in self._written)
        if any(w.problem for w in self._written):
            return Badge("not all written", "bad")
        return Badge(f"{plural(count, 'file')} written", "ok") if count else Badge("")

    # -- building -------------------------------------------------------------------------------------------------
    def _build(self) -> None:
        left = QVBoxLayout()
        left.setSpacing(SPACE)
        left.addWidget(self._build_run_card())
        left.addWidget(self._build_files_card(), 1)
        left.addWidget(self._build_target_card())
        right = QVBoxLayout()
        right.setSpacing(SPACE)
        right.addWidget(self._build_done_card())
        right.addWidget(self._build_preview(), 1)
        outer = QHBoxLayout(self)
        outer.setContentsMargins(MARGIN, MARGIN, MARGIN, SPACE)
        outer.setSpacing(MARGIN)
        outer.addLayout(left, 1)
        outer.addLayout(right, 1)

    def _card(self, name: str, title: str) -> tuple[QFrame, QVBoxLayout]:
        card = QFrame()
        card.setObjectName(name)
        card.setProperty("role", "card")
        layout = QVBoxLayout(card)
        layout.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        layout.setSpacing(SPACE)
        heading = QLabel(title)
        heading.setProperty("role", "heading")
        layout.addWidget(heading)
        return card, layout

    def _build_run_card(self) -> QFrame:
        card, layout = self._card("export.run_card", "Which calibration")
        self.run = ChoiceBox()
        self.run.setObjectName("export.run")
        self.run.setAccessibleName("Run to export")
        self.run.setToolTip("The run whose calibration is written; the accepted one is proposed")
        self.run.currentIndexChanged.connect(self._on_run)
        self.warning = QLabel()
        self.warning.setObjectName("export.warning")
        self.warning.setWordWrap(True)
        self.accept = QPushButton("Accept this run")
        self.accept.setObjectName("export.accept")
        self.accept.setToolTip("Make it the calibration in force; can be undone")
        self.accept.clicked.connect(self._on_accept)
        layout.addWidget(self.run)
        row = QHBoxLayout()
        row.addWidget(self.warning, 1)
        row.addWidget(self.accept, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(row)
        return card

    def _build_files_card(self) -> QFrame:
        card, layout = self._card("export.files_card", "Files")
        inner = QWidget()
        rows = QVBoxLayout(inner)
        rows.setContentsMargins(0, 0, SPACE, 0)
        rows.setSpacing(HALF_SPACE)
        for group in GROUPS:
            heading = QLabel(group)
            heading.setProperty("role", "muted")
            rows.addWidget(heading)
            if group == MASKS:
                rows.addLayout(self._build_mask_choices())
            for item in (i for i in EXPORT_ITEMS if i.group == group):
                self._add_item(item, rows)
            rows.addSpacing(HALF_SPACE)
        rows.addStretch(1)
        scroll = QScrollArea()
        scroll.setObjectName("export.files_scroll")
        scroll.setAccessibleName("Files to write")
        scroll.setToolTip("Tick the files that are to be written")
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(inner)
        layout.addWidget(scroll, 1)
        return card

    def _add_item(self, item: ExportItem, rows: QVBoxLayout) -> None:
        box = QCheckBox(item.title)
        box.setObjectName(f"export.tick.{item.id}")
        box.setAccessibleName(item.title)
        box.setToolTip(item.text)
        box.setChecked(item.ticked)
        box.toggled.connect(self._refresh_targets)
        target = QLabel()
        target.setProperty("role", "small")
        target.setWordWrap(True)
        target.setIndent(22)
        self._boxes[item.id], self._targets[item.id] = box, target
        rows.addWidget(box)
        rows.addWidget(target)

    def _build_target_card(self) -> QFrame:
        card, layout = self._card("export.target_card", "Where")
        self.folder = QLineEdit(self._dialogs.settings.folder_for("export"))
        self.folder.setObjectName("export.folder")
        self.folder.setAccessibleName("Folder")
        self.folder.setToolTip("The folder that the files are written to; it must exist")
        self.choose = QPushButton("Choose …")
        self.choose.setObjectName("export.choose")
        self.choose.setToolTip("Choose the folder that the files are written to")
        self.choose.setAccessibleName("Choose the folder")
        self.choose.clicked.connect(self._on_choose)
        self.name = QLineEdit("calibration")
        self.name.setObjectName("export.name")
        self.name.setAccessibleName("Common name")
        self.name.setToolTip("All files begin with this name")
        for field in (self.folder, self.name):
            field.textChanged.connect(self._refresh_targets)
        self.write = QPushButton("Write files")
        self.write.setObjectName("export.write")
        self.write.setToolTip("Write the ticked files; each is read back and checked")
        self.write.setProperty("role", "primary")
        self.write.clicked.connect(self._on_write)
        grid = QGridLayout()
        grid.setSpacing(SPACE)
        for row, (text, field) in enumerate((("Folde&r", self.folder), ("&Name", self.name))):
            label = QLabel(text)
            label.setBuddy(field)
            grid.addWidget(label, row, 0)
            grid.addWidget(field, row, 1)
        grid.addWidget(self.choose, 0, 2)
        layout.addLayout(grid)
        self.reason = QLabel()
        self.reason.setObjectName("export.reason")
        self.reason.setProperty("role", "muted")
        self.reason.setWordWrap(True)
        row_layout = QHBoxLayout()
        row_layout.addWidget(self.reason, 1)
        row_layout.addWidget(self.write)
        layout.addLayout(row_layout)
        return card

    def _build_mask_choices(self) -> QHBoxLayout:
        """How the masks for reconstruction software are written; the proposal is what each program assumes."""
        self.shifts = ChoiceBox()
        self.shifts.setObjectName("export.shifts")
        self.shifts.setAccessibleName("Band shifts of masks")
        self.shifts.setToolTip("One mask moved by whole pixels, or the pattern of each band where it really lies")
        for text, value in SHIFTS:
            self.shifts.addItem(text, value)
        self.normalise = QCheckBox("Scale to 1")
        self.normalise.setObjectName("export.normalise")
        self.normalise.setAccessibleName("Scale masks to 1")
        self.normalise.setToolTip(
            "The largest value written is exactly 1; otherwise values are relative to the nominal mask's brightest"
        )
        row = QHBoxLayout()
        row.setSpacing(SPACE)
        row.addWidget(self.shifts, 1)
        row.addWidget(self.normalise)
        return row

    def _build_done_card(self) -> QFrame:
        self.done_card, layout = self._card("export.done_card", "Written just now")
        self.done = QLabel()
        self.done.setObjectName("export.done")
        self.done.setWordWrap(True)
        self.done.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        layout.addWidget(self.done)
        self.copy = QPushButton("Copy paths")
        self.copy.setObjectName("export.copy")
        self.copy.setToolTip("Copy the paths of the written files to the clipboard")
        self.copy.clicked.connect(self._on_copy)
        self.open = QPushButton("Open folder")
        self.open.setObjectName("export.open")
        self.open.setToolTip("Open the folder of the written files")
        self.open.clicked.connect(self._on_open)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.copy)
        row.addWidget(self.open)
        layout.addLayout(row)
        self.done_card.hide()
        return self.done_card

    def _build_preview(self) -> QFrame:
        card, layout = self._card("export.preview_card", "Preview of the calibration file")
        self.preview = QPlainTextEdit()
        self.preview.setObjectName("export.preview")
        self.preview.setAccessibleName("Preview of the calibration file")
        self.preview.setToolTip("What will stand in the calibration file")
        self.preview.setReadOnly(True)
        self.preview.setFont(font(TYPE_SMALL_PT, fixed=True))
        self.preview.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.preview.setPlaceholderText("Run a calibration first: its file is shown here before it is written.")
        layout.setSpacing(HALF_SPACE)
        layout.addWidget(self.preview, 1)
        return card

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self._palette = palette
        self.write.setIcon(make_icon("save", palette, palette.accent_text))
        for button, icon in ((self.choose, "folder"), (self.copy, "copy"), (self.open, "folder"), (self.accept, "accept")):
            button.setIcon(make_icon(icon, palette))

    # -- showing --------------------------------------------------------------------------------------------------
    @Slot(object)
    def _on_changed(self, names: frozenset[str]) -> None:
        if names & {"runs", "accepted_id", "current_id"}:
            self._refresh_runs()
        if "inputs" in names:
            self._propose_name()
            self._on_run()

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
            mark = " (accepted)" if r.accepted else ""
            self.run.addItem(f"{r.name}{mark}, {r.when:%H:%M}, verdict: {r.result.verdict.status}", r.id)
        index = self.run.findData(wanted)
        self.run.setCurrentIndex(max(index, 0) if shot.runs else -1)
        self.run.setPlaceholderText("No run yet")
        self.run.blockSignals(blocked)
        self._on_run()

    @Slot()
    def _on_run(self) -> None:
        record = self.record
        self.run.setEnabled(record is not None)
        self.accept.setVisible(record is not None and not record.accepted)
        if record is None:
            self._warn("Run a calibration first; what it finds can be written here.", "")
            self.preview.clear()
        else:
            status = record.result.verdict.status
            if record.accepted:
                self._warn("This is the calibration in force.", "ok")
            else:
                self._warn("Nobody has accepted this run yet; look at the QA page first.", "warn")
            if of_other_files(record, self._state.inputs):
                self._warn("This run was made with other files than those that are loaded now.", "warn")
            if status == "fail":
                self._warn(f"The verdict of this run is {status}: do not trust it unchecked.", VERDICT_STATUS[status])
            self._runner.submit(preview_text, record.result, done=partial(self._on_preview, record.id), key="export preview")
        self._refresh_targets()

    def _on_preview(self, run_id: int, text: str) -> None:
        if self.record is not None and self.record.id == run_id:
            self.preview.setPlainText(text)

    def _warn(self, text: str, status: str) -> None:
        self.warning.setText(text)
        self.warning.setProperty("status", status)
        self.warning.style().unpolish(self.warning)
        self.warning.style().polish(self.warning)

    def _selected(self) -> list[tuple[ExportItem, Path]]:
        folder = Path(self.folder.text().strip()).expanduser()
        name = self.name.text().strip()
        return [(i, folder / f"{name}{i.suffix}") for i in EXPORT_ITEMS if self._boxes[i.id].isChecked() and self._possible(i)]

    def _possible(self, item: ExportItem) -> bool:
        return self.record is not None and not item.missing(self.record.result)

    @Slot()
    def _refresh_targets(self) -> None:
        record = self.record
        for item in EXPORT_ITEMS:
            missing = item.missing(record.result) if record is not None else ""
            self._boxes[item.id].setEnabled(not missing)
            name = f"{self.name.text().strip() or '…'}{item.suffix}"
            self._targets[item.id].setText(f"Not possible: {missing}." if missing else f"{name}: {item.text}")
        reason = self._blocked_reason()
        self.write.setEnabled(not reason)
        self.reason.setText(reason)

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
    def _on_write(self) -> None:
        record, targets = self.record, self._selected()
        if record is None:
            return
        there = [path.name for _, path in targets if path.exists()]
        text = "These files exist and will be replaced:\n" + "\n".join(there)
        if there and not self._dialogs.confirm("Replace files?", text, yes="Replace"):
            return
        self._dialogs.settings.remember_folder("export", str(targets[0][1].parent))
        self.write.setEnabled(False)
        done = partial(self._on_written, record.uid)
        self._runner.submit(write_items, record.result, targets, self._choices(record), done=done, failed=self._on_write_failed)

    def _choices(self, record: RunRecord) -> ExportChoices:
        """How masks are written, and the picked points that lie in this run's picture."""
        rows, cols = record.result.mask.shape
        points = tuple((p.row, p.col) for p in self._state.points if 0 <= p.row < rows and 0 <= p.col < cols)
        return ExportChoices(self.shifts.currentData(), self.normalise.isChecked(), points)

    def _on_written(self, uid: str, written: tuple[Written, ...]) -> None:
        self._written = written
        for path in (p for w in written if w.item.id == "calibration" for p in w.paths):
            if self._keeper is not None:
                self._keeper.name_file(uid, path)
        lines = []
        for item in written:
            if item.problem:
                lines.append(f"{item.item.title}: NOT written. {item.problem}")
                self.logged.emit("error", f"not written: {item.problem}")
            for path in item.paths:
                lines.append(f"{path}  ({_size(path)})")
                self.logged.emit("info", f"written: {path}")
        self.done.setText("\n".join(lines))
        self.done_card.show()
        self.open.setEnabled(any(w.paths for w in written))
        self.copy.setEnabled(any(w.paths for w in written))
        self._refresh_targets()
        self.badge_changed.emit()

    def forget(self) -> None:
        """Another session is in place: what was written belongs to the old one."""
        self._written = ()
        self.done.clear()
        self.done_card.hide()
        self.badge_changed.emit()

    def _on_write_failed(self, error: Exception) -> None:
        self._refresh_targets()
        self._dialogs.error("The files could not be written", str(error))

    @Slot()
    def _on_copy(self) -> None:
        paths = [str(p) for w in self._written for p in w.paths]
        QGuiApplication.clipboard().setText("\n".join(paths))

    @Slot()
    def _on_open(self) -> None:
        first: Any = next((p for w in self._written for p in w.paths), None)
        if first is not None:
            self._dialogs.open_folder(str(first.parent))


def _size(path: Path) -> str:
    size = path.stat().st_size if path.exists() else 0
    return f"{size} bytes" if size < 1000 else f"{size / 1000:.1f} kB" if size < 1e6 else f"{size / 1e6:.1f} MB"
