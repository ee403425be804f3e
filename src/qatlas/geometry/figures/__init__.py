"""The chapter's figures: one module each, by name, with the tables it reads.

A module has ``select`` (tables to what is drawn), ``draw`` (that to a figure) and ``caption`` (the
chapter's summary to a sentence or two).
"""

_REGIONS: dict[str, tuple[str, ...]] = {
    "plane_diagonal": ("outlines", "principal_axes"),
    "plane_full": ("outlines", "principal_axes"),
    "plane_circle": ("outlines", "circle"),
    "plane_summary": ("regions", "region_axes"),
    "space_uniform": ("outlines",),
    "space_sensitivity": ("region_axes",),
    "space_evolution": ("outlines",),
    "region_vs_bounding_box": ("outlines",),
    "space_analysis": ("region_layers", "outlines"),
}
_MANIFOLDS: dict[str, tuple[str, ...]] = {
    "manifolds_by_error": ("manifold_errors",),
    "manifold_statistics": ("manifold_statistics",),
    "error_heat_map": ("heat_map",),
    "error_manifolds": ("error_manifolds", "error_transform"),
    "weights_vs_activations": ("fake_quantization",),
    "error_evolution": ("fake_quantization",),
    "error_growth": ("error_growth",),
    "bit_widths": ("fake_quantization",),
}
_CORRECTION: dict[str, tuple[str, ...]] = {
    "toy_partition": ("toy_cells", "toy_areas"),
    "toy_mapped_grids": ("toy_points",),
    "toy_error_classes": ("toy_points", "toy_energies"),
    "toy_corrections": ("toy_residuals",),
    "toy_alignment": ("toy_alignments",),
    "toy_cascade": ("toy_cascades",),
}
_LAYERS: dict[str, tuple[str, ...]] = {
    "layer_spectra": ("layer_eigenvalues", "layer_spectra"),
    "layer_dimensions": ("layer_spectra",),
    "layer_supports": ("layer_supports",),
    "layer_flips": ("layer_flips",),
    "layer_shares": ("layer_shares",),
    "layer_corrections": ("layer_corrections",),
    "layer_growth": ("layer_growths",),
}
GROUPS = {
    "regions": _REGIONS,
    "manifolds": _MANIFOLDS,
    "correction": _CORRECTION,
    "layers": _LAYERS,
}
"""Figures that one job draws, since most of a small job is its start."""

FIGURES = {name: reads for group in GROUPS.values() for name, reads in group.items()}
