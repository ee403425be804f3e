import itertools
import struct
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qatlas.codecs.trellises.bit_shift import BitShiftTrellis
from qatlas.codecs.trellises.plain_viterbi import best_states, tail_biting_states
from qatlas.codecs.trellises.state_codes import state_values
from qatlas.codecs.trellises.tail_biting import (
    rings_of_symbols,
    tail_biting_symbols,
    values_of_rings,
)

SMALL = [(2, 1), (4, 1), (4, 2), (6, 2), (6, 3), (8, 4)]
ALL = [(state_bits, bits) for state_bits in (8, 12, 16) for bits in (1, 2, 3, 4)]


def trellis(state_bits, bits, seed=0):
    values = np.random.default_rng(seed).standard_normal(1 << state_bits)
    return BitShiftTrellis(values.astype(np.float32), bits)


def normal(*shape, seed=1):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def squared_error(values, states, of):
    return np.square(of.values[states].astype(np.float64) - values).sum()


def compiled_path(values, of, overlap=None):
    costs, choices = of.costs_and_choices(values, overlap)
    end = int(costs.argmin()) if overlap is None else overlap
    symbols, before = of.path_back(choices, end)
    assert overlap is None or before == overlap
    states = []
    state = before
    for symbol in symbols:
        state = (state << of.bits | int(symbol)) % of.values.size
        states.append(state)
    return np.array(states)


def every_path(of, length, overlap=None):
    """States along all paths, by trying the first state and what each step takes in."""
    size = of.values.size
    for state in range(size):
        for symbols in itertools.product(range(1 << of.bits), repeat=length - 1):
            states = [state]
            for symbol in symbols:
                states.append((states[-1] << of.bits | symbol) % size)
            begins, ends = states[0] >> of.bits, states[-1] % of.overlaps
            if overlap is None or begins == ends == overlap:
                yield states


@pytest.mark.parametrize("state_bits", [8, 12, 16])
def test_computed_codes_are_those_of_their_definition(state_bits):
    one_mad = state_values("1mad", state_bits, 2)
    three = state_values("3inst", state_bits, 2)
    assert one_mad.dtype == three.dtype == np.float32
    for state in range(0, 1 << state_bits, 37):
        number = (34038481 * state + 76625530) % 2**32
        bytes_sum = sum(number.to_bytes(4, "little"))
        assert one_mad[state] == pytest.approx((bytes_sum - 510) / 147.8, rel=1e-5)
        number = (89226354 * state + 64248484) % 2**32
        halves = struct.pack("<I", number & 0x8FFF8FFF ^ 0x3B603B60)
        assert three[state] == pytest.approx(sum(struct.unpack("<2e", halves)), abs=1e-6)
    if state_bits == 16:
        assert (one_mad.std(), three.std()) == pytest.approx((1, 1.24), abs=0.03)


@pytest.mark.parametrize("code", ["permutation", "latin_square"])
@pytest.mark.parametrize(("state_bits", "bits"), ALL)
def test_looked_up_codes_order_gaussian_quantiles(code, state_bits, bits):
    values = state_values(code, state_bits, bits)
    quantile = NormalDist().inv_cdf
    in_order = np.sort(values)
    for place in range(0, values.size, 101):
        expected = quantile((place + 0.5) / values.size)
        assert in_order[place] == pytest.approx(expected, rel=1e-6, abs=1e-6)
    # Mixed well: next to no correlation of states that differ in one bit.
    for bit in range(state_bits):
        flipped = values[np.arange(values.size) ^ 1 << bit]
        assert code == "latin_square" or abs(np.mean(values * flipped)) < 6 / values.size**0.5


@pytest.mark.parametrize(("state_bits", "bits"), ALL)
def test_branches_that_part_or_meet_are_in_different_strata(state_bits, bits):
    values = state_values("latin_square", state_bits, bits)
    bounds = [NormalDist().inv_cdf(i / 2**bits) for i in range(1, 2**bits)]
    strata = np.searchsorted(bounds, values)
    parting, meeting = strata.reshape(-1, 2**bits), strata.reshape(2**bits, -1).T
    for together in (parting, meeting):
        assert (np.sort(together, 1) == np.arange(2**bits)).all()


