"""Peak memory and seconds of one gradient step through the unrolled solver, with and without checkpointing, side by side.

    python tests/benchmarks/checkpointing.py [--size 256] [--bands 28] [--iterations 12 15] [--denoisers gaussian]

Every case runs in a process of its own, so that its peak memory is its own. The peak of the same process before the step (torch
loaded, arrays made) is subtracted.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time


def one_case(size: int, bands: int, n_iter: int, denoiser: str, checkpointing: bool, steps: int) -> dict[str, float]:
    """Median seconds of a step (forward and backward) and the peak memory above what the process held before, in MB."""
    import resource

    import numpy as np
    import torch

    from cassi_core.operators import DifferentiableGAPTV, DifferentiableMaskWarpFixed

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))

    def peak() -> float:
        scale = 2**20 if sys.platform == "darwin" else 2**10
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale

    def step(h: int, n_bands: int) -> None:
        rng = np.random.default_rng(0)
        warp = DifferentiableMaskWarpFixed((rng.random((h, h)) > 0.5).astype(np.float32), 0.3, -0.2, 0.1)
        y = torch.as_tensor(rng.random((1, h, h + 2 * (n_bands - 1))), dtype=torch.float32)
        solver = DifferentiableGAPTV(2 * np.arange(n_bands), h, h, n_bands, n_iter, 0.7, checkpointing, denoiser=denoiser)
        solver(y, warp(), 0.0).square().sum().backward()

    step(16, 3)
    before = peak()
    seconds = []
    for _ in range(steps):
        start = time.perf_counter()
        step(size, bands)
        seconds.append(time.perf_counter() - start)
    return {"seconds": sorted(seconds)[len(seconds) // 2], "peak_mb": peak() - before}


def in_a_process(arguments: list[str], threads: int) -> dict[str, float]:
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "PASSIVE"}
    done = subprocess.run(
        [sys.executable, __file__, "--case", *arguments], env=environment, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=256, help="rows and columns")
    parser.add_argument("--bands", type=int, default=28)
    parser.add_argument("--iterations", type=int, nargs="+", default=[12, 15])
    parser.add_argument("--steps", type=int, default=5, help="gradient steps of which the median is taken")
    parser.add_argument("--denoisers", nargs="+", default=["gaussian"], choices=["gaussian", "tv"])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--case", nargs=6, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        size, bands, n_iter, denoiser, checkpointing, steps = options.case
        print(json.dumps(one_case(int(size), int(bands), int(n_iter), denoiser, checkpointing == "True", int(steps))))
        return
    cube_mb = 4 * options.size**2 * options.bands / 2**20
    print(f"{options.size} x {options.size} x {options.bands} (one cube {cube_mb:.1f} MB), {options.threads} threads")
    print(f"{'denoiser':<10}{'iterations':>11}   {'all iterates kept':>22}   {'checkpointing':>22}   {'memory':>8}{'time':>7}")
    for denoiser in options.denoisers:
        for n_iter in options.iterations:
            kept, recomputed = (
                in_a_process(
                    [str(v) for v in (options.size, options.bands, n_iter, denoiser, on, options.steps)], options.threads
                )
                for on in (False, True)
            )
            cells = "   ".join(f"{c['peak_mb']:>10.0f} MB {c['seconds']:>7.3f} s" for c in (kept, recomputed))
            ratios = recomputed["peak_mb"] / kept["peak_mb"], recomputed["seconds"] / kept["seconds"]
            print(f"{denoiser:<10}{n_iter:>11}   {cells}   {ratios[0]:>7.2f}x{ratios[1]:>6.2f}x")


if __name__ == "__main__":
    main()
