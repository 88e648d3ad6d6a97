"""The calibration file `*.cassi.json`: what reconstruction software and scripts read, and what a later run starts from.

Numbers are written with all their digits, so that reading gives the same bits; what is unknown or not finite is `null`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from cassi_core.dispersion import Dispersion
from cassi_core.errors import CassiError, InputError, SessionError
from cassi_core.inputs import CalibrationInputs, Source
from cassi_core.io.atomic import atomic_write
from cassi_core.io.software import software_versions
from cassi_core.optics import OPTICS
from cassi_core.parameters import GEOMETRY_NAMES, Parameter, ParameterSet
from cassi_core.result import (
    CalibrationResult,
    GridStep,
    NamedCovariance,
    OpticsTerm,
    Outcome,
    Reason,
    RegistrationError,
    Scores,
    Verdict,
)

FORMAT = "cassi-calibration"
VERSION = 1
SUFFIX = ".cassi.json"
SESSION_SUFFIX = ".cassi.h5"

CONVENTIONS = (
    "Pixel centres at integers, origin at the mask's centre ((H-1)/2, (W-1)/2), columns to the right, rows down. "
    "(col_in, row_in) = R(theta) . diag(1/(1+scale_x), 1/(1+scale_y)) . (col_out, row_out) - (dx, dy), "
    "R(theta) = [[cos, -sin], [sin, cos]], warped[row_out, col_out] = mask(row_in, col_in): dx > 0 moves the mask right, "
    "dy > 0 down. Band l lies at s_l = s_nom[l] + slope*l + curve*l*(l-(L-1)) px along the dispersion direction turned by "
    "alpha: for the direction right, (s_l*cos(alpha) right, s_l*sin(alpha) down). dx, dy in px; theta, alpha in degrees; "
    "slope in px/band; curve in px/band^2."
)


@dataclass(frozen=True, eq=False)
class StoredCalibration:
    """A calibration read from a file; `document` is the whole of it, `start` the parameters before the fit, `calibrated` when it was made
    (None: the file does not say).

    `mask` and `snapshots` come with the accepted run of a session, which keeps them; a calibration file only names them.
    """

    path: Path
    parameters: ParameterSet
    start: ParameterSet
    dispersion: Dispersion
    verdict: Verdict
    scores: Scores
    inputs: tuple[Source, ...]
    mask_source: Source
    preset: str
    document: dict[str, Any]
    mask: NDArray[np.float32] | None = None
    snapshots: CalibrationInputs | None = None
    calibrated: datetime | None = None

    @property
    def outcome(self) -> Outcome:
        """How the run ended; files of version 0.1 do not say and were done."""
        return outcome_of(self.document)


def outcome_of(document: Mapping[str, Any]) -> Outcome:
    """How the run of a calibration file's document ended; SessionError for an outcome that does not exist."""
    outcome = document.get("outcome", "done")
    if outcome not in get_args(Outcome):
        raise SessionError(f"the outcome is {outcome!r}; {', '.join(get_args(Outcome))} are known")
    found: Outcome = outcome
    return found


def steps_of(document: Mapping[str, Any]) -> tuple[GridStep, ...]:
    """The steps of the grid in which the run of a calibration file's document was stopped; none where it was not."""
    return tuple(GridStep(str(name), float(step)) for name, step in (document.get("grid_steps") or {}).items())


def calibration_document(result: CalibrationResult) -> dict[str, Any]:
    """The contents of a calibration file as plain JSON values: no NaN, no arrays."""
    dispersion = result.dispersion
    nm = dispersion.wavelengths_nm
    document = {
        "format": FORMAT,
        "version": VERSION,
        "parameters": _parameters(result),
        "conventions": CONVENTIONS,
        "verdict": {
            "status": result.verdict.status,
            "reasons": [reason.text for reason in result.verdict.reasons],
            "checks": [asdict(reason) for reason in result.verdict.reasons],
        },
        "scores": asdict(result.scores),
        "registration": registration_entry(result.registration),
        "optics": [{"name": term.name, "value_px": term.value_px, "sigma_px": term.sigma_px} for term in result.optics],
        "error_terms": [_error_term(result, term) for term in result.error_terms],
        "inputs": [_source(source) for source in result.inputs],
        "mask": {**_source(result.mask_source), "shape": list(result.mask.shape)},
        "dispersion": {
            "s_nom": dispersion.s_nom.tolist(),
            "n_bands": dispersion.n_bands,
            "step_px": dispersion.step_px,
            "direction": dispersion.direction,
            "mode": dispersion.mode,
            "wavelengths_nm": None if nm is None else nm.tolist(),
        },
        "calibrated": None if result.calibrated is None else result.calibrated.isoformat(timespec="seconds"),
        "preset": result.preset,
        "source": result.source,
        "outcome": result.outcome,
        "grid_steps": {step.name: step.step for step in result.grid_steps},
        "correlation": _correlation(result),
        "peak_z": result.peak_z,
        "stages": [asdict(stage) for stage in result.stages],
        "seconds_total": result.seconds_total,
        "device": result.device,
        "threads": result.threads,
        "seed": result.seed,
        "notes": list(result.notes),
        "software": software_versions(),
    }
    clean: dict[str, Any] = _plain(document)
    return clean


