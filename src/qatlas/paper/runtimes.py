"""What every job took, from Snakemake's own benchmark files."""

from pathlib import Path

import pandas as pd

from qatlas.atomic import replacing
from qatlas.paper.benchmark_files import SUFFIX, read_benchmark


def runtimes(results: str | Path) -> pd.DataFrame:
    """Wall time and peak memory of each job whose benchmark file lies under a folder.

    Returns
    -------
    pandas.DataFrame
        Columns job (its path without suffix), seconds, peak_memory_mib; slowest first.

    Raises
    ------
    AtlasError
        If a benchmark file is damaged.
    """
    rows = []
    for path in sorted(Path(results).rglob(f"*{SUFFIX}")):
        measured = read_benchmark(path)
        job = str(path.relative_to(results)).removesuffix(SUFFIX)
        rows.append((job, measured.seconds, measured.peak_memory_mib))
    table = pd.DataFrame(rows, columns=["job", "seconds", "peak_memory_mib"])
    return table.sort_values(["seconds", "job"], ascending=[False, True], ignore_index=True)


def write_runtimes(table: pd.DataFrame, path: str | Path) -> None:
    """Write the table as CSV."""
    with replacing(path) as unfinished:
        table.to_csv(unfinished, index=False, float_format="%.1f", lineterminator="\n")
