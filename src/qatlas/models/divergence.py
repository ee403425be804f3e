"""What a change of its weights does to a model's output, token by token."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qatlas.deferred import torch
from qatlas.errors import AtlasError
from qatlas.models.likelihood import (
    Likelihood,
    likelihood,
    logits_of,
    require_vocabulary,
)
from qatlas.models.windows import Batch, Text, Windows, batches

if TYPE_CHECKING:
    from torch import Tensor

Floats = NDArray[np.float64]

_PIECE_BYTES = 1 << 26
"""Logits are compared in pieces of at most this, or of one token: a large vocabulary leaves no room
for several numbers of each."""


@dataclass(frozen=True)
class Divergence:
    """A model's output beside the reference's, on the same scored tokens.

    Attributes
    ----------
    likelihood
        How well the model itself predicts them.
    logits_mse
        Mean over tokens and vocabulary of the squared difference of logits.
    logits_mse_by_position
        The same for each position of a window, float64, shape (context - 1,): logits after 1, 2,
        ... tokens of context.
    mean_kl, median_kl, p99_kl
        Of KL(p_reference || p_model) over tokens, in nats.
    top1_agreement
        Share of the tokens for which both models have the same most likely token.
    """

    likelihood: Likelihood
    logits_mse: float
    logits_mse_by_position: Floats
    mean_kl: float
    median_kl: float
    p99_kl: float
    top1_agreement: float


def compare(
    reference: Any,
    models: Mapping[str, Any],
    text: Text,
    windows: Windows,
    batch: int,
    device: str,
) -> dict[str, Divergence]:
    """Compare models with one reference, which is run once for all of them.

    Logits are kept for one batch at a time, so that memory does not grow with the text but for
    four bytes a token and model, its KL, which the quantiles need.

    Parameters
    ----------
    reference, models
        As ``likelihood.evaluate`` takes them. All lie on the device at the same time.
    batch
        Windows at a time.

    Returns
    -------
    dict
        By the names of ``models``.

    Raises
    ------
    AtlasError
        If the text is shorter than one window, or has tokens that a model has not, or the
        vocabularies differ.
    """
    for model in (reference, *models.values()):
        require_vocabulary(model, text.tokens)
        model.to(device).eval()
    sums = {name: _Sums(windows.context) for name in models}
    for part in batches(text.tokens, windows, batch):
        expected = _Expected.of(_scored_logits(reference, part, device))
        for name, model in models.items():
            found = _scored_logits(model, part, device)
            if found.shape != expected.logits.shape:
                raise AtlasError(
                    f"model {name} has {found.shape[-1]} tokens in its vocabulary and the "
                    f"reference {expected.logits.shape[-1]}; compare a model with the one it was "
                    "made from"
                )
            sums[name].add(part, expected, found)
            sums[name].text_bytes += part.bytes_scored(text)
    return {name: sums[name].divergence() for name in models}


def in_bfloat16(model: Any) -> Any:
    """A copy of a model with all weights and activations in bfloat16.

    Compared with the model it shows the noise floor: what only the usual precision of inference
    changes.
    """
    from copy import deepcopy

    return deepcopy(model).to(torch.bfloat16)


def weight_mse(reference: Any, model: Any, names: list[str]) -> float:
    """Mean squared difference of the weights of some parameters, all weights counting alike.

    Parameters
    ----------
    names
        Names that both models have, as in their ``named_parameters``; at least one.

    Raises
    ------
    AtlasError
        If a model has no such parameter, or of another shape.
    """
    before, after = dict(reference.named_parameters()), dict(model.named_parameters())
    total, count = 0.0, 0
    for name in names:
        if name not in before or name not in after or before[name].shape != after[name].shape:
            raise AtlasError(
                f"parameter {name!r}: not one of both models with the same shape; compare a model "
                "with the one it was made from"
            )
        difference = before[name].detach().double() - after[name].detach().double()
        total += float(difference.square().sum())
        count += difference.numel()
    return total / count


def token_kl(log_p: "Tensor", log_q: "Tensor") -> "Tensor":
    """KL(p || q) of each token, nats, never below 0.

    With d = log q - log p it is the sum of q - p - p d, since p and q both sum to 1. Other than
    in the sum of -p d, no term is negative, and with q - p as p (e^d - 1) a small divergence is
    not lost in rounding.

    Parameters
    ----------
    log_p, log_q
        Logarithms of probabilities, shape (..., vocabulary).

    Returns
    -------
    Tensor
        Shape (...).
    """
    difference, p = log_q - log_p, log_p.exp()
    # e^d overflows where p vanishes and q does not.
    near = p * (torch.expm1(difference.clamp(max=1)) - difference)
    far = log_q.exp() - p - p * difference
    divergence: Tensor = torch.where(difference < 1, near, far).sum(-1)
    return divergence.clamp(min=0)


def _scored_logits(model: Any, part: Batch, device: str) -> "Tensor":
    """Logits that predict a batch's scored tokens, shape (windows, scored, vocabulary)."""
    with torch.inference_mode():
        return logits_of(model, part, device)[:, part.first_scored - 1 : -1]


