import math
import sys

import numpy as np
import pytest
import torch

from qatlas.codecs import CodecError, Context, Encoded, create
from qatlas.codecs.measure import measure_codec

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
POINTS = [
    *(("bitsandbytes_4bit", point) for point in BITSANDBYTES),
    *(("gguf_block", {"data_type": data_type}) for data_type in GGUF),
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
    with pytest.raises(CodecError, match="range of float32"):
        peer_codec(name, **point).encode(student(4, 256).double() * 1e300, Context())


def test_the_number_of_threads_does_not_matter():
    codec = peer_codec("bitsandbytes_4bit", double_quantization=True, granularity=32)
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
    ],
)
def test_a_missing_package_is_named(name, point, package, monkeypatch):
    codec = create(name, **point)
    for module in [key for key in sys.modules if key.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setattr(sys, "meta_path", [])
    with pytest.raises(CodecError, match=f"package '{package}'.*pip install {package}"):
        codec.encode(student(4, 256), Context())
