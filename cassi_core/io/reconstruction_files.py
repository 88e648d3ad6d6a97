"""Reconstructed cubes into files: HDF5, MATLAB, ENVI, TIFF, pseudo-colour PNG, spectra as CSV.

Values are written as they are (float32, units of the measurement), with the wavelengths of the bands in nm where they are known.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image
from scipy.io import savemat

from cassi_core.errors import ConfigError, InputError, OutputError
from cassi_core.io.atomic import atomic_path, atomic_write

MAT_LIMIT_BYTES = 2**31
UNITS = "units of the measurement"


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """A cube `(L, H, W)` float32 with its wavelengths `(L,)` in nm (None: not known), and points `(row, col)` whose spectra matter."""

    cube: NDArray[np.float32]
    wavelengths_nm: NDArray[np.float64] | None = None
    points: tuple[tuple[int, int], ...] = ()
    description: str = "CASSI reconstruction"

    def __post_init__(self) -> None:
        if self.cube.ndim != 3:
            raise InputError(f"a cube has three dimensions (bands, rows, columns), not shape {self.cube.shape}")
        if self.wavelengths_nm is not None and len(self.wavelengths_nm) != len(self.cube):
            raise InputError(f"{len(self.wavelengths_nm)} wavelengths for {len(self.cube)} bands; one per band is needed")
        _, height, width = self.cube.shape
        for row, col in self.points:
            if not (0 <= row < height and 0 <= col < width):
                raise InputError(f"the point (row {row}, column {col}) lies outside the cube of {height} x {width} pixels")


@dataclass(frozen=True)
class CubeFormat:
    """How a cube is written: its name, what is in the file, and the function that does it."""

    label: str
    description: str
    write: Callable[[Reconstruction, Path], tuple[Path, ...]]


def write_reconstruction(reconstruction: Reconstruction, path: str | Path) -> tuple[Path, ...]:
    """Write a cube in the format that the suffix names and return the absolute paths of all files.

    Raises
    ------
    ConfigError
        A suffix that is not known, or spectra without points.
    OutputError
        The file cannot be written there, or is too large for its format.
    """
    path = Path(path)
    check_target(path, bool(reconstruction.points))
    return FORMATS[path.suffix.lower()].write(reconstruction, path)


def check_target(path: str | Path, with_points: bool) -> None:
    """Refuse a name whose suffix is no format, or spectra without points, before anything is computed (ConfigError)."""
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise ConfigError(f"{path}: unknown kind of file '{suffix}'; use one of {', '.join(FORMATS)}")
    if suffix == ".csv" and not with_points:
        raise ConfigError(f"{path}: spectra need at least one point of the picture; give --points ROW,COL")


def _write_hdf5(r: Reconstruction, path: Path) -> tuple[Path, ...]:
    with atomic_path(path) as temporary, h5py.File(temporary, "w") as file:
        chunks = (1, *r.cube.shape[1:])
        cube = file.create_dataset("cube", data=r.cube, chunks=chunks, compression="gzip", compression_opts=4, shuffle=True)
        cube.attrs["axes"] = "band, row, column"
        cube.attrs["units"] = UNITS
        file.attrs["description"] = r.description
        file.attrs["n_bands"] = len(r.cube)
        if r.wavelengths_nm is not None:
            file["wavelengths_nm"] = r.wavelengths_nm
            file["wavelengths_nm"].attrs["units"] = "nm"
    return (path.absolute(),)


def _write_mat(r: Reconstruction, path: Path) -> tuple[Path, ...]:
    if r.cube.nbytes >= MAT_LIMIT_BYTES:
        raise OutputError(
            f"{path}: the cube has {r.cube.nbytes / 2**30:.1f} GiB and .mat (v5) holds up to 2; write .h5 instead"
        )
    variables = {"cube": np.ascontiguousarray(r.cube.transpose(1, 2, 0)), "n_bands": len(r.cube), "units": UNITS}
    if r.wavelengths_nm is not None:
        variables["wavelengths_nm"] = r.wavelengths_nm
    with atomic_path(path) as temporary:
        savemat(temporary, variables, format="5", do_compression=True, oned_as="row")
    return (path.absolute(),)


def envi_header(r: Reconstruction) -> str:
    """The ENVI header of a cube stored band by band (bsq), float32, least significant byte first."""
    bands, height, width = r.cube.shape
    lines = [
        "ENVI",
        f"description = {{{r.description}}}",
        f"samples = {width}",
        f"lines = {height}",
        f"bands = {bands}",
        "header offset = 0",
        "file type = ENVI Standard",
        "data type = 4",
        "interleave = bsq",
        "byte order = 0",
        f"data units = {UNITS}",
    ]
    if r.wavelengths_nm is not None:
        lines.append("wavelength units = Nanometers")
        lines.append(f"wavelength = {{{', '.join(repr(float(nm)) for nm in r.wavelengths_nm)}}}")
    return "\n".join(lines) + "\n"


def _write_envi(r: Reconstruction, path: Path) -> tuple[Path, ...]:
    """Header and data: NAME.hdr and NAME.raw; the data first, so that a header never stands for data that are not there."""
    data = path.with_suffix(".raw")
    with atomic_path(data) as temporary:
        np.ascontiguousarray(r.cube, "<f4").tofile(temporary)
    return (atomic_write(path, envi_header(r).encode("utf-8")), data.absolute())


def _write_tiff(r: Reconstruction, path: Path) -> tuple[Path, ...]:
    labels = None if r.wavelengths_nm is None else [f"{float(nm)!r} nm" for nm in r.wavelengths_nm]
    description = f"{r.description}; one page a band; {UNITS}"
    if labels is not None:
        description += "; wavelengths_nm: " + " ".join(repr(float(nm)) for nm in r.wavelengths_nm)  # type: ignore[union-attr]
    with atomic_path(path) as temporary, tifffile.TiffWriter(temporary, bigtiff=r.cube.nbytes >= MAT_LIMIT_BYTES) as tiff:
        for i, band in enumerate(r.cube):
            text = description if i == 0 else None
            tiff.write(band, photometric="minisblack", compression="zlib", contiguous=False, description=text, metadata=None)
    return (path.absolute(),)


def _write_png(r: Reconstruction, path: Path) -> tuple[Path, ...]:
    from cassi_core.quality.colour import pseudo_colour

    stream = io.BytesIO()
    Image.fromarray(pseudo_colour(r.cube, r.wavelengths_nm)).save(stream, "PNG", optimize=True)
    return (atomic_write(path, stream.getvalue()),)


def spectra_csv(r: Reconstruction) -> str:
    """Spectra at the points, one band a line: band, wavelength (empty when unknown), then one column a point."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["band", "wavelength [nm]", *(f"row {row} column {col}" for row, col in r.points)])
    for band in range(len(r.cube)):
        nm = "" if r.wavelengths_nm is None else repr(float(r.wavelengths_nm[band]))
        writer.writerow([band, nm, *(str(r.cube[band, row, col]) for row, col in r.points)])
    return stream.getvalue()


def _write_csv(r: Reconstruction, path: Path) -> tuple[Path, ...]:
    return (atomic_write(path, spectra_csv(r).encode("utf-8")),)


FORMATS: dict[str, CubeFormat] = {
    ".h5": CubeFormat("HDF5", "The cube [band, row, column] with wavelengths and units.", _write_hdf5),
    ".hdf5": CubeFormat("HDF5", "The cube [band, row, column] with wavelengths and units.", _write_hdf5),
    ".mat": CubeFormat("MATLAB", "The cube [row, column, band] with wavelengths, MATLAB version 5.", _write_mat),
    ".hdr": CubeFormat("ENVI", "Header and band-sequential data (.raw) with wavelengths and units.", _write_envi),
    ".tif": CubeFormat("TIFF", "One float page a band; wavelengths in the description.", _write_tiff),
    ".tiff": CubeFormat("TIFF", "One float page a band; wavelengths in the description.", _write_tiff),
    ".png": CubeFormat("pseudo-colour picture", "What an eye would roughly see, 8 bits a channel.", _write_png),
    ".csv": CubeFormat("spectra", "Spectra at chosen points, one band a line.", _write_csv),
}
