import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qatlas.errors import AtlasError
from qatlas.lut.encodings import ENCODINGS
from qatlas.lut.product_table import LARGEST_SIZE, encoded_table

SIGNED = sorted(name for name, encoding in ENCODINGS.items() if not encoding.fixed_range)
sizes = st.integers(2, 40)
ranges = st.floats(1e-3, 1e3)


@given(st.sampled_from(SIGNED), sizes, ranges)
def test_every_code_is_that_of_its_clipped_product_within_half_a_step(name, size, limit):
    table, encoding = encoded_table(name, size, limit), ENCODINGS[name]
    exact = encoding.encode(np.multiply.outer(table.levels, table.levels), size, limit)
    assert np.abs(table.codes - exact).max() <= 0.5
    assert table.codes.max() < size


@given(st.sampled_from(SIGNED), sizes, ranges, st.floats(0, 1))
def test_decoding_inverts_encoding(name, size, limit, place):
    encoding = ENCODINGS[name]
    product = limit * (2 * place - 1 if encoding.signed else place)
    found = encoding.decode(encoding.encode(product, size, limit), size, limit)
    assert found == pytest.approx(product, abs=1e-9 * limit)


@given(st.sampled_from(SIGNED), sizes, ranges)
def test_products_do_not_depend_on_the_order_of_operands_and_stay_in_range(name, size, limit):
    table = encoded_table(name, size, limit)
    assert (table.codes == table.codes.T).all()
    assert np.abs(table.products).max() <= limit * (1 + 1e-12)


def test_the_codes_are_those_of_the_definition():
    table = encoded_table("signed_log", 5, 2.0)
    # x = -2, -1, 0, 1, 2; t = clip(x x', -2, 2) / 2; code = 2 (1 + sgn(t) log10(1 + 9 |t|)).
    half = 2 * np.log10(1 + 9 * 0.5)
    assert table.codes[4].tolist() == [0, 0, 2, 4, 4]
    assert table.codes[3].tolist() == [0, round(2 - half), 2, round(2 + half), 4]


def test_zero_decodes_to_zero_where_no_product_reaches_the_range():
    table = encoded_table("signed_ext", 17, 0.25)
    assert table.codes.max() < 16
    assert table.products[8, 8] == 0


def test_codes_are_as_narrow_as_can_be():
    assert encoded_table("signed_ext", 256, 2.0).codes.dtype == np.uint8
    assert encoded_table("signed_ext", 257, 2.0).codes.dtype == np.uint16


@pytest.mark.parametrize("size", [1, 0, -4, LARGEST_SIZE + 1])
def test_sizes_that_no_table_has_are_refused(size):
    with pytest.raises(AtlasError, match=f"size {size} .*allowed: 2 to 4096"):
        encoded_table("signed_ext", size, 2.0)


@pytest.mark.parametrize("limit", [0.0, -1.0, np.inf, np.nan])
def test_ranges_that_hold_nothing_are_refused(limit):
    with pytest.raises(AtlasError, match=r"range .*finite number above 0"):
        encoded_table("signed_ext", 16, limit)


def test_an_unknown_encoding_is_refused_with_the_nearest():
    with pytest.raises(AtlasError, match="did you mean 'signed_log'"):
        encoded_table("signed_lgo", 16, 2.0)


def test_an_encoding_of_one_range_is_refused_for_another():
    with pytest.raises(AtlasError, match=r"range 2 of signed: .*signed_ext"):
        encoded_table("signed", 16, 2.0)
