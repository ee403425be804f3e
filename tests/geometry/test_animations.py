"""What animations show, computed without Manim."""

import ast
from pathlib import Path

import numpy as np
import pytest

import qatlas.geometry.animations as animations
from qatlas.config.geometry_animations import Animations
from qatlas.config.geometry_correction import Correction
from qatlas.errors import AtlasError
from qatlas.geometry.animations import SCENES, ready
from qatlas.geometry.animations.facts import (
    affine_pieces,
    alignment,
    cascade_curves,
    cascade_rms,
    decomposition,
    distortion,
    float_curves,
    partition_shift,
    rounded_inputs,
    thinned,
    transport,
)
from qatlas.geometry.animations.story import lattice_lines, mapped, story_of
from qatlas.geometry.correction.measure import measure
from qatlas.geometry.correction.network import run
from qatlas.geometry.points import grid, in_square

SEED = 5
SMALL = Correction(grid_side=25, circle_points=64, area_samples=1000)
STORY = story_of(SMALL, Animations(lines=5, samples=9), SEED)
QUANTIZATIONS = ("weights", "weights_and_activations")
FOLDER = Path(animations.__file__).parent


@pytest.fixture(scope="module")
def tables():
    """Rows that the figures of the same network are drawn from."""
    return measure(SMALL, SEED)


def rows(table, **wanted):
    return [row for row in table if wanted.items() <= row.items()]


def row(table, **wanted):
    (found,) = rows(table, **wanted)
    return found


def test_each_piece_is_the_network_within_its_cell():
    points = in_square(SMALL.extent, 500, np.random.default_rng(0))
    exact = run(STORY.toy.network, points)
    pieces = affine_pieces(STORY.toy.network, SMALL.extent)
    assert sum(piece.cell.area for piece in pieces) == pytest.approx(4 * SMALL.extent**2)
    met = 0
    for piece in pieces:
        inside = (exact.pattern == piece.cell.before).all(axis=1)
        met += inside.sum()
        expected = points[inside] @ piece.matrix.T + piece.offset
        np.testing.assert_allclose(exact.output[inside], expected, atol=1e-12)
    assert met == len(points)


def test_the_partition_has_not_moved_at_first_and_has_moved_as_the_figures_say_at_last(tables):
    assert partition_shift(STORY, 0.0).changed_share == 0
    found = row(tables["toy_areas"], quantization="weights")
    share = partition_shift(STORY, 1.0).changed_share
    assert share == pytest.approx(found["changed_area"] / found["area"], rel=1e-12)
    assert 0 < partition_shift(STORY, 0.5).changed_share < share


@pytest.mark.parametrize("quantization", QUANTIZATIONS)
def test_energies_and_errors_are_those_of_the_figures(tables, quantization):
    for inputs in ("grid", "circle"):
        found = row(tables["toy_energies"], quantization=quantization, inputs=inputs)
        energy = decomposition(STORY, quantization, inputs).energy
        assert energy.topological_share == found["topological_share"]
        assert energy.topological_points == found["topological_points"]
    points = rows(tables["toy_points"], quantization=quantization, inputs="grid")
    squares = [
        (p["quantized_x"] - p["float_x"]) ** 2 + (p["quantized_y"] - p["float_y"]) ** 2
        for p in points
    ]
    assert distortion(STORY, quantization).rms == pytest.approx(np.sqrt(np.mean(squares)))


@pytest.mark.parametrize("quantization", QUANTIZATIONS)
def test_what_remains_is_what_the_figures_say(tables, quantization):
    found = transport(STORY, quantization)
    for residual in rows(tables["toy_residuals"], quantization=quantization, inputs="grid"):
        shown = found.left[residual["correction"], residual["error_class"]]
        assert (shown.rms, shown.recovered) == (residual["rms"], residual["recovered"])
    lengths = np.hypot(*found.after.T)
    assert np.sqrt((lengths**2).mean()) == pytest.approx(found.left["full", "all"].rms)


def test_the_drawn_map_is_the_one_whose_residual_is_told():
    story = story_of(SMALL, Animations(lines=25, samples=25), SEED)
    found = transport(story, "weights")
    # Upright lines through every point of the grid, in the order of its columns.
    exact = np.concatenate(float_curves(story, 1)[:25])
    left = np.concatenate(found.aligned[:25]) - exact
    inputs = np.concatenate(story.curves[:25])
    places = [np.abs(inputs - point).sum(axis=1).argmin() for point in found.points]
    np.testing.assert_allclose(left[places], found.after, atol=1e-12)


def test_activations_are_aligned_as_in_the_figures(tables):
    wanted = {"quantization": "weights", "inputs": "grid", "layer": 1}
    found, shown = row(tables["toy_alignments"], **wanted), alignment(STORY)
    assert (shown.raw_rms, shown.aligned_rms) == (found["raw_rms"], found["aligned_rms"])
    assert [len(curve) for curve in shown.aligned] == [len(curve) for curve in STORY.curves]


