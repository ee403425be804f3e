import pytest
from hypothesis import given
from hypothesis import strategies as st

from qatlas.paper.digits import fixed, written

NUMBERS = st.floats(-1e300, 1e300, allow_subnormal=False)


@pytest.mark.parametrize(
    ("number", "digits"),
    [
        (0.017394, "0.0174"),
        (1585.39, "1585"),
        (0.0, "0"),
        (-0.0, "0"),
        (9.996, "10.0"),
        (22713216, "22713216"),
        (237583740102.6, "2.38e11"),
        (1.42e-34, "1.42e-34"),
        (-0.0149, "-0.0149"),
    ],
)
def test_a_number_alone_has_three_digits_and_a_whole_one_all_of_them(number, digits):
    assert written(number) == digits


@pytest.mark.parametrize(
    ("number", "spread", "digits"),
    [
        (2.08871, 0.0021, "2.0887"),
        (54.8538, 2.2386, "54.9"),
        (3.2057, 800.0, "3.21"),
        (1.23456789, 1e-9, "1.23457"),
    ],
)
def test_digits_go_as_far_as_the_interval_is_known_and_no_number_has_more_than_six(
    number, spread, digits
):
    assert written(number, spread) == digits


@given(NUMBERS)
def test_what_is_written_is_the_number_to_half_a_percent(number):
    assert float(written(number)) == pytest.approx(number, rel=5.1e-3, abs=1e-300)


@given(NUMBERS, st.floats(0, 1e3))
def test_an_interval_makes_no_number_less_exact(number, spread):
    alone, together = float(written(number)), float(written(number, spread))
    assert abs(together - number) <= abs(alone - number) + 1e-12 * abs(number)


@given(NUMBERS, st.integers(0, 6))
def test_a_zero_has_no_sign(number, decimals):
    digits = fixed(number, decimals)
    assert digits.startswith("-") == (number < 0 and float(digits) != 0)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_is_no_number_has_no_digits(number):
    with pytest.raises(ValueError, match="has no digits"):
        written(number)
