import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qatlas.codecs.packing import pack, pack_parts, unpack

WIDTHS = range(1, 9)


@st.composite
def codes_and_width(draw):
    width = draw(st.sampled_from(WIDTHS))
    codes = draw(st.lists(st.integers(0, 2**width - 1), max_size=100))
    return np.array(codes, np.uint8), width


def packed_by_numpy(codes, width):
    """The low ``width`` bits of every code one after another, least significant first."""
    bits = np.unpackbits(codes[:, None], axis=1, bitorder="little")[:, :width]
    return np.packbits(bits.reshape(-1), bitorder="little")


@settings(deadline=None, max_examples=300)
@given(codes_and_width())
def test_packed_codes_are_the_low_bits_one_after_another(drawn):
    codes, width = drawn
    assert np.array_equal(pack(codes, width), packed_by_numpy(codes, width))


@settings(deadline=None, max_examples=300)
@given(codes_and_width())
def test_unpacking_gives_the_codes_back(drawn):
    codes, width = drawn
    assert np.array_equal(unpack(pack(codes, width), width, codes.size), codes)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("count", [*range(18), 1000, 100_001])
def test_codes_take_their_width_and_no_more_than_the_last_byte_is_padded(count, width):
    codes = np.random.default_rng(count).integers(0, 2**width, count).astype(np.uint8)
    packed = pack(codes, width)
    assert packed.size == int(np.ceil(count * width / 8))
    assert np.array_equal(packed, packed_by_numpy(codes, width))
    assert np.array_equal(unpack(packed, width, count), codes)


def test_codes_that_are_not_contiguous_are_packed_in_their_order():
    codes = np.arange(60, dtype=np.uint8)
    assert np.array_equal(pack(codes[::3], 6), pack(codes[::3].copy(), 6))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("counts", [(), (0,), (8,), (16, 8, 3), (0, 24, 0), (1000, 8, 17)])
def test_codes_packed_part_by_part_are_those_packed_at_once(counts, width):
    codes = np.random.default_rng(0).integers(0, 2**width, sum(counts)).astype(np.uint8)
    parts = np.split(codes, np.cumsum(counts)[:-1])[: len(counts)]
    assert np.array_equal(pack_parts(parts, width, counts), pack(codes, width))


def test_parts_that_end_within_a_byte_or_have_another_size_are_refused():
    part = np.zeros(4, np.uint8)
    with pytest.raises(ValueError, match=r"multiple of 8 codes; found \(4, 4\)"):
        pack_parts((part, part), 3, (4, 4))
    with pytest.raises(ValueError, match="a part has 4 codes where 8 were announced"):
        pack_parts((part, part), 3, (8, 4))


def test_packed_bytes_that_are_not_contiguous_are_unpacked_in_their_order():
    codes = np.arange(16, dtype=np.uint8)
    spread = np.zeros(20, np.uint8)
    spread[::2] = pack(codes, 5)
    assert np.array_equal(unpack(spread[::2], 5, 16), codes)


@pytest.mark.parametrize("width", [-1, 0, 9, 64])
def test_widths_other_than_1_to_8_are_refused(width):
    nothing = np.zeros(0, np.uint8)
    with pytest.raises(ValueError, match=f"1 to 8 bits; found {width}"):
        pack(nothing, width)
    with pytest.raises(ValueError, match=f"1 to 8 bits; found {width}"):
        unpack(nothing, width, 0)


@pytest.mark.parametrize("width", range(1, 8))
def test_a_code_too_large_for_its_width_is_refused(width):
    pack(np.array([2**width - 1], np.uint8), width)
    with pytest.raises(ValueError, match=f"a code of {2**width} does not fit {width} bits"):
        pack(np.array([0, 2**width, 0], np.uint8), width)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("change", [-1, 1])
def test_bytes_that_are_not_those_of_the_codes_are_refused(width, change):
    size = pack(np.zeros(17, np.uint8), width).size
    with pytest.raises(ValueError, match=f"take {size} bytes; found {size + change}"):
        unpack(np.zeros(size + change, np.uint8), width, 17)
