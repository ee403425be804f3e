"""A checkpoint of Llama's architecture with sampled weights, written with little memory."""

import json
from math import prod, sqrt
from pathlib import Path
from typing import Any

import numpy as np

from qatlas.deferred import torch
from qatlas.seeds import generator
from qatlas.weights.snapshot import INDEX

Shape = dict[str, Any]
"""Arguments of transformers' LlamaConfig."""

LLAMA_3_2_1B: Shape = {
    "vocab_size": 128256,
    "hidden_size": 2048,
    "intermediate_size": 8192,
    "num_hidden_layers": 16,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 64,
    "max_position_embeddings": 131072,
    "rope_parameters": {"rope_type": "default", "rope_theta": 500000.0},
    "tie_word_embeddings": True,
}


def _larger(hidden: int, intermediate: int, layers: int, heads: int) -> Shape:
    """Shape of a Llama 3.1: a head of its own, and heads of 128."""
    return LLAMA_3_2_1B | {
        "hidden_size": hidden,
        "intermediate_size": intermediate,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "tie_word_embeddings": False,
    }


LLAMAS: dict[str, Shape] = {
    "Llama 3.2 1B": LLAMA_3_2_1B,
    "Llama 3.1 8B": _larger(4096, 14336, 32, 32),
    "Llama 3.1 70B": _larger(8192, 28672, 80, 64),
    "Llama 3.1 405B": _larger(16384, 53248, 126, 128),
}

_HEAD = LLAMA_3_2_1B["head_dim"]
_DEGREES_OF_FREEDOM = 5
_SAMPLES = (1 << 24) - 3
"""Weights that are drawn and then repeated; odd, so that no two rows begin alike."""
_SPREAD = 0.3
"""Standard deviation of the logarithm of the tensors' scales."""
_SHARD = "300MB"


def scaled(parameters: float) -> Shape:
    """Llama 3.2 1B made narrower or wider, until it has about so many parameters.

    Layers, and so tensors, are as many; the vocabulary shrinks and grows with the width, so that
    embeddings keep their share of the parameters.
    """
    whole = sqrt(parameters / number_of_parameters(LLAMA_3_2_1B)) * LLAMA_3_2_1B["hidden_size"]
    heads = max(4, 2 * round(whole / (2 * _HEAD)))
    hidden = heads * _HEAD
    times = hidden / LLAMA_3_2_1B["hidden_size"]
    return LLAMA_3_2_1B | {
        "vocab_size": round(LLAMA_3_2_1B["vocab_size"] * times),
        "hidden_size": hidden,
        "intermediate_size": round(LLAMA_3_2_1B["intermediate_size"] * times),
        "num_attention_heads": heads,
        "num_key_value_heads": max(n for n in range(1, heads // 4 + 1) if heads % n == 0),
    }


def number_of_parameters(shape: Shape) -> int:
    """Weights of all tensors that a checkpoint of this shape stores."""
    hidden, layers = shape["hidden_size"], shape["num_hidden_layers"]
    norms = (2 * layers + 1) * hidden
    return sum(rows * columns * count for rows, columns, count in matrix_shapes(shape)) + norms


def matrix_shapes(shape: Shape) -> list[tuple[int, int, int]]:
    """Rows and columns of the matrices that a checkpoint stores, and how many are such."""
    hidden, layers = shape["hidden_size"], shape["num_hidden_layers"]
    queries = shape["num_attention_heads"] * shape["head_dim"]
    keys = shape["num_key_value_heads"] * shape["head_dim"]
    return [
        (shape["vocab_size"], hidden, 1 if shape["tie_word_embeddings"] else 2),
        (queries, hidden, layers),
        (keys, hidden, 2 * layers),
        (hidden, queries, layers),
        (shape["intermediate_size"], hidden, 2 * layers),
        (hidden, shape["intermediate_size"], layers),
    ]


def write_checkpoint(folder: Path, shape: Shape, seed: int = 0) -> None:
    """Write config.json and bfloat16 safetensors shards, named and shaped as transformers would.

    All tensors are cut from the same Student-t samples, each from a place and with a scale of its
    own; the scales vary about those of a common initialization, whose variance is one over the
    number of columns. Memory holds a shard at a time, of 300 MB or one larger tensor.

    Parameters
    ----------
    folder
        Where to, made if it is missing.
    shape
        Of the model.
    seed
        Of samples, places and scales.
    """
    from huggingface_hub import split_torch_state_dict_into_shards
    from safetensors.torch import save_file
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(**shape, dtype="bfloat16", architectures=["LlamaForCausalLM"])
    config.save_pretrained(folder)
    with torch.device("meta"):
        parameters = dict(LlamaForCausalLM(config).to(torch.bfloat16).named_parameters())
    split = split_torch_state_dict_into_shards(parameters, max_shard_size=_SHARD)
    samples = _samples(seed)
    for file, names in split.filename_to_tensors.items():
        shard = {
            name: _cut(samples, parameters[name].shape, generator(seed, name)) for name in names
        }
        save_file(shard, folder / file, {"format": "pt"})
        del shard  # before the next one is made
    if split.is_sharded:
        index = {"metadata": split.metadata, "weight_map": split.tensor_to_filename}
        Path(folder, INDEX).write_text(json.dumps(index))


def load_whole(folder: Path) -> None:
    """Load the model in float32, as one does to quantize it."""
    from transformers import LlamaForCausalLM

    LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32)


def _samples(seed: int) -> Any:
    """Bfloat16 Student-t samples of unit variance, shape (_SAMPLES,)."""
    drawn = np.random.default_rng(seed).standard_t(_DEGREES_OF_FREEDOM, _SAMPLES)
    drawn *= sqrt((_DEGREES_OF_FREEDOM - 2) / _DEGREES_OF_FREEDOM)
    return torch.from_numpy(drawn.astype(np.float32)).bfloat16()


def _cut(samples: Any, shape: tuple[int, ...], draws: np.random.Generator) -> Any:
    """A tensor of samples from some place on, which go round as often as it takes."""
    scale = draws.lognormal(0.0, _SPREAD) / sqrt(shape[-1])
    ring = torch.roll(samples, int(draws.integers(_SAMPLES)))
    weights = torch.empty(prod(shape), dtype=samples.dtype)
    for part in weights.split(_SAMPLES):
        torch.mul(ring[: part.numel()], scale, out=part)
    return weights.view(shape)
