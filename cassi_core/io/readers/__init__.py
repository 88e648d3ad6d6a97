"""Reading arrays from the files of a laboratory: NumPy, MATLAB, HDF5, TIFF, PNG, ENVI and raw numbers, never unpickled.

Files are told apart by content. Large ones are read by regions: :func:`opened` gives an array that stays in its file.
"""

from cassi_core.io.readers.container import ArrayInfo
from cassi_core.io.readers.formats import list_arrays
from cassi_core.io.readers.metadata import Metadata, read_metadata
from cassi_core.io.readers.meter import ReadMeter
from cassi_core.io.readers.select import ChosenArray, Role, find_key, opened, read_array, source_of, split_spec
from cassi_core.io.readers.selection import Roi, Selection, Turn

__all__ = [
    "ArrayInfo",
    "ChosenArray",
    "Metadata",
    "ReadMeter",
    "Roi",
    "Role",
    "Selection",
    "Turn",
    "find_key",
    "list_arrays",
    "opened",
    "read_array",
    "read_metadata",
    "source_of",
    "split_spec",
]
