import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qatlas.errors import AtlasError
from qatlas.geometry.correction.network import (
    ActivationGrid,
    ReluNetwork,
    activation_grids,
    run,
    run_rounded,
)

TOY = ReluNetwork.of(([[0.8, 0.3], [-0.2, 0.9]], [[0.7, -0.4], [0.5, 0.6]]), ([0.1, -0.05], [0, 0]))


def test_weights_lie_on_the_grid_of_their_bits_and_biases_stay():
    rounded = TOY.on_grid(4)
    assert np.array_equal(rounded.weights[0], [[0.75, 0.25], [-0.25, 0.875]])
    assert np.array_equal(rounded.weights[1], [[0.75, -0.375], [0.5, 0.625]])
    assert all(np.array_equal(a, b) for a, b in zip(TOY.biases, rounded.biases, strict=True))


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 12))
def test_no_weight_moves_by_more_than_half_a_step(bits):
    step = 2.0 ** -(bits - 1)
    for weight, rounded in zip(TOY.weights, TOY.on_grid(bits).weights, strict=True):
        assert np.abs(weight - rounded).max() <= step / 2
        assert np.array_equal(rounded / step, np.rint(rounded / step))


def test_a_pass_is_that_of_pytorch():
    torch = pytest.importorskip("torch")
    points = np.random.default_rng(0).standard_normal((50, 2))
    layers = []
    for weight, bias in zip(TOY.weights, TOY.biases, strict=True):
        layer = torch.nn.Linear(2, 2, dtype=torch.double)
        layer.weight.data, layer.bias.data = torch.from_numpy(weight), torch.from_numpy(bias)
        layers += [layer, torch.nn.ReLU()]
    expected = torch.nn.Sequential(*layers[:-1])(torch.from_numpy(points)).detach().numpy()
    found = run(TOY, points)
    np.testing.assert_allclose(found.output, expected, atol=1e-14)
    assert np.array_equal(found.pattern, found.inputs[1] > 0)


def test_rounded_activations_have_the_scale_and_the_clipping_of_integer_inference():
    points = np.array([[3.0, -1.0], [-4.0, 2.0]])
    first, _ = activation_grids(TOY, points, 4)
    assert first.scale == 4 / 7
    assert np.array_equal(first.round(np.array([[-9.0, 9.0]])), [[-8 * 4 / 7, 4]])
    found = run_rounded(TOY, points, activation_grids(TOY, points, 16))
    np.testing.assert_allclose(found.output, run(TOY, points).output, atol=1e-3)


@settings(deadline=None, max_examples=40)
@given(st.floats(-50, 50), st.integers(2, 8))
def test_what_is_not_clipped_moves_by_half_a_scale_at_most(value, bits):
    grid = ActivationGrid(0.5, bits)
    inside = np.clip(value, -0.5 * 2 ** (bits - 1), 0.5 * (2 ** (bits - 1) - 1))
    assert abs(grid.round(np.array(inside)) - inside) <= 0.25


@pytest.mark.parametrize(
    ("weights", "biases", "message"),
    [
        ([], [], "found 0 weights"),
        ([[[1, 2]]], [[1, 2]], r"layer 1: .* bias of shape \(2,\)"),
        ([[[1, 2]], [[1, 2]]], [[1], [1]], "layer 2: .* takes 1 inputs"),
        ([[1, 2]], [[1]], "layer 1"),
        ([[[1, np.nan]]], [[1]], "finite"),
    ],
)
def test_a_network_whose_layers_do_not_fit_is_refused(weights, biases, message):
    with pytest.raises(AtlasError, match=message):
        ReluNetwork.of(weights, biases)


def test_bad_points_bits_and_grids_are_refused():
    with pytest.raises(AtlasError, match=r"found shape \(4, 3\); the network takes \(points, 2\)"):
        run(TOY, np.zeros((4, 3)))
    with pytest.raises(AtlasError, match="found 1; allowed are 2 and more"):
        TOY.on_grid(1)
    with pytest.raises(AtlasError, match="layer 1: its inputs are all zero"):
        activation_grids(TOY, np.zeros((4, 2)), 4)
    with pytest.raises(AtlasError, match="2 layers takes as many grids"):
        run_rounded(TOY, np.zeros((4, 2)), [ActivationGrid(1, 4)])
