"""What is claimed of ResNet-BK and Mamba, judged by the numbers of the shown line."""

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from qatlas.function.robustness.names import MISSING, model_key, number_text
from qatlas.function.robustness.points import points, shown_line
from qatlas.function.robustness.schema import ORIGIN
from qatlas.function.robustness.settings import RobustnessSettings
from qatlas.summary import Claim, claim


@dataclass(frozen=True)
class Shown:
    """Numbers of the shown line by model and bits, each NaN where it was not measured."""

    table: pd.DataFrame

    def perplexity(self, model: str, bits: int) -> float:
        """Mean over seeds."""
        return self._of(model, bits, "perplexity")

    def degradation(self, model: str, bits: int) -> float:
        """Percent of the perplexity at 32 bits."""
        return self._of(model, bits, "degradation_percent")

    def _of(self, model: str, bits: int, column: str) -> float:
        same = self.table.model.map(model_key) == model_key(model)
        found = self.table[same & (self.table.bit_width == bits)][column]
        return float(found.iloc[0]) if len(found) else math.nan


@dataclass(frozen=True)
class Check:
    """A sentence about a quantity, which holds if it compares so to the threshold."""

    text: str
    quantity: Callable[[Shown], float]
    relation: str
    threshold: float
    unit: str = ""

    def holds(self, value: float) -> bool:
        """Whether a value bears the sentence out."""
        return _RELATIONS[self.relation](value, self.threshold)

    @property
    def condition(self) -> str:
        """Such as ``< 5 %``."""
        return f"{self.relation} {self.threshold:g}{self.unit}"


_RELATIONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    ">": operator.gt,
    "≥": operator.ge,
}
_PERCENT, _POINTS = " %", " points"

CHECKS = {
    "robustness.req_7_2": Check(
        "At int8 the perplexity of ResNet-BK degrades by less than 5 %",
        lambda of: of.degradation("resnet_bk", 8),
        "<",
        5,
        _PERCENT,
    ),
    "robustness.req_7_6": Check(
        "At int4 the perplexity of ResNet-BK degrades by less than 15 %",
        lambda of: of.degradation("resnet_bk", 4),
        "<",
        15,
        _PERCENT,
    ),
    "robustness.req_7_8": Check(
        "At int8 ResNet-BK degrades by at least 10 percentage points less than Mamba",
        lambda of: of.degradation("mamba", 8) - of.degradation("resnet_bk", 8),
        "≥",
        10,
        _POINTS,
    ),
    "robustness.req_7_9": Check(
        "At int4 the perplexity of Mamba is at least 4 times that of ResNet-BK",
        lambda of: of.perplexity("mamba", 4) / of.perplexity("resnet_bk", 4),
        "≥",
        4,
    ),
    "robustness.req_8_6": Check(
        "At int4 the perplexity of ResNet-BK is below 50",
        lambda of: of.perplexity("resnet_bk", 4),
        "<",
        50,
    ),
    "robustness.req_8_7": Check(
        "At int4 the perplexity of Mamba is above 200",
        lambda of: of.perplexity("mamba", 4),
        ">",
        200,
    ),
}
"""Every check by the name of its claim."""


def robustness_claims(
    rows: pd.DataFrame, settings: RobustnessSettings, origin: str = ORIGIN
) -> dict[str, Claim]:
    """Every check judged by means over seeds of the shown line.

    Parameters
    ----------
    rows
        Table ROBUSTNESS.
    settings
        Says which line is shown.
    origin
        Table that the claims say they were judged by.
    """
    table = points(rows, settings.deployment)
    shown = Shown(table[table.line == shown_line(rows, settings)])
    return {name: _judged(check, shown, origin) for name, check in CHECKS.items()}


def verdict(judged: Claim) -> str:
    """One of ``holds``, ``fails`` and ``not measured``."""
    return {True: "holds", False: "fails", "not_measured": "not measured"}[judged.holds]


def check_value(check: Check, judged: Claim) -> str:
    """The value of a judged check with its unit."""
    if judged.holds == "not_measured":
        return MISSING
    value = math.inf if judged.value is None else judged.value
    return number_text(value) + (check.unit if math.isfinite(value) else "")


def _judged(check: Check, shown: Shown, origin: str) -> Claim:
    value = check.quantity(shown)
    return claim(f"{check.text}.", value, check.holds(value), check.threshold, origin)
