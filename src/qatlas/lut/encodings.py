"""How the codes of a table stand for products: evenly, by their logarithm, or warped.

A code u in [0, M], M = S - 1, stands for a product y within the range R. With t = y / R and
h = M / 2, a signed encoding has u = h (1 + sgn(t) compress(|t|)) for t in [-1, 1], an unsigned one
u = M compress(t) for t in [0, 1]. ``compress`` is a compander on [0, 1]: the identity, the mu-law
with mu = 9 (log10(1 + 9 |t|), as ITU-T G.711 has it with mu = 255), or an inverse hyperbolic sine.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qatlas.errors import AtlasError, nearest
from qatlas.lut.companders import (
    asinh_compress,
    asinh_expand,
    identity,
    log_compress,
    log_expand,
)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Encoding:
    """One way in which codes stand for products.

    Attributes
    ----------
    name
        As in the configuration and in file names.
    signed
        Whether products below zero have codes.
    compress, expand
        The compander and its inverse, both from [0, 1] to [0, 1] and rising.
    fixed_range
        The only range it is used with, if there is one.
    """

    name: str
    signed: bool
    compress: Callable[[Floats], Floats]
    expand: Callable[[Floats], Floats]
    fixed_range: float | None = None

    def operands(self, size: int, limit: float) -> Floats:
        """What the rows and columns of a table stand for: even steps over the range, (size,)."""
        low = -limit if self.signed else 0.0
        return np.linspace(low, limit, size)

    def encode(self, products: ArrayLike, size: int, limit: float) -> Floats:
        """Codes before rounding, in [0, size - 1]; products beyond the range saturate."""
        t = np.clip(np.asarray(products, np.float64) / limit, -1.0 if self.signed else 0.0, 1.0)
        if not self.signed:
            return (size - 1) * self.compress(t)
        return (size - 1) / 2 * (1 + np.sign(t) * self.compress(np.abs(t)))

    def decode(self, codes: ArrayLike, size: int, limit: float) -> Floats:
        """Products of codes, which may lie between whole ones.

        The scale is size - 1, never the largest code of a table: where R < 1 no product reaches
        the range, and zero would decode to something else.
        """
        y = np.asarray(codes, np.float64) / (size - 1)
        if not self.signed:
            return limit * self.expand(y)
        centred = 2 * y - 1
        return limit * np.sign(centred) * self.expand(np.abs(centred))


ENCODINGS = {
    encoding.name: encoding
    for encoding in (
        Encoding("signed_ext", True, identity, identity),
        Encoding("signed_log", True, log_compress, log_expand),
        Encoding("unsigned", False, identity, identity),
        Encoding("signed", True, identity, identity, fixed_range=1.0),
        Encoding("signed_asinh", True, asinh_compress, asinh_expand),
    )
}
"""Encodings by name."""


def encoding_of(name: str) -> Encoding:
    """The encoding of a name.

    Raises
    ------
    AtlasError
        If there is none.
    """
    if name not in ENCODINGS:
        raise AtlasError(f"encoding {name!r}: {nearest(name, ENCODINGS)}")
    return ENCODINGS[name]
