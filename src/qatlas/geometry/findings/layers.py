"""What was found of the layers of trained models."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from qatlas.geometry.findings.numbers import number
from qatlas.summary import Claim, Value, claim

_SPECTRA = "geometry/tables/layer_spectra.parquet"
_SUPPORTS = "geometry/tables/layer_supports.parquet"
_FLIPS = "geometry/tables/layer_flips.parquet"
_SHARES = "geometry/tables/layer_shares.parquet"
_CORRECTIONS = "geometry/tables/layer_corrections.parquet"
_GROWTHS = "geometry/tables/layer_growths.parquet"
_ARTICLE = {"full": "the full affine map", "ridge": "the affine map by ridge regression"}
_SCOPE = {"alone": "rounded alone", "model": "all rounded"}
NEAR = 0.1
"""What is meant by being near a law: relative."""


def values(tables: Mapping[str, pd.DataFrame]) -> Iterator[tuple[str, Value]]:
    """Of the tables ``layer_*``, under ``layers.<model>``."""
    for (model, bits), rows in tables["layer_spectra"].groupby(["model", "bits"]):
        name = f"layers.{model}.{bits}bit"
        yield f"{name}.participation", _median(rows.participation, "dimensions", _SPECTRA)
        yield f"{name}.entropy_dimension", _median(rows.entropy_dimension, "dimensions", _SPECTRA)
        yield f"{name}.cell_participation", _median(rows.cell_participation, "dimensions", _SPECTRA)
        off = (rows.participation / rows.predicted_participation - 1).abs()
        yield f"{name}.participation_off", _median(off, "1, relative to prediction", _SPECTRA)
        off = (rows.rms / rows.predicted_rms - 1).abs()
        yield f"{name}.rms_off", _median(off, "1, relative to prediction", _SPECTRA)
    for (model, source), rows in tables["layer_supports"].groupby(["model", "source"]):
        ratio = rows.ratio / rows.law
        yield f"layers.{model}.support.{source}.over_law", _median(ratio, "1", _SUPPORTS)
    flips = tables["layer_flips"]
    for (model, scope, bits), rows in flips[flips.flip_rate > 0].groupby(
        ["model", "scope", "bits"]
    ):
        name = f"layers.{model}.{scope}.{bits}bit.flips"
        yield f"{name}.rate", _median(rows.flip_rate, "1", _FLIPS)
        for law in ("law", "law_by_unit", "law_with_means"):
            yield f"{name}.over_{law}", _median(rows.flip_rate / rows[law], "1", _FLIPS)
    for (model, bits), rows in tables["layer_shares"].groupby(["model", "bits"]):
        name = f"layers.{model}.{bits}bit.mlp"
        yield f"{name}.topological_hidden", _median(rows.hidden, "1", _SHARES)
        yield f"{name}.topological_output", _median(rows.output, "1", _SHARES)
        yield f"{name}.units_turned", _median(rows.units, "1", _SHARES)
    corrections = tables["layer_corrections"].groupby(["model", "scope", "bits", "correction"])
    for (model, scope, bits, correction), rows in corrections:
        name = f"layers.{model}.{scope}.{bits}bit.{correction}"
        yield f"{name}.recovered", _median(rows.held_out, "1", _CORRECTIONS)
        yield f"{name}.recovered_where_fitted", _median(rows.fitted, "1", _CORRECTIONS)
    growths = tables["layer_growths"]
    last = growths[growths.block == growths.groupby("model").block.transform("max")]
    for row in last.to_dict("records"):
        name = f"layers.{row['model']}.{row['bits']}bit.last_block"
        for column in ("measured", "first_order", "unexplained"):
            yield f"{name}.{column}", Value(value=row[column], unit="1", origin=_GROWTHS)


def claims(tables: Mapping[str, pd.DataFrame]) -> Iterator[tuple[str, Claim]]:
    """What laws of random errors tell of the layers of trained models, and what they do not."""
    for model, rows in tables["layer_spectra"].groupby("model"):
        yield from _of_spectra(str(model), rows)
    for model, rows in tables["layer_supports"].groupby("model"):
        yield from _of_supports(str(model), rows)
    for model, rows in tables["layer_flips"].groupby("model"):
        yield from _of_flips(str(model), rows)
    for model, rows in tables["layer_corrections"].groupby("model"):
        yield from _of_corrections(str(model), rows)
    for model, rows in tables["layer_growths"].groupby("model"):
        yield from _of_growth(str(model), rows)


def _of_spectra(model: str, rows: pd.DataFrame) -> Iterator[tuple[str, Claim]]:
    for column, called in (
        ("rms", "size of the output error of a layer"),
        ("participation", "effective dimension of the output error of a layer"),
    ):
        near = float(((rows[column] / rows[f"predicted_{column}"] - 1).abs() <= NEAR).mean())
        yield (
            f"layers.{model}.{column}_follows_from_rounding_cell_and_inputs",
            claim(
                f"The {called} of {model} is within {NEAR:.0%} of what the steps of its weights "
                "and the moments of its inputs predict, for nine in ten layers and widths (share).",
                near,
                near >= 0.9,
                0.9,
                _SPECTRA,
            ),
        )


def _of_supports(model: str, rows: pd.DataFrame) -> Iterator[tuple[str, Claim]]:
    for source, called in (
        ("inputs", "sqrt(6 p / pi) when its inputs are rounded"),
        ("weights", "sqrt(12 p) / pi when its weights are rounded, at real inputs"),
    ):
        found = rows[rows.source == source]
        off = float((found.ratio / found.law - 1).abs().max())
        yield (
            f"layers.{model}.support.{source}_follow_the_law",
            claim(
                f"Worst over RMS of the output error of every layer of {model} is within "
                f"{NEAR:.0%} of {called} (largest relative difference).",
                off,
                off <= NEAR,
                NEAR,
                _SUPPORTS,
            ),
        )


def _of_flips(model: str, rows: pd.DataFrame) -> Iterator[tuple[str, Claim]]:
    for scope, called in (
        ("alone", "when it alone is rounded"),
        ("model", "when all are rounded"),
    ):
        found = rows[(rows.scope == scope) & (rows.flip_rate > 0)]
        off = float((found.flip_rate / found.law - 1).abs().median())
        yield (
            f"layers.{model}.{scope}.flips_follow_the_gaussian_law",
            claim(
                f"Outputs of a layer of {model} change their sign within {NEAR:.0%} as often as "
                f"atan(s_e / s_z) / pi {called} (median over layers and widths of the relative "
                "difference).",
                off,
                off <= NEAR,
                NEAR,
                _FLIPS,
            ),
        )


def _of_corrections(model: str, rows: pd.DataFrame) -> Iterator[tuple[str, Claim]]:
    wide = rows.pivot_table(
        index=["tensor", "scope", "outputs", "inputs"], columns="correction", values="held_out"
    ).reset_index()
    for scope in ("alone", "model"):
        found = wide[wide.scope == scope]
        for better in ("full", "ridge"):
            # Of layers with too few tokens for their outputs there is no such map.
            more = (
                float((found[better] - found.diagonal).dropna().min())
                if better in found and found[better].notna().any()
                else np.nan
            )
            yield (
                f"layers.{model}.{scope}.{better}_recovers_no_less_than_diagonal",
                claim(
                    f"On held-out tokens {_ARTICLE[better]} recovers at least as much of the "
                    f"output error as a scale an output, on every layer of {model}, "
                    f"{_SCOPE[scope]} (least difference of shares).",
                    more,
                    more >= 0,
                    0,
                    _CORRECTIONS,
                ),
            )
    some = float((wide[wide.scope == "model"].diagonal).median())
    yield (
        f"layers.{model}.model.diagonal_recovers_most",
        claim(
            f"With all layers of {model} rounded, a scale and an offset an output recover more "
            "than half of the error on held-out tokens (median over layers).",
            some,
            some > 0.5,
            0.5,
            _CORRECTIONS,
        ),
    )


def _of_growth(model: str, rows: pd.DataFrame) -> Iterator[tuple[str, Claim]]:
    last = rows[rows.block == rows.block.max()]
    for row in last.to_dict("records"):
        yield (
            f"layers.{model}.{row['bits']}bit.growth_is_of_first_order",
            claim(
                f"Behind the last block of {model} at {row['bits']} bits less than half of the "
                "error is not what first-order propagation predicts (RMS of the difference over "
                "that of the error).",
                row["unexplained"],
                row["unexplained"] < 0.5,
                0.5,
                _GROWTHS,
            ),
        )


def _median(found: pd.Series, unit: str, origin: str) -> Value:
    """Median over layers, with the least and the largest of them."""
    known = found.dropna()
    if not len(known):
        return Value(value=None, unit=unit, origin=origin)
    return Value(
        value=number(known.median()),
        unit=f"{unit}, median over layers",
        low=float(known.min()),
        high=float(known.max()),
        origin=origin,
    )
