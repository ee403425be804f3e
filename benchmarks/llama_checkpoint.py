"""A checkpoint of Llama's architecture with sampled weights, written with little memory."""

import json
from math import prod, sqrt
from pathlib import Path
from typing import Any

import numpy as np

from qatlas.deferred import torch
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

_DEGREES_OF_FREEDOM = 5
_SAMPLES = (1 << 24) - 3
"""Weights that are drawn and then repeated; odd, so that no two rows begin alike."""
_SHARD = "300MB"


def write_checkpoint(folder: Path, shape: Shape) -> None:
    """Write config.json and bfloat16 safetensors shards, named and shaped as transformers would.

    Each tensor repeats the same Student-t samples, its variance that of a common initialization:
    one over the number of columns.
    """
    from huggingface_hub import split_torch_state_dict_into_shards
    from safetensors.torch import save_file
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(**shape, dtype="bfloat16", architectures=["LlamaForCausalLM"])
    config.save_pretrained(folder)
    with torch.device("meta"):
        parameters = dict(LlamaForCausalLM(config).to(torch.bfloat16).named_parameters())
    split = split_torch_state_dict_into_shards(parameters, max_shard_size=_SHARD)
    samples = _samples()
    for file, names in split.filename_to_tensors.items():
        shard = {name: _repeated(samples, parameters[name].shape) for name in names}
        save_file(shard, folder / file, {"format": "pt"})
        del shard  # before the next one is made
    if split.is_sharded:
        index = {"metadata": split.metadata, "weight_map": split.tensor_to_filename}
        Path(folder, INDEX).write_text(json.dumps(index))


def load_whole(folder: Path) -> None:
    """Load the model in float32, as one does to quantize it."""
    from transformers import LlamaForCausalLM

    LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32)


def _samples() -> Any:
    """Bfloat16 Student-t samples of unit variance, shape (_SAMPLES,)."""
    drawn = np.random.default_rng(0).standard_t(_DEGREES_OF_FREEDOM, _SAMPLES)
    drawn *= sqrt((_DEGREES_OF_FREEDOM - 2) / _DEGREES_OF_FREEDOM)
    return torch.from_numpy(drawn.astype(np.float32)).bfloat16()


def _repeated(samples: Any, shape: tuple[int, ...]) -> Any:
    count = prod(shape)
    repeated = samples.repeat(-(-count // samples.numel()))[:count]
    return repeated.view(shape).mul_(1 / sqrt(shape[-1]))
