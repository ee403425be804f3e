"""What every job took, from Snakemake's own benchmark files."""

from pathlib import Path

import pandas as pd

from qatlas.atomic import replacing

_SUFFIX = ".benchmark.tsv"


def runtimes(results: str | Path) -> pd.DataFrame:
    """Wall time and peak memory of each job whose benchmark file lies under a folder.

    Returns
    -------
    pandas.DataFrame
        Columns job (its path without suffix), seconds, peak_memory_mib; slowest first.
    """
    rows = []
    for path in sorted(Path(results).rglob(f"*{_SUFFIX}")):
        measured = pd.read_csv(path, sep="\t", na_values="-").iloc[0]
        job = str(path.relative_to(results)).removesuffix(_SUFFIX)
        rows.append((job, float(measured.s), float(measured.max_rss)))
    table = pd.DataFrame(rows, columns=["job", "seconds", "peak_memory_mib"])
    return table.sort_values(["seconds", "job"], ascending=[False, True], ignore_index=True)


def write_runtimes(table: pd.DataFrame, path: str | Path) -> None:
    """Write the table as CSV."""
    with replacing(path) as unfinished:
        table.to_csv(unfinished, index=False, float_format="%.1f", lineterminator="\n")
