"""Maps: tables of products as grey PNG images that know their parameters and their checksum.

Grey is the code: 8 bits up to S = 256, 16 bits above. The parameters and the SHA-256 of pixels and
parameters stand in text chunks of the file, so that a map that was edited or cut off is noticed.
"""

from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from qatlas.atomic import replacing
from qatlas.errors import AtlasError
from qatlas.lut.map_names import MapName, parse_map_name
from qatlas.lut.product_table import ProductTable, encoded_table

_DIGEST = "sha256"
_END = b"\0\0\0\0IEND\xaeB`\x82"
"""The last chunk of every PNG file."""
_PARAMETERS = ("encoding", "size", "limit")
Codes = NDArray[np.unsignedinteger[Any]]


class DamagedMap(AtlasError):  # noqa: N818 -- a kind of AtlasError, all of which are errors
    """A map whose content is not what was written."""


def make_map(name: MapName, folder: str | Path) -> Path:
    """Write the map of an encoding, load it back and check it against the formula.

    Returns
    -------
    Path
        The file, in its place in the folder of maps.

    Raises
    ------
    AtlasError
        If there is no such table, or what was loaded back is another.
    """
    table = encoded_table(name.encoding, name.size, name.limit)
    path = Path(folder) / name.path
    write_map(table, path)
    if not np.array_equal(open_map(path).codes, table.codes):
        raise DamagedMap(f"{path}: loaded back, it is not the table of its formula")
    return path


def write_map(table: ProductTable, path: str | Path) -> None:
    """Write the table of an encoding as an image, whole or not at all; the bytes are always alike.

    Parameters
    ----------
    table
        One that ``encoded_table`` made.
    """
    name = MapName(table.name, table.size, table.limit)
    written = _as_text(name)
    chunks = PngInfo()
    for key, text in (written | {_DIGEST: _digest(written, table.codes)}).items():
        chunks.add_text(key, text)
    with replacing(path) as unfinished:
        Image.fromarray(table.codes).save(unfinished, format="PNG", pnginfo=chunks)


def open_map(path: str | Path) -> ProductTable:
    """Read the map that lies where its name says.

    Raises
    ------
    DamagedMap
        If the file was edited or cut off, or is the map of another name.
    AtlasError
        If the path is not one of a map.
    """
    name = parse_map_name(path)
    table = read_map(path)
    if MapName(table.name, table.size, table.limit) != name:
        raise DamagedMap(
            f"{path}: this is the map {MapName(table.name, table.size, table.limit).path} under "
            "another name; remove it and run snakemake again"
        )
    return table


def read_map(path: str | Path) -> ProductTable:
    """Read a map of whatever name, checked against its checksum.

    Raises
    ------
    DamagedMap
        If the file is not readable, has no metadata of a map, or not the pixels that it had.
    """
    codes, texts = read_grey(path)
    # Pixels are read without what stands behind them.
    if not Path(path).read_bytes().endswith(_END):
        raise DamagedMap(f"{path}: cut off, or something was added to it; remove it {_AGAIN}")
    if not set(_PARAMETERS) | {_DIGEST} <= set(texts):
        raise DamagedMap(f"{path}: not a map that the atlas wrote; remove it {_AGAIN}")
    written = {key: texts[key] for key in _PARAMETERS}
    if _digest(written, codes) != texts[_DIGEST]:
        raise DamagedMap(
            f"{path}: edited since it was written, its checksum is not that of its content; "
            f"remove it {_AGAIN}"
        )
    table = encoded_table(written["encoding"], int(written["size"]), float(written["limit"]))
    return ProductTable(table.name, table.limit, table.levels, codes, table.values)


def is_map(path: str | Path) -> bool:
    """Whether a PNG file says that it is a map, sound or not."""
    return _DIGEST in read_grey(path)[1]


def read_grey(path: str | Path) -> tuple[Codes, dict[str, str]]:
    """Pixels of a grey image of 8 or 16 bits, and the text in it.

    Raises
    ------
    DamagedMap
        If it is not a readable PNG file, or not grey.
    """
    try:
        with Image.open(path, formats=["PNG"]) as image:
            image.load()
            texts = {key: str(text) for key, text in getattr(image, "text", {}).items()}
            mode, pixels = image.mode, np.array(image)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DamagedMap(
            f"{path}: not a readable PNG file ({error}); remove it {_AGAIN}"
        ) from error
    if mode != "L" and not mode.startswith("I"):
        raise DamagedMap(f"{path}: an image of mode {mode}; allowed: grey of 8 or 16 bits")
    return pixels.astype(np.uint8 if mode == "L" else np.uint16), texts


_AGAIN = "and run snakemake again"


def _as_text(name: MapName) -> dict[str, str]:
    """Parameters as they stand in the file."""
    return {key: str(value) for key, value in asdict(name).items()}


def _digest(written: dict[str, str], codes: Codes) -> str:
    """SHA-256 of parameters and pixels, these as little-endian numbers row by row."""
    parameters = "\n".join(f"{key}={written[key]}" for key in _PARAMETERS)
    shape = "x".join(map(str, codes.shape))
    pixels = codes.astype(codes.dtype.newbyteorder("<")).tobytes()
    return sha256(f"{parameters}\n{shape}\n".encode() + pixels).hexdigest()
