"""Runs outside the window's thread: controller, what is seen of a run everywhere, its maps, the user's presets."""
