"""Choosing entries: by rig, by days, by verdict."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from cassi_core.errors import ConfigError
from cassi_core.logbook.entry import LogEntry


@dataclass(frozen=True)
class Selection:
    """Which entries are meant; days are those of this computer's zone and belong to the range, None and empty mean any."""

    rig: str | None = None
    since: date | None = None
    until: date | None = None
    verdicts: tuple[str, ...] = ()
    withdrawn: bool = False
    """Withdrawn entries too."""

    def __post_init__(self) -> None:
        if self.since is not None and self.until is not None and self.since > self.until:
            raise ConfigError(f"the first day {self.since} comes after the last day {self.until}")

    def takes(self, entry: LogEntry) -> bool:
        """Whether an entry is meant."""
        day = entry.calibrated.astimezone().date()
        return (
            (self.rig is None or entry.rig == self.rig)
            and (self.since is None or day >= self.since)
            and (self.until is None or day <= self.until)
            and (not self.verdicts or entry.verdict.status in self.verdicts)
            and (self.withdrawn or entry.in_force)
        )

    def of(self, entries: Iterable[LogEntry]) -> tuple[LogEntry, ...]:
        """The entries that are meant, in their order."""
        return tuple(entry for entry in entries if self.takes(entry))
