"""Kill processes that are saving, at random moments: every file must be whole, and the next save must tidy up.

python -m tests.benchmarks.kill_while_saving [--kills 100] [--seed 0]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    script = Path(__file__).resolve().parents[1] / "kill_while_saving.py"
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(script), folder, str(args.kills), str(args.seed)]
        sys.exit(subprocess.run(command, check=False).returncode)


if __name__ == "__main__":
    main()
