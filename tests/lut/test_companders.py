"""Companders whose bits no mathematical library decides."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qatlas.lut.companders import (
    asinh_compress,
    asinh_expand,
    exponential,
    log_compress,
    log_expand,
)


@given(st.floats(-3, 3))
def test_the_exponential_is_numpys(x):
    assert exponential(x) == pytest.approx(np.exp(x), rel=4e-15)


@pytest.mark.parametrize(
    ("compress", "expand"), [(log_compress, log_expand), (asinh_compress, asinh_expand)]
)
def test_expanding_undoes_compressing(compress, expand):
    share = np.linspace(0, 1, 10_001)
    np.testing.assert_allclose(expand(compress(share)), share, atol=2e-15)
    np.testing.assert_allclose(compress(expand(share)), share, atol=2e-15)
    assert expand(0.0) == 0
    assert expand(1.0) == 1


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_arrays_and_numbers_expand_to_the_same_bits(shares):
    for expand in (log_expand, asinh_expand):
        assert expand(np.array(shares)).tolist() == [expand(share) for share in shares]
