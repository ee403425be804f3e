"""The scale of a block of vectors at which a codebook serves it best."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float64]

_STRIDES = (8, 4, 2, 1)
_OCTAVE = 32
_FARTHEST = 16 * _OCTAVE
_CHUNK = 1 << 15


def least_error_scales(
    blocks: Vectors, nearest: Callable[[Vectors], Vectors], spread: float
) -> Vectors:
    """Scale of each block with the least squared error, found by descent.

    From where the codewords have the root mean square of the block, the scale goes up or down
    while the error falls, in strides of a quarter octave, then ever finer ones down to 2 percent;
    last comes the scale of least squares for the codewords so chosen.

    Parameters
    ----------
    blocks
        Float64, shape (blocks, vectors, dimension).
    nearest
        Nearest codeword of each vector, float64, shape (n, dimension) to (n, dimension).
    spread
        Root mean square of the codewords' coordinates.

    Returns
    -------
    NDArray
        Float64, shape (blocks,); 0 for a block of zeros.
    """
    roots = np.sqrt(np.square(blocks).mean((1, 2))) / spread
    places = np.zeros(len(blocks), np.int64)
    live = np.flatnonzero(roots)
    least = np.zeros(len(blocks))
    least[live] = _errors(blocks[live], roots[live], nearest)
    for stride in _STRIDES:
        moving = live
        for direction in (stride, -stride):
            tried = moving
            while tried.size:
                scales = roots[tried] * 2.0 ** ((places[tried] + direction) / _OCTAVE)
                errors = _errors(blocks[tried], scales, nearest)
                better = (errors < least[tried]) & (np.abs(places[tried]) < _FARTHEST)
                tried, errors = tried[better], errors[better]
                places[tried] += direction
                least[tried] = errors
                # What has gone up need not be tried downwards.
                moving = np.setdiff1d(moving, tried)
    scales = roots * 2.0 ** (places / _OCTAVE)
    words = np.zeros_like(blocks)
    divisors = np.where(roots == 0, 1, scales)
    for part in _parts(blocks):
        words[part] = _nearest(blocks[part], divisors[part[0]], nearest)
    words[roots == 0] = 0
    return least_squares_scales(blocks, words)


def least_squares_scales(weights: Vectors, words: Vectors) -> Vectors:
    """Factor on the words of each block that brings them nearest to its weights.

    Parameters
    ----------
    weights, words
        Float64, of one shape, (blocks, ...).

    Returns
    -------
    NDArray
        Float64, shape (blocks,); 0 for words of zero.
    """
    axes = tuple(range(1, weights.ndim))
    squares = np.square(words).sum(axes)
    products = (weights * words).sum(axes)
    scales: Vectors = products / np.where(squares > 0, squares, 1)
    return scales


def _errors(blocks: Vectors, scales: Vectors, nearest: Callable[[Vectors], Vectors]) -> Vectors:
    """Squared error of each block at its scale."""
    errors = np.zeros(len(blocks))
    for part in _parts(blocks):
        scale = scales[part[0]]
        words = _nearest(blocks[part], scale, nearest)
        errors[part[0]] += np.square(blocks[part] - scale[:, None, None] * words).sum((1, 2))
    return errors


def _nearest(blocks: Vectors, scales: Vectors, nearest: Callable[[Vectors], Vectors]) -> Vectors:
    scaled = blocks / scales[:, None, None]
    return nearest(scaled.reshape(-1, blocks.shape[2])).reshape(blocks.shape)


def _parts(blocks: Vectors) -> Iterator[tuple[slice, slice]]:
    """Slices of blocks and of vectors in them, so few that what is computed on them is small."""
    count, length, _ = blocks.shape
    rows = max(1, _CHUNK // length)
    for top in range(0, count, rows):
        for first in range(0, length, _CHUNK):
            yield slice(top, top + rows), slice(first, first + _CHUNK)
