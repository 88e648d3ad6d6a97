"""Our own simulator: scenes, masks, camera, rig."""
