import numpy as np
import pytest
from growth import growth
from hypothesis import given
from hypothesis import strategies as st


def test_points_on_a_line_are_found_again():
    found = growth([1, 2, 4, 8], [5, 7, 11, 19])
    assert (found.slope, found.intercept) == pytest.approx((2, 3))
    assert found.r_squared == pytest.approx(1)
    assert found.at(100) == pytest.approx(203)


@given(exponent=st.floats(0.5, 2.5), factor=st.floats(1e-3, 1e3), first=st.floats(1, 1e6))
def test_the_exponent_of_a_power_law_is_found_whatever_its_factor(exponent, factor, first):
    sizes = first * np.array([1, 2, 4, 8])
    assert growth(sizes, factor * sizes**exponent).exponent == pytest.approx(exponent, rel=1e-6)


def test_what_grows_faster_than_the_size_has_an_exponent_above_one_and_leaves_the_line():
    square = growth([1, 2, 4, 8], [1, 4, 16, 64])
    assert square.exponent == pytest.approx(2)
    assert square.r_squared < 0.98


def test_the_line_is_that_of_scipy():
    from scipy.stats import linregress

    sizes, costs = [19.3, 43.1, 77.3, 173.8], [12.0, 21.5, 30.1, 71.0]
    theirs, ours = linregress(sizes, costs), growth(sizes, costs)
    assert (ours.slope, ours.intercept) == pytest.approx((theirs.slope, theirs.intercept))
    assert ours.r_squared == pytest.approx(theirs.rvalue**2)


@pytest.mark.parametrize(
    ("sizes", "costs"), [([1, 2], [1, 2]), ([1, 1, 1], [1, 2, 3]), ([1, 2, 3], [1, 0, 2])]
)
def test_what_no_line_can_be_put_through_is_refused(sizes, costs):
    with pytest.raises(ValueError, match="no growth"):
        growth(sizes, costs)
