from types import SimpleNamespace

import numpy as np
import pytest
import torch

from qatlas.codecs import CodecError, Context, create
from qatlas.codecs.measure import measure_codec
from qatlas.codecs.output_error import output_error
from tests.codecs.layers import inputs, layer, second_moment_of

INNER = {"codec": "uniform", "bits": 3, "granularity": 32, "grid": "asymmetric"}


def coded(codec, weight, h):
    return codec.decode(codec.encode(weight, Context(second_moment=h)))


def inner_of(section):
    parameters = dict(section)
    return create(parameters.pop("codec"), **parameters)


def scales_of(codec, weight, h):
    encoded = codec.encode(weight, Context(second_moment=h))
    return encoded.arrays["scale.columns"].astype(np.float64)


def salient(rows=64, columns=256):
    """Weights of a layer with a few inputs that are far larger than the others."""
    weight, h = layer(rows, columns)
    size = torch.ones(columns, dtype=torch.double)
    size[::37] = 30
    return weight, h * torch.outer(size, size)


@pytest.mark.parametrize("bits", [2, 3, 4])
def test_the_output_loses_less_than_by_rounding_to_nearest(bits):
    weight, h = salient()
    inner = {**INNER, "bits": bits}
    nearest = output_error(weight, coded(inner_of(inner), weight, h), h)
    assert output_error(weight, coded(create("awq", inner=inner), weight, h), h) < 0.7 * nearest


@pytest.mark.parametrize("seed", range(4))
def test_it_never_loses_to_its_inner_codec(seed):
    weight, h = layer(48, 96, seed)
    nearest = output_error(weight, coded(inner_of(INNER), weight, h), h)
    assert output_error(weight, coded(create("awq", inner=INNER), weight, h), h) <= nearest


def test_inputs_of_one_size_leave_the_weights_as_they_are():
    weight, _ = layer(16, 64)
    h = 5.0 * torch.eye(64)
    assert np.array_equal(scales_of(create("awq", inner=INNER), weight, h), np.ones(64))
    assert torch.equal(
        coded(create("awq", inner=INNER), weight, h), coded(inner_of(INNER), weight, h)
    )


def test_scales_are_the_power_of_the_activation_that_loses_least():
    weight, h = salient()
    scales = scales_of(create("awq", inner=INNER), weight, h)
    activation = h.diagonal().sqrt().numpy()
    alphas = np.arange(20) / 20
    powers = [activation**alpha for alpha in alphas]
    powers = [power / np.sqrt(power.max() * power.min()) for power in powers]
    (chosen,) = [i for i in range(20) if np.allclose(scales, powers[i], rtol=2**-10)]
    assert chosen > 0
    codec, errors = inner_of(INNER), []
    for power in powers:
        s = torch.from_numpy(power).half().float()
        decoded = codec.decode(codec.encode(weight * s, Context())) / s
        errors.append(output_error(weight, decoded, h))
    assert chosen == np.argmin(errors)


def test_scales_of_columns_are_charged():
    weight, h = salient()
    context = Context(second_moment=h)
    rates = [
        measure_codec(weight, codec, context).rate
        for codec in (inner_of(INNER), create("awq", inner=INNER))
    ]
    assert rates[1].payload == rates[0].payload
    assert rates[1].scale == rates[0].scale + 16 / 64
    assert rates[1].total == rates[0].total + 16 / 64


def test_an_inner_codec_that_knows_h_is_told_that_of_the_scaled_inputs():
    weight, h = salient()
    inner = {**INNER, "codec": "gptq"}
    nearest = output_error(weight, coded(create("awq", inner=INNER), weight, h), h)
    assert output_error(weight, coded(create("awq", inner=inner), weight, h), h) < 0.8 * nearest


def test_inputs_that_are_always_zero_are_scaled_within_reason():
    weight, h = layer(8, 64)
    h[3], h[:, 3] = 0, 0
    scales = scales_of(create("awq", inner=INNER, steps=100), weight, h)
    assert (scales > 0).all()
    assert np.isfinite(scales).all()
    assert coded(create("awq", inner=INNER), weight, h).isfinite().all()


def test_it_passes_on_what_the_inner_codec_needs():
    needed = create("awq", inner=INNER).requirements
    assert (needed.columns, needed.second_moment) == (32, True)
    assert needed.parameter == "inner.granularity"
    assert create("awq", inner=INNER).nominal_bits == 3


def test_it_is_refused_without_h():
    codec = create("awq", inner=INNER)
    with pytest.raises(CodecError, match=r"codec awq .* needs the second moment"):
        measure_codec(torch.ones(4, 64), codec, Context())
    with pytest.raises(CodecError, match=r"missing; give it as Context\(second_moment"):
        codec.encode(torch.ones(4, 64), Context())


@pytest.mark.parametrize("bits", [3, 4])
def test_scales_and_weights_are_those_of_gptqmodel(bits):
    processors = pytest.importorskip("gptqmodel.looper.awq_processor")

    weight, _ = layer(48, 256)
    x = inputs(256)
    h = second_moment_of(x)
    # Of float32 weights on the CPU its search would keep a view, not a copy, and scale them on.
    linear = torch.nn.Linear(256, 48, bias=False, dtype=torch.double).requires_grad_(False)
    linear.weight.copy_(weight)
    # Its search alone, without the models and devices that it is usually run for. The activation
    # is the root mean square for both, where theirs takes the mean magnitude from its caller.
    theirs = processors.AWQProcessor.__new__(processors.AWQProcessor)
    theirs.duo_scaling = False
    theirs.max_chunk_memory = 1 << 30
    theirs.qcfg = SimpleNamespace(
        bits=bits, group_size=32, sym=False, scale_search_chunked_activations=False
    )
    theirs._scale_context = SimpleNamespace(prev_scale=None)
    theirs._module_forward = lambda inputs, module, _: module(inputs)
    scales, _ = theirs._compute_best_scale(
        x, torch.ones(256), h.diagonal().sqrt(), linear, [linear], linear(x)
    )
    expected = theirs.pseudo_quantize_tensor(weight * scales)[0] / scales

    inner = {**INNER, "bits": bits, "scale_dtype": "float32"}
    codec = create("awq", inner=inner)
    assert np.allclose(scales_of(codec, weight, h), scales, rtol=2**-10)
    ours = coded(codec, weight, h)
    # Scales are stored in half precision here, which moves a few weights across a midpoint.
    assert (ours - expected).abs().gt(0.01 * weight.abs().mean()).double().mean() < 0.02
    assert output_error(weight, ours, h) == pytest.approx(
        output_error(weight, expected, h), rel=0.02
    )
