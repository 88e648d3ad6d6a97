"""What the step bar and the actions show, worked out from the session alone: pure functions, tested without a window."""

from __future__ import annotations

from dataclasses import dataclass

from cassi_core.formatting import format_duration
from cassi_core.inputs import CalibrationInputs
from cassi_core.quality.check_text import outcome_words, verdict_words
from cassi_core.quality.headline import headline
from cassi_core.quality.pictures import belongs_to
from cassi_gui.inputs.loading import MASK_WANTED
from cassi_gui.run.controller import RunPhase
from cassi_gui.session.state import RunRecord, Snapshot

VERDICT_STATUS = {"pass": "ok", "warn": "warn", "fail": "bad"}


@dataclass(frozen=True)
class Badge:
    """Words below a step and their status (ok, warn, bad, busy or empty)."""

    text: str = ""
    status: str = ""


def plural(count: int, word: str) -> str:
    """`1 run`, `2 runs`."""
    return f"{count} {word}{'' if count == 1 else 's'}"


def load_badge(shot: Snapshot) -> Badge:
    """Whether the files are there and fit together."""
    if shot.loading:
        return Badge("reading …", "busy")
    if shot.load_problem == MASK_WANTED:
        return Badge("mask wanted")
    if shot.load_problem:
        return Badge("does not fit", "bad")
    if shot.inputs is None:
        return Badge("two files wanted")
    count = len(shot.inputs.frames)
    return Badge("demo" if shot.files.demo else plural(count, "snapshot") if count > 1 else "loaded", "ok")


def check_badge(shot: Snapshot) -> Badge:
    """Whether the mask was found, and then how many findings there are, the gravest kind only; nothing is good before that."""
    if shot.inputs is None or shot.loading:
        return Badge()
    if shot.detection is None:
        return Badge("looking …", "busy") if shot.detecting else Badge("not looked for")
    if not shot.detection.found:
        return Badge("not found" if shot.detection.better is None else "mask is turned", "bad")
    levels = [f.severity for f in (*shot.findings, *shot.detection.findings)]
    for level, word, status in (("error", "problem", "bad"), ("warning", "warning", "warn")):
        if level in levels:
            return Badge(plural(levels.count(level), word), status)
    return Badge("mask found", "ok")


def run_badge(shot: Snapshot) -> Badge:
    """What the Run step says while nothing runs: how often the loaded files were calibrated."""
    own = [run for run in shot.runs if not of_other_files(run, shot.inputs)]
    if own:
        return Badge(plural(len(own), "run"), "ok")
    return Badge("ready" if shot.inputs is not None else "")


def of_other_files(record: RunRecord, inputs: CalibrationInputs | None) -> bool:
    """True when files are loaded that the run was not made with."""
    return inputs is not None and not belongs_to(record.result, inputs)


def qa_badge(record: RunRecord | None, rejected_ids: frozenset[int], inputs: CalibrationInputs | None) -> Badge:
    """Verdict of the shown run, and whether a person accepted or rejected it; a run of other files is no news of these."""
    if record is None:
        return Badge()
    if of_other_files(record, inputs):
        return Badge("run of other files")
    verdict = record.result.verdict.status
    words = verdict_words(verdict, record.result.outcome)
    status = VERDICT_STATUS[verdict] if words == verdict else "warn"
    if record.accepted:
        return Badge(f"accepted ({words})", status)
    if record.id in rejected_ids:
        return Badge("rejected", "bad")
    return Badge(verdict if words == verdict else "not finished", status)


def run_line(record: RunRecord | None, inputs: CalibrationInputs | None) -> Badge:
    """How the run on show ended, in a line for the status bar; empty without one, and for a run of other files."""
    if record is None or of_other_files(record, inputs):
        return Badge()
    result = record.result
    time = format_duration(result.seconds_total)
    if result.outcome == "not_finished":
        return Badge(f"{record.name} was stopped after {time}: {verdict_words(result.verdict.status, result.outcome)}", "warn")
    status, title = result.verdict.status, headline(result).title
    said = status if status == "pass" else f"{title[:1].lower()}{title[1:]}"
    return Badge(f"{record.name} finished in {time}{outcome_words(result.outcome)}: {said}", VERDICT_STATUS[status])


def enabled_actions(shot: Snapshot, phase: RunPhase, page_index: int, page_count: int) -> dict[str, bool]:
    """Which actions can be used now; those not named always can."""
    has_run = any(r.id == shot.current_id for r in shot.runs)
    stoppable = phase in (RunPhase.RUNNING, RunPhase.PAUSED)
    return {
        "run.start": shot.inputs is not None and phase is RunPhase.IDLE,
        "run.pause": stoppable,
        "run.finish": stoppable,
        "run.cancel": phase not in (RunPhase.IDLE, RunPhase.CANCELLING),
        "qa.accept": has_run,
        "qa.reject": has_run,
        "edit.clear_points": bool(shot.points),
        "go.next": 0 <= page_index < page_count - 1,
        "go.back": 0 < page_index < page_count,
    }


def in_force_text(record: RunRecord | None, inputs: CalibrationInputs | None) -> tuple[str, str]:
    """Name and details of the calibration in force, for the chip; it says when the loaded files are others."""
    if record is None:
        return "No calibration accepted", "Accept a run on the QA page: exports then use it"
    p = record.result.parameters
    values = f"dx {p['dx'].value:+.3f} px, dy {p['dy'].value:+.3f} px, theta {p['theta'].value:+.3f} deg"
    details = f"{record.name}: {values}\n{record.note}".strip()
    if of_other_files(record, inputs):
        return (
            f"In force: {record.name} (other files)",
            f"{details}\nMade with other files than those that are loaded now".strip(),
        )
    return f"In force: {record.name}", details
