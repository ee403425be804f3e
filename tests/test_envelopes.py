import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from qatlas.envelopes import on_front, with_best

numbers = st.integers(0, 8).map(float)


def test_a_point_that_another_beats_in_both_is_not_on_the_front():
    rate, error = [1.0, 2.0, 2.5, 3.0], [0.3, 0.1, 0.2, 0.05]
    assert on_front(rate, error).tolist() == [True, True, False, True]


def test_of_equal_points_one_is_on_the_front_and_what_is_missing_is_not():
    nan = float("nan")
    assert on_front([1.0, 1.0, nan, 0.5], [0.3, 0.3, 0.1, nan]).tolist() == [
        True,
        False,
        False,
        False,
    ]


def test_rates_within_the_tolerance_are_one_rate():
    rate, error = [2.0, 2.005, 2.5], [0.1, 0.06, 0.05]
    assert on_front(rate, error).tolist() == [True, True, True]
    assert on_front(rate, error, 0.01).tolist() == [False, True, True]


@given(st.lists(st.tuples(numbers, numbers), max_size=12))
def test_the_front_is_what_nothing_dominates(points):
    rate, error = (np.array([point[i] for point in points]) for i in (0, 1))
    front = on_front(rate, error)
    dominated = [any(r <= a and e <= b and (r, e) != (a, b) for r, e in points) for a, b in points]
    for place, point in enumerate(points):
        first = points.index(point) == place
        assert front[place] == (first and not dominated[place])


def family(*rows):
    columns = ["series", "rate_bits_per_weight", "nmse"]
    return pd.DataFrame(rows, columns=columns).assign(codec="uniform", tensor="a")


def test_the_best_of_a_family_is_the_lower_envelope_of_its_curves():
    points = family(
        ("coarse", 2.0, 0.1),
        ("coarse", 4.0, 0.02),
        # Between them the line of log error is at 0.0447: the first lies above it.
        ("fine", 3.0, 0.05),
        ("fine", 3.5, 0.02),
        ("fine", 5.0, 0.001),
    )
    best = with_best(points, ["tensor"])
    assert best.best.tolist() == [True, False, False, True, True]


def test_families_and_tensors_are_judged_apart():
    points = family(("one", 2.0, 0.1), ("two", 2.0, 0.2))
    assert with_best(points, ["tensor"]).best.tolist() == [True, False]
    others = points.assign(codec=["uniform", "lloyd_max"])
    assert with_best(others, ["tensor"]).best.tolist() == [True, True]
    elsewhere = points.assign(tensor=["a", "b"])
    assert with_best(elsewhere, ["tensor"]).best.tolist() == [True, True]


def test_a_point_without_error_is_not_drawn_as_the_best():
    assert with_best(family(("one", 2.0, 0.0)), ["tensor"]).best.tolist() == [False]
