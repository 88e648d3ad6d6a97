"""The public names of the package, and that nothing needs torch before it is asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import cassi_core

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = {
    "RoundSTE",
    "DifferentiableMaskWarpFixed",
    "DifferentiableCassiForwardSTE",
    "DifferentiableCassiAdjointSTE",
    "DifferentiableGAPTV",
    "MismatchParameters",
    "Algorithm1HierarchicalBeamSearch",
    "Algorithm2JointGradientRefinement",
}


def run_python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_published_names_are_there() -> None:
    assert set(cassi_core.__all__) - {"__version__"} == PUBLISHED
    assert set(dir(cassi_core)) >= PUBLISHED
    for name in PUBLISHED:
        assert getattr(cassi_core, name).__name__ == name
    with pytest.raises(AttributeError, match="NoSuchName"):
        _ = cassi_core.NoSuchName


def test_importing_the_package_loads_neither_torch_nor_numba() -> None:
    loaded = run_python("import cassi_core, sys; print([m for m in ('torch', 'numba', 'scipy') if m in sys.modules])")
    assert loaded == "[]"


def test_algorithm_1_runs_where_torch_cannot_be_imported() -> None:
    code = """
import sys
sys.modules["torch"] = None
sys.path.insert(0, "tests/core")
import numpy as np
from search_rigs import make_rig
import cassi_core
from cassi_core.config import Algorithm1Settings
rig = make_rig({"dy": 1.2, "dx": 0.4})
few = Algorithm1Settings(beam_width=2, beam_points=3, n_slope=1, n_alpha=1, rounds=1, n_iter=4)
found = cassi_core.Algorithm1HierarchicalBeamSearch(few).search(rig.measurement, rig.mask, np.arange(8) * 2.0, refine=("dx", "dy"))
refined = cassi_core.Algorithm2JointGradientRefinement("auto").refine(found, rig.measurement, rig.mask, s_nom=np.arange(8) * 2.0)
print(abs(found.mask_dy - 1.2) < 0.15, abs(refined.mask_dy - 1.2) < 0.15, refined.source)
"""
    assert run_python(code) == "True True algorithm1"
