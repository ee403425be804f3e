import math

import ml_dtypes
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from qatlas.codecs import CodecError, Context, Encoded, create
from qatlas.codecs.families.formats import FORMATS
from qatlas.codecs.number_formats.data_types import data_type, nearest_codes, rounding_to
from qatlas.codecs.number_formats.scales import largest_weight
from qatlas.codecs.packing import unpack

NAMES = sorted(FORMATS)
POINTS = [
    *({"data_type": name} for name in NAMES),
    *(
        {"data_type": name, "granularity": granularity, "scale_dtype": scale_dtype}
        for name, granularity, scale_dtype in [
            ("nf4", 16, "float16"),
            ("nf4", "channel", "bfloat16"),
            ("nf4", 64, "double_quantized"),
            ("sf4", "tensor", "float32"),
            ("int4", 24, "e4m3"),
            ("fp4_e2m1", 128, "e8m0"),
            ("fp4_e2m1", "tensor", "e4m3"),
            ("fp8_e4m3", "channel", "float32"),
            ("fp8_e4m3", 32, "e8m0"),
            ("fp8_e5m2", 128, "float16"),
        ]
    ),
]
every_point = pytest.mark.parametrize("point", POINTS, ids=lambda p: "-".join(map(str, p.values())))
FLOATS = [torch.float16, torch.bfloat16, torch.float32, torch.float64]


def student(*shape, seed=5):
    weights = np.random.default_rng(seed).standard_t(5, shape)
    return torch.from_numpy(weights.astype(np.float32))


def encode(weight, **point):
    return create("formats", **point).encode(weight, Context())


def round_trip(weight, **point):
    codec = create("formats", **point)
    return codec.decode(codec.encode(weight, Context()))


def codes_of(encoded, bits=4):
    return unpack(encoded.arrays["payload"], bits, math.prod(encoded.shape)).reshape(encoded.shape)


def as_codes(numbers, name):
    blocks = np.asarray(numbers, np.float32).reshape(1, 1, -1)
    codes = np.empty(blocks.shape, np.uint8)
    nearest_codes(blocks, np.ones((1, 1), np.float32), rounding_to(name), codes)
    return codes.ravel()


# Levels


def test_normal_float_is_its_construction_and_symmetric_about_nothing_but_zero():
    outermost = (1 / 32 + 1 / 30) / 2
    quantiles = stats.norm.ppf(
        [*np.linspace(outermost, 0.5, 8), *np.linspace(0.5, 1 - outermost, 9)[1:]]
    )
    levels = data_type("nf4").levels
    # The published values were computed in single precision.
    assert levels == pytest.approx(quantiles / quantiles.max(), abs=1e-6)
    assert levels[7] == 0


def test_student_float_is_the_same_with_five_degrees_of_freedom():
    outermost = (1 / 32 + 1 / 30) / 2
    quantiles = stats.t.ppf(
        [*np.linspace(outermost, 0.5, 8), *np.linspace(0.5, 1 - outermost, 9)[1:]], 5
    )
    levels = data_type("sf4").levels
    assert np.array_equal(levels, (quantiles / quantiles.max()).astype(np.float32))
    # As printed in the authors' code, to six digits.
    published = [-1.0, -0.627781, -0.454736, -0.334331, -0.237434, -0.152899, -0.074982, 0.0]
    assert levels[:8] == pytest.approx(published, abs=5e-7)


def test_e2m1_has_the_levels_of_the_specification():
    levels = data_type("fp4_e2m1").levels
    assert levels[:8].tolist() == [0, 0.5, 1, 1.5, 2, 3, 4, 6]
    assert np.array_equal(levels[8:], -levels[:8])
    assert (data_type("fp8_e4m3").top, data_type("fp8_e5m2").top) == (448, 57344)


