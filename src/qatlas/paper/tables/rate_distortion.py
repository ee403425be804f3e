"""How many bits a given error costs, in print."""

import pandas as pd

from qatlas.config.study import Study
from qatlas.paper.tables.printed import Frames, Number, PrintedTable, Text
from qatlas.rate_distortion.operating_points import BITS
from qatlas.rate_distortion.schema import ALLOCATION_TOTALS, OPERATING_POINTS, TARGET_DISTORTION


def _nearest(frames: Frames, study: Study) -> pd.DataFrame:
    """The series nearest to the empirical bound on each model at each rate."""
    ranked = _ranked(frames["operating_points"], study)
    return ranked.drop_duplicates(["model", "bits"])


def _families(frames: Frames, study: Study) -> pd.DataFrame:
    """The smallest gap of each family on the example's model, a column a rate."""
    rows = frames["operating_points"]
    rows = rows[rows.model == study.rate_distortion.example.model]
    gaps = rows.pivot_table("gap_empirical_bits", "codec", "bits", "min")
    gaps = gaps.reindex(columns=[*BITS])
    order = gaps.min(axis="columns").sort_values(kind="stable").index
    return gaps.reindex(order).rename(columns=_column_of).reset_index()


def _all_points(frames: Frames, study: Study) -> pd.DataFrame:
    return _ranked(frames["operating_points"], study)


def _ranked(rows: pd.DataFrame, study: Study) -> pd.DataFrame:
    """By model as configured and by rate, the nearest to the empirical bound first."""
    place = rows.model.map({model: place for place, model in enumerate(study.models)})
    known = rows.assign(place=place)
    return known.sort_values(["place", "bits", "gap_empirical_bits", "series"])


def _of_example(frames: Frames, study: Study) -> pd.DataFrame:
    """Rates and gaps at each error on the example's tensor; series that reach none are left out."""
    example = study.rate_distortion.example
    rows = frames["target_distortion"]
    rows = rows[(rows.model == example.model) & (rows.tensor == example.tensor)]
    known = rows.dropna(subset=["rate_bits_per_weight"])
    return known.sort_values(["target_nmse", "rate_bits_per_weight"], ascending=[False, True])


def _plans(frames: Frames, study: Study) -> pd.DataFrame:
    """A codec for every tensor beside the best one for all, at each budget."""
    key = ["model", "weighting", "budget_bits_per_weight"]
    rows = frames["allocation_totals"]
    wide = rows.pivot(index=key, columns="plan", values=["nmse", "rate_bits_per_weight", "series"])
    wide = wide.reindex(
        columns=pd.MultiIndex.from_product(
            [["nmse", "rate_bits_per_weight", "series"], ["allocated", "uniform"]]
        )
    )
    flat = {f"{plan}_{value}": wide[value, plan] for value, plan in wide.columns}
    return pd.DataFrame(flat).reset_index()


def _column_of(bits: int) -> str:
    return f"gap_at_{bits}"


TABLES = (
    PrintedTable(
        "nearest",
        "rate_distortion",
        "The grid that comes nearest to the empirical bound of every model among those with at "
        "least half a bit less and at most half a bit more than the rate in the second column.",
        "text",
        (),
        (OPERATING_POINTS,),
        _nearest,
        (
            Text("model", "model"),
            Number("bits", "near"),
            Text("series", "grid"),
            Number("rate_bits_per_weight", "rate", "bit", 3),
            Number("nmse", "NMSE"),
            Number("gap_empirical_bits", "gap", "bit", 3),
            Number("gap_shannon_bits", "to Shannon", "bit", 3),
        ),
    ),
    PrintedTable(
        "families",
        "rate_distortion",
        "Bits beyond the empirical bound of the best grid of each family, over all tensors of the "
        "example's model, near 2, 3 and 4 bits per weight. Families without a point there have "
        "none.",
        "text",
        (),
        (OPERATING_POINTS,),
        _families,
        (
            Text("codec", "family"),
            *(Number(_column_of(bits), f"near {bits}", "bit", 3) for bits in BITS),
        ),
    ),
    PrintedTable(
        "operating_points",
        "rate_distortion",
        "Every grid on every model near 2, 3 and 4 bits per weight, all charged: rate, error over "
        "the variance of the weights (NMSE), signal over quantization noise, and gaps to the "
        "empirical bound, to Shannon's for a Gaussian, and to that of Gaussian channels.",
        "appendix",
        (),
        (OPERATING_POINTS,),
        _all_points,
        (
            Text("model", "model"),
            Number("bits", "near"),
            Text("series", "grid"),
            Number("rate_bits_per_weight", "rate", "bit", 3),
            Number("nmse", "NMSE"),
            Number("sqnr_db", "SQNR", "dB", 2),
            Number("gap_empirical_bits", "gap", "bit", 3),
            Number("gap_shannon_bits", "Shannon", "bit", 3),
            Number("gap_channel_variance_bits", "channels", "bit", 3),
        ),
    ),
    PrintedTable(
        "target_distortion",
        "rate_distortion",
        "What grids spend on the example's tensor to reach an error (NMSE), interpolated between "
        "their points, and the gaps at that error. Grids that do not reach it are left out.",
        "appendix",
        (),
        (TARGET_DISTORTION,),
        _of_example,
        (
            Number("target_nmse", "NMSE"),
            Text("series", "grid"),
            Number("rate_bits_per_weight", "rate", "bit", 3),
            Number("gap_empirical_bits", "gap", "bit", 3),
            Number("gap_shannon_bits", "Shannon", "bit", 3),
        ),
    ),
    PrintedTable(
        "allocation",
        "rate_distortion",
        "The best one grid for all tensors within a budget of bits per weight, and a grid for "
        "each: rates, and error over that of replacing every weight by its tensor's mean. Errors "
        "are added up as they are (plain) or over each tensor's variance (normalised).",
        "appendix",
        (),
        (ALLOCATION_TOTALS,),
        _plans,
        (
            Text("model", "model"),
            Text("weighting", "errors"),
            Number("budget_bits_per_weight", "budget", "bit", 2),
            Text("uniform_series", "one grid"),
            Number("uniform_rate_bits_per_weight", "rate", "bit", 3),
            Number("uniform_nmse", "NMSE"),
            Number("allocated_rate_bits_per_weight", "planned", "bit", 3),
            Number("allocated_nmse", "NMSE"),
        ),
    ),
)
