"""What the tables and the summary of the chapter hold."""

from copy import deepcopy

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from qatlas.config.loading import load
from qatlas.errors import AtlasError
from qatlas.geometry.schema import TABLES
from qatlas.geometry.summary import summarize
from qatlas.summary import read_summary, write_summary
from tests.geometry.conftest import GIVEN, SETTINGS, measure

STEP = 1 / 128
EXPERIMENTS = {
    "2d": ("uniform_diagonal", "nonuniform_diagonal", "full"),
    "3d": ("uniform", "nonuniform", "full", "diagonal_twin"),
}


@pytest.fixture(scope="module")
def summary(tables):
    return summarize(tables)


def by_brute_force(weights, x, whole):
    """Corners of all boxes pulled back and summed one by one, the hull taken after each."""
    d = len(x)
    signs = np.array(np.meshgrid(*[[-1, 1]] * d)).reshape(d, -1).T
    product, points = np.eye(d), np.zeros((1, d))
    for weight in np.rint(np.array(weights) / STEP) * STEP:
        half = STEP / 2 * (np.full(d, np.abs(x).sum()) if whole else np.abs(x))
        product, x = weight @ product, weight @ x
        corners = (signs * half) @ np.linalg.inv(product).T
        points = (points[:, None] + corners).reshape(-1, d)
        points = points[ConvexHull(points).vertices]
    return points


def experiments():
    for name, section in (("2d", SETTINGS.plane), ("3d", SETTINGS.space)):
        d = len(section.input)
        for experiment in EXPERIMENTS[name][:3]:
            given = np.array(getattr(section, experiment))
            diagonal = given.ndim < 3
            if given.ndim == 1:
                given = np.outer(given, np.ones(d))
            weights = [np.diag(row) for row in given] if diagonal else given
            yield pytest.param(
                f"{name}.{experiment}", weights, section.input, not diagonal, id=experiment
            )


@pytest.mark.parametrize(("name", "weights", "x", "whole"), list(experiments()))
def test_regions_are_those_of_vertex_lists_summed_with_a_hull_at_each_step(
    summary, name, weights, x, whole
):
    points = by_brute_force(weights, np.array(x), whole)
    found = {key: summary[f"{name}.{key}"].value for key in ("volume", "bounding_box", "worst")}
    assert found["volume"] == pytest.approx(ConvexHull(points).volume, rel=1e-10)
    assert found["bounding_box"] == pytest.approx(np.ptp(points, axis=0))
    assert found["worst"] == pytest.approx(np.linalg.norm(points, axis=1).max())
    relative = np.ptp(points, axis=0) / (2 * np.abs(x))
    assert summary[f"{name}.relative_error"].value == pytest.approx(relative)
    assert summary[f"{name}.sensitivity"].value == pytest.approx(relative / relative.mean())


def test_half_widths_have_a_row_a_layer_and_an_entry_an_axis(summary):
    for dimension, names in EXPERIMENTS.items():
        for name in names:
            found = np.array(summary[f"{dimension}.{name}.half_widths"].value)
            assert found.shape == (4, int(dimension[0]))
    assert summary["2d.full.half_widths"].value[0] == (30 * STEP / 2, 30 * STEP / 2)
    assert summary["2d.uniform_diagonal.half_widths"].value[0] == (10 * STEP / 2, 20 * STEP / 2)
    assert summary["3d.diagonal_twin.half_widths"].value == summary["3d.full.half_widths"].value


def test_every_worst_case_stands_beside_its_rms_and_drawn_weights_bear_both_out(summary):
    for dimension, names in EXPERIMENTS.items():
        for experiment in names:
            name = f"{dimension}.{experiment}"
            drawn = summary[f"{name}.monte_carlo.rms"].value
            assert drawn == pytest.approx(summary[f"{name}.rms"].value, rel=0.1)
            assert summary[f"{name}.worst"].value > 3 * summary[f"{name}.rms"].value
            for claimed in ("region_holds_all_errors", "support_is_reached"):
                assert summary.claims[f"{name}.{claimed}"].holds is True


def test_drawn_weights_err_less_than_the_longest_error_and_more_than_the_rms(tables):
    for name in ("regions", "circle", "manifold_errors", "heat_map"):
        rows = tables[name]
        assert (rows.drawn <= rows.worst * (1 + 1e-12)).all()
        assert (rows.drawn >= rows.rms).all()


def test_shadows_are_those_of_the_hull_projected(tables, summary):
    rows = tables["outlines"]
    here = rows[(rows.dimension == 3) & (rows.experiment == "full") & (rows.part == "sum")]
    points = here[here.layer == 4][["x", "y", "z"]].to_numpy()
    for first, second in ((1, 2), (1, 3), (2, 3)):
        hull = ConvexHull(points[:, [first - 1, second - 1]])
        found = summary[f"3d.full.projections.{first}{second}.area"].value
        assert found == pytest.approx(hull.volume, rel=1e-9)
    assert "2d.full.projections.12.area" not in summary.values


