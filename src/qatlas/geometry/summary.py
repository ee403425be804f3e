"""What the chapter found, as named values and claims."""

from collections.abc import Mapping

import pandas as pd

from qatlas.geometry.findings import manifolds, regions
from qatlas.summary import Summary


def summarize(tables: Mapping[str, pd.DataFrame]) -> Summary:
    """Values and claims of the chapter.

    Parameters
    ----------
    tables
        Those of ``TABLES``, by name.
    """
    return Summary(
        chapter="geometry",
        values={**dict(regions.values(tables)), **dict(manifolds.values(tables))},
        claims={**dict(regions.claims(tables["regions"])), **dict(manifolds.claims(tables))},
    )