def test_the_codes_cannot_be_written_to():
    with pytest.raises(ValueError, match="read-only"):
        state_values("1mad", 8, 1)[0] = 0


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from([(2, 1), (3, 1), (4, 1), (4, 2)]),
    st.lists(st.integers(-12, 12), min_size=1, max_size=4),
    st.integers(0, 2**32 - 1),
    st.booleans(),
)
def test_no_other_path_has_less_error(size, quarters, seed, constrained):
    of = trellis(*size, seed)
    values = np.array(quarters, np.float32) / 4
    overlap = None
    if constrained:
        overlap = seed % of.overlaps
        if values.size * of.bits < of.state_bits - of.bits:
            return
    least = min(
        squared_error(values, states, of) for states in every_path(of, values.size, overlap)
    )
    for states in (
        compiled_path(values, of, overlap),
        best_states(values.astype(np.float64), of, overlap),
    ):
        assert squared_error(values, states, of) == pytest.approx(least, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize(("state_bits", "bits"), SMALL)
@pytest.mark.parametrize("length", [9, 200])
@pytest.mark.parametrize("constrained", [False, True])
def test_the_compiled_search_finds_the_path_of_the_plain_one(state_bits, bits, length, constrained):
    of = trellis(state_bits, bits)
    values = normal(length)
    overlap = 1 if constrained else None
    expected = best_states(values.astype(np.float64), of, overlap)
    assert np.array_equal(compiled_path(values, of, overlap), expected)


@pytest.mark.parametrize(("state_bits", "bits"), SMALL)
@pytest.mark.parametrize("length", [17, 18, 64])
def test_tail_biting_is_that_of_the_paper(state_bits, bits, length):
    of = trellis(state_bits, bits)
    values = normal(length, seed=length)
    symbols = tail_biting_symbols(values, of)
    expected = tail_biting_states(values.astype(np.float64), of)
    assert np.array_equal(of.states(symbols[None])[0], expected)


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from([*SMALL, (8, 1), (8, 3)]),
    st.integers(1, 70),
    st.integers(0, 2**32 - 1),
)
def test_states_go_around_in_a_ring(size, length, seed):
    of = trellis(*size, seed)
    symbols = tail_biting_symbols(normal(length, seed=seed), of)
    assert symbols.shape == (length,)
    states = of.states(symbols[None])[0].astype(int)
    after = np.roll(states, -1)
    assert np.array_equal(after, (states << of.bits | np.roll(symbols, -1)) % of.values.size)
    assert states[-1] % of.overlaps == states[0] >> of.bits


@pytest.mark.parametrize(("state_bits", "bits"), [*SMALL, (8, 2), (12, 3)])
@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_no_other_short_ring_has_less_error(state_bits, bits, length):
    of = trellis(state_bits, bits)
    values = normal(length, seed=length)
    rings = np.array(list(itertools.product(range(1 << bits), repeat=length)), np.uint8)
    least = np.square(of.values[of.states(rings)].astype(np.float64) - values).sum(1).min()
    found = of.states(tail_biting_symbols(values, of)[None])[0]
    assert squared_error(values, found, of) == pytest.approx(least, rel=1e-6)


@pytest.mark.parametrize(("state_bits", "bits"), [(8, 1), (8, 4), (12, 2)])
def test_a_bitten_tail_costs_no_more_than_the_start_state_that_it_saves(state_bits, bits):
    of = BitShiftTrellis(state_values("latin_square", state_bits, bits), bits)
    free, bitten = 0.0, 0.0
    for seed in range(20):
        values = normal(256, seed=seed)
        states = compiled_path(values, of)
        ring = of.states(tail_biting_symbols(values, of)[None])[0]
        assert squared_error(values, states, of) <= squared_error(values, ring, of) * (1 + 1e-6)
        free += squared_error(values, states, of)
        bitten += squared_error(values, ring, of)
    # A free start is worth its L - k bits, by which Shannon's bound falls.
    assert bitten < free * 4 ** ((state_bits - bits) / 256) * 1.01


def test_an_outlier_does_not_blur_what_comes_after_it():
    of = trellis(8, 2)
    values = normal(400)
    values[7] = 1e5
    plain = best_states(values.astype(np.float64), of)
    found = compiled_path(values, of)
    assert np.array_equal(found[20:], plain[20:])


@pytest.mark.parametrize("count", [1, 5, 16, 31, 32, 33, 47, 48, 100])
def test_what_is_left_over_makes_the_last_ring_longer(count):
    of = trellis(6, 2)
    values = normal(count)
    symbols = rings_of_symbols(values, of, 16)
    assert symbols.shape == (count,)
    words = values_of_rings(symbols, of, 16)
    whole = max(count // 16 - 1, 0) * 16
    for start in range(0, whole, 16):
        ring = tail_biting_symbols(values[start : start + 16], of)
        assert np.array_equal(symbols[start : start + 16], ring)
        assert np.array_equal(words[start : start + 16], of.values[of.states(ring[None])[0]])
    last = tail_biting_symbols(values[whole:], of)
    assert np.array_equal(symbols[whole:], last)
    assert np.array_equal(words[whole:], of.values[of.states(last[None])[0]])
