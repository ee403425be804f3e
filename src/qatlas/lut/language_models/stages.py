"""What is not exact when a language model multiplies by table, and the names for what is."""

FLOAT, NOISE, ENCODE, PRODUCT, ACCUMULATE = "float", "noise", "encode", "product", "accumulate"
"""Stages: the model itself, the same computed in bfloat16, operands on levels, products of the
table, sums of the accumulator."""
NEAREST, STOCHASTIC = "nearest", "stochastic"
"""How operands go to levels."""
EXACT = "exact"
"""Name of the encoding of true products, and of the accumulator whose sums are exact."""
