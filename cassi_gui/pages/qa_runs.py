"""All runs of the session side by side: choosing one shows it on every tab; names and notes can be changed."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from cassi_gui.session import commands
from cassi_gui.session.state import AppState, RunRecord
from cassi_gui.style.theme import SPACE, Palette
from cassi_gui.widgets.run_list import RunEntry, RunList

EMPTY = "Every run of this session is listed here with its numbers."
HINT = "Select a run to look at it on all tabs. Names and notes can be changed (double-click)."


class RunsTab(QWidget):
    """The table of runs, wired to the session."""

    def __init__(self, state: AppState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.list = RunList()
        self._hint = QLabel()
        self._hint.setObjectName("runs_hint")
        self._hint.setProperty("role", "small")
        self._hint.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, SPACE, 0, 0)
        column.setSpacing(SPACE)
        column.addWidget(self._hint)
        column.addWidget(self.list, 1)
        self.list.chosen.connect(self._on_chosen)
        self.list.note_edited.connect(self._on_note_edited)
        self.list.name_edited.connect(self._on_name_edited)

    def show_runs(self) -> None:
        """Show what the session holds now."""
        shot = self._state.snapshot
        self.list.set_runs(
            [RunEntry(r.id, r.name, r.result, r.when, r.note, self.decision(r)) for r in shot.runs], shot.current_id
        )
        self._hint.setText(HINT if shot.runs else EMPTY)

    def decision(self, record: RunRecord) -> str:
        """What was decided about a run: accepted, rejected, or nothing."""
        shot = self._state.snapshot
        if record.id == shot.accepted_id:
            return "accepted"
        return "rejected" if record.id in shot.rejected_ids else ""

    def set_palette(self, palette: Palette) -> None:
        """Repaint in the colours of a palette."""
        self.list.set_palette(palette)

    @Slot(int)
    def _on_chosen(self, run_id: int) -> None:
        self._state.replace(current_id=run_id)

    @Slot(int, str)
    def _on_note_edited(self, run_id: int, note: str) -> None:
        commands.edit_run(self._state, run_id, note=note)

    @Slot(int, str)
    def _on_name_edited(self, run_id: int, name: str) -> None:
        commands.edit_run(self._state, run_id, name=name)
