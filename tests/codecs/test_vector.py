import faiss
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from qatlas.bounds.gaussian import rate_bits
from qatlas.codecs import CodecError, Context, create
from qatlas.codecs.measure import measure_codec
from qatlas.codecs.vectors.indices import pack_indices, unpack_indices
from qatlas.codecs.vectors.kmeans import kmeans_codebook, nearest_word
from qatlas.codecs.vectors.sharing import groups, layout, vectors_of, weights_of

POINTS = [
    {"dimension": 2, "index_bits": 4},
    {"dimension": 2, "index_bits": 8},
    {"dimension": 4, "index_bits": 9},
    {"dimension": 8, "index_bits": 8},
    {"dimension": 4, "index_bits": 6, "sharing": "subspace", "codebooks": 5},
    {"dimension": 4, "index_bits": 6, "sharing": "dealt", "codebooks": 3},
    {"dimension": 4, "index_bits": 6, "stages": 2},
    {"dimension": 2, "index_bits": 5, "sharing": "subspace", "codebooks": 2, "stages": 2},
]
every_point = pytest.mark.parametrize("point", POINTS, ids=lambda p: "-".join(map(str, p.values())))
SHARINGS = ("tensor", "subspace", "dealt")


def normal(*shape, seed=0):
    weights = np.random.default_rng(seed).standard_normal(shape)
    return torch.from_numpy(weights.astype(np.float32))


def heavy_tailed(*shape):
    weights = np.random.default_rng(0).standard_t(5, shape)
    return torch.from_numpy(weights.astype(np.float32))


def context():
    return Context(np.random.default_rng(7))


def measure(weight, **parameters):
    return measure_codec(weight, create("vector", **parameters), context())


def round_trip(weight, **parameters):
    codec = create("vector", **parameters)
    return codec.decode(codec.encode(weight, context()))


def mean_square(difference):
    return float(np.mean(np.square(difference, dtype=np.float64)))


@pytest.mark.parametrize(("dimension", "bits"), [(2, 6), (4, 8), (8, 8)])
@pytest.mark.parametrize("weights", [normal(512, 1024), heavy_tailed(512, 1024)], ids=["n", "t5"])
def test_the_error_is_that_of_faiss_itself_or_less(dimension, bits, weights):
    vectors = weights.numpy().reshape(-1, dimension)
    trained = faiss.Kmeans(dimension, 1 << bits)
    trained.train(vectors)
    distances, _ = trained.index.search(vectors, 1)
    measured = measure(weights, dimension=dimension, index_bits=bits)
    assert measured.distortion.mse < 1.01 * distances.mean(dtype=np.float64) / dimension


