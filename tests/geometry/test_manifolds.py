"""Sets of inputs, the size of their errors, and integer inference."""

from itertools import product
from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from qatlas.config.geometry import Shapes
from qatlas.errors import AtlasError
from qatlas.geometry.experiments.rounding import round_full
from qatlas.geometry.experiments.transport import region, transport
from qatlas.geometry.fake_quantization import (
    exact_values,
    quantized_weights,
    quantized_weights_and_activations,
    to_integers,
)
from qatlas.geometry.grid import step_of
from qatlas.geometry.manifolds.error_transform import error_transform
from qatlas.geometry.manifolds.magnitudes import linear_fit, magnitudes, worst_errors
from qatlas.geometry.manifolds.shapes import sample, sample_all
from qatlas.geometry.points import grid

SHAPES = Shapes()
WEIGHTS = np.array([[[0.9, 0.2], [0.1, 1.0]], [[0.95, -0.15], [0.2, 0.85]]])
values = st.floats(-50, 50).map(lambda value: round(value, 3))


@pytest.mark.parametrize("points", [4, 48, 64, 128])
def test_every_set_has_its_points_and_the_grid_its_largest_square(points):
    found = dict(sample_all(SHAPES, points, seed=1))
    assert list(found) == list(Shapes.model_fields)
    side = int(np.sqrt(points))
    for name, inputs in found.items():
        assert inputs.shape == ((side * side if name == "grid" else points), 2)


def test_closed_curves_do_not_repeat_their_start_and_open_ones_have_both_ends():
    found = dict(sample_all(SHAPES, 48, seed=1))
    for name in ("circle", "ellipse"):
        gaps = np.linalg.norm(np.diff(found[name], axis=0, append=found[name][:1]), axis=1)
        assert gaps.min() > 0.2 * gaps.max()
        assert found[name][0, 1] == 0
    assert np.linalg.norm(found["circle"], axis=1) == pytest.approx(np.full(48, 20))
    assert ((found["ellipse"] / [25, 10]) ** 2).sum(axis=1) == pytest.approx(np.ones(48))
    assert found["line"][[0, -1]].tolist() == [[-25, -10], [25, 10]]
    radii = np.linalg.norm(found["spiral"], axis=1)
    assert radii == pytest.approx(np.linspace(5, 25, 48))
    assert found["spiral"][-1] == pytest.approx([25, 0])
    turned = np.unwrap(np.arctan2(*found["spiral"].T[::-1]))
    assert turned[-1] - turned[0] == pytest.approx(4 * np.pi)


def test_the_figure_eight_crosses_itself_at_the_origin_exactly():
    found = sample("figure_eight", SHAPES, 48, 1)
    assert (found[[0, 24]] == 0).all()
    x, y = found.T
    assert x**4 == pytest.approx(15**2 * (x**2 - y**2))


def test_blobs_are_halves_around_their_centres_and_depend_on_the_seed_alone():
    found = sample("two_blobs", SHAPES, 20_000, 1)
    for half, centre in zip(np.split(found, 2), SHAPES.two_blobs.centres, strict=True):
        assert half.mean(axis=0) == pytest.approx(centre, abs=0.2)
        assert half.std(axis=0) == pytest.approx([5, 5], rel=0.03)
    assert (sample("two_blobs", SHAPES, 9, 1) == sample("two_blobs", SHAPES, 9, 1)).all()
    assert (sample("two_blobs", SHAPES, 9, 1) != sample("two_blobs", SHAPES, 9, 2)).any()


def test_a_set_that_is_not_there_is_named_with_the_nearest():
    with pytest.raises(AtlasError, match=r"'spirale'; did you mean 'spiral'\?"):
        sample("spirale", SHAPES, 48, 1)


def test_the_worst_error_is_the_farthest_sum_of_corners():
    inputs = np.array([[10.0, 20], [-3, 1], [0, 0]])
    layers = round_full(WEIGHTS, inputs, step_of(8))
    found = worst_errors(layers, transport(layers.weights))
    for x, expected in zip(inputs, found, strict=True):
        alone = round_full(WEIGHTS, x, step_of(8))
        g = region(alone, transport(alone.weights)).generators
        signs = np.array(list(product((-1, 1), repeat=g.shape[1])))
        assert np.linalg.norm(signs @ g.T, axis=1).max() == pytest.approx(expected)


