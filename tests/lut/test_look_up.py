"""Products by look-up, in all three forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import RegularGridInterpolator

from qatlas.errors import AtlasError
from qatlas.lut.encodings import ENCODINGS
from qatlas.lut.look_up import compiled, definition, vectorised
from qatlas.lut.look_up.definition import METHODS, look_up_in, method_of
from qatlas.lut.product_table import ProductTable, encoded_table

FREE = sorted(name for name, encoding in ENCODINGS.items() if encoding.fixed_range is None)
RANGES = (0.25, 0.5, 1.0, 2.0, 4.0, 3.7)


def table_of(encoding, size, limit):
    return look_up_in(encoded_table(encoding, size, limit))


@settings(deadline=None, max_examples=150)
@given(
    encoding=st.sampled_from(FREE),
    size=st.sampled_from((2, 3, 4, 7, 16, 100, 256, 512)),
    limit=st.sampled_from(RANGES),
    method=st.sampled_from(sorted(METHODS.values())),
    seed=st.integers(0, 2**32 - 1),
)
def test_three_forms_agree_to_the_last_bit(encoding, size, limit, method, seed):
    table = table_of(encoding, size, limit)
    random = np.random.default_rng(seed)
    # Beyond the range too, and on levels and halfway between them.
    a, b = random.uniform(-1.5 * limit, 1.5 * limit, (2, 64))
    a[:16] = np.linspace(table.low, table.high, 2 * size - 1)[random.integers(0, 2 * size - 1, 16)]
    draws = random.random((2, 64))
    draws[0, :2] = 0.0, 1 - 2.0**-53
    by_arrays = vectorised.products(table, method, a, b, *draws)
    one_by_one = [
        definition.product(table, method, *args) for args in zip(a, b, *draws, strict=True)
    ]
    assert by_arrays.tobytes() == np.array(one_by_one).tobytes()
    assert by_arrays.tobytes() == compiled.products(table, method, a, b, *draws).tobytes()
    assert np.abs(by_arrays).max() <= limit
    if not table.signed:
        assert by_arrays.min() >= 0


@settings(deadline=None, max_examples=60)
@given(
    encoding=st.sampled_from(FREE),
    size=st.integers(2, 300),
    limit=st.floats(0.05, 50),
    method=st.sampled_from(sorted(METHODS.values())),
    place=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_operands_on_levels_find_their_own_entry_by_every_method(
    encoding, size, limit, method, place
):
    table = encoded_table(encoding, size, limit)
    i, j = (min(int(p * size), size - 1) for p in place)
    found = definition.product(
        look_up_in(table), method, table.levels[i], table.levels[j], 1e-3, 0.5
    )
    assert found == pytest.approx(table.products[i, j], abs=1e-9 * limit, rel=1e-9)


@pytest.mark.parametrize("limit", [0.25, 0.5, 1.0, 2.0])
def test_stochastic_rounding_is_in_use_at_every_range_and_right_in_the_mean(limit):
    table = table_of("signed_ext", 64, limit)
    random = np.random.default_rng(3)
    a, b = (np.repeat(random.uniform(-limit, limit, 100), 4000) for _ in range(2))
    draws = random.random((2, a.size))
    found = vectorised.products(table, METHODS["stochastic"], a, b, *draws)
    rounded = vectorised.products(table, METHODS["nearest"], a, b, *draws)
    assert np.mean(found != rounded) > 0.01
    # In the mean it is the bilinear product where codes are read evenly.
    expected = vectorised.products(table, METHODS["bilinear"], a, b, *draws)
    means, deviations = (f(found.reshape(100, -1), axis=1) for f in (np.mean, np.std))
    # What happens less than once in 4,000 draws is not seen in the deviation.
    unseen = 10 / 4000 * 2 * limit / 63
    assert np.all(abs(means - expected[::4000]) <= 5 * deviations / np.sqrt(4000) + unseen)


def test_bilinear_products_are_those_of_scipy():
    table = encoded_table("signed_ext", 33, 2.0)
    random = np.random.default_rng(1)
    a, b = random.uniform(-2, 2, (2, 500))
    grid = RegularGridInterpolator((table.levels, table.levels), table.codes.astype(float))
    expected = 2.0 * (2 * grid(np.stack([a, b], 1)) / 32 - 1)
    found = vectorised.products(look_up_in(table), METHODS["bilinear"], a, b, a, b)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_codes_between_whole_ones_decode_by_the_formula():
    for name in FREE:
        table = encoded_table(name, 64, 2.0)
        codes = np.linspace(0, 63, 1001)
        found = vectorised.decode(look_up_in(table), codes)
        np.testing.assert_allclose(found, ENCODINGS[name].decode(codes, 64, 2.0), atol=1e-14)


def test_zero_decodes_to_zero_at_a_small_range():
    # Decoding by the table's largest code would give R(1 - R) / (1 + R), 0.15 here.
    table = table_of("signed_ext", 255, 0.25)
    assert definition.nearest_product(table, 0.0, 0.2) == 0.0


def test_operands_beyond_the_range_are_clipped_onto_it():
    table = table_of("signed_log", 64, 2.0)
    for method in METHODS.values():
        beyond = definition.product(table, method, 9.0, -7.0, 0.7, 0.2)
        assert beyond == definition.product(table, method, 2.0, -2.0, 0.7, 0.2) == -2.0


def test_every_encoding_can_be_looked_up():
    for name, encoding in ENCODINGS.items():
        assert look_up_in(encoded_table(name, 8, encoding.fixed_range or 2.0)).signed in (
            True,
            False,
        )


def test_an_unknown_method_or_a_table_of_no_encoding_is_refused():
    with pytest.raises(AtlasError, match="did you mean 'nearest'"):
        method_of("nearst")
    table = encoded_table("signed_ext", 4, 2.0)
    other = ProductTable("mitchell", 2.0, table.levels, table.codes, table.values)
    with pytest.raises(AtlasError, match="mitchell"):
        look_up_in(other)
