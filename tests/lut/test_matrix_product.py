import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qatlas.errors import AtlasError
from qatlas.lut.matrix_product import byte_shuffles
from qatlas.lut.matrix_product.accumulators import (
    FLOAT32,
    INT16,
    INT32,
    INT64,
    _bytes_of,
    within,
)
from qatlas.lut.matrix_product.integers import whole_numbers
from qatlas.lut.matrix_product.product import lut_matmul
from qatlas.lut.product_table import encoded_table

TRUE_U8 = np.multiply.outer(np.arange(256), np.arange(256))


def plain(a, b, table, start, add):
    """One product after the other, as the definition has it."""
    sums = np.empty((a.shape[0], b.shape[1]), np.asarray(start).dtype)
    for m in range(a.shape[0]):
        for n in range(b.shape[1]):
            total = start
            for k in range(a.shape[1]):
                total = add(total, table[a[m, k], b[k, n]])
            sums[m, n] = total
    return sums


def codes(random, shape, levels=256, dtype=np.uint8):
    return random.integers(0, levels, shape).astype(dtype)


@pytest.fixture(params=[True, False], ids=["shuffles", "no shuffles"])
def shuffles(request, monkeypatch):
    if request.param and not byte_shuffles.AVAILABLE:
        pytest.skip("this processor has no AVX-512 VBMI")
    monkeypatch.setattr(byte_shuffles, "AVAILABLE", request.param)


@st.composite
def problems(draw):
    """Matrices of codes and an integer table, of any small sizes."""
    levels = draw(st.sampled_from([2, 3, 16, 255, 256]))
    shape = draw(st.tuples(st.integers(1, 4), st.integers(1, 300), st.integers(1, 130)))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    low, high = sorted(draw(st.tuples(*[st.integers(-(1 << 22), 1 << 22)] * 2)))
    table = random.integers(low, high + 1, (levels, levels))
    dtype = draw(st.sampled_from([np.uint8, np.uint16]))
    m, k, n = shape
    return codes(random, (m, k), levels, dtype), codes(random, (k, n), levels, dtype), table


@settings(max_examples=40, deadline=None)
@given(problems())
def test_whole_sums_are_those_of_numpy(problem):
    a, b, table = problem
    expected = table[a[:, :, None], b].sum(1)
    for accumulator in (INT32, INT64):
        found = lut_matmul(a, b, table, accumulator)
        assert found.dtype == accumulator.dtype
        np.testing.assert_array_equal(found, expected)


def test_byte_shuffles_and_plain_look_ups_agree(shuffles):
    random = np.random.default_rng(0)
    a, b = codes(random, (5, 1000)), codes(random, (1000, 193))
    for table in (TRUE_U8, TRUE_U8 - 40000, np.zeros((256, 256), int), TRUE_U8 % 7):
        np.testing.assert_array_equal(
            lut_matmul(a, b, table, INT64), table[a[:, :, None], b].sum(1)
        )


def test_an_even_encoding_takes_one_plane_of_bytes():
    table = encoded_table("signed_ext", 256, 1.0)
    products = whole_numbers(table.values, 255, 1).multiples[table.codes]
    low, unit, planes = _bytes_of(products)
    assert (low, unit) == (-255, 2)
    np.testing.assert_array_equal(list(planes), [table.codes])


def test_true_products_of_bytes_are_exact_in_float32_up_to_258_terms():
    random = np.random.default_rng(1)
    a, b = codes(random, (3, 258)), codes(random, (258, 70))
    a[0], b[:, 0] = 255, 255
    np.testing.assert_array_equal(
        lut_matmul(a, b, TRUE_U8, FLOAT32), a.astype(np.int64) @ b.astype(np.int64)
    )
    # One more is an odd integer above 2^24, which float32 has not.
    more = np.full((1, 259), 255, np.uint8)
    assert int(lut_matmul(more, more.T, TRUE_U8, FLOAT32)[0, 0]) != 259 * 65025


