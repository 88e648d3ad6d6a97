"""Processes that save without end and are killed at random moments: what is then on the disk is a whole file, the old or the new one.

Used by the tests (20 kills) and by `python -m tests.benchmarks.kill_while_saving` (100). A file says its version in every part, so
that a mixture of two would show. Runs in a process of its own that forks: there is nothing to import again for each kill.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import tifffile
from scipy.io import loadmat

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "core"))

from test_calibration_file import make_result  # noqa: E402

from cassi_core.io.calibration_file import read_calibration, write_calibration  # noqa: E402
from cassi_core.io.exports.containers import write_arrays  # noqa: E402
from cassi_core.io.reconstruction_files import Reconstruction, write_reconstruction  # noqa: E402
from cassi_core.report import write_report  # noqa: E402

RESULT = make_result()
LONGEST_WAIT_S = 0.05


def _arrays(version: int) -> dict[str, np.ndarray]:
    noise = np.random.default_rng(0).random((40, 60, 8)).astype(np.float32)
    return {"mask": noise[:, :, 0] + np.float32(version), "mask_3d_shift": noise + np.float32(version)}


def _one(found: set[int]) -> int:
    assert len(found) == 1, f"a mixture of versions {found}"
    return found.pop()


def _versions(arrays: dict[str, np.ndarray]) -> int:
    return _one({int(np.floor(v)) for a in arrays.values() for v in (a.min(), a.max())})


def _save_calibration(path: Path, version: int) -> None:
    write_calibration(_numbered(version), path)


def _numbered(version: int):  # type: ignore[no-untyped-def]
    from dataclasses import replace

    return replace(RESULT, seed=version, notes=(f"version {version}",) * 200)


def _read_report(path: Path) -> int:
    html = path.read_text(encoding="utf-8")
    assert html.endswith("</html>\n")
    document = json.loads(re.findall(r'id="calibration">(.*?)</script>', html, re.DOTALL)[0])
    return _one({document["seed"], *(int(v) for v in re.findall(r"version (\d+)", html))})


def _read_pdf(path: Path) -> int:
    data = path.read_bytes()
    assert data.startswith(b"%PDF-") and data.rstrip().endswith(b"%%EOF")
    return 0


def _read_calibration(path: Path) -> int:
    document = read_calibration(path).document
    return _one({document["seed"], *(int(note.split()[1]) for note in document["notes"])})


def _read_hdf5(path: Path) -> int:
    with h5py.File(path) as file:
        return _versions({key: file[key][()] for key in ("mask", "mask_3d_shift")})


@dataclass(frozen=True)
class Kind:
    """A kind of file: how it is saved as a version, and how that version is read back from a whole file."""

    name: str
    save: Callable[[Path, int], object]
    read: Callable[[Path], int]


KINDS = (
    Kind("a.cassi.json", _save_calibration, _read_calibration),
    Kind(
        "mask.mat",
        lambda p, v: write_arrays(p, _arrays(v), {}),
        lambda p: _versions({k: a for k, a in loadmat(p).items() if k in _arrays(0)}),
    ),
    Kind("mask.h5", lambda p, v: write_arrays(p, _arrays(v), {}), _read_hdf5),
    Kind("mask.npy", lambda p, v: write_arrays(p, {"mask": _arrays(v)["mask"]}, {}), lambda p: _versions({"mask": np.load(p)})),
    Kind(
        "cube.tif",
        lambda p, v: write_reconstruction(Reconstruction(_arrays(v)["mask_3d_shift"]), p),
        lambda p: _versions({"cube": tifffile.imread(p)}),
    ),
    Kind("report.html", lambda p, v: write_report(_numbered(v), p), _read_report),
    Kind("report.pdf", lambda p, v: write_report(_numbered(v), p), _read_pdf),
)


@dataclass(frozen=True)
class Kills:
    """What came of it: kills, how many hit a save in progress, and how many found the version before or after it."""

    kills: int
    in_progress: int
    versions: dict[str, int]


def kill_savers(folder: Path, kills: int, seed: int = 0) -> Kills:
    """Kill savers one after the other; raises AssertionError with the kind of file that was not whole."""
    chance = random.Random(seed)
    in_progress = 0
    last = {kind.name: 0 for kind in KINDS}
    for kind in KINDS:
        kind.save(folder / kind.name, 0)
    wanted = {kind.name for kind in KINDS}
    for number in range(kills):
        kind = KINDS[number % len(KINDS)]
        path = folder / kind.name
        child = os.fork()
        if child == 0:
            version = last[kind.name]
            while True:
                version += 1
                kind.save(path, version)
        time.sleep(chance.uniform(0.001, LONGEST_WAIT_S))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        version = kind.read(path)
        assert version >= last[kind.name], f"{kind.name}: version {version} after {last[kind.name]}"
        last[kind.name] = version
        litter = {p.name for p in folder.iterdir()} - wanted
        assert all(name.startswith(".") and name.endswith(f".{kind.name}") for name in litter), litter
        in_progress += bool(litter)
        kind.save(path, version)
        assert {p.name for p in folder.iterdir()} == wanted, "the next save removes what was left"
    return Kills(kills, in_progress, last)


def main() -> None:
    """`FOLDER KILLS SEED`; writes what came of it as JSON."""
    folder, kills, seed = sys.argv[1:]
    done = kill_savers(Path(folder), int(kills), int(seed))
    sys.stdout.write(json.dumps({"kills": done.kills, "in_progress": done.in_progress, "versions": done.versions}) + "\n")


if __name__ == "__main__":
    main()
