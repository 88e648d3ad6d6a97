"""Sessions `*.cassi.h5`: inputs, settings, every run with its tables and maps, the run in force, notes; plain HDF5, no pickles."""

from cassi_core.io.session.document import (
    EMBED_BYTES,
    FORMAT,
    SUFFIX,
    VERSION,
    FileReference,
    Session,
    StoredSession,
)
from cassi_core.io.session.reading import read_maps, read_session
from cassi_core.io.session.references import Located, Lost, is_same, locate, relocated, with_path
from cassi_core.io.session.writing import write_session

__all__ = [
    "EMBED_BYTES",
    "FORMAT",
    "SUFFIX",
    "VERSION",
    "FileReference",
    "Located",
    "Lost",
    "Session",
    "StoredSession",
    "is_same",
    "locate",
    "read_maps",
    "read_session",
    "relocated",
    "with_path",
    "write_session",
]
