"""Reading arrays from the files of a laboratory: NumPy, MATLAB, HDF5, TIFF and PNG, told apart by content, never unpickled."""

from cassi_core.io.readers.container import ArrayInfo
from cassi_core.io.readers.formats import list_arrays
from cassi_core.io.readers.metadata import Metadata, read_metadata
from cassi_core.io.readers.select import Role, find_key, read_array, split_spec

__all__ = ["ArrayInfo", "Metadata", "Role", "find_key", "list_arrays", "read_array", "read_metadata", "split_spec"]
