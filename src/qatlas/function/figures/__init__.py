"""The chapter's figures: one module each, by name, with the tables it reads.

A module has ``select`` (tables and settings to what is drawn), ``draw`` (that to a figure) and
``caption`` (the chapter's summary and settings to a sentence or two).
"""

FIGURES: dict[str, tuple[str, ...]] = {
    "losses": ("losses",),
    "perplexity_vs_rate": ("evaluations",),
    "kl_vs_rate": ("evaluations",),
    "weight_vs_output": ("evaluations",),
    "output_error": ("layers",),
    "methods_at_4_bits": ("evaluations",),
    "nf4_vs_fp4": ("evaluations",),
    "one_layer_at_a_time": ("sensitivities",),
    "error_by_position": ("positions",),
    "embeddings_vs_rate": ("embeddings",),
}
