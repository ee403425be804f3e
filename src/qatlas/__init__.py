"""Quantization Atlas: the true bits of every quantizer, and its distance to the limit.

``qatlas.measure(weight, "lloyd_max", bits=4)`` measures one codec on one matrix;
``qatlas.codecs.names()`` lists the codecs. Both are imported on first use, so that a job
that only draws a figure does not pay for PyTorch.
"""

import os
import signal
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qatlas import codecs as codecs
    from qatlas.codecs.record import measure as measure

__all__ = ["codecs", "measure"]

# A job imports for seconds before it begins. An interrupt ends it at once, without a traceback of
# whatever it was importing.
if "QATLAS_RUN" in os.environ and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def __getattr__(name: str) -> Any:
    if name == "measure":
        return import_module("qatlas.codecs.record").measure
    if name == "codecs":
        return import_module("qatlas.codecs")
    raise AttributeError(f"module 'qatlas' has no attribute {name!r}")
