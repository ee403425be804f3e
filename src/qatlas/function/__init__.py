"""What quantizing a model's weights does to its output."""
