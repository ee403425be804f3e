import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qatlas.lut.error_rank import PRIMES, error_rank, integer_rank, rank_modulo, whole_errors
from qatlas.lut.multipliers import multiplier_table
from qatlas.lut.product_table import encoded_table, table_of_products


def bareiss_rank(matrix):
    """Rank by elimination without fractions (Bareiss 1968), in Python's integers."""
    rows = [list(map(int, row)) for row in matrix]
    rank, previous = 0, 1
    for column in range(len(rows[0])):
        pivot = next((i for i in range(rank, len(rows)) if rows[i][column]), None)
        if pivot is None:
            continue
        rows[rank], rows[pivot] = rows[pivot], rows[rank]
        head = rows[rank]
        for i in range(rank + 1, len(rows)):
            factor = rows[i][column]
            rows[i] = [
                (head[column] * value - factor * above) // previous
                for value, above in zip(rows[i], head, strict=True)
            ]
        previous = head[column]
        rank += 1
        if rank == len(rows):
            break
    return rank


@settings(max_examples=40)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 5), st.integers(0, 2**32 - 1))
def test_the_rank_of_whole_numbers_is_that_of_elimination_without_fractions(m, n, inner, seed):
    random = np.random.default_rng(seed)
    left, right = random.integers(-50, 50, (m, inner)), random.integers(-50, 50, (inner, n))
    matrix = (left @ right).astype(object) * 10**12
    assert integer_rank(matrix) == bareiss_rank(matrix)


def test_a_rank_that_floating_point_cannot_see_is_found():
    """The second row differs from the first by one part in 10^20."""
    matrix = np.array([[10**20, 10**20 + 1], [10**20, 10**20 + 2]], object)
    assert np.linalg.matrix_rank(matrix.astype(float)) == 1
    assert integer_rank(matrix) == 2


def test_a_rank_that_falls_short_modulo_one_prime_is_found_modulo_the_other():
    matrix = np.array([[PRIMES[0], 0], [0, 1]], object)
    assert rank_modulo((matrix % PRIMES[0]).astype(np.int64), PRIMES[0]) == 1
    assert integer_rank(matrix) == 2


@pytest.mark.parametrize("prime", PRIMES)
def test_the_primes_are_prime_and_their_products_fit(prime):
    assert all(prime % divisor for divisor in range(2, int(prime**0.5) + 1))
    assert (prime - 1) ** 2 + prime < 2**63


@pytest.mark.parametrize("encoding", ["signed_ext", "unsigned"])
@pytest.mark.parametrize("size", [2, 3, 4, 8, 16, 24])
@pytest.mark.parametrize("limit", [0.25, 0.7, 1.0, 2.0])
def test_errors_of_even_tables_are_whole_numbers_of_one_unit(encoding, size, limit):
    table = encoded_table(encoding, size, limit)
    whole = whole_errors(table).astype(float)
    unit = np.abs(table.errors).max() / max(np.abs(whole).max(), 1)
    assert whole * unit == pytest.approx(table.errors, abs=1e-12 * limit)
    found = error_rank(table)
    assert found.exact
    assert found.rank == bareiss_rank(whole_errors(table))


@pytest.mark.parametrize("name", ["float8_e4m3", "float8_e5m2", "mitchell8"])
def test_errors_of_multipliers_of_dyadic_numbers_are_exactly_the_whole_ones(name):
    table = multiplier_table(name)
    whole = whole_errors(table)
    place = np.unravel_index(np.argmax(np.abs(table.errors)), table.errors.shape)
    unit = table.errors[place] / float(whole[place])
    assert (whole.astype(float) * unit == table.errors).all()
    assert np.log2(unit) == int(np.log2(unit))


def test_tables_that_are_no_whole_numbers_are_ranked_by_singular_values():
    found = error_rank(encoded_table("signed_log", 16, 2.0))
    assert not found.exact
    assert found.rank == np.linalg.matrix_rank(
        encoded_table("signed_log", 16, 2.0).errors, tol=1e-9
    )


def test_a_table_of_zeros_errs_by_minus_the_true_products():
    levels = np.linspace(-2, 2, 40)
    found = error_rank(table_of_products("zeros", 2.0, levels, np.zeros((40, 40))))
    assert (found.rank, found.exact) == (1, True)


def test_a_true_table_has_errors_of_rank_0_and_no_energy():
    levels = np.arange(8.0)
    table = table_of_products("true", 49.0, levels, np.multiply.outer(levels, levels))
    found = error_rank(table)
    assert (found.rank, found.exact, found.energy_left) == (0, True, (0.0,) * 4)


def test_the_energy_left_is_that_of_the_best_matrices_of_low_rank():
    table = multiplier_table("mitchell8")
    errors = table.errors
    u, s, v = np.linalg.svd(errors)
    best = (u[:, :2] * s[:2]) @ v[:2]
    left = np.square(errors - best).sum() / np.square(errors).sum()
    assert error_rank(table).energy_left[1] == pytest.approx(left)


def test_a_table_off_by_one_product_of_vectors_has_errors_of_rank_1():
    levels = np.arange(8.0)
    errors = np.multiply.outer(np.arange(8), np.arange(8)[::-1])
    products = np.multiply.outer(levels, levels) + errors
    found = error_rank(table_of_products("off", 100.0, levels, products))
    assert found.rank == 1
    assert found.energy_left == pytest.approx((0, 0, 0, 0), abs=1e-12)
