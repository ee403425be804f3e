import itertools
import math
from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qatlas.errors import AtlasError
from qatlas.lut.error_metrics import error_metrics
from qatlas.lut.multipliers import MULTIPLIERS, multiplier_table

FORMATS = {"float8_e4m3": ml_dtypes.float8_e4m3fn, "float8_e5m2": ml_dtypes.float8_e5m2}


@pytest.mark.parametrize("name", MULTIPLIERS)
def test_levels_and_values_rise_and_every_code_stands_for_one(name):
    table = multiplier_table(name)
    assert (np.diff(table.levels) > 0).all()
    assert (np.diff(table.values) > 0).all()
    assert table.codes.shape == (table.size, table.size)
    assert set(np.unique(table.codes)) == set(range(table.values.size))
    assert np.abs(table.values).max() <= table.limit
    assert (table.codes == table.codes.T).all()


@pytest.mark.parametrize(
    ("name", "top", "unit_roundoff"), [("float8_e4m3", 448, 1 / 16), ("float8_e5m2", 57344, 1 / 8)]
)
def test_float8_has_its_largest_number_and_its_unit_roundoff(name, top, unit_roundoff):
    table = multiplier_table(name)
    least_normal = float(ml_dtypes.finfo(FORMATS[name]).smallest_normal)
    true = np.multiply.outer(table.levels, table.levels)
    normal = (np.abs(true) >= least_normal) & (np.abs(true) <= top)
    assert table.limit == table.levels[-1] == top
    assert (np.abs(table.errors[normal] / true[normal])).max() <= unit_roundoff


@pytest.mark.parametrize("name", FORMATS)
def test_float8_products_are_the_nearest_numbers_of_the_format(name):
    table = multiplier_table(name)
    true = np.clip(np.multiply.outer(table.levels, table.levels), -table.limit, table.limit)
    nearest = np.abs(true[:, :, None] - table.levels).min(axis=2)
    assert (np.abs(table.products - true) == nearest).all()


@given(st.floats(2**-7.8, 2**7.8))
def test_a_number_within_the_logarithmic_range_is_nearly_a_level(number):
    """Three bits of fraction: relative error at most 2^(2^-4) - 1, at any magnitude."""
    levels = multiplier_table("lns8").levels
    error = np.abs(levels - number).min() / number
    assert error <= 2 ** (2**-4) - 1


def test_logarithmic_products_are_exact_between_underflow_and_saturation():
    table = multiplier_table("lns8")
    true = np.multiply.outer(table.levels, table.levels)
    least = table.levels[table.levels > 0][0]
    inside = (np.abs(true) >= least * (1 - 1e-12)) & (np.abs(true) <= table.limit * (1 + 1e-12))
    assert table.products[inside] == pytest.approx(true[inside], rel=1e-12)
    above = np.abs(true) > table.limit * (1 + 1e-12)
    assert (table.products[above] == np.sign(true[above]) * table.limit).all()
    below = np.abs(true) < least * (1 - 1e-12)
    nearer = np.where(np.abs(true[below]) >= least / 2 * (1 - 1e-12), least, 0.0)
    assert (np.abs(table.products[below]) == nearer).all()


def mitchell(a, b):
    """Mitchell's product, straight from its definition."""
    if not a or not b:
        return Fraction(0)
    k, m = a.bit_length() - 1, b.bit_length() - 1
    x, y = Fraction(a, 1 << k) - 1, Fraction(b, 1 << m) - 1
    power = Fraction(1 << (k + m))
    return power * (1 + x + y) if x + y < 1 else 2 * power * (x + y)


def test_mitchell_products_are_those_of_the_definition():
    products = multiplier_table("mitchell8").products
    for a, b in itertools.product((0, 1, 2, 3, 7, 85, 100, 127, 128, 200, 254, 255), range(256)):
        assert products[a, b] == mitchell(a, b)


def test_mitchell_has_the_published_errors():
    """3.79 % over nonzero operands, never above; at worst 1/9 (Mitchell 1962).

    With a zero operand counted as no error the mean is 3.76 %, as Selvi et al. print it, 2019,
    Design of LNS based Approximate Multiplier using Mitchell's Algorithm and Modified Operand
    Decomposition Technique, IJERT.
    """
    table = multiplier_table("mitchell8")
    uniform = np.ones((256, 256))
    metrics = error_metrics(table, uniform)
    assert metrics.mred == pytest.approx(0.0379, abs=5e-5)
    assert metrics.mred * (255 / 256) ** 2 == pytest.approx(0.0376, abs=5e-5)
    assert (table.errors <= 0).all()
    assert metrics.bias == -metrics.med
    true = np.multiply.outer(table.levels, table.levels)
    worst = (-table.errors[1:, 1:] / true[1:, 1:]).max()
    assert worst == pytest.approx(1 / 9)
    assert round(100 * worst, 1) == 11.1


def test_powers_of_two_are_multiplied_exactly():
    table = multiplier_table("mitchell8")
    powers = [1 << k for k in range(8)]
    assert not table.errors[powers].any()


def test_an_unknown_multiplier_is_refused_with_the_nearest():
    with pytest.raises(AtlasError, match="did you mean 'mitchell8'"):
        multiplier_table("mitchel8")


def test_the_range_of_logarithms_is_that_of_its_bits():
    levels = multiplier_table("lns8").levels
    assert levels.size == 2 * 127 + 1
    assert math.log2(levels[-1]) == pytest.approx(63 / 8)
    assert (levels == -levels[::-1]).all()
