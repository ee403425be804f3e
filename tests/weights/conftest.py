"""Tiny random models of several architectures, saved the way transformers saves them."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

# Class, and the sizes that keep it tiny; every side that must be told apart differs.
MODELS = {
    "llama": (
        "LlamaForCausalLM",
        {
            "hidden_size": 16,
            "intermediate_size": 40,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "vocab_size": 50,
        },
    ),
    "gpt2": (
        "GPT2LMHeadModel",
        {"n_embd": 16, "n_layer": 2, "n_head": 2, "vocab_size": 50, "n_positions": 12},
    ),
    "bert": (
        "BertForMaskedLM",
        {
            "hidden_size": 16,
            "intermediate_size": 40,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "vocab_size": 50,
            "max_position_embeddings": 12,
        },
    ),
    "mamba": (
        "MambaForCausalLM",
        {"hidden_size": 16, "num_hidden_layers": 2, "vocab_size": 50, "state_size": 4},
    ),
    "opt": (
        "OPTForCausalLM",
        {
            "hidden_size": 16,
            "ffn_dim": 40,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "vocab_size": 50,
            "word_embed_proj_dim": 8,
            "max_position_embeddings": 12,
        },
    ),
    "phi3": (
        "Phi3ForCausalLM",
        {
            "hidden_size": 16,
            "intermediate_size": 40,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "vocab_size": 50,
            "pad_token_id": 0,
        },
    ),
    "t5": (
        "T5ForConditionalGeneration",
        {"d_model": 16, "d_ff": 40, "num_layers": 2, "num_heads": 2, "d_kv": 8, "vocab_size": 50},
    ),
}

TinyModel = Callable[..., Path]


@pytest.fixture
def tiny_model(tmp_path: Path) -> TinyModel:
    """Save a tiny model and give its folder: ``tiny_model("llama", max_shard_size="8KB")``."""

    def save(name: str, save_options: dict | None = None, **changes: object) -> Path:
        import transformers

        class_name, sizes = MODELS[name]
        torch.manual_seed(0)
        model_class = getattr(transformers, class_name)
        model = model_class(model_class.config_class(**sizes | changes))
        folder = tmp_path / name
        model.save_pretrained(folder, **save_options or {})
        return folder

    return save
