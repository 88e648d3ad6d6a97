"""Set up and start the CASSI calibration program: everything a fresh machine with Python 3.11 or newer needs.

    python3 start.py                 open the program with its demo (without a screen: run the demo on the command line)
    python3 start.py cassi ARGS...   run the command line, for instance: python3 start.py cassi calibrate --help
    python3 start.py test [ARGS...]  run the tests

The first call makes the folder .venv and installs the versions of constraints.txt; later calls install nothing.
Only the standard library is used, and no syntax newer than Python 3.6, so that an old Python can still say what it lacks.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
OLDEST = (3, 11)
VENV_PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def say(text):
    print(f"start.py: {text}", file=sys.stderr, flush=True)


def choose_python():
    """The command of a Python that is new enough: this one, or another one of the machine."""
    if sys.version_info >= OLDEST:
        return [sys.executable]
    candidates = [["py", f"-3.{minor}"] for minor in (13, 12, 11)] if os.name == "nt" else []
    candidates += [[name] for name in ("python3.13", "python3.12", "python3.11", "python3.14", "python3", "python")]
    for command in candidates:
        if shutil.which(command[0]) is None:
            continue
        test = [*command, "-c", f"import sys, venv; sys.exit(sys.version_info < {OLDEST})"]
        if subprocess.call(test, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0:
            return command
    have = ".".join(str(v) for v in sys.version_info[:3])
    say(f"Python 3.11 or newer is needed, this is {have} and no newer one was found. Install it from https://www.python.org")
    sys.exit(1)


def fingerprint():
    """What the installation depends on: the two files, the Python and the place (a moved environment does not work)."""
    digest = hashlib.sha256(f"{ROOT} {sys.version}".encode())
    for name in ("pyproject.toml", "constraints.txt"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def install():
    """Make .venv with the pinned versions unless that has been done; nothing is fetched the second time."""
    stamp = VENV / "installed.sha256"
    wanted = fingerprint()
    if VENV_PYTHON.exists() and stamp.exists() and stamp.read_text() == wanted:
        return
    say("first start: making .venv and installing the pinned versions (some minutes) ...")
    # An old environment is made anew: its packages may belong to other pins, its paths to another folder.
    try:
        venv.create(str(VENV), clear=True, with_pip=True)
    except (OSError, subprocess.CalledProcessError) as error:
        say(f"the folder {VENV} could not be made ({error}). On Debian and Ubuntu: apt install python3-venv")
        sys.exit(1)
    # One call with the constraints, so that the resolver never looks at another version of torch.
    packages = ["-c", str(ROOT / "constraints.txt"), "-e", f"{ROOT}[test]"]
    command = [str(VENV_PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "-q", *packages]
    if subprocess.call(command, cwd=str(ROOT)) != 0:
        say("the installation failed; the lines above say why. Run the same command again when that is mended.")
        sys.exit(1)
    stamp.write_text(wanted)
    # The compiled kernels are cached on disk: a failure here only means that the first run compiles them.
    say("compiling the kernels once ...")
    warm_up = "from cassi_core.solvers.fused_cpu import ensure_compiled; ensure_compiled()"
    subprocess.call([str(VENV_PYTHON), "-c", warm_up], cwd=str(ROOT), stderr=subprocess.DEVNULL)


def has_screen():
    """Whether a window could be seen by somebody."""
    if os.environ.get("QT_QPA_PLATFORM", "") in ("offscreen", "minimal"):
        return False
    return os.name == "nt" or sys.platform == "darwin" or any(os.environ.get(v) for v in ("DISPLAY", "WAYLAND_DISPLAY"))


def run_module(module, arguments, cwd=None):
    """Run a module in the environment, with this folder importable wherever the user stands."""
    path = os.pathsep.join(p for p in (str(ROOT), os.environ.get("PYTHONPATH", "")) if p)
    environment = {**os.environ, "PYTHONPATH": path, "OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY", "PASSIVE")}
    return subprocess.call([str(VENV_PYTHON), "-m", module, *arguments], env=environment, cwd=cwd)


def main(arguments):
    if sys.version_info < OLDEST:
        return subprocess.call([*choose_python(), str(ROOT / "start.py"), *arguments])
    if arguments and arguments[0] not in ("cassi", "test"):
        print(__doc__)
        return 0 if arguments[0] in ("-h", "--help") else 2
    install()
    if arguments and arguments[0] == "test":
        return run_module("pytest", arguments[1:], cwd=str(ROOT))
    if arguments:
        return run_module("cassi_core.cli", arguments[1:])
    if (ROOT / "cassi_gui" / "__main__.py").exists():
        if has_screen():
            return run_module("cassi_gui", ["--demo"])
        say("there is no screen to open a window on; this is the demo on the command line: python3 start.py cassi demo")
    return run_module("cassi_core.cli", ["demo"])


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
