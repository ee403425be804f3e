"""The architectures by name, at the sizes at which they are compared, and their checkpoints.

All have hidden states of 256 and tied embeddings of 2048 tokens, and as many layers of their own
as make 1.84 to 1.90 million parameters. Matrices have 128, 256 or more columns, where their
architecture leaves a choice, so that the groups of every quantizer divide them.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    MambaConfig,
    MambaForCausalLM,
    PreTrainedModel,
)

from qatlas.errors import AtlasError, nearest
from qatlas.models.architectures.mamba import use_fast_scan
from qatlas.models.architectures.resnet_bk import ResNetBKConfig, ResNetBKForCausalLM
from qatlas.models.loading import load_whole

HIDDEN = 256


def _llama(vocabulary: int, context: int) -> PreTrainedModel:
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocabulary,
            hidden_size=HIDDEN,
            intermediate_size=384,
            num_hidden_layers=3,
            num_attention_heads=8,
            num_key_value_heads=2,
            max_position_embeddings=context,
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=None,
        )
    )


def _mamba(vocabulary: int, context: int) -> PreTrainedModel:
    """Mamba; it has no positions, so that the context says nothing about its size."""
    del context
    config = MambaConfig(
        vocab_size=vocabulary,
        hidden_size=HIDDEN,
        num_hidden_layers=3,
        initializer_range=0.02,
        rescale_prenorm_residual=True,
        use_cache=False,
        pad_token_id=None,
        bos_token_id=None,
        eos_token_id=None,
    )
    return use_fast_scan(MambaForCausalLM(config))


def _resnet_bk(vocabulary: int, context: int) -> PreTrainedModel:
    return ResNetBKForCausalLM(
        ResNetBKConfig(
            vocab_size=vocabulary,
            hidden_size=HIDDEN,
            intermediate_size=512,
            num_hidden_layers=4,
            num_chains=64,
            max_position_embeddings=context,
        )
    )


ARCHITECTURES: dict[str, Callable[[int, int], PreTrainedModel]] = {
    "llama": _llama,
    "mamba": _mamba,
    "resnet_bk": _resnet_bk,
}
"""Untrained models by the name of their architecture, given vocabulary and context."""


def build(architecture: str, vocabulary: int, context: int, seed: int) -> PreTrainedModel:
    """An untrained float32 model on the CPU, whose weights depend on the arguments alone.

    Raises
    ------
    AtlasError
        If there is no such architecture.
    """
    if architecture not in ARCHITECTURES:
        raise AtlasError(f"architecture {architecture!r}: {nearest(architecture, ARCHITECTURES)}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ARCHITECTURES[architecture](vocabulary, context)


def from_config(config: Mapping[str, Any], dtype: str) -> Any:
    """A causal language model in evaluation mode on the CPU whose weights are still to be written.

    Parameters
    ----------
    config
        As the ``to_dict`` of its transformers configuration gives it.
    dtype
        Of its weights, such as "float32".
    """
    with torch.random.fork_rng(devices=[]):
        model = AutoModelForCausalLM.from_config(
            AutoConfig.for_model(**config), dtype=getattr(torch, dtype)
        )
    return use_fast_scan(model).eval()


def load(folder: str | Path) -> Any:
    """The causal language model of a folder, as stored, in evaluation mode on the CPU.

    Raises
    ------
    AtlasError
        If the folder does not hold one that transformers, or this package, knows, its files do not
        hold all of its weights, one is NaN or Inf, or it is quantized already.
    """
    return use_fast_scan(load_whole(AutoModelForCausalLM, folder, "a causal language model"))
