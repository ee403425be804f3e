"""The vertical axis of perplexities: where it ends, and what is drawn at its end instead."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

_BEYOND = 30
_LOGARITHMIC_FROM = 10
_FARTHEST_THRESHOLD = 10
_ROOM, _LEAST_ROOM = 0.18, 0.02


@dataclass(frozen=True)
class Scale:
    """A linear or logarithmic axis from low to high; what exceeds the ceiling is drawn there."""

    low: float
    high: float
    ceiling: float
    logarithmic: bool

    def clips(self, perplexity: float) -> bool:
        """Whether it is drawn at the ceiling, not where it is."""
        return not perplexity <= self.ceiling

    def position(self, perplexity: float) -> float:
        """Where it is drawn."""
        return self.ceiling if self.clips(perplexity) else perplexity

    @property
    def ticks(self) -> list[float]:
        """Round numbers within the axis, 3 to about 8."""
        if not self.logarithmic:
            step = _round_step((self.high - self.low) / 5)
            return [float(tick) for tick in np.arange(0, self.high, step) if tick >= self.low]
        decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)))
        spread = math.log10(self.high / self.low)
        digits = (1, 2, 5) if spread < 3 else (1, 3) if spread < 4.5 else (1,)
        every = [digit * 10.0**decade for decade in decades for digit in digits]
        return [tick for tick in every if self.low <= tick <= min(self.high, self.ceiling)]


def scale_of(perplexities: Iterable[float], at_32: Iterable[float], threshold: float) -> Scale:
    """An axis for perplexities and the threshold of deployment.

    Its ceiling is far above the threshold and what float models reach. It is logarithmic if the
    largest perplexity below that is more than ten times the smallest. A threshold far above all
    perplexities does not stretch it.

    Parameters
    ----------
    perplexities
        What is drawn; may be infinite.
    at_32
        Perplexities of the float models among them.
    threshold
        Absolute limit of deployment.
    """
    ceiling = _BEYOND * max([threshold, *(p for p in at_32 if math.isfinite(p))])
    drawn = [min(perplexity, ceiling) for perplexity in perplexities]
    least, most = min(drawn), max(drawn)
    logarithmic = most > _LOGARITHMIC_FROM * least
    ends = [least, most, *([threshold] if threshold <= _FARTHEST_THRESHOLD * most else [])]
    low, high = min(ends), max(ends)
    if logarithmic:
        return Scale(low / (high / low) ** _ROOM, high * (high / low) ** _ROOM, ceiling, True)
    room = max(_ROOM * (high - low), _LEAST_ROOM * high)
    return Scale(max(low - room, 0), high + room, ceiling, False)


def _round_step(step: float) -> float:
    decade = 10.0 ** math.floor(math.log10(step))
    return decade * next(digit for digit in (1, 2, 5, 10) if digit * decade >= step)
