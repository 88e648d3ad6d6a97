"""Reading and changing the logbook: each call opens the file, does one thing as a whole, and closes it again."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cassi_core.errors import ConfigError, InputError, SessionError
from cassi_core.logbook.entry import LogEntry, Measured, rig_name
from cassi_core.logbook.limits import Limit, RigLimits
from cassi_core.logbook.schema import reading, writing
from cassi_core.parameters import PARAMETER_NAMES
from cassi_core.result import Reason, Scores, Verdict

SCORES = tuple(Scores.__dataclass_fields__)


@dataclass(frozen=True)
class Contents:
    """The whole logbook at one moment: entries by time (withdrawn ones too), the limits of every rig."""

    entries: tuple[LogEntry, ...] = ()
    limits: tuple[RigLimits, ...] = ()

    @property
    def rigs(self) -> tuple[str, ...]:
        """Names of the rigs, the one with the latest entry first."""
        newest = {entry.rig: entry.added for entry in sorted(self.entries, key=lambda e: e.added)}
        with_entries = sorted(newest, key=lambda rig: newest[rig], reverse=True)
        return (*with_entries, *(limit.rig for limit in self.limits if limit.rig not in newest))

    def limits_of(self, rig: str) -> RigLimits:
        """The limits of a rig; the defaults where none were set."""
        return next((limit for limit in self.limits if limit.rig == rig), RigLimits(rig))

    def entry(self, entry_id: int) -> LogEntry:
        """The entry with a number; InputError when there is none."""
        for found in self.entries:
            if found.id == entry_id:
                return found
        raise InputError(f"the logbook has no entry {entry_id}; `cassi logbook list --withdrawn` shows all of them")


@dataclass(frozen=True)
class Added:
    """What became of an entry: `new`, `restored` (it had been withdrawn) or `known` (it was there already)."""

    entry: LogEntry
    outcome: str


class Logbook:
    """The logbook in a file; the file is made by the first change, and errors are those of :mod:`.schema`."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).absolute()

    # -- looking ----------------------------------------------------------------------------------------------------
    def read(self) -> Contents:
        """Everything; empty where there is no file yet."""
        with reading(self.path) as db:
            if db is None:
                return Contents()
            try:
                return Contents(_entries(db), _limits(db))
            except (ValueError, KeyError, TypeError) as error:
                raise SessionError(
                    f"{self.path}: the logbook was changed by something else ({error}); nothing was done"
                ) from None

    # -- entries ----------------------------------------------------------------------------------------------------
    def add(self, entry: LogEntry) -> Added:
        """Add an entry and return it with its number.

        The same calibration (by checksum or run) of the same rig is not added twice: one that was withdrawn is put back.
        """
        with writing(self.path) as db:
            same = db.execute(
                "SELECT id, withdrawn FROM entries WHERE rig = ? AND ((sha256 = ? AND sha256 <> '') OR (run = ? AND run <> ''))",
                (entry.rig, entry.sha256, entry.run),
            ).fetchone()
            if same is None:
                return Added(_entry(db, _insert(db, entry)), "new")
            if same["withdrawn"] is None:
                return Added(_entry(db, same["id"]), "known")
            db.execute("UPDATE entries SET withdrawn = NULL, note = ? WHERE id = ?", (entry.note, same["id"]))
            return Added(_entry(db, same["id"]), "restored")

    def withdraw(self, *ids: int) -> None:
        """Take entries back: they stay in the file and in lists of withdrawn ones, and count for nothing."""
        self._change("UPDATE entries SET withdrawn = coalesce(withdrawn, ?) WHERE id = ?", ids, _text(datetime.now(UTC)))

    def restore(self, *ids: int) -> None:
        """Let withdrawn entries count again."""
        self._change("UPDATE entries SET withdrawn = ? WHERE id = ?", ids, None)

    def delete(self, *ids: int) -> None:
        """Remove entries for good."""
        with writing(self.path) as db:
            for entry_id in ids:
                _must_exist(db, entry_id)
                db.execute("DELETE FROM entries WHERE id = ?", (entry_id,))
                db.execute("UPDATE rigs SET reference = NULL WHERE reference = ?", (entry_id,))

    def annotate(self, entry_id: int, note: str) -> None:
        """Replace the note of an entry."""
        self._change("UPDATE entries SET note = ? WHERE id = ?", (entry_id,), note.strip())

    def move(self, entry_id: int, rig: str) -> None:
        """Give an entry to another rig; ConfigError for an empty name."""
        self._change("UPDATE entries SET rig = ? WHERE id = ?", (entry_id,), rig_name(rig))

    def withdraw_run(self, run: str, *, but: str | None = None) -> None:
        """Take back the entries of a run of the window (`but` those of one rig); nothing happens when there are none."""
        with writing(self.path) as db:
            db.execute(
                "UPDATE entries SET withdrawn = ? WHERE run = ? AND run <> '' AND withdrawn IS NULL AND rig IS NOT ?",
                (_text(datetime.now(UTC)), run, but),
            )

    def annotate_run(self, run: str, note: str) -> None:
        """Replace the note of a run's entries; nothing happens when there are none."""
        with writing(self.path) as db:
            db.execute("UPDATE entries SET note = ? WHERE run = ? AND run <> ''", (note.strip(), run))

    def name_file(self, run: str, path: str | Path, sha256: str) -> None:
        """Remember where the calibration file of a run was written; nothing happens when the run has no entry."""
        with writing(self.path) as db:
            db.execute(
                "UPDATE entries SET path = ?, sha256 = ? WHERE run = ? AND run <> ''", (str(Path(path).absolute()), sha256, run)
            )

    def _change(self, statement: str, ids: Sequence[int], value: object) -> None:
        with writing(self.path) as db:
            for entry_id in ids:
                _must_exist(db, entry_id)
                db.execute(statement, (value, entry_id))

    # -- limits -----------------------------------------------------------------------------------------------------
    def set_limits(self, limits: RigLimits) -> None:
        """Replace all limits of a rig; InputError when the reference is no entry of it that counts."""
        with writing(self.path) as db:
            if limits.reference is not None:
                found = db.execute(
                    "SELECT 1 FROM entries WHERE id = ? AND rig = ? AND withdrawn IS NULL", (limits.reference, limits.rig)
                ).fetchone()
                if found is None:
                    raise InputError(f"entry {limits.reference} is none of the rig '{limits.rig}' that counts; choose another")
            db.execute("INSERT OR REPLACE INTO rigs VALUES (?, ?, ?)", (limits.rig, limits.sigmas, limits.reference))
            db.execute("DELETE FROM limits WHERE rig = ?", (limits.rig,))
            rows = [(limits.rig, name, limit.lower, limit.upper) for name, limit in limits.parameters.items()]
            db.executemany("INSERT INTO limits VALUES (?, ?, ?, ?)", rows)


