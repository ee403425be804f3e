"""What holds of every codec, whatever it does with the weights."""

import math

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from qatlas.bounds.gaussian import rate_bits
from qatlas.codecs import CodecError, Context, Encoded, create, names
from qatlas.codecs.base import requirements_of
from qatlas.codecs.blocks import split
from qatlas.codecs.measure import measure_codec

GRIDS = {
    "awq": [
        {"inner": {"codec": "uniform", "bits": 4, "granularity": "channel", "grid": "asymmetric"}},
        {"inner": {"codec": "gptq", "bits": 3}, "steps": 3},
    ],
    "cast": [{"dtype": "float16"}, {"dtype": "bfloat16"}],
    "entropy_coded": [
        {"rate": 1.5},
        {"rate": 3.0, "granularity": "channel", "reconstruction": "midpoint"},
        {"rate": 4.0, "row_classes": 4},
    ],
    "entropy_coded_trellis": [
        {"rate": 2.0, "states": 8},
        {"rate": 3.0, "states": 16, "granularity": "channel"},
    ],
    "formats": [
        {"data_type": "nf4", "granularity": 16},
        {"data_type": "nf4", "granularity": 32, "scale_dtype": "double_quantized"},
        {"data_type": "int4", "granularity": "channel"},
        {"data_type": "fp8_e4m3", "granularity": "tensor"},
        {"data_type": "mxfp4"},
        {"data_type": "nvfp4"},
        {"data_type": "q8_0"},
    ],
    "gptq": [
        {"bits": 2},
        {"bits": 3, "granularity": "tensor", "grid": "midrise", "scale_dtype": "float32"},
        {"bits": 4, "granularity": 16, "clip": "mse"},
        {"bits": 4, "granularity": 16, "order": "activation", "scale_dtype": "bfloat16"},
        {"bits": 8, "grid": "narrow", "order": "activation", "damping": 0.1},
    ],
    "lattice": [
        {"lattice": "d4", "bits": 3.0, "granularity": "channel"},
        {"lattice": "e8", "bits": 2.0},
        {"lattice": "e8", "bits": 3.0, "codewords": "fitted"},
        {"lattice": "e8", "bits": 2.5, "coding": "entropy"},
        {"lattice": "leech", "bits": 3.0, "coding": "entropy"},
    ],
    "ldlq": [
        {"inner": {"codec": "trellis", "bits": 2, "state_bits": 8}},
        {"inner": {"codec": "lattice", "lattice": "e8", "bits": 2.0}, "block_columns": 8},
        {"inner": {"codec": "entropy_coded", "rate": 3.0}, "block_columns": 24},
        {"inner": {"codec": "gptq", "bits": 4}, "block_columns": 13},
    ],
    "lloyd_max": [
        {"bits": 1},
        {"bits": 3, "codebook_dtype": "float32"},
        {"bits": 4, "codebook_dtype": "bfloat16"},
        {"bits": 8},
    ],
    "rotate": [
        {"inner": {"codec": "uniform", "bits": 4}},
        {"inner": {"codec": "lloyd_max", "bits": 3}, "side": "both", "seed": 5},
        {"inner": {"codec": "gptq", "bits": 4}, "seed": 1},
    ],
    "trellis": [
        {"bits": 1, "state_bits": 8},
        {"bits": 2, "sequence_length": 64, "code": "1mad"},
        {"bits": 3, "state_bits": 8, "granularity": "channel", "code": "3inst"},
        {"bits": 4, "granularity": "channel", "scale_dtype": "bfloat16", "code": "permutation"},
    ],
    "uniform": [
        {"bits": 1},
        {"bits": 3},
        {"bits": 8, "scale_dtype": "float32"},
        {"bits": 2, "grid": "narrow"},
        {"bits": 4, "clip": "mse", "scale_dtype": "bfloat16"},
        {"bits": 1, "granularity": "channel", "grid": "asymmetric"},
        {"bits": 3, "granularity": "channel", "grid": "asymmetric", "clip": "mse"},
        {"bits": 5, "granularity": "channel", "clip": 2.5, "scale_dtype": "float32"},
        {"bits": 7, "granularity": "channel", "grid": "narrow"},
        {"bits": 2, "granularity": 16, "clip": "mse"},
        {"bits": 3, "granularity": 16, "scale_dtype": "bfloat16"},
        {"bits": 8, "granularity": 16, "grid": "asymmetric", "scale_dtype": "float32"},
    ],
    "vector": [
        {"dimension": 2, "index_bits": 4},
        {"dimension": 4, "index_bits": 4, "train_vectors_per_word": 4},
        {"dimension": 2, "index_bits": 3, "sharing": "subspace", "codebooks": 3},
        {"dimension": 4, "index_bits": 3, "sharing": "dealt", "codebooks": 2, "stages": 2},
        {"dimension": 8, "index_bits": 12, "codebook_dtype": "float32"},
    ],
}
"""Points of every registered codec; "granularity", where there is one, cuts the blocks within
which equal codes mean equal values."""

