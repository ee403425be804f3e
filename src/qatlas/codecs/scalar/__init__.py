"""Scalar quantization: uniform grids, their ranges, and codebooks of least error."""
