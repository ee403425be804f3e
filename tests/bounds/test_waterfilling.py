import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from qatlas.bounds.gaussian import rate_bits
from qatlas.bounds.waterfilling import block_variance_bound_bits, output_aware_bound_bits
from qatlas.errors import AtlasError

VARIANCES = st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=12)


def by_search(variances, distortion):
    """The definition, solved numerically for the water level."""
    v = np.array(variances)
    if distortion >= v.mean():
        return 0.0
    level = brentq(lambda t: np.minimum(v, t).mean() - distortion, 0, v.max(), xtol=1e-15)
    return np.mean(0.5 * np.log2(np.maximum(1, v / level)))


@given(VARIANCES, st.floats(1e-4, 2.0))
def test_bound_is_that_of_the_definition(variances, share):
    distortion = share * np.mean(variances)
    expected = by_search(variances, distortion)
    assert block_variance_bound_bits(variances, distortion) == pytest.approx(expected, abs=1e-6)


@given(st.floats(1e-3, 1e3), st.floats(1e-6, 2.0))
def test_equal_variances_give_shannons_bound(variance, nmse):
    bits = block_variance_bound_bits(np.full(7, variance), variance * nmse)
    assert bits == pytest.approx(rate_bits(nmse), abs=1e-9)


@given(VARIANCES, st.floats(1e-4, 1.0))
def test_knowing_the_variances_never_costs_bits(variances, nmse):
    bits = block_variance_bound_bits(variances, nmse * np.mean(variances))
    assert bits <= rate_bits(nmse) + 1e-9


def test_blocks_without_variance_need_no_bits():
    assert block_variance_bound_bits([0.0, 0.0], 0.0) == 0
    assert block_variance_bound_bits([0.0, 4.0], 0.5) == pytest.approx(0.5)


def test_shape_is_that_of_the_distortion():
    assert block_variance_bound_bits([1.0, 2.0], np.full((3, 2), 0.1)).shape == (3, 2)


def test_output_bound_at_high_rate_is_that_of_the_determinant():
    draws = np.random.default_rng(0)
    x = draws.standard_normal((400, 12)) * np.geomspace(0.1, 3, 12)
    h = x.T @ x / 400
    distortion = 1e-6
    expected = 0.5 * np.log2(0.25 * np.linalg.det(h) ** (1 / 12) / distortion)
    assert output_aware_bound_bits(h, 0.25, distortion) == pytest.approx(expected, rel=1e-9)


def test_output_bound_with_white_inputs_is_shannons():
    bits = output_aware_bound_bits(np.eye(5), 2.0, 2.0 * 0.01)
    assert bits == pytest.approx(rate_bits(0.01))


def test_fewer_inputs_than_dimensions_in_single_precision_make_a_second_moment():
    x = np.random.default_rng(0).standard_normal((40, 200)).astype(np.float32) * 30
    h = (x.T @ x).astype(np.float64) / len(x)
    assert np.linalg.eigvalsh(h).min() < -1e-6
    assert np.isfinite(output_aware_bound_bits(h, 1.0, 0.1))


@pytest.mark.parametrize(
    ("variances", "distortion"), [([], 1.0), ([1.0, -1.0], 1.0), ([1.0], np.nan), ([1.0], -0.1)]
)
def test_what_is_no_variance_or_distortion_is_refused(variances, distortion):
    with pytest.raises(AtlasError, match=r"variances|distortion"):
        block_variance_bound_bits(variances, distortion)


@pytest.mark.parametrize("h", [np.ones(3), np.ones((2, 3)), np.diag([1.0, -1.0])])
def test_what_is_no_second_moment_is_refused(h):
    with pytest.raises(AtlasError, match="second_moment"):
        output_aware_bound_bits(h, 1.0, 0.1)
