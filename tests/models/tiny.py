"""A small model and a small text, in which there is something to learn."""

import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from qatlas.models.windows import Text

VOCABULARY = 64


def tiny_llama(seed=0, spread=0.1):
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=128,
        initializer_range=spread,
        tie_word_embeddings=True,
    )
    return LlamaForCausalLM(config).eval()


def chain_text(tokens, seed=0):
    """A text in which each token is one of four that may follow the one before."""
    random = np.random.default_rng(seed)
    found = np.empty(tokens, np.uint16)
    found[0] = 0
    for i in range(1, tokens):
        found[i] = (5 * int(found[i - 1]) + int(random.integers(4))) % VOCABULARY
    return Text(found, np.arange(1, VOCABULARY + 1))
