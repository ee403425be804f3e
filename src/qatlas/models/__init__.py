"""Models: architectures, their training, what they predict, and how they are stored packed."""

from qatlas.models.packed import load_quantized

__all__ = ["load_quantized"]
