"""What the chapter claims, judged by its tables."""

import json
import math
from collections.abc import Collection, Iterator, Mapping, Sequence

import pandas as pd

from qatlas.config.rate_distortion import RateDistortion
from qatlas.rate_distortion.allocation_summary import allocation_claims
from qatlas.rate_distortion.operating_points import BITS
from qatlas.summary import Claim, claim

_MEASUREMENTS = "rate_distortion/tables/measurements.parquet"
_ROTATION = "rate_distortion/tables/rotation.parquet"

_ENTROPY_CODED_GAP_BITS = 0.26
_ENTROPY_CODED_FROM_BITS = 2
_BEST_GAP_BITS = 0.05
_EXACTLY_BITS = 0.05
_KURTOSIS_OFF_3 = 0.5


def claims(
    tables: Mapping[str, pd.DataFrame],
    settings: RateDistortion,
    sampled: Sequence[str],
    configured: Collection[str],
) -> dict[str, Claim]:
    """Claims by name; see ``summarize`` for the parameters."""
    rows = tables["measurements"]
    trained = sorted(set(rows.model) - set(sampled))
    return {
        "sources.nothing_below_the_empirical_bound": _nothing_below_the_bound(rows, sampled),
        "lloyd_max.least_error_with_one_grid_a_tensor": _lloyd_max_is_optimal(rows),
        f"example.channel_beats_tensor_at_{settings.sensitivity_bits}bit": _channel_beats_tensor(
            rows, settings
        ),
        "entropy_coded.a_quarter_bit_from_the_empirical_bound": _entropy_coded_gap(rows),
        **{f"{model}.nf4_beats_fp4": _nf4_beats_fp4(rows, model) for model in trained},
        **{
            f"{model}.rotation_makes_gaussian": _rotation_makes_gaussian(tables["rotation"], model)
            for model in trained
        },
        **{
            f"{model}.best_near_the_empirical_bound": _best_near_the_bound(rows, model)
            for model in sorted(set(rows.model))
        },
        **allocation_claims(tables["allocation_totals"]),
        **{f"{series}.measured": _skipped(series) for series in {*configured} - {*rows.series}},
    }


def _skipped(series: str) -> Claim:
    return claim(
        f"The codec grid {series} was measured (its rows); snakemake says first what it needs.",
        value=None,
        holds=False,
        threshold=1,
        origin=_MEASUREMENTS,
    )


def _nothing_below_the_bound(rows: pd.DataFrame, sampled: Sequence[str]) -> Claim:
    smallest = float(rows[rows.model.isin(sampled)].gap_empirical_bits.min())
    return claim(
        "On independent samples no codec lies below the empirical rate-distortion function.",
        value=smallest,
        holds=smallest >= 0,
        threshold=0,
        origin=_MEASUREMENTS,
    )


def _lloyd_max_is_optimal(rows: pd.DataFrame) -> Claim:
    key = ["model", "tensor", "nominal_bits"]
    tensorwise = _parameter(rows, "granularity") == "tensor"
    uniform = rows[(rows.codec == "uniform") & tensorwise].groupby(key).mse.min()
    optimal = rows[rows.codec == "lloyd_max"].set_index(key).mse
    ratio = float((optimal / uniform).max())
    return claim(
        "At equal bits the optimal codebook has no more error than any uniform grid with one "
        "scale a tensor, on every tensor (largest ratio of the two errors).",
        value=ratio,
        holds=ratio <= 1,
        threshold=1,
        origin=_MEASUREMENTS,
    )


def _channel_beats_tensor(rows: pd.DataFrame, settings: RateDistortion) -> Claim:
    bits = settings.sensitivity_bits
    example = rows[
        (rows.model == settings.example.model)
        & (rows.tensor == settings.example.tensor)
        & (rows.nominal_bits == bits)
    ].drop_duplicates("series")
    mse = example.set_index("series").mse.reindex([settings.by_tensor, settings.by_channel])
    ratio = float(mse.iloc[0] / mse.iloc[1])
    return claim(
        f"One scale a channel has less error than one a tensor at {bits} bits on the example "
        "(ratio of the two errors).",
        value=ratio,
        holds=ratio > 1,
        threshold=1,
        origin=_MEASUREMENTS,
    )


