"""Chains of products and dot products by look-up, over an ensemble of random operands."""