def calibration_bytes(result: CalibrationResult) -> bytes:
    """The calibration file as it is written, byte for byte."""
    text = json.dumps(calibration_document(result), indent=1, allow_nan=False, ensure_ascii=False) + "\n"
    return text.encode("utf-8")


def write_calibration(result: CalibrationResult, path: str | Path) -> Path:
    """Write the calibration file in one step and return its absolute path; OutputError where that cannot be done."""
    return atomic_write(path, calibration_bytes(result))


def read_calibration(path: str | Path) -> StoredCalibration:
    """Read a calibration file, or the accepted run of a session `*.cassi.h5`.

    Raises
    ------
    SessionError
        No such file, no JSON, another format, written by a newer program, or a value is missing or makes no sense; a session
        in which no run is accepted.
    """
    path = Path(path)
    if is_session(path):
        from cassi_core.io.session.calibration import accepted_calibration

        return accepted_calibration(path)
    document = _load(path)
    try:
        parameters, start = _read_parameters(document["parameters"])
        outcome_of(document)
        read_optics(document)
        stored = document["dispersion"]
        dispersion = Dispersion(
            np.array(stored["s_nom"], np.float64),
            stored.get("direction", "right"),
            stored.get("mode", "interpolated"),
            None if stored.get("wavelengths_nm") is None else np.array(stored["wavelengths_nm"], np.float64),
        )
        return StoredCalibration(
            path,
            parameters,
            start,
            dispersion,
            _read_verdict(document["verdict"]),
            Scores(**{name: document["scores"].get(name) for name in Scores.__dataclass_fields__}),
            tuple(_read_source(source) for source in document["inputs"]),
            _read_source(document["mask"]),
            str(document["preset"]),
            document,
            calibrated=_read_time(document.get("calibrated")),
        )
    except KeyError as error:
        raise SessionError(f"{path}: the calibration file lacks {error}; it was changed or cut short") from None
    except (CassiError, TypeError, ValueError, AttributeError) as error:
        raise SessionError(f"{path}: the calibration file cannot be used ({error})") from None


def is_session(path: str | Path) -> bool:
    """Whether a file is a session, by its name."""
    return str(path).lower().endswith(SESSION_SUFFIX)


def _load(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SessionError(f"{path}: there is no such file; check the name and the folder") from None
    except IsADirectoryError:
        raise SessionError(f"{path}: this is a folder; name a file in it") from None
    except OSError as error:
        raise SessionError(f"{path}: the file cannot be opened ({error.strerror or error})") from None
    except ValueError:
        raise SessionError(f"{path}: the file is not JSON; a {SUFFIX} file is needed") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise SessionError(f"{path}: the file is no CASSI calibration; a {SUFFIX} file written by this program is needed")
    version = document.get("version")
    if not isinstance(version, int) or version < 1:
        raise SessionError(f"{path}: the calibration file has version {version!r}; a whole number is needed")
    if version > VERSION:
        raise SessionError(
            f"{path}: the calibration file has version {version} and this program knows up to {VERSION}; update the program"
        )
    return document


def _parameters(result: CalibrationResult) -> dict[str, Any]:
    """The eight parameters, and the blur as a ninth when it was refined or is not zero."""
    entries = {}
    for p in result.parameters:
        if p.name in GEOMETRY_NAMES or p.refine or p.value != 0:
            entries[p.name] = {
                "value": p.value,
                "sigma": p.sigma,
                "unit": p.unit,
                "refined": p.refine,
                "lower": p.lower,
                "upper": p.upper,
                "at_bound": p.at_bound,
                "start": result.start[p.name].value,
            }
    return entries


def _read_parameters(entries: Mapping[str, Any]) -> tuple[ParameterSet, ParameterSet]:
    missing = [name for name in GEOMETRY_NAMES if name not in entries]
    if missing:
        raise InputError(f"the parameters {', '.join(missing)} are missing")

    def stored(first: bool) -> ParameterSet:
        return ParameterSet(
            tuple(_read_parameter(p, entries[p.name], first) if p.name in entries else p for p in ParameterSet.default())
        )

    return stored(False), stored(True)


def _read_parameter(default: Parameter, entry: Mapping[str, Any], first: bool) -> Parameter:
    sigma = entry.get("sigma")
    value = float(entry["start"] if first and "start" in entry else entry["value"])
    lower, upper = float(entry.get("lower", default.lower)), float(entry.get("upper", default.upper))
    return Parameter(
        default.name, value, lower, upper, bool(entry["refined"]), None if first or sigma is None else float(sigma)
    )


def _read_time(text: Any) -> datetime | None:
    """A time with its zone; one without is taken as local."""
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).astimezone()
    except OverflowError:
        raise ValueError(f"{text}: no such date") from None


