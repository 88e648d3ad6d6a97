"""What an exported mask is worth to somebody else's program: a real TSA-Net frame, calibrated, exported, and loaded as the public code does.

    python -m tests.benchmarks.exported_mask [--frame PART] [--iterations N] [--joint]

Calibrates the frame (or with --joint all frames of the rig), writes the mask in the profile `mst-real`, and runs an independent GAP loop of
six lines of NumPy with the nominal and with the exported mask. Prints the relative residual ||y - A x|| / ||y|| of both after the same
number of iterations, over all pixels and on the pixels inside the border.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
from scipy.io import loadmat, savemat
from scipy.ndimage import gaussian_filter

from cassi_core.cli import main as cassi
from tests.benchmarks.cases import shared_folder

BANDS, STEP = 28, 2
BORDER = 16


def public_loader(path: Path) -> np.ndarray:
    """`mask_3d_shift` `[H, W + 54, 28]` as the public loaders of real data make it of `mask`: tiled, and rolled by 2 px a band."""
    mask = loadmat(path)["mask"]
    height, width = mask.shape
    shifted = np.zeros((height, width + (BANDS - 1) * STEP, BANDS), np.float32)
    shifted[:, :width, :] = mask[:, :, np.newaxis]
    for band in range(BANDS):
        shifted[:, :, band] = np.roll(shifted[:, :, band], STEP * band, axis=1)
    return shifted


def gap(y: np.ndarray, phi: np.ndarray, iterations: int) -> np.ndarray:
    """The measurement `[H, W + 54]` that is explained after GAP with a Gaussian denoiser; shares no code with the project."""
    phi_s = np.maximum((phi**2).sum(axis=2), 1e-6)
    x = phi * (y / phi_s)[:, :, None]
    for _ in range(iterations):
        x = x + phi * ((y - (phi * x).sum(axis=2)) / phi_s)[:, :, None]
        x = gaussian_filter(x, (0.7, 0.7, 0))
    return np.asarray((phi * x).sum(axis=2))


def residuals(y: np.ndarray, explained: np.ndarray) -> tuple[float, float]:
    """Relative residual over all pixels and inside the border."""
    inner = (slice(BORDER, -BORDER),) * 2
    return tuple(float(np.linalg.norm(y[w] - explained[w]) / np.linalg.norm(y[w])) for w in ((slice(None),) * 2, inner))  # type: ignore[return-value]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--frame", default="scene3", help="part of the file name of a TSA-Net frame (scene3)")
    parser.add_argument("--iterations", type=int, default=20)
    parser.add_argument("--joint", action="store_true", help="calibrate all frames of the rig together")
    args = parser.parse_args()
    data = shared_folder() / "data"
    frames = sorted((data / "measurements").glob("tsa_net_real_*.npz"))
    chosen = next(f for f in frames if args.frame in f.name)
    nominal = data / "masks" / "tsa_net_real_mask_660.npz"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        calibration = folder / "rig.cassi.json"
        taken = [str(f) for f in (frames if args.joint else [chosen])]
        cassi(["calibrate", *taken, "--mask", str(nominal), "--out", str(calibration)])
        if cassi(["export", str(calibration), "--profile", "mst-real", "--out", str(folder)]) != 0:
            sys.exit("the export failed")
        savemat(folder / "nominal.mat", {"mask": np.load(nominal)["mask"]})
        y = np.load(chosen)["meas"].astype(np.float32)
        print(f"{chosen.name}, {args.iterations} iterations of an independent GAP loop, relative residual:")
        found = {}
        for label, file in (("nominal mask", "nominal.mat"), ("exported mask", "mask.mat")):
            found[label] = residuals(y, gap(y, public_loader(folder / file), args.iterations))
            print(f"  {label:<14} {found[label][0]:.5f} (inside the border {found[label][1]:.5f})")
        ratio = found["exported mask"][1] / found["nominal mask"][1]
        print(
            f"  the exported mask leaves {100 * ratio:.1f} % of the nominal mask's residual: {'better' if ratio < 1 else 'NOT BETTER'}"
        )


if __name__ == "__main__":
    main()
