import ml_dtypes
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from qatlas.codecs import CodecError, Context, Encoded, create
from qatlas.codecs.scalar.codebook import optimal_codebook
from qatlas.codecs.scalar.nearest import nearest_level

FLOATS = [torch.float16, torch.bfloat16, torch.float32, torch.float64]


def student(*shape, dtype=torch.float32):
    weights = np.random.default_rng(3).standard_t(5, shape).astype(np.float32)
    return torch.from_numpy(weights).to(dtype)


def round_trip(weight, **parameters):
    codec = create("lloyd_max", **parameters)
    encoded = codec.encode(weight, Context())
    return encoded, codec.decode(encoded)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("bits", range(1, 9))
def test_every_weight_becomes_the_nearest_stored_level(bits, dtype):
    weight = student(37, 53, dtype=dtype)
    encoded, decoded = round_trip(weight, bits=bits)
    levels = encoded.arrays["codebook"].astype(np.float64)
    assert levels.size == 2**bits
    distance = np.abs(weight.double().numpy()[..., None] - levels)
    found = np.abs(weight.double().numpy() - decoded.double().numpy())
    assert decoded.dtype == torch.float32
    assert np.array_equal(found, distance.min(axis=-1))


@pytest.mark.parametrize("bits", [1, 2, 3, 4, 8])
def test_mse_is_that_of_the_optimal_codebook(bits):
    weight = student(128, 256)
    _, decoded = round_trip(weight, bits=bits, codebook_dtype="float32")
    levels = optimal_codebook(weight, 2**bits)
    distance = np.abs(weight.double().numpy().reshape(-1, 1) - levels).min(axis=1)
    mse = (weight.double() - decoded.double()).square().mean().item()
    assert mse == pytest.approx(np.mean(distance**2), rel=1e-5)


@pytest.mark.parametrize(
    ("codebook_dtype", "width"), [("float16", 16), ("bfloat16", 16), ("float32", 32)]
)
@pytest.mark.parametrize("bits", [1, 3, 8])
def test_codes_and_levels_are_charged(bits, codebook_dtype, width):
    encoded, _ = round_trip(student(40, 60), bits=bits, codebook_dtype=codebook_dtype)
    charged = encoded.bits()
    assert charged["payload"] == 2400 * bits
    assert charged["codebook"] == 2**bits * width
    assert sum(charged.values()) == 2400 * bits + 2**bits * width
    assert create("lloyd_max", bits=bits).nominal_bits == bits


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    "values",
    [
        [[0.0, 0.0, 0.0]],
        [[-0.0, 0.0]],
        [[2.5], [2.5], [2.5]],
        [[1.0, -1.0, 0.5, 0.25]],
        [[1.0], [-3.0], [1.0], [0.0]],
        [[7.0]],
    ],
)
def test_no_more_values_than_levels_are_kept_exactly(values, dtype):
    weight = torch.tensor(values, dtype=dtype)
    encoded, decoded = round_trip(weight, bits=2)
    assert torch.equal(decoded, weight.float())
    assert encoded.arrays["codebook"].size == weight.unique().numel()


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0)])
@pytest.mark.parametrize("dtype", FLOATS)
def test_nothing_costs_nothing(shape, dtype):
    encoded, decoded = round_trip(torch.empty(shape, dtype=dtype), bits=4)
    assert decoded.shape == shape
    assert sum(encoded.bits().values()) == 0


@pytest.mark.parametrize("shape", [(1, 301), (301, 1)])
def test_single_rows_and_columns(shape):
    weight = student(*shape)
    _, decoded = round_trip(weight, bits=6)
    assert decoded.shape == shape
    assert (weight - decoded).square().mean() < 0.002 * weight.square().mean()


@pytest.mark.parametrize("outlier", [1e6, -1e6])
@pytest.mark.parametrize("size", [64, 400])
def test_one_huge_outlier_costs_one_level(outlier, size):
    weight = torch.from_numpy(np.random.default_rng(0).standard_normal((size, size))).float()
    weight[3, 5] = outlier
    _, decoded = round_trip(weight, bits=4, codebook_dtype="float32")
    assert decoded[3, 5] == outlier
    error = (weight - decoded).square().sum().item() / weight.numel()
    # The other 15 levels do nearly as well as the 16 of Max (1960), table I.
    assert 0.0095 < error < 0.0095 * (16 / 15) ** 2 * 1.03


