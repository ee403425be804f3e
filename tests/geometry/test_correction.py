from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from qatlas.config.geometry_correction import Correction
from qatlas.errors import AtlasError
from qatlas.geometry.correction.cascade import (
    cascade,
    exact_correction,
    first_order_correction,
    linearised_correction,
    no_correction,
)
from qatlas.geometry.correction.energy import energy, topological
from qatlas.geometry.correction.ladder import RUNGS, correct, pattern_numbers, residuals
from qatlas.geometry.correction.measure import measure
from qatlas.geometry.correction.network import ReluNetwork, activation_grids, run
from qatlas.geometry.correction.schema import TABLES
from qatlas.geometry.correction.toy import toy_of
from qatlas.geometry.transport import rms
from qatlas.tables import read_table, write_table

SMALL = Correction(grid_side=25, circle_points=64, area_samples=20_000)
TOY = toy_of(SMALL)


def deep(seed):
    """A network of four layers."""
    random = np.random.default_rng(seed)
    widths = (2, 5, 4, 3, 2)
    weights = [random.normal(0, 0.5, (b, a)) for a, b in pairwise(widths)]
    return ReluNetwork.of(weights, [random.normal(0, 0.1, len(w)) for w in weights])


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    folder = tmp_path_factory.mktemp("correction")
    rows = measure(SMALL, seed=1)
    assert rows.keys() == {kind.name for kind in TABLES}
    for kind in TABLES:
        write_table(rows[kind.name], kind, folder / kind.name)
    return {kind.name: read_table(kind, folder / kind.name) for kind in TABLES}


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 100), st.integers(2, 8))
def test_the_exact_correction_leaves_nothing_wherever_it_is_made(seed, bits):
    network = deep(seed)
    points = np.random.default_rng(seed).standard_normal((40, 2))
    for grids in ([], activation_grids(network, points, bits)):
        for plan in ([no_correction] * 3 + [exact_correction], [exact_correction] * 4):
            steps = cascade(network, network.on_grid(bits), points, plan, grids)
            assert rms(steps[-1].after) < 1e-12


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 100))
def test_what_the_first_order_correction_leaves_is_the_product_of_both_errors(seed):
    network, points = deep(seed), np.random.default_rng(seed).standard_normal((40, 2))
    quantized = network.on_grid(4)
    plan = [no_correction] * 3 + [first_order_correction]
    left = cascade(network, quantized, points, plan)[-1].after
    eps = run(quantized, points).inputs[-1] - run(network, points).inputs[-1]
    np.testing.assert_allclose(
        left, eps @ (quantized.weights[-1] - network.weights[-1]).T, atol=1e-13
    )


def test_the_linearised_correction_leaves_an_error_of_second_order():
    network, random = deep(3), np.random.default_rng(3)
    points = random.standard_normal((400, 2))
    direction = [random.standard_normal(w.shape) for w in network.weights]
    left, whole = [], []
    for size in (1e-3, 1e-4):
        moved = tuple(w + size * d for w, d in zip(network.weights, direction, strict=True))
        near = ReluNetwork(moved, network.biases)
        kept = (run(near, points).pattern == run(network, points).pattern).all(axis=1)
        plan = [no_correction] * 3 + [linearised_correction]
        step = cascade(network, near, points[kept], plan)[-1]
        left.append(rms(step.after))
        whole.append(rms(step.before))
    assert left[0] / left[1] == pytest.approx(100, rel=0.2)
    assert whole[0] / whole[1] == pytest.approx(10, rel=0.2)


def test_a_cascade_without_corrections_is_the_quantized_network():
    points = TOY.inputs["grid"]
    steps = cascade(TOY.network, TOY.quantized, points, [no_correction] * 2)
    expected = run(TOY.quantized, points).output - run(TOY.network, points).output
    np.testing.assert_allclose(steps[-1].after, expected)


def test_a_cascade_that_does_not_fit_the_network_is_refused():
    with pytest.raises(AtlasError, match="2 layers takes as many corrections"):
        cascade(TOY.network, TOY.quantized, TOY.inputs["grid"], [no_correction])
    with pytest.raises(AtlasError, match="other shapes"):
        cascade(deep(0), TOY.network, TOY.inputs["grid"], [no_correction] * 4)


