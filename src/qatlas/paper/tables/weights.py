"""What is being quantized, in print."""

import pandas as pd

from qatlas.config.study import Study
from qatlas.paper.tables.printed import Frames, Number, PrintedTable, Text
from qatlas.weights.statistics import STATISTICS


def _of_models(frames: Frames, study: Study) -> pd.DataFrame:
    rows = frames["statistics"].groupby("model", sort=False)
    found = rows.agg(
        tensors=("tensor", "size"),
        weights=("weights", "sum"),
        median_kurtosis=("kurtosis", "median"),
        largest_kurtosis=("kurtosis", "max"),
        max_over_sigma=("max_over_sigma", "max"),
        student_t_nu=("student_t_nu", "median"),
    )
    return found.reindex([*study.models]).rename_axis("model").reset_index()


def _of_tensors(frames: Frames, study: Study) -> pd.DataFrame:
    rows = frames["statistics"]
    places = {model: place for place, model in enumerate(study.models)}
    return rows.sort_values("model", key=lambda models: models.map(places), kind="stable")


TABLES = (
    PrintedTable(
        "models",
        "weights",
        "What is quantized. Kurtosis of a Gaussian is 3; ν are the degrees of freedom of Student's "
        "t fitted to a tensor, 1000 standing for a Gaussian.",
        "text",
        (),
        (STATISTICS,),
        _of_models,
        (
            Text("model", "model"),
            Number("tensors", "matrices"),
            Number("weights", "weights"),
            Number("median_kurtosis", "kurtosis, median"),
            Number("largest_kurtosis", "largest"),
            Number("max_over_sigma", "largest |w|", "σ"),
            Number("student_t_nu", "ν, median"),
        ),
    ),
    PrintedTable(
        "tensors",
        "weights",
        "Every matrix that is quantized: standard deviation σ, kurtosis, largest magnitude, and "
        "degrees of freedom ν of the Student's t that fits it best.",
        "appendix",
        (),
        (STATISTICS,),
        _of_tensors,
        (
            Text("model", "model"),
            Text("tensor", "matrix"),
            Number("weights", "weights"),
            Number("sigma", "σ"),
            Number("kurtosis", "kurtosis"),
            Number("max_over_sigma", "largest |w|", "σ"),
            Number("student_t_nu", "ν"),
        ),
    ),
)
