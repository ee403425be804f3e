import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from qatlas.codecs import CodecError, Context, create
from qatlas.codecs.packing import pack, unpack
from qatlas.codecs.scalar.clipping import (
    _COARSE,
    _FINE,
    _factor_on_cpu,
    _moments_on_cpu,
    _squared_error,
    factor_of_least_error,
    minmax,
    moments,
    shrunk_for_least_error,
)
from qatlas.codecs.scalar.grid import dequantize, quantize
from qatlas.codecs.scalar.uniform_grid import UniformGrid

GRIDS = ["midrise", "narrow", "asymmetric"]
GRIDS_AND_BITS = [
    (grid, bits) for grid in GRIDS for bits in range(1, 9) if (grid, bits) != ("narrow", 1)
]
GRANULARITIES = ["tensor", "channel", 16]
SCALE_ROUNDING = {"float16": 2**-11, "bfloat16": 2**-8, "float32": 2**-24}
"""Largest relative error of a stored scale."""

NORMAL_MSE = {2: 0.118846, 3: 0.0374397, 4: 0.0115429, 8: 8.7686e-5}
"""Best uniform step on N(0, 1) by bits: 2 to 4 as in Max (1960), table II."""


def student(*shape, seed=0):
    weights = np.random.default_rng(seed).standard_t(5, shape)
    return torch.from_numpy(weights.astype(np.float32))


def encode(weight, **parameters):
    return create("uniform", **parameters).encode(weight, Context())


def decode(weight, **parameters):
    codec = create("uniform", **parameters)
    return codec.decode(codec.encode(weight, Context()))


def levels_of_blocks(encoded, bits, grid):
    """Every level of every block in float64, shape (blocks, levels), from what is stored."""
    scales = encoded.arrays["scale"].astype(np.float64).reshape(-1, 1)
    if grid == "asymmetric":
        zeros = unpack(encoded.arrays["zero_point"], bits, scales.size).reshape(-1, 1)
        return scales * (np.arange(2**bits) - zeros.astype(np.float64))
    if grid == "narrow":
        return scales * np.arange(-(2 ** (bits - 1)) + 1, 2 ** (bits - 1))
    return scales * (np.arange(2**bits) - (2**bits - 1) / 2)


def in_blocks(matrix, granularity):
    """Rows of float64, one a block, where the columns are a multiple of the group."""
    width = {"tensor": matrix.numel(), "channel": matrix.shape[1]}.get(granularity, granularity)
    return matrix.double().numpy().reshape(-1, width)


def mse(weight, decoded):
    return (weight.double() - decoded.double()).square().mean().item()


@pytest.mark.parametrize("bits", NORMAL_MSE)
def test_the_clip_search_finds_the_best_step_for_a_normal_source(bits):
    """On the quantiles of N(0, 1), equally probable."""
    size = 1 << 20
    quantiles = norm.ppf((np.arange(size) + 0.5) / size).astype(np.float32)
    weight = torch.from_numpy(np.random.default_rng(0).permutation(quantiles)).view(1024, 1024)
    assert mse(weight, decode(weight, bits=bits, clip="mse")) == pytest.approx(
        NORMAL_MSE[bits], rel=0.01
    )


@pytest.mark.parametrize("granularity", GRANULARITIES)
@pytest.mark.parametrize("clip", ["minmax", "mse", 2.0])
@pytest.mark.parametrize(("grid", "bits"), GRIDS_AND_BITS)
def test_every_weight_becomes_the_nearest_level_of_its_blocks_grid(grid, clip, bits, granularity):
    weight = student(12, 64)
    parameters = {"bits": bits, "granularity": granularity, "grid": grid, "clip": clip}
    levels = levels_of_blocks(encode(weight, **parameters), bits, grid)
    blocks = in_blocks(weight, granularity)
    decoded = in_blocks(decode(weight, **parameters), granularity)
    nearest = np.abs(blocks[..., None] - levels[:, None, :]).min(axis=2)
    assert np.abs(blocks - decoded) == pytest.approx(nearest, rel=1e-5, abs=1e-6)
    # The grid's own levels, and no value between or beyond them.
    assert np.abs(decoded[..., None] - levels[:, None, :]).min(axis=2).max() < 1e-5