def test_claims_follow_the_numbers(tables):
    regions = tables["regions"].copy()
    regions.loc[regions.experiment == "uniform", ["inside", "support_reached"]] = 0.99, 0.5
    found = summarize(tables | {"regions": regions}).claims
    assert found["3d.uniform.region_holds_all_errors"].holds is False
    assert found["3d.uniform.support_is_reached"].holds is False
    heat = tables["heat_map"].assign(worst=tables["heat_map"].l1 * 2)
    assert (
        summarize(tables | {"heat_map": heat})
        .claims["heat_map.error_is_linear_in_the_l1_norm"]
        .holds
    )


def test_a_smallest_error_of_zero_is_said_to_make_the_ratio_infinite(summary):
    assert summary["manifolds.figure_eight.minimum"].value == 0
    assert summary["manifolds.figure_eight.variation_ratio"].value == "infinite"
    assert summary["manifolds.line.correlation_l1"].value == pytest.approx(1)


def test_the_error_transform_is_the_difference_of_the_products(summary):
    exact = np.linalg.multi_dot(np.array(SETTINGS.plane.full)[::-1])
    rounded = np.rint(np.array(SETTINGS.plane.full) / STEP) * STEP
    expected = np.linalg.svd(np.linalg.multi_dot(rounded[::-1]) - exact)[1]
    assert summary["error_transform.singular_values"].value == pytest.approx(expected)
    assert summary["error_transform.condition_number"].value == pytest.approx(
        expected[0] / expected[1]
    )


def test_a_summary_with_lists_is_read_as_it_was_written(summary, tmp_path):
    write_summary(summary, tmp_path / "summary.json")
    assert read_summary(tmp_path / "summary.json") == summary
    assert summary.written("2d.full.bounding_box", ".1f") == "1.4, 1.4"


def test_a_singular_layer_and_a_zero_channel_are_stated(tmp_path):
    plane = SETTINGS.plane.model_copy(
        update={"input": (0.0, 20.0), "full": (((1.0, 2.0), (0.5, 1.0)), *SETTINGS.plane.full)}
    )
    found = measure(SETTINGS.model_copy(update={"plane": plane}), tmp_path)
    regions = found["regions"].set_index(["dimension", "experiment"])
    assert regions.space[2, "full"] == "output"
    assert regions.space[2, "uniform_diagonal"] == "input"
    layers = found["region_layers"]
    full = layers[(layers.dimension == 2) & (layers.experiment == "full")]
    assert full.singular.all()
    assert np.isinf(full.condition_number.iloc[0]) or full.condition_number.iloc[0] > 1e15
    values = summarize(found).values
    assert values["2d.full.space"].value == "output"
    for name in ("2d.full.worst", "2d.circle.worst.max", "manifolds.line.mean", "heat_map.slope"):
        assert values[name].unit == "output"
    assert values["2d.uniform_diagonal.relative_error"].value[0] is None
    assert values["2d.uniform_diagonal.bounding_box"].value[0] == 0


def test_an_input_of_zeros_has_no_errors_and_no_relative_ones(tmp_path):
    plane = SETTINGS.plane.model_copy(update={"input": (0.0, 0.0)})
    values = summarize(measure(SETTINGS.model_copy(update={"plane": plane}), tmp_path)).values
    assert values["2d.full.volume"].value == 0
    assert values["2d.full.relative_error"].value == (None, None)
    assert values["2d.full.worst_over_rms"].value is None


def test_two_measurements_are_the_same(tables, tmp_path):
    again = measure(SETTINGS, tmp_path)
    for kind in TABLES:
        assert tables[kind.name].equals(again[kind.name])


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        (("bits",), 1, "geometry.bits: Input should be greater than or equal to 2; found 1"),
        (("plane", "input"), [1, 2, 3], "geometry.plane.input: .*at most 2 items"),
        (("plane", "full", 0), [[1, 0]], r"geometry.plane.full.0: .*at least 2 items"),
        (("space", "nonuniform", 0), [1, 2], "geometry.space.nonuniform.0: .*at least 3 items"),
        (("manifolds", "shapes", "spirale"), {}, "there is no such key; did you mean 'spiral'"),
        (("fake_quantization", "bits"), [1], "geometry.fake_quantization.bits.0: .*found 1"),
        (("space", "uniform"), [], "geometry.space.uniform: .*at least 1 item"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused_with_its_key(key, value, said):
    given = deepcopy(GIVEN)
    section = given["geometry"]
    for part in key[:-1]:
        section = section[part]
    section[key[-1]] = value
    with pytest.raises(AtlasError, match=said):
        load(given)
