import numpy as np
import pytest

from qatlas.errors import AtlasError
from qatlas.lut.matrix_product.accumulators import INT64
from qatlas.lut.matrix_product.low_rank import exact_factors, low_rank_matmul
from qatlas.lut.matrix_product.product import lut_matmul
from qatlas.lut.product_table import encoded_table

BYTES = np.arange(256)


def without_low_columns(dropped):
    """An array multiplier that leaves out the partial products of its lowest columns."""
    table = np.zeros((256, 256), np.int64)
    for i in range(8):
        for j in range(max(0, dropped - i), 8):
            table += np.multiply.outer(BYTES >> i & 1, BYTES >> j & 1) << i + j
    return table


TABLES = {
    "true products": (np.multiply.outer(BYTES, BYTES), 1),
    "operands cut to 5 bits": (np.multiply.outer(BYTES >> 3, BYTES >> 3), 1),
    "8 columns left out": (without_low_columns(8), 7),
    "nothing": (np.zeros((256, 256), np.int64), 0),
    "thirds": (np.multiply.outer(BYTES - 7, 3 * BYTES) + np.multiply.outer(5 * BYTES, BYTES**2), 2),
}


@pytest.mark.parametrize(("table", "rank"), TABLES.values(), ids=TABLES.keys())
def test_sums_by_gemm_are_the_sums_of_look_ups(table, rank):
    factors = exact_factors(table, 8)
    assert factors.rank == rank == np.linalg.matrix_rank(table)
    np.testing.assert_array_equal(factors.left @ factors.right, table * factors.denominator)
    random = np.random.default_rng(0)
    a = random.integers(0, 256, (5, 700)).astype(np.uint8)
    b = random.integers(0, 256, (700, 11)).astype(np.uint8)
    found = low_rank_matmul(a, b, factors)
    np.testing.assert_array_equal(found, lut_matmul(a, b, table, INT64))


def test_a_table_of_random_low_rank_is_factored_exactly():
    random = np.random.default_rng(1)
    table = random.integers(-9, 10, (40, 4)) @ random.integers(-9, 10, (4, 50))
    factors = exact_factors(table, 4)
    assert factors.rank == 4
    np.testing.assert_array_equal(factors.left @ factors.right, table * factors.denominator)


def test_a_table_of_higher_rank_has_no_factors():
    assert exact_factors(TABLES["8 columns left out"][0], 6) is None
    rounded = encoded_table("signed_ext", 256, 1.0).codes.astype(np.int64)
    assert exact_factors(rounded, 16) is None


def test_sums_that_float64_might_round_are_refused():
    factors = exact_factors(np.multiply.outer(BYTES, BYTES) << 30, 1)
    assert factors.most_terms == 2**53 // (65025 << 30)
    with pytest.raises(AtlasError, match=f"K up to {factors.most_terms}"):
        low_rank_matmul(np.zeros((1, 200), np.uint8), np.zeros((200, 1), np.uint8), factors)