@pytest.mark.parametrize(("grid", "bits"), GRIDS_AND_BITS)
def test_a_grid_has_as_many_levels_as_it_says(grid, bits):
    expected = 2**bits - (grid == "narrow")
    # Steps finer than any grid's, so that every level is in use; at one bit and a range symmetric
    # about zero, the asymmetric grid would be left with its level zero alone.
    lowest = -0.4 if grid == "asymmetric" else -1.0
    levels = decode(torch.linspace(lowest, 1, 5000)[None], bits=bits, grid=grid).unique()
    assert levels.numel() == expected
    steps = levels.diff()
    assert steps.min() == pytest.approx(steps.max().item(), rel=1e-4)
    assert (0 in levels) == (grid != "midrise")


@pytest.mark.parametrize("bits", range(2, 9))
def test_the_narrow_grid_is_that_of_signed_integers_without_the_least(bits):
    encoded = encode(student(8, 200), bits=bits, grid="narrow", scale_dtype="float32")
    codes = unpack(encoded.arrays["payload"], bits, 1600).astype(int) - (2 ** (bits - 1) - 1)
    assert np.abs(codes).max() == 2 ** (bits - 1) - 1


matrices = st.lists(
    st.lists(st.floats(-1000, 1000, width=32), min_size=6, max_size=6), min_size=1, max_size=4
).map(torch.tensor)


@settings(deadline=None, max_examples=150)
@given(
    matrices,
    st.integers(2, 8),
    st.sampled_from(GRIDS),
    st.sampled_from(["tensor", "channel", 3]),
    st.sampled_from(["bfloat16", "float32"]),
)
def test_the_range_never_overshoots(weight, bits, grid, granularity, scale_dtype):
    """Symmetric grids end at the largest weight, the asymmetric within half a step of both."""
    # Below, a scale is subnormal and rounds by more than its dtype's precision.
    weight = torch.where(weight.abs() < 1e-30, 0, weight)
    parameters = {"bits": bits, "granularity": granularity, "grid": grid}
    encoded = encode(weight, **parameters, scale_dtype=scale_dtype)
    levels = levels_of_blocks(encoded, bits, grid)
    blocks = in_blocks(weight, granularity)
    steps = encoded.arrays["scale"].astype(np.float64).reshape(-1)
    lowest, highest = blocks.min(axis=1), blocks.max(axis=1)
    if grid == "asymmetric":
        lowest, highest = np.minimum(lowest, 0) - steps / 2, np.maximum(highest, 0) + steps / 2
    else:
        highest = np.abs(blocks).max(axis=1)
        lowest = -highest
    slack = 2 * (SCALE_ROUNDING[scale_dtype] + 2**-22) * np.maximum(-lowest, highest)
    assert np.all(levels.max(axis=1) <= highest + slack)
    assert np.all(levels.min(axis=1) >= lowest - slack)


@pytest.mark.parametrize("clip", ["minmax", "mse", 2.0])
@pytest.mark.parametrize("grid", GRIDS)
def test_a_last_short_group_is_quantized_like_a_matrix_of_its_own(grid, clip):
    weight = student(10, 44)
    parameters = {"bits": 4, "grid": grid, "clip": clip}
    whole, rest = weight[:, :32], weight[:, 32:]
    expected = torch.cat(
        [
            decode(whole, **parameters, granularity=16),
            decode(rest, **parameters, granularity="channel"),
        ],
        dim=1,
    )
    assert torch.equal(decode(weight, **parameters, granularity=16), expected)


@pytest.mark.parametrize("granularity", ["channel", 48])
@pytest.mark.parametrize("clip", ["minmax", "mse", 2.0])
def test_rows_are_quantized_independently_however_many_there_are(clip, granularity):
    weight = student(5000, 120)
    parameters = {"bits": 3, "grid": "asymmetric", "clip": clip, "granularity": granularity}
    decoded = decode(weight, **parameters)
    for rows in (slice(0, 7), slice(2180, 2190), slice(4999, 5000)):
        assert torch.equal(decode(weight[rows], **parameters), decoded[rows])


