"""Quantized checkpoints as other tools write them: packed code by code, as their layouts say."""

import json

import numpy as np
import torch
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM

from qatlas.models.layers import linear_layers

AWQ_ORDER = (0, 2, 4, 6, 1, 3, 5, 7)


def small_llama(seed=0, **changes):
    torch.manual_seed(seed)
    described = {
        "vocab_size": 64,
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 128,
        "initializer_range": 0.3,
        "tie_word_embeddings": True,
    }
    return LlamaForCausalLM(LlamaConfig(**described | changes)).eval()


def write_checkpoint(folder, model, quantize, quantization_config, dtype=torch.float16):
    """A folder with all linear layers quantized; ``quantize`` makes tensors, by suffix, of one."""
    folder.mkdir(parents=True, exist_ok=True)
    layers = {layer.tensor: layer for layer in linear_layers(model, keep=())}
    tensors = {}
    for name, parameter in model.named_parameters():
        if name in layers:
            made = quantize(layers[name].weight.float())
            tensors |= {f"{name.removesuffix('weight')}{s}": t for s, t in made.items()}
        else:
            tensors[name] = parameter.detach().to(dtype)
    save_file({name: t.contiguous() for name, t in tensors.items()}, folder / "model.safetensors")
    write_config(folder, model, quantization_config)
    return tensors


def write_config(folder, model, quantization_config, **changes):
    described = model.config.to_dict() | {"quantization_config": quantization_config} | changes
    (folder / "config.json").write_text(json.dumps(described))


def rounded(weight, bits, group, symmetric=False, group_of=None):
    """Codes (out, in), zero points and float16 scales (out, groups), groups of input channels."""
    columns = weight.shape[1]
    group = columns if group < 0 else group
    group_of = torch.arange(columns) // group if group_of is None else group_of
    count, top = int(group_of.max()) + 1, 2**bits - 1
    low = torch.stack([weight[:, group_of == g].amin(1) for g in range(count)], 1).clamp(max=0)
    high = torch.stack([weight[:, group_of == g].amax(1) for g in range(count)], 1).clamp(min=0)
    if symmetric:
        high = torch.maximum(high, -low)
        low = -high
    scales = ((high - low) / top).half()
    zeros = torch.full_like(low, 2 ** (bits - 1)) if symmetric else (-low / scales.float()).round()
    zeros = zeros.clamp(0, top).int()
    codes = (weight / scales.float()[:, group_of]).round() + zeros[:, group_of]
    return codes.clamp(0, top).int(), zeros, scales, group_of.int()


def unpacked(codes, zeros, scales, group_of):
    """What a checkpoint says a weight is."""
    group_of = group_of.long()
    return (codes - zeros[:, group_of]).float() * scales.float()[:, group_of]


def gptq_words(codes, bits):
    """Pack the rows of (n, m) codes as AutoGPTQ does: 3 bits of a code may lie in two words."""
    codes = codes.numpy().astype(np.uint64)
    words = np.zeros((codes.shape[0] * bits // 32, codes.shape[1]), np.uint64)
    for row in range(codes.shape[0]):
        word, shift = divmod(row * bits, 32)
        words[word] |= codes[row] << np.uint64(shift) & np.uint64(0xFFFFFFFF)
        if shift + bits > 32:
            words[word + 1] |= codes[row] >> np.uint64(32 - shift)
    return torch.from_numpy(words.astype(np.uint32).view(np.int32))


def gptq(bits, group, version="gptq_v2", symmetric=False, ordered=False):
    def quantize(weight):
        group_of = None
        if ordered:
            places = np.random.default_rng(0).permutation(weight.shape[1])
            group_of = torch.from_numpy(places // group)
        codes, zeros, scales, group_of = rounded(weight, bits, group, symmetric, group_of)
        # The first version cannot store a zero point of 0, so that its writers clip it.
        if version == "gptq":
            zeros = zeros.clamp(min=1)
        stored = zeros - 1 if version == "gptq" else zeros
        tensors = {
            "qweight": gptq_words(codes.T, bits),
            "qzeros": gptq_words(stored, bits).T,
            "scales": scales.T,
            "g_idx": group_of,
        }
        return tensors, unpacked(codes, zeros, scales, group_of)

    return quantize


def awq(group):
    def quantize(weight):
        codes, zeros, scales, group_of = rounded(weight, 4, group)
        tensors = {
            "qweight": _awq_words(codes.T),
            "qzeros": _awq_words(zeros.T),
            "scales": scales.T,
        }
        return tensors, unpacked(codes, zeros, scales, group_of)

    return quantize


def _awq_words(codes):
    """Pack (n, m) codes along m, eight a word in the order of AutoAWQ's GEMM kernel."""
    codes = codes.numpy().astype(np.uint32)
    words = np.zeros((codes.shape[0], codes.shape[1] // 8), np.uint32)
    for word in range(words.shape[1]):
        for place, channel in enumerate(AWQ_ORDER):
            words[:, word] |= codes[:, 8 * word + channel] << np.uint32(4 * place)
    return torch.from_numpy(words.view(np.int32))


def compressed(bits, group, symmetric=True, ordered=False, packed_zeros=True):
    def quantize(weight):
        group_of = None
        if ordered:
            places = np.random.default_rng(0).permutation(weight.shape[1])
            group_of = torch.from_numpy(places // group)
        codes, zeros, scales, group_of = rounded(weight, bits, group, symmetric, group_of)
        tensors = {
            "weight_packed": _padded_words(codes, bits),
            "weight_scale": scales,
            "weight_shape": torch.tensor(weight.shape),
        }
        if not symmetric:
            packed = _padded_words(zeros.T, bits).T
            tensors["weight_zero_point"] = (
                packed if packed_zeros else (zeros - 2 ** (bits - 1)).to(torch.int8)
            )
        if ordered:
            tensors["weight_g_idx"] = group_of
        return tensors, unpacked(codes, zeros, scales, group_of)

    return quantize


def _padded_words(codes, bits):
    """Pack the columns of (n, m) codes, the last word filled up with zeros."""
    per_word = 32 // bits
    padded = torch.nn.functional.pad(codes, (0, -codes.shape[1] % per_word))
    return gptq_words(padded.T, bits).T


def eight_bit_integers(weight):
    scales = (weight.abs().amax(1, keepdim=True) / 127).half()
    codes = (weight / scales.float()).round().clamp(-128, 127).to(torch.int8)
    return {"weight": codes, "weight_scale": scales}, codes.float() * scales.float()


def eight_bit_floats(weight):
    scales = (weight.abs().amax() / 448).float().reshape(1)
    values = (weight / scales).to(torch.float8_e4m3fn)
    return {"weight": values, "weight_scale": scales}, values.float() * scales


def only_tensors(quantize):
    """As ``write_checkpoint`` takes it."""
    return lambda weight: quantize(weight)[0]


def gptq_config(bits, version="gptq_v2", **others):
    return {"quant_method": "gptq", "bits": bits, "checkpoint_format": version, **others}


AWQ_CONFIG = {"quant_method": "awq", "bits": 4, "group_size": 32, "version": "gemm"}


def compressed_config(bits, form="pack-quantized", **others):
    group = {"targets": ["Linear"], "weights": {"num_bits": bits, "type": "int"}}
    described = {"quant_method": "compressed-tensors", "format": form}
    return described | {"config_groups": {"group_0": group}} | others
