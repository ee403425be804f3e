"""What the chapter found, as named values and claims."""

from collections.abc import Mapping

import pandas as pd

from qatlas.geometry.findings import correction, layers, manifolds, regions
from qatlas.summary import Summary


def summarize(tables: Mapping[str, pd.DataFrame]) -> Summary:
    """Values and claims of the chapter.

    Parameters
    ----------
    tables
        Those of ``TABLES`` that the study has, by name.
    """
    values = {
        **dict(regions.values(tables)),
        **dict(manifolds.values(tables)),
        **dict(correction.values(tables)),
    }
    claims = {
        **dict(regions.claims(tables["regions"])),
        **dict(manifolds.claims(tables)),
        **dict(correction.claims(tables)),
    }
    if "layer_spectra" in tables:
        values |= dict(layers.values(tables))
        claims |= dict(layers.claims(tables))
    return Summary(chapter="geometry", values=values, claims=claims)