def _entropy_coded_gap(rows: pd.DataFrame) -> Claim:
    fine = (rows.codec == "entropy_coded") & (rows.nominal_bits >= _ENTROPY_CODED_FROM_BITS)
    largest = float(rows[fine].gap_empirical_bits.max())
    return claim(
        f"From {_ENTROPY_CODED_FROM_BITS} bits on entropy-coded scalar quantization is within "
        f"{_ENTROPY_CODED_GAP_BITS} bit of the empirical bound on every tensor (largest gap in "
        "bits).",
        value=largest,
        holds=largest <= _ENTROPY_CODED_GAP_BITS,
        threshold=_ENTROPY_CODED_GAP_BITS,
        origin=_MEASUREMENTS,
    )


def _nf4_beats_fp4(rows: pd.DataFrame, model: str) -> Claim:
    formats = rows[(rows.codec == "formats") & (rows.model == model)]
    total = {}
    for (granularity, scale, data_type), points in formats.groupby(
        [_parameter(formats, name) for name in ("granularity", "scale_dtype", "data_type")]
    ):
        error = float((points.mse * points.weights).sum())
        total[granularity, scale, data_type] = (error, len(points))
    less = [
        100 * (1 - error / total[granularity, scale, "fp4_bitsandbytes"][0])
        for (granularity, scale, data_type), (error, tensors) in total.items()
        if data_type == "nf4"
        and total.get((granularity, scale, "fp4_bitsandbytes"), (0.0, 0))[1] == tensors
    ]
    percent = min(less, default=math.nan)
    return claim(
        f"NF4 has less squared error than FP4 as bitsandbytes has it, at the same blocks and "
        f"scales, over all weights of {model} (percent less).",
        value=percent,
        holds=percent > 0,
        threshold=0,
        origin=_MEASUREMENTS,
    )


def _rotation_makes_gaussian(rotation: pd.DataFrame, model: str) -> Claim:
    off = float((rotation[rotation.model == model].kurtosis_rotated_both - 3).abs().max())
    return claim(
        f"A randomized Hadamard transform of both sides brings the kurtosis of every tensor of "
        f"{model} to 3 within {_KURTOSIS_OFF_3} (largest distance from 3).",
        value=off,
        holds=off <= _KURTOSIS_OFF_3,
        threshold=_KURTOSIS_OFF_3,
        origin=_ROTATION,
    )


def _best_near_the_bound(rows: pd.DataFrame, model: str) -> Claim:
    # Where one is missing, nothing is claimed of all.
    largest = float(pd.Series([*_least_gaps(rows[rows.model == model])]).max(skipna=False))
    return claim(
        f"At 2, 3 and 4 bits per weight the best codec is within {_BEST_GAP_BITS} bit of the "
        f"empirical bound on every tensor of {model} (largest gap in bits).",
        value=largest,
        holds=largest <= _BEST_GAP_BITS,
        threshold=_BEST_GAP_BITS,
        origin=_MEASUREMENTS,
    )


def _least_gaps(rows: pd.DataFrame) -> Iterator[float]:
    """The smallest gap of all codecs, for every tensor and each of the three rates."""
    tensors = rows.tensor.unique()
    for bits in BITS:
        at_rate = rows[(rows.rate_bits_per_weight - bits).abs() <= _EXACTLY_BITS]
        yield from at_rate.groupby("tensor").gap_empirical_bits.min().reindex(tensors)


def _parameter(rows: pd.DataFrame, name: str) -> "pd.Series[object]":
    """A parameter of each row's codec; missing where it has none of that name."""
    return rows.parameters.map(lambda parameters: json.loads(parameters).get(name))
