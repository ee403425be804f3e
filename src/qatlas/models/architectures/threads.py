"""Compiled kernels on several sequences at once, in as many threads as PyTorch has."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import torch


def on_each(work: Callable[[int], None], items: Iterable[int]) -> None:
    """Call ``work`` with every item; it must release the interpreter's lock to gain anything."""
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        for _ in pool.map(work, items):
            pass
