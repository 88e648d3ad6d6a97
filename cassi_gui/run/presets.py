"""The user's own presets: one JSON file of the science configuration each, in the user's folder."""

from __future__ import annotations

import re
from pathlib import Path

from PySide6.QtCore import QByteArray, QIODevice, QSaveFile

from cassi_core.config import CalibrationConfig, load_config
from cassi_core.errors import ConfigError

BUILT_IN = ("auto", "reference", "algorithm1")
_ALLOWED = re.compile(r"[\w][\w .+()-]{0,59}")


class PresetStore:
    """Saves, reads, renames and deletes presets by name; the built-in ones can only be read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> tuple[str, ...]:
        """Names of the user's presets, sorted."""
        return tuple(sorted(p.stem for p in self.folder.glob("*.json"))) if self.folder.is_dir() else ()

    def load(self, name: str) -> CalibrationConfig:
        """A built-in or own preset; ConfigError when it is missing or does not fit this version."""
        if name in BUILT_IN:
            return CalibrationConfig(preset=name)  # type: ignore[arg-type]
        path = self._path(name)
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"the preset '{name}' ({path}) cannot be read: {error}; delete it or save it again") from None
        return load_config(text, f"preset '{name}'")

    def save(self, name: str, config: CalibrationConfig) -> None:
        """Write a preset, replacing one of the same name as a whole."""
        path = self._path(name)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"the presets' folder {self.folder} cannot be made: {error}") from None
        data = config.model_dump_json(indent=2).encode("utf-8")
        file = QSaveFile(str(path))
        done = file.open(QIODevice.OpenModeFlag.WriteOnly) and file.write(QByteArray(data)) == len(data) and file.commit()
        if not done:
            raise ConfigError(f"the preset cannot be written to {path}: {file.errorString()}")

    def rename(self, old: str, new: str) -> None:
        """Give a preset another name; ConfigError when that name is taken."""
        source, target = self._path(old), self._path(new)
        if target.exists():
            raise ConfigError(f"there is a preset called '{new}' already; choose another name")
        try:
            source.rename(target)
        except OSError as error:
            raise ConfigError(f"the preset '{old}' cannot be renamed: {error}") from None

    def delete(self, name: str) -> None:
        """Delete a preset; nothing happens when it is gone already."""
        try:
            self._path(name).unlink(missing_ok=True)
        except OSError as error:
            raise ConfigError(f"the preset '{name}' cannot be deleted: {error}") from None

    def _path(self, name: str) -> Path:
        if name in BUILT_IN:
            raise ConfigError(f"'{name}' is a built-in preset; choose another name")
        if not _ALLOWED.fullmatch(name):
            raise ConfigError(f"'{name}' cannot be a preset's name; use up to 60 letters, digits, spaces, . + - ( )")
        return self.folder / f"{name}.json"
