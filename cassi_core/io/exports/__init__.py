"""Files for reconstruction software: profiles of the calibrated mask and the table of everything that can be written."""

from cassi_core.io.exports.from_file import load_calibrated_mask
from cassi_core.io.exports.profiles import PROFILES, ExportProfile, ExportReport, export_mask
from cassi_core.io.exports.rig_masks import CalibratedMask
from cassi_core.io.exports.table import EXPORTS, Export, ExportChoices

__all__ = [
    "EXPORTS",
    "PROFILES",
    "CalibratedMask",
    "Export",
    "ExportChoices",
    "ExportProfile",
    "ExportReport",
    "export_mask",
    "load_calibrated_mask",
]
