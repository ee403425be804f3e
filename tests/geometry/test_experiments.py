"""Regions of errors of rounded layers against sums written out, and against drawn weights."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from qatlas.errors import AtlasError
from qatlas.geometry.experiments.monte_carlo import farthest_whole_error, trial
from qatlas.geometry.experiments.rounding import (
    diagonal_twin,
    round_diagonal,
    round_full,
)
from qatlas.geometry.experiments.transport import (
    error_covariance,
    generators,
    layer_sets,
    region,
    rms,
    transport,
)
from qatlas.geometry.grid import rounded, step_of
from qatlas.geometry.sets.membership import gauge
from qatlas.geometry.sets.zonotope import interval_hull

FULL = [[[0.9, 0.2], [0.1, 1.0]], [[0.95, -0.15], [0.2, 0.85]], [[1.0, 0.1], [-0.1, 0.9]]]
X = [10.0, 20.0]
STEP = step_of(8)


def made(build, weights, x=X, step=STEP):
    layers = build(weights, x, step)
    return layers, transport(layers.weights)


def test_the_step_is_a_power_of_two_and_less_than_two_bits_are_refused():
    assert step_of(8) == 1 / 128
    assert step_of(2) == 0.5
    with pytest.raises(AtlasError, match="bits: found 1; allowed are 2 and more"):
        step_of(1)


@settings(deadline=None)
@given(arrays(float, (2, 3, 3), elements=st.floats(-3, 3)), st.integers(2, 10))
def test_rounded_weights_are_on_the_grid_within_half_a_step(weights, bits):
    step = step_of(bits)
    found = rounded(weights, step)
    assert np.abs(found - weights).max() <= step / 2
    assert (found / step == np.rint(found / step)).all()


def test_boxes_are_those_of_the_value_that_enters_the_layer_on_the_rounded_path():
    layers, _ = made(round_full, FULL)
    x = np.array(X)
    for weight, widths in zip(rounded(FULL, STEP), layers.half_widths, strict=True):
        assert widths == pytest.approx(np.full(2, STEP / 2 * np.abs(x).sum()))
        x = weight @ x
    diagonals = [[0.8, 1.2], [1.1, 0.7]]
    layers, _ = made(round_diagonal, diagonals)
    second = rounded(diagonals[0], STEP) * X
    assert layers.half_widths == pytest.approx(STEP / 2 * np.abs([X, second]))


def test_the_region_is_the_sum_of_all_boxes_pulled_back():
    layers, by = made(round_full, FULL)
    assert by.space == "input"
    weights, total = rounded(FULL, STEP), []
    for depth, corner in product(range(1, 4), product((-1, 1), repeat=2)):
        chain = np.linalg.multi_dot([*weights[:depth][::-1], np.eye(2)])
        total.append(np.linalg.inv(chain) @ (layers.half_widths[depth - 1] * corner))
    parts = np.array(total).reshape(3, 4, 2)
    sums = np.array([a + b + c for a, b, c in product(*parts)])
    whole = region(layers, by)
    assert gauge(whole, sums).max() == pytest.approx(1)
    assert interval_hull(whole)[1] == pytest.approx(sums.max(axis=0))
    for part, corners in zip(layer_sets(layers, by), parts, strict=True):
        assert interval_hull(part)[1] == pytest.approx(corners.max(axis=0))


def test_errors_of_diagonal_layers_are_half_a_step_over_each_weight():
    # What enters layer l is x times all weights before it, so its pulled back error is x over its
    # own weight alone.
    diagonals = np.array([[0.75, 1.25], [1.5, 0.5]])
    layers, by = made(round_diagonal, diagonals)
    expected = STEP / 2 * np.array(X) * (1 / diagonals).sum(axis=0)
    assert interval_hull(region(layers, by))[1] == pytest.approx(expected)


def test_many_inputs_give_what_each_gives_alone():
    many = np.random.default_rng(0).normal(size=(5, 2))
    together, by = made(round_full, FULL, many)
    alone, _ = made(round_full, FULL, many[3])
    assert generators(together, by)[3] == pytest.approx(generators(alone, by))
    assert rms(together, by)[3] == pytest.approx(rms(alone, by))
    assert error_covariance(together, by).shape == (5, 2, 2)


@settings(deadline=None)
@given(
    arrays(float, (3, 2, 2), elements=st.floats(-2, 2)),
    arrays(float, 2, elements=st.floats(-9, 9).map(lambda value: round(value, 3))),
    st.integers(2, 8),
)
def test_the_region_holds_the_errors_of_all_drawn_weights_and_its_support_is_reached(
    weights, x, bits
):
    layers, by = made(round_full, weights, x, step_of(bits))
    found = trial(layers, by, 200, np.random.default_rng(0))
    assert found.inside == 1
    if np.abs(generators(layers, by)).max() > 0:
        assert found.reached == pytest.approx(1, abs=1e-9)


def test_drawn_weights_have_the_predicted_rms_and_barely_leave_the_region_as_a_whole():
    layers, by = made(round_full, FULL)
    found = trial(layers, by, 20_000, np.random.default_rng(0))
    assert found.rms == pytest.approx(float(rms(layers, by)), rel=0.01)
    assert 0.4 < found.largest_gauge < 1
    whole = farthest_whole_error(layers, by, 20_000, np.random.default_rng(0))
    assert whole == pytest.approx(found.largest_gauge, rel=0.02)


def test_the_twin_has_the_same_boxes_and_carries_them_along_the_axes():
    layers, _ = made(round_full, FULL)
    twin = diagonal_twin(layers)
    assert (twin.half_widths == layers.half_widths).all()
    for matrix in transport(twin.weights).matrices:
        assert (matrix == np.diag(np.diag(matrix))).all()


def test_a_singular_layer_is_reported_and_its_errors_are_left_in_output_space():
    weights = [FULL[0], [[1.0, 2], [0.5, 1]], FULL[2]]
    layers, by = made(round_full, weights)
    assert by.space == "output"
    assert by.singular.tolist() == [False, True, True]
    assert by.matrices[2] == pytest.approx(np.eye(2))
    assert by.matrices[1] == pytest.approx(layers.weights[2])
    found = trial(layers, by, 500, np.random.default_rng(0))
    assert (found.inside, found.reached) == (1, pytest.approx(1))


def test_a_zero_input_has_a_point_for_its_region():
    layers, by = made(round_full, FULL, [0.0, 0])
    assert (generators(layers, by) == 0).all()
    found = trial(layers, by, 10, np.random.default_rng(0))
    assert (found.inside, found.largest_gauge, found.reached, found.rms) == (1, 0, None, 0)


@pytest.mark.parametrize(
    ("build", "weights", "x", "said"),
    [
        (round_full, [[1.0, 2], [3, 4]], X, r"shape \(2, 2\)"),
        (round_full, np.zeros((0, 2, 2)), X, "at least one layer"),
        (round_full, np.ones((1, 2, 3)), X, r"\(1, 2, 3\)"),
        (round_full, FULL, [1.0, 2, 3], r"layers of 2 channels need \(\.\.\., 2\)"),
        (round_diagonal, [0.9, 1.1], X, r"diagonals of shape \(2,\)"),
    ],
)
def test_weights_and_inputs_of_the_wrong_shape_are_refused(build, weights, x, said):
    with pytest.raises(AtlasError, match=said):
        build(weights, x, STEP)
