"""`python -m cassi_core.cli` is the command `cassi`."""

import sys

from cassi_core.cli import main

if __name__ == "__main__":
    sys.exit(main())
