"""What the chapter found, as named values and claims."""

from collections.abc import Iterator, Mapping

import pandas as pd

from qatlas.function.first_seed import of_first_seed
from qatlas.function.proxies import PROXIES, Proxy, proxy
from qatlas.summary import Claim, Summary, Value, claim

_EVALUATIONS = "function/tables/evaluations.parquet"
_LAYERS = "function/tables/layers.parquet"
_SENSITIVITIES = "function/tables/sensitivities.parquet"
_EMBEDDINGS = "function/tables/embeddings.parquet"
_FLOAT = {"float32": "reference", "bfloat16": "noise_floor"}
NF4, FP4 = "nf4", "fp4_bitsandbytes"
"""Grids that are compared with each other where a study has both."""


def summarize(tables: Mapping[str, pd.DataFrame], seed: int) -> Summary:
    """Values and claims of the chapter.

    Parameters
    ----------
    tables
        ``evaluations``, ``layers``, ``sensitivities`` and ``embeddings``.
    seed
        Of bootstrap intervals.
    """
    evaluations, layers = tables["evaluations"], tables["layers"]
    values: dict[str, Value] = {}
    claims: dict[str, Claim] = {}
    for name, rows in evaluations.groupby("model"):
        model = str(name)
        first = of_first_seed(rows)
        values |= dict(_of_references(model, rows))
        values |= dict(_of_points(model, first))
        proxies = {column: proxy(first, column, seed) for column in PROXIES}
        values |= dict(_of_proxies(model, proxies))
        claims[f"{model}.output_error_is_the_better_proxy"] = _better_proxy(model, proxies)
        claims[f"{model}.nf4_beats_fp4"] = _nf4_beats_fp4(model, first)
        alone = tables["sensitivities"]
        values |= dict(_of_linearity(model, alone[alone.model == model], first))
    for name, rows in layers.groupby("model"):
        claims[f"{name}.feedback_lowers_the_output_error"] = _feedback(str(name), rows)
    for name, rows in tables["embeddings"].groupby("model"):
        values |= dict(_of_encoder(str(name), rows))
    return Summary(chapter="function", values=values, claims=claims)


def _of_references(model: str, rows: pd.DataFrame) -> Iterator[tuple[str, Value]]:
    """Of the model itself, over its trainings."""
    for series, called in _FLOAT.items():
        found = rows[rows.series == series]
        for column, unit in (
            ("perplexity", "1"),
            ("bits_per_byte", "bits per byte"),
            ("mean_kl", "nats"),
        ):
            mean, deviation = float(found[column].mean()), float(found[column].std(ddof=1))
            spread = None if pd.isna(deviation) else deviation
            yield (
                f"{model}.{called}.{column}",
                Value(
                    value=mean,
                    unit=unit,
                    low=None if spread is None else mean - spread,
                    high=None if spread is None else mean + spread,
                    origin=_EVALUATIONS,
                ),
            )


def _of_points(model: str, rows: pd.DataFrame) -> Iterator[tuple[str, Value]]:
    quantized = rows[rows.codec != "cast"]
    for row in quantized.to_dict("records"):
        name = f"{model}.{row['series']}.{row['nominal_bits']:g}bit"
        for column, unit in (
            ("perplexity", "1"),
            ("mean_kl", "nats"),
            ("rate_bits_per_weight", "bits per weight"),
            ("output_nmse", "1"),
        ):
            found = None if pd.isna(row[column]) else row[column]
            yield f"{name}.{column}", Value(value=found, unit=unit, origin=_EVALUATIONS)


def _of_proxies(model: str, proxies: Mapping[str, Proxy | None]) -> Iterator[tuple[str, Value]]:
    for column, found in proxies.items():
        for coefficient in ("pearson", "spearman"):
            measured = None if found is None else getattr(found, coefficient)
            yield (
                f"{model}.{column}.{coefficient}",
                Value(
                    value=None if measured is None else measured.value,
                    unit="1",
                    low=None if measured is None else measured.low,
                    high=None if measured is None else measured.high,
                    origin=_EVALUATIONS,
                ),
            )
            yield (
                f"{model}.{column}.{coefficient}_p",
                Value(
                    value=None if measured is None else measured.p, unit="1", origin=_EVALUATIONS
                ),
            )


def _better_proxy(model: str, proxies: Mapping[str, Proxy | None]) -> Claim:
    weight, output = proxies["nmse"], proxies["output_nmse"]
    more = (
        None if weight is None or output is None else output.spearman.value - weight.spearman.value
    )
    return claim(
        f"Over all codecs and rates the output error of layers of {model} ranks the error of its "
        "logits better than the error of the weights does (difference of Spearman's coefficients).",
        value=more,
        holds=more is not None and more > 0,
        threshold=0,
        origin=_EVALUATIONS,
    )


def _nf4_beats_fp4(model: str, rows: pd.DataFrame) -> Claim:
    kl = rows.set_index("series").mean_kl
    known = {NF4, FP4} <= {*kl.index}
    percent = float(100 * (1 - kl[NF4] / kl[FP4])) if known else None
    return claim(
        f"NF4 changes the output of {model} less than FP4 as bitsandbytes has it (percent less "
        "KL).",
        value=percent,
        holds=percent is not None and percent > 0,
        threshold=0,
        origin=_EVALUATIONS,
    )


def _of_linearity(
    model: str, alone: pd.DataFrame, rows: pd.DataFrame
) -> Iterator[tuple[str, Value]]:
    """What layers do to the logits one at a time, added up, over what they do together."""
    for (series, bits), found in alone.groupby(["series", "nominal_bits"]):
        together = rows[(rows.series == series) & (rows.nominal_bits == bits)]
        for column in ("logits_mse", "mean_kl"):
            yield (
                f"{model}.linearity.{bits:g}bit.{column}",
                Value(
                    value=float(found[column].sum() / together[column].iloc[0]),
                    unit="1",
                    origin=_SENSITIVITIES,
                ),
            )


def _feedback(model: str, rows: pd.DataFrame) -> Claim:
    """Whether GPTQ has less output error than rounding on the same scales, on every layer."""
    key = ["seed", "tensor", "nominal_bits"]
    plain = rows[rows.series == "uniform_channel_asymmetric"].set_index(key).output_nmse
    gptq = rows[rows.series == "gptq_channel"].set_index(key).output_nmse
    ratio = float((gptq / plain).max())
    return claim(
        f"GPTQ has less output error than rounding to nearest on the same grid, one scale a "
        f"channel, on every layer of {model} and at every rate (largest ratio).",
        value=None if pd.isna(ratio) else ratio,
        holds=ratio < 1,
        threshold=1,
        origin=_LAYERS,
    )


def _of_encoder(model: str, rows: pd.DataFrame) -> Iterator[tuple[str, Value]]:
    """Of a sentence encoder: each point, and the most neighbours that stay at four bits."""
    for row in rows.to_dict("records"):
        name = f"{model}.{row['series']}.{row['nominal_bits']:g}bit"
        for column, unit in (
            ("rate_bits_per_weight", "bits per weight"),
            ("embedding_mse", "1"),
            ("cosine", "1"),
            ("neighbour_overlap", "1"),
        ):
            yield f"{name}.{column}", Value(value=row[column], unit=unit, origin=_EMBEDDINGS)
    of_four = rows[rows.nominal_bits == 4].neighbour_overlap
    if len(of_four):
        most = Value(value=float(of_four.max()), unit="1", origin=_EMBEDDINGS)
        yield f"{model}.most_overlap_at_4_bits", most
