"""PyTorch, imported when it is first used.

Describing and validating codecs needs none of PyTorch, and the workflow does that each time
it starts; importing PyTorch there would more than double the time to say "nothing to be done".
"""

import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any


class _Deferred(ModuleType):
    """Stands for a module, which is imported when an attribute is asked for.

    It is kept out of ``sys.modules``: matplotlib and others look there for PyTorch, and would have
    it imported for a figure that needs none of it.
    """

    def __getattr__(self, attribute: str) -> Any:
        return getattr(import_module(self.__name__), attribute)


def deferred(name: str) -> ModuleType:
    """Return a module, or what imports it at the first access to one of its attributes.

    Raises
    ------
    ModuleNotFoundError
        If no module of that name is installed.
    """
    if name in sys.modules:
        return sys.modules[name]
    if find_spec(name) is None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    return _Deferred(name)


if TYPE_CHECKING:
    import torch as torch
else:
    torch = deferred("torch")

__all__ = ["torch"]
