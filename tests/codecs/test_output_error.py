import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from qatlas.bounds.waterfilling import output_aware_bound_bits
from qatlas.codecs import CodecError, Context, create
from qatlas.codecs.calibrated.bias import bias_correction
from qatlas.codecs.measure import measure_codec, power_of
from qatlas.codecs.output_error import output_error, output_gap_bits
from tests.codecs.layers import inputs, layer, second_moment_of


def rounded(weight, bits=3):
    codec = create("uniform", bits=bits, granularity="channel")
    return codec.decode(codec.encode(weight, Context()))


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 40), st.integers(1, 30), st.integers(1, 50))
def test_it_is_the_mean_square_of_what_the_output_loses(rows, columns, samples):
    draws = np.random.default_rng(rows + 100 * columns)
    weight = torch.from_numpy(draws.standard_normal((rows, columns)))
    decoded = torch.from_numpy(draws.standard_normal((rows, columns)))
    x = torch.from_numpy(draws.standard_normal((samples, columns)))
    lost = x @ (weight - decoded).T
    expected = float(lost.square().sum(1).mean()) / weight.numel()
    assert output_error(weight, decoded, second_moment_of(x)) == pytest.approx(expected)


def test_white_inputs_make_it_the_error_of_the_weights():
    weight, _ = layer(300, 1000)
    decoded = rounded(weight)
    mse = measure_codec(
        weight, create("uniform", bits=3, granularity="channel"), Context()
    ).distortion.mse
    assert output_error(weight, decoded, torch.eye(1000)) == pytest.approx(mse)


def test_the_gap_is_the_rate_above_the_least_one():
    _, h = layer(1, 32)
    gaps = output_gap_bits([2.0, 4.0], [0.1, 0.01], h, 1.5)
    expected = [2.0, 4.0] - output_aware_bound_bits(h.numpy(), 1.5, [0.1, 0.01])
    assert gaps == pytest.approx(expected)


@pytest.mark.parametrize("bits", [2, 3, 4])
def test_on_independent_gaussian_weights_no_codec_is_below_the_limit(bits):
    _, h = layer(1, 96)
    draws = np.random.default_rng(0).standard_normal((256, 96)).astype(np.float32)
    weight = torch.from_numpy(draws)
    context = Context(np.random.default_rng(0), h)
    variance = power_of(weight).variance
    gaps = []
    for name, parameters in [
        ("uniform", {"clip": "mse"}),
        ("gptq", {"clip": "mse"}),
    ]:
        codec = create(name, bits=bits, granularity="channel", grid="asymmetric", **parameters)
        rate = measure_codec(weight, codec, context).rate.total
        error = output_error(weight, codec.decode(codec.encode(weight, context)), h)
        gaps.append(float(output_gap_bits(rate, error, h, variance)))
    assert 0 < gaps[1] < gaps[0]


def test_a_bias_takes_off_what_the_mean_of_the_output_loses():
    weight, _ = layer(20, 64)
    x = inputs(64)
    decoded = rounded(weight)
    bias = bias_correction(weight, decoded, x.mean(0))
    lost = x @ (weight - decoded).double().T
    assert bias.astype(np.float64) == pytest.approx(lost.mean(0).numpy(), rel=2**-10)
    assert 8 * bias.nbytes == 16 * 20
    left = lost - torch.from_numpy(bias.astype(np.float64))
    covariance = second_moment_of(x - x.mean(0))
    measured = float(left.square().sum(1).mean()) / weight.numel()
    assert measured == pytest.approx(output_error(weight, decoded, covariance), rel=1e-4)
    assert measured < 0.9 * output_error(weight, decoded, second_moment_of(x))


def test_a_mean_of_another_layer_is_refused():
    weight, _ = layer(4, 8)
    with pytest.raises(CodecError, match=r"mean_input: found shape \(9,\).*take \(8,\)"):
        bias_correction(weight, weight, torch.zeros(9))


def test_a_bias_that_float16_cannot_hold_is_refused():
    weight, _ = layer(4, 8)
    with pytest.raises(CodecError, match="does not fit float16"):
        bias_correction(1e6 * weight, 0 * weight, torch.ones(8))
