"""Paths that end in the state in which they begin, so that no start state is stored.

Such a path is a ring of bits: n weights take exactly k n.
"""

import numpy as np

from qatlas.codecs.trellises.bit_shift import BitShiftTrellis, Floats, Symbols

_BITS_TRIED = 16
"""At least the bits of a state, so that a longer ring can begin and end in any overlap."""


def tail_biting_symbols(values: Floats, trellis: BitShiftTrellis) -> Symbols:
    """Bits, k a value, of a ring that stands for values with little squared error.

    QTIP's algorithm 4: the best path through the values rotated by half says which overlap to
    have where they begin and end; the best path from there to there is taken. On few values that
    is much worse than it need be, so a ring of up to 16 bits is the best of all.

    Parameters
    ----------
    values
        Float32, shape (n,), n at least 1.

    Returns
    -------
    ndarray
        Uint8 below 2^k, shape (n,).

    Notes
    -----
    Source: QTIP, Tseng et al. 2024 (arXiv 2406.11235), section 3.2.
    """
    if values.size * trellis.bits <= _BITS_TRIED:
        return _best_of_all(values, trellis)
    half = values.size // 2
    costs, choices = trellis.costs_and_choices(np.roll(values, -half), start=None)
    _, overlap = trellis.path_back(choices[values.size - half :], int(costs.argmin()))
    _, choices = trellis.costs_and_choices(values, start=overlap)
    return trellis.path_back(choices, overlap)[0]


def rings_of_symbols(values: Floats, trellis: BitShiftTrellis, length: int) -> Symbols:
    """Symbols of a tail-biting path through each ``length`` values, shape (n,).

    The last path also takes the values that are left over. Undone by ``values_of_rings``.
    """
    symbols = [tail_biting_symbols(values[part], trellis) for part in _parts(values.size, length)]
    return np.concatenate(symbols)


def values_of_rings(symbols: Symbols, trellis: BitShiftTrellis, length: int) -> Floats:
    """Values that the states along each ring stand for; float32, shape (n,)."""
    last = _parts(symbols.size, length)[-1].start
    rings = symbols[:last].reshape(-1, length), symbols[last:].reshape(1, -1)
    return np.concatenate([trellis.values[trellis.states(ring)].reshape(-1) for ring in rings])


def _parts(count: int, length: int) -> list[slice]:
    """Slices of ``length`` each, the last with what is left over; at least one."""
    starts = [length * i for i in range(max(count // length, 1))]
    return [slice(a, b) for a, b in zip(starts, [*starts[1:], count], strict=True)]


def _best_of_all(values: Floats, trellis: BitShiftTrellis) -> Symbols:
    places = trellis.bits * np.arange(values.size)
    numbers = np.arange(1 << trellis.bits * values.size)[:, None]
    rings = (numbers >> places & ((1 << trellis.bits) - 1)).astype(np.uint8)
    errors = trellis.values[trellis.states(rings)].astype(np.float64) - values
    best: Symbols = rings[np.square(errors).sum(1).argmin()]
    return best
