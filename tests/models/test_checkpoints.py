import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from qatlas.errors import AtlasError
from qatlas.models.layers import linear_layers
from qatlas.models.prequantized.ancestry import moved_tensors, require_architecture
from qatlas.models.prequantized.opening import open_prequantized
from tests.models.packers import (
    AWQ_CONFIG,
    awq,
    compressed,
    compressed_config,
    eight_bit_floats,
    eight_bit_integers,
    gptq,
    gptq_config,
    gptq_words,
    only_tensors,
    rounded,
    small_llama,
    unpacked,
    write_checkpoint,
    write_config,
)

PACKED = {
    **{
        f"gptq, {bits} bits, {version}, groups of {group}": (
            gptq(bits, group, version),
            gptq_config(bits, version),
        )
        for bits, version in (
            *((bits, "gptq") for bits in (2, 4, 8)),
            *((bits, "gptq_v2") for bits in (2, 3, 4, 8)),
        )
        for group in (32, -1)
    },
    "gptq, symmetric": (gptq(4, 32, "gptq", symmetric=True), gptq_config(4, "gptq", sym=True)),
    "gptq, columns in order of activation": (
        gptq(4, 32, "gptq", ordered=True),
        gptq_config(4, "gptq", desc_act=True),
    ),
    "awq": (awq(32), AWQ_CONFIG),
    "awq, a scale a channel": (awq(-1), AWQ_CONFIG),
    "integers of 4 bits": (compressed(4, 32), compressed_config(4)),
    "integers of 4 bits, a scale a channel": (compressed(4, -1), compressed_config(4)),
    "integers of 8 bits": (compressed(8, 32), compressed_config(8)),
    "integers of 4 bits, zero points": (compressed(4, 32, False), compressed_config(4)),
    "integers of 4 bits, zero points in bytes": (
        compressed(4, 32, False, packed_zeros=False),
        compressed_config(4),
    ),
    "integers of 4 bits, columns in order of activation": (
        compressed(4, 32, False, ordered=True),
        compressed_config(4),
    ),
    "integers in bytes": (eight_bit_integers, compressed_config(8, "int-quantized")),
    "floats of 8 bits": (eight_bit_floats, compressed_config(8, "float-quantized")),
}


@pytest.fixture(scope="module")
def model():
    return small_llama()


def opened(folder, model, quantize, described):
    write_checkpoint(folder, model, only_tensors(quantize), described)
    return open_prequantized(folder, "theirs")


def kept_of(model):
    names = {layer.tensor for layer in linear_layers(model, keep=())}
    return {name: p.detach() for name, p in model.named_parameters() if name not in names}


def check(checkpoint, model, base="ours"):
    require_architecture(checkpoint, model, base)
    return moved_tensors(checkpoint, model, kept_of(model), base)


@pytest.mark.parametrize("case", PACKED)
def test_weights_are_what_was_packed_and_every_stored_byte_is_charged(case, model, tmp_path):
    quantize, described = PACKED[case]
    checkpoint = opened(tmp_path, model, quantize, described)
    total = 0
    for layer in linear_layers(model, keep=()):
        tensors, expected = quantize(layer.weight)
        found = checkpoint.unpack(layer)
        assert found.weight.dtype == torch.float32
        torch.testing.assert_close(found.weight, expected, rtol=1e-6, atol=1e-7)
        bits = sum(found.encoded.bits().values())
        assert bits == 8 * sum(tensor.nbytes for tensor in tensors.values())
        total += bits
    kept = 16 * sum(parameter.numel() for parameter in kept_of(model).values())
    assert checkpoint.stored_bits == total + kept
    assert check(checkpoint, model) == []


def test_what_codes_and_scales_take_is_told_apart(model, tmp_path):
    checkpoint = opened(tmp_path, model, gptq(4, 32), gptq_config(4))
    layer = linear_layers(model, keep=())[0]
    bits = checkpoint.unpack(layer).encoded.bits()
    weights, groups = layer.weight.numel(), layer.weight.numel() // 32
    assert bits["payload"] == 4 * weights
    assert bits["scale"] == 16 * groups
    assert bits["zero_point"] == 4 * groups
    assert bits["other"] == 32 * layer.weight.shape[1]


