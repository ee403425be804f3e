"""Perplexities, degradations and paired tests as named values."""

import math
from typing import Any

import pandas as pd

from qatlas.function.robustness.claims import robustness_claims
from qatlas.function.robustness.names import name_part, point_name
from qatlas.function.robustness.pairs import paired_tests
from qatlas.function.robustness.points import points, shown_line
from qatlas.function.robustness.schema import ORIGIN
from qatlas.function.robustness.settings import RobustnessSettings
from qatlas.summary import Summary, Value


def robustness_values(
    rows: pd.DataFrame, settings: RobustnessSettings, origin: str = ORIGIN
) -> dict[str, Value]:
    """Values of every model, line and precision, and of the tests between models.

    ``robustness.MODEL.LINE.BITSbit.`` is followed by ``perplexity`` (mean over seeds; low and
    high are a standard deviation off), ``degradation_percent`` and ``deployable`` (yes or no);
    ``robustness.LINE.BITSbit.MODEL_against_OTHER.`` by ``difference`` and ``p_value``. What is
    infinite has no value.

    Parameters
    ----------
    rows
        Table ROBUSTNESS.
    settings
        Thresholds, and which line is shown.
    origin
        Table that the values say they come from.
    """
    values = {"robustness.shown_line": _value(shown_line(rows, settings), "line", origin)}
    for point in points(rows, settings.deployment).to_dict("records"):
        values |= _of_point(point, origin)
    for test in paired_tests(rows).to_dict("records"):
        pair = f"{name_part(test['model'])}_against_{name_part(test['other'])}"
        name = f"robustness.{name_part(test['line'])}.{test['bit_width']}bit.{pair}"
        values[f"{name}.difference"] = _value(test["difference"], "nats per token", origin)
        values[f"{name}.p_value"] = _value(test["p_value"], "probability", origin)
    return values


def robustness_summary(
    rows: pd.DataFrame, settings: RobustnessSettings, origin: str = ORIGIN
) -> Summary:
    """A summary of these rows alone; simulated if any of them is."""
    return Summary(
        chapter="function",
        source="simulated" if (rows.source == "simulated").any() else "measured",
        values=robustness_values(rows, settings, origin),
        claims=robustness_claims(rows, settings, origin),
    )


def _of_point(point: dict[str, Any], origin: str) -> dict[str, Value]:
    name = point_name(point["model"], point["line"], point["bit_width"])
    mean, spread = point["perplexity"], point["perplexity_sd"]
    deployable = {True: "yes", False: "no"}.get(point["deployable"])
    return {
        f"{name}.perplexity": Value(
            value=_finite(mean),
            unit="perplexity",
            low=_finite(mean - spread),
            high=_finite(mean + spread),
            origin=origin,
        ),
        f"{name}.degradation_percent": _value(point["degradation_percent"], "percent", origin),
        f"{name}.deployable": _value(deployable, "yes or no", origin),
    }


def _value(value: float | str | None, unit: str, origin: str) -> Value:
    known = _finite(value) if isinstance(value, float) else value
    return Value(value=known, unit=unit, origin=origin)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
