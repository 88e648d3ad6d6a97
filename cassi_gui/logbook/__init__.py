"""The window's side of the logbook: what it holds, and undoable changes of it."""