def test_zero_points_of_0_come_back_from_words_that_were_lowered_as_a_whole(model, tmp_path):
    def quantize(weight):
        codes, zeros, scales, group_of = rounded(weight, 4, 32)
        zeros = torch.arange(zeros.numel(), dtype=torch.int32).remainder(3).view(zeros.shape)
        tensors = {
            "qweight": gptq_words(codes.T, 4),
            "qzeros": gptq_words(zeros, 4).T - 0x11111111,
            "scales": scales.T,
        }
        return tensors, unpacked(codes, zeros, scales, group_of)

    checkpoint = opened(tmp_path, model, quantize, gptq_config(4, "gptq"))
    for layer in linear_layers(model, keep=()):
        assert torch.equal(checkpoint.unpack(layer).weight, quantize(layer.weight)[1])


def test_a_checkpoint_in_several_files_is_read_through_its_index(model, tmp_path):
    quantize, described = PACKED["awq"]
    whole = opened(tmp_path / "whole", model, quantize, described)
    tensors = load_file(tmp_path / "whole/model.safetensors")
    parts = tmp_path / "parts"
    parts.mkdir()
    files = [f"model-0000{n}-of-00002.safetensors" for n in (1, 2)]
    places = {name: files[number % 2] for number, name in enumerate(tensors)}
    for file in files:
        save_file({n: t for n, t in tensors.items() if places[n] == file}, parts / file)
    index = {"metadata": {}, "weight_map": places}
    (parts / "model.safetensors.index.json").write_text(json.dumps(index))
    write_config(parts, model, described)
    checkpoint = open_prequantized(parts, "theirs")
    for layer in linear_layers(model, keep=()):
        assert torch.equal(checkpoint.unpack(layer).weight, whole.unpack(layer).weight)


def test_a_layer_that_is_not_quantized_is_taken_and_charged_as_it_is(model, tmp_path):
    tensors = write_checkpoint(tmp_path, model, only_tensors(gptq(4, 32)), gptq_config(4))
    plain = linear_layers(model, keep=())[3]
    begin = plain.tensor.removesuffix("weight")
    tensors = {name: t for name, t in tensors.items() if not name.startswith(begin)}
    tensors[plain.tensor] = plain.weight.half()
    save_file({n: t.contiguous() for n, t in tensors.items()}, tmp_path / "model.safetensors")
    found = open_prequantized(tmp_path, "theirs").unpack(plain)
    assert torch.equal(found.weight, plain.weight.half().float())
    assert found.encoded.bits()["payload"] == 16 * plain.weight.numel()


