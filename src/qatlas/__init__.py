"""Quantization Atlas: the true bits of every quantizer, and its distance to the limit.

``qatlas.measure(weight, "lloyd_max", bits=4)`` measures one codec on one matrix;
``qatlas.codecs.names()`` lists the codecs. Both are imported on first use, so that a job
that only draws a figure does not pay for PyTorch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qatlas import codecs as codecs
    from qatlas.codecs.record import measure as measure

__all__ = ["codecs", "measure"]


def __getattr__(name: str) -> Any:
    if name == "measure":
        return import_module("qatlas.codecs.record").measure
    if name == "codecs":
        return import_module("qatlas.codecs")
    raise AttributeError(f"module 'qatlas' has no attribute {name!r}")
