"""The differentiable modules of the forward model (torch)."""
