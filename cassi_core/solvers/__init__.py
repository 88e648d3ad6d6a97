"""GAP solvers behind one small protocol: fused CPU kernel (numba) and torch on any device."""
