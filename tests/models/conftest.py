"""Made-up packages, installed as pip records them, and tiny models of made-up tokens."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
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


@pytest.fixture
def llama():
    return tiny_llama()


def chain_text(tokens, seed=0):
    """A text in which each token is one of four that may follow the one before."""
    random = np.random.default_rng(seed)
    found = np.empty(tokens, np.uint16)
    found[0] = 0
    for i in range(1, tokens):
        found[i] = (5 * int(found[i - 1]) + int(random.integers(4))) % VOCABULARY
    return Text(found, np.arange(1, VOCABULARY + 1))


Install = Callable[..., Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install a package of files: ``install("noun", {"noun/__init__.py": "source"})``."""

    def put(
        package: str,
        files: Mapping[str, str | bytes],
        version: str = "1.0",
        folder: str = "site",
    ) -> Path:
        site = tmp_path / folder
        for name, content in files.items():
            path = site / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        described = site / f"{package}-{version}.dist-info"
        described.mkdir()
        (described / "METADATA").write_text(f"Name: {package}\nVersion: {version}\n")
        (described / "RECORD").write_text("".join(f"{name},,\n" for name in files))
        monkeypatch.syspath_prepend(str(site))
        return site

    return put
