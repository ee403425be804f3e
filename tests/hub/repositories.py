"""Small repositories that stand in for those that config/llama-3.2-1b.yaml names."""

import json
import re
from pathlib import Path

import pandas as pd
import torch
import yaml
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM

from tests.hub.server import Repository
from tests.models.packers import (
    AWQ_CONFIG,
    awq,
    gptq,
    gptq_config,
    only_tensors,
    write_checkpoint,
)

STUDY = Path(__file__).parents[2] / "config/llama-3.2-1b.yaml"
BEGIN, END = "<|begin_of_text|>", "<|end_of_text|>"
VOCABULARY = 384
ROWS = {"train": 300, "validation": 60, "test": 60}
SUBJECTS = ("A river", "The old bridge", "No archive", "Every engine", "This opera", "One glacier")
VERBS = ("crosses", "recalls", "outlived", "resembles", "divides")

# As in Llama 3.2, but for the sizes: four heads share keys, embeddings are the head.
SHAPE = {
    "vocab_size": VOCABULARY,
    "hidden_size": 128,
    "intermediate_size": 256,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 1,
    "head_dim": 32,
    "max_position_embeddings": 131072,
    "rope_parameters": {
        "rope_type": "llama3",
        "rope_theta": 500000.0,
        "factor": 32.0,
        "high_freq_factor": 4.0,
        "low_freq_factor": 1.0,
        "original_max_position_embeddings": 8192,
    },
    "tie_word_embeddings": True,
    "bos_token_id": 0,
    "eos_token_id": 1,
    "initializer_range": 0.1,
    "dtype": "bfloat16",
}


def lines(split: str) -> list[str]:
    """Lines as WikiText has them: titles, empty ones, and sentences of a small vocabulary."""
    return [_line(number, len(split)) for number in range(ROWS[split])]


def _line(number: int, shift: int) -> str:
    if number % 5 == 0:
        return ""
    if number % 7 == 0:
        return f" = Article {number} = \n"
    subject, verb = SUBJECTS[(number + shift) % 6], VERBS[number % 5]
    return f" {subject} {verb} {number * shift % 97} others . \n"


def write_dataset(folder: Path, subset: str) -> None:
    """Parquet files of the three splits, and the card that tells where they are."""
    (folder / subset).mkdir(parents=True)
    for split in ROWS:
        path = folder / subset / f"{split}-00000-of-00001.parquet"
        pd.DataFrame({"text": lines(split)}).to_parquet(path)
    files = [{"split": split, "path": f"{subset}/{split}-*"} for split in ROWS]
    write_card(folder, {"configs": [{"config_name": subset, "data_files": files}]})


def write_card(folder: Path, head: dict[str, object]) -> None:
    (folder / "README.md").write_text(f"---\n{yaml.safe_dump(head)}---\n\n# A dataset\n")


def write_tokenizer(folder: Path) -> None:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[BEGIN, END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(lines("train"), trainer)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    special = {"bos_token": BEGIN, "eos_token": END}
    (folder / "tokenizer_config.json").write_text(json.dumps(special))


def llama(seed: int) -> LlamaForCausalLM:
    torch.manual_seed(seed)
    return LlamaForCausalLM(LlamaConfig(**SHAPE)).to(torch.bfloat16).eval()


def write_llama(folder: Path, model: LlamaForCausalLM) -> None:
    """A folder in two shards with their index and a tokenizer, and what is not to be fetched."""
    half = sum(parameter.nbytes for parameter in model.parameters()) * 6 // 10
    model.save_pretrained(folder, max_shard_size=half)
    assert len(list(folder.glob("model-*-of-00002.safetensors"))) == 2
    write_tokenizer(folder)
    (folder / "original").mkdir()
    (folder / "original" / "consolidated.00.pth").write_bytes(b"a pickle")


def repositories_of_study(place: Path) -> list[Repository]:
    """All that the study names, by its names and revisions."""
    study = yaml.safe_load(STUDY.read_text())
    instruct = llama(1)
    made = {"base": llama(0), "instruct": instruct}
    found = []
    for name, model in made.items():
        described = study["models"][study["function"]["models"][name]["model"]]
        write_llama(place / name, model)
        found.append(served(described["hub"], described["revision"], place / name, gated=True))
    packed = {
        "instruct_awq": (awq(32), AWQ_CONFIG),
        "instruct_gptq": (gptq(4, 32, "gptq"), gptq_config(4, "gptq", group_size=32)),
    }
    for name, (quantize, described) in packed.items():
        write_checkpoint(place / name, instruct, only_tensors(quantize), described)
        hub = study["function"]["checkpoints"][name]
        found.append(served(hub["hub"], hub["revision"], place / name))
    text = study["text"]
    write_dataset(place / "text", text["subset"])
    found.append(served(text["dataset"], text["revision"], place / "text", kind="datasets"))
    return found


def served(name: str, revision: str, folder: Path, **others: object) -> Repository:
    """A repository at a revision that is a commit or a branch."""
    named = "commit" if re.fullmatch("[0-9a-f]{40}", revision) else "branch"
    return Repository(name, folder, **{named: revision}, **others)