@pytest.mark.parametrize("bits", [3, 5, 6, 7])
@pytest.mark.parametrize("shape", [(1100, 251), (3, 200_003)])
def test_no_bit_is_lost_between_the_rows_that_are_packed_at_a_time(shape, bits):
    weight = student(*shape)
    grid = UniformGrid(bits, "asymmetric", "minmax", "float16")
    codes = grid.codes(weight, *grid.fit_all(weight, "channel"), "channel")
    stored = encode(weight, bits=bits, granularity="channel", grid="asymmetric").arrays["payload"]
    assert np.array_equal(stored, pack(codes.numpy().reshape(-1), bits))


@pytest.mark.parametrize("granularity", GRANULARITIES)
@pytest.mark.parametrize("clip", ["minmax", "mse", 2.0])
@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_one_weight_that_is_not_finite_is_found_wherever_it_is(wrong, clip, granularity):
    weight = student(40, 21)
    weight[31, 20] = wrong
    with pytest.raises(CodecError, match="the weights hold NaN or Inf"):
        encode(weight, bits=4, clip=clip, granularity=granularity)


def test_a_group_as_long_as_a_row_is_a_channel():
    weight = student(6, 20)
    by_group = decode(weight, bits=3, granularity=20)
    assert torch.equal(by_group, decode(weight, bits=3, granularity="channel"))


def test_a_group_longer_than_a_row_is_refused():
    with pytest.raises(CodecError, match=r"group of 21 weights .* row of 20; take at most 20"):
        encode(student(6, 20), bits=3, granularity=21)


@pytest.mark.parametrize(
    ("scale_dtype", "width"), [("float16", 16), ("bfloat16", 16), ("float32", 32)]
)
@pytest.mark.parametrize(("granularity", "blocks"), [("tensor", 1), ("channel", 10), (16, 30)])
@pytest.mark.parametrize("grid", GRIDS)
def test_scales_and_zero_points_are_charged_by_the_block(
    grid, granularity, blocks, scale_dtype, width
):
    encoded = encode(
        student(10, 44), bits=3, grid=grid, granularity=granularity, scale_dtype=scale_dtype
    )
    assert encoded.arrays["scale"].dtype.name == scale_dtype
    zero_points = 8 * math.ceil(blocks * 3 / 8) if grid == "asymmetric" else 0
    assert encoded.bits() == {
        "payload": 3 * 440,
        "scale": blocks * width,
        "zero_point": zero_points,
        "codebook": 0,
        "other": 0,
    }


@pytest.mark.parametrize(
    ("largest", "scale_dtype", "remedy"),
    [
        (1e6, "float16", "use 'bfloat16' or 'float32'"),
        (1e-9, "float16", "use 'bfloat16' or 'float32'"),
        (3e38, "bfloat16", "use 'float32' or rescale"),
        (1e300, "float32", "rescale the weights"),
        (1e-50, "float32", "rescale the weights"),
    ],
)
@pytest.mark.parametrize("granularity", GRANULARITIES)
def test_scales_that_their_dtype_cannot_hold_are_refused(largest, scale_dtype, remedy, granularity):
    weight = torch.full((2, 16), largest / 2, dtype=torch.float64)
    weight[0, 0] = -largest
    with pytest.raises(CodecError, match=rf"scale_dtype '{scale_dtype}': {remedy}"):
        encode(weight, bits=2, granularity=granularity, scale_dtype=scale_dtype)


def test_one_negligible_block_does_not_make_a_matrix_unfit():
    weight = student(4, 32)
    weight[2] *= 1e-9
    decoded = decode(weight, bits=8, granularity="channel")
    assert not decoded[2].any()
    assert mse(weight[3], decoded[3]) < 1e-3


