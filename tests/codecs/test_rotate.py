import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import hadamard
from scipy.stats import kurtosis

from qatlas.codecs import CodecError, Context, create
from qatlas.codecs.hadamard import mix, random_signs, unmix

INNER = {"codec": "uniform", "bits": 8, "granularity": "channel", "scale_dtype": "float32"}


def matrix(rows, columns, seed=0):
    draws = np.random.default_rng(seed).standard_normal((rows, columns))
    return torch.from_numpy(draws.astype(np.float32))


@settings(deadline=None)
@given(st.integers(1, 5), st.integers(1, 200))
def test_mixing_is_undone_and_keeps_lengths(rows, columns):
    weight = matrix(rows, columns)
    signs = random_signs(columns, 3)
    mixed = mix(weight, signs)
    assert mixed.norm(dim=1) == pytest.approx(weight.norm(dim=1), rel=1e-4)
    assert unmix(mixed, signs).numpy() == pytest.approx(weight.numpy(), abs=1e-5)


def test_powers_of_two_are_mixed_by_the_hadamard_matrix():
    weight = matrix(3, 64)
    signs = random_signs(64, 0)
    expected = (weight * signs).numpy() @ hadamard(64) / 8
    assert mix(weight, signs).numpy() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("columns", [384, 100, 97, 2 * 511, 4 * 513, 1031])
def test_other_sizes_are_mixed_by_the_product_of_a_hadamard_and_a_hartley_matrix(columns):
    weight = matrix(3, columns)
    power = columns & -columns
    angles = 2 * np.pi * np.outer(*2 * [np.arange(columns // power)]) / (columns // power)
    orthogonal = np.kron(np.cos(angles) + np.sin(angles), hadamard(power)) / np.sqrt(columns)
    signs = random_signs(columns, 0)
    mixed = mix(weight, signs)
    assert mixed.numpy() == pytest.approx((weight * signs).double().numpy() @ orthogonal, abs=1e-5)
    assert unmix(mixed, signs).numpy() == pytest.approx(weight.numpy(), abs=1e-5)


@pytest.mark.parametrize("columns", [128, 384, 100, 97, 1031])
def test_one_weight_reaches_every_place(columns):
    weight = torch.zeros(1, columns)
    weight[0, 5] = 1
    mixed = mix(weight, random_signs(columns, 0))
    assert (mixed.abs() > 1e-6).float().mean() > 0.98
    assert mixed.abs().max() <= (2 / columns) ** 0.5 * 1.01


@pytest.mark.parametrize("side", ["input", "output", "both"])
def test_the_rotated_codec_loses_what_the_inner_one_loses_on_mixed_weights(side):
    weight = matrix(96, 160)
    codec = create("rotate", inner=INNER, side=side)
    decoded = codec.decode(codec.encode(weight, Context()))
    assert decoded.shape == weight.shape
    assert ((decoded - weight) ** 2).mean() < 1e-4
    assert codec.nominal_bits == 8


@pytest.mark.parametrize(
    "inner", [INNER, {"codec": "cast", "dtype": "float32"}, {"codec": "cast", "dtype": "bfloat16"}]
)
def test_decoding_leaves_what_is_stored_as_it_was(inner):
    codec = create("rotate", inner=inner)
    encoded = codec.encode(matrix(96, 64), Context())
    stored = {name: array.tobytes() for name, array in encoded.arrays.items()}
    once, again = codec.decode(encoded), codec.decode(encoded)
    assert torch.equal(once, again)
    assert {name: array.tobytes() for name, array in encoded.arrays.items()} == stored


@pytest.mark.parametrize("side", ["input", "output", "both"])
def test_an_outlier_is_spread_and_costs_less(side):
    weight = matrix(128, 256)
    weight[3, 7] = 300
    plain = {"codec": "uniform", "bits": 4}
    errors = []
    for codec in (
        create(**{"name": "uniform", "bits": 4}),
        create("rotate", inner=plain, side=side),
    ):
        decoded = codec.decode(codec.encode(weight, Context()))
        errors.append(float(((decoded - weight) ** 2).mean()))
    assert errors[1] < errors[0] / 5


def test_heavy_tails_become_gaussian():
    weight = torch.from_numpy(np.random.default_rng(1).standard_t(5, (256, 768)).astype(np.float32))
    mixed = mix(weight, random_signs(768, 0))
    assert kurtosis(weight.flatten(), fisher=False) > 5
    assert kurtosis(mixed.flatten(), fisher=False) == pytest.approx(3, abs=0.1)


def test_the_second_moment_is_rotated_with_the_weights():
    weight, x = matrix(8, 48), matrix(500, 48, seed=2)
    h = x.T @ x / 500
    rotate = create("rotate", inner=INNER)
    signs = random_signs(48, 0)
    mixed_h = rotate._mixed_context(Context(second_moment=h)).second_moment
    mixed_x = mix(x, signs)
    assert mixed_h.numpy() == pytest.approx((mixed_x.T @ mixed_x / 500).numpy(), abs=1e-4)
    assert (mix(weight, signs) @ mixed_x.T).numpy() == pytest.approx(
        (weight @ x.T).numpy(), abs=1e-3
    )


@pytest.mark.parametrize(
    ("inner", "told"),
    [
        ({"bits": 4}, "inner.codec should be one of .*, uniform, .*; found None"),
        ({"codec": 5}, "inner.codec should be one of .*; found 5"),
        ({"codec": "unifrom", "bits": 4}, "did you mean 'uniform'"),
        ({"codec": "uniform", "bit": 4}, "did you mean 'bits'"),
    ],
)
def test_what_is_wrong_with_the_inner_codec_is_said(inner, told):
    with pytest.raises(CodecError, match=told):
        create("rotate", inner=inner)
