"""The logbook keeps every bit, survives two writers, refuses what it must not touch, and says when a rig moved."""

from __future__ import annotations

import csv
import math
import os
import shutil
import sqlite3
import struct
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from test_calibration_file import make_result

from cassi_core.errors import ConfigError, InputError, OutputError, SessionError
from cassi_core.io.calibration_file import write_calibration
from cassi_core.logbook import location, schema
from cassi_core.logbook.drift import drift_reasons, judge_all, trends
from cassi_core.logbook.entry import LogEntry, Measured, entry_of_file, entry_of_result
from cassi_core.logbook.limits import Limit, RigLimits
from cassi_core.logbook.schema import MIGRATIONS, writing
from cassi_core.logbook.selection import Selection
from cassi_core.logbook.store import Contents, Logbook
from cassi_core.logbook.table import HEADER, write_entries
from cassi_core.parameters import PARAMETER_NAMES
from cassi_core.result import Reason, Scores, Verdict

ROOT = Path(__file__).resolve().parents[2]
START = datetime(2026, 9, 1, 12, tzinfo=UTC)
ODD = (0.1 + 0.2, -0.0, 5e-324, 1.7976931348623157e308, -1 / 3, 3.0, math.pi)


def line(
    days: float, dy: float, sigma: float | None = 0.02, *, rig: str = "bench", status: str = "pass", **changes
) -> LogEntry:
    """An entry that measured dx and dy and held theta."""
    parameters = {"dx": Measured(0.4, 0.05, True), "dy": Measured(dy, sigma, True), "theta": Measured(0.7, None, False)}
    reason = Reason("residual", status, 0.1, 0.05, "the residual is 0.1")
    when = START + timedelta(days=days)
    made = LogEntry(rig, when, when, parameters, Verdict(status, (reason,)), Scores(0.4, 0.2), "auto")
    return replace(made, **changes)


def bits(value: float | None) -> bytes | None:
    return None if value is None else struct.pack(">d", value)


@pytest.fixture
def book(tmp_path: Path) -> Logbook:
    return Logbook(tmp_path / "rigs.sqlite")


def judged(*entries: LogEntry, limits: RigLimits | None = None) -> list[tuple[str, ...]]:
    numbered = tuple(replace(e, id=i + 1) for i, e in enumerate(entries))
    found = judge_all(Contents(numbered, () if limits is None else (limits,)))
    return [drift_reasons(found[e.id]) for e in numbered]


# -- keeping ----------------------------------------------------------------------------------------------------------
def test_every_bit_of_every_number_comes_back(book: Logbook) -> None:
    values = dict(zip(PARAMETER_NAMES, ODD, strict=False))
    measured = {
        n: Measured(v, s, i % 2 == 0, i == 2) for i, ((n, v), s) in enumerate(zip(values.items(), ODD[::-1], strict=True))
    }
    entry = line(
        0, 0, parameters=measured, scores=Scores(0.1 + 0.2, -0.0, None, 5e-324), note="a 'note' with \u03c0 ", sha256="ab"
    )
    stored = book.add(entry).entry
    assert book.read().entries == (stored,) and replace(stored, id=0) == entry
    for name, found in stored.parameters.items():
        assert bits(found.value) == bits(measured[name].value) and bits(found.sigma) == bits(measured[name].sigma)
    assert bits(stored.scores.residual_after) == bits(-0.0) and stored.scores.held_out_before is None
    assert list(stored.parameters) == list(PARAMETER_NAMES[: len(ODD)])


def test_a_run_and_its_file_are_the_same_calibration(book: Logbook, tmp_path: Path) -> None:
    result = make_result()
    path = write_calibration(result, tmp_path / "a.cassi.json")
    accepted = book.add(entry_of_result(result, "bench", datetime(2026, 11, 23, 14, 3), run="r1")).entry
    from_file = entry_of_file(path, " bench ")
    assert accepted.sha256 == from_file.sha256 and len(accepted.sha256) == 64
    again = book.add(from_file)
    assert (again.outcome, again.entry.id) == ("known", accepted.id)
    assert accepted.parameters["dx"] == Measured(0.1 + 0.2, 1 / 3, True) and accepted.parameters["dy"].at_bound
    assert "psf" not in accepted.parameters and not accepted.parameters["slope"].refined
    assert book.add(entry_of_file(path, "other bench")).outcome == "new"
    assert entry_of_file(path, "other bench").calibrated == datetime(2026, 11, 23, 17, 3, 5, tzinfo=UTC), (
        "not when it was copied"
    )
    assert entry_of_file(path, "x", datetime(2026, 1, 2, tzinfo=UTC)).calibrated == datetime(2026, 1, 2, tzinfo=UTC)
    book.name_file("r1", path, "cd" * 32)
    assert book.read().entry(accepted.id).path == str(path) and book.read().entry(accepted.id).sha256 == "cd" * 32