@dataclass(frozen=True)
class _Expected:
    """What the reference predicts; shapes (windows, scored, vocabulary), and without the last."""

    logits: "Tensor"
    log_probabilities: "Tensor"
    likeliest: "Tensor"

    @classmethod
    def of(cls, logits: "Tensor") -> "_Expected":
        with torch.inference_mode():
            return cls(logits, torch.log_softmax(logits, -1), logits.argmax(-1))


def _by_token(expected: _Expected, found: "Tensor", targets: "Tensor") -> list["Tensor"]:
    """NLL, KL, mean square of the difference of logits, and agreement of every token.

    Parameters
    ----------
    found
        The model's logits, shape (windows, scored, vocabulary).
    targets
        The tokens themselves, shape (windows, scored).

    Returns
    -------
    list of Tensor
        Each of the shape of ``targets``.
    """
    tokens = max(1, _PIECE_BYTES // (found.shape[-1] * found.element_size()))
    whole = (expected.logits, expected.log_probabilities, expected.likeliest, found, targets)
    pieces = []
    for logits, log_p, likeliest, other, target in zip(
        *(tensor.flatten(0, 1).split(tokens) for tensor in whole), strict=True
    ):
        log_q = torch.log_softmax(other, -1)
        pieces.append(
            (
                -log_q.gather(-1, target[:, None])[:, 0],
                token_kl(log_p, log_q),
                (other - logits).square().mean(-1),
                other.argmax(-1) == likeliest,
            )
        )
    return [torch.cat(parts).reshape(targets.shape) for parts in zip(*pieces, strict=True)]


@dataclass
class _Sums:
    """What has been added up for one model."""

    context: int
    nll: list[Floats] = field(default_factory=list)
    tokens: list[NDArray[np.int64]] = field(default_factory=list)
    kl: list[NDArray[np.float32]] = field(default_factory=list)
    text_bytes: int = 0
    agreeing: int = 0
    squares: Floats = field(init=False)
    squares_counted: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        self.squares = np.zeros(self.context - 1)
        self.squares_counted = np.zeros(self.context - 1, np.int64)

    def add(self, part: Batch, expected: _Expected, found: "Tensor") -> None:
        """Add a batch, whose logits the model gave."""
        windows, scored = part.scored.shape
        with torch.inference_mode():
            targets = torch.from_numpy(part.scored).to(found.device)
            nll, kl, squares, agreeing = _by_token(expected, found, targets)
        self.nll.append(nll.double().sum(1).cpu().numpy())
        self.tokens.append(np.full(windows, scored))
        self.kl.append(kl.flatten().cpu().numpy())
        self.agreeing += int(agreeing.sum())
        places = slice(part.first_scored - 1, part.first_scored - 1 + scored)
        self.squares[places] += squares.double().sum(0).cpu().numpy()
        self.squares_counted[places] += windows

    def divergence(self) -> Divergence:
        """Means over what was added."""
        kl = np.concatenate(self.kl).astype(np.float64)
        median, p99 = np.quantile(kl, [0.5, 0.99])
        return Divergence(
            likelihood=likelihood(
                np.concatenate(self.nll), np.concatenate(self.tokens), self.text_bytes
            ),
            logits_mse=float(self.squares.sum() / self.squares_counted.sum()),
            logits_mse_by_position=self.squares / self.squares_counted,
            mean_kl=float(kl.mean()),
            median_kl=float(median),
            p99_kl=float(p99),
            top1_agreement=self.agreeing / kl.size,
        )
