"""Zonotopes against the hulls of all their sign vectors."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial import ConvexHull

from qatlas.errors import AtlasError
from qatlas.geometry.sets import volume as volumes
from qatlas.geometry.sets.axes import axes_of_covariance, axes_of_points
from qatlas.geometry.sets.membership import gauge
from qatlas.geometry.sets.polygon import largest_norms, outlines, polygon
from qatlas.geometry.sets.polyhedron import face_normals, polyhedron
from qatlas.geometry.sets.shared_directions import areas_along, largest_norms_along
from qatlas.geometry.sets.volume import areas, mixed_area, volume, volume_lower_bound
from qatlas.geometry.sets.zonotope import (
    Zonotope,
    box,
    covariance,
    interval_hull,
    linear_map,
    merged,
    minkowski_sum,
    pull_back,
    support,
)

small = st.floats(-4, 4).map(lambda x: round(x, 2))


def sets(dimension, most=5):
    return st.integers(0, most).flatmap(
        lambda p: st.builds(
            Zonotope,
            arrays(float, dimension, elements=small),
            arrays(float, (dimension, p), elements=small),
        )
    )


def random_set(dimension, p, seed=0):
    random = np.random.default_rng(seed)
    return Zonotope(random.normal(size=dimension), random.normal(size=(dimension, p)))


def corners(of):
    """The points of all sign vectors: the hull of these is the set."""
    signs = np.array(list(product((-1.0, 1.0), repeat=of.generators.shape[1])))
    return of.centre + signs.reshape(len(signs), -1) @ of.generators.T


def sorted_rows(points):
    return np.array(sorted(map(tuple, np.round(points, 9) + 0.0)))


@pytest.mark.parametrize("dimension", [2, 3, 4, 5])
@pytest.mark.parametrize("more", [0, 1, 4])
def test_the_volume_is_that_of_the_hull_of_all_sign_vectors(dimension, more):
    for seed in range(3):
        made = random_set(dimension, dimension + more, seed)
        assert volume(made) == pytest.approx(ConvexHull(corners(made)).volume, rel=1e-10)


@pytest.mark.parametrize("dimension", [2, 3, 4, 5])
def test_support_and_hull_are_those_of_all_sign_vectors(dimension):
    made = random_set(dimension, 7)
    points = corners(made)
    directions = np.random.default_rng(1).normal(size=(20, dimension))
    assert support(made, directions) == pytest.approx((directions @ points.T).max(axis=1))
    low, high = interval_hull(made)
    assert low == pytest.approx(points.min(axis=0))
    assert high == pytest.approx(points.max(axis=0))


@pytest.mark.parametrize("p", [2, 3, 6, 9])
def test_a_polygon_has_the_vertices_of_the_hull_in_order(p):
    made = random_set(2, p, p)
    points = corners(made)
    hull = ConvexHull(points)
    found = made.centre + polygon(made.generators)
    assert sorted_rows(found) == pytest.approx(sorted_rows(points[hull.vertices]))
    expected = points[hull.vertices]
    start = np.linalg.norm(expected - found[0], axis=1).argmin()
    assert found == pytest.approx(np.roll(expected, -start, axis=0))
    assert areas(made.generators) == pytest.approx(hull.volume, rel=1e-10)


@pytest.mark.parametrize("p", [3, 4, 6, 8])
def test_a_polyhedron_has_the_vertices_and_faces_of_the_hull(p):
    made = random_set(3, p, p)
    points = corners(made)
    hull = ConvexHull(points)
    found = polyhedron(made)
    assert sorted_rows(found.vertices) == pytest.approx(sorted_rows(points[hull.vertices]))
    planes = {tuple(np.round(plane, 7) + 0.0) for plane in hull.equations}
    assert len(found.faces) == len(planes) == p * (p - 1)
    for face in found.faces:
        around = found.vertices[face]
        normal = np.cross(around[1] - around[0], around[2] - around[1])
        assert np.abs((around - around[0]) @ normal).max() < 1e-9
    edges = sum(len(face) for face in found.faces) / 2
    assert len(found.vertices) - edges + len(found.faces) == 2


def test_generators_of_one_plane_make_one_face():
    in_plane = np.array([[1.0, 0, 1, 1], [0, 1, 1, -1], [0, 0, 0, 0]])
    prism = polyhedron(Zonotope(np.zeros(3), np.column_stack([in_plane, [0, 0, 2.0]])))
    assert sorted(len(face) for face in prism.faces) == [4] * 8 + [8, 8]
    assert len(prism.vertices) == 16


@pytest.mark.parametrize(
    ("generators", "vertices", "faces"),
    [
        (np.zeros((3, 0)), 1, 0),
        (np.zeros((3, 2)), 1, 0),
        (np.array([[1.0, -2], [1, -2], [0, 0]]), 2, 0),
        (np.array([[1.0, 0, 1], [0, 1, 1], [0, 0, 0]]), 6, 1),
    ],
)
def test_points_segments_and_flat_sets_in_space_have_their_vertices(generators, vertices, faces):
    made = Zonotope(np.array([1.0, 2, 3]), generators)
    found = polyhedron(made)
    assert (len(found.vertices), len(found.faces)) == (vertices, faces)
    assert found.vertices.mean(axis=0) == pytest.approx([1, 2, 3])
    assert volume(made) == 0
    assert volume_lower_bound(made) == 0
    assert gauge(made, found.vertices) == pytest.approx(np.ones(vertices) if vertices > 1 else [0])
    assert np.isinf(gauge(made, made.centre + np.array([0, 0, 1.0])))


def test_points_and_segments_in_the_plane_have_their_vertices():
    assert polygon(np.zeros((2, 3))).tolist() == [[0, 0]]
    assert polygon(np.zeros((2, 0))).tolist() == [[0, 0]]
    segment = polygon(np.array([[1.0, -2, 0], [2, -4, 0]]))
    assert sorted_rows(segment) == pytest.approx(np.array([[-3.0, -6], [3, 6]]))
    assert areas(np.array([[1.0, -2], [2, -4]])) == pytest.approx(0, abs=1e-12)
    assert largest_norms(np.zeros((2, 0))) == 0
    flat = Zonotope(np.zeros(2), np.array([[1.0], [2]]))
    assert gauge(flat, np.array([[0.5, 1], [2, 4], [1, 0]])) == pytest.approx([0.5, 2, np.inf])


@settings(deadline=None)
@given(sets(2), sets(2))
def test_the_mixed_area_is_what_the_sum_has_more(one, other):
    total = volume(minkowski_sum(one, other))
    parts = volume(one) + 2 * mixed_area(one, other) + volume(other)
    assert total == pytest.approx(parts, rel=1e-10, abs=1e-9)
    assert mixed_area(one, one) == pytest.approx(volume(one), rel=1e-10, abs=1e-9)


@settings(deadline=None)
@given(sets(3), arrays(float, (3, 3), elements=small))
def test_a_linear_map_scales_the_volume_by_its_determinant(made, matrix):
    mapped = linear_map(matrix, made)
    expected = abs(np.linalg.det(matrix)) * volume(made)
    assert volume(mapped) == pytest.approx(expected, rel=1e-8, abs=1e-7)
    directions = np.eye(3)
    assert support(mapped, directions) == pytest.approx(support(made, directions @ matrix))


@settings(deadline=None)
@given(sets(3, most=6))
def test_merging_parallel_generators_changes_nothing_but_their_number(made):
    fewer = Zonotope(made.centre, merged(made.generators))
    directions = np.random.default_rng(0).normal(size=(10, 3))
    assert support(fewer, directions) == pytest.approx(support(made, directions))
    assert volume(fewer) == pytest.approx(volume(made), rel=1e-9, abs=1e-9)
    assert fewer.generators.shape[1] <= made.generators.shape[1]


@settings(deadline=None)
@given(sets(2, most=6))
def test_outlines_hold_the_vertices(made):
    norms = np.linalg.norm(polygon(made.generators), axis=1)
    assert largest_norms(made.generators) == pytest.approx(norms.max())
    found = outlines(made.generators)
    assert len(found) == 2 * made.generators.shape[1]
    if made.generators.shape[1]:
        assert np.linalg.norm(found, axis=1).max() == pytest.approx(norms.max())


@settings(deadline=None)
@given(sets(4, most=7))
def test_the_lower_bound_is_below_the_volume(made):
    assert volume_lower_bound(made) <= volume(made) * (1 + 1e-9) + 1e-9


def test_the_lower_bound_of_a_box_is_its_volume():
    assert volume_lower_bound(box([1.0, 2, 3])) == pytest.approx(volume(box([1.0, 2, 3])))
    assert volume(box([1.0, 2, 3])) == pytest.approx(48)


@settings(deadline=None)
@given(sets(3))
def test_pulling_back_undoes_a_map(made):
    matrix = np.array([[2.0, 1, 0], [0, 1, -1], [1, 0, 1]])
    back = pull_back(matrix, linear_map(matrix, made))
    assert back.centre == pytest.approx(made.centre, abs=1e-9)
    assert back.generators == pytest.approx(made.generators, abs=1e-9)


def test_batches_give_what_single_sets_give():
    batch = np.random.default_rng(3).normal(size=(4, 5, 2, 6))
    for found, one in ((areas(batch), areas), (largest_norms(batch), largest_norms)):
        assert found.shape == (4, 5)
        assert found[2, 3] == one(batch[2, 3])
    assert outlines(batch)[1, 2].tolist() == outlines(batch[1, 2]).tolist()


def test_sets_of_shared_directions_have_the_sizes_of_their_generators():
    random = np.random.default_rng(4)
    directions, lengths = random.normal(size=(2, 7)), random.uniform(0, 3, (5, 4, 7))
    written = directions * lengths[..., None, :]
    assert areas_along(directions, lengths) == pytest.approx(areas(written), rel=1e-12)
    assert largest_norms_along(directions, lengths) == pytest.approx(largest_norms(written))
    assert (largest_norms_along(directions, 0 * lengths) == 0).all()


def test_the_covariance_is_that_of_uniform_coefficients():
    made = random_set(3, 6)
    uniform = np.random.default_rng(0).uniform(-1, 1, (200_000, 6))
    sampled = np.cov((uniform @ made.generators.T).T)
    assert covariance(made) == pytest.approx(sampled, rel=0.05, abs=0.05)


def test_principal_axes_are_those_of_numpy_and_point_one_way():
    made = random_set(3, 6)
    axes = axes_of_covariance(covariance(made))
    rebuilt = axes.directions.T @ np.diag(axes.deviations**2) @ axes.directions
    assert rebuilt == pytest.approx(covariance(made))
    assert (np.diff(axes.deviations) <= 0).all()
    points = polyhedron(made).vertices
    of_points = axes_of_points(points)
    assert of_points.deviations**2 == pytest.approx(
        np.linalg.eigvalsh(np.cov(points.T, bias=True))[::-1]
    )
    turned = axes_of_points(points[::-1] * 1.0)
    assert turned.directions == pytest.approx(of_points.directions)


def test_the_gauge_is_one_on_the_faces_and_grows_with_distance():
    for dimension in (2, 3):
        made = random_set(dimension, 6)
        points = corners(made)
        found = gauge(made, points)
        assert found.max() == pytest.approx(1)
        assert gauge(made, made.centre + 3 * (points - made.centre)) == pytest.approx(3 * found)
        normals = face_normals(made.generators)
        assert np.linalg.norm(normals, axis=1) == pytest.approx(np.ones(len(normals)))


def test_a_volume_of_too_many_determinants_is_refused_with_the_lower_bound_named(monkeypatch):
    monkeypatch.setattr(volumes, "MOST_DETERMINANTS", 100)
    made = random_set(3, 12)
    with pytest.raises(AtlasError, match=r"220 determinants.*allowed are 100.*lower_bound"):
        volume(made)
    assert volume_lower_bound(made) > 0
    assert volume(random_set(2, 400)) > 0


def test_a_singular_matrix_is_refused_by_the_pull_back():
    with pytest.raises(AtlasError, match=r"singular \(rank 1 of 2\)"):
        pull_back([[1, 2], [2, 4]], box([1.0, 1]))
    with pytest.raises(AtlasError, match=r"shape \(2, 3\)"):
        pull_back(np.ones((2, 3)), box([1.0, 1]))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Zonotope(np.zeros(2), np.zeros((3, 1))), r"shape \(2,\).*\(3, 1\)"),
        (lambda: Zonotope(np.zeros(2), np.full((2, 1), np.nan)), "not finite"),
        (lambda: linear_map(np.eye(3), box([1.0, 1])), "2 columns"),
        (lambda: minkowski_sum(), "at least one"),
        (lambda: minkowski_sum(box([1.0]), box([1.0, 1])), r"\[1, 2\]"),
        (lambda: mixed_area(box([1.0]), box([1.0, 1])), "both must be 2"),
        (lambda: polyhedron(box([1.0, 1])), "must be 3"),
        (lambda: gauge(random_set(4, 5), np.zeros(4)), "known for 2 and 3"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(make, said):
    with pytest.raises(AtlasError, match=said):
        make()
