import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qatlas.errors import AtlasError
from qatlas.lut.language_models.levels import (
    SCALES,
    Levels,
    levels_of,
    on_levels,
    rounding,
    row_scales,
)
from qatlas.lut.multipliers import multiplier_table
from qatlas.lut.product_table import encoded_table

TABLES = {
    "even": encoded_table("signed_ext", 16, 1.0),
    "odd": encoded_table("signed_ext", 9, 2.0),
    "float8": multiplier_table("float8_e4m3"),
    "logarithmic numbers": multiplier_table("lns8"),
}
every_table = pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())
NEAREST = rounding("nearest", np.random.default_rng(0))


@given(st.sampled_from(list(TABLES.values())), st.integers(0, 2**32))
def test_the_nearest_level_has_the_least_distance(table, seed):
    levels = levels_of(table)
    reach = 1.2 * levels.values[-1]
    numbers = np.random.default_rng(seed).uniform(-reach, reach, (3, 40))
    distance = np.abs(numbers[..., None] - levels.values)
    found = np.take_along_axis(distance, levels.nearest(numbers)[..., None].astype(int), -1)
    np.testing.assert_allclose(found[..., 0], distance.min(-1), atol=1e-12)


@every_table
def test_levels_are_on_themselves(table):
    levels = levels_of(table)
    np.testing.assert_array_equal(levels.nearest(levels.values), np.arange(table.size))
    np.testing.assert_allclose(levels.places(levels.values), np.arange(table.size))


@every_table
def test_stochastic_rounding_is_right_on_average_and_never_skips_a_level(table):
    levels = levels_of(table)
    number = 0.3 * levels.values[-1]
    drawn = levels.stochastic(np.full(40000, number), np.random.default_rng(0))
    below = np.searchsorted(levels.values, number) - 1
    assert {*drawn} == {below, below + 1}
    gap = levels.values[below + 1] - levels.values[below]
    assert abs(levels.values[drawn].mean() - number) < 4 * gap / 2 / np.sqrt(drawn.size)


@every_table
def test_no_product_of_operands_is_beyond_the_range(table):
    levels = levels_of(table)
    assert levels.reach**2 <= table.limit * (1 + 1e-12)
    random = np.random.default_rng(1)
    matrix = random.standard_normal((5, 30))
    found = on_levels(matrix, levels, row_scales, NEAREST)
    error = levels.values[found.codes] * found.scales[:, None] - matrix
    inside = np.diff(levels.values)[np.abs(levels.values[1:]) <= levels.reach * 1.1].max()
    assert np.abs(error).max() <= 0.51 * inside * found.scales.max()


def test_a_scale_is_shared_by_a_row_or_by_all():
    matrix = np.array([[1.0, -2.0], [0.5, 0.25], [0.0, 0.0]])
    levels = levels_of(TABLES["even"])
    assert on_levels(matrix, levels, SCALES["channel"], NEAREST).scales.tolist() == [2, 0.5, 0]
    assert on_levels(matrix, levels, SCALES["tensor"], NEAREST).scales.tolist() == [2, 2, 2]


def test_levels_on_one_side_of_zero_are_refused():
    with pytest.raises(AtlasError, match="levels on both sides of 0; take a signed encoding"):
        levels_of(encoded_table("unsigned", 16, 1.0))


def test_codes_are_as_narrow_as_they_can_be():
    assert Levels(np.linspace(-1, 1, 256), 1.0).nearest(np.zeros((1, 1))).dtype == np.uint8
    assert Levels(np.linspace(-1, 1, 257), 1.0).nearest(np.zeros((1, 1))).dtype == np.uint16
