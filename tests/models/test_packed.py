import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from transformers import GPT2Config, GPT2LMHeadModel

from qatlas.codecs import Context, create
from qatlas.errors import AtlasError
from qatlas.models import load_quantized
from qatlas.models.architectures.build import ARCHITECTURES, build
from qatlas.models.layers import linear_layers
from qatlas.models.packed import save_quantized, write_manifest

TOKENS = torch.arange(64).reshape(2, 32)


def quantized(model, codec):
    """Encoded layers of a model, which is left with the decoded ones."""
    layers = {}
    for layer in linear_layers(model, keep=("*.dt_proj.weight",)):
        columns = layer.weight.shape[1]
        context = Context(second_moment=torch.eye(columns, dtype=torch.float64))
        layers[layer.tensor] = codec.encode(layer.weight, context)
        layer.write(codec.decode(layers[layer.tensor]))
    return layers


def logits(model):
    with torch.no_grad():
        return model.eval()(TOKENS).logits


def bits(model, layers):
    """Counted by hand: packed arrays, and every other parameter as it is."""
    kept = [p for name, p in model.named_parameters() if name not in layers]
    return sum(sum(encoded.bits().values()) for encoded in layers.values()) + sum(
        8 * p.element_size() * p.numel() for p in kept
    )


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize(
    "codec",
    [
        create("uniform", bits=3, granularity=32, grid="asymmetric"),
        create("formats", data_type="nf4", scale_dtype="double_quantized"),
        create("gptq", bits=4),
        create("entropy_coded", rate=2.5),
    ],
    ids=lambda codec: type(codec).__name__,
)
def test_what_is_loaded_predicts_what_the_quantized_model_did(architecture, codec, tmp_path):
    model = build(architecture, vocabulary=300, context=32, seed=1)
    layers = quantized(model, codec)
    size = save_quantized(model, codec, layers, tmp_path / "model.safetensors")
    loaded = load_quantized(tmp_path / "model.safetensors")
    assert torch.equal(logits(loaded), logits(model))
    assert 8 * size.tensor_bytes == bits(model, layers)
    file_bytes = (tmp_path / "model.safetensors").stat().st_size
    assert file_bytes == size.tensor_bytes + size.header_bytes
    assert size.parameters == sum(p.numel() for p in loaded.parameters())


def test_transposed_weights_and_half_precision_come_back(tmp_path):
    torch.manual_seed(0)
    config = GPT2Config(vocab_size=100, n_positions=32, n_embd=64, n_layer=2, n_head=2)
    model = GPT2LMHeadModel(config).to(torch.bfloat16)
    codec = create("uniform", bits=4)
    save_quantized(model, codec, quantized(model, codec), tmp_path / "model.safetensors")
    loaded = load_quantized(tmp_path / "model.safetensors")
    assert loaded.dtype == torch.bfloat16
    assert torch.equal(logits(loaded), logits(model))


def test_the_manifest_says_what_it_is_and_takes(tmp_path):
    model = build("llama", vocabulary=300, context=32, seed=1)
    codec = create("uniform", bits=4)
    size = save_quantized(model, codec, quantized(model, codec), tmp_path / "model.safetensors")
    write_manifest(size, {"series": "uniform_tensor"}, tmp_path / "model.json")
    told = json.loads((tmp_path / "model.json").read_text())
    assert told["series"] == "uniform_tensor"
    assert told["bits_per_parameter"] == 8 * told["tensor_bytes"] / told["parameters"]


def test_other_files_are_refused(tmp_path):
    save_file({"weight": torch.zeros(2)}, tmp_path / "other.safetensors")
    with pytest.raises(AtlasError, match=r"other\.safetensors: holds 'no format'"):
        load_quantized(tmp_path / "other.safetensors")
    with pytest.raises(AtlasError, match="export the model again"):
        load_quantized(tmp_path / "missing.safetensors")


def test_a_file_cut_short_is_refused(tmp_path):
    model = build("llama", vocabulary=300, context=32, seed=1)
    codec = create("uniform", bits=4)
    path = tmp_path / "model.safetensors"
    save_quantized(model, codec, quantized(model, codec), path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(AtlasError, match="cannot be read"):
        load_quantized(path)


def test_a_file_without_one_of_its_tensors_is_refused(tmp_path):
    model = build("llama", vocabulary=300, context=32, seed=1)
    codec = create("uniform", bits=4)
    save_quantized(model, codec, quantized(model, codec), tmp_path / "model.safetensors")
    with safe_open(tmp_path / "model.safetensors", "pt") as stored:
        tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
        described = stored.metadata()
    del tensors["model.norm.weight"]
    save_file(tensors, tmp_path / "lacking.safetensors", described)
    with pytest.raises(AtlasError, match=r"lacking\.safetensors: lacks model\.norm\.weight"):
        load_quantized(tmp_path / "lacking.safetensors")
