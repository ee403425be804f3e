import math

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.optimize import brentq

from qatlas.codecs import CodecError, Context, Encoded, create
from qatlas.codecs.entropy_coding.step_search import step_for_size
from qatlas.codecs.measure import measure_codec

FLOATS = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
MILLION = (1000, 1000)


def gaussian(*shape):
    values = np.random.default_rng(5).standard_normal(shape)
    return torch.from_numpy((values / values.std()).astype(np.float32))


def student(*shape):
    return torch.from_numpy(np.random.default_rng(6).standard_t(5, shape).astype(np.float32))


def laplace(*shape):
    return torch.from_numpy(np.random.default_rng(7).laplace(size=shape).astype(np.float32))


def uneven(*shape):
    spreads = np.exp(np.random.default_rng(8).standard_normal((shape[0], 1)))
    return gaussian(*shape) * torch.from_numpy(spreads).float()


def round_trip(weight, **parameters):
    codec = create("entropy_coded", **parameters)
    encoded = codec.encode(weight, Context())
    return encoded, codec.decode(encoded)


def measured(weight, **parameters):
    return measure_codec(weight, create("entropy_coded", **parameters), Context())


def gap(rate, mse):
    return rate - 0.5 * math.log2(1 / mse)


def ideal(step, reconstruction):
    """Entropy and MSE of uniform cells about zero on N(0, 1)."""
    edges = (np.arange(int(12 / step) + 2) + 0.5) * step
    edges = np.concatenate([-edges[::-1], edges])
    mass = np.diff(stats.norm.cdf(edges))
    moment = -np.diff(stats.norm.pdf(edges))
    levels = (edges[1:] + edges[:-1]) / 2
    if reconstruction == "centroid":
        levels = np.divide(moment, mass, out=levels, where=mass > 0)
    return stats.entropy(mass, base=2), 1 - 2 * moment @ levels + mass @ levels**2


@pytest.mark.parametrize("reconstruction", ["midpoint", "centroid"])
@pytest.mark.parametrize("rate", [1.0, 2.0, 3.765])
def test_mse_on_a_gaussian_is_that_of_the_integrals(rate, reconstruction):
    step = brentq(lambda step: ideal(step, reconstruction)[0] - rate, 0.01, 6)
    expected = gap(rate, ideal(step, reconstruction)[1])
    found = measured(gaussian(*MILLION), rate=rate, reconstruction=reconstruction)
    assert gap(found.rate.total, found.distortion.mse) == pytest.approx(expected, abs=0.003)


@pytest.mark.parametrize(
    ("rate", "mse"), [(1, 0.34826), (2, 0.08892), (3, 0.022238), (4, 0.0055597)]
)
def test_a_gaussian_at_whole_rates(rate, mse):
    found = measured(gaussian(*MILLION), rate=rate)
    assert gap(found.rate.total, found.distortion.mse) == pytest.approx(gap(rate, mse), abs=0.003)
    if rate >= 3:
        assert gap(found.rate.total, found.distortion.mse) == pytest.approx(0.2546, abs=0.003)


@pytest.mark.parametrize("rate", [4.0, 6.0, 8.0])
def test_heavy_tails_are_as_far_from_the_shannon_lower_bound(rate):
    found = measured(student(*MILLION), rate=rate)
    differential = stats.t(5).entropy() / math.log(2)
    bound = differential - 0.5 * math.log2(2 * math.pi * math.e * found.distortion.mse)
    assert found.rate.total - bound == pytest.approx(0.2546, abs=0.01)


@pytest.mark.parametrize("rate", [0.1, 0.25, 0.7, 1.0, 2.3, 5.0, 9.0, 12.0])
@pytest.mark.parametrize("source", [gaussian, student, laplace, uneven])
def test_the_rate_is_met_and_not_exceeded(source, rate):
    found = measured(source(256, 250), rate=rate)
    assert rate - 0.0025 <= found.rate.total <= rate * (1 + 1e-12)
    assert found.nominal_bits == rate


@pytest.mark.parametrize(
    "parameters",
    [
        {"granularity": "channel"},
        {"row_classes": 16},
        {"reconstruction": "midpoint"},
        {"rounding": 0.3},
        {"granularity": "channel", "row_classes": 3, "rounding": 0.45},
    ],
)
@pytest.mark.parametrize("rate", [0.5, 3.0])
def test_the_rate_is_met_with_all_that_is_stored(rate, parameters):
    weight = uneven(64, 500)
    encoded, _ = round_trip(weight, rate=rate, **parameters)
    assert rate - 0.003 <= sum(encoded.bits().values()) / weight.numel() <= rate
    charged = encoded.bits()
    assert charged["scale"] == 32 + 16 * 64 * (parameters.get("granularity") == "channel")
    assert (charged["codebook"] > 0) == (parameters.get("reconstruction") != "midpoint")
    classes = parameters.get("row_classes", 1)
    rows = encoded.arrays.get("row_classes", np.empty(0))
    assert rows.nbytes * 8 == 64 * (classes - 1).bit_length()


