"""Hooks of PyTorch that are there for a while."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any


@contextmanager
def hooked(handles: Sequence[Any]) -> Iterator[None]:
    """Within the block hooks are there; behind it they are removed, also after an error.

    Parameters
    ----------
    handles
        What registering each of them gave.
    """
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