@pytest.mark.parametrize("k", [0.5, 2.0, 3.0, 50.0])
@pytest.mark.parametrize("grid", GRIDS)
def test_clipping_at_k_deviations_agrees_with_numpy(grid, k):
    weight = student(9, 500) + 0.3
    encoded = encode(
        weight, bits=4, granularity="channel", grid=grid, clip=k, scale_dtype="float32"
    )
    rows = weight.double().numpy()
    low = np.maximum(rows.min(axis=1), rows.mean(axis=1) - k * rows.std(axis=1))
    high = np.minimum(rows.max(axis=1), rows.mean(axis=1) + k * rows.std(axis=1))
    if grid == "asymmetric":
        expected = (np.maximum(high, 0) - np.minimum(low, 0)) / 15
    else:
        expected = np.maximum(-low, high) / (7 if grid == "narrow" else 7.5)
    assert encoded.arrays["scale"].reshape(-1) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("shift", [-5.0, -0.7, 0.0, 0.7, 5.0])
@pytest.mark.parametrize("clip", ["minmax", "mse", 2.0])
@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_zero_is_a_level_of_the_asymmetric_grid(bits, clip, shift):
    weight = student(20, 64) + shift
    weight[:, 5] = 0
    decoded = decode(weight, bits=bits, granularity="channel", grid="asymmetric", clip=clip)
    assert torch.equal(decoded[:, 5], torch.zeros(20))


@pytest.mark.parametrize("clip", ["minmax", "mse", 2.0])
@pytest.mark.parametrize("grid", GRIDS)
def test_scaling_the_weights_by_a_power_of_two_scales_what_is_decoded(grid, clip):
    weight = student(8, 48)
    parameters = {"bits": 3, "granularity": 16, "grid": grid, "clip": clip}
    decoded = decode(weight, **parameters, scale_dtype="bfloat16")
    scaled = decode(weight * 2.0**-20, **parameters, scale_dtype="bfloat16")
    assert torch.equal(scaled, decoded * 2.0**-20)


@pytest.mark.parametrize("grid", GRIDS)
def test_the_number_of_threads_does_not_matter(grid):
    weight = student(1024, 300)
    threads = torch.get_num_threads()
    stored = []
    try:
        for number in (1, 2):
            torch.set_num_threads(number)
            for clip in ("mse", 2.0):
                arrays = encode(weight, bits=3, grid=grid, clip=clip).arrays
                stored.append({name: array.tobytes() for name, array in arrays.items()})
    finally:
        torch.set_num_threads(threads)
    assert stored[:2] == stored[2:]


def fitted(blocks, levels):
    """Scale and zero point of the symmetric grid from the largest weight."""
    low, high = minmax(blocks)
    scale = 2 * torch.maximum(-low, high) / (levels - 1)
    return scale, torch.full_like(scale, (levels - 1) / 2)


def errors(blocks, scale, zero, levels):
    decoded = dequantize(quantize(blocks, scale, zero, levels), scale, zero)
    return (blocks.double() - decoded.double()).square().sum(2, keepdim=True)


@pytest.mark.parametrize("levels", [2, 3, 4, 15, 16, 256])
@pytest.mark.parametrize("shape", [(200, 1, 16), (30, 4, 32), (8, 1, 1000), (1, 1, 30_000)])
def test_the_fast_clip_search_agrees_with_the_plain_one(shape, levels):
    blocks = student(*shape, seed=1)
    scale, zero = fitted(blocks, levels)
    for factors in (_COARSE, _FINE):
        plain = factor_of_least_error(blocks, scale, zero, levels, factors)
        fast = _factor_on_cpu(blocks, scale, zero, levels, factors)
        assert fast.shape == plain.shape == scale.shape
        # Which of two factors of nearly the same error is taken is a matter of rounding.
        found, least = (errors(blocks, scale * f, zero, levels) for f in (fast, plain))
        assert torch.allclose(found, least, rtol=1e-5, atol=0)
        assert (fast == plain).double().mean() > 0.95


@pytest.mark.parametrize("shape", [(200, 1, 16), (30, 4, 32), (1, 1, 30_000)])
def test_the_fast_moments_are_the_plain_ones(shape):
    blocks = student(*shape, seed=1) + 100
    for fast, plain in zip(_moments_on_cpu(blocks), moments(blocks), strict=True):
        assert fast.shape == plain.shape
        assert torch.allclose(fast, plain, rtol=1e-12, atol=0)


