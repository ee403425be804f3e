"""The quantizer step at which what is stored has a wanted size."""

import math
from collections.abc import Callable

_SECANTS = 8
_CLOSEST = 2**-14
_FARTHEST = 4.0


def step_for_size(
    bits: Callable[[float], float],
    wanted: float,
    tolerance: float,
    *,
    fall: float,
    start: float,
    finest: float,
    coarsest: float,
) -> float:
    """Step whose size is at most ``wanted`` bits and, if there is one, within the tolerance of it.

    Secants through the logarithm of the step, then bisection, as the size need be neither smooth
    nor monotonic. Steps much finer than is needed, whose size takes long to find, are not tried.

    Parameters
    ----------
    bits
        Size in bits as a function of the step.
    wanted, tolerance
        Bits; the tolerance is positive.
    fall
        Bits by which the size falls when the step doubles, as a first guess: at high rate, the
        number of weights.
    start, finest, coarsest
        First step to try and the range of the search; positive.

    Returns
    -------
    float
        ``finest`` if even that is small enough, ``coarsest`` if nothing tried is.
    """
    low, high = math.log2(finest), math.log2(coarsest)
    too_large, fitting = low - _CLOSEST, high
    position = min(max(math.log2(start), low), high)
    previous: tuple[float, float] | None = None
    evaluations = 0
    while fitting - too_large > _CLOSEST:
        size = bits(2**position)
        evaluations += 1
        if size > wanted:
            too_large = position
        else:
            fitting = position
            if wanted - size <= tolerance:
                break
        if previous and (size - previous[1]) * (position - previous[0]) < 0:
            fall = (previous[1] - size) / (position - previous[0])
        previous = position, size
        move = (size - wanted + tolerance / 2) / fall
        guess = position + min(max(move, -_FARTHEST), _FARTHEST)
        if evaluations > _SECANTS or not too_large < guess < fitting:
            guess = max((too_large + fitting) / 2, fitting - _FARTHEST)
        position = min(max(guess, low), high)
    return 2**fitting
