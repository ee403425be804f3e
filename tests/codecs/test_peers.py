import importlib.util
import math
import sys

import numpy as np
import pytest
import torch

from qatlas.codecs import CodecError, Context, Encoded, create
from qatlas.codecs.measure import measure_codec
from qatlas.codecs.peers import INSTALL, is_installed, missing_packages, package_of, versions

BITSANDBYTES = [
    {"data_type": data_type, "granularity": block, "double_quantization": nested}
    for data_type, block in [("nf4", 64), ("fp4", 128)]
    for nested in (False, True)
]
GGUF = {
    "Q4_0": 4.5,
    "Q4_1": 5.0,
    "Q5_0": 5.5,
    "Q5_1": 6.0,
    "Q8_0": 8.5,
    "TQ1_0": 1.6875,
    "TQ2_0": 2.0625,
    "MXFP4": 4.25,
}
HQQ = {1: 1.0, 2: 2.0, 3: 3.2, 4: 4.0, 5: 8.0, 6: 8.0, 8: 8.0}
"""Stored bits of a code, by bits."""
TORCHAO = [
    {"data_type": "int8", "granularity": "tensor"},
    {"data_type": "int8", "granularity": "channel", "dtype": "float32"},
    {"data_type": "int8", "granularity": 64},
    {"data_type": "int4", "granularity": 32},
    {"data_type": "int4", "granularity": 128, "dtype": "float16"},
]
POINTS = [
    *(("bitsandbytes_4bit", point) for point in BITSANDBYTES),
    *(("gguf_block", {"data_type": data_type}) for data_type in GGUF),
    *(("hqq_group", {"bits": bits}) for bits in HQQ),
    ("hqq_group", {"bits": 4, "granularity": 32, "dtype": "bfloat16"}),
    *(("torchao_weight_only", point) for point in TORCHAO),
]
every_point = pytest.mark.parametrize(("name", "point"), POINTS)


def student(*shape):
    weights = np.random.default_rng(5).standard_t(5, shape)
    return torch.from_numpy(weights.astype(np.float32))


def peer_codec(name, **point):
    pytest.importorskip(name.partition("_")[0])
    return create(name, **point)


def same_arrays(one, other):
    return one.arrays.keys() == other.arrays.keys() and all(
        array.tobytes() == other.arrays[key].tobytes() for key, array in one.arrays.items()
    )


@pytest.mark.parametrize("data_type", GGUF)
def test_a_block_of_gguf_is_charged_whole(data_type):
    codec = peer_codec("gguf_block", data_type=data_type)
    measured = measure_codec(student(16, 512), codec, Context())
    assert measured.rate.total == GGUF[data_type]
    assert measured.rate.payload == codec.nominal_bits
    assert measured.rate.payload + measured.rate.scale + measured.rate.zero_point == GGUF[data_type]


@pytest.mark.parametrize("data_type", GGUF)
def test_gguf_decodes_what_it_would_alone(data_type):
    codec = peer_codec("gguf_block", data_type=data_type)
    import gguf

    weight = student(16, 512)
    kind = gguf.GGMLQuantizationType[data_type]
    expected = gguf.dequantize(gguf.quantize(weight.numpy(), kind), kind)
    decoded = codec.decode(codec.encode(weight, Context()))
    assert np.array_equal(decoded.numpy(), expected)


@pytest.mark.parametrize("point", BITSANDBYTES)
@pytest.mark.parametrize("shape", [(64, 256), (3, 17), (40, 1), (1, 1)])
def test_bitsandbytes_decodes_what_it_would_alone(point, shape):
    codec = peer_codec("bitsandbytes_4bit", **point)
    from bitsandbytes import functional

    weight = student(*shape)
    even = torch.nn.functional.pad(weight.reshape(-1), (0, weight.numel() % 2))
    with_one_thread = torch.get_num_threads()
    torch.set_num_threads(1)
    packed, state = functional.quantize_4bit(
        even,
        blocksize=point["granularity"],
        quant_type=point["data_type"],
        compress_statistics=point["double_quantization"],
    )
    torch.set_num_threads(with_one_thread)
    expected = functional.dequantize_4bit(packed, state).reshape(-1)[: weight.numel()]
    decoded = codec.decode(codec.encode(weight, Context()))
    assert torch.equal(decoded, expected.view(shape))


