import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from qatlas.codecs.scalar.grid import dequantize, dequantize_into, quantize, quantize_into


@settings(deadline=None)
@given(
    st.integers(0, 5),
    st.integers(1, 4),
    st.integers(1, 40),
    st.booleans(),
    st.sampled_from([2, 3, 15, 16, 256]),
    st.integers(0, 2**32 - 1),
)
def test_compiled_and_plain_forms_are_equal(rows, blocks, size, shared, levels, seed):
    draws = np.random.default_rng(seed)
    weights = torch.from_numpy(draws.standard_normal((rows, blocks, size)).astype(np.float32))
    scale = draws.uniform(0, 0.5, (1 if shared else rows, blocks, 1)).astype(np.float32)
    scale = torch.from_numpy(scale * draws.integers(0, 2, scale.shape))
    scale = scale.float()
    zero = torch.full_like(scale, (levels - 1) / 2)
    codes = torch.empty(weights.shape, dtype=torch.uint8)
    quantize_into(weights, scale, zero, levels, codes)
    assert torch.equal(codes, quantize(weights, scale, zero, levels).to(torch.uint8))
    values = torch.empty(weights.shape)
    dequantize_into(codes, scale, zero, values)
    assert torch.equal(values, dequantize(codes.float(), scale, zero))


def test_strided_blocks_are_written_in_place():
    weights = torch.arange(24.0).view(2, 12)[:, :9].view(2, 3, 3)
    codes = torch.zeros(2, 12, dtype=torch.uint8)
    one = torch.ones(2, 3, 1)
    quantize_into(weights, one, 0 * one, 256, codes[:, :9].view(2, 3, 3))
    assert codes[:, :9].flatten().tolist() == pytest.approx(weights.flatten().tolist())
    assert not codes[:, 9:].any()
