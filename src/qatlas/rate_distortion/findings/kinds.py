"""Codecs on embeddings, attention and feed-forward weights, each kind averaged."""

import pandas as pd

from qatlas.config.rate_distortion import RateDistortion
from qatlas.envelopes import with_best
from qatlas.rate_distortion.averages import mean_limits, mean_points
from qatlas.rate_distortion.findings.nearest import nearest_values
from qatlas.summary import Value

GROUPS = {"embedding": "embeddings", "attention": "attention", "mlp": "MLP"}
"""Groups of kinds, what stands before the first underscore of a kind, and how they are called."""


def curves_of_groups(measurements: pd.DataFrame, model: str) -> pd.DataFrame:
    """Points averaged over a model's tensors of a group, as ``mean_points`` with ``best``."""
    rows = _of_groups(measurements, model)
    return with_best(mean_points(rows, ["group"]), ["group"])


def limits_of_groups(bounds: pd.DataFrame, measurements: pd.DataFrame, model: str) -> pd.DataFrame:
    """Limits averaged over a model's tensors of a group, as ``mean_limits``."""
    tensors = _of_groups(measurements, model).drop_duplicates(["model", "tensor"])
    return mean_limits(bounds, tensors, ["group"])


def kinds_values(measurements: pd.DataFrame, settings: RateDistortion) -> dict[str, Value]:
    """The series nearest to the empirical bound of each group around 2, 3 and 4 bits."""
    points = curves_of_groups(measurements, settings.example.model)
    return {
        name: value
        for group in GROUPS
        for name, value in nearest_values(f"kinds.{group}", points[points.group == group]).items()
    }


def _of_groups(measurements: pd.DataFrame, model: str) -> pd.DataFrame:
    rows = measurements[measurements.model == model]
    rows = rows.assign(group=rows.kind.map(lambda kind: kind.partition("_")[0]))
    return rows[rows.group.isin(GROUPS)]