def test_statistics_are_numpys_and_scipys():
    random = np.random.default_rng(0)
    inputs, errors = random.normal(size=(30, 2)), random.uniform(1, 2, 30)
    l1 = np.abs(inputs).sum(axis=1)
    found = magnitudes(errors, inputs)
    assert (found.minimum, found.maximum) == (errors.min(), errors.max())
    assert (found.mean, found.deviation) == pytest.approx((errors.mean(), errors.std()))
    assert found.variation_ratio == errors.max() / errors.min()
    assert found.correlation_l1 == pytest.approx(stats.pearsonr(errors, l1).statistic)
    fit, expected = linear_fit(l1, errors), stats.linregress(l1, errors)
    assert (fit.slope, fit.intercept) == pytest.approx((expected.slope, expected.intercept))
    assert fit.r_squared == pytest.approx(expected.rvalue**2)


def test_a_smallest_error_of_zero_makes_an_infinite_ratio_and_constants_no_correlation():
    inputs = np.array([[0.0, 0], [1, 0], [0, 2]])
    assert magnitudes(np.array([0.0, 1, 2]), inputs).variation_ratio == inf
    none = magnitudes(np.zeros(3), inputs)
    assert (none.variation_ratio, none.correlation_l1) == (None, None)
    assert linear_fit(np.arange(3.0), np.ones(3)).r_squared is None


def test_the_heat_map_is_a_square_row_by_row():
    found = grid(30, 3)
    assert found[:4].tolist() == [[-30, -30], [0, -30], [30, -30], [-30, 0]]


def test_the_error_transform_maps_inputs_to_errors_and_stretches_as_said():
    layers = round_full(WEIGHTS, [1.0, 2], step_of(6))
    found = error_transform(WEIGHTS, layers.weights)
    x = np.array([3.0, -2])
    exact = exact_values(WEIGHTS, x[None])[-1, 0]
    assert found.matrix @ x == pytest.approx(exact_values(layers.weights, x[None])[-1, 0] - exact)
    assert found.singular_values == pytest.approx(np.linalg.svd(found.matrix)[1])
    assert found.condition_number == pytest.approx(np.linalg.cond(found.matrix))
    for i in range(2):
        assert found.matrix @ found.input_directions[i] == pytest.approx(
            found.singular_values[i] * found.output_directions[i]
        )
    assert np.isinf(error_transform(WEIGHTS, WEIGHTS).condition_number)


@settings(deadline=None)
@given(arrays(float, (5, 2), elements=values), st.integers(2, 12))
def test_integers_keep_to_their_range_and_err_by_half_a_scale(given_values, bits):
    found = to_integers(given_values, bits)
    assert found.codes.min() >= -(2 ** (bits - 1))
    assert found.codes.max() <= 2 ** (bits - 1) - 1
    apart = np.abs(found.codes * found.scale - given_values).max()
    assert apart <= found.scale / 2 * (1 + 1e-9)
    assert np.abs(found.codes).max() == (0 if found.scale == 0 else 2 ** (bits - 1) - 1)


def test_integer_inference_is_that_of_integers_written_out():
    inputs = np.array([[10.0, 20], [-7, 3], [0.5, -2]])
    x = inputs
    found = quantized_weights_and_activations(WEIGHTS, inputs, 4)
    for layer, weight in enumerate(WEIGHTS):
        scale_w, scale_x = np.abs(weight).max() / 7, np.abs(x).max() / 7
        codes_w, codes_x = np.rint(weight / scale_w), np.rint(x / scale_x)
        x = codes_x @ codes_w.T * scale_w * scale_x
        assert found[layer] == pytest.approx(x)
    alone = quantized_weights(WEIGHTS, inputs, 4)
    rounded = [np.rint(w / (np.abs(w).max() / 7)) * (np.abs(w).max() / 7) for w in WEIGHTS]
    assert alone[1] == pytest.approx(inputs @ rounded[0].T @ rounded[1].T)


def test_more_bits_err_less_and_zero_inputs_not_at_all():
    inputs = sample("circle", SHAPES, 128, 1)
    for run in (quantized_weights, quantized_weights_and_activations):
        errors = [
            np.abs(run(WEIGHTS, inputs, bits) - exact_values(WEIGHTS, inputs)).max()
            for bits in (2, 4, 8, 16)
        ]
        assert (np.diff(errors) < 0).all()
        assert (run(WEIGHTS, np.zeros((3, 2)), 4) == 0).all()


@pytest.mark.parametrize("bits", [1, 0, 25])
def test_too_few_and_too_many_bits_are_refused(bits):
    with pytest.raises(AtlasError, match=f"bits: found {bits}; allowed are 2 to 24"):
        to_integers(np.ones(2), bits)
