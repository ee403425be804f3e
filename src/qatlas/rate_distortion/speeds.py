"""How fast every codec was: what a clock measured, over the weights."""

import pandas as pd

_KEY = ["model", "tensor", "codec", "series", "parameters"]


def speeds(measurements: pd.DataFrame, timings: pd.DataFrame) -> pd.DataFrame:
    """Rows of the table ``speeds``: million weights a second of each series and parameters.

    All tensors of a model count together, the first of which may have waited for compilation.
    """
    timed = measurements[[*_KEY, "sampled_weights"]].merge(timings, on=_KEY)
    sums = timed.groupby(["model", "codec", "series", "parameters", "device", "threads"])[
        ["sampled_weights", "encode_seconds", "decode_seconds"]
    ].sum()
    millions = sums.sampled_weights / 1e6
    rates = sums.assign(
        encode_million_weights_per_second=millions / sums.encode_seconds,
        decode_million_weights_per_second=millions / sums.decode_seconds,
    )
    return rates.drop(columns=["encode_seconds", "decode_seconds"]).reset_index()
