"""Tables of the network that is corrected."""

from qatlas.tables import Column, Table

_QUANTIZATION = Column(
    "quantization",
    "text",
    "What is rounded: weights, or weights_and_activations (what each layer is given as well).",
)
_POINTS = Column("inputs", "text", "Where the inputs lie: grid or circle.")
_BEFORE = Column("before", "text", "Sign pattern of the float network, a 1 a unit that is on.")
_AFTER = Column("after", "text", "Sign pattern of the quantized network.")
_RUNG = Column(
    "correction",
    "text",
    "none, bias, diagonal, full (affine), region (a full map a sign pattern of the quantized "
    "network), region_pair (a full map a pair of patterns, which only the float network tells).",
)

CELLS = Table(
    "toy_cells",
    "A vertex of a cell of the input square within which both sign patterns are constant.",
    (
        Column("cell", "integer", "Number of the cell."),
        _BEFORE,
        _AFTER,
        Column("area", "number", "Of the cell."),
        Column("x", "number", "Of the vertex; vertices run counter-clockwise."),
        Column("y", "number", "The same."),
    ),
    always_has_rows=True,
)
AREAS = Table(
    "toy_areas",
    "The part of the input square in which the hidden sign pattern is not the same.",
    (
        _QUANTIZATION,
        Column("area", "number", "Of the square."),
        Column(
            "changed_area",
            "number",
            "Exact, a sum over cells; missing with rounded activations, which have no such cells.",
            nullable=True,
        ),
        Column("sampled_changed_area", "number", "By random inputs."),
        Column("standard_error", "number", "Of that."),
        Column("samples", "integer", "Random inputs."),
    ),
    always_has_rows=True,
)
POINTS = Table(
    "toy_points",
    "An input and what becomes of it.",
    (
        _POINTS,
        _QUANTIZATION,
        Column("point", "integer", "Number of the input among those."),
        Column("x", "number", "Input."),
        Column("y", "number", "Input."),
        Column("float_x", "number", "Output of the float network."),
        Column("float_y", "number", "The same."),
        Column("quantized_x", "number", "Output of the quantized network."),
        Column("quantized_y", "number", "The same."),
        Column("topological", "truth", "Whether the sign patterns differ."),
    ),
    always_has_rows=True,
)
ENERGIES = Table(
    "toy_energies",
    "The energy of the output error by class.",
    (
        _POINTS,
        _QUANTIZATION,
        Column("metric", "number", "Sum of |e|^2 over inputs whose sign pattern is kept."),
        Column("topological", "number", "The same over those whose pattern changes."),
        Column("topological_share", "number", "The second over both."),
        Column("topological_points", "number", "Share of the inputs whose pattern changes."),
    ),
)
RESIDUALS = Table(
    "toy_residuals",
    "Output error of held-out inputs that is left after a correction.",
    (
        _POINTS,
        _QUANTIZATION,
        _RUNG,
        Column("error_class", "text", "all, metric or topological."),
        Column("held_out", "integer", "Held-out inputs of the class."),
        Column("rms", "number", "Root mean square length of what is left.", nullable=True),
        Column(
            "recovered",
            "number",
            "Share of the energy that is gone; negative where the correction does harm.",
            nullable=True,
        ),
    ),
)
REGION_RESIDUALS = Table(
    "toy_region_residuals",
    "Output error of held-out inputs of one pair of sign patterns.",
    (
        _POINTS,
        _QUANTIZATION,
        _RUNG,
        _BEFORE,
        _AFTER,
        Column("held_out", "integer", "Held-out inputs of the pair."),
        Column("rms", "number", "Root mean square length of what is left."),
    ),
)
ALIGNMENTS = Table(
    "toy_alignments",
    "Activations behind a layer, quantized beside float, on held-out inputs.",
    (
        _POINTS,
        _QUANTIZATION,
        Column("layer", "integer", "From 1; the last one's are the outputs."),
        Column("scale", "number", "Root mean square length of the float activations."),
        Column("raw_rms", "number", "Root mean square distance."),
        Column("aligned_rms", "number", "The same behind the best full affine map."),
        Column("cka", "number", "Linear centred kernel alignment.", nullable=True),
    ),
)
CASCADES = Table(
    "toy_cascades",
    "Error behind a layer of the quantized network with some of its layers corrected.",
    (
        _QUANTIZATION,
        Column(
            "correction",
            "text",
            "exact (C_l with the quantized path's activations), first_order (with the float "
            "activations in E_l a), linearised (with the float path's eps too).",
        ),
        Column("corrected", "text", "Layers that are corrected: none, first, last, all."),
        Column("layer", "integer", "From 1."),
        Column("correction_rms", "number", "Root mean square length of what is added."),
        Column("before_rms", "number", "Of the error of the layer's output before."),
        Column("after_rms", "number", "Of that after."),
    ),
)

TABLES = (
    CELLS,
    AREAS,
    POINTS,
    ENERGIES,
    RESIDUALS,
    REGION_RESIDUALS,
    ALIGNMENTS,
    CASCADES,
)
"""Tables of the network that is corrected."""
