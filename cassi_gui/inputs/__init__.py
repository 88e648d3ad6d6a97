"""From the files that a person chose to loaded inputs, in the background."""