@pytest.mark.parametrize("wanted", [-1.0, 0.0, 3.0, 777.0, 1000.0, 1e6])
@pytest.mark.parametrize(
    "bits",
    [
        lambda step: 1000 - 100 * math.log2(step),
        lambda step: 1000 * math.exp(-step),
        lambda step: 100.0 * math.floor(10 / (1 + step)),
        lambda step: 1000.0 if step < 1.234 else 500.0,
        lambda step: 500.0,
    ],
    ids=["logarithm", "exponential", "staircase", "jump", "constant"],
)
def test_a_step_is_found_on_any_curve(bits, wanted):
    ends = {"finest": 2.0**-20, "coarsest": 2.0**20}
    step = step_for_size(bits, wanted, 0.5, fall=1000.0, start=1.0, **ends)
    if bits(ends["coarsest"]) > wanted:
        assert step == ends["coarsest"]
    elif bits(ends["finest"]) <= wanted - 0.5:
        assert step == ends["finest"]
    else:
        assert bits(step) <= wanted
        assert wanted - bits(step) <= 0.5 or bits(step * (1 - 2**-13)) > wanted


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("rounding", [0.5, 0.3])
def test_midpoints_are_within_half_a_cell(rounding, dtype):
    weight = student(40, 50).to(dtype)
    encoded, decoded = round_trip(weight, rate=4, reconstruction="midpoint", rounding=rounding)
    step = float(encoded.arrays["scale"][0])
    error = (weight.double() - decoded.double()).abs()
    zero = decoded == 0
    assert zero.any()
    assert error[~zero].max() <= step / 2 * (1 + 1e-5)
    assert error[zero].max() < step * (1 - rounding) * (1 + 1e-5)
    assert error[zero].max() > step * (1 - rounding) * 0.9


@pytest.mark.parametrize("rounding", [0.5, 0.3])
def test_centroids_are_the_means_of_the_weights(rounding):
    weight = laplace(400, 500)
    encoded, decoded = round_trip(weight, rate=1.5, rounding=rounding)
    step = float(encoded.arrays["scale"][0])
    cells = encoded.arrays["codebook"].size
    levels = sorted(decoded.unique().tolist(), key=abs)[:cells]
    assert cells >= 5
    for level in levels:
        assert weight[decoded == level].mean().item() == pytest.approx(level, abs=step / 200)


@pytest.mark.parametrize("rate", [1.0, 2.0])
def test_centroids_and_a_wider_zero_pay(rate):
    weight = laplace(400, 500)
    points = [
        {"reconstruction": "midpoint"},
        {"reconstruction": "centroid"},
        {"reconstruction": "centroid", "rounding": 0.4},
    ]
    errors = [measured(weight, rate=rate, **point).distortion.mse for point in points]
    assert errors[0] > 1.02 * errors[1]
    assert errors[1] > 1.003 * errors[2]


def test_row_classes_come_near_the_bound_of_known_row_variances():
    weight = uneven(400, 500)
    variances = weight.double().square().mean(1)
    advantage = 0.5 * math.log2(variances.mean()) - 0.5 * variances.log2().mean().item()
    found = measured(weight, rate=6, row_classes=64)
    normalised = found.distortion.mse / variances.mean().item()
    beyond = gap(found.rate.total, normalised) + advantage - 0.2546
    assert -0.01 < beyond < 0.1
    assert measured(weight, rate=6).distortion.mse > 1.5 * found.distortion.mse


def test_channel_steps_make_errors_proportional_to_rows():
    weight = uneven(100, 2000)
    _, decoded = round_trip(weight, rate=4, granularity="channel")
    relative = (weight - decoded).square().mean(1) / weight.square().mean(1)
    assert relative.max() < 1.2 * relative.min()


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("parameters", [{}, {"rounding": 0.5, "reconstruction": "midpoint"}])
@pytest.mark.parametrize(
    "values", [[3.75], [-0.0625], [0.0], [1.5, -1.5], [0.5, 0.0, -0.5], [-0.0, 0.0]]
)
def test_one_magnitude_is_kept_exactly_and_costs_almost_nothing(values, parameters, dtype):
    weight = torch.tensor(values, dtype=dtype).repeat(60).reshape(6, -1)
    encoded, decoded = round_trip(weight, rate=3, **parameters)
    assert torch.equal(decoded, weight.float())
    bits = sum(encoded.bits().values())
    assert bits <= 1.6 * weight.numel() + 100
    if len(values) == 1:
        assert bits == 32 + 8


@pytest.mark.parametrize("constant", [3.7, -0.02])
@pytest.mark.parametrize("rate", [0.1, 2.0, 12.0])
def test_a_constant_is_kept_at_any_rate(rate, constant):
    weight = torch.full((24, 40), constant)
    encoded, decoded = round_trip(weight, rate=rate)
    assert torch.equal(decoded, weight)
    assert sum(encoded.bits().values()) == 40


