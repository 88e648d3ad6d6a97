"""Telling file formats apart by their first bytes, so that a wrong extension does no harm."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from cassi_core.errors import InputError
from cassi_core.io.readers.container import ArrayInfo, Format
from cassi_core.io.readers.envi_files import EnviFormat, header_of
from cassi_core.io.readers.raw_files import EXAMPLE, RawFormat, is_layout

HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
KNOWN = ".npz, .npy, .mat, .h5, .hdf5, .tif, .tiff or .png file, an ENVI .hdr"
UNKNOWN = "a file of a kind that this program does not read"
ENVI_DATA = frozenset({".raw", ".img", ".dat", ".bin", ".bsq", ".bil", ".bip", ".cube"})


def list_arrays(path: str | Path, key: str = "") -> list[ArrayInfo]:
    """All arrays of a file with their keys, shapes and types, without loading them; a raw file's layout is its `key`.

    Raises
    ------
    InputError
        The file is missing, a folder, empty, of an unknown kind, or damaged.
    """
    return format_of(Path(path), key).list_arrays(Path(path))


def format_of(path: Path, key: str = "") -> Format:
    """The format of a file by its content, or raw where the key is a layout; InputError when this program does not read it."""
    head, has_hdf5 = _first_bytes(path)
    if is_layout(key):
        return RawFormat(key)
    if head.startswith(b"ENVI") or (path.suffix.lower() in ENVI_DATA and header_of(path) is not None):
        return EnviFormat()
    # Imported here because a PNG needs neither h5py nor SciPy, and each takes a good part of the time of a short command.
    if head.startswith(b"\x93NUMPY"):
        from cassi_core.io.readers.numpy_files import NpyFormat

        return NpyFormat()
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        from cassi_core.io.readers.numpy_files import NpzFormat

        return NpzFormat()
    if has_hdf5:
        from cassi_core.io.readers.hdf5_files import Hdf5Format

        return Hdf5Format()
    if head.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        from cassi_core.io.readers.image_files import TiffFormat

        return TiffFormat()
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        from cassi_core.io.readers.image_files import PngFormat

        return PngFormat()
    if head.startswith(b"MATLAB 5.0") or head[124:128] in (b"\x00\x01IM", b"\x01\x00MI") or _is_mat4(head):
        from cassi_core.io.readers.matlab_files import MatFormat

        return MatFormat()
    raise InputError(f"{path}: {_what_it_is(path, head)}; give a {KNOWN}, or say how raw numbers are stored: FILE::{EXAMPLE}")


def holds_raw_numbers(path: Path) -> bool:
    """Whether a file may hold raw numbers: it is called like one, of no known format, and no text."""
    if path.suffix.lower() not in ENVI_DATA and path.suffix:
        return False
    try:
        format_of(path)
    except InputError:
        if not path.is_file():
            return False
        with path.open("rb") as stream:
            head = stream.read(4096)
        return bool(head) and _what_it_is(path, head) == UNKNOWN
    return False


def _first_bytes(path: Path) -> tuple[bytes, bool]:
    """The first 2048 bytes, and whether an HDF5 file begins at one of the places where one may begin."""
    if path.is_dir():
        raise InputError(f"{path}: this is a folder; name the file inside it")
    try:
        with path.open("rb") as stream:
            head = stream.read(4096)
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; check the name and the folder") from None
    except PermissionError:
        raise InputError(f"{path}: the file may not be read; check its permissions") from None
    except OSError as error:
        raise InputError(f"{path}: the file cannot be opened ({error.strerror or error}); check the name") from None
    if not head:
        raise InputError(f"{path}: the file is empty; copy or export it again")
    return head, any(head[at : at + 8] == HDF5_MAGIC for at in (0, 512, 1024, 2048))


def _is_mat4(head: bytes) -> bool:
    """Whether a MATLAB 4 header begins the file: type number MOPT below 5000, then rows, columns, a flag, the name's length."""
    orders: tuple[Literal["little", "big"], ...] = ("little", "big")
    for order in orders:
        kind, rows, cols, flag, name_length = (int.from_bytes(head[at : at + 4], order, signed=True) for at in range(0, 20, 4))
        digits = kind // 1000, kind // 100 % 10, kind // 10 % 10, kind % 10
        plausible = 0 <= digits[0] <= 4 and digits[1] == 0 and digits[2] <= 5 and digits[3] <= 2
        if plausible and rows > 0 and cols > 0 and flag in (0, 1) and 0 < name_length < 256:
            return True
    return False


def _what_it_is(path: Path, head: bytes) -> str:
    """What a file of no known format seems to be."""
    if head[:1] == b"\x80" and head[1:2] in b"\x02\x03\x04\x05":
        return "a Python pickle, which is refused because reading it could run code"
    if b"MATLAB" in head[:32]:
        return "a MATLAB file that is cut short"
    if all(byte >= 32 or byte in b"\t\n\r\f" for byte in head):
        return f"the file holds text{', whatever its name says' if path.suffix else ''}"
    return UNKNOWN
