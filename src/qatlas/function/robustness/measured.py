"""Rows of the robustness graph from what the chapter measured."""

from collections.abc import Mapping, Sequence

import pandas as pd

from qatlas.function.evaluation import HALF, REFERENCE

_FLOATS = {32: REFERENCE.series, 16: HALF.series}
"""Series of the precisions that no codec makes."""


def measured(
    evaluations: pd.DataFrame, lines: Mapping[str, str], bit_widths: Sequence[int]
) -> pd.DataFrame:
    """Rows of the table ``robustness``.

    Parameters
    ----------
    evaluations
        The table of that name.
    lines
        Codec grid of every line, by the line's name.
    bit_widths
        32 for the model itself, 16 for its weights in float16, others for a grid's point of so
        many nominal bits; where a grid has none, there is no row.
    """
    rows = []
    for line, series in lines.items():
        for bits in bit_widths:
            wanted = _FLOATS.get(bits, series)
            found = evaluations[(evaluations.series == wanted) & (evaluations.nominal_bits == bits)]
            rows.append(found[["model", "seed", "perplexity"]].assign(line=line, bit_width=bits))
    columns = ["model", "line", "bit_width", "seed", "perplexity"]
    return pd.concat(rows, ignore_index=True)[columns].assign(source="measured")
