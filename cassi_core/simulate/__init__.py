"""Our own simulator: scenes, masks, camera, rig.

>>> from cassi_core.simulate import make_scene, make_mask, simulate_rig, Misalignment
"""

from cassi_core.simulate.camera import Camera
from cassi_core.simulate.masks import MASK_KINDS, make_mask
from cassi_core.simulate.rig import Misalignment, SimulatedRig, needed_margin, simulate_rig
from cassi_core.simulate.scenes import SCENE_KINDS, make_scene
from cassi_core.simulate.spectra import default_wavelengths

__all__ = [
    "MASK_KINDS",
    "SCENE_KINDS",
    "Camera",
    "Misalignment",
    "SimulatedRig",
    "default_wavelengths",
    "make_mask",
    "make_scene",
    "needed_margin",
    "simulate_rig",
]
