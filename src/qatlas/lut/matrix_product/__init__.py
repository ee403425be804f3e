"""Matrix products whose multiplications are look-ups."""
