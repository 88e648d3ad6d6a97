"""Open, save, save as, new, recover: the session of one window and its file."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from cassi_core.errors import RunCancelled
from cassi_gui.desktop.dialogs import Dialogs, SaveAnswer
from cassi_gui.desktop.settings import UiSettings
from cassi_gui.inputs.loading import InputLoader, Loaded
from cassi_gui.pages.status import plural
from cassi_gui.run.controller import RunController
from cassi_gui.session.autosave import Autosave
from cassi_gui.session.io import SessionIo
from cassi_gui.session.recovery import RecoveryFile, RecoveryFolder
from cassi_gui.session.run_maps import RunStore
from cassi_gui.session.state import AppState, FileSelection, Snapshot
from cassi_gui.session.values import SUFFIX, Opened, content_of, open_session, snapshot_fields, worth_keeping, write
from cassi_gui.shell.lost_files import LostFiles

UNTITLED = "New session"


class SessionKeeper(QObject):
    """Knows which file the session belongs to and whether it has changes that are not saved."""

    logged = Signal(str, str)
    title_changed = Signal(str, bool)
    """Name of the session, and whether it was changed since it was saved."""
    opened = Signal()
    """Another session is in place of the old one."""
    cut_found = Signal(object)
    """When the run was cut off that a window which died has left, or None when it is dealt with."""
    remembered = Signal(str)
    """Path of a session that was opened or saved, for the list of recent ones."""

    def __init__(
        self,
        state: AppState,
        runner: RunController,
        loader: InputLoader,
        dialogs: Dialogs,
        settings: UiSettings,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._state, self._runner, self._loader, self._dialogs = state, runner, loader, dialogs
        self.path: Path | None = None
        self._saved = content_of(state.snapshot)
        self._cut: tuple[RecoveryFile, Opened] | None = None
        """What a window that died in the middle of a run has left."""
        self.io = SessionIo(self)
        self.store = RunStore(state, self.io, self)
        self.recovery = RecoveryFolder(settings.folder / "recovery")
        self.autosave = Autosave(
            state, self.io, self.store, self.recovery, lambda: self.modified, lambda: str(self.path or ""), self
        )
        for source in (self.store, self.autosave):
            source.logged.connect(self.logged)
        state.changed.connect(self._show_title)

    # -- what it is -----------------------------------------------------------------------------------------------
    @property
    def modified(self) -> bool:
        """True when the session differs from its file (or from an empty one, when it has none)."""
        return content_of(self._state.snapshot) != self._saved

    @property
    def would_lose(self) -> bool:
        """True when leaving the session now would lose work: more than the choice of files of an unsaved session."""
        return self.modified and (self.path is not None or worth_keeping(self._state.snapshot))

    @property
    def name(self) -> str:
        """Name of the session without its suffix."""
        return UNTITLED if self.path is None else self.path.name.removesuffix(SUFFIX)

    @Slot()
    def _show_title(self, _names: object = None) -> None:
        self.title_changed.emit(self.name, self.would_lose)

    # -- leaving --------------------------------------------------------------------------------------------------
    def ask_to_save(self, before: str) -> SaveAnswer:
        """Save, discard or cancel; discard without a question when nothing would be lost."""
        if not self.would_lose:
            return "discard"
        runs = plural(len(self._state.runs), "run")
        text = f"The session “{self.name}” with {runs} has changes that are not saved. Without saving they are lost."
        if self._runner.running:
            text += " The run that is going on is cancelled."
        return self._dialogs.ask_save(f"Save before {before}?", text)

    def leave(self, before: str, then: Callable[[], None]) -> None:
        """Do something that ends the present session, after saving it if that is wanted."""
        answer = self.ask_to_save(before)
        if answer == "save":
            self.save(then)
        elif answer == "discard":
            then()

    def _refused_during_run(self) -> bool:
        if self._runner.running:
            self._dialogs.inform("A run is going on", "Cancel the run first, or stop it and keep the best.")
        return self._runner.running

    def new(self) -> None:
        """An empty session."""
        if not self._refused_during_run():
            self.leave("starting anew", self._start_anew)

    def _start_anew(self) -> None:
        self.autosave.drop()
        self.store.reset()
        self.path = None
        self._saved = content_of(Snapshot())
        self._state.restore()
        self._show_title()
        self.opened.emit()

    # -- opening --------------------------------------------------------------------------------------------------
    def open(self) -> None:
        """Ask which session, and open it."""
        if not self._refused_during_run():
            paths = self._dialogs.open_files("session", "Open session", kind="session", multiple=False)
            if paths:
                self.open_path(paths[0])

    def open_path(self, path: str | Path) -> None:
        """Open a session file in place of the present session."""
        if not self._refused_during_run():
            self.leave("opening another session", partial(self._read, Path(path).absolute()))

    def _read(self, path: Path) -> None:
        done, failed = partial(self._on_read, path), partial(self._on_failed, "The session could not be opened")
        self.io.submit(f"Opening {path.name}", open_session, path, done=done, failed=failed)

    def _on_read(self, path: Path, opened: Opened) -> None:
        LostFiles(self.io, self._dialogs, self).ask(opened.located, partial(self._show_opened, path, opened))

    def _show_opened(self, path: Path, opened: Opened, files: FileSelection) -> None:
        if self._runner.running:
            # It was started while the file was being read, and its result belongs to the session on show.
            self.logged.emit("warning", f"{path.name} was not opened: a run has been started in the meantime")
            return
        self.autosave.drop()
        self._restore(opened, files, path)
        self._saved = content_of(self._state.snapshot)
        self._remember(path)
        self.logged.emit("info", f"opened {path}, saved {opened.stored.saved:%d %b %Y %H:%M}")
        self.opened.emit()

    def _restore(self, opened: Opened, files: FileSelection, holder: Path) -> None:
        session = opened.stored.session
        fields = snapshot_fields(session) | {"files": files, "cut": None}
        if session.cut is not None:
            fields["parameters"] = session.cut.parameters
        if session.inputs is not None:
            self._loader.adopt(files, Loaded(session.inputs, session.truth))
        self.store.reset((r.uid for r in session.runs), holder)
        self._state.restore(**fields)

    def _remember(self, path: Path) -> None:
        self.path = path
        self._show_title()
        self.remembered.emit(str(path))

    def _on_failed(self, title: str, error: Exception) -> None:
        if isinstance(error, RunCancelled):
            self.logged.emit("info", f"{title[0].lower()}{title[1:]}: it was stopped")
            return
        self.logged.emit("error", str(error))
        self._dialogs.error(title, str(error) or type(error).__name__)

    # -- saving ---------------------------------------------------------------------------------------------------
    def save(self, then: Callable[[], None] | None = None) -> None:
        """Save to the session's file; asks for one when there is none."""
        if self.path is None:
            self.save_as(then)
        else:
            self._write(self.path, then)

    def save_as(self, then: Callable[[], None] | None = None) -> None:
        """Save to another file, which is the session's from then on."""
        files = self._state.snapshot.files
        first = (
            Path(files.measurements[0].partition("::")[0]).stem if files.measurements else "demo" if files.demo else "session"
        )
        proposed = f"{self.name if self.path else first}{SUFFIX}"
        chosen = self._dialogs.save_file("session", "Save session", proposed, kind="session")
        if not chosen:
            return
        path = with_suffix(Path(chosen).absolute())
        # The file dialog asked about the name as it was typed, not about this one.
        renamed = path != Path(chosen).absolute() and path.exists()
        if renamed and not self._dialogs.confirm("Replace the session?", f"{path} exists already.", yes="Replace"):
            return
        self._write(path, then)

    def _write(self, path: Path, then: Callable[[], None] | None) -> None:
        shot = self._state.snapshot
        done = partial(self._on_written, shot, then)
        failed = partial(self._on_failed, "The session was not saved")
        arguments = (shot, self.store.unsaved, path, self.store.files, "")
        self.io.submit(f"Saving {path.name}", write, *arguments, done=done, failed=failed)

    def _on_written(self, shot: Snapshot, then: Callable[[], None] | None, path: Path) -> None:
        self.store.note_written(shot, path)
        self._saved = content_of(shot)
        self._remember(path)
        self.logged.emit("info", f"saved {path}")
        if not self.modified:
            self.autosave.drop()
        if then is not None:
            then()

    # -- recovery -------------------------------------------------------------------------------------------------
    def offer_recovery(self, otherwise: Callable[[], None] | None = None) -> None:
        """Offer what windows that died have left; `otherwise` is called when nothing is recovered."""
        self._offer(list(self.recovery.left_over()), otherwise or (lambda: None))

    def _offer(self, left: list[RecoveryFile], otherwise: Callable[[], None]) -> None:
        if not left:
            otherwise()
            return
        file, rest = left[0], left[1:]
        done, failed = partial(self._on_left_over, file, rest, otherwise), partial(self._on_unreadable, file, rest, otherwise)
        self.io.submit("Looking for work to recover", open_session, file.path, done=done, failed=failed)

    def _on_left_over(
        self, file: RecoveryFile, rest: list[RecoveryFile], otherwise: Callable[[], None], opened: Opened
    ) -> None:
        stored = opened.stored
        if stored.session.cut is not None and self._cut is None:
            # Not a question in the way: a card on the Load page that waits.
            self._cut = file, opened
            self.cut_found.emit(stored.session.cut.when)
            self._offer(rest, otherwise)
            return
        named = f" “{Path(stored.document).name}”" if stored.document else ""
        text = (
            f"The program ended without closing its session{named}. What it held on {stored.saved:%d %b %Y at %H:%M} was kept:\n\n"
            f"{stored.session.words}\n\nDiscard deletes it for good. Cancel leaves it for the next start."
        )
        answer = self._dialogs.ask("Recover the session?", text, ("Recover", "Discard"))
        if answer == 0:
            for other in rest:
                other.release(remove=False)
            LostFiles(self.io, self._dialogs, self).ask(opened.located, partial(self._recover, file, opened))
            return
        file.release(remove=answer == 1)
        self.logged.emit("info", "a session was discarded" if answer == 1 else "a session waits for recovery at the next start")
        self._offer(rest, otherwise)

    def go_on_with_cut(self) -> None:
        """Bring back the session of the run that was cut off, and start from its last values."""
        if self._cut is not None and not self._refused_during_run():
            self.leave("bringing back the run that was cut off", self._bring_back_cut)

    def _bring_back_cut(self) -> None:
        if self._cut is not None:
            (file, opened), self._cut = self._cut, None
            self.cut_found.emit(None)
            LostFiles(self.io, self._dialogs, self).ask(opened.located, partial(self._recover, file, opened))

    def forget_cut(self) -> None:
        """Delete what was kept of the run that was cut off."""
        if self._cut is not None:
            (file, _), self._cut = self._cut, None
            file.release(remove=True)
            self.cut_found.emit(None)
            self.logged.emit("info", "what was kept of a run that was cut off was deleted")

    def _recover(self, file: RecoveryFile, opened: Opened, files: FileSelection) -> None:
        self._restore(opened, files, file.path)
        self.autosave.take_over(file)
        self.path = Path(opened.stored.document) if opened.stored.document else None
        # Not saved anywhere but in the recovery file.
        self._saved = ()
        self._show_title()
        self.logged.emit("info", f"recovered the session of {opened.stored.saved:%d %b %Y %H:%M}; save it to keep it")
        self.opened.emit()

    def _on_unreadable(
        self, file: RecoveryFile, rest: list[RecoveryFile], otherwise: Callable[[], None], error: Exception
    ) -> None:
        self.logged.emit("warning", f"a session cannot be recovered: {error}")
        file.path.replace(file.path.with_name(file.path.name + ".damaged"))
        file.release(remove=True)
        self._offer(rest, otherwise)

    # -- closing --------------------------------------------------------------------------------------------------
    def shutdown(self) -> bool:
        """The window closes and nobody wants what is not saved: stop the thread, remove the recovery file."""
        ended = self.io.shutdown()
        if self._cut is not None:
            self._cut[0].release(remove=False)
        self.autosave.drop()
        return ended


def with_suffix(path: Path) -> Path:
    """The path with the suffix of a session, whatever a person typed of it."""
    name = path.name
    for typed in (SUFFIX, ".h5", ".hdf5", ".cassi"):
        if name.lower().endswith(typed) and len(name) > len(typed):
            name = name[: -len(typed)]
            break
    return path.with_name(name + SUFFIX)
