"""Checkpoints made by the tools themselves, against what these unpack them to."""

import pytest
import torch

from qatlas.models.layers import linear_layers
from qatlas.models.prequantized.opening import open_prequantized
from tests.models.packers import gptq_config, rounded, small_llama, write_checkpoint

BNB_CONFIG = {"quant_method": "bitsandbytes", "load_in_4bit": True, "load_in_8bit": False}


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("kind", ["nf4", "fp4"])
@pytest.mark.parametrize("block", [64, 128])
def test_weights_are_those_that_bitsandbytes_decodes(kind, nested, block, tmp_path):
    functional = pytest.importorskip("bitsandbytes.functional")
    model = small_llama()
    decoded = []

    def quantize(weight):
        options = {"quant_type": kind, "blocksize": block, "compress_statistics": nested}
        packed, state = functional.quantize_4bit(weight.half(), **options)
        # On the CPU it decodes rightly only where blocks end with rows, as in a single row.
        flat, exact = functional.quantize_4bit(weight.half().reshape(1, -1), **options)
        exact.dtype = torch.float32
        decoded.append(functional.dequantize_4bit(flat, exact).view(weight.shape))
        beside = {f"weight.{name}": tensor for name, tensor in state.as_dict(packed=True).items()}
        return {"weight": packed, **beside}

    write_checkpoint(tmp_path, model, quantize, BNB_CONFIG)
    checkpoint = open_prequantized(tmp_path, "theirs")
    for layer, expected in zip(linear_layers(model, keep=()), decoded, strict=True):
        found = checkpoint.unpack(layer)
        torch.testing.assert_close(found.weight, expected, rtol=1e-6, atol=1e-7)
        assert found.encoded.bits()["payload"] == 4 * layer.weight.numel()


@pytest.mark.parametrize("nested", [False, True])
def test_a_checkpoint_that_transformers_saved_is_what_transformers_runs(nested, tmp_path):
    pytest.importorskip("bitsandbytes")
    pytest.importorskip("accelerate")
    from bitsandbytes.functional import dequantize_4bit
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    base = small_llama(hidden_size=128, intermediate_size=192).half()
    base.save_pretrained(tmp_path / "base")
    config = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=nested,
        bnb_4bit_compute_dtype=torch.float16,
    )
    theirs = AutoModelForCausalLM.from_pretrained(
        tmp_path / "base", quantization_config=config, device_map="cpu", dtype=torch.float16
    )
    theirs.save_pretrained(tmp_path / "theirs")
    checkpoint = open_prequantized(tmp_path / "theirs", "theirs")
    modules = dict(theirs.named_modules())
    for layer in linear_layers(base, keep=()):
        weight = modules[layer.tensor.removesuffix(".weight")].weight
        expected = dequantize_4bit(weight.data, weight.quant_state)
        assert torch.equal(checkpoint.unpack(layer).weight.to(expected.dtype), expected)


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("group", [-1, 32])
@pytest.mark.parametrize("bits", [2, 4, 8])
def test_weights_are_those_that_compressed_tensors_decompresses(bits, group, symmetric, tmp_path):
    compressors = pytest.importorskip("compressed_tensors.compressors.base")
    quantization = pytest.importorskip("compressed_tensors.quantization")
    tool = compressors.BaseCompressor.get_value_from_registry("pack-quantized")
    scheme = quantization.QuantizationScheme(
        targets=["Linear"],
        weights=quantization.QuantizationArgs(
            num_bits=bits,
            symmetric=symmetric,
            strategy="channel" if group < 0 else "group",
            group_size=None if group < 0 else group,
        ),
    )
    model = small_llama()
    decompressed = []

    def quantize(weight):
        _, zeros, scales, _ = rounded(weight, bits, group, symmetric)
        given = {"weight": weight.clone(), "weight_scale": scales.float()}
        if not symmetric:
            given["weight_zero_point"] = (zeros - 2 ** (bits - 1)).to(torch.int8)
        made = tool.compress(given, scheme)
        decompressed.append(tool.decompress(dict(made), scheme)["weight"])
        return made

    described = {
        "quant_method": "compressed-tensors",
        "format": "pack-quantized",
        "config_groups": {"group_0": scheme.model_dump(mode="json")},
    }
    write_checkpoint(tmp_path, model, quantize, described)
    checkpoint = open_prequantized(tmp_path, "theirs")
    for layer, expected in zip(linear_layers(model, keep=()), decompressed, strict=True):
        found = checkpoint.unpack(layer).weight
        torch.testing.assert_close(found, expected.float(), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    ("bits", "version"),
    [(2, "gptq"), (4, "gptq"), (8, "gptq"), *((bits, "gptq_v2") for bits in (2, 3, 4, 8))],
)
def test_weights_are_those_that_gptqmodel_packs_and_decodes(bits, version, tmp_path):
    tool = pytest.importorskip("gptqmodel.nn_modules.qlinear.torch")
    model = small_llama()
    decoded = []

    def quantize(weight):
        _, zeros, scales, group_of = rounded(weight, bits, 32)
        rows, columns = weight.shape
        made = tool.TorchLinear(bits, 32, False, False, columns, rows)
        linear = torch.nn.Linear(columns, rows, bias=False)
        linear.weight.data.copy_(weight)
        made.pack(linear, scales.float(), zeros.float(), group_of)
        made.post_init()
        decoded.append(made.dequantize_weight().T.float())
        stored = {name: getattr(made, name) for name in ("qweight", "qzeros", "scales", "g_idx")}
        if version == "gptq":
            # What GPTQModel subtracts when it saves: one from every code, a word at a time.
            stored["qzeros"] = stored["qzeros"] - sum(1 << place for place in range(0, 32, bits))
        return {name: tensor.clone() for name, tensor in stored.items()}

    write_checkpoint(tmp_path, model, quantize, gptq_config(bits, version))
    checkpoint = open_prequantized(tmp_path, "theirs")
    for layer, expected in zip(linear_layers(model, keep=()), decoded, strict=True):
        found = checkpoint.unpack(layer).weight
        # It decodes in half precision.
        torch.testing.assert_close(found, expected, rtol=2**-10, atol=1e-6)
