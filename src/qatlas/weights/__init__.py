"""Where weights come from, what each tensor is, and how its values are distributed."""
