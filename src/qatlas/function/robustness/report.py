"""What a person wants to read of it on a console."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from qatlas.function.robustness.claims import CHECKS, Check, check_value, verdict
from qatlas.function.robustness.names import MISSING, model_title, number_text, precision_name
from qatlas.function.robustness.points import shown_line, shown_points
from qatlas.function.robustness.settings import RobustnessSettings
from qatlas.plotting import readable
from qatlas.summary import Claim

SOURCES = {
    "measured": "measured",
    "imported": "imported, not measured here",
    "simulated": "SIMULATED: random numbers, nothing was measured",
}
"""What a reader is told of where the numbers come from."""

_HEADER = ("model", "precision", "perplexity", "degradation", "deployable")


def table_text(
    rows: pd.DataFrame, settings: RobustnessSettings, claims: Mapping[str, Claim]
) -> str:
    """Perplexities of the shown line in aligned columns, then the checks.

    Parameters
    ----------
    rows
        Table ROBUSTNESS.
    settings
        What is shown, and when a model may be deployed.
    claims
        Claims of these rows; those that are no checks of robustness are left out.
    """
    shown = shown_points(rows, settings)
    title = f"Perplexity by precision, line {readable(shown_line(rows, settings))}"
    sources = "; ".join(SOURCES.get(source, source) for source in sorted({*shown.source}))
    deployable = (
        f"deployable: perplexity at most {settings.absolute_threshold:g} and at most "
        f"{settings.relative_threshold:g} times that of fp32"
    )
    checked = [_checked(name, CHECKS[name], claims[name]) for name in CHECKS if name in claims]
    parts = [
        f"{title} ({sources})",
        "",
        *_aligned([_HEADER, *_rows(shown)], left=(0, 1)),
        "",
        deployable,
        "perplexity: mean over training seeds, ± standard deviation where there are several",
        "",
        *_aligned([("check", "verdict", "value", "threshold", ""), *checked], left=(0, 1, 3, 4)),
    ]
    return "\n".join(parts) + "\n"


def _rows(shown: pd.DataFrame) -> list[tuple[str, ...]]:
    return [
        (
            "" if point["model"] == before else model_title(point["model"]),
            precision_name(point["bit_width"]),
            _with_spread(point["perplexity"], point["perplexity_sd"]),
            _percent(point["degradation_percent"]),
            {True: "yes", False: "no"}.get(point["deployable"], MISSING),
        )
        for before, point in zip([None, *shown.model], shown.to_dict("records"), strict=False)
    ]


def _with_spread(mean: float, spread: float) -> str:
    return number_text(mean) + ("" if math.isnan(spread) else f" ± {number_text(spread)}")


def _percent(value: float) -> str:
    return number_text(value, 1) + (" %" if math.isfinite(value) else "")


def _checked(name: str, check: Check, judged: Claim) -> tuple[str, ...]:
    return (
        name.removeprefix("robustness."),
        verdict(judged),
        check_value(check, judged),
        check.condition,
        check.text,
    )


def _aligned(lines: Sequence[Sequence[Any]], left: Sequence[int]) -> list[str]:
    """Lines with columns of equal width, those at some places flush left."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if place in left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