def test_entries_are_taken_back_put_back_annotated_moved_and_deleted(book: Logbook) -> None:
    first, second = (book.add(line(d, 0.1, run=f"run {d}", sha256=f"{d}")).entry for d in (0, 1))
    book.withdraw(first.id)
    taken = book.read().entry(first.id)
    book.withdraw(first.id)
    assert taken.withdrawn is not None and book.read().entry(first.id).withdrawn == taken.withdrawn, "the first time counts"
    put_back = book.add(replace(line(0, 0.1, run="run 0", sha256="0"), note="again"))
    assert (put_back.outcome, put_back.entry.id, put_back.entry.note, put_back.entry.in_force) == ("restored", 1, "again", True)
    book.withdraw_run("run 1", but="bench")
    assert book.read().entry(second.id).in_force
    book.withdraw_run("run 1", but="elsewhere")
    assert not book.read().entry(second.id).in_force
    book.restore(second.id)
    book.annotate(second.id, " after the lens was changed ")
    book.move(second.id, "right  bench")
    moved = book.read().entry(second.id)
    assert (moved.note, moved.rig, moved.in_force) == ("after the lens was changed", "right bench", True)
    assert book.read().rigs == ("right bench", "bench"), "the rig with the latest entry comes first"
    book.set_limits(RigLimits("bench", reference=first.id))
    book.delete(first.id)
    assert [e.id for e in book.read().entries] == [second.id] and book.read().limits_of("bench").reference is None
    assert book.add(line(5, 0.0)).entry.id == 3, "numbers are never used twice"


def test_a_change_of_what_is_not_there_changes_nothing(book: Logbook) -> None:
    book.add(line(0, 0.1))
    for change in (book.withdraw, book.restore, book.delete):
        with pytest.raises(InputError, match="no entry 9"):
            change(1, 9)
    assert book.read().entry(1).in_force, "all or nothing"
    with pytest.raises(ConfigError, match="no name"):
        book.move(1, "  ")
    with pytest.raises(InputError, match="entry 1 is none of the rig 'other'"):
        book.set_limits(RigLimits("other", reference=1))


def test_limits_come_back_as_they_were_set(book: Logbook) -> None:
    limits = RigLimits("bench", None, None, {"dx": Limit(-0.1 - 0.2, None), "theta": Limit(-0.0, 1 / 3)})
    book.set_limits(limits)
    book.set_limits(replace(limits, sigmas=2.5).with_limit("dx", Limit()))
    found = book.read().limits_of("bench")
    assert found == RigLimits("bench", 2.5, None, {"theta": Limit(-0.0, 1 / 3)})
    assert book.read().limits_of("new rig") == RigLimits("new rig") and book.read().rigs == ("bench",)
    with pytest.raises(ConfigError, match=r"lower limit 2 is above the upper limit 1"):
        Limit(2, 1)
    with pytest.raises(ConfigError, match="positive number"):
        RigLimits("bench", -1.0)
    with pytest.raises(ConfigError, match="unknown parameter 'dz'"):
        RigLimits("bench", parameters={"dz": Limit()})


# -- the file ---------------------------------------------------------------------------------------------------------
def test_reading_makes_no_file_and_writing_makes_one_file(book: Logbook, tmp_path: Path) -> None:
    assert book.read() == Contents() and not list(tmp_path.iterdir())
    book.add(line(0, 0.1))
    assert [p.name for p in tmp_path.iterdir()] == ["rigs.sqlite"]
    before = book.path.read_bytes()
    book.read()
    assert book.path.read_bytes() == before


