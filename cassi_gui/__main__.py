"""`python -m cassi_gui`."""

import sys

from cassi_gui.app import main

if __name__ == "__main__":
    sys.exit(main())
