"""The training of each language model that is measured in every way."""

import pandas as pd


def of_first_seed(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of the training with the most of them, of each model; of several such, the lowest seed.

    Parameters
    ----------
    rows
        Columns model and seed, besides others.
    """
    counts = rows.groupby(["model", "seed"]).size().reset_index(name="rows")
    chosen = counts.sort_values(["rows", "seed"], ascending=[False, True]).drop_duplicates("model")
    kept = rows.merge(chosen[["model", "seed"]], on=["model", "seed"])
    return kept.reset_index(drop=True)
