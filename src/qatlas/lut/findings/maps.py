"""What tables of products err by."""

import math
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from qatlas.config.lut import Lut
from qatlas.lut.encodings import encoding_of
from qatlas.lut.findings.found import Found
from qatlas.summary import Claim, Value, claim

_ERRORS = "lut/tables/map_errors.parquet"
_RANKS = "lut/tables/map_ranks.parquet"
_UNITS = {"nmed": "largest product", "mred": "1", "error_rate": "1", "saturated_share": "1"}
PUBLISHED_MITCHELL_MRED = 0.0379
"""Of eight bits without signs, over operands that are not zero."""
FINE = 16
"""Levels from which on steps are small against the range, as the law of halving has it."""
HALVING = 0.1
"""How far the fitted slope of log2 error against bits may be from -1."""


def find_maps(tables: Mapping[str, pd.DataFrame], settings: Lut) -> Found:
    """Errors and ranks of tables, and what they say of encodings and multipliers."""
    errors, ranks = tables["map_errors"], tables["map_ranks"]
    inside = errors[errors.pairs == "in_range"]
    uniform = inside[inside.operands == "uniform"]
    slopes: dict[str, float | None] = {
        e: error_slope(uniform[uniform.table == e]) for e in settings.encodings
    }
    values = dict(_of_errors(inside)) | dict(_of_ranks(ranks)) | dict(_of_slopes(slopes))
    values |= dict(_of_least(errors, settings))
    claims = {
        "maps.mitchell8.mred_is_the_published_one": _mitchell(uniform),
        "maps.mitchell8.never_above": _never_above(uniform),
    }
    if "signed_ext" in settings.encodings and len(settings.sizes) > 1:
        claims["maps.signed_ext.error_halves_a_bit"] = _halves(slopes["signed_ext"])
    if {"signed_ext", "signed_log"} <= set(settings.encodings):
        claims |= dict(_logarithm(inside, settings))
    return Found(values, claims)


def error_slope(rows: pd.DataFrame) -> float | None:
    """Slope of log2 MED against log2 S, by least squares, where steps are small.

    None of fewer than two sizes.
    """
    rows = rows[rows["size"] >= FINE]
    if rows["size"].nunique() < 2 or not (rows.med > 0).all():
        return None
    return float(np.polyfit(np.log2(rows["size"]), np.log2(rows.med), 1)[0])


def _name(row: Mapping[str, object]) -> str:
    return f"maps.{row['table']}.{row['size']}"


def _of_errors(rows: pd.DataFrame) -> Iterator[tuple[str, Value]]:
    for row in rows.to_dict("records"):
        for column, unit in _UNITS.items():
            found = None if pd.isna(row[column]) else float(row[column])
            name = f"{_name(row)}.{row['operands']}.{column}"
            yield name, Value(value=found, unit=unit, origin=_ERRORS)
        crossover = None if pd.isna(row["crossover"]) else float(row["crossover"])
        name = f"{_name(row)}.{row['operands']}.crossover"
        yield name, Value(value=crossover, unit="errors added up", origin=_ERRORS)


def _of_ranks(rows: pd.DataFrame) -> Iterator[tuple[str, Value]]:
    for row in rows.to_dict("records"):
        yield f"{_name(row)}.rank", Value(value=int(row["rank"]), unit="1", origin=_RANKS)


def _of_slopes(slopes: Mapping[str, float | None]) -> Iterator[tuple[str, Value]]:
    for encoding, slope in slopes.items():
        yield (
            f"maps.{encoding}.slope",
            Value(value=slope, unit="octaves of error a bit", origin=_ERRORS),
        )


def _of_least(errors: pd.DataFrame, settings: Lut) -> Iterator[tuple[str, Value]]:
    """The encoding with a sign of least relative error at 256 levels, by operands."""
    rows = errors[(errors["size"] == 256) & (errors.pairs == "all")]
    signed = [name for name in settings.encodings if encoding_of(name).signed]
    rows = rows[rows.table.isin(signed)].dropna(subset=["mred"])
    for operands, found in rows.groupby("operands"):
        least = found.sort_values(["mred", "table"]).iloc[0]
        name = f"maps.least_mred_of_signed_at_8_bits.{operands}"
        yield name, Value(value=str(least.table), unit="encoding", origin=_ERRORS)


def _mitchell(uniform: pd.DataFrame) -> Claim:
    found = uniform[uniform.table == "mitchell8"].mred
    mred = float(found.iloc[0]) if len(found) else None
    return claim(
        "Mitchell's multiplier of eight bits has the published mean relative error of 3.79 %, "
        "over operands that are not zero.",
        value=mred,
        holds=mred is not None and round(mred, 4) == PUBLISHED_MITCHELL_MRED,
        threshold=PUBLISHED_MITCHELL_MRED,
        origin=_ERRORS,
    )


def _never_above(uniform: pd.DataFrame) -> Claim:
    found = uniform[uniform.table == "mitchell8"]
    share = float((-found.bias / found.med).iloc[0]) if len(found) else None
    return claim(
        "Mitchell's products are never above the true ones (minus the bias over MED).",
        value=share,
        holds=share is not None and abs(share - 1) < 1e-12,
        threshold=1,
        origin=_ERRORS,
    )


def _halves(slope: float | None) -> Claim:
    return claim(
        f"With every bit beyond {math.log2(FINE):g} evenly spaced codes err half as much, where "
        "products are within the range (slope of log2 MED against log2 S).",
        value=slope,
        holds=slope is not None and abs(slope + 1) < HALVING,
        threshold=-1,
        origin=_ERRORS,
    )


def _logarithm(inside: pd.DataFrame, settings: Lut) -> Iterator[tuple[str, Claim]]:
    """Whether logarithmic codes have less relative error than even ones at every size."""
    for operands, rows in inside.groupby("operands"):
        by_size = rows.pivot(index="size", columns="table", values="mred")
        by_size = by_size.loc[list(settings.sizes)]
        ratio = float((by_size.signed_log / by_size.signed_ext).max(skipna=False))
        yield (
            f"maps.signed_log.less_relative_error.{operands}",
            claim(
                "At every size logarithmic codes have less mean relative error than even ones, "
                f"operands: {operands}, products within the range (largest ratio).",
                value=ratio,
                holds=ratio < 1,
                threshold=1,
                origin=_ERRORS,
            ),
        )