PEERS = {"bitsandbytes_4bit", "gguf_block", "hqq_group", "torchao_weight_only"}
"""Quantizers of other packages, which take what shapes they take: see test_peers."""

KEEPS_ITS_OWN_OUTPUT = {
    "awq": lambda _: False,
    "cast": lambda _: True,
    "formats": lambda _: False,
    "gptq": lambda _: False,
    "ldlq": lambda _: False,
    "lattice": lambda _: False,
    "entropy_coded": lambda _: False,
    "entropy_coded_trellis": lambda _: False,
    "rotate": lambda _: False,
    "trellis": lambda _: False,
    "lloyd_max": lambda _: True,
    # Only one codebook is sure to hold what it decoded to.
    "vector": lambda point: {"codebooks", "stages"}.isdisjoint(point),
    "uniform": lambda point: {"asymmetric", "mse", 2.5}.isdisjoint(point.values()),
}
"""Points at which what was decoded, quantized again, decodes to the same values."""

CASES = [
    pytest.param(name, point, id=f"{name}-{'-'.join(map(str, point.values()))}")
    for name, points in GRIDS.items()
    for point in points
]
SELF_KEEPING_CASES = [
    case for case in CASES if KEEPS_ITS_OWN_OUTPUT[case.values[0]](case.values[1])
]
SCALAR_CODES_CASES = [case for case in CASES if case.values[0] in ("uniform", "lloyd_max")]
CONSTANT_CASES = [
    # Some mix or scale the weights or make up for what others lost, and a power of two as scale is
    # off by up to a third.
    case
    for case in CASES
    if case.values[0] not in ("awq", "gptq", "ldlq", "rotate")
    and case.values[1] != {"data_type": "mxfp4"}
]
FLOATS = [torch.float16, torch.bfloat16, torch.float32, torch.float64]

# The last group of sixteen in a row of forty is short.
ROWS, COLUMNS = 24, 40

every_codec = pytest.mark.parametrize(("name", "point"), CASES)
scalar_codes = pytest.mark.parametrize(("name", "point"), SCALAR_CODES_CASES)


def sample(rows=ROWS, columns=COLUMNS):
    weights = np.random.default_rng(11).standard_t(5, (rows, columns))
    return torch.from_numpy(weights.astype(np.float32))


def context(codec, columns=COLUMNS):
    """What the codec needs to know, of inputs that are correlated and not equally large."""
    needed = requirements_of(codec).second_moment
    return Context(np.random.default_rng(7), second_moment(columns) if needed else None)


def second_moment(columns):
    draws = np.random.default_rng(9).standard_normal((2 * columns + 1, columns))
    inputs = (draws + draws.sum(1, keepdims=True) / max(columns, 1)) * np.geomspace(0.3, 3, columns)
    return torch.from_numpy(inputs.T @ inputs / len(inputs))


def round_trip(name, point, weight):
    codec = create(name, **point)
    return codec.decode(codec.encode(weight, context(codec, weight.shape[-1])))


