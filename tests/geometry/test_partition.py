import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qatlas.errors import AtlasError
from qatlas.geometry.correction.partition import (
    FirstLayer,
    cells,
    changed_area,
    cut,
    polygon_area,
    square,
)
from qatlas.geometry.points import circle, grid, in_square

numbers = st.floats(-2, 2, allow_subnormal=False)
BEFORE = FirstLayer(np.array([[0.8, 0.3], [-0.2, 0.9]]), np.array([0.1, -0.05]))
AFTER = FirstLayer(np.array([[0.75, 0.25], [-0.25, 0.875]]), np.array([0.1, -0.05]))


def test_a_square_is_halved_by_a_line_through_its_centre():
    assert polygon_area(square(3)) == 36
    half = cut(square(3), np.array([1.0, 2.0]), 0.0)
    assert polygon_area(half) == pytest.approx(18)
    assert (half @ [1.0, 2.0] >= -1e-12).all()


@settings(deadline=None, max_examples=40)
@given(numbers, numbers, numbers)
def test_the_two_sides_of_a_line_make_up_the_square(x, y, offset):
    normal = np.array([x, y])
    if np.abs(normal).max() < 1e-3:
        return
    sides = [cut(square(1), sign * normal, sign * offset) for sign in (1, -1)]
    assert sum(polygon_area(side) for side in sides) == pytest.approx(4)


def test_a_line_outside_keeps_all_or_nothing():
    normal = np.array([1.0, 0.0])
    assert np.array_equal(cut(square(1), normal, 5), square(1))
    assert cut(square(1), normal, -5).shape == (0, 2)


def test_a_strip_between_parallel_lines_has_its_area():
    one, other = (FirstLayer(np.array([[1.0, 0.0]]), np.array([b])) for b in (0.0, -0.25))
    assert changed_area(cells(one, other, square(2))) == pytest.approx(0.25 * 4)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 200))
def test_cells_tile_the_square_and_the_changed_area_is_that_of_samples(seed):
    random = np.random.default_rng(seed)
    before = FirstLayer(random.standard_normal((3, 2)), random.standard_normal(3))
    after = FirstLayer(before.normals + 0.3 * random.standard_normal((3, 2)), before.offsets.copy())
    parts = cells(before, after, square(2))
    assert sum(cell.area for cell in parts) == pytest.approx(16)
    samples = in_square(2, 4000, random)
    share = (before.pattern(samples) != after.pattern(samples)).any(axis=1).mean()
    error = np.sqrt(share * (1 - share) / 4000) + 1 / 4000
    assert changed_area(parts) / 16 == pytest.approx(share, abs=6 * error)


def test_patterns_of_a_cell_are_those_of_all_points_in_it():
    for cell in cells(BEFORE, AFTER, square(3)):
        shares = np.random.default_rng(0).dirichlet(np.ones(len(cell.vertices)), 20)
        inside = shares @ cell.vertices
        assert (BEFORE.pattern(inside) == cell.before).all()
        assert (AFTER.pattern(inside) == cell.after).all()


def test_a_layer_that_does_not_move_changes_nothing():
    parts = cells(BEFORE, BEFORE, square(3))
    assert changed_area(parts) == 0
    assert len(parts) == 4


def test_a_unit_without_weights_parts_nothing():
    off = FirstLayer(np.zeros((1, 2)), np.array([-1.0]))
    on = FirstLayer(np.zeros((1, 2)), np.array([1.0]))
    assert changed_area(cells(off, off, square(1))) == 0
    assert changed_area(cells(off, on, square(1))) == 4


def test_what_is_no_layer_of_the_plane_is_refused():
    with pytest.raises(AtlasError, match=r"takes \(units, 2\)"):
        FirstLayer(np.zeros((2, 3)), np.zeros(2))
    with pytest.raises(AtlasError, match="for 2 units"):
        FirstLayer(np.zeros((2, 2)), np.zeros(3))
    with pytest.raises(AtlasError, match="2 and 1 units"):
        cells(BEFORE, FirstLayer(np.ones((1, 2)), np.ones(1)), square(1))
    with pytest.raises(AtlasError, match="extent: found 0"):
        square(0)


def test_points_of_grid_and_circle():
    lattice = grid(3, 5)
    assert lattice.shape == (25, 2)
    assert np.array_equal(lattice[[0, 1, -1]], [[-3, -3], [-1.5, -3], [3, 3]])
    round_about = circle(2.2, 8)
    np.testing.assert_allclose(np.linalg.norm(round_about, axis=1), 2.2)
    np.testing.assert_allclose(round_about.sum(axis=0), 0, atol=1e-12)