@pytest.mark.parametrize(
    "name",
    ["dynamic8", *sorted({row.data_type for row in FORMATS.values()})],
)
def test_every_number_goes_to_a_nearest_level(name):
    kind = data_type(name)
    top = abs(kind.top)
    levels = np.sort(kind.levels[np.isfinite(kind.levels)])
    middles = (levels[1:] + levels[:-1]) / 2
    near = [np.nextafter(middles, np.float32(side)) for side in (-np.inf, np.inf)]
    spread = np.random.default_rng(0).uniform(-1.3 * top, 1.3 * top, 5000)
    tiny = np.geomspace(1e-40, top, 3000)
    numbers = np.concatenate([spread, tiny, -tiny, levels, middles, *near]).astype(np.float32)
    found = kind.levels[as_codes(numbers, name)].astype(np.float64)
    distance = np.abs(numbers.astype(np.float64)[:, None] - levels).min(1)
    # Where an offset is added in single precision, that rounding may decide between two levels.
    slack = np.spacing(np.float32(2 * kind.offset)) if kind.offset else np.spacing(np.float32(top))
    assert (np.abs(numbers - found) <= distance + slack).all()


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("fp4_e2m1", ml_dtypes.float4_e2m1fn),
        ("fp8_e4m3", ml_dtypes.float8_e4m3fn),
        ("fp8_e5m2", ml_dtypes.float8_e5m2),
    ],
)
def test_floats_are_rounded_as_ml_dtypes_rounds_them(name, dtype):
    kind = data_type(name)
    # Every float32 whose lower sixteen bits are 0, 1 or all ones: each middle, and both sides.
    upper = np.arange(1 << 16, dtype=np.uint32) << 16
    numbers = np.concatenate([upper, upper | 1, upper | 0xFFFF]).view(np.float32)
    numbers = numbers[np.abs(numbers) <= kind.top]
    assert numbers.size > 10_000
    found = kind.levels[as_codes(numbers, name)]
    assert np.array_equal(found, numbers.astype(dtype).astype(np.float32))


# What is stored, and decoded from it


@pytest.mark.parametrize(
    "point", [point for point in POINTS if create("formats", **point)._storage.rounds_first]
)
def test_weights_go_to_the_nearest_level_of_their_scale(point):
    codec = create("formats", **point)
    weight = student(6, 144)
    encoded = codec.encode(weight, Context())
    decoded = codec.decode(encoded).double().numpy()
    scales = codec._storage.restore(encoded.arrays).astype(np.float64)
    if codec.granularity in ("tensor", "channel"):
        per_weight = np.broadcast_to(scales, weight.shape)
    else:
        per_weight = np.repeat(scales, codec.granularity, axis=1)[:, : weight.shape[1]]
    levels = codec._data_type.levels[np.isfinite(codec._data_type.levels)].astype(np.float64)
    distance = np.abs(weight.numpy()[..., None] - per_weight[..., None] * levels).min(-1)
    error = np.abs(weight.numpy() - decoded)
    assert (error <= distance + 1e-6 * per_weight * levels.max()).all()


@pytest.mark.parametrize(
    ("point", "bits"),
    [
        ({"data_type": "nf4"}, 4 + 32 / 64),
        ({"data_type": "nf4", "scale_dtype": "float16", "granularity": 128}, 4 + 16 / 128),
        ({"data_type": "sf4", "granularity": "channel"}, 4 + 32 / 2048),
        ({"data_type": "mxfp4"}, 4.25),
        ({"data_type": "nvfp4"}, 4.5 + 32 / (64 * 2048)),
        ({"data_type": "q4_0"}, 4.5),
        ({"data_type": "q8_0"}, 8.5),
        ({"data_type": "fp8_e4m3"}, 8 + 32 / (64 * 2048)),
        (
            {"data_type": "nf4", "scale_dtype": "double_quantized"},
            4 + 8 / 64 + 32 / 64 / 256 + 32 / (64 * 2048),
        ),
    ],
)
def test_codes_and_scales_are_charged(point, bits):
    charged = encode(student(64, 2048), **point).bits()
    assert sum(charged.values()) == bits * 64 * 2048
    assert charged["payload"] == create("formats", **point).nominal_bits * 64 * 2048
    assert charged["payload"] + charged["scale"] == sum(charged.values())


def test_mxfp4_has_the_scale_of_the_specification_and_saturates():
    row = torch.zeros(1, 32)
    row[0, :4] = torch.tensor([7.9, 0.25, 0.75, -5.0])
    decoded = round_trip(row, data_type="mxfp4")
    assert decoded[0, :4].tolist() == [6.0, 0.0, 1.0, -4.0]
    stored = encode(row * 2**-20, data_type="mxfp4").arrays["scale"]
    assert (stored.dtype, stored.astype(np.float32).tolist()) == ("float8_e8m0fnu", [[2.0**-20]])