def test_two_processes_add_at_the_same_time(book: Logbook, tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from cassi_core.logbook.store import Logbook\n"
        "from cassi_core.logbook.entry import entry_of_file\n"
        "from dataclasses import replace\n"
        "path, name, file = sys.argv[1:]\n"
        "entry = entry_of_file(file, name)\n"
        "for number in range(10):\n"
        "    Logbook(path).add(replace(entry, sha256=f'{name} {number}'))\n"
    )
    file = write_calibration(make_result(), tmp_path / "a.cassi.json")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    writers = [
        subprocess.Popen([sys.executable, "-c", code, str(book.path), name, str(file)], env=environment)
        for name in ("left", "right")
    ]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0]
    entries = book.read().entries
    assert sorted(e.id for e in entries) == list(range(1, 21))
    assert {rig: sum(e.rig == rig for e in entries) for rig in ("left", "right")} == {"left": 10, "right": 10}
    assert all(len(e.parameters) == 8 for e in entries)


def test_a_writer_that_does_not_let_go_is_told(book: Logbook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "WAIT_S", 0.05)
    book.add(line(0, 0.1))
    with writing(book.path), pytest.raises(OutputError, match="another program has been writing"):
        book.add(line(1, 0.1))
    assert len(book.read().entries) == 1


@pytest.mark.parametrize("content", [b"dear diary " * 100, b"SQLite format 3\x00" + b"\xff" * 5000])
def test_a_file_that_is_no_logbook_is_left_as_it_is(book: Logbook, content: bytes) -> None:
    book.path.write_bytes(content)
    for act in (book.read, lambda: book.add(line(0, 0.1))):
        with pytest.raises(SessionError, match=r"rigs\.sqlite: the file is damaged or no logbook .*it was left as it is"):
            act()
    assert book.path.read_bytes() == content


def test_a_damaged_page_is_noticed_before_anything_is_written(book: Logbook) -> None:
    for day in range(30):
        book.add(line(day, 0.1, note="x" * 300))
    damaged = bytearray(book.path.read_bytes())
    damaged[4096 * 3 : 4096 * 4] = b"\x77" * 4096
    book.path.write_bytes(damaged)
    for act in (book.read, lambda: book.add(line(0, 0.1))):
        with pytest.raises(SessionError, match="move the file aside"):
            act()
    assert book.path.read_bytes() == bytes(damaged)


def test_databases_of_others_and_newer_logbooks_are_refused(book: Logbook, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "photos.db") as other:
        other.execute("CREATE TABLE photos (name)")
    other.close()
    with pytest.raises(SessionError, match="database of another program"):
        Logbook(tmp_path / "photos.db").add(line(0, 0.1))
    book.add(line(0, 0.1))
    with sqlite3.connect(book.path) as newer:
        newer.execute("PRAGMA user_version = 99")
    newer.close()
    before = book.path.read_bytes()
    for act in (book.read, lambda: book.add(line(1, 0.1))):
        with pytest.raises(SessionError, match=f"version 99 and this program knows up to {len(MIGRATIONS)}; update"):
            act()
    assert book.path.read_bytes() == before


