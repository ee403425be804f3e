from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qatlas.errors import AtlasError
from qatlas.geometry.transport import (
    LADDER,
    by_group,
    fit_diagonal,
    fit_full,
    halves,
    linear_cka,
    rms,
)

OUTPUTS = 4


def clouds(seed, points=60):
    random = np.random.default_rng(seed)
    quantized = random.standard_normal((points, OUTPUTS)) @ random.standard_normal((OUTPUTS,) * 2)
    return quantized, quantized + 0.3 * random.standard_normal((points, OUTPUTS)) + 0.1


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 500))
def test_no_rung_leaves_more_on_the_points_that_it_was_fitted_to_than_the_one_before(seed):
    quantized, exact = clouds(seed)
    left = [rms(fit(quantized, exact)(quantized) - exact) for fit in LADDER.values()]
    assert all(b <= a * (1 + 1e-9) for a, b in pairwise(left))


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 500))
def test_the_full_map_is_the_least_squares_solution_of_scipy(seed):
    from scipy.linalg import lstsq

    quantized, exact = clouds(seed)
    extended = np.hstack([quantized, np.ones((len(quantized), 1))])
    solution = lstsq(extended, exact)[0]
    found = fit_full(quantized, exact)
    np.testing.assert_allclose(found.matrix, solution[:-1].T, atol=1e-7)
    np.testing.assert_allclose(found.offset, solution[-1], atol=1e-7)


def test_an_affine_distortion_is_undone_on_points_that_were_not_seen():
    random = np.random.default_rng(0)
    exact = random.standard_normal((80, OUTPUTS))
    distorted = exact @ random.standard_normal((OUTPUTS, OUTPUTS)) + 2
    fit, test = halves(80, random)
    assert rms(fit_full(distorted[fit], exact[fit])(distorted[test]) - exact[test]) < 1e-10


def test_each_output_has_a_scale_of_its_own():
    exact = np.random.default_rng(0).standard_normal((50, OUTPUTS))
    found = fit_diagonal(exact * [2, 4, 0.5, 1] + 3, exact)
    np.testing.assert_allclose(found.scale, [0.5, 0.25, 2, 1], atol=1e-12)
    np.testing.assert_allclose(found.offset, [-1.5, -0.75, -6, -3], atol=1e-12)


def test_outputs_that_do_not_vary_are_only_moved():
    exact = np.random.default_rng(0).standard_normal((50, 2))
    constant = np.full((50, 2), 7.0)
    assert np.array_equal(fit_diagonal(constant, exact).scale, np.ones(2))
    assert np.array_equal(fit_full(constant, exact).matrix, np.eye(2))
    for fit in (fit_diagonal, fit_full):
        found = fit(constant, exact)
        np.testing.assert_allclose(found(constant), np.tile(exact.mean(axis=0), (50, 1)))


def test_groups_have_maps_of_their_own_and_small_ones_that_of_all():
    random = np.random.default_rng(0)
    quantized = random.standard_normal((90, 2))
    groups = np.repeat([0, 1], 45)
    exact = np.where(groups[:, None] == 0, 2 * quantized, 5 - quantized)
    everything = by_group(fit_full, quantized, exact, groups, quantized, groups, 4)
    assert rms(everything - exact) < 1e-10
    unseen = by_group(fit_full, quantized, exact, groups, quantized[:3], np.full(3, 9), 4)
    np.testing.assert_allclose(unseen, fit_full(quantized, exact)(quantized[:3]))
    with pytest.raises(AtlasError, match="found 1 for 90 points"):
        by_group(fit_full, quantized, exact, groups[:1], quantized, groups, 4)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 300), st.integers(2, 99))
def test_halves_share_no_point_and_leave_none_out(seed, points):
    fit, test = halves(points, np.random.default_rng(seed))
    assert sorted([*fit, *test]) == list(range(points))
    assert len(fit) == points // 2


def test_cka_ignores_rotation_and_scale_and_is_the_kernels_own():
    random = np.random.default_rng(0)
    one, other = random.standard_normal((2, 40, 3))
    rotation = np.linalg.qr(random.standard_normal((3, 3)))[0]
    assert linear_cka(one, 3 * one @ rotation + 1) == pytest.approx(1)
    centre = np.eye(40) - 1 / 40
    kernels = [centre @ a @ a.T @ centre for a in (one, other)]
    hsic = [[np.sum(a * b) for a in kernels] for b in kernels]
    expected = hsic[0][1] / np.sqrt(hsic[0][0] * hsic[1][1])
    assert linear_cka(one, other) == pytest.approx(expected)
    assert np.isnan(linear_cka(one, np.ones((40, 3))))


def test_the_length_of_no_errors_is_not_a_number():
    assert np.isnan(rms(np.empty((0, 2))))
    assert rms(np.array([[3.0, 4.0], [0.0, 0.0]])) == pytest.approx(np.sqrt(12.5))
