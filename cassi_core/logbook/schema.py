"""The logbook's database file: its tables, how older versions are brought up to date, and what can be wrong with the file.

One SQLite file with the ordinary rollback journal, which also works on network shares, where write-ahead logs do not. Every change is one
transaction that is on the disk when the call returns; several programs may write at the same time, one waits for the other.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from cassi_core.errors import CassiError, OutputError, SessionError
from cassi_core.io.atomic import atomic_path, check_writable
from cassi_core.logbook.location import data_folder, make_default_folder

APPLICATION_ID = 0x43415353
"""`CASS` in the header of the file: databases of other programs are refused."""
WAIT_S = 10.0
"""How long to wait while another program writes."""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    # Values have no type, so that SQLite keeps the 64 bits of a float as they are (a REAL column drops the sign of zero).
    (
        """CREATE TABLE entries (
            id INTEGER PRIMARY KEY AUTOINCREMENT, rig TEXT NOT NULL, calibrated TEXT NOT NULL, added TEXT NOT NULL,
            verdict TEXT NOT NULL, checks TEXT NOT NULL, residual_before, residual_after, held_out_before, held_out_after,
            preset TEXT NOT NULL, path TEXT NOT NULL, sha256 TEXT NOT NULL, run TEXT NOT NULL, note TEXT NOT NULL,
            program TEXT NOT NULL, withdrawn TEXT)""",
        """CREATE TABLE measured (
            entry INTEGER NOT NULL REFERENCES entries (id) ON DELETE CASCADE, name TEXT NOT NULL, value NOT NULL, sigma,
            refined INTEGER NOT NULL, at_bound INTEGER NOT NULL, PRIMARY KEY (entry, name))""",
        "CREATE TABLE rigs (rig TEXT PRIMARY KEY, sigmas, reference INTEGER)",
        "CREATE TABLE limits (rig TEXT NOT NULL, parameter TEXT NOT NULL, lower, upper, PRIMARY KEY (rig, parameter))",
    ),
)
"""Statements that lead from each version to the next; a change of the tables is one more line here, never an edit of an old one."""


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection | None]:
    """A connection to look things up, or None where there is no logbook yet; nothing is made or changed.

    Raises
    ------
    SessionError
        The file is damaged, no logbook, or of a newer version.
    OutputError
        It cannot be opened.
    """
    if not _exists(path):
        yield None
        return
    with _explained(path):
        may_write = os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
        with closing(_connect(path, "rw" if may_write else "ro")) as connection:
            version = _version(connection, path)
            if version == 0:
                yield None
                return
            if version < len(MIGRATIONS):
                _migrate(connection, path)
            # One transaction, so that several look-ups see one state of the file.
            connection.execute("BEGIN")
            yield connection


@contextmanager
def writing(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection inside one transaction, kept when the block ends and taken back when it raises; makes the file if needed.

    Raises
    ------
    SessionError
        The file is damaged, no logbook, or of a newer version; it is left as it is.
    OutputError
        It cannot be written: folder, permissions, a full disk, or another program that does not let go of it.
    """
    if path.parent == data_folder():
        make_default_folder()
    check_writable(path)
    if path.exists() and not os.access(path, os.W_OK):
        raise OutputError(f"{path}: the logbook may not be written; ask for the permission or choose another file")
    with _explained(path), closing(_connect(path, "rwc")) as connection:
        if _version(connection, path) < len(MIGRATIONS):
            _migrate(connection, path)
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _exists(path: Path) -> bool:
    if path.is_dir():
        raise OutputError(f"{path}: this is a folder; name a file in it")
    try:
        return path.stat().st_size > 0
    except FileNotFoundError:
        return False
    except OSError as error:
        raise OutputError(f"{path}: the logbook cannot be opened ({error.strerror or error})") from None


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    # Transactions are begun by hand: the automatic ones of the module leave out statements that make tables.
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=WAIT_S, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _version(connection: sqlite3.Connection, path: Path) -> int:
    """Version of the tables, 0 for an empty file; SessionError for a file that this program must not touch."""
    application = int(connection.execute("PRAGMA application_id").fetchone()[0])
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    tables = int(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    if application != APPLICATION_ID and (tables or version or application):
        raise SessionError(f"{path}: the file is a database of another program; choose another file for the logbook")
    if version > len(MIGRATIONS):
        raise SessionError(
            f"{path}: the logbook has version {version} and this program knows up to {len(MIGRATIONS)}; update the program"
        )
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise _damaged(path, found)
    return version


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the tables up to date in one transaction; a copy of the older file stays beside it."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Asked again inside the transaction: another program may have done it meanwhile.
        version = _version(connection, path)
        if 0 < version < len(MIGRATIONS):
            _keep_copy(path, version)
        for statements in MIGRATIONS[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _keep_copy(path: Path, version: int) -> None:
    """Copy the file as it is; nobody else can write while the caller's transaction is open, and it has not written yet."""
    copy = path.with_name(f"{path.stem}.version-{version}{path.suffix}")
    if not copy.exists():
        with atomic_path(copy) as temporary:
            shutil.copyfile(path, temporary)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn errors of the database into one sentence that says what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise _explain(path, error) from error


def _explain(path: Path, error: sqlite3.Error) -> CassiError:
    code = getattr(error, "sqlite_errorcode", None)
    kind = None if code is None else code & 0xFF
    if kind == sqlite3.SQLITE_FULL:
        return OutputError(f"{path}: the disk is full; nothing was changed. Make room and try again")
    if kind in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return OutputError(f"{path}: another program has been writing for {WAIT_S:g} seconds; nothing was changed. Try again")
    if kind in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return OutputError(f"{path}: the logbook or its folder may not be written; nothing was changed. Choose another file")
    if kind == sqlite3.SQLITE_IOERR:
        return OutputError(
            f"{path}: reading or writing failed ({error}); nothing was changed. Is the disk or the network there?"
        )
    if kind in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return _damaged(path, error)
    return OutputError(f"{path}: the logbook cannot be used ({error}); nothing was changed")


def _damaged(path: Path, what: object) -> SessionError:
    advice = "move the file aside (a new logbook is begun then) or choose another"
    return SessionError(f"{path}: the file is damaged or no logbook ({what}); it was left as it is: {advice}")
