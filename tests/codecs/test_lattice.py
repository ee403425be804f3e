import math

import numpy as np
import pytest
import torch

from qatlas.codecs import CodecError, Context, create
from qatlas.codecs.lattices.stages import STAGES, nearest_words
from qatlas.codecs.measure import distortion_of, measure_codec

IDEAL_GAP = {"z": 0.2546, "d4": 0.194, "e8": 0.146, "leech": 0.084}
"""Bits from Shannon's bound at high rate with ideal entropy coding, 0.5 log2(2 pi e G)."""

FIXED_MSE = {
    ("d4", 2): 0.1025,
    ("d4", 3): 0.0303,
    ("d4", 4): 0.0091,
    ("e8", 1): 0.319,
    ("e8", 2): 0.0908,
    ("e8", 3): 0.0300,
    ("e8", 4): 0.0080,
}
"""On N(0, 1), as measured here."""

LLOYD_MAX_MSE = {1: 0.36338, 2: 0.117482, 3: 0.0345478, 4: 0.0095010}
"""Max (1960), table I."""

POINTS = [{"lattice": lattice, "bits": bits} for lattice, bits in STAGES]
POINTS += [{"lattice": name, "bits": 2.5, "coding": "entropy"} for name in IDEAL_GAP]
every_point = pytest.mark.parametrize("point", POINTS, ids=lambda p: "-".join(map(str, p.values())))
every_granularity = pytest.mark.parametrize("granularity", ["tensor", "channel"])


def normal(*shape, seed=0):
    weights = np.random.default_rng(seed).standard_normal(shape)
    return torch.from_numpy(weights.astype(np.float32))


def measure(weight, **parameters):
    return measure_codec(weight, create("lattice", **parameters), Context())


def round_trip(weight, **parameters):
    codec = create("lattice", **parameters)
    return codec.decode(codec.encode(weight, Context()))


@pytest.mark.parametrize("lattice", IDEAL_GAP)
def test_entropy_coded_points_have_the_ideal_gap(lattice):
    measured = measure(normal(512, 480), lattice=lattice, bits=4.0, coding="entropy")
    assert 3.998 <= measured.rate.total <= 4
    coded = measured.rate.total - measured.rate.other
    gap = coded + 0.5 * math.log2(measured.distortion.mse)
    assert gap == pytest.approx(IDEAL_GAP[lattice], abs=0.01)
    assert measured.rate.other < 0.02


@pytest.mark.parametrize("bits", [1.5, 3.0])
@every_granularity
def test_at_equal_rate_better_lattices_lose_less(bits, granularity):
    weight = normal(192, 240, seed=1)
    errors = [
        measure(
            weight, lattice=lattice, bits=bits, coding="entropy", granularity=granularity
        ).distortion.mse
        for lattice in ["z", "d4", "e8"]
    ]
    assert errors[0] > 1.03 * errors[1] > 1.03**2 * errors[2]


@pytest.mark.parametrize(("lattice", "bits"), STAGES)
def test_fixed_codebooks_on_a_normal_source(lattice, bits):
    measured = measure(normal(512, 256), lattice=lattice, bits=bits)
    assert measured.rate.payload == bits == measured.nominal_bits
    assert measured.distortion.mse == pytest.approx(FIXED_MSE[lattice, bits], rel=0.015)
    assert measured.distortion.mse < LLOYD_MAX_MSE[bits]


@pytest.mark.parametrize(("lattice", "bits"), STAGES)
def test_fitted_shells_serve_a_heavy_tail_better_and_are_charged(lattice, bits):
    generator = np.random.default_rng(8)
    weight = torch.from_numpy(generator.standard_t(5, (256, 256)).astype(np.float32))
    plain = measure(weight, lattice=lattice, bits=bits)
    fitted = measure(weight, lattice=lattice, bits=bits, codewords="fitted")
    assert fitted.distortion.mse < plain.distortion.mse
    shells = STAGES[lattice, bits][0].codebook.shells.max() + 1
    assert fitted.rate.codebook == 16 * shells / weight.numel()
    assert fitted.rate.total == plain.rate.total + fitted.rate.codebook


def test_two_bits_of_e8_come_within_what_is_published_of_e8p():
    # The published error of E8P is 0.089: QTIP, table 1.
    measured = measure(normal(1024, 1024), lattice="e8", bits=2.0, codewords="fitted")
    assert measured.distortion.mse <= 0.0905
    assert measured.rate.total < 2.0003


