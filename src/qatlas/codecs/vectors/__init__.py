"""Trained vector quantizers: vectors that share a codebook, its training, its indices."""