def test_bitsandbytes_is_charged_as_it_stores():
    weights = 256 * 512
    plain = peer_codec("bitsandbytes_4bit").encode(student(256, 512), Context())
    assert plain.bits() == {
        "payload": 4 * weights,
        "scale": 32 * weights // 64,
        "zero_point": 0,
        "codebook": 32 * 16,
        "other": 0,
    }
    nested = peer_codec("bitsandbytes_4bit", double_quantization=True)
    charged = nested.encode(student(256, 512), Context()).bits()
    assert charged["scale"] == 8 * weights // 64 + 32 * weights // 64 // 256 + 32
    assert charged["codebook"] == 32 * (16 + 256)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"data_type": "nf4"}, ("bitsandbytes_4bit", {"data_type": "nf4"})),
        ({"data_type": "fp4_bitsandbytes"}, ("bitsandbytes_4bit", {"data_type": "fp4"})),
        ({"data_type": "q4_0"}, ("gguf_block", {"data_type": "Q4_0"})),
        ({"data_type": "q8_0"}, ("gguf_block", {"data_type": "Q8_0"})),
    ],
)
def test_the_same_format_here_and_there_has_the_same_distortion(ours, theirs):
    weight = student(64, 512)
    outside = measure_codec(weight, peer_codec(theirs[0], **theirs[1]), Context())
    inside = measure_codec(weight, create("formats", **ours), Context())
    assert inside.distortion == outside.distortion
    assert inside.rate.payload == outside.rate.payload
    assert inside.rate.scale == outside.rate.scale


@pytest.mark.parametrize("bits", HQQ)
@pytest.mark.parametrize(("dtype", "width"), [("float16", 16), ("float32", 32)])
def test_hqq_is_charged_as_it_stores(bits, dtype, width):
    codec = peer_codec("hqq_group", bits=bits, dtype=dtype)
    # Groups of 64, whose number ten divides, as 3-bit codes lie in an int32.
    rate = measure_codec(student(40, 512), codec, Context()).rate
    assert rate.payload == pytest.approx(HQQ[bits])
    assert rate.scale == rate.zero_point == width / 64
    assert rate.total == rate.payload + rate.scale + rate.zero_point
    assert codec.nominal_bits == bits


@pytest.mark.parametrize("bits", HQQ)
@pytest.mark.parametrize("shape", [(16, 512), (24, 40), (9, 128)])
def test_hqq_decodes_what_its_layer_would(bits, shape):
    codec = peer_codec("hqq_group", bits=bits, granularity=8)
    from hqq.core.quantize import HQQLinear, hqq_base_quant_config

    linear = torch.nn.Linear(shape[1], shape[0], bias=False)
    linear.weight.data = student(*shape)
    layer = HQQLinear(linear, hqq_base_quant_config(bits, 8), device="cpu")
    decoded = codec.decode(codec.encode(student(*shape), Context()))
    assert torch.equal(decoded, layer.dequantize().float())


def test_what_hqq_cannot_pack_or_store_is_refused():
    with pytest.raises(CodecError, match="at 1 bits takes a multiple of 512 weights; found 768"):
        peer_codec("hqq_group", bits=1).encode(student(3, 256), Context())
    with pytest.raises(CodecError, match="do not fit dtype 'float16': use 'bfloat16' or"):
        peer_codec("hqq_group", bits=4).encode(student(4, 256) * 1e7, Context())
    with pytest.raises(CodecError, match="multiple of 8"):
        create("hqq_group", bits=4, granularity=20)


