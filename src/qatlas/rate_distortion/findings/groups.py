"""The families on three groups of weights at about equal rates, over evenly spaced layers."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from qatlas.config.rate_distortion import RateDistortion
from qatlas.rate_distortion.averages import mean_points
from qatlas.rate_distortion.findings.window import around
from qatlas.summary import Value

GROUPS = {"mlp": "MLP", "attention_q": "attention query", "embedding": "embeddings"}
"""What kinds begin with, and how the groups are called."""

_MOST_LAYERS = 6
_ORIGIN = "rate_distortion/tables/measurements.parquet"


def evenly_spaced(layers: Sequence[int]) -> list[int]:
    """Up to six of the layers, the first and the last among them."""
    known = sorted(set(layers))
    places = np.linspace(0, len(known) - 1, min(len(known), _MOST_LAYERS)).round().astype(int)
    return [known[place] for place in places]


def compare_groups(measurements: pd.DataFrame, settings: RateDistortion) -> pd.DataFrame:
    """Each family's best series at about the chosen bits, averaged over each group.

    The best is the series with the smallest gap to the empirical bound, averaged over the groups.

    Returns
    -------
    pd.DataFrame
        As ``mean_points`` with the column group, one row a family and group; families that were
        not measured on every group are left out.
    """
    rows = measurements[measurements.model == settings.example.model]
    kept = set(evenly_spaced(rows.layer.dropna().astype(int).tolist()))
    rows = rows[rows.layer.isna() | rows.layer.isin(kept)]
    rows = rows.assign(group=rows.kind.map(_group_of)).dropna(subset=["group"])
    points = around(mean_points(rows, ["group"]), settings.sensitivity_bits)
    points = points.dropna(subset=["gap_empirical_bits"])
    key = ["codec", "series", "nominal_bits"]
    everywhere = points.groupby(key).group.transform("nunique") == points.group.nunique()
    points = points[everywhere]
    means = points.groupby(key).gap_empirical_bits.mean().reset_index()
    best = means.sort_values(["gap_empirical_bits", "series"]).drop_duplicates("codec")
    return best[key].merge(points, on=key)


def groups_values(measurements: pd.DataFrame, settings: RateDistortion) -> dict[str, Value]:
    """The gap of each family's best series on each group, and the largest spread of a family."""
    compared = compare_groups(measurements, settings)
    name = f"groups.{settings.sensitivity_bits}bit"
    values = {
        f"{name}.{row.codec}.{row.group}.gap_empirical_bits": Value(
            value=row.gap_empirical_bits, unit="bits per weight", origin=_ORIGIN
        )
        for row in compared.itertuples()
    }
    if compared.empty:
        return values
    spread = compared.groupby("codec").gap_empirical_bits.agg(lambda gaps: gaps.max() - gaps.min())
    return values | {
        f"{name}.largest_spread_family": Value(
            value=str(spread.idxmax()), unit="codec", origin=_ORIGIN
        ),
        f"{name}.largest_spread_bits": Value(
            value=float(spread.max()), unit="bits per weight", origin=_ORIGIN
        ),
    }


def _group_of(kind: str) -> str | None:
    return next((g for g in GROUPS if kind == g or kind.startswith(f"{g}_")), None)
