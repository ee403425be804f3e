"""Means over training seeds: what is drawn, printed and judged."""

from typing import Any

import numpy as np
import pandas as pd

from qatlas.errors import AtlasError, nearest
from qatlas.function.robustness.names import FLOAT_BITS, models_in_order
from qatlas.function.robustness.settings import Deployment, RobustnessSettings

COLUMNS = (
    "model",
    "line",
    "bit_width",
    "seeds",
    "perplexity",
    "perplexity_sd",
    "degradation_percent",
    "limit",
    "deployable",
    "source",
)


def points(rows: pd.DataFrame, deployment: Deployment) -> pd.DataFrame:
    """Every model and line at every precision, from the highest precision down.

    Parameters
    ----------
    rows
        Table ROBUSTNESS.
    deployment
        When a model may be deployed.

    Returns
    -------
    pd.DataFrame
        ``COLUMNS``. Perplexity is the mean over seeds; its standard deviation is missing for a
        single seed and where the mean is infinite. Degradation, 100 (PPL - PPL32) / PPL32 of the
        means, the limit of deployment and whether it is kept are missing without a perplexity at
        32 bits, except that nothing above the absolute limit is deployable.
    """
    found = [
        _point(str(model), str(line), int(bits), its_rows, _at_32(rows, model, line), deployment)
        for (model, line, bits), its_rows in rows.groupby(["model", "line", "bit_width"])
    ]
    places = {model: place for place, model in enumerate(models_in_order(rows.model))}
    found.sort(key=lambda point: (places[point["model"]], point["line"], -point["bit_width"]))
    return pd.DataFrame(found, columns=list(COLUMNS)).astype({"deployable": object})


def shown_points(rows: pd.DataFrame, settings: RobustnessSettings) -> pd.DataFrame:
    """The points of the shown line at the precisions that are shown; errors as of both."""
    table = points_with_shown(rows, settings)
    return table[table.shown].drop(columns="shown").reset_index(drop=True)


def points_with_shown(rows: pd.DataFrame, settings: RobustnessSettings) -> pd.DataFrame:
    """Points at the precisions that are shown; column shown is whether they are of that line.

    Raises
    ------
    AtlasError
        If that line was measured at none of these precisions.
    """
    table = points(rows, settings.deployment)
    table = table.assign(shown=table.line == shown_line(rows, settings))
    at_bits = table[table.bit_width.isin(settings.bit_widths)]
    if not at_bits.shown.any():
        measured = sorted(set(table[table.shown].bit_width), reverse=True)
        raise AtlasError(
            f"bit_widths: found {list(settings.bit_widths)}; none of these was measured; "
            f"measured: {', '.join(map(str, measured))}"
        )
    return at_bits


def shown_line(rows: pd.DataFrame, settings: RobustnessSettings) -> str:
    """The configured line, or the only one that there is.

    Raises
    ------
    AtlasError
        If there are several lines and the configured one is not among them.
    """
    lines = {str(line) for line in rows.line}
    if settings.shown_line in lines:
        return settings.shown_line
    if len(lines) == 1:
        return lines.pop()
    raise AtlasError(
        f"shown_line: no line {settings.shown_line!r} among the measured; "
        f"{nearest(settings.shown_line, lines)}"
    )


def _at_32(rows: pd.DataFrame, model: object, line: object) -> float:
    floats = rows[(rows.model == model) & (rows.line == line) & (rows.bit_width == FLOAT_BITS)]
    return float(floats.perplexity.mean()) if len(floats) else np.nan


def _point(
    model: str, line: str, bits: int, rows: pd.DataFrame, at_32: float, deployment: Deployment
) -> dict[str, Any]:
    values = rows.perplexity.to_numpy(float)
    mean = float(values.mean())
    spread = len(values) > 1 and np.isfinite(mean)
    limit = deployment.limit(at_32)
    return {
        "model": model,
        "line": line,
        "bit_width": bits,
        "seeds": len(values),
        "perplexity": mean,
        "perplexity_sd": float(values.std(ddof=1)) if spread else np.nan,
        "degradation_percent": 100 * (mean - at_32) / at_32 if np.isfinite(at_32) else np.nan,
        "limit": limit,
        "deployable": _deployable(mean, limit, deployment),
        "source": rows.source.iloc[0],
    }


def _deployable(perplexity: float, limit: float, deployment: Deployment) -> bool | None:
    if np.isnan(limit):
        return False if perplexity > deployment.absolute else None
    return bool(perplexity <= limit)