@pytest.mark.parametrize("granularity", ["tensor", "channel", 64])
def test_torchaos_int8_decodes_and_stores_what_its_layer_would(granularity):
    codec = peer_codec(
        "torchao_weight_only", data_type="int8", granularity=granularity, dtype="float32"
    )
    from torchao.quantization import Int8WeightOnlyConfig, PerGroup, PerRow, PerTensor, quantize_

    blocks = {"tensor": PerTensor(), "channel": PerRow(), 64: PerGroup(64)}[granularity]
    linear = torch.nn.Linear(512, 48, bias=False)
    linear.weight.data = student(48, 512)
    quantize_(linear, Int8WeightOnlyConfig(granularity=blocks, set_inductor_config=False))
    encoded = codec.encode(student(48, 512), Context())
    assert torch.equal(codec.decode(encoded), linear.weight.dequantize())
    names, _ = linear.weight.__tensor_flatten__()
    stored = sum(getattr(linear.weight, name).nbytes for name in names)
    assert sum(encoded.bits().values()) == 8 * stored


@pytest.mark.parametrize("rows", [48, 50])
def test_torchaos_int4_is_packed_and_decodes_to_scaled_codes(rows):
    codec = peer_codec("torchao_weight_only", data_type="int4", granularity=32, dtype="float32")
    from torchao.quantization import quant_primitives as primitives

    weight = student(rows, 512)
    grid = weight, primitives.MappingType.ASYMMETRIC, [1, 32], torch.int32, 0, 15, 1e-6
    scale, zero = primitives._choose_qparams_affine_tinygemm(*grid, None, torch.float32)
    blocks = weight.view(rows, 16, 32)
    codes = ((blocks - zero[..., None]) / scale[..., None]).add(8).round().clamp(0, 15)
    encoded = codec.encode(weight, Context())
    expected = ((codes - 8) * scale[..., None] + zero[..., None]).view(rows, 512)
    assert torch.allclose(codec.decode(encoded), expected, rtol=1e-5, atol=1e-5)
    padded = -(-rows // 16) * 16
    assert encoded.bits() == {
        "payload": 4 * padded * 512,
        "scale": 32 * padded * 16,
        "zero_point": 32 * padded * 16,
        "codebook": 0,
        "other": 0,
    }


def test_what_torchao_does_not_take_is_refused():
    with pytest.raises(CodecError, match="granularity of data_type 'int4' should be 32 or 64"):
        create("torchao_weight_only", data_type="int4", granularity="channel")
    with pytest.raises(CodecError, match="granularity 64 takes rows of whole groups; found rows"):
        peer_codec("torchao_weight_only", data_type="int8", granularity=64).encode(
            student(4, 40), Context()
        )


@pytest.mark.parametrize(("name", "point"), POINTS)
def test_whether_a_package_is_there_is_known_without_importing_it(name, point, monkeypatch):
    codec = create(name, **point)
    package = package_of(codec)
    assert package == name.partition("_")[0]
    assert (versions([codec])[package] is None) == (not is_installed(package))
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *_: None if name == package else find(name)
    )
    monkeypatch.setitem(sys.modules, package, None)
    assert not is_installed(package)
    assert missing_packages([codec, create("uniform", bits=4)]) == (package,)
    assert versions([codec]) == {package: None}


def test_a_folder_of_a_packages_name_is_not_the_package(tmp_path, monkeypatch):
    (tmp_path / "no_such_quantizer").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    assert not is_installed("no_such_quantizer")
    (tmp_path / "no_such_quantizer/__init__.py").touch()
    importlib.invalidate_caches()
    assert is_installed("no_such_quantizer")


def test_what_needs_no_package_lacks_none():
    plain = create("rotate", inner={"codec": "uniform", "bits": 4})
    assert package_of(plain) is None
    assert (versions([plain]), missing_packages([plain])) == ({}, ())


