"""Whether one model loses more than another, paired over training seeds."""

import math
import warnings
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from qatlas.function.robustness.names import FLOAT_BITS, models_in_order

COLUMNS = ("line", "bit_width", "model", "other", "seeds", "difference", "p_value")


def paired_tests(rows: pd.DataFrame) -> pd.DataFrame:
    """Paired t tests between all models, for every line and every precision below 32 bits.

    Compared is ln(PPL / PPL32), each of the same seed.

    Parameters
    ----------
    rows
        Table ROBUSTNESS.

    Returns
    -------
    pd.DataFrame
        ``COLUMNS``: seeds are those that both models have, difference is the mean of the first
        model's loss less the other's, in nats per token. The p value is missing with fewer than
        two seeds and where a loss is infinite or all differences are equal.
    """
    losses = _losses(rows)
    found = [
        {"line": line, "bit_width": int(bits), "model": one, "other": other}
        | _compared(by_seed, one, other)
        for (line, bits), its_losses in losses.groupby(["line", "bit_width"])
        for by_seed in [its_losses.pivot_table("loss", "seed", "model", dropna=False)]
        for one, other in combinations(models_in_order(by_seed.columns), 2)
    ]
    return pd.DataFrame(found, columns=list(COLUMNS))


def _losses(rows: pd.DataFrame) -> pd.DataFrame:
    """Column loss, ln(PPL / PPL32), of every row below 32 bits whose seed has one at 32."""
    key = ["model", "line", "seed"]
    floats = rows[rows.bit_width == FLOAT_BITS][[*key, "perplexity"]]
    below = rows[rows.bit_width != FLOAT_BITS].merge(floats, on=key, suffixes=("", "_at_32"))
    return below.assign(loss=np.log(below.perplexity) - np.log(below.perplexity_at_32))


def _compared(by_seed: pd.DataFrame, one: str, other: str) -> dict[str, Any]:
    both = by_seed[[one, other]].dropna()
    differences = (both[one] - both[other]).to_numpy(float)
    known = bool(len(differences)) and bool(np.isfinite(differences).all())
    return {
        "seeds": len(differences),
        "difference": float(differences.mean()) if known else math.nan,
        "p_value": _p_value(both[one], both[other]) if known else math.nan,
    }


def _p_value(ones: pd.Series, others: pd.Series) -> float:
    from scipy.stats import ttest_rel

    if len(ones) < 2 or np.ptp(ones - others) == 0:
        return math.nan
    with warnings.catch_warnings():
        # Differences that are almost equal lose precision, which their p value survives.
        warnings.simplefilter("ignore", RuntimeWarning)
        return float(ttest_rel(ones, others).pvalue)
