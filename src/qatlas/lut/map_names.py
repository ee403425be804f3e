"""Where the map of a table lies: its parameters, read from its path and written into it."""

import re
from dataclasses import dataclass
from pathlib import Path

from qatlas.errors import AtlasError
from qatlas.lut.encodings import encoding_of
from qatlas.lut.product_table import require_encodable

MAPS = "results/lut/maps"
"""Folder of all maps."""

_PATH = re.compile(r"(\d+)bit/(\w+)_(\d+)x(\d+)_r([^/]+)\.png")


@dataclass(frozen=True, order=True)
class MapName:
    """What determines the map of an encoding.

    Attributes
    ----------
    encoding
        Name of one of ``ENCODINGS``.
    size
        S, levels of operands and of products.
    limit
        R, the range of both.
    """

    encoding: str
    size: int
    limit: float

    @property
    def bits(self) -> int:
        """Bits of a code: the logarithm of the size to base 2, rounded up."""
        return (self.size - 1).bit_length()

    @property
    def path(self) -> str:
        """Place of the file in the folder of maps; the range is written so that nothing is lost."""
        size = f"{self.size}x{self.size}"
        return f"{self.bits}bit/{self.encoding}_{size}_r{float(self.limit)!r}.png"


def map_names(encodings: tuple[str, ...], sizes: tuple[int, ...], limit: float) -> list[MapName]:
    """The maps of a study; an encoding of one range alone has that one."""
    ranges = {name: encoding_of(name).fixed_range or limit for name in encodings}
    return [MapName(name, size, ranges[name]) for name in encodings for size in sizes]


def parse_map_name(path: str | Path) -> MapName:
    """The parameters of a map by its path.

    Raises
    ------
    AtlasError
        If no map lies there; the message says where the nearest does, or which parameter cannot
        be.
    """
    place = "/".join(Path(path).parts[-2:])
    found = _PATH.fullmatch(place)
    if not found:
        raise AtlasError(
            f"{path}: not the name of a map; one is {MapName('signed_ext', 16, 2.0).path}"
        )
    _, encoding, rows, columns, limit = found.groups()
    if rows != columns:
        raise AtlasError(f"{path}: {rows} rows and {columns} columns; a map is square")
    try:
        named = MapName(encoding, int(rows), float(limit))
    except ValueError as error:
        raise AtlasError(f"{path}: range {limit!r} is not a number") from error
    try:
        require_encodable(named.encoding, named.size, named.limit)
    except AtlasError as error:
        raise AtlasError(f"{path}: {error}") from error
    if named.path != place:
        raise AtlasError(f"{path}: this map goes by the name {named.path}")
    return named