def test_nvfp4_follows_its_recipe():
    weight = student(8, 64)
    blocks = weight.numpy().reshape(8, 4, 16)
    absmax = np.abs(blocks).max(2)
    tensor = np.float32(absmax.max() / np.float32(6) / np.float32(448))
    relative = (absmax / np.float32(6) / tensor).astype(ml_dtypes.float8_e4m3fn)
    scale = (relative.astype(np.float32) * tensor)[..., None]
    levels = (blocks / scale).clip(-6, 6).astype(ml_dtypes.float4_e2m1fn).astype(np.float32)
    encoded = encode(weight, data_type="nvfp4")
    assert encoded.arrays["scale"].max() == 448
    assert encoded.arrays["scale.tensor"] == pytest.approx(tensor, rel=1e-6)
    decoded = create("formats", data_type="nvfp4").decode(encoded).numpy().reshape(8, 4, 16)
    assert decoded == pytest.approx(levels * scale, rel=1e-6)


def test_int4_is_the_narrow_uniform_grid():
    weight = student(32, 128)
    uniform = create("uniform", bits=4, granularity=64, grid="narrow", scale_dtype="float32")
    expected = uniform.decode(uniform.encode(weight, Context()))
    decoded = round_trip(weight, data_type="int4")
    # Of two levels as near as single precision can tell, each may take its own.
    errors = [(values - weight).abs() for values in (decoded, expected)]
    assert torch.allclose(*errors, rtol=0, atol=1e-6 * weight.abs().max().item())
    assert (decoded == expected).float().mean() > 0.999


def test_double_quantization_moves_the_scales_little():
    weight = student(256, 512)
    plain = encode(weight, data_type="nf4")
    nested = encode(weight, data_type="nf4", scale_dtype="double_quantized")
    assert np.array_equal(plain.arrays["payload"], nested.arrays["payload"])
    codec = create("formats", data_type="nf4", scale_dtype="double_quantized")
    scales = codec._storage.restore(nested.arrays)
    centred = plain.arrays["scale"] - plain.arrays["scale"].mean(dtype=np.float64)
    largest = np.repeat(nested.arrays["scale.absmax"], 256).reshape(scales.shape)
    assert nested.arrays["scale.absmax"].size == 256 * 8 / 256
    # Half of the widest gap between two 8-bit dynamic levels.
    assert np.abs(scales - plain.arrays["scale"]).max() <= (0.0075 * largest).max()
    assert np.abs(centred).max() == pytest.approx(nested.arrays["scale.absmax"].max(), rel=1e-5)


# Robustness


@every_point
@pytest.mark.parametrize("shape", [(1, 300), (300, 1), (1, 1), (0, 300), (300, 0), (5, 150)])
def test_any_shape_is_quantized_or_refused(point, shape, tmp_path):
    codec = create("formats", **point)
    weight = student(*shape)
    if isinstance(codec.granularity, int) and 0 < shape[1] < codec.granularity:
        with pytest.raises(CodecError, match=f"granularity: a block of {codec.granularity} "):
            codec.encode(weight, Context())
        return
    encoded = codec.encode(weight, Context())
    encoded.save(tmp_path / "weight.safetensors")
    loaded = Encoded.load(tmp_path / "weight.safetensors")
    decoded = codec.decode(loaded)
    assert torch.equal(decoded, codec.decode(encoded))
    assert (decoded.shape, decoded.dtype) == (shape, torch.float32)
    if weight.numel():
        assert (decoded - weight).abs().max() <= 0.3 * weight.abs().max()


@every_point
def test_zeros_stay_zero_and_constants_nearly_constant(point):
    assert torch.equal(round_trip(torch.zeros(4, 256), **point), torch.zeros(4, 256))
    constant = round_trip(torch.full((4, 256), -0.02), **point)
    assert constant.unique().numel() == 1
    # Scales that are powers of two may be off by half the largest level.
    assert constant[0, 0].item() == pytest.approx(-0.02, rel=0.25)


@every_point
def test_an_outlier_is_survived_and_tiny_weights_are_quantized_or_refused(point):
    weight = student(8, 256)
    weight[3, 7] = -1e4
    assert (round_trip(weight, **point) - weight).abs().max() <= 1.01e4
    tiny = student(8, 256) * 1e-6
    try:
        decoded = round_trip(tiny, **point)
    except CodecError as refusal:
        assert "'float16'" in str(refusal)  # noqa: PT017
        assert "rescale" in str(refusal) or "use 'bfloat16'" in str(refusal)  # noqa: PT017
    else:
        assert decoded.any()
        assert (decoded - tiny).abs().max() <= tiny.abs().max()


