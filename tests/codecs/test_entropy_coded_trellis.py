import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from qatlas.bounds.empirical import rate_distortion_curve
from qatlas.bounds.gaussian import rate_bits
from qatlas.codecs import CodecError, Context, Encoded, create
from qatlas.codecs.measure import distortion_of, measure_codec, rate_of
from qatlas.codecs.trellises.ungerboeck import (
    PARITY_CHECKS,
    by_superset,
    cheapest_path,
    levels_along_path,
    trellis,
)
from qatlas.distinct import distinct

STATES = sorted(PARITY_CHECKS)


def normal(*shape, seed=0):
    values = np.random.default_rng(seed).standard_normal(shape)
    return torch.from_numpy((values / values.std()).astype(np.float32))


def measured(weight, **parameters):
    return measure_codec(weight, create("entropy_coded_trellis", **parameters), Context())


def round_trip(weight, **parameters):
    codec = create("entropy_coded_trellis", **parameters)
    encoded = codec.encode(weight, Context())
    return encoded, codec.decode(encoded)


def one_context(values):
    return np.zeros(len(values), np.uint8)


def random_levels(states, count, seed):
    """Levels along a random path, made from the parity checks by convolution alone."""
    generator = np.random.default_rng(seed)
    h0, h1 = PARITY_CHECKS[states]
    inputs = generator.integers(0, 2, count)
    odd, second = (
        np.convolve(inputs, [h >> i & 1 for i in range(states.bit_length())])[:count] % 2
        for h in (h1, h0)
    )
    return (odd + 2 * second + 4 * generator.integers(-3, 3, count)).astype(np.int32)


@pytest.mark.parametrize("states", STATES)
def test_paths_are_the_code_words_of_the_parity_checks(states):
    """h1 times the second bits plus h0 times the first bits is zero, which is how Ungerboeck
    defines the code; from state 0 on there is nothing before the first level."""
    values = (3 * np.random.default_rng(states).standard_normal(9000)).astype(np.float32)
    free = np.zeros((1, 201), np.float32)
    levels = cheapest_path(values, one_context(values), trellis(states), free)
    first, second = levels & 1, levels >> 1 & 1
    h0, h1 = ([h >> i & 1 for i in range(states.bit_length())] for h in PARITY_CHECKS[states])
    checks = np.convolve(first, h0) + np.convolve(second, h1)
    assert not (checks[: levels.size] % 2).any()


@pytest.mark.parametrize("states", STATES)
def test_the_path_follows_from_the_levels(states):
    levels = random_levels(states, 2000, seed=states)
    contexts = np.random.default_rng(1).integers(0, 3, 2000).astype(np.uint8)
    streams = by_superset(levels, contexts, 3)
    assert np.array_equal(levels_along_path(streams, contexts, trellis(states)), levels)


@pytest.mark.parametrize("states", [4, 256])
def test_levels_on_no_path_are_refused(states):
    levels = random_levels(states, 300, seed=5)
    streams = by_superset(levels, one_context(levels), 1)
    with pytest.raises(CodecError, match="path through a trellis"):
        levels_along_path([streams[0][:-1], streams[1]], one_context(levels), trellis(states))
    with pytest.raises(CodecError, match="path through a trellis"):
        levels_along_path(streams[::-1], one_context(levels), trellis(states))
    none = [np.empty(0, np.int64)] * 2
    with pytest.raises(CodecError, match="path through a trellis"):
        levels_along_path(none, one_context(levels), trellis(states))


def path_cost(values, levels, lengths):
    reach = lengths.shape[1] // 2
    return ((values - levels) ** 2 + lengths[0, levels + reach]).sum()


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from([4, 8, 16]),
    st.lists(st.integers(-16, 16), min_size=1, max_size=7),
    st.integers(0, 2**32 - 1),
)
def test_no_other_path_is_cheaper(states, quarters, seed):
    values = np.array(quarters, np.float32) / 4
    random = np.random.default_rng(seed).integers(0, 8, 41)
    # Sixteenths are summed without rounding; the far levels are never worth it.
    lengths = (random / 16).astype(np.float32)[None]
    levels = cheapest_path(values, one_context(values), trellis(states), lengths)
    h0, h1 = PARITY_CHECKS[states]
    least = np.inf
    for inputs in itertools.product((0, 1), repeat=values.size):
        odd, second = (
            np.convolve(inputs, [h >> i & 1 for i in range(states.bit_length())])[: values.size] % 2
            for h in (h1, h0)
        )
        candidates = (odd + 2 * second)[:, None] + 4 * np.arange(-4, 4)
        costs = (values[:, None] - candidates) ** 2 + lengths[0, candidates + 20]
        least = min(least, costs.min(1).sum())
    assert path_cost(values, levels, lengths) == least


