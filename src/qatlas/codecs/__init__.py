"""Every quantizer, and the one ruler that measures them."""

from qatlas.codecs.base import Codec, CodecError, Context, Encoded, require_finite_matrix
from qatlas.codecs.registry import create, names, register
from qatlas.requirements import Requirements

__all__ = [
    "Codec",
    "CodecError",
    "Context",
    "Encoded",
    "Requirements",
    "create",
    "names",
    "register",
    "require_finite_matrix",
]
