"""How errors of chains and dot products by look-up grow, and which tables suffice."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from qatlas.config.lut import Lut
from qatlas.lut.findings.found import Found
from qatlas.lut.simulation.run import FIXED_GRID
from qatlas.summary import Claim, Value, claim

_SIMULATIONS = "lut/tables/simulations.parquet"
_GROWTH = "lut/tables/growth.parquet"

MOST = 0.9
"""Share of 95 % intervals that must hold what a law says."""
RANDOM_WALK, BIAS = 0.5, 1.0
"""Slopes on logarithmic axes."""
ROUNDING_RATIO = float(np.sqrt(2))
"""Deviation of stochastic rounding over that of rounding to nearest, on a fixed grid."""
_TRACKED = ("float8", "float16")


def find_simulations(tables: Mapping[str, pd.DataFrame], settings: Lut) -> Found:
    """Slopes, crossovers, ratios, and the smallest tables that track a reference."""
    growth, results = tables["growth"], tables["simulations"]
    wide = growth[(growth.operation == "dot_wide") & (growth.table != FIXED_GRID)]
    grid = growth[growth.table == FIXED_GRID]
    values = dict(_of_growth(growth)) | dict(_of_finals(results, settings))
    claims = {
        "simulations.deviation_grows_as_a_random_walk": _law(
            wide.assign(law=RANDOM_WALK),
            "deviation_slope",
            "The deviation of a dot product's error grows as the square root of its length "
            "(slope 1/2), where its sum does not saturate",
        ),
        "simulations.bias_grows_with_length": _law(
            wide.assign(law=BIAS),
            "bias_slope",
            "The mean error of a dot product grows as its length (slope 1), where it is told from "
            "zero",
        ),
        "simulations.crossover_is_predicted": _law(
            wide.assign(law=wide.predicted_crossover),
            "crossover",
            "The bias of a dot product overtakes its deviation at n* = (sigma / mu)^2 of one "
            "product",
        ),
        "simulations.stochastic_is_predicted": _law(
            wide[wide.method == "stochastic"].assign(law=lambda rows: rows.predicted_ratio),
            "ratio",
            "Stochastic look-up deviates from nearest look-up by the ratio that one product "
            "predicts",
        ),
        "simulations.stochastic_is_sqrt_2_of_nearest": _law(
            wide[wide.method == "stochastic"].assign(law=ROUNDING_RATIO),
            "ratio",
            "Stochastic look-up has sqrt(2) times the deviation of nearest look-up",
        ),
        "simulations.fixed_grid.stochastic_is_sqrt_2_of_nearest": _law(
            grid[grid.method == "stochastic"].assign(law=ROUNDING_RATIO),
            "ratio",
            "True products that are rounded to a fixed grid have sqrt(2) times the deviation "
            "when they are rounded stochastically",
        ),
    }
    for operation in sorted(results.operation.unique()):
        for reference in _TRACKED:
            value, said = _smallest(results, settings, operation, reference)
            values[f"simulations.{operation}.smallest_tracking_{reference}"] = value
            claims[f"simulations.{operation}.a_table_tracks_{reference}"] = said
    return Found(values, claims)


def _law(rows: pd.DataFrame, column: str, text: str) -> Claim:
    """Whether most intervals hold the value of the column law."""
    known = rows.dropna(subset=[column, f"{column}_low", "law"])
    holds = (known[f"{column}_low"] <= known.law) & (known.law <= known[f"{column}_high"])
    share = float(holds.mean()) if len(known) else None
    return claim(
        f"{text} (share of {len(known)} variants whose 95 % interval holds it).",
        value=share,
        holds=share is not None and share >= MOST,
        threshold=MOST,
        origin=_GROWTH,
    )


def _of_growth(growth: pd.DataFrame) -> Iterator[tuple[str, Value]]:
    """Medians over variants with their range, by operation and method; crossovers one by one."""
    for (operation, method), rows in growth.groupby(["operation", "method"]):
        for column in ("deviation_slope", "bias_slope", "ratio"):
            known = rows[rows.table != FIXED_GRID][column].dropna()
            if len(known):
                yield (
                    f"simulations.{operation}.{method}.median_{column}",
                    _value(known.median(), known.min(), known.max(), "1"),
                )
    crossed = growth.dropna(subset=["crossover", "predicted_crossover"])
    for row in crossed.to_dict("records"):
        name = f"simulations.{row['table']}.{row['size']}.{row['method']}"
        yield (
            f"{name}.crossover",
            _value(row["crossover"], row["crossover_low"], row["crossover_high"], "steps"),
        )
        yield (
            f"{name}.predicted_crossover",
            Value(value=float(row["predicted_crossover"]), unit="steps", origin=_GROWTH),
        )
    grid = growth[(growth.table == FIXED_GRID) & (growth.method == "stochastic")]
    for row in grid.to_dict("records"):
        yield (
            f"simulations.{FIXED_GRID}.{row['size']}.ratio",
            _value(row["ratio"], row["ratio_low"], row["ratio_high"], "1"),
        )


def _of_finals(results: pd.DataFrame, settings: Lut) -> Iterator[tuple[str, Value]]:
    rows = _shown(results, settings)
    for row in rows.to_dict("records"):
        name = f"simulations.{row['operation']}.{row['table']}.{row['size']}.{row['method']}"
        yield (
            f"{name}.mean_absolute_error",
            Value(value=float(row["mean_absolute_error"]), unit="1", origin=_SIMULATIONS),
        )


def _shown(results: pd.DataFrame, settings: Lut) -> pd.DataFrame:
    """Results after all steps, at the chapter's range, against the shown reference."""
    section = settings.simulations
    if section is None:
        return results.iloc[:0]
    return results[
        (results.steps == section.steps)
        & (results.range == settings.range)
        & (results.reference == section.shown_reference)
    ]


def _smallest(
    results: pd.DataFrame, settings: Lut, operation: str, reference: str
) -> tuple[Value, Claim]:
    """The smallest table that is as near to float64 as the reference is."""
    steps = results.steps.max()
    rows = results[
        (results.operation == operation)
        & (results.reference == reference)
        & (results.steps == steps)
        & (results.range == settings.range)
    ]
    tracking = rows[rows.exact_error <= rows.reference_error]
    first = tracking.sort_values(["size", "exact_error"]).head(1).to_dict("records")
    found = (
        f"{first[0]['table']}, {first[0]['size']} levels, {first[0]['method']}" if first else None
    )
    ratio = float((rows.exact_error / rows.reference_error).min()) if len(rows) else None
    about = "A chain" if operation == "chain" else "A dot product"
    which = f"the smallest is {found}" if found else "no table is"
    return Value(value=found, unit="table", origin=_SIMULATIONS), claim(
        f"{about} by look-up tracks {reference} over {steps} steps: its mean error to float64 is "
        f"no more than that of {reference} ({which}; least ratio of errors over all variants).",
        value=ratio,
        holds=ratio is not None and ratio <= 1,
        threshold=1,
        origin=_SIMULATIONS,
    )


def _value(value: float, low: float, high: float, unit: str) -> Value:
    ends = [None if pd.isna(end) else float(end) for end in (low, high)]
    return Value(value=float(value), unit=unit, low=ends[0], high=ends[1], origin=_GROWTH)