def round_trip_or_refusal(name, point, weight):
    try:
        return round_trip(name, point, weight), ""
    except CodecError as refusal:
        return None, str(refusal)


def fits(name, point, shape):
    """Whether no group is longer than a row."""
    granularity = getattr(create(name, **point), "granularity", None)
    return isinstance(granularity, str | None) or granularity <= shape[1] or not shape[1]


def same_arrays(one, other):
    return one.arrays.keys() == other.arrays.keys() and all(
        array.dtype == other.arrays[key].dtype
        and array.shape == other.arrays[key].shape
        and array.tobytes() == other.arrays[key].tobytes()
        for key, array in one.arrays.items()
    )


def entropy_bits(values):
    """Bits that the values, drawn independently with their frequencies, need in all."""
    _, counts = torch.unique(values, return_counts=True)
    return float(-(counts * torch.log2(counts / values.numel())).sum())


@pytest.mark.parametrize("name", sorted({*names()} - PEERS))
def test_a_registered_codec_is_tested_here(name):
    assert name in GRIDS, (
        f"codec {name!r} is registered but not tested: add some of its parameters to GRIDS (and "
        "KEEPS_ITS_OWN_OUTPUT) in tests/codecs/test_every_codec.py"
    )


@every_codec
def test_what_is_saved_is_loaded_bit_for_bit(name, point, tmp_path):
    codec = create(name, **point)
    encoded = codec.encode(sample(), context(codec))
    encoded.save(tmp_path / "weight.safetensors")
    loaded = Encoded.load(tmp_path / "weight.safetensors")
    assert loaded.shape == encoded.shape == (ROWS, COLUMNS)
    assert same_arrays(loaded, encoded)
    assert loaded.bits() == encoded.bits()
    assert torch.equal(codec.decode(loaded), codec.decode(encoded))


@every_codec
def test_the_same_seed_stores_the_same_bytes(name, point, tmp_path):
    files = [tmp_path / "one.safetensors", tmp_path / "other.safetensors"]
    for file in files:
        codec = create(name, **point)
        codec.encode(sample(), context(codec)).save(file)
    assert files[0].read_bytes() == files[1].read_bytes()


@every_codec
def test_decoding_twice_gives_the_same_float32_matrix_on_the_cpu(name, point):
    codec = create(name, **point)
    encoded = codec.encode(sample(), context(codec))
    first = codec.decode(encoded)
    # What a caller does with one result is not seen in the next.
    expected = first.clone()
    first.zero_()
    assert torch.equal(codec.decode(encoded), expected)
    assert (expected.shape, expected.dtype) == ((ROWS, COLUMNS), torch.float32)
    assert expected.device.type == "cpu"


@every_codec
@pytest.mark.parametrize("dtype", FLOATS)
def test_the_weights_are_not_modified_and_their_dtype_does_not_matter(name, point, dtype):
    codec = create(name, **point)
    weight = sample().bfloat16().to(dtype)
    before = weight.clone()
    encoded = codec.encode(weight, context(codec))
    assert torch.equal(weight, before)
    assert same_arrays(encoded, codec.encode(weight.float(), context(codec)))


@every_codec
def test_a_parameter_of_a_module_is_encoded_like_its_values(name, point):
    codec = create(name, **point)
    expected = codec.encode(sample(), context(codec))
    assert same_arrays(codec.encode(torch.nn.Parameter(sample()), context(codec)), expected)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="takes a CUDA device")
@every_codec
def test_on_a_gpu_a_matrix_costs_and_loses_what_it_does_on_the_cpu(name, point):
    """Within float error: a weight midway between levels goes to another at about equal error."""
    codec = create(name, **point)
    expected = measure_codec(sample(), codec, context(codec))
    measured = measure_codec(sample().cuda(), codec, context(codec))
    assert measured.rate.total == pytest.approx(expected.rate.total, rel=1e-3)
    assert measured.distortion.mse == pytest.approx(expected.distortion.mse, rel=1e-3)
    assert codec.decode(codec.encode(sample().cuda(), context(codec))).device.type == "cpu"


