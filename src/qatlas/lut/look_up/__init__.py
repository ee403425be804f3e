"""Products of real numbers by look-up: one at a time, for arrays, and compiled, exactly alike."""