def test_energies_of_both_classes_are_all_of_it():
    exact, quantized = run(TOY.network, TOY.inputs["grid"]), run(TOY.quantized, TOY.inputs["grid"])
    errors = quantized.output - exact.output
    found = energy(errors, topological(exact, quantized))
    assert found.total == pytest.approx((errors**2).sum())
    assert 0 < found.topological_share < 1
    assert energy(0 * errors, topological(exact, quantized)).topological_share == 0


def test_a_map_a_pair_of_patterns_is_exact_where_both_units_are_on_or_off_and_nowhere_else():
    exact, quantized = run(TOY.network, TOY.inputs["grid"]), run(TOY.quantized, TOY.inputs["grid"])
    corrected = correct(exact, quantized, np.random.default_rng(0))
    kept = ~corrected.is_topological
    left = np.linalg.norm(corrected.residuals["region_pair"], axis=1)
    both, neither = kept & (corrected.before == 3), kept & (corrected.before == 0)
    one = kept & (corrected.before != 3) & (corrected.before != 0)
    assert both.any()
    assert neither.any()
    assert left[both | neither].max() < 1e-12
    assert rms(left[one][:, None]) > 1e-3


def test_patterns_are_numbered_by_the_units_that_are_on():
    assert pattern_numbers(np.array([[0, 0], [1, 0], [0, 1], [1, 1]], bool)).tolist() == [
        0,
        1,
        2,
        3,
    ]


def test_what_every_rung_leaves_is_told_for_each_class():
    exact, quantized = run(TOY.network, TOY.inputs["grid"]), run(TOY.quantized, TOY.inputs["grid"])
    corrected = correct(exact, quantized, np.random.default_rng(0))
    found = list(residuals(corrected))
    assert Counter(r.rung for r in found) == dict.fromkeys(RUNGS, 3)
    for rung in RUNGS:
        of = {r.points_of: r for r in found if r.rung == rung}
        parts = [of[name].points * of[name].rms ** 2 for name in ("metric", "topological")]
        assert sum(parts) == pytest.approx(of["all"].points * of["all"].rms ** 2)
    assert [r.recovered for r in found[:3]] == [0, 0, 0]


def test_tables_are_filled_and_agree_with_each_other(tables):
    area = tables["toy_areas"].set_index("quantization").loc["weights"]
    cells = tables["toy_cells"].drop_duplicates("cell")
    assert cells.area.sum() == pytest.approx(area.area)
    changed = cells[cells.before != cells.after].area.sum()
    assert changed == pytest.approx(area.changed_area)
    assert abs(changed - area.sampled_changed_area) < 5 * area.standard_error
    points = tables["toy_points"]
    assert len(points) == 2 * (25**2 + 64)
    energies = tables["toy_energies"]
    shares = points.groupby(["inputs", "quantization"]).topological.mean()
    expected = energies.set_index(["inputs", "quantization"]).topological_points
    np.testing.assert_allclose(shares, expected.loc[shares.index])
    cascades = tables["toy_cascades"].query("correction == 'exact' and corrected == 'all'")
    assert cascades.after_rms.max() < 1e-12


def test_the_same_seed_gives_the_same_rows():
    one, other = (str(measure(SMALL, seed=5)) for _ in range(2))
    assert one == other


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"weight_1": [[1, 2, 3]]}, "weight_1: found rows of 3 numbers; with 1 hidden units"),
        ({"weight_2": [[1, 2]]}, "weight_2: found rows of 2 numbers; with 2 hidden units it has 2"),
        ({"bias_1": [1]}, "bias_1: found 1 numbers; there are 2 units"),
        ({"bits": 1}, "greater than or equal to 2"),
        ({"extent": 0}, "greater than 0"),
        ({"bias_2": [float("inf"), 0]}, "finite"),
    ],
)
def test_a_network_that_does_not_fit_is_refused(given, message):
    with pytest.raises(ValidationError, match=message):
        Correction(**given)
