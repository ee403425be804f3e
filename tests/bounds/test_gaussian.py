import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from qatlas.bounds.gaussian import normalised_distortion, rate_bits, shannon_lower_bound_bits
from qatlas.errors import AtlasError


def test_known_points() -> None:
    # Cover & Thomas, section 10.3.2: each bit divides the error by four.
    np.testing.assert_allclose(
        normalised_distortion([0, 1, 2, 3, 4]), [1, 0.25, 0.0625, 0.015625, 0.00390625]
    )
    np.testing.assert_allclose(rate_bits([0.25, 2.0**-20]), [1, 10])


def test_no_rate_is_needed_for_an_error_of_the_variance() -> None:
    np.testing.assert_array_equal(rate_bits([1.0, 1.5, 1e9]), 0)


def test_no_error_needs_infinite_rate() -> None:
    assert rate_bits(0.0) == np.inf
    assert shannon_lower_bound_bits(0.0, 0.0) == np.inf


@given(st.floats(0, 60))
def test_each_inverts_the_other(rate: float) -> None:
    np.testing.assert_allclose(rate_bits(normalised_distortion(rate)), rate, atol=1e-12)


@given(st.floats(1e-3, 1e3), st.floats(1e-9, 2))
def test_shannon_lower_bound_of_a_gaussian_is_its_rate(deviation: float, nmse: float) -> None:
    entropy = scipy.stats.norm(scale=deviation).entropy() / np.log(2)
    bound = shannon_lower_bound_bits(entropy, nmse * deviation**2)
    np.testing.assert_allclose(bound, rate_bits(nmse), atol=1e-9)


@given(st.floats(1e-9, 2))
def test_the_gaussian_needs_the_most_bits(nmse: float) -> None:
    entropy = scipy.stats.laplace(scale=1).entropy() / np.log(2)
    assert shannon_lower_bound_bits(entropy, 2 * nmse) <= rate_bits(nmse)


def test_shapes_are_kept() -> None:
    assert rate_bits(np.ones((2, 3))).shape == (2, 3)
    assert shannon_lower_bound_bits(np.zeros(3), np.ones((2, 1))).shape == (2, 3)


@pytest.mark.parametrize("bound", [rate_bits, normalised_distortion])
def test_negative_values_are_refused(bound) -> None:
    with pytest.raises(AtlasError, match=r"found -0\.5"):
        bound([1.0, -0.5])