@every_codec
def test_the_order_in_memory_does_not_matter(name, point):
    weight = sample()
    spread = torch.zeros(2 * ROWS, 3 * COLUMNS)[::2, 1::3].copy_(weight)
    codec = create(name, **point)
    expected = codec.encode(weight, context(codec))
    assert same_arrays(codec.encode(weight.t().contiguous().t(), context(codec)), expected)
    assert same_arrays(codec.encode(spread, context(codec)), expected)


@every_codec
@pytest.mark.parametrize("shape", [(1, 40), (40, 1), (1, 1), (16, 16), (3, 17)])
def test_any_shape_is_quantized(name, point, shape):
    if not fits(name, point, shape):
        with pytest.raises(CodecError, match="granularity"):
            round_trip(name, point, sample(*shape))
        return
    decoded = round_trip(name, point, sample(*shape))
    assert decoded.shape == shape
    assert bool(decoded.isfinite().all())


@every_codec
@pytest.mark.parametrize("shape", [(0, 40), (40, 0), (0, 0)])
def test_an_empty_matrix_stays_empty(name, point, shape, tmp_path):
    codec = create(name, **point)
    encoded = codec.encode(torch.empty(shape), context(codec, shape[1]))
    encoded.save(tmp_path / "weight.safetensors")
    assert encoded.bits()["payload"] == 0
    assert codec.decode(Encoded.load(tmp_path / "weight.safetensors")).shape == shape


@every_codec
def test_zeros_stay_zero(name, point):
    assert torch.equal(round_trip(name, point, torch.zeros(ROWS, COLUMNS)), torch.zeros(24, 40))


@pytest.mark.parametrize(("name", "point"), CONSTANT_CASES)
@pytest.mark.parametrize("constant", [3.7, -0.02])
def test_a_constant_stays_one_up_to_the_rounding_of_what_is_stored(name, point, constant):
    decoded = round_trip(name, point, torch.full((ROWS, COLUMNS), constant))
    assert decoded.unique().numel() == 1
    # bfloat16, the coarsest that a scale or level is stored in, rounds to 8 binary digits.
    assert decoded[0, 0].item() == pytest.approx(constant, rel=2**-8)


@every_codec
@pytest.mark.parametrize("outlier", [1e4, -1e4])
def test_an_outlier_of_ten_thousand_deviations_is_survived(name, point, outlier):
    codec = create(name, **point)
    weight = sample()
    expected = measure_codec(weight, codec, context(codec)).rate
    weight[5, 7] = outlier
    measured = measure_codec(weight, codec, context(codec))
    # Codes of fixed length cost the same, coded ones at most a few bytes more.
    assert measured.rate.total <= expected.total + (0 if name in ("uniform", "lloyd_max") else 0.2)
    # At one bit a weight may be rounded to the outlier of the other sign.
    assert measured.distortion.max_abs_error <= 1.01 * abs(outlier)


@every_codec
def test_tiny_weights_are_quantized_or_refused_with_a_remedy(name, point):
    weight = sample() * 1e-6
    decoded, refusal = round_trip_or_refusal(name, point, weight)
    if refusal:
        assert "use 'bfloat16' or 'float32'" in refusal or "rescale the weights" in refusal
    else:
        assert decoded.any()
        assert (weight - decoded).abs().max() <= weight.abs().max()


@every_codec
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_nan_and_infinity_are_refused(name, point, dtype, value):
    weight = sample().to(dtype)
    weight[-1, -1] = value
    codec = create(name, **point)
    with pytest.raises(CodecError, match="NaN or Inf"):
        codec.encode(weight, context(codec))


@every_codec
@pytest.mark.parametrize(
    "weight",
    [
        torch.ones(40),
        torch.ones(2, 3, 40),
        torch.ones(2, 40, dtype=torch.int32),
        torch.ones(2, 40, dtype=torch.bool),
        torch.ones(2, 40, dtype=torch.complex64),
        torch.ones(2, 40).to(torch.float8_e4m3fn),
    ],
)
def test_other_than_floating_point_matrices_are_refused(name, point, weight):
    codec = create(name, **point)
    with pytest.raises(CodecError, match=r"matrix of float16.*found torch\.\w+ of shape"):
        codec.encode(weight, context(codec))


