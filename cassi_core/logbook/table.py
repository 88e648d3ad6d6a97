"""The logbook as a table, one entry a line, for spreadsheets and scripts."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from cassi_core.io.atomic import atomic_write
from cassi_core.logbook.drift import Judgement, drift_reasons
from cassi_core.logbook.entry import LogEntry
from cassi_core.parameters import PARAMETER_NAMES, SPECS

HEADER = (
    *("entry", "rig", "calibrated (UTC)", "added (UTC)", "verdict", "verdict reasons", "drift"),
    *(
        column
        for n in PARAMETER_NAMES
        for unit in (f" [{SPECS[n].unit}]" if SPECS[n].unit else "",)
        for column in (f"{n}{unit}", f"sigma {n}{unit}", f"{n} refined")
    ),
    *("residual before", "residual after", "held out before", "held out after"),
    *("preset", "calibration file", "sha256", "note", "withdrawn (UTC)", "program"),
)


def entries_csv(entries: Sequence[LogEntry], judgements: Mapping[int, Sequence[Judgement]]) -> str:
    """Entries with all digits; what is not known is empty, several reasons are joined by `; `."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(_row(entry, judgements.get(entry.id, ())) for entry in entries)
    return stream.getvalue()


def write_entries(path: str | Path, entries: Sequence[LogEntry], judgements: Mapping[int, Sequence[Judgement]]) -> Path:
    """Write :func:`entries_csv` in one step and return the absolute path; OutputError where that cannot be done."""
    return atomic_write(path, entries_csv(entries, judgements).encode("utf-8"))


def _row(entry: LogEntry, judgements: Sequence[Judgement]) -> list[str]:
    cells = [
        *(str(entry.id), entry.rig, entry.calibrated.isoformat(), entry.added.isoformat(), entry.verdict.status),
        "; ".join(reason.text for reason in entry.verdict.reasons),
        "; ".join(drift_reasons(judgements)),
    ]
    for name in PARAMETER_NAMES:
        found = entry.parameters.get(name)
        cells += ["", "", ""] if found is None else [_number(found.value), _number(found.sigma), str(int(found.refined))]
    scores = entry.scores
    cells += [
        _number(v) for v in (scores.residual_before, scores.residual_after, scores.held_out_before, scores.held_out_after)
    ]
    withdrawn = "" if entry.withdrawn is None else entry.withdrawn.isoformat()
    return [*cells, entry.preset, entry.path, entry.sha256, entry.note, withdrawn, entry.program]


def _number(value: float | None) -> str:
    return "" if value is None else repr(value)
