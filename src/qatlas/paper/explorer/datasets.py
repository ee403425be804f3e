"""The sets of rows of a study: those of the parts that it has."""

from collections.abc import Mapping

import pandas as pd

from qatlas.errors import AtlasError
from qatlas.function.schema import EVALUATIONS
from qatlas.paper.explorer.content import Dataset
from qatlas.paper.explorer.growth import growth_dataset
from qatlas.paper.explorer.jobs import jobs_of_rows
from qatlas.paper.explorer.outputs import outputs_dataset
from qatlas.paper.explorer.weights import weights_dataset
from qatlas.rate_distortion.schema import MEASURED


def datasets(
    tables: Mapping[str, pd.DataFrame],
    measured: Mapping[str, str],
    evaluated: Mapping[str, str],
    simulated: str,
    first_model: str,
) -> dict[str, Dataset]:
    """Sets of rows by name.

    Parameters
    ----------
    tables
        The tables measurements and bounds and, where the study has them, evaluations and
        trajectories.
    measured, evaluated
        The file with the part of measurements or of evaluations that a job wrote, by the name of
        the job: its log's path under results/, without suffix.
    simulated
        Name of the job that simulated the trajectories.
    first_model
        The model that is shown unasked.

    Raises
    ------
    AtlasError
        If a table has no rows, or the file of a job cannot be read or is another version's.
    """
    for name in ("measurements", "evaluations", "trajectories"):
        if name in tables and tables[name].empty:
            raise AtlasError(
                f"explorer: the table {name} has no rows to show; delete {name}.parquet and run "
                "snakemake again"
            )
    jobs = jobs_of_rows(measured, MEASURED, ["model", "tensor", "codec"])
    found = {
        "weights": weights_dataset(tables["measurements"], tables["bounds"], jobs, first_model)
    }
    if "evaluations" in tables:
        jobs = jobs_of_rows(evaluated, EVALUATIONS, ["model", "seed", "series"])
        found["outputs"] = outputs_dataset(tables["evaluations"], jobs)
    if "trajectories" in tables:
        found["growth"] = growth_dataset(tables["trajectories"], simulated)
    return found
