"""Spectra, supports, flips and shares, against simulation and scipy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qatlas.geometry.layers.flips import (
    biased_flip_rate,
    flipped,
    gaussian_flip_rate,
    unitwise_flip_rate,
)
from qatlas.geometry.layers.shares import shares
from qatlas.geometry.layers.spectrum import (
    cell_participation,
    covariance,
    drawn_from_cell,
    entropy_dimension,
    participation,
    participation_of,
    predicted_participation,
    spectrum,
    transported_spectrum,
)
from qatlas.geometry.layers.support import (
    dense_law,
    extent,
    input_rounding,
    product_law,
    random_directions,
    weight_rounding,
)
from qatlas.geometry.sets.zonotope import Zonotope, support

seeds = st.integers(0, 1000)


def random_covariance(random, side):
    root = random.standard_normal((side, side)) * 0.7 ** np.arange(side)
    return root @ root.T


@settings(deadline=None, max_examples=30)
@given(seeds, st.integers(1, 9), st.integers(1, 9))
def test_the_spectrum_is_the_same_from_either_side(seed, outputs, inputs):
    random = np.random.default_rng(seed)
    matrix, inner = random.standard_normal((outputs, inputs)), random_covariance(random, inputs)
    found = transported_spectrum(matrix, inner)
    expected = np.linalg.eigvalsh(matrix @ inner @ matrix.T)[::-1][: len(found)]
    np.testing.assert_allclose(found, np.maximum(expected, 0), atol=1e-9 * expected.max())


@settings(deadline=None, max_examples=30)
@given(seeds, st.integers(1, 12))
def test_effective_dimensions_lie_between_one_and_all_and_the_entropy_is_above(seed, side):
    inner = random_covariance(np.random.default_rng(seed), side)
    eigenvalues = spectrum(inner)
    found = participation(eigenvalues)
    assert 1 - 1e-9 <= found <= entropy_dimension(eigenvalues) * (1 + 1e-9) <= side * (1 + 1e-8)
    assert participation_of(inner) == pytest.approx(found)


def test_equal_eigenvalues_have_all_dimensions_and_none_has_no_dimension():
    assert participation(np.ones(7)) == pytest.approx(7)
    assert entropy_dimension(np.ones(7)) == pytest.approx(7)
    assert np.isnan(participation(np.zeros(3)))
    assert np.isnan(entropy_dimension(np.zeros(3)))
    assert cell_participation(np.full(5, 0.1)) == pytest.approx(5)


def test_the_predicted_dimension_is_that_of_drawn_weights():
    random = np.random.default_rng(0)
    inner = random_covariance(random, 30)
    steps = random.uniform(0.5, 1.5, 20)
    traces, squares = [], []
    for _ in range(3000):
        error = drawn_from_cell(steps, 30, random)
        eigenvalues = error @ inner @ error.T
        traces.append(np.trace(eigenvalues))
        squares.append((eigenvalues**2).sum())
    expected = np.mean(traces) ** 2 / np.mean(squares)
    assert predicted_participation(steps, inner) == pytest.approx(expected, rel=0.02)


def test_the_covariance_is_that_of_numpy():
    points = np.random.default_rng(0).standard_normal((40, 5)).astype(np.float32)
    np.testing.assert_allclose(covariance(points), np.cov(points.T, bias=True), atol=1e-6)


@settings(deadline=None, max_examples=30)
@given(seeds)
def test_an_extent_is_the_support_of_the_zonotope_and_is_reached(seed):
    random = np.random.default_rng(seed)
    generators, directions = random.standard_normal((4, 6)), random_directions(5, 4, random)
    found = extent(generators, directions)
    region = Zonotope(np.zeros(4), generators)
    np.testing.assert_allclose(found.worst, support(region, directions))
    corners = generators @ np.sign(directions @ generators).T
    np.testing.assert_allclose(found.worst, np.einsum("nd,dn->n", directions, corners))
    assert (found.ratio >= np.sqrt(3) - 1e-9).all()


def test_rounded_weights_reach_what_their_cells_allow():
    random = np.random.default_rng(0)
    steps, given_inputs = random.uniform(0.1, 1, 8), random.standard_normal((3, 12))
    directions = random_directions(3, 8, random)
    found = weight_rounding(steps, given_inputs, directions)
    for place in range(3):
        signs = np.sign(np.outer(directions[place], given_inputs[place]))
        worst = directions[place] @ (steps[:, None] / 2 * signs) @ given_inputs[place]
        assert found.worst[place] == pytest.approx(worst)
        draws = [
            directions[place] @ drawn_from_cell(steps, 12, random) @ given_inputs[place]
            for _ in range(4000)
        ]
        assert np.std(draws) == pytest.approx(found.rms[place], rel=0.06)
        assert np.abs(draws).max() < found.worst[place]


def test_worst_over_rms_of_gaussian_generators_is_that_of_the_laws():
    random = np.random.default_rng(0)
    directions = random_directions(64, 200, random)
    dense = input_rounding(random.standard_normal((200, 400)), directions).ratio.mean()
    assert dense == pytest.approx(dense_law(400), rel=0.01)
    rounded = weight_rounding(np.ones(200), random.standard_normal((64, 400)), directions)
    assert rounded.ratio.mean() == pytest.approx(product_law(200 * 400), rel=0.02)
    assert np.isnan(extent(np.zeros((2, 3)), np.eye(2)).ratio).all()


@settings(deadline=None, max_examples=20)
@given(st.floats(0.01, 3))
def test_gaussian_values_change_their_sign_as_often_as_the_law_says(ratio):
    random = np.random.default_rng(1)
    z, e = random.standard_normal((200_000, 1)), ratio * random.standard_normal((200_000, 1))
    rate = gaussian_flip_rate(ratio, 1)
    assert flipped(z, z + e).mean() == pytest.approx(rate, abs=5 * np.sqrt(rate / 200_000))
    assert unitwise_flip_rate(z, e) == pytest.approx(rate, rel=0.01)
    assert biased_flip_rate(z, e) == pytest.approx(rate, rel=0.01)


@pytest.mark.parametrize("ratio", [0.003, 0.05, 0.8, 4.0])
@pytest.mark.parametrize("mean", [0.0, -0.7, 2.5])
def test_values_that_are_not_about_zero_have_the_bivariate_normal_rate(mean, ratio):
    from scipy.stats import multivariate_normal

    exact = np.array([[mean - 1], [mean + 1]])
    errors = np.array([[ratio], [-ratio]])
    together = [[1, 1], [1, 1 + ratio**2]]
    below = multivariate_normal(mean=[mean, mean], cov=together).cdf([0, 0])
    sides = [multivariate_normal(mean=mean, cov=variance).cdf(0) for variance in (1, 1 + ratio**2)]
    assert biased_flip_rate(exact, errors) == pytest.approx(sum(sides) - 2 * below, abs=2e-5)


def test_a_unit_that_never_varies_changes_only_by_an_error_beyond_it():
    exact = np.full((10, 1), 3.0)
    assert biased_flip_rate(exact, np.zeros((10, 1))) == 0
    assert biased_flip_rate(exact, np.full((10, 1), 3.0)) == pytest.approx(0.158655, abs=1e-5)


def test_both_parts_of_an_error_are_all_of_it():
    random = np.random.default_rng(0)
    error, weight = random.standard_normal((50, 8)), random.standard_normal((4, 8))
    turned = random.random((50, 8)) < 0.2
    found = shares(turned, error, weight)
    assert found.units == turned.mean()
    assert found.hidden == pytest.approx((error[turned] ** 2).sum() / (error**2).sum())
    parts = [np.where(turned == side, error, 0) @ weight.T for side in (False, True)]
    both = sum((part**2).sum() for part in parts)
    assert found.output == pytest.approx((parts[1] ** 2).sum() / both)
    whole = ((error @ weight.T) ** 2).sum()
    assert found.interference == pytest.approx(whole / both - 1)
    nothing = shares(turned, 0 * error, weight)
    assert np.isnan(nothing.hidden)