CHANGES = {
    "another method": (
        {"quant_method": "gguf"},
        r"config\.json: quantization_config.quant_method is 'gguf'; allowed: awq, bitsandbytes",
    ),
    "other bits": ({"bits": 5}, "quantization_config.bits is 5; allowed: 2, 3, 4, 8"),
    "3 bits with lowered zero points": (
        {"bits": 3, "checkpoint_format": "gptq"},
        "quantization_config.bits is 3, .* allowed with checkpoint_format 'gptq_v2'",
    ),
    "packed for a kernel": (
        {"checkpoint_format": "marlin"},
        "quantization_config.checkpoint_format is 'marlin'; allowed: gptq, gptq_v2",
    ),
    "layers that differ": ({"dynamic": {"+:.*": {"bits": 8}}}, "quantization_config.dynamic is"),
    "awq for another kernel": (
        AWQ_CONFIG | {"version": "gemv"},
        "quantization_config.version is 'gemv'; allowed: 'gemm'",
    ),
    "awq of other bits": (AWQ_CONFIG | {"bits": 3}, "quantization_config.bits is 3; allowed: 4"),
    "compressed otherwise": (
        compressed_config(4, "marlin-24"),
        "quantization_config.format is 'marlin-24'; allowed: 'pack-quantized'",
    ),
    "compressed to other bits": (compressed_config(3), "num_bits 3; allowed for pack-quantized"),
    "pruned": (
        compressed_config(4, sparsity_config={"format": "sparse-24-bitmask"}),
        "quantization_config.sparsity_config is",
    ),
    "rotated": (
        compressed_config(4, transform_config={"config_groups": {"u": {}}}),
        "quantization_config.transform_config is",
    ),
    "8 bits of bitsandbytes": (
        {"quant_method": "bitsandbytes", "load_in_8bit": True},
        "quantization_config.load_in_4bit is None; allowed: True",
    ),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_variant_that_is_not_read_is_named_with_its_key(case, model, tmp_path):
    change, message = CHANGES[case]
    write_checkpoint(tmp_path, model, only_tensors(gptq(4, 32)), gptq_config(4))
    write_config(tmp_path, model, gptq_config(4) | change)
    with pytest.raises(AtlasError, match=message) as raised:
        open_prequantized(tmp_path, "theirs")
    assert "checkpoint theirs" in str(raised.value)


def test_a_folder_of_something_else_is_refused(model, tmp_path):
    with pytest.raises(AtlasError, match=r"config\.json cannot be read .*take the whole folder"):
        open_prequantized(tmp_path / "nowhere", "theirs")
    model.save_pretrained(tmp_path)
    with pytest.raises(AtlasError, match=r"has no quantization_config.*under function\.models"):
        open_prequantized(tmp_path, "theirs")


def test_tensors_that_are_missing_or_strange_are_named(model, tmp_path):
    layer = linear_layers(model, keep=())[0]
    begin = layer.tensor.removesuffix("weight")
    tensors = write_checkpoint(tmp_path, model, only_tensors(gptq(4, 32)), gptq_config(4))

    def unpacked_with(changes):
        changed = {n: t for n, t in (tensors | changes).items() if t is not None}
        save_file({n: t.contiguous() for n, t in changed.items()}, tmp_path / "model.safetensors")
        return open_prequantized(tmp_path, "theirs").unpack(layer)

    with pytest.raises(AtlasError, match=r"layers\.0\.self_attn\.q_proj\.scales: missing"):
        unpacked_with({f"{begin}scales": None})
    with pytest.raises(AtlasError, match=r"q_proj: rotation in .* is not read"):
        unpacked_with({f"{begin}rotation": torch.zeros(2)})
    with pytest.raises(AtlasError, match=r"q_proj\.qweight: found torch\.int32 of shape \(8, 8\)"):
        unpacked_with({f"{begin}qweight": torch.zeros(8, 8, dtype=torch.int32)})
    groups = torch.arange(64, dtype=torch.int32).clamp(max=9)
    with pytest.raises(AtlasError, match=r"q_proj\.g_idx: names groups 0 to 9; allowed are 0 to 1"):
        unpacked_with({f"{begin}g_idx": groups})


def test_a_quantized_head_is_refused(model, tmp_path):
    quantize = only_tensors(gptq(4, 32))
    tensors = write_checkpoint(tmp_path, model, quantize, gptq_config(4))
    made = quantize(model.get_input_embeddings().weight.detach())
    tensors |= {f"model.embed_tokens.{suffix}": t for suffix, t in made.items()}
    save_file({n: t.contiguous() for n, t in tensors.items()}, tmp_path / "model.safetensors")
    with pytest.raises(AtlasError, match=r"embed_tokens\.weight is quantized"):
        check(open_prequantized(tmp_path, "theirs"), model)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_rounding_to_the_types_of_the_checkpoint_is_no_other_model(dtype, model, tmp_path):
    write_checkpoint(tmp_path, model, only_tensors(gptq(4, 32)), gptq_config(4), dtype)
    assert check(open_prequantized(tmp_path, "theirs"), model) == []


def test_another_architecture_is_refused_with_both_values(model, tmp_path):
    other = small_llama(num_hidden_layers=3)
    checkpoint = opened(tmp_path, other, gptq(4, 32), gptq_config(4))
    with pytest.raises(AtlasError, match="num_hidden_layers: 3, ours has 2") as raised:
        check(checkpoint, model)
    assert "name as its base the model that it was made from" in str(raised.value)


def test_another_training_is_refused_with_the_tensor_and_both_values(model, tmp_path):
    checkpoint = opened(tmp_path, small_llama(seed=1), gptq(4, 32), gptq_config(4))
    with pytest.raises(
        AtlasError, match=r"model\.embed_tokens\.weight .* is not that of ours"
    ) as raised:
        check(checkpoint, model)
    assert "rounded to float16: weight" in str(raised.value)
    assert "an instruct model is another model" in str(raised.value)


def test_norms_may_move_where_tools_move_scales_into_them_and_nowhere_else(tmp_path):
    tuned = small_llama()
    with torch.no_grad():
        tuned.model.layers[0].input_layernorm.weight *= 1.5
    name = "model.layers.0.input_layernorm.weight"
    checkpoint = opened(tmp_path / "awq", tuned, awq(32), AWQ_CONFIG)
    assert check(checkpoint, small_llama()) == [name]
    checkpoint = opened(tmp_path / "gptq", tuned, gptq(4, 32), gptq_config(4))
    with pytest.raises(AtlasError, match=r"input_layernorm\.weight .* is not that of ours"):
        check(checkpoint, small_llama())