@every_point
@pytest.mark.parametrize("dtype", FLOATS)
def test_dtype_and_memory_order_do_not_matter_and_weights_stay(point, dtype):
    weight = student(8, 160).bfloat16()
    expected = encode(weight.float(), **point)
    given_weight = weight.to(dtype)
    spread = torch.zeros(16, 480, dtype=dtype)[::2, 1::3].copy_(given_weight)
    before = given_weight.clone()
    for variant in (given_weight, given_weight.t().contiguous().t(), spread):
        found = encode(variant, **point)
        assert found.arrays.keys() == expected.arrays.keys()
        for name, array in found.arrays.items():
            assert array.tobytes() == expected.arrays[name].tobytes()
    assert torch.equal(given_weight, before)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.floats(-(2.0**40), 2.0**40, width=32), min_size=1, max_size=70),
    st.sampled_from(["nf4", "sf4", "fp4_bitsandbytes", "fp4_e2m1", "int4", "fp8_e4m3"]),
)
def test_no_weight_is_farther_than_the_widest_gap(values, name):
    weight = torch.tensor([values], dtype=torch.float32)
    decoded = round_trip(weight, data_type=name, granularity="channel")
    assert (decoded - weight).abs().max() <= 0.2 * weight.abs().max() + 1e-38


# Refusals


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_nan_and_infinity_are_refused(value):
    weight = student(4, 64)
    weight[1, 2] = value
    with pytest.raises(CodecError, match="NaN or Inf"):
        encode(weight, data_type="nf4")


@pytest.mark.parametrize(
    ("point", "message"),
    [
        ({"data_type": "mxfp4", "granularity": 64}, "granularity.*'mxfp4' should be 32; found 64"),
        ({"data_type": "nvfp4", "granularity": "tensor"}, "should be 16; found 'tensor'"),
        (
            {"data_type": "q8_0", "scale_dtype": "float32"},
            "scale_dtype.*'q8_0' should be 'float16'",
        ),
        ({"data_type": "nf4", "scale_dtype": "e8m0"}, "'float32' or 'float16'.*; found 'e8m0'"),
        ({"data_type": "fp8_e5m2", "scale_dtype": "double_quantized"}, "should be 'float32'"),
        ({"data_type": "nf5"}, "data_type"),
        ({"data_type": "nf4", "granularity": 0}, "granularity"),
        ({"data_type": "nf4", "block": 64}, "no parameter 'block'"),
    ],
)
def test_what_cannot_work_is_refused(point, message):
    with pytest.raises(CodecError, match=message):
        create("formats", **point)


@pytest.mark.parametrize(
    ("point", "size", "message"),
    [
        ({"data_type": "nf4", "scale_dtype": "float16"}, 1e6, "do not fit.*use 'bfloat16'"),
        ({"data_type": "nf4", "scale_dtype": "float16"}, 1e-9, "vanish.*use 'bfloat16'"),
        ({"data_type": "q8_0"}, 1e9, "do not fit scale_dtype 'float16': rescale"),
        ({"data_type": "mxfp4"}, 1e300, "do not fit.*rescale"),
    ],
)
def test_scales_that_do_not_fit_are_refused_with_a_remedy(point, size, message):
    with pytest.raises(CodecError, match=message):
        encode(student(4, 64).double() * size, **point)


# Agreement with others


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("name", "theirs"), [("nf4", "nf4"), ("fp4_bitsandbytes", "fp4")])
@pytest.mark.parametrize("block", [32, 64, 128])
def test_codes_and_values_are_those_of_bitsandbytes(name, theirs, block, dtype):
    functional = pytest.importorskip("bitsandbytes.functional")
    weight = student(512, 1024).to(dtype)
    packed, state = functional.quantize_4bit(weight, blocksize=block, quant_type=theirs)
    expected = functional.dequantize_4bit(packed, state)
    encoded = encode(weight, data_type=name, granularity=block)
    assert np.array_equal(encoded.arrays["scale"].ravel(), state.absmax.numpy())
    decoded = create("formats", data_type=name, granularity=block).decode(encoded)
    assert torch.equal(decoded.to(dtype), expected)
    high_first = packed.numpy().ravel()
    codes = np.stack([high_first >> 4, high_first & 15], 1).reshape(weight.shape)
    if theirs == "fp4":
        codes[codes == 8] = 0
    assert np.array_equal(codes_of(encoded), codes)


def test_levels_are_those_of_bitsandbytes():
    functional = pytest.importorskip("bitsandbytes.functional")
    for ours, theirs in [("nf4", "nf4"), ("fp4_bitsandbytes", "fp4")]:
        expected = functional.get_4bit_type(theirs, device="cpu").numpy()
        assert np.array_equal(data_type(ours).levels, expected)
    assert np.array_equal(data_type("dynamic8").levels, functional.create_dynamic_map().numpy())


