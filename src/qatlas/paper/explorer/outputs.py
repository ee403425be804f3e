"""What the output of language models loses, at the true rate of their layers."""

import pandas as pd

from qatlas.family_curves import in_order
from qatlas.function.curves import first_trainings
from qatlas.paper.explorer.content import Dataset, Facet, Family, Field, Limit
from qatlas.paper.explorer.scopes import Block, Scopes
from qatlas.plotting import family_colour, readable

_LEVELS = (
    Limit("float32", "the model itself", (6, 2)),
    Limit("bfloat16", "computed in bfloat16", (1, 2)),
)
QUANTITIES = ("perplexity", "mean_kl")
FIELDS = (
    Field("series", "codec grid", "codec grid"),
    Field("family", "family"),
    Field("parameters", "parameters", "parameters"),
    Field("rate_bits_per_weight", "true rate (bits per weight)", "true rate"),
    Field("model_bits_per_parameter", "whole model (bits per parameter)", "whole model"),
    Field("at", "nominal bits"),
    Field("perplexity", "perplexity", "perplexity"),
    Field("nll", "NLL (nats per token)"),
    Field("nll_standard_error", "standard error of the NLL"),
    Field("mean_kl", "mean KL to the model itself (nats)", "mean KL"),
    Field("top1_agreement", "share of likeliest tokens that stay"),
    Field("mse", "MSE of the weights", "MSE of the weights"),
    Field("nmse", "MSE / variance of the weights"),
    Field("output_nmse", "error of layer outputs, relative"),
)


def outputs_dataset(evaluations: pd.DataFrame, jobs: pd.DataFrame) -> Dataset:
    """Every point of the first training of each language model.

    Parameters
    ----------
    evaluations
        The table of that name.
    jobs
        Columns model, seed, series and job.
    """
    names = sorted(jobs.job.unique())
    places = {name: place for place, name in enumerate(names)}
    rows = first_trainings(evaluations).merge(jobs, on=["model", "seed", "series"], how="left")
    rows = rows.rename(columns={"codec": "family", "nominal_bits": "at"})
    rows = rows.assign(job=rows.job.map(places).astype(float))
    scopes = Scopes()
    for model, points in rows.groupby("model"):
        quantized = points[points.family != "cast"]
        kept = quantized[[*(field.column for field in FIELDS), "best", "job"]]
        block = Block(kept, _levels(points[points.family == "cast"]), 1, finest=True)
        scopes.add(block, [{"model": str(model)}])
    found, kept, limits = scopes.tables()
    return Dataset(
        facets=(Facet("model", "Model"),),
        scopes=found,
        rows=kept,
        limits=limits,
        fields=FIELDS,
        families=[
            Family(name, readable(name), family_colour(name)) for name in in_order(kept.family)
        ],
        drawn_limits=_LEVELS,
        jobs=names,
        at_label="nominal bits",
    )


def _levels(floats: pd.DataFrame) -> pd.DataFrame:
    """The model itself and its noise floor, as levels of each quantity that a log axis has."""
    known = floats.set_index("series")
    return pd.DataFrame(
        [
            (quantity, level.name, None, known.loc[level.name, quantity])
            for quantity in QUANTITIES
            for level in _LEVELS
            if known.loc[level.name, quantity] > 0
        ],
        columns=["quantity", "limit", "x", "y"],
    ).astype({"x": float, "y": float})
