"""Evaluation beside plain transformers, and what a step of training takes for each architecture."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from record import (
    Measurement,
    Record,
    at_least,
    at_most,
    machine,
    print_record,
    report_progress,
    timed,
)

from qatlas.models.architectures.build import ARCHITECTURES, build
from qatlas.models.likelihood import evaluate
from qatlas.models.windows import Text, Windows

VOCABULARY, CONTEXT = 2048, 256


def run(threads: int = 2, windows: int = 64, batch: int = 8, repeats: int = 7) -> Record:
    """Evaluate a Llama of 1.9 million parameters, and train each architecture, on random tokens.

    Calls of what is compared alternate, and the least time of each counts.

    Parameters
    ----------
    threads
        Of PyTorch.
    windows
        Windows of 256 tokens that are evaluated.
    batch
        Windows at a time, in evaluation and in a step of training.
    repeats
        Calls of each, after one that is not counted.
    """
    torch.set_num_threads(threads)
    before = machine(threads)
    random = np.random.default_rng(0)
    tokens = random.integers(VOCABULARY, size=windows * CONTEXT)
    text = Text(tokens, np.ones(VOCABULARY, np.int64))
    ids = torch.from_numpy(tokens).view(windows, CONTEXT).split(batch)
    llama = build("llama", VOCABULARY, CONTEXT, seed=0).eval()
    cut = Windows(CONTEXT, CONTEXT)
    evaluation = _least_seconds(
        {
            "qatlas": lambda: evaluate(llama, text, cut, batch, "cpu").nll,
            "transformers": lambda: _plain_nll(llama, ids),
        },
        repeats,
    )
    training = _least_seconds(
        {name: _training_step(name, ids[0]) for name in ARCHITECTURES}, repeats
    )
    return Record(
        name="models_vs_transformers",
        compares=f"NLL of {tokens.size} tokens, with transformers' own loss; "
        f"steps of training of {batch * CONTEXT} tokens, with Llama's",
        machine=before,
        measurements=(
            *(Measurement("evaluation", by, value, "s") for by, value in evaluation.items()),
            *(Measurement("training step", by, value, "s") for by, value in training.items()),
        ),
        targets=(
            at_least(
                "evaluation: times as fast as transformers",
                evaluation["transformers"] / evaluation["qatlas"],
                1,
            ),
            at_most(
                "training step: Mamba's over Llama's", training["mamba"] / training["llama"], 3
            ),
        ),
    )


def _least_seconds(calls: dict[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    for call in calls.values():
        call()
    seconds = [{name: timed(call)[0] for name, call in calls.items()} for _ in range(repeats)]
    least = {name: min(found[name] for found in seconds) for name in calls}
    report_progress(", ".join(f"{name} {value:.3f} s" for name, value in least.items()))
    return least


def _plain_nll(model: Any, ids: tuple[torch.Tensor, ...]) -> float:
    with torch.no_grad():
        losses = [float(model(part, labels=part, use_cache=False).loss) for part in ids]
    return sum(losses) / len(losses)


def _training_step(architecture: str, ids: torch.Tensor) -> Callable[[], None]:
    model = build(architecture, VOCABULARY, CONTEXT, seed=0).train()
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)

    def step() -> None:
        optimizer.zero_grad()
        model(ids, labels=ids, use_cache=False).loss.backward()
        optimizer.step()

    return step


if __name__ == "__main__":
    print_record(run())
