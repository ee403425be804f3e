"""Sets of inputs in the plane, and how large their errors are."""
