import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from qatlas.errors import AtlasError
from qatlas.lut.map_files import (
    DamagedMap,
    make_map,
    open_map,
    read_map,
)
from qatlas.lut.map_names import MapName, map_names, parse_map_name
from qatlas.lut.product_table import encoded_table

NAME = MapName("signed_log", 16, 2.0)


@given(st.integers(2, 4096), st.floats(1e-300, 1e300))
def test_a_path_says_all_parameters(size, limit):
    name = MapName("signed_ext", size, limit)
    assert parse_map_name(f"results/lut/maps/{name.path}") == name


def test_bits_of_sizes_between_powers_of_two_are_rounded_up():
    sizes = (2, 3, 4, 5, 16, 17, 256, 512)
    assert [MapName("signed_ext", size, 1.0).bits for size in sizes] == [1, 2, 2, 3, 4, 5, 8, 9]
    assert NAME.path == "4bit/signed_log_16x16_r2.0.png"


def test_an_encoding_of_one_range_has_its_own_whatever_the_range_of_the_study():
    found = map_names(("signed_ext", "signed"), (4, 8), 0.5)
    assert [(name.encoding, name.size, name.limit) for name in found] == [
        ("signed_ext", 4, 0.5),
        ("signed_ext", 8, 0.5),
        ("signed", 4, 1.0),
        ("signed", 8, 1.0),
    ]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("4bit/signed_log.png", "not the name of a map"),
        ("4bit/signed_log_16x15_r2.0.png", "square"),
        ("4bit/signed_log_16x16_rtwo.png", "range 'two' is not a number"),
        ("4bit/signed_log_16x16_rnan.png", "range nan"),
        ("4bit/signed_log_16x16_r-2.0.png", "range -2.0"),
        ("1bit/signed_log_1x1_r2.0.png", "size 1"),
        ("4bit/signed_lag_16x16_r2.0.png", "did you mean 'signed_log'"),
        ("4bit/signed_16x16_r2.0.png", "signed_ext for other ranges"),
        ("5bit/signed_log_16x16_r2.0.png", "goes by the name 4bit/signed_log_16x16_r2.0.png"),
        ("4bit/signed_log_16x16_r2.png", "goes by the name 4bit/signed_log_16x16_r2.0.png"),
    ],
)
def test_a_path_that_no_map_has_is_refused_with_the_reason(path, said):
    with pytest.raises(AtlasError, match=said):
        parse_map_name(path)


@pytest.mark.parametrize("size", [2, 3, 16, 100, 256, 257, 512])
@pytest.mark.parametrize("encoding", ["signed_ext", "signed_log", "unsigned", "signed_asinh"])
def test_a_map_that_is_loaded_back_is_the_table_of_the_formula(tmp_path, encoding, size):
    path = make_map(MapName(encoding, size, 0.7), tmp_path)
    found, made = open_map(path), encoded_table(encoding, size, 0.7)
    assert found.codes.dtype == made.codes.dtype
    assert (found.codes == made.codes).all()
    assert (found.products == made.products).all()
    assert (found.levels == made.levels).all()


@pytest.mark.parametrize(("size", "mode"), [(256, "L"), (512, "I;16")])
def test_a_map_is_an_image_of_8_or_16_bits_that_says_its_parameters(tmp_path, size, mode):
    with Image.open(make_map(MapName("signed_ext", size, 2.0), tmp_path)) as image:
        assert (image.mode, image.size) == (mode, (size, size))
        assert image.text["encoding"] == "signed_ext"
        assert image.text["size"] == str(size)
        assert image.text["limit"] == "2.0"
        assert len(image.text["sha256"]) == 64


def test_two_maps_of_the_same_parameters_are_the_same_bytes(tmp_path):
    first, second = (make_map(NAME, tmp_path / folder).read_bytes() for folder in "ab")
    assert first == second


def edit_a_pixel(path):
    with Image.open(path) as image:
        texts, pixels = dict(image.text), np.array(image)
    pixels[3, 5] ^= 1
    save(path, pixels, texts)


def edit_the_range(path):
    with Image.open(path) as image:
        texts, pixels = dict(image.text), np.array(image)
    save(path, pixels, texts | {"limit": "4.0"})


def drop_the_metadata(path):
    with Image.open(path) as image:
        pixels = np.array(image)
    Image.fromarray(pixels).save(path)


def truncate(path):
    path.write_bytes(path.read_bytes()[:-30])


def truncate_behind_the_pixels(path):
    path.write_bytes(path.read_bytes()[:-1])


def empty(path):
    path.write_bytes(b"")


def replace_by_another_map(path):
    other = make_map(MapName("signed_ext", 16, 2.0), path.parents[1] / "other")
    path.write_bytes(other.read_bytes())


def replace_by_colours(path):
    Image.new("RGB", (16, 16)).save(path)


def save(path, pixels, texts):
    chunks = PngInfo()
    for key, text in texts.items():
        chunks.add_text(key, text)
    Image.fromarray(pixels).save(path, pnginfo=chunks)


DAMAGES = [
    edit_a_pixel,
    edit_the_range,
    drop_the_metadata,
    truncate,
    truncate_behind_the_pixels,
    empty,
    replace_by_another_map,
    replace_by_colours,
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_map_is_refused(tmp_path, damage):
    path = make_map(NAME, tmp_path / "maps")
    damage(path)
    with pytest.raises(DamagedMap, match=path.name):
        open_map(path)


def test_a_map_may_be_read_under_any_name(tmp_path):
    path = make_map(NAME, tmp_path)
    moved = path.rename(tmp_path / "mine.png")
    assert read_map(moved).name == "signed_log"
