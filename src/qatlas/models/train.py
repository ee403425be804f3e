"""Training of a causal language model, which goes on where it was killed."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (its name everywhere)
from numpy.typing import NDArray
from torch import Tensor

from qatlas.errors import AtlasError
from qatlas.job import progress
from qatlas.models.checkpoint import Rows, key_of, take_up, write_checkpoint
from qatlas.models.likelihood import evaluate, require_vocabulary
from qatlas.models.windows import Text, Tokens, Windows, require_a_window, sha256_of
from qatlas.seeds import generator

_BETAS = (0.9, 0.95)


@dataclass(frozen=True)
class Training:
    """How a model is trained.

    Attributes
    ----------
    steps
        Steps of the optimizer.
    batch
        Windows of text in a step.
    context
        Tokens of a window.
    learning_rate
        Its peak, reached after the warm-up.
    final_share
        What the cosine ends at, as a share of the peak.
    warmup_steps
        Steps in which it grows linearly from nothing.
    weight_decay
        AdamW's, for everything that is a matrix.
    clip
        Largest norm of the gradient.
    precision
        Of matrix products, "float32" or "bfloat16"; weights and sums are float32.
    validate_every
        Steps between two validations, at which the training can also be taken up again.
    seed
        Of the order of the text.
    """

    steps: int
    batch: int
    context: int
    learning_rate: float
    final_share: float
    warmup_steps: int
    weight_decay: float
    clip: float
    precision: str
    validate_every: int
    seed: int


def train(
    model: Any,
    tokens: Tokens,
    validation: Text,
    training: Training,
    checkpoint: Path,
    device: str,
) -> Rows:
    """Train a model in place with AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101).

    A checkpoint is written with each validation. If there is one of the same training, this goes
    on from there, and what comes out is what an unbroken training gives: the windows of a step
    depend on the seed and the step alone. One of another training is replaced.

    Parameters
    ----------
    model
        Causal language model of transformers' kind, with its initial weights.
    tokens
        Text to train on, any integer type, shape (n,).
    validation
        Text to validate on, in windows that do not overlap.
    checkpoint
        File to take up the training from, which is left behind for the caller to remove.

    Returns
    -------
    list
        Rows of the table ``losses``, but for the model's name.

    Raises
    ------
    AtlasError
        If a text is shorter than one context or has tokens that the model has not, or the loss
        is no longer finite.
    """
    require_a_window(tokens, training.context)
    for text in (tokens, validation.tokens):
        require_vocabulary(model, text)
    texts = {"training": sha256_of(tokens), "validation": sha256_of(validation.tokens)}
    key = key_of(model, texts, training)
    model.to(device)
    optimizer = _optimizer(model, training)
    rows = take_up(checkpoint, key, model, optimizer, device)
    if not rows:
        rows = [_row(model, validation, training, 0, device)]
    first = int(rows[-1]["step"])
    for end in progress(_validated_at(first, training), "training to step"):
        seen = [
            _step(model, optimizer, windows_of_step(tokens, training, step), training, step)
            for step in range(first, end)
        ]
        loss, norm = torch.stack(seen).double().mean(0).tolist()
        if not math.isfinite(loss):
            raise AtlasError(
                f"the loss is {loss} by step {end}; lower learning_rate "
                f"({training.learning_rate}) or lengthen warmup_steps ({training.warmup_steps})"
            )
        row = _row(model, validation, training, end, device)
        rows.append(row | {"training_nll": loss, "gradient_norm": norm})
        write_checkpoint(checkpoint, key, model, optimizer, rows)
        first = end
    return rows


def learning_rate(training: Training, step: int) -> float:
    """Learning rate of a step, counted from 0: linear warm-up, then half a cosine.

    Source: Loshchilov & Hutter 2017, "SGDR" (arXiv 1608.03983), equation 5, without restarts.
    """
    if step < training.warmup_steps:
        return training.learning_rate * (step + 1) / training.warmup_steps
    done = (step - training.warmup_steps) / max(1, training.steps - training.warmup_steps)
    share = training.final_share + (1 - training.final_share) * (1 + math.cos(math.pi * done)) / 2
    return training.learning_rate * share


def windows_of_step(tokens: Tokens, training: Training, step: int) -> NDArray[np.int64]:
    """Tokens of a step, from anywhere in the text; int64, shape (batch, context)."""
    random = generator(training.seed, "windows", str(step))
    begins = random.integers(0, tokens.size - training.context + 1, training.batch)
    return np.stack([tokens[b : b + training.context] for b in begins]).astype(np.int64)


def _validated_at(first: int, training: Training) -> list[int]:
    every = range(training.validate_every, training.steps, training.validate_every)
    return [step for step in (*every, training.steps) if step > first]


def _optimizer(model: Any, training: Training) -> torch.optim.AdamW:
    """AdamW that decays the matrices of layers, not vectors nor Mamba's logarithms of rates."""
    parameters = list(model.named_parameters())
    decayed = [p for name, p in parameters if p.ndim > 1 and name.endswith(".weight")]
    others = [p for name, p in parameters if not (p.ndim > 1 and name.endswith(".weight"))]
    groups = [
        {"params": decayed, "weight_decay": training.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=training.learning_rate, betas=_BETAS, fused=True)


def _step(
    model: Any,
    optimizer: torch.optim.AdamW,
    windows: NDArray[np.int64],
    training: Training,
    step: int,
) -> Tensor:
    """Make one step; its loss, nats per token, and norm of the gradient, shape (2,)."""
    model.train()
    for group in optimizer.param_groups:
        group["lr"] = learning_rate(training, step)
    ids = torch.from_numpy(windows).to(model.device)
    narrow = training.precision != "float32"
    with torch.autocast(ids.device.type, getattr(torch, training.precision), enabled=narrow):
        logits = model(input_ids=ids, use_cache=False).logits
    loss = F.cross_entropy(logits[:, :-1].flatten(0, 1).float(), ids[:, 1:].flatten())
    optimizer.zero_grad()
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), training.clip)
    optimizer.step()
    return torch.stack((loss.detach(), norm))


def _row(
    model: Any, validation: Text, training: Training, step: int, device: str
) -> dict[str, Any]:
    windows = Windows(training.context, training.context)
    found = evaluate(model, validation, windows, training.batch, device)
    return {
        "step": step,
        "tokens": step * training.batch * training.context,
        "training_nll": None,
        "gradient_norm": None,
        "learning_rate": learning_rate(training, step),
        "validation_nll": found.nll,
        "validation_nll_standard_error": found.nll_standard_error,
    }