def test_true_products_of_bytes_are_exact_in_int32_up_to_33025_terms(shuffles):
    random = np.random.default_rng(2)
    a, b = codes(random, (2, 33025)), codes(random, (33025, 65))
    a[0], b[:, 0] = 255, 255
    found = lut_matmul(a, b, TRUE_U8, INT32)
    assert found[0, 0] == 33025 * 65025
    np.testing.assert_array_equal(found, a.astype(np.int64) @ b.astype(np.int64))


def test_an_accumulator_that_could_overflow_is_refused_and_its_largest_k_named():
    a, b = np.zeros((1, 33026), np.uint8), np.zeros((33026, 1), np.uint8)
    with pytest.raises(AtlasError, match="K up to 33025 with this table; take int64"):
        lut_matmul(a, b, TRUE_U8, INT32)
    assert lut_matmul(a, b, TRUE_U8, INT64)[0, 0] == 0
    assert INT32.most_terms(-TRUE_U8) == 2**31 // 65025
    with pytest.raises(AtlasError, match="accumulator range"):
        lut_matmul(a, b, TRUE_U8, within(2**31 - 2))


@pytest.mark.parametrize(
    ("accumulator", "limits"), [(INT16, (-(2**15), 2**15 - 1)), (within(300), (-300, 300))]
)
def test_saturating_sums_are_clipped_after_every_addition_in_the_order_of_k(accumulator, limits):
    random = np.random.default_rng(3)
    a, b = codes(random, (4, 90)), codes(random, (90, 9))
    table = random.integers(-9000, 9000, (256, 256)) // (1 if accumulator is INT16 else 60)
    clipped = plain(a, b, table, np.int64(0), lambda s, p: min(max(s + p, limits[0]), limits[1]))
    found = lut_matmul(a, b, table, accumulator)
    np.testing.assert_array_equal(found, clipped)
    assert (found != table[a[:, :, None], b].sum(1)).any()


def test_float32_sums_are_rounded_after_every_addition_in_the_order_of_k():
    random = np.random.default_rng(4)
    a, b = codes(random, (3, 200), 512, np.uint16), codes(random, (200, 33), 512, np.uint16)
    table = random.standard_normal((512, 512))
    narrow = table.astype(np.float32)
    expected = plain(a, b, narrow, np.float32(0), lambda s, p: s + p)
    np.testing.assert_array_equal(lut_matmul(a, b, table, FLOAT32), expected)


@pytest.mark.parametrize("accumulator", [INT32, INT16, FLOAT32], ids=lambda found: found.name)
def test_threads_change_no_bit(accumulator):
    random = np.random.default_rng(5)
    a, b = codes(random, (7, 100)), codes(random, (100, 100))
    table = random.integers(-3000, 3000, (256, 256))
    alone = lut_matmul(a, b, table, accumulator)
    np.testing.assert_array_equal(lut_matmul(a, b, table, accumulator, threads=3), alone)


def test_codes_and_tables_that_do_not_fit_are_refused():
    a, b = np.zeros((2, 3), np.uint8), np.zeros((3, 4), np.uint8)
    with pytest.raises(AtlasError, match=r"shapes \(2, 3\) and \(2, 3\)"):
        lut_matmul(a, a, TRUE_U8, INT32)
    with pytest.raises(AtlasError, match="codes a are int64; allowed: uint8, uint16"):
        lut_matmul(a.astype(int), b, TRUE_U8, INT32)
    with pytest.raises(AtlasError, match="codes b reach 4, but the table has 4 levels"):
        lut_matmul(a, b + np.uint8(4), TRUE_U8[:4, :4], INT32)
    with pytest.raises(AtlasError, match="the table holds float64; allowed: integers"):
        lut_matmul(a, b, TRUE_U8 / 2, INT32)
    with pytest.raises(AtlasError, match="may be infinite"):
        lut_matmul(a, b, TRUE_U8 * 1e35, FLOAT32)
