"""How well an error that is cheap to compute tells what the output becomes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from qatlas.seeds import generator

Floats = NDArray[np.float64]

PROXIES = {"nmse": "weight error", "output_nmse": "output error of layers"}
"""Columns of ``evaluations`` that need no text to be predicted, and what they are called."""

OUTPUT = "logits_mse"
"""Column of what the output becomes."""

_RESAMPLES = 2000
_LEVEL = 0.95


@dataclass(frozen=True)
class Correlation:
    """A coefficient with its 95 % bootstrap interval and the p-value of none."""

    value: float
    low: float
    high: float
    p: float


@dataclass(frozen=True)
class Proxy:
    """How one error goes with the other over many points.

    Attributes
    ----------
    points
        Number of points, those at which nothing is lost left out.
    pearson
        Of the logarithms.
    spearman
        Of the ranks.
    """

    points: int
    pearson: Correlation
    spearman: Correlation


def proxy(rows: pd.DataFrame, column: str, seed: int) -> Proxy | None:
    """Correlate a proxy with the error of the logits; None for fewer than 4 points.

    Parameters
    ----------
    rows
        Of the table ``evaluations``, of one model.
    column
        One of ``PROXIES``.
    seed
        Of the bootstrap, percentile intervals over points (Efron & Tibshirani 1993, "An
        introduction to the bootstrap", chapter 13).
    """
    found = rows[(rows[column] > 0) & (rows[OUTPUT] > 0) & np.isfinite(rows[OUTPUT])]
    if len(found) < 4:
        return None
    x, y = (np.log10(found[name].to_numpy()) for name in (column, OUTPUT))
    pearson, spearman = stats.pearsonr(x, y), stats.spearmanr(x, y)
    return Proxy(
        len(found),
        _correlation(pearson, *_resampled(x, y, seed)),
        # Spearman's coefficient is Pearson's of the ranks.
        _correlation(spearman, *(stats.rankdata(v, axis=1) for v in _resampled(x, y, seed))),
    )


def _resampled(x: Floats, y: Floats, seed: int) -> tuple[Floats, Floats]:
    """Pairs drawn with replacement, shape (resamples, points)."""
    random = generator(seed, "bootstrap")
    places = random.integers(0, x.size, (_RESAMPLES, x.size))
    return x[places], y[places]


def _correlation(found: Any, x: Floats, y: Floats) -> Correlation:
    """A coefficient with the interval that Pearson's of each row of resamples spans."""
    again = stats.pearsonr(x, y, axis=1).statistic
    known = again[~np.isnan(again)]
    low, high = np.quantile(known, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return Correlation(float(found.statistic), float(low), float(high), float(found.pvalue))
