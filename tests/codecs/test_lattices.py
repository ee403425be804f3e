import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qatlas.codecs.lattices.codebooks import lattice_codebook
from qatlas.codecs.lattices.leech import golay_words
from qatlas.codecs.lattices.nearest_point import COORDINATE_LIMIT, LATTICES
from qatlas.codecs.lattices.point_coding import contexts_of, triangular_basis
from qatlas.codecs.lattices.stages import STAGES, nearest_words, words_of

SECOND_MOMENT = {"z": 1 / 12, "d4": 0.076603, "e8": 0.071682, "leech": 0.065771}
"""Normalized second moments: Conway & Sloane, "Sphere Packings, Lattices and Groups", table 2.3."""

SHORTEST = {"z": (1, 2), "d4": (2, 24), "e8": (8, 240), "leech": (32, 196560)}
"""Squared length of the shortest vectors in integer coordinates, and the kissing number."""

CODEBOOKS = [("d4", 0.5, 8), ("d4", 0.5, 12), ("e8", 0.0, 8), ("e8", 0.5, 16)]

every_lattice = pytest.mark.parametrize("name", LATTICES)


def uniform(name, count, seed=0, width=40.0):
    size = (count, LATTICES[name].dimension)
    return np.random.default_rng(seed).uniform(-width, width, size)


