"""Files that the program ships: the demo rig, presets, pictures. Read them with :mod:`cassi_core.assets`."""