def test_the_order_in_memory_does_not_matter():
    weight = student(30, 50)
    _, expected = round_trip(weight, bits=3)
    _, decoded = round_trip(weight.t().contiguous().t(), bits=3)
    assert torch.equal(decoded, expected)


@pytest.mark.parametrize("codebook_dtype", ["float16", "bfloat16", "float32"])
def test_saved_and_loaded(tmp_path, codebook_dtype):
    encoded, decoded = round_trip(student(9, 11), bits=3, codebook_dtype=codebook_dtype)
    encoded.save(tmp_path / "weight.safetensors")
    loaded = Encoded.load(tmp_path / "weight.safetensors")
    assert torch.equal(create("lloyd_max", bits=3).decode(loaded), decoded)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_weights_on_a_gpu():
    weight = student(64, 64)
    expected, _ = round_trip(weight, bits=4)
    encoded, decoded = round_trip(weight.cuda(), bits=4)
    assert decoded.device.type == "cpu"
    assert np.array_equal(encoded.arrays["payload"], expected.arrays["payload"])


@pytest.mark.parametrize(
    ("scale", "codebook_dtype", "remedy"),
    [
        (1e5, "float16", "use 'bfloat16' or 'float32'"),
        (1e-9, "float16", "use 'bfloat16' or 'float32'"),
        (3.395e38, "bfloat16", "use 'float32'"),
        (1e300, "float32", "rescale the weights"),
    ],
)
def test_levels_that_the_dtype_cannot_hold_are_refused(scale, codebook_dtype, remedy):
    weight = torch.tensor([[1.0, -1.0, 0.5, 0.0]], dtype=torch.float64) * scale
    with pytest.raises(CodecError, match=remedy):
        round_trip(weight, bits=2, codebook_dtype=codebook_dtype)


@pytest.mark.parametrize("weight", [torch.zeros(3), torch.ones(2, 2).int(), torch.eye(2) / 0])
def test_other_than_finite_matrices_are_refused(weight):
    with pytest.raises(CodecError):
        round_trip(weight, bits=2)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"bits": 0}, "bits"),
        ({"bits": 9}, "bits"),
        ({"bits": 4.0}, "bits"),
        ({}, "bits"),
        ({"bits": 4, "codebook_dtype": "float8"}, "codebook_dtype"),
        ({"bit": 4}, "did you mean 'bits'"),
    ],
)
def test_other_parameters_are_refused(parameters, message):
    with pytest.raises(CodecError, match=message):
        create("lloyd_max", **parameters)


def eighths(number: int) -> float:
    return number / 8


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(-300, 300).map(eighths), min_size=1, max_size=60),
    st.lists(st.integers(-300, 300).map(eighths), min_size=1, max_size=256),
    st.sampled_from(FLOATS),
)
def test_nearest_level_is_the_lower_of_equals(weights, levels, dtype):
    weight = torch.tensor(weights, dtype=torch.float64).to(dtype)
    codebook = np.sort(np.array(levels, np.float64))
    codes = nearest_level(weight, codebook)
    exact = weight.double().numpy()
    distance = np.abs(exact[:, None] - codebook)
    assert np.array_equal(distance[np.arange(exact.size), codes], distance.min(axis=1))
    assert np.array_equal(codebook[codes], codebook[distance.argmin(axis=1)])


@pytest.mark.parametrize("dtype", [ml_dtypes.bfloat16, np.float16])
def test_every_16_bit_pattern_goes_to_its_nearest_level(dtype):
    values = np.arange(1 << 16, dtype=np.uint16).view(dtype)
    with np.errstate(invalid="ignore"):
        values = values.astype(np.float64)
    # Farther out, distances to different levels round to the same float64.
    values = values[np.abs(values) < 1e6]
    weight = torch.from_numpy(values).to(getattr(torch, np.dtype(dtype).name))
    levels = np.array([-2.0, -0.5, 0.0, 0.5, 3.0])
    distance = np.abs(values[:, None] - levels)
    assert np.array_equal(nearest_level(weight, levels), distance.argmin(axis=1))