@every_point
def test_stored_and_loaded_it_decodes_alike_from_any_dtype_and_order(name, point, tmp_path):
    codec = peer_codec(name, **point)
    weight = student(8, 512).bfloat16()
    before = weight.clone()
    encoded = codec.encode(weight, Context())
    assert torch.equal(weight, before)
    encoded.save(tmp_path / "weight.safetensors")
    decoded = codec.decode(Encoded.load(tmp_path / "weight.safetensors"))
    assert torch.equal(decoded, codec.decode(encoded))
    assert (decoded.shape, decoded.dtype) == ((8, 512), torch.float32)
    for variant in (weight.half(), weight.float(), weight.double(), weight.t().contiguous().t()):
        # float16 holds all but the smallest of these bfloat16 weights exactly.
        expected = (
            encoded
            if variant.dtype != torch.float16
            else codec.encode(weight.half().float(), Context())
        )
        assert same_arrays(codec.encode(variant, Context()), expected)


@every_point
def test_zeros_outliers_and_empty_matrices_are_survived(name, point):
    codec = peer_codec(name, **point)
    assert not codec.decode(codec.encode(torch.zeros(4, 256), Context())).any()
    weight = student(4, 256)
    weight[2, 9] = 1e4
    decoded = codec.decode(codec.encode(weight, Context()))
    assert (decoded - weight).abs().max() <= 1e4
    for shape in [(0, 256), (4, 0)]:
        encoded = codec.encode(torch.empty(shape), Context())
        assert encoded.bits()["payload"] == 0
        assert codec.decode(encoded).shape == shape


@every_point
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_nan_and_infinity_are_refused(name, point, value):
    codec = peer_codec(name, **point)
    weight = student(4, 256)
    weight[0, 3] = value
    with pytest.raises(CodecError, match="NaN or Inf"):
        codec.encode(weight, Context())


@every_point
def test_weights_beyond_float32_are_refused(name, point):
    with pytest.raises(CodecError, match=r"range of float32|do not fit dtype"):
        peer_codec(name, **point).encode(student(4, 256).double() * 1e300, Context())


@pytest.mark.parametrize(
    ("name", "point"),
    [
        ("bitsandbytes_4bit", {"double_quantization": True, "granularity": 32}),
        ("hqq_group", {"bits": 2}),
        ("torchao_weight_only", {"data_type": "int4", "granularity": 64}),
    ],
)
def test_the_number_of_threads_does_not_matter(name, point):
    codec = peer_codec(name, **point)
    weight = student(2048, 1024)
    threads = torch.get_num_threads()
    found = []
    for count in (1, 2):
        torch.set_num_threads(count)
        found.append(codec.encode(weight, Context()))
        assert torch.get_num_threads() == count
    torch.set_num_threads(threads)
    assert same_arrays(*found)


@pytest.mark.parametrize("data_type", ["Q4_0", "TQ1_0"])
def test_rows_of_broken_blocks_are_refused(data_type):
    with pytest.raises(CodecError, match=r"whole blocks of \d+ weights; found rows of 40"):
        peer_codec("gguf_block", data_type=data_type).encode(student(4, 40), Context())


def test_scales_beyond_float16_are_refused():
    with pytest.raises(CodecError, match="do not fit the scales of data_type 'TQ2_0'"):
        peer_codec("gguf_block", data_type="TQ2_0").encode(student(4, 256) * 1e7, Context())


@pytest.mark.parametrize(
    ("name", "point", "package"),
    [
        ("bitsandbytes_4bit", {}, "bitsandbytes"),
        ("gguf_block", {"data_type": "Q4_0"}, "gguf"),
        ("hqq_group", {"bits": 4}, "hqq"),
        ("torchao_weight_only", {"data_type": "int8", "granularity": "channel"}, "torchao"),
        ("rotate", {"inner": {"codec": "hqq_group", "bits": 4}}, "hqq"),
    ],
)
def test_a_missing_package_is_named(name, point, package, monkeypatch):
    codec = create(name, **point)
    assert package_of(codec) == package
    for module in [key for key in sys.modules if key.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setattr(sys, "meta_path", [])
    with pytest.raises(CodecError, match=f"package '{package}'.*{INSTALL}"):
        codec.encode(student(4, 256), Context())
