"""What is shown, and what may be deployed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from qatlas.config.robustness import Robustness
from qatlas.errors import AtlasError


@dataclass(frozen=True)
class Deployment:
    """A model may be deployed if its perplexity is at most both limits.

    Attributes
    ----------
    absolute
        Perplexity.
    relative
        Multiple of the same model's perplexity at 32 bits.
    """

    absolute: float = 100
    relative: float = 2.0

    def limit(self, float_perplexity: float) -> float:
        """The largest perplexity at which a model may be deployed; NaN where its float's is."""
        if math.isnan(float_perplexity):
            return math.nan
        return min(self.absolute, self.relative * float_perplexity)


@dataclass(frozen=True)
class RobustnessSettings:
    """What the figure and the printed table show.

    Attributes
    ----------
    bit_widths
        Nominal bits of the precisions that are shown, in any order.
    shown_line
        Line that is shown for all models and that checks are judged by.
    absolute_threshold, relative_threshold
        Limits of ``Deployment``.

    Raises
    ------
    AtlasError
        If a bit width or a threshold is not positive and finite, or there is no bit width.
    """

    bit_widths: Sequence[int] = (32, 16, 8, 4, 2)
    shown_line: str = "by_channel"
    absolute_threshold: float = Deployment.absolute
    relative_threshold: float = Deployment.relative

    def __post_init__(self) -> None:
        if not self.bit_widths or min(self.bit_widths) < 1:
            raise AtlasError(
                f"bit_widths: found {list(self.bit_widths)}; allowed: one or more whole numbers "
                "from 1, such as [32, 16, 8, 4, 2]"
            )
        for key in ("absolute_threshold", "relative_threshold"):
            if not 0 < (found := getattr(self, key)) < math.inf:
                raise AtlasError(f"{key}: found {found}; allowed: finite numbers above 0")

    @property
    def deployment(self) -> Deployment:
        """Both thresholds."""
        return Deployment(self.absolute_threshold, self.relative_threshold)


def settings_of(section: Robustness) -> RobustnessSettings:
    """What the configuration says of it."""
    return RobustnessSettings(
        section.bit_widths,
        section.shown_line,
        section.absolute_threshold,
        section.relative_threshold,
    )
