"""One file a step of the work: load, check, run, believe, export."""
