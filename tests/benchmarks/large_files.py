"""Peak memory, seconds and the time that a cancel takes when parts of files of 4 GB are read.

    python -m tests.benchmarks.large_files [--gigabytes 4] [--folder DIR] [--whole]

The files are sparse: they need no disk, and reading them costs what reading costs. Every case runs in a process of its own;
the peak of the same process before reading is subtracted. `--whole` also reads a whole cube (as much memory as the file is long).
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import tifffile

ROWS, COLS = 2048, 2560
SIDE, BANDS = 1024, 256


def pictures(size: int) -> int:
    """How many pictures of 16 bits make a stack of a size in bytes."""
    return size // (2 * ROWS * COLS) + 1


def write_npy(path: Path, size: int) -> str:
    with path.open("wb") as stream:
        header = {"descr": "<u2", "fortran_order": False, "shape": (pictures(size), ROWS, COLS)}
        np.lib.format.write_array_header_1_0(stream, header)
        stream.truncate(stream.tell() + 2 * pictures(size) * ROWS * COLS)
    return str(path)


def write_raw(path: Path, size: int) -> str:
    with path.open("wb") as stream:
        stream.truncate(512 + 2 * pictures(size) * ROWS * COLS)
    return f"{path}::shape={pictures(size)}x{ROWS}x{COLS},dtype=uint16,order=big,offset=512"


def write_tif(path: Path, size: int) -> str:
    tifffile.memmap(path, shape=(pictures(size), ROWS, COLS), dtype="uint16", bigtiff=True, photometric="minisblack")
    return str(path)


def write_h5(path: Path, size: int) -> str:
    """Chunks of one picture's eighth, of which the pictures that are read are really compressed."""
    with h5py.File(path, "w") as file:
        item = file.create_dataset(
            "run/meas", (pictures(size), ROWS, COLS), "uint16", chunks=(1, ROWS // 8, COLS), compression="gzip", shuffle=True
        )
        rng = np.random.default_rng(0)
        for i in range(0, len(item), max(1, len(item) // 8)):
            item[i] = rng.integers(0, 4096, (ROWS, COLS), np.uint16)
    return str(path)


def write_envi(interleave: str) -> Callable[[Path, int], str]:
    def write(path: Path, size: int) -> str:
        lines = size // (4 * SIDE * BANDS) + 1
        path.write_text(
            f"ENVI\nsamples = {SIDE}\nlines = {lines}\nbands = {BANDS}\nheader offset = 0\n"
            f"data type = 4\ninterleave = {interleave}\nbyte order = 1\n"
        )
        with path.with_suffix(".raw").open("wb") as stream:
            stream.truncate(4 * SIDE * BANDS * lines)
        return str(path)

    return write


FILES: dict[str, Callable[[Path, int], str]] = {
    "stack.npy": write_npy,
    "stack.raw": write_raw,
    "stack.tif": write_tif,
    "stack.h5": write_h5,
    "bsq.hdr": write_envi("bsq"),
    "bil.hdr": write_envi("bil"),
    "bip.hdr": write_envi("bip"),
}


def one_case(kind: str, spec: str, cancel_after: float) -> dict[str, float]:
    """Read a part; the result's size and the peak above what the process held before, in MB; seconds; ms until a cancel took effect."""
    from cassi_core.errors import RunCancelled
    from cassi_core.io.cubes import read_cube
    from cassi_core.io.readers import ReadMeter, Roi, opened
    from cassi_core.io.readers.select import sha256_of, split_spec
    from cassi_core.run import RunControl

    control = RunControl()
    asked = [0.0]

    def cancel() -> None:
        asked[0] = time.perf_counter()
        control.cancel()

    def work(meter: ReadMeter) -> float:
        if kind == "hash":
            path, key = split_spec(spec)
            sha256_of(path, key, meter)
            return 0.0
        if kind == "cube" or kind == "whole":
            return read_cube(spec, meter=meter)[0].nbytes / 2**20
        with opened(spec, "measurement", meter=meter) as chosen:
            if kind == "picture":
                return chosen.read_picture(chosen.pictures // 2).nbytes / 2**20
            return chosen.read_mean(Roi((512, 1536), (640, 1920))).nbytes / 2**20

    before = forget_peak()
    if cancel_after > 0:
        threading.Timer(cancel_after, cancel).start()
    start = time.perf_counter()
    try:
        size = work(ReadMeter(control, lambda name, fraction: None))
        late = -1.0
    except RunCancelled:
        size, late = 0.0, 1e3 * (time.perf_counter() - asked[0])
    return {"size_mb": size, "peak_mb": peak() - before, "seconds": time.perf_counter() - start, "cancel_ms": late}


def forget_peak() -> float:
    """The memory of this process in MB; on Linux its peak is counted from now on, elsewhere from the start of the process."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
        return in_status("VmRSS")
    except OSError:
        return peak()


def in_status(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name + ":")) / 2**10


def peak() -> float:
    """The largest memory of this process in MB, mapped pages of files included."""
    if Path("/proc/self/status").exists():
        return in_status("VmHWM")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def in_a_process(kind: str, spec: str, cancel_after: float = 0.0) -> dict[str, float]:
    arguments = [sys.executable, "-m", "tests.benchmarks.large_files", "--case", kind, spec, str(cancel_after)]
    return json.loads(subprocess.run(arguments, capture_output=True, text=True, check=True).stdout)


CASES = (
    ("picture", "one picture of a stack", ("stack.npy", "stack.raw", "stack.tif", "stack.h5")),
    ("mean", "mean of a region over all pictures", ("stack.npy", "stack.raw", "stack.tif", "stack.h5")),
    ("cube", "region 256 x 256 of all bands", ("bsq.hdr", "bil.hdr", "bip.hdr")),
    ("hash", "SHA-256", ("stack.npy",)),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=4.0)
    parser.add_argument("--folder", type=Path, help="where the sparse files are made (a temporary folder)")
    parser.add_argument("--whole", action="store_true", help="also read a whole cube")
    parser.add_argument("--case", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.case:
        print(json.dumps(one_case(args.case[0], args.case[1], float(args.case[2]))))
        return
    size = int(args.gigabytes * 1e9)
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        print(f"{'what':36} {'file':10} {'file GB':>8} {'result MB':>10} {'peak MB':>8} {'seconds':>8} {'cancel ms':>10}")
        cases = (*CASES, *((("whole", "the whole cube", ("bil.hdr",)),) if args.whole else ()))
        for kind, title, names in cases:
            for name in names:
                path = Path(folder) / name
                spec = FILES[name](path, size)
                data = path.with_suffix(".raw") if name.endswith(".hdr") else path
                length = data.stat().st_size if name != "stack.h5" else 2 * pictures(size) * ROWS * COLS
                named = f"{spec}::[300:556,400:656]" if kind == "cube" else spec
                found = in_a_process(kind, named)
                cancelled = in_a_process(kind, named, min(0.2, found["seconds"] / 3))
                late = f"{cancelled['cancel_ms']:10.0f}" if cancelled["cancel_ms"] >= 0 else f"{'(done)':>10}"
                print(
                    f"{title:36} {name:10} {length / 1e9:8.2f} {found['size_mb']:10.1f} {found['peak_mb']:8.1f} "
                    f"{found['seconds']:8.2f} {late}",
                    flush=True,
                )
                for used in (path, data):
                    used.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
