"""Models: architectures, their training, and what they predict."""
