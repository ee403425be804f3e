"""Folders of models that lie about what is in them, or bring code along."""

import json
import os
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from qatlas.models.architectures.build import load
from qatlas.models.card import read_card
from qatlas.models.encoder import open_encoder
from qatlas.models.layers import Layer
from qatlas.models.prequantized.opening import open_prequantized
from qatlas.models.reading import open_language_model, open_reader
from qatlas.models.tokenizer import load_tokenizer, save_tokenizer, train_tokenizer
from qatlas.weights.architecture import architecture
from tests.hostile.conftest import readable_refusal, write_checkpoint

RUNS = "import pathlib; pathlib.Path(__file__).with_name('pwned').touch()\n"
WHOLE = "model.safetensors"
CODE = {
    "auto_map": {
        "AutoConfig": "modeling_theirs.TheirConfig",
        "AutoModel": "modeling_theirs.TheirModel",
        "AutoModelForCausalLM": "modeling_theirs.TheirModel",
        "AutoTokenizer": ["modeling_theirs.TheirTokenizer", None],
    },
    "trust_remote_code": True,
}


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A Llama of 25,000 weights with its tokenizer."""
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("small")
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=257,
        hidden_size=32,
        intermediate_size=40,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        tie_word_embeddings=True,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    save_tokenizer(train_tokenizer([["a few words"]], 257), folder / "tokenizer.json")
    (folder / "tokenizer_config.json").write_text(json.dumps({"eos_token": "<|endoftext|>"}))
    return folder


@pytest.fixture
def theirs(small, tmp_path):
    """The same, to be broken; whatever code it brings along was not run in the end."""
    folder = shutil.copytree(small, tmp_path / "theirs")
    (folder / "modeling_theirs.py").write_text(RUNS)
    yield folder
    assert not (folder / "pwned").exists()


def change(folder, name, **changes):
    path = folder / name
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_sound_folder_is_taken(theirs):
    opened = open_language_model(theirs)
    assert len(opened.reader.token_bytes) == 257


def test_code_of_a_folder_is_not_run_where_it_can_do_without(theirs):
    change(theirs, "config.json", **CODE)
    change(theirs, "tokenizer_config.json", **CODE)
    architecture(theirs, "theirs")
    open_language_model(theirs)


@pytest.mark.parametrize("key", ["model_type", "architectures"])
def test_code_of_a_folder_is_not_run_where_it_cannot_do_without(key, theirs):
    name = {"model_type": "theirs", "architectures": ["TheirModel"]}[key]
    change(theirs, "config.json", **CODE, **{key: name})
    architecture(theirs, "theirs")
    if key == "model_type":
        with readable_refusal("not a causal language model"):
            load(theirs)
        with readable_refusal("function.encoders"):
            open_encoder(theirs, "mean")
    else:
        load(theirs)


def test_an_encoders_tokenizer_with_code_is_not_run(theirs):
    change(theirs, "config.json", **CODE)
    change(theirs, "tokenizer_config.json", **CODE, tokenizer_class="TheirTokenizer")
    (theirs / "tokenizer.json").unlink()
    with readable_refusal("function.encoders"):
        open_encoder(theirs, "mean")


ABSURD = {
    "layers": {"num_hidden_layers": 10**9},
    "layers below nothing": {"num_hidden_layers": -1},
    "heads": {"num_attention_heads": 10**12},
    "no heads": {"num_attention_heads": 0},
    "words": {"vocab_size": 10**12},
    "a wide model": {"hidden_size": 2**31 - 2},
    "a wider model": {"hidden_size": 10**30},
    "a negative side": {"hidden_size": -32},
    "a side that is a text": {"hidden_size": "32; import os"},
    "a side that is a list": {"hidden_size": [32]},
    "a side that is nothing": {"hidden_size": None},
    "a side that is not finite": {"intermediate_size": float("inf")},
    "positions": {"max_position_embeddings": 10**15},
    "an activation of Python": {"hidden_act": "__import__"},
    "an activation that is a number": {"hidden_act": 5},
    "a rotation of nobody": {"rope_parameters": {"rope_type": "theirs"}},
    "an implementation of a repository": {"attn_implementation": "evil/kernel"},
    "another spelling of it": {"_attn_implementation": "evil/kernel:attention"},
    "an implementation inside": {"text_config": {"_attn_implementation_internal": "evil/k"}},
    "a type that is a list": {"model_type": ["llama"]},
    "a type that is a number": {"model_type": 3},
    "a type of nobody": {"model_type": "theirs"},
    "a type that is a path": {"model_type": "../llama"},
    "quantized already": {"quantization_config": {"quant_method": "gptq", "bits": 4}},
    "quantized by nobody": {"quantization_config": {"quant_method": "theirs"}},
    "weights of a type of nobody": {"dtype": "float3"},
    "a larger model than its files": {"intermediate_size": 41},
    "another model": {"model_type": "bert"},
}


@pytest.mark.parametrize("changes", ABSURD.values(), ids=ABSURD)
def test_a_configuration_that_describes_no_model_of_the_files_is_refused(changes, theirs):
    change(theirs, "config.json", **changes)
    with readable_refusal(theirs, "config.json"):
        load(theirs)


COSTLY = ("layers", "layers below nothing", "heads", "words", "a wider model", "positions")


@pytest.mark.parametrize("kind", COSTLY)
def test_the_roles_of_tensors_cost_no_more_than_a_model_has(kind, theirs):
    change(theirs, "config.json", **ABSURD[kind])
    with readable_refusal("model theirs", "config.json"):
        architecture(theirs, "theirs")


def test_more_tensors_than_any_model_has_are_not_built(theirs, monkeypatch):
    monkeypatch.setattr("qatlas.weights.model_config._MOST_PARAMETERS", 5)
    with readable_refusal("model theirs", "more than 5 tensors"):
        architecture(theirs, "theirs")
    with readable_refusal(theirs, "more than 5 tensors"):
        load(theirs)


def test_weights_that_are_missing_are_not_drawn_at_random(theirs):
    tensors = load_file(theirs / WHOLE)
    first = sorted(tensors)[1]
    spare = {"spare.weight": torch.zeros(tensors.pop(first).numel())}
    save_file(tensors | spare, theirs / WHOLE, {"format": "pt"})
    with readable_refusal(theirs, first, "random numbers"):
        load(theirs)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_weight_that_is_no_number_is_refused(value, theirs):
    tensors = load_file(theirs / WHOLE)
    name = sorted(tensors)[-1]
    tensors[name].view(-1)[0] = value
    save_file(tensors, theirs / WHOLE, {"format": "pt"})
    with readable_refusal(name, "NaN or Inf"):
        load(theirs)


def test_a_folder_of_pickles_alone_is_not_read(theirs):
    (theirs / WHOLE).rename(theirs / "pytorch_model.bin")
    with readable_refusal("safetensors", "pytorch_model.bin"):
        load(theirs)


TOKENIZERS = {
    "nothing": b"",
    "no JSON": b"<html>",
    "a list": b"[]",
    "an empty object": b"{}",
    "nested without end": b"[" * 100_000,
    "no UTF-8": b"\xff\xfe",
    "a model of nobody": b'{"version": "1.0", "model": {"type": "Theirs"}}',
    "a vocabulary that is a list": b'{"model": {"type": "BPE", "vocab": [], "merges": {}}}',
    "negative tokens": b'{"version":"1.0","model":{"type":"BPE","vocab":{"a":-1},"merges":[]}}',
    "merges of nothing": b'{"version":"1.0","model":{"type":"BPE","vocab":{"a":0},'
    b'"merges":["b c"]}}',
}


@pytest.mark.parametrize("content", TOKENIZERS.values(), ids=TOKENIZERS)
def test_a_broken_tokenizer_is_refused_by_its_name(content, theirs):
    (theirs / "tokenizer.json").write_bytes(content)
    with readable_refusal("tokenizer.json"):
        open_reader(theirs)


@pytest.mark.parametrize("largest", [257, 2**24 + 1, 2**32 - 1])
def test_a_token_that_the_model_does_not_know_is_refused(largest, theirs):
    described = json.loads((theirs / "tokenizer.json").read_text())
    described["model"]["vocab"]["far"] = largest
    (theirs / "tokenizer.json").write_text(json.dumps(described))
    with readable_refusal("tokenizer.json", largest):
        open_language_model(theirs)


def test_a_tokenizer_that_is_a_pipe_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "tokenizer.json")
    with readable_refusal("tokenizer.json"):
        load_tokenizer(tmp_path / "tokenizer.json")


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"[" * 100_000, b"{}", b'{"eos_token": 3}', b'{"eos_token": {}}']
)
def test_a_broken_configuration_of_a_tokenizer_is_refused(content, theirs):
    (theirs / "tokenizer_config.json").write_bytes(content)
    with readable_refusal("tokenizer_config.json"):
        open_reader(theirs)


CARDS = [b"", b"[]", b"{}", b"[" * 100_000, b'{"sha256": 3}', b'{"architecture": "llama"}']


@pytest.mark.parametrize("content", CARDS)
def test_a_broken_card_is_refused(content, tmp_path):
    write_checkpoint(tmp_path, {"card.json": content})
    with readable_refusal("card.json"):
        read_card(tmp_path)


def test_a_card_of_wrong_checksums_is_refused(tmp_path):
    card = json.loads(CARD) | {"sha256": ["x"]}
    write_checkpoint(tmp_path, {"card.json": card})
    with readable_refusal("card.json"):
        read_card(tmp_path)


CARD = json.dumps(
    {
        "architecture": "llama",
        "seed": 0,
        "parameters": 1,
        "sha256": {},
        "recipe": {},
        "validation_nll": 1.0,
        "validation_perplexity": 1.0,
        "validation_bits_per_byte": 1.0,
        "seconds": 1.0,
        "device": "cpu",
        "versions": {},
    }
)

DESCRIBED = {
    "no section": None,
    "a text": "gptq",
    "a list": ["gptq"],
    "nothing": {},
    "a method of nobody": {"quant_method": "theirs"},
    "a method of ten thousand letters": {"quant_method": "x" * 10_000},
    "a method that is a list": {"quant_method": ["gptq"]},
    "bits of a thousand million": {"quant_method": "gptq", "bits": 10**9},
    "bits that are a text": {"quant_method": "gptq", "bits": "4"},
    "bits with a point": {"quant_method": "gptq", "bits": 4.0},
    "bits that are a list": {"quant_method": "gptq", "bits": [4]},
    "bits that are true": {"quant_method": "awq", "bits": True},
    "a version of nobody": {"quant_method": "gptq", "bits": 4, "checkpoint_format": "x" * 9999},
    "a kernel of nobody": {"quant_method": "awq", "bits": 4, "version": {"x": 1}},
    "groups that are a list": {
        "quant_method": "compressed-tensors",
        "format": "pack-quantized",
        "config_groups": [1],
    },
    "weights that are a text": {
        "quant_method": "compressed-tensors",
        "format": "pack-quantized",
        "config_groups": {"a": {"weights": "4 bits"}},
    },
    "sparsity that is a text": {
        "quant_method": "compressed-tensors",
        "format": "pack-quantized",
        "sparsity_config": "dense",
    },
    "four bits that are a text": {"quant_method": "bitsandbytes", "load_in_4bit": "yes"},
}


@pytest.mark.parametrize("described", DESCRIBED.values(), ids=DESCRIBED)
def test_a_checkpoint_that_is_quantized_in_no_known_way_is_refused(described, tmp_path):
    write_checkpoint(tmp_path, {"config.json": {"quantization_config": described}})
    with readable_refusal("checkpoint theirs", "config.json", "quantization_config"):
        open_prequantized(tmp_path, "theirs")


GPTQ = {"quant_method": "gptq", "bits": 4, "checkpoint_format": "gptq_v2"}
COMPRESSED = {
    "quant_method": "compressed-tensors",
    "format": "int-quantized",
    "config_groups": {"a": {"weights": {"num_bits": 8}}},
}
NF4 = {"quant_method": "bitsandbytes", "load_in_4bit": True}
WORDS = {
    "qweight": torch.zeros(2, 16, dtype=torch.int32),
    "qzeros": torch.zeros(1, 2, dtype=torch.int32),
    "scales": torch.ones(1, 16, dtype=torch.float16),
}
BYTES = {"weight": torch.zeros(16, 16, dtype=torch.int8), "weight_scale": torch.ones(16, 1)}
STATE = "weight.quant_state.bitsandbytes__nf4"


def state(content):
    return torch.tensor(list(json.dumps(content).encode()), dtype=torch.uint8)


NESTED = {
    "weight": torch.zeros(128, 1, dtype=torch.uint8),
    "weight.absmax": torch.zeros(4, dtype=torch.uint8),
    "weight.nested_absmax": torch.ones(1),
    "weight.nested_quant_map": torch.zeros(256),
    "weight.quant_map": torch.zeros(16),
}
SIDES = {"shape": [16, 16], "blocksize": 64}
BROKEN_LAYERS = {
    "scales without sides": (GPTQ, WORDS | {"scales": torch.tensor(1.0)}),
    "no scales": (GPTQ, WORDS | {"scales": torch.ones(0, 16)}),
    "scales that are whole": (GPTQ, WORDS | {"scales": torch.ones(1, 16, dtype=torch.int32)}),
    "scales that are no numbers": (GPTQ, WORDS | {"scales": torch.full((1, 16), np.nan)}),
    "scales beyond all numbers": (GPTQ, WORDS | {"scales": torch.full((1, 16), np.inf)}),
    "words of another type": (GPTQ, WORDS | {"qweight": torch.zeros(2, 16)}),
    "too few words": (GPTQ, WORDS | {"qweight": torch.zeros(1, 16, dtype=torch.int32)}),
    "groups below nothing": (GPTQ, WORDS | {"g_idx": torch.full((16,), -1, dtype=torch.int32)}),
    "groups beyond the last": (GPTQ, WORDS | {"g_idx": torch.full((16,), 9, dtype=torch.int32)}),
    "too few groups": (GPTQ, WORDS | {"g_idx": torch.zeros(3, dtype=torch.int32)}),
    "a tensor of nobody": (GPTQ, WORDS | {"theirs": torch.zeros(3)}),
    "no rows of scales": (COMPRESSED, BYTES | {"weight_scale": torch.ones(0, 1)}),
    "scales of three sides": (COMPRESSED, BYTES | {"weight_scale": torch.ones(16, 1, 1)}),
    "infinite scales": (COMPRESSED, BYTES | {"weight_scale": torch.full((16, 1), np.inf)}),
    "zero points of another shape": (
        COMPRESSED,
        BYTES | {"weight_zero_point": torch.zeros(5, dtype=torch.int8)},
    ),
    "no state": (NF4, NESTED),
    "a state of floats": (NF4, NESTED | {STATE: torch.ones(9)}),
    "a state that is no JSON": (NF4, NESTED | {STATE: torch.full((9,), 255, dtype=torch.uint8)}),
    "a state that is a list": (NF4, NESTED | {STATE: state([1])}),
    "a state without end": (NF4, NESTED | {STATE: torch.zeros(10**6, dtype=torch.uint8)}),
    "a state nested without end": (
        NF4,
        NESTED | {STATE: torch.full((4000,), ord("["), dtype=torch.uint8)},
    ),
    "blocks of nothing": (NF4, NESTED | {STATE: state(SIDES | {"blocksize": 0})}),
    "blocks below nothing": (NF4, NESTED | {STATE: state(SIDES | {"blocksize": -64})}),
    "blocks of 10**12": (NF4, NESTED | {STATE: state(SIDES | {"blocksize": 10**12})}),
    "nested blocks of 10**12": (NF4, NESTED | {STATE: state(SIDES | {"nested_blocksize": 10**12})}),
    "sides that are texts": (NF4, NESTED | {STATE: state(SIDES | {"shape": ["x", "y"]})}),
    "other sides": (NF4, NESTED | {STATE: state(SIDES | {"shape": [10**9, 10**9]})}),
    "an offset that is a text": (NF4, NESTED | {STATE: state(SIDES | {"nested_offset": "x"})}),
    "an offset that is no number": (
        NF4,
        NESTED | {STATE: state(SIDES | {"nested_offset": float("nan")})},
    ),
    "no codes": (
        NF4,
        {k: v for k, v in NESTED.items() if k != "weight"} | {STATE: state(SIDES)},
    ),
    "codes of another length": (
        NF4,
        NESTED | {"weight": torch.zeros(3, dtype=torch.uint8), STATE: state(SIDES)},
    ),
    "values of another length": (
        NF4,
        NESTED | {"weight.quant_map": torch.zeros(3), STATE: state(SIDES)},
    ),
}


@pytest.mark.parametrize(("described", "tensors"), BROKEN_LAYERS.values(), ids=BROKEN_LAYERS)
def test_a_layer_whose_tensors_do_not_fit_is_refused_by_its_name(described, tensors, tmp_path):
    write_checkpoint(tmp_path, {"config.json": {"quantization_config": described}})
    save_file({f"layer.{name}": part for name, part in tensors.items()}, tmp_path / WHOLE)
    checkpoint = open_prequantized(tmp_path, "theirs")
    with readable_refusal("checkpoint theirs", "layer"):
        checkpoint.unpack(Layer("layer.weight", torch.nn.Linear(16, 16), False))
