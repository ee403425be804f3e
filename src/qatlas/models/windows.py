"""A text of tokens cut into windows: what a model is given, and which of it is scored."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from qatlas.errors import AtlasError

Tokens = NDArray[np.integer]


@dataclass(frozen=True)
class Text:
    """A text as a model sees it.

    Attributes
    ----------
    tokens
        Token ids, any integer type, shape (n,).
    token_bytes
        Bytes of text that each token of the vocabulary stands for, int64, shape (vocabulary,).
    """

    tokens: Tokens
    token_bytes: NDArray[np.int64]


def sha256_of(tokens: Tokens) -> str:
    """SHA-256 of token ids as little-endian numbers of 16 bits, or 32 if one needs more.

    It is the same whatever type they are stored as.
    """
    wide = tokens.size > 0 and int(tokens.max()) >= 1 << 16
    return sha256(tokens.astype("<u4" if wide else "<u2").tobytes()).hexdigest()


@dataclass(frozen=True)
class Windows:
    """How a text is cut.

    Window k begins at token k * stride and has ``context`` tokens, the last one what is left.
    Scored is what no window before it holds, but never a window's first token, which nothing
    predicts. With a stride of the context windows do not overlap; a shorter one gives what is
    scored at least context - stride tokens before it, at the cost of as many more windows.

    Attributes
    ----------
    context
        Tokens of a window, at least 2.
    stride
        Tokens from one window to the next, 1 to the context.
    """

    context: int
    stride: int

    def __post_init__(self) -> None:
        if self.context < 2:
            raise AtlasError(
                f"context = {self.context}: predicting a token takes one before it; allowed are 2 "
                "and more"
            )
        if not 1 <= self.stride <= self.context:
            raise AtlasError(
                f"stride = {self.stride}: allowed are 1 to the context, {self.context}, or tokens "
                "between windows would not be scored"
            )


@dataclass(frozen=True)
class Batch:
    """Windows of one length.

    Attributes
    ----------
    tokens
        Int64, shape (windows, length).
    first_scored
        Place of the first scored token in all of these windows, at least 1.
    """

    tokens: NDArray[np.int64]
    first_scored: int

    @property
    def scored(self) -> NDArray[np.int64]:
        """The scored tokens, shape (windows, scored)."""
        return self.tokens[:, self.first_scored :]

    def bytes_scored(self, text: Text) -> int:
        """Bytes of text that the scored tokens stand for."""
        return int(text.token_bytes[self.scored].sum())


def batches(tokens: Tokens, windows: Windows, size: int) -> Iterator[Batch]:
    """Cut a text; batches have ``size`` windows, or less where length or scoring differ.

    Raises
    ------
    AtlasError
        If the text is shorter than one window.
    """
    require_a_window(tokens, windows.context)
    begins = [0]
    while begins[-1] + windows.context < tokens.size:
        begins.append(begins[-1] + windows.stride)
    overlap = max(1, windows.context - windows.stride)
    alike: dict[tuple[int, int], list[int]] = {}
    for begin in begins:
        length = min(windows.context, tokens.size - begin)
        first_scored = overlap if begin else 1
        # A single token that is left over is predicted by nothing.
        if length > first_scored:
            alike.setdefault((length, first_scored), []).append(begin)
    for (length, first_scored), places in alike.items():
        for part in range(0, len(places), size):
            cut = [tokens[begin : begin + length] for begin in places[part : part + size]]
            yield Batch(np.stack(cut).astype(np.int64), first_scored)


def require_a_window(tokens: Tokens, context: int) -> None:
    """Refuse a text that does not fill one window.

    Raises
    ------
    AtlasError
        If it does not.
    """
    if tokens.size < context:
        raise AtlasError(
            f"the text has {tokens.size} tokens, fewer than one context of {context}; "
            "lower the context or take a longer text"
        )
