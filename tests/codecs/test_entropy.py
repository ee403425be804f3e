import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from qatlas.codecs import CodecError
from qatlas.codecs.entropy_coding.coder import (
    coded_bits,
    decode_given,
    decode_streams,
    decode_symbols,
    encode_given,
    encode_streams,
    encode_symbols,
)
from qatlas.codecs.entropy_coding.dyadic_histogram import fit

COUNT = 1_000_000
LARGEST = 2**61 - 1

SYMBOLS = st.one_of(
    st.integers(-3, 3),
    st.integers(-1000, 1000),
    st.integers(-LARGEST, LARGEST),
    st.sampled_from([0, LARGEST, -LARGEST]),
)
SEQUENCES = st.lists(SYMBOLS, max_size=80).map(lambda values: np.array(values, np.int64))


def gaussian(step):
    return lambda generator: np.rint(generator.standard_normal(COUNT) / step)


SOURCES = {
    "gaussian, 0.7 bit": gaussian(3),
    "gaussian, 2.2 bit": gaussian(0.9),
    "gaussian, 4.4 bit": gaussian(0.2),
    "gaussian, 8.7 bit": gaussian(0.01),
    "student, 2.5 bit": lambda generator: np.rint(generator.standard_t(5, COUNT) / 0.9),
    "student, 9 bit": lambda generator: np.rint(generator.standard_t(5, COUNT) / 0.01),
    "cauchy": lambda generator: np.rint(generator.standard_cauchy(COUNT)).clip(-1e9, 1e9),
    "laplace": lambda generator: np.rint(generator.laplace(size=COUNT) / 0.5),
    "even numbers": lambda generator: 2 * generator.integers(-50, 50, COUNT),
    "bytes": lambda generator: generator.integers(0, 256, COUNT),
    "rare ones": lambda generator: generator.random(COUNT) < 1e-4,
}


def draw(name):
    return SOURCES[name](np.random.default_rng(7)).astype(np.int64)


def entropy_bits(symbols):
    _, counts = np.unique(symbols, return_counts=True)
    return symbols.size * stats.entropy(counts, base=2)


def bits_of(arrays, *names):
    return 8 * sum(arrays[name].nbytes for name in names or arrays)


@pytest.mark.parametrize("name", SOURCES)
def test_a_million_symbols_take_their_entropy_and_a_small_table(name):
    symbols = draw(name)
    arrays = encode_symbols(symbols)
    entropy = entropy_bits(symbols)
    coded = bits_of(arrays, "payload", "payload.offsets")
    assert np.array_equal(decode_symbols(arrays, COUNT), symbols)
    assert entropy <= coded <= (1.0015 if name == "cauchy" else 1.001) * entropy + 40
    assert bits_of(arrays, "table") <= 0.0015 * entropy + 300


@pytest.mark.parametrize("name", SOURCES)
def test_the_size_is_foretold_from_the_histogram(name):
    symbols = draw(name)[:200_000]
    foretold = coded_bits(*np.unique(symbols, return_counts=True))
    assert bits_of(encode_symbols(symbols)) == pytest.approx(foretold, rel=1e-4, abs=32)


@settings(deadline=None, max_examples=150)
@given(SEQUENCES)
def test_any_symbols_are_decoded(symbols):
    arrays = encode_symbols(symbols)
    decoded = decode_symbols(arrays, symbols.size)
    assert decoded.dtype == np.int64
    assert np.array_equal(decoded, symbols)
    assert all(array.dtype == np.uint8 and array.ndim == 1 for array in arrays.values())


@settings(deadline=None, max_examples=100)
@given(st.lists(SEQUENCES, max_size=4))
def test_any_sequences_are_decoded(streams):
    decoded = decode_streams(encode_streams(streams), len(streams))
    assert len(decoded) == len(streams)
    assert all(map(np.array_equal, decoded, streams))


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(SYMBOLS, st.sampled_from([0, 1, 5])), max_size=80))
def test_any_symbols_in_any_contexts_are_decoded(pairs):
    symbols = np.array([symbol for symbol, _ in pairs], np.int64)
    contexts = np.array([context for _, context in pairs], np.uint8)
    assert np.array_equal(decode_given(encode_given(symbols, contexts), contexts), symbols)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.int64])
