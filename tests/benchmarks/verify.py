"""Is yesterday's calibration still right? Verdicts on rigs that stand still and on rigs that moved, drawn at random, with known truth.

    python -m tests.benchmarks.verify FIRST LAST [--moved NAME=CHANGE ...] [--csv FILE]

Per rig: yesterday's calibration by preset auto, then today's picture (another scene, other noise) of the rig standing still, and one for
each `--moved`. Over all: how often each is said to hold, to have drifted, or not to be told; seconds; and of the changes of a rig that
stands still the share within one and two of their errors. Seeds 0 to 499 are for development, those from 500 for figures.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from cassi_core.calibration.pipeline import calibrate
from cassi_core.config import CalibrationConfig, QualitySettings
from cassi_core.verification.earlier import EarlierCalibration
from cassi_core.verification.result import Verification
from cassi_core.verification.verify import verify
from cassi_core.verification.words import headline
from tests.benchmarks.cases import shared_folder, simulator
from tests.benchmarks.table import say, write_csv
from tests.rig_pairs import FIRST, SECOND, Rig, draw_rig


def row_of(rig: Rig, move: str, found: Verification) -> dict[str, Any]:
    """One line of the table."""
    row: dict[str, Any] = {
        "seed": rig.seed, "shape": "x".join(map(str, rig.mask.shape)), "bands": rig.n_bands, "moved": move, "state": found.state,
        "headline": headline(found), "seconds": found.seconds, "probability": found.probability,
    }  # fmt: skip
    for name, moved in (("across", found.across), ("pattern", found.pattern), ("common", found.common)):
        if moved is not None:
            row |= {f"{name}_px": moved.moved_px, f"{name}_expected_px": moved.expected_px}
    return row | {f"z_{c.name}": c.significance for c in found.changes if c.told}


def change_of(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    return name, float(value)


def rows_of_rig(rig: Rig, moves: list[tuple[str, float]]) -> list[dict[str, Any]]:
    """The rig verified while it stands still and after each move."""
    result = calibrate(rig.inputs(rig.picture(FIRST)), CalibrationConfig(quality=QualitySettings(maps=False)))
    earlier = EarlierCalibration.of_result(result)
    rows = []
    for number, (name, change) in enumerate([("", 0.0), *moves]):
        picture = rig.picture(SECOND + number, {name: change} if name else None)
        found = verify(rig.inputs(picture), earlier)
        rows.append({**row_of(rig, f"{name}={change:g}" if name else "", found), "verdict": result.verdict.status})
    return rows


def summary(rows: list[dict[str, Any]]) -> None:
    """How often what was said, by move."""
    for move in dict.fromkeys(r["moved"] for r in rows):
        of_move = [r for r in rows if r["moved"] == move]
        count = Counter(r["state"] for r in of_move)
        seconds = np.array([r["seconds"] for r in of_move])
        said = ", ".join(f"{state} {n} ({100 * n / len(of_move):.1f} %)" for state, n in count.most_common())
        say(
            f"== {move or 'standing still'}, {len(of_move)} rigs: {said}; {np.median(seconds):.1f} s, at most {seconds.max():.1f} s"
        )
    still = [r for r in rows if not r["moved"]]
    for name in ("dx", "dy", "theta", "scale_x", "scale_y", "slope", "alpha"):
        z = np.abs([r[f"z_{name}"] for r in still if f"z_{name}" in r])
        if z.size:
            say(f"   {name:8s} changes within 1 / 2 errors: {100 * np.mean(z <= 1):.0f} / {100 * np.mean(z <= 2):.0f} %")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("first", type=int)
    parser.add_argument("last", type=int, help="one beyond the last seed")
    parser.add_argument(
        "--moved", type=change_of, nargs="*", default=[], metavar="NAME=CHANGE", help="for instance dy=0.3 theta=0.1"
    )
    parser.add_argument("--csv", type=Path)
    args = parser.parse_args()
    tool, data = simulator(), shared_folder() / "data"
    rows = []
    for seed in range(args.first, args.last):
        for row in rows_of_rig(draw_rig(tool, data, seed), args.moved):
            rows.append(row)
            say(
                f"{seed:5d} {row['shape']} x {row['bands']}, {row['moved'] or 'still':10s} {row['headline']} ({row['seconds']:.1f} s)"
            )
    summary(rows)
    write_csv(args.csv, rows)


if __name__ == "__main__":
    main()
