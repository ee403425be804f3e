"""Which job made a row."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from qatlas.tables import Table, read_table


def jobs_of_rows(parts: Mapping[str, str | Path], kind: Table, key: Sequence[str]) -> pd.DataFrame:
    """The job of every row of the tables that jobs wrote.

    Parameters
    ----------
    parts
        The table that a job wrote, by the name of the job.
    kind
        What those tables are.
    key
        Columns that tell the jobs.

    Returns
    -------
    pandas.DataFrame
        Columns ``key`` and job (a name of ``parts``).

    Raises
    ------
    AtlasError
        If a table cannot be read or is another version's.
    """
    found = [
        read_table(kind, path)[list(key)].drop_duplicates().assign(job=job)
        for job, path in parts.items()
    ]
    return pd.concat(found, ignore_index=True)