@pytest.mark.parametrize(
    ("corrections", "correction", "corrected"),
    [
        (("none", "none"), "exact", "none"),
        (("exact", "none"), "exact", "first"),
        (("none", "first_order"), "first_order", "last"),
        (("none", "linearised"), "linearised", "last"),
        (("exact", "exact"), "exact", "all"),
    ],
)
def test_the_cascade_leaves_what_the_figures_say(tables, corrections, correction, corrected):
    wanted = {"quantization": "weights", "correction": correction, "corrected": corrected}
    found = row(tables["toy_cascades"], **wanted, layer=2)
    assert cascade_rms(STORY, corrections) == found["after_rms"]


def test_curves_end_where_they_belong_once_every_layer_is_corrected():
    for layer in (0, 1):
        pairs = zip(
            cascade_curves(STORY, layer, ("exact", "exact")),
            float_curves(STORY, layer),
            strict=True,
        )
        for corrected, exact in pairs:
            np.testing.assert_allclose(corrected, exact, atol=1e-12)
    uncorrected = cascade_curves(STORY, 1, ("none", "none"))
    for drawn, quantized in zip(uncorrected, distortion(STORY, "weights").quantized, strict=True):
        np.testing.assert_allclose(drawn, quantized, atol=1e-12)


def test_weights_move_from_the_float_to_the_rounded_ones():
    for share, goal in ((0.0, STORY.toy.network), (1.0, STORY.toy.quantized)):
        for weight, expected in zip(
            STORY.quantized_share(share).weights, goal.weights, strict=True
        ):
            np.testing.assert_allclose(weight, expected, atol=1e-15)


def test_rounded_inputs_lie_on_the_grid_of_activations():
    scale = STORY.toy.grids["weights_and_activations"][0].scale
    codes = rounded_inputs(STORY, grid(SMALL.extent, 9)) / scale
    np.testing.assert_allclose(codes, np.rint(codes), atol=1e-12)


def test_lines_span_the_square_and_a_map_keeps_them_apart():
    lines = lattice_lines(2.0, 3, 4)
    assert len(lines) == 6
    assert all(np.ptp(line[:, 0]) == 0 for line in lines[:3])
    assert all(np.ptp(line[:, 1]) == 0 for line in lines[3:])
    doubled = mapped(tuple(lines), lambda points: 2 * points)
    for line, twice in zip(lines, doubled, strict=True):
        np.testing.assert_array_equal(twice, 2 * line)
    around = STORY.curves[-1]
    np.testing.assert_array_equal(around[0], around[-1])
    np.testing.assert_allclose(np.hypot(*around.T), SMALL.radius)


def test_a_thinned_lattice_has_so_many_points_a_side_and_chosen_ones_twice_as_close():
    points, chosen = grid(1.0, 5), np.zeros(25, bool)
    assert thinned(points, chosen, most=5).all()
    assert thinned(points, chosen, most=3).sum() == 9
    chosen[[1, 6]] = True
    assert thinned(points, chosen, most=3).sum() == 11
    assert thinned(points, chosen, most=2).sum() == 6
    assert thinned(grid(1.0, 501), np.ones(501**2, bool)).sum() <= 63**2


def test_a_network_with_three_hidden_units_is_refused():
    settings = Correction(
        weight_1=[[1, 0], [0, 1], [1, 1]], bias_1=[0, 0, 0], weight_2=[[1, 0, 0], [0, 1, 0]]
    )
    with pytest.raises(AtlasError, match=r"geometry.correction.weight_1: found 3 hidden units"):
        story_of(settings, Animations(), SEED)


def test_weights_that_need_no_rounding_are_refused():
    settings = Correction(bits=3, weight_1=[[1, 0.25], [0, 0.5]], weight_2=[[1, 0], [0.75, 1]])
    with pytest.raises(AtlasError, match=r"geometry.correction.bits is 3.* nothing to show"):
        story_of(settings, Animations(), SEED)


def test_missing_packages_are_named_with_the_command_that_installs_them(monkeypatch):
    monkeypatch.setattr(ready, "is_installed", lambda package: package != "typst")
    with pytest.raises(AtlasError, match=r"not installed: typst. .*`make animations`") as raised:
        ready.require_manim()
    assert "libpango1.0-dev" in str(raised.value)
    monkeypatch.setattr(ready, "is_installed", lambda package: True)
    ready.require_manim()


def test_every_scene_has_a_module_that_shows_it_and_no_module_is_left_over():
    modules = {path.stem: path for path in (FOLDER / "scenes").glob("[!_]*.py")}
    assert sorted(SCENES.values()) == sorted(modules)
    for path in modules.values():
        functions = [
            node.name
            for node in ast.parse(path.read_text()).body
            if isinstance(node, ast.FunctionDef)
        ]
        assert "show" in functions, path.name
