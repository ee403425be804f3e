"""What language models predict when they multiply by table."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from qatlas.config.lut import Lut
from qatlas.lut.encodings import ENCODINGS
from qatlas.lut.findings.found import Found
from qatlas.lut.language_models.stages import (
    ACCUMULATE,
    ENCODE,
    EXACT,
    FLOAT,
    NEAREST,
    NOISE,
    PRODUCT,
)
from qatlas.summary import Claim, Value, claim

_ORIGIN = "lut/tables/table_models.parquet"
TOLERANCE = 0.05
"""Largest relative increase of the perplexity of a model that is as good as before."""
_UNITS = {"perplexity": "1", "mean_kl": "nats"}


def find_models(tables: Mapping[str, pd.DataFrame], settings: Lut) -> Found:
    """Perplexities and divergences, their parts, and the smallest table that serves."""
    values: dict[str, Value] = {}
    claims: dict[str, Claim] = {}
    for name, rows in tables["table_models"].groupby("model", sort=False):
        named = f"models.{name}"
        itself = rows[rows.stage == FLOAT].iloc[0]
        encoded = by_table(rows, settings)
        values |= dict(_of_points(named, rows))
        values |= dict(_of_parts(named, rows))
        values |= dict(_of_smallest(named, encoded, itself.perplexity))
        claims[f"{named}.a_table_keeps_perplexity"] = _keeps(str(name), encoded, itself.perplexity)
        if {"signed_ext", "signed_log"} <= set(encoded.encoding):
            claims[f"{named}.logarithmic_products_diverge_less"] = _logarithm(str(name), encoded)
    return Found(values, claims)


def by_table(rows: pd.DataFrame, settings: Lut) -> pd.DataFrame:
    """Rows of encoded tables with nearest levels and exact sums, small to large."""
    section = settings.language_models
    encodings = section.encodings if section else ()
    kept = rows[(rows.stage == PRODUCT) & (rows.method == NEAREST) & rows.encoding.isin(encodings)]
    return kept.sort_values(["encoding", "size"])


def smallest_size(rows: pd.DataFrame, itself: float) -> int | None:
    """The least size from which on perplexity stays within the tolerance; None if none does.

    Parameters
    ----------
    rows
        Tables of one encoding.
    itself
        Perplexity of the float model.
    """
    within = rows[rows.perplexity > itself * (1 + TOLERANCE)]["size"].max()
    left = rows["size"] if np.isnan(within) else rows["size"][rows["size"] > within]
    return int(left.min()) if len(left) else None


def parts_of_kl(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean KL of encoded tables, by what operands, products and sums add to it.

    Every stage is one evaluation less exact than the last; a part is its mean KL less the last's.
    Multipliers have levels of their own and are not taken apart.

    Parameters
    ----------
    rows
        Of one model.

    Returns
    -------
    DataFrame
        Columns encoding, size, method, accumulator, encode, product, accumulate: nats.
    """
    key = ["encoding", "size", "method"]
    rows = rows[rows.encoding.isin([*ENCODINGS, EXACT])]
    kl = rows[[*key, "stage", "accumulator", "mean_kl"]]
    encode = kl[kl.stage == ENCODE][["size", "method", "mean_kl"]]
    product = kl[kl.stage == PRODUCT][[*key, "mean_kl"]]
    known = encode.merge(product, on=["size", "method"], suffixes=("_encode", "_product"))
    parts = kl[kl.stage.isin([PRODUCT, ACCUMULATE])].merge(known, on=key)
    return parts.assign(
        encode=parts.mean_kl_encode,
        product=parts.mean_kl_product - parts.mean_kl_encode,
        accumulate=parts.mean_kl - parts.mean_kl_product,
    )[[*key, "accumulator", "encode", "product", "accumulate"]]


def _of_points(named: str, rows: pd.DataFrame) -> Iterator[tuple[str, Value]]:
    for row in rows.to_dict("records"):
        called = f"{named}.{row['stage']}"
        if row["stage"] not in (FLOAT, NOISE):
            called += f".{row['encoding']}.{row['size']}.{row['method']}.{row['accumulator']}"
        for column, unit in _UNITS.items():
            yield f"{called}.{column}", Value(value=row[column], unit=unit, origin=_ORIGIN)


def _of_parts(named: str, rows: pd.DataFrame) -> Iterator[tuple[str, Value]]:
    for row in parts_of_kl(rows).to_dict("records"):
        called = f"{row['encoding']}.{row['size']}.{row['method']}.{row['accumulator']}"
        for part in (ENCODE, PRODUCT, ACCUMULATE):
            value = Value(value=row[part], unit="nats", origin=_ORIGIN)
            yield f"{named}.parts.{called}.{part}", value


def _of_smallest(named: str, encoded: pd.DataFrame, itself: float) -> Iterator[tuple[str, Value]]:
    for encoding, rows in encoded.groupby("encoding"):
        size = smallest_size(rows, itself)
        yield (
            f"{named}.smallest_table.{encoding}",
            Value(value=size, unit="levels", origin=_ORIGIN),
        )


def _keeps(model: str, encoded: pd.DataFrame, itself: float) -> Claim:
    sizes = {
        str(encoding): size
        for encoding, rows in encoded.groupby("encoding")
        if (size := smallest_size(rows, itself))
    }
    increase = encoded.assign(percent=100 * (encoded.perplexity / itself - 1))
    if sizes:
        size = min(sizes.values())
        of_size = increase[(increase["size"] == size) & increase.encoding.isin(sizes)]
        best = of_size[[sizes[e] == size for e in of_size.encoding]].sort_values("percent").iloc[0]
        which = f"the smallest that does has {size} levels, encoding {best.encoding}"
    else:
        best = increase.sort_values("percent").iloc[0]
        which = f"none does; the nearest has {best['size']} levels, encoding {best.encoding}"
    return claim(
        f"A table keeps the perplexity of {model} within {100 * TOLERANCE:g} %: {which} (percent "
        "above the float model).",
        value=float(best.percent),
        holds=float(best.percent) <= 100 * TOLERANCE,
        threshold=100 * TOLERANCE,
        origin=_ORIGIN,
    )


def _logarithm(model: str, encoded: pd.DataFrame) -> Claim:
    kl = encoded.pivot(index="size", columns="encoding", values="mean_kl")
    ratio = float((kl.signed_log / kl.signed_ext).max(skipna=False))
    return claim(
        f"At every size {model} diverges less from the float model with logarithmic codes of "
        "products than with even ones (largest ratio of mean KL).",
        value=ratio,
        holds=ratio < 1,
        threshold=1,
        origin=_ORIGIN,
    )
