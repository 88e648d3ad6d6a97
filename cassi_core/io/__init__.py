"""Reading of inputs and writing of results."""