def is_a_point(points, name):
    """Whether integer vectors are in the lattice, by its definition."""
    odd = points % 2
    if name == "z":
        return np.ones(len(points), bool)
    if name == "d4":
        return points.sum(1) % 2 == 0
    same = (odd == odd[:, :1]).all(1)
    if name == "e8":
        return same & (points.sum(1) % 4 == 0)
    words = {word.tobytes() for word in golay_words()}
    halves = ((points - odd[:, :1]) // 2 % 2).astype(np.uint8)
    known = np.array([half.tobytes() in words for half in halves])
    return same & known & (points.sum(1) % 8 == 4 * odd[:, 0])


@every_lattice
def test_compiled_and_plain_find_the_same_points(name):
    vectors = uniform(name, 300)
    points = LATTICES[name].nearest(vectors)
    assert np.array_equal(points, LATTICES[name].plain(vectors))
    assert is_a_point(points, name).all()


@every_lattice
def test_on_ties_compiled_and_plain_are_equally_near(name):
    halves = np.random.default_rng(1).integers(-9, 9, (200, LATTICES[name].dimension)) / 2
    compiled, plain = LATTICES[name].nearest(halves), LATTICES[name].plain(halves)
    distances = [((halves - points) ** 2).sum(1) for points in (compiled, plain)]
    assert np.allclose(*distances, rtol=1e-12, atol=1e-12)
    assert is_a_point(compiled, name).all()


@every_lattice
def test_the_second_moment_is_the_published_one(name):
    lattice = LATTICES[name]
    vectors = uniform(name, 200_000 // lattice.dimension, seed=2, width=64.0)
    error = np.square(vectors - lattice.nearest(vectors)).mean()
    moment = error / lattice.cell ** (2 / lattice.dimension)
    assert moment == pytest.approx(SECOND_MOMENT[name], rel=0.01)


@every_lattice
def test_a_lattice_point_is_its_own_nearest_even_after_a_nudge(name):
    lattice = LATTICES[name]
    points = lattice.nearest(uniform(name, 500, seed=3))
    nudges = np.random.default_rng(4).standard_normal(points.shape)
    packing_radius = math.sqrt(SHORTEST[name][0]) / 2
    nudges *= 0.99 * packing_radius / np.linalg.norm(nudges, axis=1, keepdims=True)
    assert np.array_equal(lattice.nearest(points + nudges), points)


@every_lattice
@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_translation_by_a_lattice_point_moves_the_nearest_point_along(name, data):
    lattice = LATTICES[name]
    seed = data.draw(st.integers(0, 2**32))
    multiple = data.draw(st.integers(-1000, 1000))
    vectors = uniform(name, 4, seed)
    offset = multiple * lattice.generator()[seed % len(lattice.generator())]
    nearest = lattice.nearest(vectors)
    moved = lattice.nearest(vectors + offset) - offset
    distances = [((vectors - points) ** 2).sum(1) for points in (nearest, moved)]
    assert np.allclose(*distances, rtol=1e-9)


@pytest.mark.parametrize("name", ["z", "d4", "e8"])
def test_the_kissing_number(name):
    length, kissing = SHORTEST[name]
    grid = np.indices((5,) * LATTICES[name].dimension).reshape(LATTICES[name].dimension, -1).T - 2
    short = grid[(grid**2).sum(1) == length]
    assert is_a_point(short, name).sum() == kissing
    assert not is_a_point(grid[((grid**2).sum(1) > 0) & ((grid**2).sum(1) < length)], name).any()


def test_the_kissing_number_of_the_leech_lattice():
    """By shape: (-3, 1^23) with signs, (2^8, 0^16) with even minuses, (4^2, 0^22)."""
    octads = (golay_words().sum(1) == 8).sum()
    assert 24 * 4096 + octads * 2**7 + math.comb(24, 2) * 4 == SHORTEST["leech"][1]


def test_the_golay_code_has_its_weight_distribution():
    words = golay_words()
    assert len(np.unique(words, axis=0)) == 4096
    assert dict(zip(*np.unique(words.sum(1), return_counts=True), strict=True)) == {
        0: 1,
        8: 759,
        12: 2576,
        16: 759,
        24: 1,
    }
    sums = words[:64, None] ^ words[None]
    assert set(np.unique(sums.sum(2))) <= {0, 8, 12, 16, 24}


@every_lattice
@pytest.mark.parametrize("wrong", [math.nan, math.inf, 2 * COORDINATE_LIMIT])
def test_coordinates_beyond_exact_arithmetic_are_refused(name, wrong):
    vectors = uniform(name, 3)
    vectors[1, -1] = wrong
    with pytest.raises(ValueError, match="a coordinate is beyond"):
        LATTICES[name].nearest(vectors)


@every_lattice
def test_another_dimension_is_refused(name):
    with pytest.raises(ValueError, match="vectors of shape"):
        LATTICES[name].nearest(np.zeros((3, LATTICES[name].dimension + 1)))


@every_lattice
def test_the_triangular_basis_spans_the_lattice(name):
    lattice = LATTICES[name]
    basis = triangular_basis(lattice.generator())
    assert np.array_equal(basis, np.triu(basis))
    assert math.prod(np.diag(basis).tolist()) == lattice.cell
    assert is_a_point(basis, name).all()


@every_lattice
@pytest.mark.parametrize("count", [1, 50])
def test_points_are_recovered_from_their_symbols(name, count):
    points = LATTICES[name].nearest(uniform(name, count, seed=5, width=2.0**36))
    contexts = contexts_of(name)
    streams = contexts.streams(points)
    assert len(streams) == contexts.count
    assert sum(stream.size for stream in streams) == points.size
    assert np.array_equal(contexts.points(streams, count), points)


@pytest.mark.parametrize("parameters", CODEBOOKS)
def test_a_codebook_has_the_shortest_points_of_its_lattice(parameters):
    codebook = lattice_codebook(*parameters)
    size = 1 << codebook.index_bits
    words = codebook.words(np.arange(len(codebook.points)))
    assert 0.97 * size <= len(np.unique(words, axis=0)) == len(words) <= size
    assert is_a_point(codebook.points, codebook.lattice).all()
    # Beyond the radius of a ball of their volume there are only those that fill up the size.
    dimension = codebook.dimension
    unit = math.pi ** (dimension / 2) / math.gamma(dimension / 2 + 1)
    volume = size * LATTICES[codebook.lattice].cell
    radius = (volume / unit) ** (1 / dimension)
    far = np.linalg.norm(words, axis=1) > 1.05 * radius + 0.2
    assert far.mean() < 0.1


@pytest.mark.parametrize("parameters", CODEBOOKS)
@pytest.mark.parametrize("spread", [0.7, 1.5, 1e6])
def test_the_nearest_codeword_is_that_of_an_exhaustive_search(parameters, spread):
    codebook = lattice_codebook(*parameters)
    words = codebook.words(np.arange(len(codebook.points)))
    vectors = np.random.default_rng(6).standard_normal((60, codebook.dimension))
    vectors *= spread * math.sqrt(np.square(words).mean())
    found = words[codebook.nearest(vectors)]
    least = [np.square(vector - words).sum(1).min() for vector in vectors]
    assert np.allclose(np.square(vectors - found).sum(1), least, rtol=1e-12)


@pytest.mark.parametrize(("lattice", "bits"), STAGES)
def test_words_of_indices_are_the_words_found(lattice, bits):
    stages = STAGES[lattice, bits]
    assert sum(stage.index_bits for stage in stages) == bits * stages[0].codebook.dimension
    vectors = np.random.default_rng(7).standard_normal((100, LATTICES[lattice].dimension))
    indices, words = nearest_words(stages, 2 * vectors)
    unmoved = np.ones(stages[0].codebook.shells.max() + 1, np.float16)
    assert np.array_equal(words_of(stages, indices, unmoved), words)
    shells = stages[0].codebook.shells[indices[0]]
    unmoved[shells.max()] = 1.5
    moved = words_of(stages, indices, unmoved) - words
    assert np.array_equal(moved.any(1), shells == shells.max())