def test_fitted_codewords_are_those_of_a_codebook():
    with pytest.raises(ValueError, match="codewords 'fitted' are those of coding 'fixed'"):
        create("lattice", lattice="e8", bits=2.5, coding="entropy", codewords="fitted")


@pytest.mark.parametrize(("lattice", "bits"), [("d4", 2), ("e8", 2), ("e8", 3)])
def test_no_other_scale_serves_better(lattice, bits):
    weight = normal(96, 64, seed=2)
    stages = STAGES[lattice, bits]
    found = measure(weight, lattice=lattice, bits=bits).distortion.mse
    vectors = weight.double().numpy().reshape(-1, stages[0].codebook.dimension)
    spread = np.sqrt(np.mean(stages[0].codebook.words(np.arange(200)) ** 2))
    for scale in np.geomspace(0.2, 5, 60) / spread:
        _, words = nearest_words(stages, vectors / scale)
        assert found <= 1.003 * np.mean((vectors - scale * words) ** 2)


@every_point
def test_a_channel_scale_adapts_to_its_row(point):
    weight = normal(12, 480, seed=3) * torch.logspace(-3, 3, 12)[:, None]
    decoded = round_trip(weight, granularity="channel", **point)
    errors = (weight - decoded).square().mean(1) / weight.square().mean(1)
    assert bool((errors < 1.5 * errors.median()).all())


@every_point
@every_granularity
@pytest.mark.parametrize("shape", [(1, 40), (40, 1), (1, 1), (3, 17), (0, 8), (8, 0), (0, 0)])
def test_any_shape(point, granularity, shape):
    weight = normal(*shape, seed=4)
    decoded = round_trip(weight, granularity=granularity, **point)
    assert decoded.shape == shape
    assert decoded.dtype == torch.float32
    if weight.numel():
        assert distortion_of(weight, decoded).mse <= 1.0001 * weight.square().mean()


@every_point
@every_granularity
def test_zeros_and_zero_rows_stay_zero(point, granularity):
    weight = normal(4, 48, seed=5)
    weight[1] = 0
    decoded = round_trip(weight, granularity=granularity, **point)
    assert granularity == "tensor" or not decoded[1].any()
    assert not round_trip(0 * weight, granularity=granularity, **point).any()


@every_point
@every_granularity
@pytest.mark.parametrize("constant", [3.7, -0.02])
def test_a_constant_stays_one(point, granularity, constant):
    decoded = round_trip(torch.full((24, 40), constant), granularity=granularity, **point)
    assert torch.allclose(decoded, torch.tensor(constant), rtol=2**-8)
    assert decoded.unique().numel() == 1


@every_point
@every_granularity
@pytest.mark.parametrize("outlier", [1e4, -1e4])
def test_an_outlier_is_survived(point, granularity, outlier):
    weight = normal(24, 40, seed=6)
    weight[5, 7] = outlier
    measured = measure(weight, granularity=granularity, **point)
    assert measured.distortion.max_abs_error <= 1.01e4
    assert measured.distortion.mse <= weight.square().mean()


@every_point
def test_scales_beyond_their_dtype_are_refused_with_a_remedy(point):
    with pytest.raises(CodecError, match=r"scale_dtype 'float16': use 'bfloat16' or 'float32'"):
        round_trip(normal(24, 40) * 1e-12, scale_dtype="float16", **point)
    assert round_trip(normal(24, 40) * 1e-12, **point).any()


def test_weights_beyond_float32_are_refused():
    with pytest.raises(CodecError, match="beyond the range of float32"):
        round_trip(torch.full((2, 8), 1e300, dtype=torch.float64), lattice="e8", bits=2)


@pytest.mark.parametrize(
    ("lattice", "bits"), [("z", 2), ("leech", 2), ("d4", 1), ("e8", 2.5), ("e8", 5)]
)
def test_codebooks_that_do_not_exist_are_refused(lattice, bits):
    with pytest.raises(CodecError, match=r"lattice: no fixed codebook .* 2 for 'e8'.*entropy"):
        create("lattice", lattice=lattice, bits=bits)


@pytest.mark.parametrize("lattice", IDEAL_GAP)
@pytest.mark.parametrize("bits", [0.5, 1.0, 3.3, 6.0])
def test_the_rate_is_met_and_not_exceeded(lattice, bits):
    rate = measure(normal(256, 240, seed=8), lattice=lattice, bits=bits, coding="entropy").rate
    assert bits - 0.004 <= rate.total <= bits
