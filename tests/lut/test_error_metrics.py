import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qatlas.lut.error_metrics import error_metrics, in_range
from qatlas.lut.product_table import ProductTable, encoded_table, table_of_products

LEVELS = np.array([-1.0, 0.0, 2.0])
PRODUCTS = np.array([[1.0, 0.0, -1.5], [0.0, 0.5, 0.0], [-2.0, 0.0, 4.0]])
TABLE = table_of_products("made up", 4.0, LEVELS, PRODUCTS)


def test_the_metrics_of_a_small_table_are_those_worked_out_by_hand():
    """Errors are 0.5 twice, once where the product is zero, in nine pairs."""
    metrics = error_metrics(TABLE, np.ones((3, 3)))
    assert metrics.med == pytest.approx(1 / 9)
    assert metrics.nmed == pytest.approx(1 / 36)
    assert metrics.wce == 0.5
    # Of the four pairs whose product is not zero one errs, by 0.5 of 2.
    assert metrics.mred == pytest.approx(0.25 / 4)
    assert metrics.error_rate == pytest.approx(2 / 9)
    assert metrics.bias == pytest.approx(1 / 9)
    assert metrics.deviation == pytest.approx(np.sqrt(0.5 / 9 - 1 / 81))
    assert metrics.crossover == pytest.approx((0.5 / 9 - 1 / 81) * 81)


def test_pairs_that_do_not_occur_do_not_count():
    weights = np.zeros((3, 3))
    weights[0, 0], weights[0, 2] = 3, 1
    metrics = error_metrics(TABLE, weights)
    assert metrics.med == pytest.approx(0.125)
    assert metrics.error_rate == 0.25
    assert metrics.wce == 0.5
    weights[0, 2] = 0
    assert error_metrics(TABLE, weights).wce == 0


def test_without_pairs_there_are_no_metrics():
    assert error_metrics(TABLE, np.zeros((3, 3))) is None


def test_without_products_other_than_zero_there_is_no_relative_error():
    weights = np.zeros((3, 3))
    weights[1, 1] = 1
    assert error_metrics(TABLE, weights).mred is None


def test_a_table_of_true_products_has_no_error_and_no_crossover():
    levels = np.linspace(-1, 1, 31)
    table = table_of_products("true", 1.0, levels, np.multiply.outer(levels, levels))
    metrics = error_metrics(table, np.ones((31, 31)))
    assert (metrics.med, metrics.error_rate, metrics.wce) == (0, 0, 0)
    assert metrics.crossover is None


@given(st.integers(0, 2**32 - 1))
def test_metrics_are_those_of_a_sample_of_pairs(seed):
    """Weights of whole numbers are as many pairs, over which numpy takes the same means."""
    random = np.random.default_rng(seed)
    table = encoded_table("signed_log", 9, 1.5)
    counts = random.integers(0, 4, (9, 9))
    counts[0, 0] += 1
    errors = np.repeat(table.errors.ravel(), counts.ravel())
    metrics = error_metrics(table, counts.astype(float))
    assert metrics.med == pytest.approx(np.abs(errors).mean())
    assert metrics.bias == pytest.approx(errors.mean(), abs=1e-12)
    assert metrics.deviation == pytest.approx(errors.std())
    assert metrics.wce == pytest.approx(np.abs(errors).max())


def test_errors_added_up_at_the_crossover_have_a_mean_as_large_as_their_spread():
    table = encoded_table("signed_ext", 64, 2.0)
    metrics = error_metrics(table, np.ones((64, 64)))
    n = metrics.crossover
    assert n * abs(metrics.bias) == pytest.approx(np.sqrt(n) * metrics.deviation)


def test_where_products_are_in_range_even_codes_err_at_most_half_a_step():
    table = encoded_table("signed_ext", 32, 2.0)
    metrics = error_metrics(table, in_range(table).astype(float))
    assert metrics.wce <= 2.0 / 31 * (1 + 1e-9)
    everywhere = error_metrics(table, np.ones((32, 32)))
    assert everywhere.wce == pytest.approx(2.0)


def test_the_largest_product_at_the_range_is_within_it():
    table = ProductTable("one", 1.0, np.array([-1.0, 1.0]), np.eye(2, dtype=np.uint8), LEVELS[:2])
    assert in_range(table).all()
