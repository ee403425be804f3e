"""Linear layers whose weights are rounded: the errors that each adds, brought to one space."""