def least_cost(values, states, lengths):
    """Viterbi without blocks, in double precision, on states made of the last inputs."""
    half, reach = states // 2, lengths.shape[1] // 2
    candidates = np.arange(4)[:, None] + 4 * np.arange(-5, 5)
    errors = (values[:, None, None].astype(np.float64) - candidates) ** 2
    subsets = (errors + lengths[0, candidates + reach]).min(2)
    state, bit = np.meshgrid(np.arange(states), [0, 1], indexing="ij")
    register = 2 * state + bit
    odd, second = (
        np.array([[int(x & h).bit_count() % 2 for x in row] for row in register])
        for h in PARITY_CHECKS[states][::-1]
    )
    subset = odd + 2 * second
    reached = np.full(states, np.inf)
    reached[0] = 0
    after = (register % states).reshape(2, half, 2)
    assert np.array_equal(after[0], after[1])
    for costs in subsets:
        both = (reached[:, None] + costs[subset]).reshape(2, half, 2)
        reached = both.min(0).reshape(-1)
    return reached.min()


@pytest.mark.parametrize("states", [8, 64])
def test_joining_blocks_costs_nothing(states):
    values = (2 * np.random.default_rng(2).standard_normal(20_000)).astype(np.float32)
    lengths = (np.abs(np.arange(-40, 41)) / 4).astype(np.float32)[None]
    levels = cheapest_path(values, one_context(values), trellis(states), lengths)
    found = path_cost(values.astype(np.float64), levels, lengths)
    assert found == pytest.approx(least_cost(values, states, lengths), rel=1e-6)


@pytest.mark.parametrize("rate", [1.0, 2.0, 3.0, 4.0])
@pytest.mark.parametrize(("states", "gap"), [(8, 0.08), (256, 0.04)])
def test_distance_to_shannons_bound(states, gap, rate):
    found = measured(normal(512, 512), rate=rate, states=states)
    assert found.rate.total == pytest.approx(rate, abs=0.004)
    # What it may not do is pass the bound.
    assert 0 < found.rate.total - rate_bits(found.distortion.mse) < gap


def test_more_states_come_nearer():
    weight = normal(200, 512)
    errors = [measured(weight, rate=2.0, states=states).distortion.mse for states in STATES]
    gaps = [2.0 - rate_bits(error) for error in errors]
    assert gaps == sorted(gaps, reverse=True)
    # An entropy-coded scalar quantizer cannot come nearer than 0.2546 bit at high rate.
    assert gaps[0] < 0.12


@pytest.fixture(scope="module")
def heavy_tailed():
    weights = np.random.default_rng(1).standard_t(5, (512, 512)).astype(np.float32)
    weight = torch.from_numpy(weights).bfloat16()
    return weight, rate_distortion_curve(distinct(weight))


@pytest.mark.parametrize("rate", [2.0, 3.0, 4.0])
def test_distance_to_the_bound_of_a_heavy_tailed_source(heavy_tailed, rate):
    weight, limit = heavy_tailed
    found = measured(weight, rate=rate)
    assert 0 < found.rate.total - limit.rate_at(found.distortion.mse) < 0.05


@pytest.mark.parametrize("rate", [0.5, 0.8, 1.37, 2.5, 5.25, 8.0])
@pytest.mark.parametrize("granularity", ["tensor", "channel"])
def test_the_stored_bytes_meet_the_rate(rate, granularity):
    weight = normal(256, 300, seed=3)
    found = measured(weight, rate=rate, states=8, granularity=granularity)
    assert found.rate.total == pytest.approx(rate, abs=0.005)
    assert found.nominal_bits == rate


