"""Checkpoints that other tools quantized: a format a module, their opening, and their base."""
