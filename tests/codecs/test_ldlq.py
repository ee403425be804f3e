import numpy as np
import pytest
import torch

from qatlas.codecs import CodecError, Context, create
from qatlas.codecs.calibrated.feedback import (
    blocks_of,
    feedback_between_blocks,
    quantize_with_feedback,
    second_moment_within,
)
from qatlas.codecs.calibrated.second_moment import inverse_factor
from qatlas.codecs.measure import measure_codec
from qatlas.codecs.output_error import output_error
from qatlas.requirements import Requirements
from tests.codecs.layers import layer

INNER = [
    {"codec": "trellis", "bits": 2, "state_bits": 8, "granularity": "channel"},
    {"codec": "lattice", "lattice": "e8", "bits": 2.0, "granularity": "channel"},
    {"codec": "vector", "dimension": 4, "index_bits": 6},
    {"codec": "entropy_coded", "rate": 3.0},
    {"codec": "uniform", "bits": 3, "granularity": "channel", "clip": "mse"},
    {"codec": "formats", "data_type": "nf4", "granularity": 16},
]


def coded(codec, weight, h):
    context = Context(np.random.default_rng(0), h)
    return codec.decode(codec.encode(weight, context))


@pytest.mark.parametrize("group", [16, 48])
def test_around_gptq_with_groups_that_divide_the_blocks_it_is_gptq(group):
    weight, h = layer(8, 144)
    options = {"codec": "gptq", "bits": 3, "granularity": group, "scale_dtype": "float32"}
    # Damping the whole once is damping enough.
    wrapped = create("ldlq", inner={**options, "damping": 0.0}, block_columns=48)
    plain = create("gptq", **{key: value for key, value in options.items() if key != "codec"})
    expected = coded(plain, weight, h)
    assert coded(wrapped, weight, h).numpy() == pytest.approx(expected.numpy(), rel=1e-5)


@pytest.mark.parametrize("width", [1, 8, 13])
def test_blocks_receive_the_feedback_of_block_ldl(width):
    """Q(W_J + (W - W_hat) A_J) with H = (I + A) D (I + A)^T, A block upper triangular."""
    weight, h = (found.double() for found in layer(6, 40))
    blocks = blocks_of(40, width)
    found = torch.zeros_like(weight)

    def quantize(current, block):
        found[:, block] = current[:, block].round()
        return current[:, block] - found[:, block]

    feedback = feedback_between_blocks(inverse_factor(h), blocks)
    quantize_with_feedback(weight, feedback, blocks, quantize)
    expected = torch.zeros_like(weight)
    for block in blocks:
        # A_J: what this block, with all those after it at its best, makes up for.
        before, rest = slice(0, block.start), slice(block.start, None)
        best = h[before, rest] @ torch.linalg.inv(h[rest, rest])
        lost = weight[:, before] - expected[:, before]
        own = best[:, : block.stop - block.start]
        expected[:, block] = (weight[:, block] + lost @ own).round()
    assert torch.equal(found, expected)


def test_the_output_error_is_the_sum_of_those_of_the_blocks():
    weight, h = (found.double() for found in layer(6, 40))
    factor = inverse_factor(h)
    blocks = blocks_of(40, 16)
    found, parts = torch.zeros_like(weight), []

    def quantize(current, block):
        found[:, block] = current[:, block].round()
        lost = current[:, block] - found[:, block]
        parts.append(float((lost @ second_moment_within(factor, block) * lost).sum()))
        return lost

    quantize_with_feedback(weight, feedback_between_blocks(factor, blocks), blocks, quantize)
    assert len(parts) == 3
    assert sum(parts) / weight.numel() == pytest.approx(output_error(weight, found, h))


@pytest.mark.parametrize("inner", INNER, ids=lambda inner: inner["codec"])
def test_the_output_loses_less_than_without_feedback(inner):
    weight, h = layer(64, 128)
    without = coded(create("ldlq", inner=inner, block_columns=16), weight, torch.eye(128))
    with_feedback = coded(create("ldlq", inner=inner, block_columns=16), weight, h)
    assert output_error(weight, with_feedback, h) < 0.85 * output_error(weight, without, h)


@pytest.mark.parametrize("inner", INNER, ids=lambda inner: inner["codec"])
def test_one_block_is_the_inner_codec(inner):
    weight, h = layer(16, 64)
    parameters = dict(inner)
    alone = create(parameters.pop("codec"), **parameters)
    wrapped = create("ldlq", inner=inner, block_columns=64)
    assert torch.equal(coded(wrapped, weight, h), coded(alone, weight, h))
    rates = [
        measure_codec(weight, codec, Context(np.random.default_rng(0), h)).rate
        for codec in (alone, wrapped)
    ]
    assert rates[0] == rates[1]


def test_every_block_is_charged_for_its_own_scales():
    weight, h = layer(16, 40)
    inner = {"codec": "uniform", "bits": 4, "granularity": "channel"}
    codec = create("ldlq", inner=inner, block_columns=16)
    encoded = codec.encode(weight, Context(second_moment=h))
    assert set(encoded.arrays) == {f"{name}.{i}" for name in ("payload", "scale") for i in range(3)}
    assert encoded.bits()["payload"] == 4 * weight.numel()
    assert encoded.bits()["scale"] == 3 * 16 * 16


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"inner": {"bits": 4}}, "inner.codec should be one of .*; found None"),
        ({"inner": {"codec": "unifrom", "bits": 4}}, "did you mean 'uniform'"),
        (
            {"inner": {"codec": "uniform", "bits": 4, "granularity": 64}, "block_columns": 32},
            "block_columns should suit inner.granularity.* at least 64 weights.*; found 32",
        ),
    ],
)
def test_what_cannot_work_is_said(parameters, told):
    with pytest.raises(CodecError, match=told):
        create("ldlq", **parameters)


def test_it_passes_on_what_the_inner_codec_needs():
    free = create("ldlq", inner={"codec": "uniform", "bits": 4})
    assert free.requirements == Requirements(second_moment=True)
    grouped = {"codec": "uniform", "bits": 4, "granularity": 32}
    needed = create("ldlq", inner=grouped, block_columns=64).requirements
    assert (needed.second_moment, needed.multiple_of) == (True, 64)
    assert (needed.take_row_of(192), needed.take_row_of(200)) == (True, False)
    assert create("ldlq", inner=grouped, block_columns=64).nominal_bits == 4