def _must_exist(db: sqlite3.Connection, entry_id: int) -> None:
    if db.execute("SELECT 1 FROM entries WHERE id = ?", (entry_id,)).fetchone() is None:
        raise InputError(f"the logbook has no entry {entry_id}; `cassi logbook list --withdrawn` shows all of them")


def _insert(db: sqlite3.Connection, entry: LogEntry) -> int:
    unknown = [name for name in entry.parameters if name not in PARAMETER_NAMES]
    if unknown:
        raise ConfigError(f"unknown parameter '{unknown[0]}'; the parameters are {', '.join(PARAMETER_NAMES)}")
    values = {
        "rig": entry.rig,
        "calibrated": _text(entry.calibrated),
        "added": _text(entry.added),
        "verdict": entry.verdict.status,
        "checks": json.dumps([asdict(reason) for reason in entry.verdict.reasons]),
        **asdict(entry.scores),
        "preset": entry.preset,
        "path": entry.path,
        "sha256": entry.sha256,
        "run": entry.run,
        "note": entry.note,
        "program": entry.program,
        "withdrawn": None if entry.withdrawn is None else _text(entry.withdrawn),
    }
    names = ", ".join(values)
    marks = ", ".join("?" for _ in values)
    number = db.execute(f"INSERT INTO entries ({names}) VALUES ({marks})", tuple(values.values())).lastrowid
    rows = [(number, name, m.value, m.sigma, m.refined, m.at_bound) for name, m in entry.parameters.items()]
    db.executemany("INSERT INTO measured VALUES (?, ?, ?, ?, ?, ?)", rows)
    return int(number or 0)


def _entry(db: sqlite3.Connection, entry_id: int) -> LogEntry:
    return _entries(db, "WHERE id = ?", entry_id)[0]


def _entries(db: sqlite3.Connection, where: str = "", *values: object) -> tuple[LogEntry, ...]:
    measured: dict[int, dict[str, Measured]] = {}
    for row in db.execute(f"SELECT * FROM measured WHERE entry IN (SELECT id FROM entries {where})", values):
        sigma = None if row["sigma"] is None else float(row["sigma"])
        found = Measured(float(row["value"]), sigma, bool(row["refined"]), bool(row["at_bound"]))
        measured.setdefault(row["entry"], {})[row["name"]] = found
    rows = db.execute(f"SELECT * FROM entries {where} ORDER BY calibrated, id", values)
    return tuple(_entry_of_row(row, measured.get(row["id"], {})) for row in rows)


def _entry_of_row(row: sqlite3.Row, measured: dict[str, Measured]) -> LogEntry:
    ordered = {name: measured[name] for name in PARAMETER_NAMES if name in measured}
    checks: list[dict[str, Any]] = json.loads(row["checks"])
    return LogEntry(
        row["rig"],
        datetime.fromisoformat(row["calibrated"]),
        datetime.fromisoformat(row["added"]),
        ordered,
        Verdict(row["verdict"], tuple(Reason.from_record(check) for check in checks)),
        Scores(**{name: None if row[name] is None else float(row[name]) for name in SCORES}),  # type: ignore[arg-type]
        row["preset"],
        path=row["path"],
        sha256=row["sha256"],
        run=row["run"],
        note=row["note"],
        program=row["program"],
        withdrawn=None if row["withdrawn"] is None else datetime.fromisoformat(row["withdrawn"]),
        id=row["id"],
    )


def _limits(db: sqlite3.Connection) -> tuple[RigLimits, ...]:
    bounds: dict[str, dict[str, Limit]] = {}
    for row in db.execute("SELECT * FROM limits"):
        bounds.setdefault(row["rig"], {})[row["parameter"]] = Limit(row["lower"], row["upper"])
    return tuple(
        RigLimits(row["rig"], row["sigmas"], row["reference"], bounds.get(row["rig"], {}))
        for row in db.execute("SELECT * FROM rigs ORDER BY rig")
    )


def _text(when: datetime) -> str:
    """A time as text that sorts by time: universal time with microseconds."""
    return when.astimezone(UTC).isoformat(timespec="microseconds")