@pytest.mark.parametrize("levels", [2, 4, 16])
@pytest.mark.parametrize("outlier", [1, 10, 100])
def test_the_clip_search_comes_close_to_the_best_of_all_scales(outlier, levels):
    blocks = student(20, 1, 128, seed=2)
    blocks[:, :, 0] *= outlier
    scale, zero = fitted(blocks, levels)
    found = errors(blocks, shrunk_for_least_error(blocks, scale, zero, levels), zero, levels)
    weights = blocks.double().numpy().reshape(20, 128)
    steps = scale.double().numpy().reshape(20, 1) * np.geomspace(0.004, 1, 1000)[:, None, None]
    centre = (levels - 1) / 2
    decoded = steps * (np.clip(np.rint(weights / steps + centre), 0, levels - 1) - centre)
    least = ((weights - decoded) ** 2).sum(axis=2).min(axis=0)
    assert (found.numpy().reshape(-1) / least).max() < 1.15
    assert found.numpy().mean() / least.mean() < 1.02


def test_a_block_of_zeros_keeps_its_scale_of_zero():
    blocks = torch.zeros(3, 1, 8)
    scale, zero = fitted(blocks, 16)
    assert torch.equal(shrunk_for_least_error(blocks, scale, zero, 16), torch.zeros(3, 1, 1))


def test_errors_of_very_many_weights_add_up():
    """Single precision alone would lose a fiftieth of them at this size."""
    weight = student(1 << 24)
    step, zero, top = np.float32(0.05), np.float32(127.5), np.float32(255)
    found = _squared_error(weight.numpy(), step, zero, top)
    levels = dequantize(quantize(weight, torch.tensor(step), torch.tensor(zero), 256), step, zero)
    assert found == pytest.approx((weight - levels).double().square().sum().item(), rel=1e-5)


def test_clipping_costs_nothing_and_is_never_worse_than_the_full_range():
    weight = student(16, 256)
    full, clipped = (
        decode(weight, bits=4, granularity="channel", clip=clip, scale_dtype="float32")
        for clip in ("minmax", "mse")
    )
    by_row = [(weight - decoded).square().sum(1) for decoded in (full, clipped)]
    assert bool((by_row[1] <= by_row[0] * (1 + 1e-6)).all())
    assert encode(weight, bits=4).bits() == encode(weight, bits=4, clip="mse").bits()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "bits is missing"),
        ({"bits": 0}, "bits should be greater than or equal to 1; found 0"),
        ({"bits": 9}, "bits should be less than or equal to 8; found 9"),
        ({"bits": 4.0}, "bits should be a valid integer; found 4.0"),
        ({"bits": True}, "bits should be a valid integer; found True"),
        ({"bits": 1, "grid": "narrow"}, "narrow grid has one level at 1 bit; it needs bits of 2"),
        ({"bits": 4, "grid": "midtread"}, "grid should be 'midrise', 'narrow' or 'asymmetric'"),
        ({"bits": 4, "granularity": 0}, "granularity should be 'tensor' or 'channel' or greater"),
        ({"bits": 4, "granularity": "row"}, "granularity should be 'tensor' or 'channel' or"),
        ({"bits": 4, "clip": 0.0}, "clip should be 'minmax' or 'mse' or greater than 0; found 0"),
        ({"bits": 4, "clip": math.inf}, "clip should be 'minmax' or 'mse' or a finite number"),
        ({"bits": 4, "scale_dtype": "float8"}, "scale_dtype should be 'float16', 'bfloat16' or"),
        ({"bits": 4, "group": 32}, "no parameter 'group'"),
        ({"bits": 4, "granularty": 32}, "did you mean 'granularity'"),
    ],
)
def test_other_parameters_are_refused(parameters, message):
    with pytest.raises(CodecError, match=f"codec uniform: .*{message}"):
        create("uniform", **parameters)