@pytest.mark.parametrize("index_bits", [4, 8])
def test_vectors_of_four_lose_less_than_the_best_levels_of_the_same_payload(index_bits):
    weights = normal(512, 512)
    levels = measure_codec(weights, create("lloyd_max", bits=index_bits // 4), context())
    measured = measure(weights, dimension=4, index_bits=index_bits)
    assert measured.rate.payload == levels.rate.payload
    assert measured.distortion.mse < 0.97 * levels.distortion.mse


def test_longer_vectors_lose_less_at_the_same_payload():
    errors = [
        measure(normal(512, 512), dimension=dimension, index_bits=dimension).distortion.mse
        for dimension in (2, 4, 8)
    ]
    assert errors[0] > 1.02 * errors[1] > 1.02**2 * errors[2]


@every_point
@pytest.mark.parametrize("shape", [(64, 200), (512, 512)])
def test_no_point_is_below_shannons_bound(point, shape):
    measured = measure(normal(*shape, seed=1), **point)
    assert measured.rate.total > rate_bits(measured.distortion.mse)


@every_point
def test_indices_and_all_codebooks_are_charged(point):
    weights = normal(128, 240)
    codec = create("vector", **point)
    rate = measure(weights, **point).rate
    words = (1 << codec.index_bits) * codec.codebooks * codec.stages
    assert rate.payload == codec.nominal_bits
    assert rate.codebook == words * codec.dimension * 16 / weights.numel()
    assert rate.total == rate.payload + rate.codebook


def test_the_codebook_costs_as_much_as_its_dtype_is_wide():
    narrow, wide = (
        measure(normal(64, 64), dimension=4, index_bits=6, codebook_dtype=dtype).rate.codebook
        for dtype in ("bfloat16", "float32")
    )
    assert wide == 2 * narrow == 64 * 4 * 32 / 64**2


def test_what_fills_up_the_last_vector_is_charged():
    weights = normal(30, 33)
    by_row = measure(weights, dimension=4, index_bits=4, sharing="subspace", codebooks=2)
    run_on = measure(weights, dimension=4, index_bits=4)
    assert by_row.rate.payload == 30 * 9 * 4 / 990
    assert run_on.rate.payload == 248 * 4 / 990


@every_point
def test_the_error_is_that_of_all_weights_and_not_of_the_sample(point):
    weights = heavy_tailed(256, 400)
    parameters = point | {"train_vectors_per_word": 8}
    measured = measure(weights, **parameters)
    restored = round_trip(weights, **parameters)
    assert measured.distortion.mse == pytest.approx(
        mean_square((weights - restored).numpy()), rel=1e-9
    )
    # Words fitted to eight vectors each serve others less well.
    assert measured.train_mse < 0.97 * measured.distortion.mse


@every_point
def test_trained_on_all_vectors_the_two_errors_are_one(point):
    measured = measure(heavy_tailed(64, 160), **point, train_vectors_per_word=1 << 14)
    assert measured.train_mse == pytest.approx(measured.distortion.mse, rel=1e-6)


def test_a_larger_sample_serves_all_weights_better():
    errors = [
        measure(
            normal(512, 512), dimension=4, index_bits=8, train_vectors_per_word=count
        ).distortion.mse
        for count in (4, 32, 256)
    ]
    assert errors[0] > 1.03 * errors[1] > 1.03**2 * errors[2]


@every_point
def test_neither_the_threads_nor_the_settings_of_faiss_matter(point):
    weights = normal(64, 200)
    threads, threshold = faiss.omp_get_max_threads(), faiss.cvar.distance_compute_blas_threshold
    stored = []
    try:
        for count in (1, 2):
            faiss.omp_set_num_threads(count)
            faiss.cvar.distance_compute_blas_threshold = 1000 * count
            stored.append(create("vector", **point).encode(weights, context()).arrays)
            assert faiss.omp_get_max_threads() == count
            assert faiss.cvar.distance_compute_blas_threshold == 1000 * count
    finally:
        faiss.omp_set_num_threads(threads)
        faiss.cvar.distance_compute_blas_threshold = threshold
    assert all(np.array_equal(array, stored[1][name]) for name, array in stored[0].items())


@settings(deadline=None, max_examples=60)
@given(st.data(), st.sampled_from([2, 4, 8]), st.integers(1, 300))
def test_no_word_is_nearer_than_the_nearest(data, dimension, words):
    numbers = st.floats(-8, 8, width=32)
    generator = np.random.default_rng(data.draw(st.integers(0, 1000)))
    vectors = data.draw(arrays(np.float32, (20, dimension), elements=numbers))
    codebook = generator.standard_normal((words, dimension)).astype(np.float32)
    index = nearest_word(vectors, codebook)
    squares = np.square(vectors[:, None].astype(np.float64) - codebook).sum(2)
    found = squares[np.arange(20), index]
    # What float32 cannot tell apart is equally near.
    assert (found <= squares.min(1) + 1e-5 * (1 + np.square(vectors).sum(1))).all()


def test_distinct_vectors_are_kept_where_they_are_no_more_than_words():
    kinds = normal(16, 4).half().float().numpy()
    weights = torch.from_numpy(
        kinds[np.random.default_rng(1).integers(0, 16, 500)].reshape(20, 100)
    )
    assert torch.equal(round_trip(weights, dimension=4, index_bits=4), weights)
    assert not torch.equal(round_trip(weights, dimension=4, index_bits=3), weights)
    codebook = kmeans_codebook(np.ones((9, 2), np.float32), 8, np.random.default_rng(0))
    assert codebook.tolist() == [[1, 1]]


def test_each_subspace_has_the_codebook_of_its_columns():
    scales = torch.tensor([0.01, 0.1, 1.0, 10.0]).repeat_interleave(16)
    weights = normal(1024, 64) * scales
    point = {"dimension": 4, "index_bits": 4, "codebook_dtype": "float32"}
    own, shared = (
        ((weights - round_trip(weights, **point, **sharing)) / scales)
        .square()
        .reshape(1024, 4, 16)
        .mean((0, 2))
        for sharing in ({"sharing": "subspace", "codebooks": 4}, {})
    )
    alone = measure(normal(1024, 64), **point).distortion.mse
    assert own.tolist() == pytest.approx([alone] * 4, rel=0.05)
    assert shared[0] > 1 > own[0]


def test_vectors_are_dealt_in_turn():
    weights = torch.tensor([1.0, 1, 2, 2, 3, 3]).repeat(40, 4)
    point = {"dimension": 2, "index_bits": 1, "sharing": "dealt"}
    assert torch.equal(round_trip(weights, **point, codebooks=3), weights)
    # Two take turns at three kinds of vectors, so that each meets all three.
    assert not torch.equal(round_trip(weights, **point, codebooks=2), weights)


def test_the_second_stage_refines_the_first():
    weights = normal(256, 256)
    one, two = (measure(weights, dimension=4, index_bits=6, stages=stages) for stages in (1, 2))
    assert two.rate.total == 2 * one.rate.total
    assert two.distortion.mse < one.distortion.mse / 4
    codec = create("vector", dimension=4, index_bits=6, stages=2)
    encoded = codec.encode(weights, context())
    books = [
        encoded.arrays[name].astype(np.float32).reshape(-1, 4)
        for name in ("codebook", "codebook.residual")
    ]
    chosen = [
        book[unpack_indices(encoded.arrays[name], 6, 256 * 64)]
        for book, name in zip(books, ("payload", "payload.residual"), strict=True)
    ]
    assert np.array_equal(codec.decode(encoded).numpy(), sum(chosen).reshape(256, 256))


@settings(deadline=None, max_examples=300)
@given(st.integers(1, 16), st.data())
def test_indices_are_packed_without_gaps_and_given_back(width, data):
    drawn = data.draw(st.lists(st.integers(0, 2**width - 1), max_size=60))
    indices = np.array(drawn, np.uint16)
    packed = pack_indices(indices, width)
    assert packed.dtype == np.uint8
    assert packed.size == -(-indices.size * width // 8)
    assert np.array_equal(unpack_indices(packed, width, indices.size), indices)


@pytest.mark.parametrize("width", [3, 8, 12])
def test_an_index_too_large_for_its_width_is_refused(width):
    with pytest.raises(ValueError, match=f"an index of {2**width} does not fit {width} bits"):
        pack_indices(np.array([0, 2**width], np.uint16), width)


@settings(deadline=None, max_examples=200)
@given(
    st.tuples(st.integers(1, 6), st.integers(1, 20)),
    st.sampled_from([2, 4, 8]),
    st.sampled_from(SHARINGS),
)
def test_vectors_hold_the_weights_in_order(shape, dimension, sharing):
    rows = np.arange(1, 1 + shape[0] * shape[1], dtype=np.float32).reshape(shape)
    vectors = vectors_of(rows, dimension, sharing)
    assert vectors.shape == (*layout(shape, dimension, sharing), dimension)
    assert np.array_equal(weights_of(vectors, shape), rows)
    sequences = rows if sharing == "subspace" else rows.reshape(1, -1)
    assert vectors.size < sequences.size + dimension * len(sequences)


@given(st.integers(1, 50), st.sampled_from(SHARINGS[1:]), st.integers(2, 60))
def test_every_vector_has_one_codebook_and_all_serve_alike(runs, sharing, codebooks):
    served = [np.arange(runs)[group] for group in groups(runs, sharing, codebooks)]
    assert len(served) == min(runs, codebooks)
    assert sorted(np.concatenate(served)) == list(range(runs))
    sizes = [len(group) for group in served]
    assert max(sizes) - min(sizes) <= 1
    stride = 1 if sharing == "subspace" else len(served)
    assert all((np.diff(group) == stride).all() for group in served)


def test_a_weight_of_any_size_spoils_no_other():
    weights = normal(64, 64)
    weights[3, 5] = 1e30
    restored = round_trip(weights, dimension=2, index_bits=6, codebook_dtype="float32")
    others = torch.ones(64, 64, dtype=torch.bool)
    others[3, 4:6] = False
    assert mean_square((weights - restored)[others].numpy()) < 2


def test_weights_that_float32_cannot_hold_are_refused():
    with pytest.raises(CodecError, match="beyond the range of float32: rescale the weights"):
        round_trip(torch.full((4, 4), 1e300, dtype=torch.float64), dimension=2, index_bits=4)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_words_that_their_dtype_cannot_hold_are_refused(dtype):
    weights = normal(16, 16).double() * (1e6 if dtype == "float16" else 1e-39)
    with pytest.raises(CodecError, match=f"codebook_dtype '{dtype}' holds"):
        round_trip(weights, dimension=2, index_bits=4, codebook_dtype=dtype)


@pytest.mark.parametrize(("sharing", "codebooks"), [("tensor", 2), ("subspace", 1), ("dealt", 1)])
def test_sharing_and_the_number_of_codebooks_must_agree(sharing, codebooks):
    with pytest.raises(CodecError, match=f"codebooks should be 1 .* found {codebooks} with"):
        create("vector", dimension=2, index_bits=4, sharing=sharing, codebooks=codebooks)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"dimension": 3}, "dimension"),
        ({"index_bits": 13}, "index_bits"),
        ({"stages": 3}, "stages"),
    ],
)
def test_other_parameters_are_refused_by_name(change, named):
    with pytest.raises(CodecError, match=f"codec vector: {named} should be"):
        create("vector", **{"dimension": 2, "index_bits": 4, **change})
