"""The chapter's figures: one module each, by name, with the tables it reads.

A module has ``select`` (tables to what is drawn), ``draw`` (that to a figure) and ``caption`` (the
chapter's summary to a sentence or two).
"""

FIGURES: dict[str, tuple[str, ...]] = {
    "weight_distribution": ("densities", "statistics"),
    "kurtosis": ("statistics",),
}
