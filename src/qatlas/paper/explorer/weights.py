"""Rate and distortion of weights: measured tensors, and averages over kinds and layers."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

import numpy as np
import pandas as pd

from qatlas.codecs.base import PARTS
from qatlas.envelopes import with_best
from qatlas.family_curves import in_order
from qatlas.paper.explorer.content import Dataset, Facet, Family, Field, Limit
from qatlas.paper.explorer.scopes import Block, Scopes
from qatlas.plotting import family_colour, readable
from qatlas.rate_distortion.averages import mean_limits, mean_points
from qatlas.rate_distortion.curves import with_intervals
from qatlas.rate_distortion.drawing import LIMITS

_FACETS = ("model", "kind", "layer", "tensor")
_PARTS = {f"{part}_bits_per_weight": part.replace("_", " ") for part in PARTS}
_MEANT = (
    "rate_bits_per_weight",
    *_PARTS,
    *("mse", "nmse", "gap_shannon_bits", "gap_empirical_bits", "gap_channel_variance_bits"),
)
"""What is averaged over tensors, each by its number of weights."""
_INTERVALS = ("mse", "nmse", "gap_shannon_bits")

FIELDS = (
    Field("series", "codec grid", "codec grid"),
    Field("family", "family"),
    Field("parameters", "parameters", "parameters"),
    Field("tensor", "tensor"),
    Field("kind", "kind"),
    Field("layer", "layer"),
    Field("rate_bits_per_weight", "true rate (bits per weight)", "true rate"),
    *(Field(column, f"of it {part}", f"of it {part}") for column, part in _PARTS.items()),
    Field("at", "nominal bits"),
    Field("mse", "MSE", "MSE"),
    Field("mse_low", "MSE, 95 % low", "95 % from"),
    Field("mse_high", "MSE, 95 % high", "to"),
    Field("nmse", "MSE / variance", "MSE / variance"),
    Field("gap_empirical_bits", "gap to the empirical bound (bits)", "gap to empirical"),
    Field("gap_shannon_bits", "gap to the Gaussian Shannon bound (bits)", "gap to Shannon"),
    Field("gap_channel_variance_bits", "gap to the bound of Gaussian channels (bits)"),
)
_COLUMNS = [
    *(field.column for field in FIELDS),
    *(f"{column}_{end}" for column in _INTERVALS if column != "mse" for end in ("low", "high")),
    "best",
    "job",
]


def weights_dataset(
    measurements: pd.DataFrame, bounds: pd.DataFrame, jobs: pd.DataFrame, first_model: str
) -> Dataset:
    """Every measured tensor, and the averages that figures show, over more kinds and layers.

    Averages and their limits are those of ``rate_distortion.averages``; tensors without variance
    are no part of them.

    Parameters
    ----------
    measurements, bounds
        The tables of those names.
    jobs
        Columns model, tensor, codec and job.
    first_model
        The model that is shown unasked.
    """
    names = sorted(jobs.job.unique())
    measured = measurements.merge(jobs, on=["model", "tensor", "codec"], how="left")
    measured = measured.assign(
        layer=_written(measured.layer), job=measured.job.map({n: i for i, n in enumerate(names)})
    )
    scopes = Scopes()
    for block, choices in _blocks(measured, bounds):
        scopes.add(block, choices)
    found, rows, limits = scopes.tables()
    return Dataset(
        facets=(
            Facet("model", "Model", first=first_model),
            Facet("kind", "Kind", "all kinds"),
            Facet("layer", "Layer", "all layers"),
            Facet("tensor", "Tensor", "mean over tensors"),
        ),
        scopes=found,
        rows=rows,
        limits=limits,
        fields=FIELDS,
        families=[
            Family(name, readable(name), family_colour(name)) for name in in_order(rows.family)
        ],
        drawn_limits=[Limit(name, label, dashes[1]) for name, (label, dashes) in LIMITS.items()],
        jobs=names,
        at_label="nominal bits",
    )


def _written(layers: "pd.Series[float]") -> "pd.Series[str]":
    return layers.map(lambda layer: "none" if pd.isna(layer) else f"{layer:g}")


def _blocks(
    measured: pd.DataFrame, bounds: pd.DataFrame
) -> Iterator[tuple[Block, Sequence[Mapping[str, str]]]]:
    """Blocks of averages, then those of tensors, with what to choose for each."""
    tensors = measured.drop_duplicates(["model", "tensor"])
    alone: dict[tuple[str, str], list[dict[str, str]]] = {}
    for kinds, layers in product((False, True), repeat=2):
        by = ["model", *["kind"] * kinds, *["layer"] * layers]
        sizes = tensors.groupby(by).tensor.transform("size")
        for row in tensors[sizes == 1].to_dict("records"):
            alone.setdefault((row["model"], row["tensor"]), []).append(_choice(row, by))
        many = tensors[sizes > 1]
        rows = measured.merge(many[["model", "tensor"]], on=["model", "tensor"])
        yield from _averages(rows, bounds, many, by)
    yield from _tensors(measured, bounds, alone)


def _choice(row: Mapping[str, str], by: Sequence[str]) -> dict[str, str]:
    return {facet: row[facet] if facet in by else "" for facet in _FACETS}


def _averages(
    measured: pd.DataFrame, bounds: pd.DataFrame, tensors: pd.DataFrame, by: Sequence[str]
) -> Iterator[tuple[Block, Sequence[Mapping[str, str]]]]:
    points = with_best(mean_points(measured, by, _MEANT), [*by])
    parameters = measured.drop_duplicates(["series", "nominal_bits"])
    points = points.merge(parameters[["series", "nominal_bits", "parameters"]], how="left")
    points = points.assign(tensor="mean of " + points.tensors.astype(str))
    limits = mean_limits(bounds, tensors, by)
    by_group = dict(tuple(limits.groupby([*by])))
    for group, rows in points.groupby([*by]):
        known = by_group.get(group, limits.iloc[:0])
        block = Block(_rows(rows), _limits(known), int(rows.tensors.max()), finest=False)
        yield block, [_choice(dict(zip(by, map(str, group), strict=True)), by)]


def _tensors(
    measured: pd.DataFrame,
    bounds: pd.DataFrame,
    alone: Mapping[tuple[str, str], Sequence[Mapping[str, str]]],
) -> Iterator[tuple[Block, Sequence[Mapping[str, str]]]]:
    key = ["model", "tensor"]
    points = with_intervals(with_best(measured, key))
    limits = bounds.melt(
        [*key, "nmse"], list(LIMITS), var_name="series", value_name="rate_bits_per_weight"
    )
    by_tensor = dict(tuple(limits.dropna().groupby(key)))
    shaped = _rows(points)
    for place, rows in points.groupby(key).indices.items():
        known = by_tensor.get(place, limits.iloc[:0])
        first = points.iloc[rows[0]]
        own = [
            {"model": first.model, "kind": kind, "layer": layer, "tensor": first.tensor}
            for kind, layer in product(("", first.kind), ("", first.layer))
        ]
        block = Block(shaped.iloc[rows], _limits(known), 1, finest=True)
        yield block, [*own, *alone.get((first.model, first.tensor), [])]


def _rows(points: pd.DataFrame) -> pd.DataFrame:
    """Rows as ``Dataset`` has them; an interval without length is none."""
    rows = points.rename(columns={"codec": "family", "nominal_bits": "at"}).reindex(
        columns=_COLUMNS, fill_value=None
    )
    exact = rows.mse_low == rows.mse_high
    for column in _INTERVALS:
        for end in ("low", "high"):
            ends = rows[f"{column}_{end}"].astype(float)
            rows[f"{column}_{end}"] = ends.where(~exact, np.nan)
    text = ["tensor", "kind", "layer"]
    return rows.assign(
        **{column: rows[column].astype(object).fillna("all") for column in text},
        job=rows.job.astype(float),
        best=rows.best.astype(bool),
    )


def _limits(curves: pd.DataFrame) -> pd.DataFrame:
    ordered = curves.sort_values(["series", "rate_bits_per_weight"])
    return pd.DataFrame(
        {
            "quantity": "nmse",
            "limit": ordered.series.to_numpy(),
            "x": ordered.rate_bits_per_weight.to_numpy(float),
            "y": ordered.nmse.to_numpy(float),
        }
    )
