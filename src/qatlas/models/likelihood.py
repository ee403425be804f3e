"""How well a causal language model predicts a text: NLL, perplexity, bits per byte."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qatlas.deferred import torch
from qatlas.errors import AtlasError
from qatlas.models.windows import Batch, Text, Tokens, Windows, batches

if TYPE_CHECKING:
    from torch import Tensor

Floats = NDArray[np.float64]

_NOT_SCORED = -100


@dataclass(frozen=True)
class Likelihood:
    """How well a text was predicted.

    Attributes
    ----------
    nll
        Mean negative log-likelihood of the scored tokens, nats per token.
    nll_standard_error
        Of that mean over texts like this one, from the spread of the windows, whose tokens are
        not independent; missing if there is a single window.
    bits_per_byte
        All scored tokens' bits over their bytes of text.
    scored_tokens
        Tokens that the mean is over.
    windows
        Windows that they are of.
    """

    nll: float
    nll_standard_error: float | None
    bits_per_byte: float
    scored_tokens: int
    windows: int

    @property
    def perplexity(self) -> float:
        """exp(NLL)."""
        return math.exp(self.nll)

    @property
    def perplexity_standard_error(self) -> float | None:
        """To first order: the perplexity times the standard error of the NLL."""
        error = self.nll_standard_error
        return None if error is None else self.perplexity * error


def evaluate(model: Any, text: Text, windows: Windows, batch: int, device: str) -> Likelihood:
    """Predict a text with a causal language model of transformers' kind.

    With windows that do not overlap the NLL is the mean of the losses that
    ``model(ids, labels=ids)`` gives for each, weighted by their tokens.

    Parameters
    ----------
    model
        Called with ``input_ids``, gives logits, shape (batch, time, vocabulary). It is moved to the
        device and put in evaluation mode.
    batch
        Windows at a time; the result depends on it only by rounding.

    Raises
    ------
    AtlasError
        If the text is shorter than one window, or has tokens that the model has not.
    """
    require_vocabulary(model, text.tokens)
    model.to(device).eval()
    sums, counts, text_bytes = [], [], 0
    for part in batches(text.tokens, windows, batch):
        nll = _token_nll(logits_of(model, part, device), part)
        sums.append(nll.double().sum(1).cpu().numpy())
        counts.append(np.full(nll.shape[0], nll.shape[1]))
        text_bytes += part.bytes_scored(text)
    return likelihood(np.concatenate(sums), np.concatenate(counts), text_bytes)


def likelihood(sums: Floats, counts: NDArray[np.int64], text_bytes: int) -> Likelihood:
    """Means over the scored tokens of windows.

    Parameters
    ----------
    sums
        NLL of each window's scored tokens, nats, shape (windows,).
    counts
        How many these are, shape (windows,).
    text_bytes
        Bytes of text of all of them.

    Notes
    -----
    The standard error is that of a ratio of means over windows (Cochran 1977, "Sampling
    techniques", equation 6.13, without the finite-population factor).
    """
    tokens, number = int(counts.sum()), sums.size
    mean = float(sums.sum()) / tokens
    error = None
    if number > 1:
        spread = float(np.square(sums - mean * counts).sum())
        error = math.sqrt(number / (number - 1) * spread) / tokens
    return Likelihood(mean, error, float(sums.sum()) / math.log(2) / text_bytes, tokens, number)


def logits_of(model: Any, batch: Batch, device: str) -> "Tensor":
    """Float32 logits after every token, shape (windows, length, vocabulary)."""
    with torch.inference_mode():
        tokens = torch.from_numpy(batch.tokens).to(device)
        logits: Tensor = model(input_ids=tokens, use_cache=False).logits.float()
    return logits


def _token_nll(logits: "Tensor", batch: Batch) -> "Tensor":
    """NLL of each scored token, nats, float32, shape (windows, scored)."""
    with torch.inference_mode():
        # All logits as they lie, since to cut out those of scored tokens is to copy them.
        targets = torch.full(logits.shape[:2], _NOT_SCORED)
        targets[:, batch.first_scored - 1 : -1] = torch.from_numpy(batch.scored)
        losses: Tensor = torch.nn.functional.cross_entropy(
            logits.flatten(0, 1),
            targets.flatten().to(logits.device),
            reduction="none",
            ignore_index=_NOT_SCORED,
        )
        return losses.view(targets.shape)[:, batch.first_scored - 1 : -1]


def require_vocabulary(model: Any, tokens: Tokens) -> None:
    """Refuse tokens that a model has no embedding for.

    Raises
    ------
    AtlasError
        If there are any.
    """
    vocabulary = int(model.config.get_text_config().vocab_size)
    if tokens.size and int(tokens.max()) >= vocabulary:
        raise AtlasError(
            f"the text has token {int(tokens.max())}, but the model knows 0 to {vocabulary - 1}: "
            "its tokenizer is another one; name the text's tokenizer, or the model's own"
        )
