"""Preferences of the window (theme, layout, recent files, folders): one INI file, never mixed with science settings."""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from PySide6.QtCore import QByteArray, QSettings, QStandardPaths

logger = logging.getLogger(__name__)

ORGANISATION = "cassi"
APPLICATION = "cassi-calibration"
MAX_RECENT = 10
THEMES = ("system", "light", "dark")


def _as_key(rig: str) -> str:
    """A rig's name as the last part of a key, whatever characters it has."""
    return quote(rig, safe="") or "-"


class UiSettings:
    """Typed access to the INI file; a damaged file is put aside and everything starts from its default."""

    def __init__(self) -> None:
        # The four-argument form: the short one ignores QSettings.setPath and would write into the user's real settings.
        form, scope = QSettings.Format.IniFormat, QSettings.Scope.UserScope
        self._settings = QSettings(form, scope, ORGANISATION, APPLICATION)
        self.mended: Path | None = None
        """Where a damaged settings file was moved to, or None."""
        if self._settings.status() != QSettings.Status.NoError or self._unreadable():
            self.mended = self._put_aside()
            self._settings = QSettings(form, scope, ORGANISATION, APPLICATION)

    @property
    def path(self) -> Path:
        """The INI file."""
        return Path(self._settings.fileName())

    @property
    def folder(self) -> Path:
        """Folder for everything that belongs to this user: presets, crash log, recovery files."""
        return self.path.parent / APPLICATION

    @property
    def presets_folder(self) -> Path:
        """Folder of the user's own presets (one JSON file each)."""
        return self.folder / "presets"

    def _unreadable(self) -> bool:
        """True for a file that is not text, or text with no `key=value` at all: Qt silently reads such files as empty."""
        path = self.path
        if not path.is_file() or path.stat().st_size == 0:
            return False
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            return True
        return "\x00" in text or not self._settings.allKeys()

    def _put_aside(self) -> Path | None:
        target = self.path.with_name(f"{self.path.name}.damaged-{datetime.now():%Y%m%d-%H%M%S}")
        try:
            self.path.replace(target)
        except OSError as error:
            logger.warning("the damaged settings file %s cannot be moved: %s", self.path, error)
            return None
        logger.warning("the settings file was damaged; it is now %s and the defaults are in use", target)
        return target

    @property
    def theme(self) -> str:
        value = str(self._settings.value("window/theme", "system"))
        return value if value in THEMES else "system"

    @theme.setter
    def theme(self, name: str) -> None:
        self._settings.setValue("window/theme", name)

    @property
    def recent_files(self) -> tuple[str, ...]:
        """What was opened lately, newest first, a line of JSON each."""
        value = self._settings.value("files/recent", [])
        values = [value] if isinstance(value, str) else value
        return tuple(str(v) for v in values) if isinstance(values, list) else ()

    @recent_files.setter
    def recent_files(self, entries: tuple[str, ...]) -> None:
        self._settings.setValue("files/recent", list(entries[:MAX_RECENT]))

    @property
    def recent_sessions(self) -> tuple[str, ...]:
        """Paths of sessions opened or saved lately, newest first."""
        value = self._settings.value("sessions/recent", [])
        values = [value] if isinstance(value, str) else value
        return tuple(str(v) for v in values) if isinstance(values, list) else ()

    def add_recent_session(self, path: str) -> None:
        """Put a session to the front."""
        paths = [path, *(p for p in self.recent_sessions if p != path)][:MAX_RECENT]
        self._settings.setValue("sessions/recent", paths)

    def clear_recent_sessions(self) -> None:
        self._settings.setValue("sessions/recent", [])

    @property
    def rig(self) -> str | None:
        """Name of the rig that accepted runs are added to in the logbook; empty: to none, None: never chosen."""
        return str(self._settings.value("logbook/rig")) if self._settings.contains("logbook/rig") else None

    @rig.setter
    def rig(self, name: str) -> None:
        self._settings.setValue("logbook/rig", name)

    @property
    def tour_seen(self) -> bool:
        """Whether the tour was closed once: it begins by itself only before that."""
        return str(self._settings.value("window/tour_seen", "")) == "yes"

    @tour_seen.setter
    def tour_seen(self, seen: bool) -> None:
        self._settings.setValue("window/tour_seen", "yes" if seen else "")

    def export_choice(self, rig: str) -> tuple[str, ...]:
        """Identifiers of the files that were chosen last for a rig; empty when none ever were."""
        value = self._settings.value(f"export/{_as_key(rig)}", [])
        values = [value] if isinstance(value, str) else value
        return tuple(str(v) for v in values) if isinstance(values, list) else ()

    def remember_export_choice(self, rig: str, ids: tuple[str, ...]) -> None:
        """Remember the files that are chosen for a rig."""
        self._settings.setValue(f"export/{_as_key(rig)}", list(ids))

    def folder_for(self, purpose: str) -> str:
        """Folder last used for a purpose (measurement, mask, export ...); the user's documents (or home) at first."""
        stored = str(self._settings.value(f"folders/{purpose}", ""))
        if stored and Path(stored).is_dir():
            return stored
        anywhere = str(self._settings.value("folders/last", ""))
        if anywhere and Path(anywhere).is_dir():
            return anywhere
        documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        return documents if Path(documents).is_dir() else str(Path.home())

    def remember_folder(self, purpose: str, path: str) -> None:
        """Remember the folder of a chosen file (or a chosen folder)."""
        folder = path if Path(path).is_dir() else str(Path(path).parent)
        self._settings.setValue(f"folders/{purpose}", folder)
        self._settings.setValue("folders/last", folder)

    def layout(self, name: str) -> QByteArray:
        """Saved geometry or state of a window or splitter; empty when none."""
        value = self._settings.value(f"layout/{name}")
        return value if isinstance(value, QByteArray) else QByteArray()

    def save_layout(self, name: str, state: QByteArray) -> None:
        self._settings.setValue(f"layout/{name}", state)

    def reset_layout(self) -> None:
        """Forget every saved geometry."""
        self._settings.remove("layout")

    def sync(self) -> None:
        """Write to disk now."""
        self._settings.sync()
