"""The tables that are printed: a module a chapter, in ``declared`` all of them in order.

Here stands what rules must know, without importing chapters.
"""

from typing import Any

from qatlas.config.study import Study

FILES: dict[tuple[str, ...], tuple[str, ...]] = {
    (): (
        "weights/tables/statistics",
        "rate_distortion/tables/operating_points",
        "rate_distortion/tables/target_distortion",
        "rate_distortion/tables/allocation_totals",
    ),
    ("function",): ("function/tables/evaluations",),
    ("function", "encoders"): ("function/tables/embeddings",),
    ("robustness",): ("function/robustness/robustness",),
    ("lut",): ("lut/tables/map_errors", "lut/tables/map_ranks"),
    ("lut", "language_models"): ("lut/tables/table_models",),
    ("lut", "simulations"): ("lut/tables/growth",),
    ("geometry",): (
        "geometry/tables/regions",
        "geometry/tables/manifold_statistics",
        "geometry/tables/toy_residuals",
    ),
    ("geometry", "layers"): (
        "geometry/tables/layer_spectra",
        "geometry/tables/layer_flips",
        "geometry/tables/layer_corrections",
        "geometry/tables/layer_growths",
    ),
}
"""Keys of the configuration, one below the other, and what tables read of a study that has them.

Files are those of parquet below ``results/``, without suffix.
"""


def has(study: Study, section: tuple[str, ...]) -> bool:
    """Whether a study has a section."""
    part: Any = study
    for key in section:
        part = part and getattr(part, key)
    return part is not None


def files_of(study: Study) -> dict[str, str]:
    """Files that the printed tables of a study read, by their names."""
    return {
        file.rpartition("/")[2]: f"results/{file}.parquet"
        for section, files in FILES.items()
        if has(study, section)
        for file in files
    }