@scalar_codes
def test_codes_take_their_bits_and_not_more(name, point):
    codec = create(name, **point)
    encoded = codec.encode(sample(), context(codec))
    assert ROWS * COLUMNS % 8 == 0
    assert encoded.bits()["payload"] == point["bits"] * ROWS * COLUMNS
    assert codec.nominal_bits == point["bits"]


@every_codec
def test_every_stored_byte_is_charged(name, point, tmp_path):
    codec = create(name, **point)
    encoded = codec.encode(sample(), context(codec))
    encoded.save(tmp_path / "weight.safetensors")
    size = (tmp_path / "weight.safetensors").stat().st_size
    header = 8 + int.from_bytes((tmp_path / "weight.safetensors").read_bytes()[:8], "little")
    assert sum(encoded.bits().values()) == 8 * (size - header)


@scalar_codes
def test_the_payload_is_no_less_than_the_entropy_of_what_it_decodes_to(name, point):
    """Within a block the side information is fixed, so the codes alone tell the values apart."""
    codec = create(name, **point)
    encoded = codec.encode(sample(), context(codec))
    granularity = point.get("granularity", "tensor")
    decoded = codec.decode(encoded)
    blocks = (
        [decoded]
        if granularity == "tensor"
        else [block for part in split(decoded, granularity) for row in part for block in row]
    )
    assert sum(block.numel() for block in blocks) == decoded.numel()
    assert all(block.unique().numel() <= 2 ** point["bits"] for block in blocks)
    assert sum(map(entropy_bits, blocks)) <= encoded.bits()["payload"]


@every_codec
def test_on_independent_gaussian_weights_no_rate_is_below_shannons_bound(name, point):
    weights = np.random.default_rng(3).standard_normal((128, 80)).astype(np.float32)
    codec = create(name, **point)
    measured = measure_codec(torch.from_numpy(weights), codec, context(codec, 80))
    # Against the true variance, one: that of the sample is off by the luck of the draw.
    assert measured.rate.total >= rate_bits(measured.distortion.mse)


@pytest.mark.parametrize(("name", "point"), SELF_KEEPING_CASES)
def test_what_was_decoded_decodes_to_itself(name, point):
    """With the range of a symmetric grid from the largest weight, and with an optimal codebook,
    all levels in use are found again; what float32 rounds is all that may change."""
    decoded = round_trip(name, point, sample())
    again = round_trip(name, point, decoded)
    assert torch.allclose(again, decoded, rtol=2**-22, atol=0)


@pytest.mark.parametrize(
    "metadata", [None, {"shape": "2,three"}, {"form": "2,3"}], ids=["none", "words", "other"]
)
def test_a_foreign_safetensors_file_is_refused(tmp_path, metadata):
    path = tmp_path / "foreign.safetensors"
    save_file({"payload": torch.zeros(3)}, path, metadata)
    with pytest.raises(CodecError, match=r"foreign\.safetensors: not an encoded tensor"):
        Encoded.load(path)


def test_a_damaged_or_missing_file_is_refused(tmp_path):
    path = tmp_path / "damaged.safetensors"
    with pytest.raises(CodecError, match=r"damaged\.safetensors: not an encoded tensor"):
        Encoded.load(path)
    Encoded((2, 2), {"payload": np.arange(9, dtype=np.uint8)}).save(path)
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(CodecError, match=r"damaged\.safetensors: not an encoded tensor"):
        Encoded.load(path)


def test_arrays_are_charged_to_the_part_their_name_starts_with():
    three, five = np.zeros(3, np.uint8), np.zeros(5, np.uint16)
    arrays = {"payload": three, "payload.tail": five, "scale.coarse": three, "signs": five}
    assert Encoded((1, 1), arrays).bits() == {
        "payload": 24 + 80,
        "scale": 24,
        "zero_point": 0,
        "codebook": 0,
        "other": 80,
    }