def test_weights_that_need_fewer_bits_are_kept_nearly_exactly():
    levels = torch.tensor([-1.7, -0.4, 0.1, 2.3])
    weight = levels[torch.randint(4, (60, 60), generator=torch.manual_seed(0))]
    encoded, decoded = round_trip(weight, rate=8)
    assert sum(encoded.bits().values()) < 2.3 * 3600
    assert torch.allclose(decoded, weight, rtol=0, atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (1, 3), (3, 1)])
def test_where_the_rate_cannot_be_reached_the_least_is_stored(shape):
    encoded, decoded = round_trip(
        gaussian(1, 40)[0, :3].repeat(3)[: math.prod(shape)].view(shape), rate=0.5
    )
    assert sum(encoded.bits().values()) == 40
    assert bool(decoded.isfinite().all())


@pytest.mark.parametrize("outlier", [1e4, -1e4])
@pytest.mark.parametrize("rate", [1.0, 4.0, 12.0])
def test_an_outlier_is_kept_for_little(rate, outlier):
    weight = gaussian(100, 100)
    without = measured(weight, rate=rate).distortion.mse
    weight[3, 5] = outlier
    found = measured(weight, rate=rate)
    assert found.rate.total <= rate
    assert found.distortion.mse < 1.05 * without
    assert found.distortion.max_abs_error < 5


@pytest.mark.parametrize("scale", [1e-6, 1e-42, 1e30])
def test_any_magnitude(scale):
    weight = gaussian(30, 40) * scale
    for granularity in ("tensor", "channel"):
        _, decoded = round_trip(weight, rate=5, granularity=granularity)
        error = (weight.double() - decoded.double()).square().mean()
        assert error < 0.02 * weight.double().square().mean()


@pytest.mark.parametrize("granularity", ["tensor", "channel"])
@pytest.mark.parametrize("dtype", FLOATS)
def test_neither_dtype_nor_order_in_memory_matters_and_nothing_is_modified(granularity, dtype):
    weight = student(30, 50).bfloat16().to(dtype)
    before = weight.clone()
    parameters = {"rate": 3, "granularity": granularity, "row_classes": 4}
    encoded, decoded = round_trip(weight, **parameters)
    assert torch.equal(weight, before)
    for other in (weight.float(), weight.t().contiguous().t()):
        arrays = round_trip(other, **parameters)[0].arrays
        assert all(np.array_equal(arrays[name], encoded.arrays[name]) for name in encoded.arrays)
    assert (decoded.dtype, decoded.shape) == (torch.float32, weight.shape)


def test_the_number_of_threads_does_not_matter():
    weight = student(200, 300)
    threads = torch.get_num_threads()
    expected = round_trip(weight, rate=2.5, row_classes=4)[0].arrays
    torch.set_num_threads(1)
    try:
        arrays = round_trip(weight, rate=2.5, row_classes=4)[0].arrays
    finally:
        torch.set_num_threads(threads)
    assert all(np.array_equal(arrays[name], expected[name]) for name in expected)


@pytest.mark.parametrize("parameters", [{}, {"granularity": "channel", "row_classes": 5}])
def test_saved_and_loaded(tmp_path, parameters):
    encoded, decoded = round_trip(student(9, 110), rate=3, **parameters)
    encoded.save(tmp_path / "weight.safetensors")
    loaded = Encoded.load(tmp_path / "weight.safetensors")
    assert torch.equal(create("entropy_coded", rate=3, **parameters).decode(loaded), decoded)


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0)])
def test_nothing_costs_nothing(shape):
    encoded, decoded = round_trip(torch.empty(shape), rate=4, row_classes=2)
    assert decoded.shape == shape
    assert sum(encoded.bits().values()) == 0


@pytest.mark.parametrize(
    "weight",
    [torch.zeros(3), torch.ones(2, 2).int(), torch.eye(2) / 0, torch.eye(2).double() * 1e300],
)
def test_other_than_finite_float32_matrices_are_refused(weight):
    with pytest.raises(CodecError):
        round_trip(weight, rate=2)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "rate is missing"),
        ({"rate": 0.05}, "rate"),
        ({"rate": 12.5}, "rate"),
        ({"rate": "2"}, "rate"),
        ({"rate": 2.0, "granularity": 64}, "granularity"),
        ({"rate": 2.0, "rounding": 0.6}, "rounding"),
        ({"rate": 2.0, "row_classes": 0}, "row_classes"),
        ({"rate": 2.0, "row_classes": 65}, "row_classes"),
        ({"rate": 2.0, "reconstruct": "midpoint"}, "did you mean 'reconstruction'"),
    ],
)
def test_other_parameters_are_refused(parameters, message):
    with pytest.raises(CodecError, match=message):
        create("entropy_coded", **parameters)
