"""The chapter's figures: one module each, by name, with the tables it reads.

A module has ``select`` (tables and the chapter's settings to what is drawn), ``draw`` (that to a
figure) and ``caption`` (the chapter's summary and settings to a sentence or two).
"""

FIGURES: dict[str, tuple[str, ...]] = {
    "bit_sweep": ("measurements",),
    "layer_sensitivity": ("measurements",),
    "rate_distortion_curves": ("measurements", "bounds"),
    "gap_to_shannon": ("measurements", "bounds"),
    "gap_to_empirical": ("measurements",),
    "curves_by_kind": ("measurements", "bounds"),
    "groups": ("measurements",),
    "vector_quantization": ("measurements", "bounds"),
    "gap_vs_kurtosis": ("measurements", "rotation"),
    "rotation_effect": ("measurements", "rotation"),
    "pareto_front": ("measurements", "bounds"),
    "allocation_curve": ("allocations", "allocation_totals"),
}
