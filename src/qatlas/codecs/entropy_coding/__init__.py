"""Entropy coding: histograms, the bits that store them, and the coder that spends them."""
