"""The fused CPU kernel against the same arithmetic in torch, in one run: milliseconds per candidate and peak memory.

    python -m tests.benchmarks.kernel_speed [--rows 256 --cols 256 --bands 28 --iterations 8 --sigma 0.7 --threads 2]

``plain torch``: padding, slicing, products and two convolutions per iteration, as one would write it down, the bands as a batch of
pictures. ``plain, grouped``: the same with the bands as groups of one convolution, the quickest way for plain operations on a processor.
``torch solver``: the project's solver for any device, which avoids copies. Each runs in a process of its own; its residuals are compared in the end. Peak memory
is that of the process less what it held after its imports.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

PAD = 6


def problem(args: argparse.Namespace) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A measurement on its canvas, a few masks and the offsets."""
    rng = np.random.default_rng(0)
    width = args.cols + 2 * (args.bands - 1) + 2 * PAD
    y = np.zeros((args.rows, width), np.float32)
    y[:, PAD:-PAD] = rng.random((args.rows, width - 2 * PAD), np.float32)
    masks = rng.random((args.candidates, args.rows, args.cols), np.float32)
    return y, masks, PAD + 2.0 * np.arange(args.bands)


def project_solver(which: str, args: argparse.Namespace) -> Callable[[], np.ndarray]:
    from cassi_core.solvers.fused_cpu import FusedCpuSolver, ensure_compiled
    from cassi_core.solvers.protocol import Candidate, GapSettings

    y, masks, cols = problem(args)
    settings = GapSettings(args.iterations, args.sigma)
    candidates = [Candidate(m, cols, np.zeros_like(cols)) for m in masks]
    if which == "kernel":
        ensure_compiled()
        solver = FusedCpuSolver(args.threads)
        return lambda: solver.residuals(y, candidates, settings)
    from cassi_core.solvers.torch_gap import TorchGapSolver

    torch_solver = TorchGapSolver("cpu")
    return lambda: torch_solver.residuals(y, candidates, settings)


def plain_torch(args: argparse.Namespace, *, grouped: bool) -> Callable[[], np.ndarray]:
    import torch
    from torch.nn import functional

    from cassi_core.solvers.protocol import PHI_FLOOR, gaussian_taps

    images, masks, offsets = problem(args)
    y = torch.from_numpy(images)
    starts = [int(c) for c in offsets]
    side = gaussian_taps(args.sigma)
    taps = torch.from_numpy(np.concatenate([side[:0:-1], side]))
    reach = len(side) - 1

    def forward(x: torch.Tensor) -> torch.Tensor:
        canvas = torch.zeros(args.rows, y.shape[1])
        for band, start in enumerate(starts):
            canvas[:, start : start + args.cols] += x[band]
        return canvas

    def adjoint(image: torch.Tensor) -> torch.Tensor:
        return torch.stack([image[:, start : start + args.cols] for start in starts])

    along, down = taps.view(1, 1, 1, -1), taps.view(1, 1, -1, 1)

    def blur(x: torch.Tensor) -> torch.Tensor:
        if not grouped:
            bands = functional.pad(x[:, None], (reach, reach, reach, reach), mode="replicate")
            return functional.conv2d(functional.conv2d(bands, along), down)[:, 0]
        bands = functional.pad(x[None], (reach, reach, reach, reach), mode="replicate")
        each = [t.expand(args.bands, -1, -1, -1) for t in (along, down)]
        return functional.conv2d(functional.conv2d(bands, each[0], groups=args.bands), each[1], groups=args.bands)[0]

    def one(mask: torch.Tensor) -> torch.Tensor:
        phi = forward((mask**2).expand(args.bands, -1, -1)).clamp_min(PHI_FLOOR)
        x = mask * adjoint(y / phi)
        for _ in range(args.iterations):
            x = blur(x + mask * adjoint((y - forward(mask * x)) / phi))
        return y - forward(mask * x)

    def run() -> np.ndarray:
        with torch.no_grad():
            return np.stack([one(torch.from_numpy(m)).numpy() for m in masks])

    return run


def measure(which: str, args: argparse.Namespace) -> None:
    """Run one of the three in this process; the best of the repeats counts, so that other programs disturb least."""
    os.environ["OMP_NUM_THREADS"] = str(args.threads)
    if which != "kernel":
        import torch

        import cassi_core.operators  # noqa: F401

        torch.set_num_threads(args.threads)
        torch.nn.functional.conv2d(torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 3, 3))
    run = plain_torch(args, grouped="grouped" in which) if "plain" in which else project_solver(which, args)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    residual = run()
    seconds, processor = [], []
    for _ in range(args.repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        run()
        seconds.append(time.perf_counter() - wall)
        processor.append(time.process_time() - cpu)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    np.save(args.out, residual)
    per = 1e3 / args.candidates
    print(json.dumps({"wall": min(seconds) * per, "cpu": min(processor) * per, "mib": (after - before) / 1024}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=256)
    parser.add_argument("--cols", type=int, default=256)
    parser.add_argument("--bands", type=int, default=28)
    parser.add_argument("--iterations", type=int, default=8)
    parser.add_argument("--sigma", type=float, default=0.7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--candidates", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=8)
    parser.add_argument("--which", help=argparse.SUPPRESS)
    parser.add_argument("--out", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.which:
        measure(args.which, args)
        return
    shape = f"{args.rows} x {args.cols} x {args.bands}, {args.iterations} iterations, sigma {args.sigma:g} px"
    print(f"{shape}, {args.threads} threads, best of {args.repeats} times {args.candidates} candidates")
    results, residuals = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        for which in ("kernel", "plain torch", "plain, grouped", "torch solver"):
            out = Path(folder) / "residual.npy"
            command = [
                sys.executable,
                "-m",
                "tests.benchmarks.kernel_speed",
                *sys.argv[1:],
                "--which",
                which,
                "--out",
                str(out),
            ]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            results[which], residuals[which] = json.loads(done.stdout), np.load(out)
    kernel, reference = results["kernel"], residuals["kernel"]
    print(f"{'':14s}{'ms/candidate':>14s}{'cpu ms':>10s}{'ratio':>8s}{'peak MiB':>10s}{'difference':>12s}")
    for which, r in results.items():
        difference = float(np.abs(residuals[which] - reference).max() / np.abs(reference).max())
        print(
            f"{which:14s}{r['wall']:14.1f}{r['cpu']:10.1f}{r['wall'] / kernel['wall']:8.1f}{r['mib']:10.0f}{difference:12.1e}",
            flush=True,
        )


if __name__ == "__main__":
    main()