def test_channels_of_different_size_are_better_off_with_their_own_histograms():
    sizes = np.exp2(np.random.default_rng(4).uniform(-1.5, 1.5, (512, 1)))
    weight = normal(512, 512, seed=4) * torch.from_numpy(sizes.astype(np.float32))
    together, apart = (
        measured(weight, rate=3.0, states=8, granularity=granularity)
        for granularity in ("tensor", "channel")
    )
    assert apart.rate.total == pytest.approx(3.0, abs=0.005)
    assert apart.distortion.mse < 0.85 * together.distortion.mse
    # With all variances known and above the error, this is reverse water-filling.
    assert apart.distortion.mse < np.min(sizes**2)
    limit = np.log2(sizes).mean() - 0.5 * np.log2(apart.distortion.mse)
    # The trellis leaves 0.075, classes of half an octave 0.015, tables and classes as much again.
    assert 0 < apart.rate.total - limit < 0.115


@pytest.mark.parametrize("granularity", ["tensor", "channel"])
def test_the_same_generator_gives_the_same_bytes(granularity):
    weight = normal(300, 400)
    one, other = (
        round_trip(weight, rate=2.0, states=16, granularity=granularity)[0] for _ in range(2)
    )
    assert one.arrays.keys() == other.arrays.keys()
    assert all(np.array_equal(one.arrays[key], other.arrays[key]) for key in one.arrays)


@pytest.mark.parametrize("granularity", ["tensor", "channel"])
def test_saved_and_loaded(tmp_path, granularity):
    encoded, decoded = round_trip(normal(60, 70), rate=2.0, states=8, granularity=granularity)
    encoded.save(tmp_path / "weight.safetensors")
    loaded = Encoded.load(tmp_path / "weight.safetensors")
    codec = create("entropy_coded_trellis", rate=2.0, states=8, granularity=granularity)
    assert torch.equal(codec.decode(loaded), decoded)


@pytest.mark.parametrize("value", [0.0, 3.7, -0.02, 1e-35])
def test_a_constant_is_kept_for_next_to_nothing(value):
    weight = torch.full((30, 40), value)
    encoded, decoded = round_trip(weight, rate=2.0)
    assert torch.equal(decoded, weight)
    assert encoded.bits()["payload"] == 0
    assert sum(encoded.bits().values()) < 200


@pytest.mark.parametrize("granularity", ["tensor", "channel"])
@pytest.mark.parametrize("outlier", [1e4, -1e6])
def test_one_huge_outlier_takes_a_few_bits(outlier, granularity):
    weight = normal(256, 256)
    plain = measured(weight, rate=3.0, states=8, granularity=granularity)
    weight[5, 7] = outlier
    found = measured(weight, rate=3.0, states=8, granularity=granularity)
    assert found.rate.total == pytest.approx(3.0, abs=0.006)
    assert found.distortion.mse < 1.1 * plain.distortion.mse


@pytest.mark.parametrize("scale", [1e-30, 1e-6, 1e6, 1e36])
def test_the_unit_of_the_weights_does_not_matter(scale):
    weight = normal(100, 100)
    expected = distortion_of(weight, round_trip(weight, rate=2.0, states=8)[1]).nmse
    found = measured(weight * scale, rate=2.0, states=8)
    assert found.distortion.nmse == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (3, 5)])
def test_few_weights_may_cost_more_than_the_rate(shape):
    encoded, decoded = round_trip(normal(*shape) if shape != (1, 1) else torch.ones(1, 1), rate=1.0)
    assert decoded.shape == shape
    assert bool(decoded.isfinite().all())
    assert rate_of(encoded, decoded.numel()).total * decoded.numel() <= 200


@pytest.mark.parametrize("factor", [1e-36, 1e200])
def test_weights_that_no_float32_step_divides_are_refused(factor):
    with pytest.raises(CodecError, match="rescale the weights"):
        round_trip(normal(20, 20).double() * factor, rate=2.0)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "rate is missing"),
        ({"rate": 0.2}, "rate"),
        ({"rate": 9.0}, "rate"),
        ({"rate": 2.0, "states": 512}, "states"),
        ({"rate": 2.0, "granularity": 64}, "granularity"),
    ],
)
def test_other_parameters_are_refused(parameters, message):
    with pytest.raises(CodecError, match=message):
        create("entropy_coded_trellis", **parameters)