def test_an_older_logbook_is_brought_up_to_date_and_kept_as_a_copy(book: Logbook, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = book.add(line(0, 0.1)).entry
    old = book.path.read_bytes()
    later = (*MIGRATIONS, ("ALTER TABLE entries ADD COLUMN humidity",))
    monkeypatch.setattr(schema, "MIGRATIONS", (*MIGRATIONS, ("ALTER TABLE entries ADD COLUMN humidity", "nonsense")))
    with pytest.raises(OutputError, match=r"syntax error.*nothing was changed"):
        book.read()
    monkeypatch.setattr(schema, "MIGRATIONS", later)
    assert book.path.read_bytes() == old
    assert book.read().entries == (stored,)
    copy = book.path.with_name("rigs.version-1.sqlite")
    assert copy.read_bytes() == old
    with sqlite3.connect(book.path) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (2,)
        assert db.execute("SELECT humidity FROM entries").fetchone() == (None,)
    db.close()


def test_a_full_disk_changes_nothing(book: Logbook, monkeypatch: pytest.MonkeyPatch) -> None:
    book.add(line(0, 0.1))
    before = book.path.read_bytes()
    connect = schema._connect

    def small(path: Path, mode: str) -> sqlite3.Connection:
        connection = connect(path, mode)
        connection.execute(f"PRAGMA max_page_count = {len(before) // 4096}")
        return connection

    monkeypatch.setattr(schema, "_connect", small)
    with pytest.raises(OutputError, match=r"rigs\.sqlite: the disk is full; nothing was changed"):
        book.add(line(1, 0.1, note="x" * 50_000))
    monkeypatch.undo()
    assert len(book.read().entries) == 1
    assert [p.name for p in book.path.parent.iterdir()] == ["rigs.sqlite"]


def test_places_that_cannot_be_written_are_told(book: Logbook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OutputError, match=r"the folder .*none does not exist"):
        Logbook(tmp_path / "none" / "rigs.sqlite").add(line(0, 0.1))
    for act in (Logbook(tmp_path).read, lambda: Logbook(tmp_path).add(line(0, 0.1))):
        with pytest.raises(OutputError, match="this is a folder"):
            act()
    book.add(line(0, 0.1))
    monkeypatch.setattr(schema.os, "access", lambda *_: False)
    assert len(book.read().entries) == 1, "reading goes without the right to write"
    with pytest.raises(OutputError, match="may not be written"):
        book.add(line(1, 0.1))
    monkeypatch.setattr(schema, "check_writable", lambda path: None)
    connect = schema._connect
    monkeypatch.setattr(schema.os, "access", lambda *_: True)
    monkeypatch.setattr(schema, "_connect", lambda path, mode: connect(path, "ro"))
    with pytest.raises(OutputError, match=r"may not be written; nothing was changed"):
        book.add(line(1, 0.1))


def test_the_file_lies_where_it_was_chosen(own_logbook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert location.logbook_path() == own_logbook
    Logbook(location.logbook_path()).add(line(0, 0.1))
    assert own_logbook.is_file(), "the user's folder is made when it is needed"
    assert location.choose_path(tmp_path / "shared.sqlite") == tmp_path / "shared.sqlite" == location.logbook_path()
    assert location.choose_path(None) == own_logbook == location.logbook_path()
    monkeypatch.setenv("CASSI_LOGBOOK", str(tmp_path / "named.sqlite"))
    assert location.logbook_path() == tmp_path / "named.sqlite"
    with pytest.raises(ConfigError, match="CASSI_LOGBOOK"):
        location.choose_path(tmp_path / "other.sqlite")
    monkeypatch.delenv("CASSI_LOGBOOK")
    shutil.rmtree(own_logbook.parent)
    own_logbook.parent.write_bytes(b"")
    with pytest.raises(OutputError, match="folder for the logbook cannot be made"):
        Logbook(location.default_path()).add(line(0, 0.1))


# -- drift ------------------------------------------------------------------------------------------------------------
def test_a_rig_that_stands_still_does_not_drift() -> None:
    values = (0.10, 0.11, 0.09, 0.12, 0.10, 0.13, 0.08)
    assert judged(*(line(i, v) for i, v in enumerate(values))) == [()] * 7


def test_a_value_outside_the_limits_is_said_in_words() -> None:
    limits = RigLimits("bench", None, None, {"dy": Limit(-0.05, 0.125)})
    found = judged(line(0, 0.125), line(1, 0.1251), line(2, -0.0501), limits=limits)
    assert found[0] == (), "on the limit is inside"
    assert found[1] == ("dy +0.125 px lies above its upper limit +0.125 px",)
    assert found[2] == ("dy −0.050 px lies below its lower limit −0.05 px",)


def test_a_change_is_counted_from_the_median_of_the_earlier_entries() -> None:
    steady = [line(i, v) for i, v in enumerate((0.10, 0.14, 0.12))]
    # Median 0.12, its standard error sqrt(pi/2) sqrt(3) 0.02 / 3 = 0.01447: with 0.02 together 0.02469, five of them 0.12343.
    below, above = judged(*steady, line(3, 0.2434))[-1], judged(*steady, line(3, 0.2436))[-1]
    assert below == ()
    assert above == (
        "dy +0.244 px differs from the median of 3 earlier entries by +0.124 px: 5.0 standard errors, more than 5",
    )
    assert judged(*steady, line(3, 0.2436), limits=RigLimits("bench", 6.0))[-1] == ()
    assert judged(*steady, line(3, 9.0), limits=RigLimits("bench", None))[-1] == ()
    assert judged(line(0, 0.0), line(1, 0.2))[1][0].startswith("dy +0.200 px differs from the earlier entry by +0.200 px: 7.1")


def test_what_does_not_count_is_not_held_against_anything() -> None:
    far = line(2, 0.9)
    assert judged(line(0, 0.1), replace(line(1, 0.1), withdrawn=START), far)[2] != ()
    assert (
        judged(line(0, 0.1, status="fail"), line(1, 0.1, rig="other"), replace(line(1.5, 0.1), withdrawn=START), far)[3] == ()
    )
    assert judged(far, line(0, 0.1))[0] != (), "the time counts, not the order of adding"
    assert judged(line(0, 0.1, sigma=None), far)[1] == () == judged(line(0, 0.1), line(2, 0.9, sigma=None))[1]
    held = replace(far, parameters={"dy": Measured(0.9, 0.02, False)})
    assert judged(line(0, 0.1), held)[1] == (), "a parameter that was held was not measured"


def test_a_later_entry_never_changes_what_was_said_about_an_earlier_one() -> None:
    series = [line(i, 0.1 + 0.05 * i) for i in range(12)]
    assert judged(*series)[:8] == judged(*series[:8])
    assert judged(*series)[-1] != ()


def test_the_reference_of_a_rig_takes_the_place_of_the_median() -> None:
    series = [line(0, 0.5), line(1, 0.1), line(2, 0.1)]
    found = judged(*series, limits=RigLimits("bench", 5.0, 3))
    assert found[0][0].startswith("dy +0.500 px differs from the reference (entry 3, 2026-09-03")
    assert found[1] == () == found[2]


def test_a_trend_has_the_points_that_measured_and_the_limits(book: Logbook) -> None:
    for day, dy in ((3, 0.4), (1, 0.1), (2, 0.2)):
        book.add(line(day, dy))
    book.add(line(2.5, 7.0))
    book.withdraw(4)
    book.set_limits(RigLimits("bench", None, None, {"dy": Limit(None, 0.3)}))
    dx, dy = trends(book.read(), "bench")
    assert (dx.parameter, dy.parameter) == ("dx", "dy"), "theta was held"
    assert [p.measured.value for p in dy.points] == [0.1, 0.2, 0.4]
    assert [bool(p.judgement.reasons) for p in dy.points] == [False, False, True]
    assert dy.limit.upper == 0.3 and dy.reference is not None
    assert dy.reference.value == 0.2 and dy.reference.text == "the median of 3 entries"
    assert trends(book.read(), "bench", ("theta",)) == () == trends(book.read(), "nobody")


# -- choosing and writing ---------------------------------------------------------------------------------------------
def test_entries_are_chosen_by_rig_days_and_verdict() -> None:
    entries = tuple(line(i, 0.1, rig="ab"[i % 2], status=("pass", "warn", "fail")[i % 3], id=i) for i in range(6))

    def ids(**changes) -> list[int]:
        return [e.id for e in Selection(**changes).of(entries)]

    day = [e.calibrated.astimezone().date() for e in entries]
    assert ids() == [0, 1, 2, 3, 4, 5] and ids(rig="b") == [1, 3, 5] and ids(verdicts=("pass", "warn")) == [0, 1, 3, 4]
    assert ids(since=day[2], until=day[4]) == [2, 3, 4], "both days belong to the range"
    gone = replace(entries[0], withdrawn=START)
    assert Selection().of([gone]) == () and Selection(withdrawn=True).of([gone]) == (gone,)
    with pytest.raises(ConfigError, match="comes after"):
        Selection(since=date(2026, 2, 1), until=date(2026, 1, 1))


def test_the_table_has_all_digits_and_the_reasons(book: Logbook, tmp_path: Path) -> None:
    book.set_limits(RigLimits("bench", None, None, {"dy": Limit(None, 0.2)}))
    entries = [book.add(line(0, 0.1 + 0.2, 1 / 3, note='say "no", twice')).entry]
    path = write_entries(tmp_path / "rigs.csv", entries, judge_all(book.read()))
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == HEADER and len(rows) == 1
    row = rows[0]
    assert float(row["dy [px]"]) == 0.1 + 0.2 and float(row["sigma dy [px]"]) == 1 / 3 and row["dy refined"] == "1"
    assert (row["theta [deg]"], row["sigma theta [deg]"], row["theta refined"]) == ("0.7", "", "0")
    assert row["curve [px/band^2]"] == "" and row["drift"] == "dy +0.300 px lies above its upper limit +0.2 px"
    assert (row["note"], row["rig"], row["calibrated (UTC)"]) == ('say "no", twice', "bench", "2026-09-01T12:00:00+00:00")
