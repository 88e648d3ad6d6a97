"""Which devices torch could use, told without importing torch (that takes longer than an answer may)."""

from __future__ import annotations

import ctypes
import importlib.util
import re
from pathlib import Path

from cassi_core.errors import InputError


def check_device(name: str) -> None:
    """Refuse a device that this machine does not have.

    `auto` and `cpu` always exist. `cuda` needs a torch that was built for it, a driver, and as many devices as the index says.

    Raises
    ------
    InputError
        The device does not exist; the message says which part is missing.
    """
    if name in ("auto", "cpu"):
        return
    match = re.fullmatch(r"cuda(?::(\d+))?", name)
    if match is None:
        raise InputError(f"--device {name}: there is no such device; use auto, cpu, cuda or cuda:INDEX")
    if not _torch_has_cuda():
        raise InputError(f"--device {name}: the installed torch has no support for CUDA devices; use --device cpu")
    count = driver_devices()
    index = int(match[1] or 0)
    if count == 0:
        raise InputError(f"--device {name}: this machine has no CUDA device; use --device cpu")
    if count is not None and index >= count:
        raise InputError(f"--device {name}: this machine has {count} CUDA device(s), numbered from 0; choose another index")


def _torch_has_cuda() -> bool:
    """Whether torch was built for CUDA or ROCm, as its own version file says."""
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        return False
    version_file = Path(spec.origin).with_name("version.py")
    if not version_file.exists():
        return False
    text = version_file.read_text(encoding="utf-8")
    return re.search(r"^(cuda|hip)\b[^=\n]*=\s*['\"]", text, re.MULTILINE) is not None


def driver_devices() -> int | None:
    """How many devices the CUDA driver counts; 0 without a driver, None when another driver (ROCm) has to be asked by torch."""
    for library in ("libcuda.so.1", "nvcuda.dll"):
        try:
            driver = ctypes.CDLL(library)
        except OSError:
            continue
        count = ctypes.c_int(0)
        failed = driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count))
        return 0 if failed else count.value
    for library in ("libamdhip64.so", "amdhip64.dll"):
        try:
            ctypes.CDLL(library)
        except OSError:
            continue
        return None
    return 0
