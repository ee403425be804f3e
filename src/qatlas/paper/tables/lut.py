"""Multiplication by table, in print."""

import pandas as pd

from qatlas.config.study import Study
from qatlas.lut.findings.models import TOLERANCE, by_table, smallest_size
from qatlas.lut.language_models.stages import FLOAT
from qatlas.lut.schema import MAP_ERRORS, MAP_RANKS, TABLE_MODELS
from qatlas.lut.simulation.schema import GROWTH
from qatlas.paper.tables.printed import Frames, Number, PrintedTable, Text

_BYTE = 8


def _smallest_tables(frames: Frames, study: Study) -> pd.DataFrame:
    """The least size of each encoding that keeps each model's perplexity, and what it costs."""
    if study.lut is None:
        return pd.DataFrame()
    found = []
    for model, rows in frames["table_models"].groupby("model", sort=False):
        itself = float(rows[rows.stage == FLOAT].perplexity.iloc[0])
        for encoding, tables in by_table(rows, study.lut).groupby("encoding"):
            size = smallest_size(tables, itself)
            perplexity = tables[tables["size"] == size].perplexity
            kept = float(perplexity.iloc[0]) if len(perplexity) else float("nan")
            found.append((model, itself, encoding, size, kept, 100 * (kept / itself - 1)))
    names = ["model", "itself", "encoding", "size", "perplexity", "percent"]
    return pd.DataFrame(found, columns=names)


def _bytes(frames: Frames, study: Study) -> pd.DataFrame:
    """Errors of tables of eight-bit operands, the least relative error first."""
    rows = _all_errors(frames, study)
    return rows[rows.bits == _BYTE].sort_values(["mred", "table"])


def _all_errors(frames: Frames, study: Study) -> pd.DataFrame:
    """Errors over all pairs of operands whose product is within the range, with their rank."""
    rows = frames["map_errors"]
    rows = rows[(rows.operands == "uniform") & (rows.pairs == "in_range")]
    ranks = frames["map_ranks"][["table", "size", "range", "rank"]]
    return rows.merge(ranks, on=["table", "size", "range"], how="left")


def _all_models(frames: Frames, study: Study) -> pd.DataFrame:
    return frames["table_models"]


def _growth(frames: Frames, study: Study) -> pd.DataFrame:
    """Dot products whose sums do not saturate, of which the laws speak."""
    rows = frames["growth"]
    return rows[rows.operation == "dot_wide"].sort_values(["table", "size", "method"])


_ERROR_COLUMNS = (
    Text("table", "table"),
    Number("size", "levels"),
    Number("mred", "MRED"),
    Number("nmed", "NMED"),
    Number("error_rate", "wrong", "", 3),
    Number("rank", "rank"),
)

TABLES = (
    PrintedTable(
        "smallest_tables",
        "lut",
        "The fewest levels of an operand from which on perplexity stays within "
        f"{TOLERANCE:.0%} of the float "
        "model's when every linear layer multiplies by table, sums exact.",
        "text",
        ("lut", "language_models"),
        (TABLE_MODELS,),
        _smallest_tables,
        (
            Text("model", "model"),
            Number("itself", "float", "", 2),
            Text("encoding", "codes"),
            Number("size", "levels"),
            Number("perplexity", "perplexity", "", 2),
            Number("percent", "worse by", "%", 2),
        ),
    ),
    PrintedTable(
        "byte_tables",
        "lut",
        "Tables of eight-bit operands over all pairs whose product is within the range: mean "
        "relative error (MRED), mean error over the largest product (NMED), share of products "
        "that are not the true one, and rank of the matrix of errors.",
        "text",
        ("lut",),
        (MAP_ERRORS, MAP_RANKS),
        _bytes,
        _ERROR_COLUMNS,
    ),
    PrintedTable(
        "map_errors",
        "lut",
        "Errors of all tables over all pairs whose product is within the range.",
        "appendix",
        ("lut",),
        (MAP_ERRORS, MAP_RANKS),
        _all_errors,
        _ERROR_COLUMNS,
    ),
    PrintedTable(
        "table_models",
        "lut",
        "Language models that multiply by table, by what is not exact: operands (encode), products "
        "too (product), sums too (accumulate).",
        "appendix",
        ("lut", "language_models"),
        (TABLE_MODELS,),
        _all_models,
        (
            Text("model", "model"),
            Text("stage", "not exact"),
            Text("encoding", "codes"),
            Number("size", "levels"),
            Text("method", "look-up"),
            Text("accumulator", "sums"),
            Number("perplexity", "perplexity"),
            Number("mean_kl", "KL", "nat"),
        ),
    ),
    PrintedTable(
        "growth",
        "lut",
        "Dot products by look-up whose sums do not saturate: slope of the deviation of the error "
        "against length on logarithmic axes, length at which its bias overtakes the deviation, "
        "measured and as one product predicts it, and deviation over that of nearest look-up.",
        "appendix",
        ("lut", "simulations"),
        (GROWTH,),
        _growth,
        (
            Text("table", "codes"),
            Number("size", "levels"),
            Text("method", "look-up"),
            Number("deviation_slope", "slope", "", 3),
            Number("crossover", "crossover"),
            Number("predicted_crossover", "predicted"),
            Number("ratio", "ratio", "", 3),
            Number("predicted_ratio", "predicted", "", 3),
        ),
    ),
)
