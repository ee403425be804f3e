import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from qatlas.errors import AtlasError
from qatlas.lut.map_files import make_map
from qatlas.lut.map_names import MapName
from qatlas.lut.product_table import encoded_table
from qatlas.lut.user_tables import read_user_table

LIMIT = 2.0
EVEN = encoded_table("signed_ext", 12, LIMIT)


def as_png(folder, array):
    path = folder / "mine.png"
    Image.fromarray(array).save(path)
    return path


def as_npy(folder, array):
    path = folder / "mine.npy"
    np.save(path, array)
    return path


def as_csv(folder, array):
    path = folder / "mine.csv"
    kind = "%d" if np.issubdtype(array.dtype, np.integer) else "%.17g"
    np.savetxt(path, array, fmt=kind, delimiter=",")
    return path


@pytest.mark.parametrize("write", [as_png, as_npy, as_csv])
def test_whole_numbers_are_codes_evenly_spaced_over_the_range(tmp_path, write):
    found = read_user_table("mine", write(tmp_path, EVEN.codes), LIMIT)
    assert (found.codes == EVEN.codes).all()
    assert (found.products == EVEN.products).all()
    assert (found.name, found.limit) == ("mine", LIMIT)


@pytest.mark.parametrize("write", [as_npy, as_csv])
def test_other_numbers_are_products(tmp_path, write):
    products = np.clip(np.multiply.outer(EVEN.levels, EVEN.levels), -LIMIT, LIMIT)
    found = read_user_table("mine", write(tmp_path, products), LIMIT)
    assert (found.products == products).all()
    assert (found.levels == EVEN.levels).all()


def test_an_image_of_16_bits_holds_larger_codes(tmp_path):
    table = encoded_table("signed_ext", 300, LIMIT)
    found = read_user_table("mine", as_png(tmp_path, table.codes), LIMIT)
    assert (found.codes == table.codes).all()


def test_a_map_keeps_its_encoding_and_range(tmp_path):
    path = make_map(MapName("signed_log", 16, 0.5), tmp_path)
    found, own = read_user_table("mine", path, LIMIT), encoded_table("signed_log", 16, 0.5)
    assert (found.products == own.products).all()
    assert (found.name, found.limit) == ("mine", 0.5)


def test_a_map_that_was_edited_is_refused(tmp_path):
    path = make_map(MapName("signed_log", 16, 0.5), tmp_path)
    with Image.open(path) as image:
        pixels, text = np.array(image), image.text["sha256"]
    chunks = PngInfo()
    for key, value in (("encoding", "signed_log"), ("size", "16"), ("limit", "0.5")):
        chunks.add_text(key, value)
    chunks.add_text("sha256", text)
    pixels[0, 0] ^= 1
    Image.fromarray(pixels).save(path, pnginfo=chunks)
    with pytest.raises(AtlasError, match="edited since"):
        read_user_table("mine", path, LIMIT)


def with_nan(array):
    array = array.astype(float)
    array[1, 2] = np.nan
    return array


@pytest.mark.parametrize(
    ("write", "array", "said"),
    [
        (as_npy, np.zeros((4, 5)), "4 x 5 numbers"),
        (as_png, np.zeros((4, 5), np.uint8), "4 x 5 numbers"),
        (as_csv, np.zeros((4, 5)), "4 x 5 numbers"),
        (as_npy, np.zeros((2, 2, 2)), "2 x 2 x 2 numbers"),
        (as_npy, np.zeros((0, 0)), "size 0"),
        (as_npy, np.zeros((1, 1)), "size 1"),
        (as_npy, with_nan(np.zeros((3, 3))), "NaN in row 1, column 2"),
        (as_csv, with_nan(np.zeros((3, 3))), "NaN in row 1, column 2"),
        (as_npy, np.full((3, 3), 2.5), "allowed: -2 to 2"),
        (as_csv, np.full((3, 3), -2.5), "allowed: -2 to 2"),
        (as_npy, np.full((3, 3), np.inf), "allowed: -2 to 2"),
        (as_npy, np.full((3, 3), 3), "codes from 3 to 3; allowed: 0 to 2"),
        (as_npy, np.full((3, 3), -1), "codes from -1 to -1; allowed: 0 to 2"),
        (as_png, np.full((3, 3), 200, np.uint8), "codes from 200 to 200; allowed: 0 to 2"),
        (as_npy, np.zeros((3, 3), complex), "not readable .*complex128"),
        (as_npy, np.array([["a", "b"]] * 2), "not readable"),
    ],
)
def test_what_is_no_table_is_refused_with_its_key_and_file(tmp_path, write, array, said):
    path = write(tmp_path, array)
    with pytest.raises(AtlasError, match=rf"^lut\.tables\.mine: {path}: .*{said}"):
        read_user_table("mine", path, LIMIT)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("mine.csv", b""),
        ("mine.csv", b"1,2\n3\n"),
        ("mine.csv", b"1,two\n3,4\n"),
        ("mine.csv", b"\xff\xfe\x00"),
        ("mine.npy", b"not numpy"),
        ("mine.npy", b""),
        ("mine.png", b"not an image"),
        ("mine.png", b""),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_its_key(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(AtlasError, match=rf"lut\.tables\.mine: {path}: .*not .*readable"):
        read_user_table("mine", path, LIMIT)


def test_a_missing_file_is_refused_with_its_key(tmp_path):
    for kind in ("png", "npy", "csv"):
        with pytest.raises(AtlasError, match=rf"lut\.tables\.mine: .*none\.{kind}"):
            read_user_table("mine", tmp_path / f"none.{kind}", LIMIT)


def test_a_file_of_another_kind_is_refused(tmp_path):
    with pytest.raises(AtlasError, match=r"lut\.tables\.mine: .*kind '.jpg'.*\.png, \.npy, \.csv"):
        read_user_table("mine", tmp_path / "mine.jpg", LIMIT)


def test_an_image_in_colour_is_refused(tmp_path):
    path = tmp_path / "mine.png"
    Image.new("RGB", (4, 4)).save(path)
    with pytest.raises(AtlasError, match="mode RGB; allowed: grey"):
        read_user_table("mine", path, LIMIT)
