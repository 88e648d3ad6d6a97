"""What the window works on: one immutable state, undoable edits of it, its file, autosave and recovery."""
