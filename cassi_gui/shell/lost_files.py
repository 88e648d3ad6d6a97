"""Asks where the inputs of a session are that were too large to keep in it and are not where they were."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from cassi_gui.desktop.dialogs import Dialogs
from cassi_gui.session.io import SessionIo
from cassi_gui.session.state import FileSelection
from cassi_gui.session.values import same_content, with_moved

if TYPE_CHECKING:
    from cassi_core.io.session import Located, Lost


class LostFiles(QObject):
    """One round of questions, file by file."""

    def __init__(self, io: SessionIo, dialogs: Dialogs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._io, self._dialogs = io, dialogs
        self._chosen: dict[str, str] = {}

    def ask(self, located: Located, then: Callable[[FileSelection], None]) -> None:
        """Ask about every lost file, then hand the selection on; a file that nobody finds stays named as it was."""
        self._next(located, list(located.lost), then)

    def _next(self, located: Located, lost: list[Lost], then: Callable[[FileSelection], None]) -> None:
        if not lost:
            then(with_moved(located.files, self._chosen))
            self.deleteLater()
            return
        first, rest = lost[0], lost[1:]
        answers = ("Choose the file …", "Use it as it is now" if first.changed else "Open without it")
        answer = self._dialogs.ask(
            "A file of the session", f"{first.text}\n\nThe runs are in the session all the same.", answers
        )
        paths: tuple[str, ...] = ()
        if answer == 0:
            paths = self._dialogs.open_files("measurement", f"Where is {Path(first.reference.path).name}?", multiple=False)
        if not paths:
            self._next(located, rest, then)
            return
        checked = partial(self._on_checked, located, lost, then, paths[0])
        self._io.submit("Comparing the file", same_content, first.reference, paths[0], done=checked, failed=self._on_failed)

    def _on_checked(
        self, located: Located, lost: list[Lost], then: Callable[[FileSelection], None], path: str, same: bool
    ) -> None:
        question = f"{path} has another content than the {lost[0].reference.role} that the session was made from."
        if same or self._dialogs.confirm("Another file", question, yes="Use it all the same"):
            self._chosen[lost[0].reference.spec] = path
            lost = lost[1:]
        self._next(located, lost, then)

    def _on_failed(self, error: Exception) -> None:
        self._dialogs.error("The session could not be opened", str(error))
        self.deleteLater()
