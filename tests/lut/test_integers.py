import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qatlas.errors import AtlasError
from qatlas.lut.matrix_product.integers import whole_numbers
from qatlas.lut.product_table import encoded_table


@given(st.sampled_from(range(2, 600)), st.floats(1e-3, 1e3))
def test_products_of_an_even_encoding_are_exact_integers(size, limit):
    found = whole_numbers(encoded_table("signed_ext", size, limit).values, 1 << 20, 1 << 20)
    assert found.exact
    by_formula = 2 * np.arange(size) - (size - 1)
    # With an odd number of levels all are even; two levels are -1 and 1.
    unit = 1 if size % 2 == 0 else 2
    np.testing.assert_array_equal(found.multiples * unit, by_formula)
    np.testing.assert_allclose(found.multiples * found.step, by_formula * limit / (size - 1))


def test_small_floating_point_numbers_are_multiples_of_the_least():
    numbers = np.arange(127, dtype=np.uint8).view(ml_dtypes.float8_e4m3fn).astype(np.float64)
    found = whole_numbers(numbers, 1 << 20, 1 << 20)
    assert (found.exact, found.step) == (True, 2.0**-9)
    np.testing.assert_array_equal(found.multiples * found.step, numbers)


def test_uneven_numbers_are_rounded_to_a_grid_that_they_span():
    values = encoded_table("signed_log", 64, 2.0).values
    found = whole_numbers(values, 1 << 20, 1 << 16)
    assert not found.exact
    assert np.abs(found.multiples).max() == 1 << 16
    assert np.abs(found.multiples * found.step - values).max() <= found.step / 2 * (1 + 1e-9)


def test_nothing_but_zeros_is_exact():
    found = whole_numbers(np.zeros(3), 1, 1)
    assert found.exact
    assert not found.multiples.any()


def test_a_grid_without_room_is_refused():
    with pytest.raises(AtlasError, match="a grid up to 0: allowed: 1 to 9"):
        whole_numbers(np.ones(2), 9, 0)
