"""PyTorch, imported when it is first used.

Describing and validating codecs needs none of PyTorch, and the workflow does that each time
it starts; importing PyTorch there would more than double the time to say "nothing to be done".
"""

import sys
from importlib.util import LazyLoader, find_spec, module_from_spec
from types import ModuleType
from typing import TYPE_CHECKING


def deferred(name: str) -> ModuleType:
    """Return a module that is executed at the first access to one of its attributes.

    Raises
    ------
    ModuleNotFoundError
        If no module of that name is installed.
    """
    if name in sys.modules:
        return sys.modules[name]
    spec = find_spec(name)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    spec.loader = LazyLoader(spec.loader)
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


if TYPE_CHECKING:
    import torch as torch
else:
    torch = deferred("torch")

__all__ = ["torch"]
