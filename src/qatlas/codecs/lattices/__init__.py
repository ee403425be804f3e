"""Lattices: nearest points, codebooks cut from them, and the coding of points."""
