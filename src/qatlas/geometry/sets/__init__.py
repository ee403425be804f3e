"""Zonotopes: boxes, their sums and their linear images, without lists of vertices."""