def _read_verdict(entry: Mapping[str, Any]) -> Verdict:
    if entry["status"] not in ("pass", "warn", "fail"):
        raise InputError(f"the verdict is {entry['status']!r}; pass, warn or fail is needed")
    checks = entry.get("checks")
    if checks is None:
        checks = [{"check": "", "status": entry["status"], "text": text} for text in entry["reasons"]]
    return Verdict(entry["status"], tuple(Reason.from_record(check) for check in checks))


def _or_nan(value: Any) -> float:
    return math.nan if value is None else float(value)


def _source(source: Source) -> dict[str, Any]:
    entry = {"path": source.path, "sha256": source.sha256, "shape": list(source.shape), "key": source.key}
    return {**entry, "averaged_with": list(source.averaged_with)} if source.averaged_with else entry


def _read_source(entry: Mapping[str, Any]) -> Source:
    others = tuple(str(path) for path in entry.get("averaged_with", ()))
    return Source(str(entry["path"]), str(entry["key"]), str(entry["sha256"]), tuple(int(n) for n in entry["shape"]), others)


def _correlation(result: CalibrationResult) -> dict[str, Any] | None:
    if result.correlation is None:
        return None
    return {"names": list(result.correlation_names), "matrix": result.correlation.tolist()}


def registration_entry(error: RegistrationError | None) -> dict[str, Any] | None:
    """How far off the mask may be in the picture, each figure with its own standard deviation."""
    if error is None:
        return None
    return {
        "across_px": {"value": error.across_px, "sigma": error.across_sigma_px},
        "pattern_px": {"value": error.pattern_px, "sigma": error.pattern_sigma_px},
        "wavelength_bands": {"value": error.wavelength_bands, "sigma": error.wavelength_sigma_bands},
        "nm_per_band": error.nm_per_band,
    }


def read_registration(entry: Mapping[str, Any] | None) -> RegistrationError | None:
    """The registration error of a calibration file's document; None where the file has none (version 0.1)."""
    if not entry:
        return None

    def number(name: str, part: str) -> float:
        return _or_nan(entry[name][part])

    return RegistrationError(
        number("across_px", "value"),
        number("across_px", "sigma"),
        number("pattern_px", "value"),
        number("pattern_px", "sigma"),
        number("wavelength_bands", "value"),
        number("wavelength_bands", "sigma"),
        entry.get("nm_per_band"),
    )


def read_optics(document: Mapping[str, Any]) -> tuple[OpticsTerm, ...]:
    """Terms of the optics of a calibration file's document (dispersion frame); none where the file has none.

    Raises
    ------
    SessionError
        A term that does not exist, or a value that is no number.
    """
    terms = []
    for entry in document.get("optics") or ():
        if entry.get("name") not in OPTICS:
            raise SessionError(f"optics: {entry.get('name')!r} is no term; {', '.join(OPTICS)} are known")
        value, sigma = entry.get("value_px"), _or_nan(entry.get("sigma_px"))
        if not isinstance(value, (int, float)) or not np.isfinite(value):
            raise SessionError(f"optics: {entry['name']} is {value!r} and not a number of pixels")
        terms.append(OpticsTerm(entry["name"], float(value), sigma))
    return tuple(terms)


def _error_term(result: CalibrationResult, term: NamedCovariance) -> dict[str, Any]:
    return {
        "name": term.name,
        "formula": term.formula,
        "origin": term.origin,
        "parameters": list(result.correlation_names),
        "covariance": term.covariance.tolist(),
    }


def _plain(value: Any) -> Any:
    """A copy of nested values in the types of JSON; what is not finite becomes null."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