def test_the_dtype_and_shape_of_symbols_do_not_matter(dtype):
    symbols = np.random.default_rng(0).integers(0, 9, (30, 20)).astype(dtype)
    before = symbols.copy()
    arrays = encode_symbols(symbols)
    assert np.array_equal(symbols, before)
    assert np.array_equal(decode_symbols(arrays, 600), symbols.reshape(-1))
    again = encode_symbols(symbols.astype(np.int64).reshape(-1))
    assert all(np.array_equal(arrays[name], again[name]) for name in arrays)


def test_nothing_costs_nothing():
    arrays = encode_symbols(np.empty(0, np.int32))
    assert bits_of(arrays) == 0
    assert decode_symbols(arrays, 0).shape == (0,)


@pytest.mark.parametrize("count", [1, 2, 1000])
@pytest.mark.parametrize("symbol", [0, 5, -300])
def test_equal_symbols_cost_no_payload(symbol, count):
    arrays = encode_symbols(np.full(count, symbol))
    assert bits_of(arrays, "payload", "payload.offsets") == 0
    assert bits_of(arrays, "table") <= 24
    assert np.array_equal(decode_symbols(arrays, count), np.full(count, symbol))


@pytest.mark.parametrize("order", [1, -1])
def test_runs_at_either_end_are_not_free(order):
    symbols = np.repeat([0, 1], 4000)[::order]
    assert bits_of(encode_symbols(symbols), "payload") >= 8000


@pytest.mark.parametrize("distance", [10**4, 10**9, 10**18])
def test_outliers_cost_a_few_bytes(distance):
    symbols = draw("gaussian, 4.4 bit")[:100_000]
    without = bits_of(encode_symbols(symbols))
    symbols[[17, 5000]] = distance, -distance
    arrays = encode_symbols(symbols)
    assert np.array_equal(decode_symbols(arrays, symbols.size), symbols)
    # Twice the 60 bits of a symbol, and the cuts of the tree down to where the others lie.
    assert bits_of(arrays) < without + 16 * 2 * np.log2(distance)


def test_a_known_context_is_worth_its_information():
    generator = np.random.default_rng(1)
    contexts = generator.integers(0, 2, 400_000)
    symbols = np.rint(generator.standard_normal(contexts.size) * np.where(contexts, 8, 1))
    symbols = symbols.astype(np.int64)
    conditional = sum(entropy_bits(symbols[contexts == context]) for context in (0, 1))
    assert bits_of(encode_given(symbols, contexts)) == pytest.approx(conditional, rel=1e-3)
    streams = encode_streams([symbols[contexts == context] for context in (0, 1)])
    assert bits_of(streams) == pytest.approx(conditional, rel=1e-3)
    assert bits_of(encode_symbols(symbols)) > 1.05 * conditional


def trees(height):
    """All cuts of 2^height symbols into dyadic cells, as the widths of these."""
    yield (height,)
    if height:
        for left, right in itertools.product(trees(height - 1), repeat=2):
            yield left + right


@settings(deadline=None, max_examples=100)
@given(st.lists(st.integers(0, 60), min_size=8, max_size=8).filter(lambda c: c[0] and sum(c[4:])))
def test_no_other_tree_of_cells_is_shorter(counts):
    counts = np.array(counts)
    total = counts.sum()
    root_bits = round(total**0.5).bit_length()

    def length(widths):
        sizes = [2**width for width in widths]
        masses = np.add.reduceat(counts, np.cumsum([0, *sizes[:-1]]))
        nodes = 2 * len(widths) - 1
        tree = nodes - sum(width == 0 for width in widths) + root_bits * len(widths)
        roots = np.rint(np.sqrt(masses))
        costs = np.log2(total) + np.array(widths) - 2 * np.log2(np.maximum(roots, 1))
        return tree + (masses * costs).sum()

    histogram = fit(np.flatnonzero(counts), counts[counts > 0])
    found = tuple(histogram.widths.tolist())
    assert found in set(trees(3))
    assert length(found) == pytest.approx(min(map(length, trees(3))))


@pytest.mark.parametrize("symbol", [LARGEST + 1, -LARGEST - 1])
def test_larger_symbols_are_refused(symbol):
    with pytest.raises(ValueError, match="magnitude below 2\\^61"):
        encode_symbols(np.array([0, symbol]))


@pytest.mark.parametrize("name", ["table", "payload.offsets"])
def test_cut_arrays_are_refused(name):
    arrays = encode_symbols(draw("gaussian, 8.7 bit")[:5000])
    arrays[name] = arrays[name][: arrays[name].size // 2]
    with pytest.raises(CodecError, match="damaged"):
        decode_symbols(arrays, 5000)