def test_double_quantization_is_that_of_bitsandbytes_but_for_its_kernels_rounding():
    functional = pytest.importorskip("bitsandbytes.functional")
    weight = student(1024, 1024).bfloat16().float()
    packed, state = functional.quantize_4bit(
        weight, blocksize=64, quant_type="nf4", compress_statistics=True
    )
    encoded = encode(weight, data_type="nf4", scale_dtype="double_quantized")
    decoded = create("formats", data_type="nf4", scale_dtype="double_quantized").decode(encoded)
    assert encoded.arrays["scale.mean"][0] == pytest.approx(state.offset.item(), rel=1e-6)
    assert encoded.arrays["scale.absmax"] == pytest.approx(state.state2.absmax.numpy(), rel=1e-5)
    ours, theirs = encoded.arrays["scale"].ravel(), state.absmax.numpy()
    assert np.abs(ours.astype(int) - theirs).max() <= 1
    assert (ours != theirs).mean() < 0.01
    same = torch.from_numpy(ours == theirs)
    expected = functional.dequantize_4bit(packed, state)
    assert torch.allclose(decoded.view(-1, 64)[same], expected.view(-1, 64)[same], rtol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", ["q4_0", "q8_0"])
def test_bytes_and_values_are_those_of_gguf(name, dtype):
    gguf = pytest.importorskip("gguf")
    weight = student(1024, 1024).to(dtype)
    weight[2, :32] = 0
    weight[3, :32] = torch.tensor([1.5, -1.5] * 16)
    kind = gguf.GGMLQuantizationType[name.upper()]
    packed = gguf.quantize(weight.float().numpy(), kind)
    encoded = encode(weight, data_type=name)
    decoded = create("formats", data_type=name).decode(encoded)
    assert np.array_equal(decoded.numpy(), gguf.dequantize(packed, kind))
    blocks = packed.reshape(-1, 18 if name == "q4_0" else 34)
    assert np.array_equal(encoded.arrays["scale"].view(np.uint8).reshape(-1, 2), blocks[:, :2])
    if name == "q4_0":
        codes = np.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], 1)
        assert np.array_equal(codes_of(encoded).reshape(-1, 32), codes)
    else:
        codes = blocks[:, 2:].view(np.int8).astype(int) + 128
        assert np.array_equal(codes_of(encoded, 8).reshape(-1, 32), codes)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_mxfp4_is_that_of_gguf_but_for_ties(dtype):
    gguf = pytest.importorskip("gguf")
    weight = student(512, 1024).to(dtype).float()
    kind = gguf.GGMLQuantizationType.MXFP4
    packed = gguf.quantize(weight.numpy(), kind)
    theirs = gguf.dequantize(packed, kind)
    encoded = encode(weight, data_type="mxfp4")
    ours = create("formats", data_type="mxfp4").decode(encoded).numpy()
    scales = packed.reshape(-1, 17)[:, 0].reshape(512, 32)
    assert np.array_equal(encoded.arrays["scale"].view(np.uint8), scales)
    errors = [np.abs(weight.double().numpy() - values) for values in (ours, theirs)]
    differ = ours != theirs
    assert np.array_equal(errors[0][differ], errors[1][differ])
    assert differ.mean() < 0.01


def test_the_scale_of_gguf_doubles_just_below_a_power_of_two():
    gguf = pytest.importorskip("gguf")
    row = torch.zeros(1, 32)
    row[0, 0] = float(np.nextafter(np.float32(16), np.float32(0)))
    stored = encode(row, data_type="mxfp4").arrays["scale"].view(np.uint8)
    theirs = gguf.quantize(row.numpy(), gguf.GGMLQuantizationType.MXFP4)[0, 0]
    assert stored[0, 0] == 127 + 3 - 2
    assert theirs == stored[0, 0] + 1


@settings(deadline=None, max_examples=200)
@given(st.lists(st.sampled_from([-3.0, -1.0, -0.0, 0.0, 1.0, 3.0]), min_size=1, max_size=8))
def test_the_largest_weight_is_the_first_of_its_magnitude_with_its_sign(values):
    block = np.array(values, np.float32).reshape(1, 1, -1)
    first = block[0, 0, np.abs(block).argmax()]
    assert largest_weight(block).tobytes() == first.tobytes()
