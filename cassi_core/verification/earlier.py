"""What is known of the earlier calibration: values, their covariance, and the dispersion that they refine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cassi_core.calibration.frames import names_from_frame, parameters_to_dispersion_frame
from cassi_core.dispersion import Dispersion
from cassi_core.errors import InputError, SessionError
from cassi_core.io.calibration_file import StoredCalibration, read_optics
from cassi_core.parameters import GEOMETRY_NAMES, PARAMETER_NAMES, ParameterSet
from cassi_core.result import CalibrationResult

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class EarlierCalibration:
    """An earlier calibration in the rig's frame; `covariance` `(k, k)` of the refined `names`, zero where no error is known.

    `knows_errors` is False for a search that ended without error bars, `calibrated` is when it was made (None: not known). `optics` are the terms
    of :mod:`cassi_core.optics` that it found, px at the edge: a verification keeps to them.
    """

    parameters: ParameterSet
    dispersion: Dispersion
    names: tuple[str, ...]
    covariance: Vector
    calibrated: datetime | None = None
    knows_errors: bool = True
    optics: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not any(name in GEOMETRY_NAMES for name in self.parameters.refined):
            raise InputError("the earlier calibration refined no parameter of the geometry; there is nothing to verify")

    @classmethod
    def of_result(cls, result: CalibrationResult) -> EarlierCalibration:
        """A run that has just ended."""
        terms = [(result.correlation_names, term.covariance) for term in result.error_terms]
        made = cls._made(
            result.parameters, result.dispersion, terms, result.correlation_names, result.correlation, result.calibrated
        )
        return replace(made, optics={term.name: term.value_px for term in result.optics})

    @classmethod
    def of_stored(cls, stored: StoredCalibration) -> EarlierCalibration:
        """A calibration file, or the accepted run of a session; SessionError where its errors cannot be read."""
        try:
            return cls._of_document(stored, stored.document)
        except (KeyError, TypeError, ValueError) as error:
            raise SessionError(
                f"{stored.path}: the errors of the calibration cannot be used ({error}); it was changed"
            ) from None

    @classmethod
    def _of_document(cls, stored: StoredCalibration, document: Mapping[str, Any]) -> EarlierCalibration:
        terms = [(tuple(t["parameters"]), np.array(t["covariance"], np.float64)) for t in document.get("error_terms") or ()]
        correlation = document.get("correlation") or {"names": (), "matrix": None}
        matrix = None if correlation["matrix"] is None else np.array(correlation["matrix"], np.float64)
        made = cls._made(stored.parameters, stored.dispersion, terms, tuple(correlation["names"]), matrix, stored.calibrated)
        return replace(made, optics={term.name: term.value_px for term in read_optics(document)})

    @classmethod
    def _made(
        cls,
        parameters: ParameterSet,
        dispersion: Dispersion,
        terms: Sequence[tuple[tuple[str, ...], Vector]],
        correlation_names: tuple[str, ...],
        correlation: Vector | None,
        calibrated: datetime | None,
    ) -> EarlierCalibration:
        """From the terms of the error budget, else from sigmas and correlation, else from sigmas alone."""
        names = parameters.refined
        sigmas = np.array([parameters[n].sigma or 0.0 for n in names])
        covariance = np.diag(sigmas**2)
        if terms:
            covariance = sum((_placed(matrix, of, names) for of, matrix in terms), np.zeros_like(covariance))
        elif correlation is not None:
            known = _placed(correlation, correlation_names, names)
            np.fill_diagonal(known, 1.0)
            covariance = known * np.outer(sigmas, sigmas)
        knows = all(parameters[n].sigma is not None for n in names if n in GEOMETRY_NAMES)
        return cls(parameters, dispersion, names, covariance, calibrated, knows)

    @property
    def in_dispersion_frame(self) -> tuple[ParameterSet, Vector]:
        """Parameters in the dispersion frame and their covariance `(9, 9)` in the order of PARAMETER_NAMES; zero for what was held."""
        direction = self.dispersion.direction
        mapped = names_from_frame(PARAMETER_NAMES, direction)
        signs = np.array([sign for _, sign in mapped])
        whole = _placed(self.covariance, self.names, tuple(name for name, _ in mapped))
        return parameters_to_dispersion_frame(self.parameters, direction), whole * np.outer(signs, signs)


def _placed(matrix: Vector, of: Sequence[str], names: Sequence[str]) -> Vector:
    """A matrix over the names `of` in the order of `names`; zero for a name that it does not know."""
    found = np.zeros((len(names), len(names)))
    at = [(i, list(of).index(name)) for i, name in enumerate(names) if name in of]
    for i, a in at:
        for j, b in at:
            found[i, j] = matrix[a, b]
    return found
