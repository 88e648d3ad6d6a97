"""`cassi show` for sessions: what is in one, for humans and as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from cassi_core.cli.console import Console

if TYPE_CHECKING:
    from cassi_core.io.session import StoredSession
    from cassi_core.session import RunRecord

SHOWN = ("dx", "dy", "theta")
"""Parameters in the table of the runs; all of them are in `--json` and in the calibration of the accepted run."""


def show_session(path: str, as_json: bool, console: Console) -> int:
    """Read a session, without its pictures, and print it; returns the exit code."""
    from cassi_core.io.session import read_session

    stored = read_session(path, maps="none", inputs=False)
    if as_json:
        console.json(_document(stored))
    else:
        _print(stored, console)
    return 0


def _print(stored: StoredSession, console: Console) -> None:
    session = stored.session
    console.result(f"session         {stored.path}")
    console.result(f"saved           {stored.saved:%Y-%m-%d %H:%M:%S} by version {stored.program}, format {stored.version}")
    console.result(f"content         {session.words}")
    kept = "kept in the session" if stored.inputs_kept else "referred to" if stored.references else "none"
    console.result(f"inputs          {kept}")
    for reference in stored.references:
        there = "" if Path(reference.path).is_file() else " (not there any more)"
        console.result(f"  {reference.role:<13} {reference.spec}{there}")
    console.result(
        f"settings        preset {session.config.preset}, refine {', '.join(session.parameters.refined) or 'nothing'}"
    )
    if not session.runs:
        return
    console.result()
    heads = ("run", "name", "finished", "preset", "verdict", "residual", *SHOWN, "decision")
    console.table(heads, [_row(stored, r) for r in session.runs], numeric=(0, 5, 6, 7, 8))
    for record in session.runs:
        if record.note:
            console.result(f"note on run {record.id}: {record.note}")


def _row(stored: StoredSession, record: RunRecord) -> tuple[str, ...]:
    result = record.result
    values = [f"{result.parameters[name].value:+.{result.parameters[name].spec.digits}f}" for name in SHOWN]
    return (
        str(record.id),
        record.name,
        f"{record.when:%Y-%m-%d %H:%M}",
        result.preset,
        result.verdict.status,
        f"{result.scores.residual_after:.4f}",
        *values,
        stored.session.decision(record),
    )


def _document(stored: StoredSession) -> dict[str, Any]:
    """The session as plain JSON values, each run with the whole of its calibration file."""
    from dataclasses import asdict

    from cassi_core.io.calibration_file import calibration_document

    session = stored.session
    runs = [
        {
            "id": r.id,
            "uid": r.uid,
            "name": r.name,
            "finished": r.when.isoformat(),
            "note": r.note,
            "decision": session.decision(r),
            "calibration": calibration_document(r.result),
        }
        for r in session.runs
    ]
    return {
        "format": "cassi-session",
        "version": stored.version,
        "saved": stored.saved.isoformat(),
        "program": stored.program,
        "inputs_kept": stored.inputs_kept,
        "files": asdict(session.files),
        "references": [asdict(reference) for reference in stored.references],
        "configuration": session.config.model_dump(mode="json"),
        "accepted_run": session.accepted_id,
        "points": [asdict(point) for point in session.points],
        "runs": runs,
    }
