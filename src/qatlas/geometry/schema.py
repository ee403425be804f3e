"""The chapter's tables."""

from qatlas.geometry.correction.schema import TABLES as CORRECTION_TABLES
from qatlas.geometry.layers.schema import TABLES as LAYER_TABLES
from qatlas.tables import Column, Table

_EXPERIMENT = (
    Column("dimension", "integer", "Channels of its layers, 2 or 3."),
    Column("experiment", "text", "Which layers: a key under geometry.plane or .space, or a twin."),
)
_ERRORS = (
    Column("worst", "number", "Length of the longest error of the region."),
    Column(
        "rms",
        "number",
        "Root of the mean squared length of errors of weights that are uniform in their cells.",
    ),
    Column("drawn", "number", "Length of the longest error of weights drawn from their cells."),
)

REGIONS = Table(
    "regions",
    "All errors that rounding the weights of several layers can make at one input.",
    (
        *_EXPERIMENT,
        Column(
            "space",
            "text",
            "input: errors as changes of the input; output where a product of weights is singular.",
        ),
        Column("bits", "integer", "Bits of the weights."),
        Column("layers", "integer", "Number of layers."),
        Column("volume", "number", "Area or volume of the region."),
        Column("hull_volume", "number", "Area or volume of its bounding box."),
        *_ERRORS,
        Column("draws", "integer", "Weights drawn from their cells."),
        Column("inside", "number", "Share of draws whose error lies in the region."),
        Column("largest_gauge", "number", "How far out the farthest draw is; 1 is the boundary."),
        Column(
            "support_reached",
            "number",
            "Least share over the faces of what weights chosen for the face reach of its support.",
            nullable=True,
        ),
        Column("drawn_rms", "number", "As rms, of the draws."),
        Column(
            "whole_gauge",
            "number",
            "Largest gauge of draws whose errors are carried by the drawn weights themselves; "
            "missing for a twin.",
            nullable=True,
        ),
    ),
    always_has_rows=True,
)

REGION_LAYERS = Table(
    "region_layers",
    "One layer of an experiment: its rounded weights, and the errors that it adds.",
    (
        *_EXPERIMENT,
        Column("layer", "integer", "From 1."),
        Column("singular", "truth", "Whether the product of the weights up to here is."),
        Column("spectral_norm", "number", "Of its rounded weights."),
        Column("determinant", "number", "Of its rounded weights."),
        Column("condition_number", "number", "Of its rounded weights."),
        Column("entering_l1", "number", "||x||_1 of what enters it."),
        Column("volume", "number", "Area or volume of its errors, in the region's space."),
        Column("hull_volume", "number", "The same of their bounding box."),
        Column("sum_volume", "number", "Area or volume of the errors up to this layer together."),
    ),
    always_has_rows=True,
)

REGION_AXES = Table(
    "region_axes",
    "One axis of the errors of a layer, or of all layers together.",
    (
        *_EXPERIMENT,
        Column("layer", "integer", "From 1; missing for all together.", nullable=True),
        Column("axis", "integer", "Channel, from 1."),
        Column(
            "box_half_width",
            "number",
            "Half-width of the box at the layer's output.",
            nullable=True,
        ),
        Column("half_width", "number", "Of the errors' bounding box, in the region's space."),
        Column("rms", "number", "Of random errors along the axis."),
        Column("value", "number", "Value of the channel in the region's space."),
        Column("relative_error", "number", "Half-width over |value|; missing at 0.", nullable=True),
        Column(
            "sensitivity",
            "number",
            "Relative error over its mean over the channels.",
            nullable=True,
        ),
    ),
    always_has_rows=True,
)

PRINCIPAL_AXES = Table(
    "principal_axes",
    "One principal axis of a region.",
    (
        *_EXPERIMENT,
        Column(
            "of",
            "text",
            "vertices, which weigh the same; covariance: the region's, of uniform coefficients; "
            "weights: of errors of weights that are uniform in their cells.",
        ),
        Column("rank", "integer", "From 1, the longest."),
        Column("deviation", "number", "Standard deviation along it."),
        Column("x", "number", "Direction, of unit length."),
        Column("y", "number", "The same."),
        Column("z", "number", "The same; missing in the plane.", nullable=True),
    ),
    always_has_rows=True,
)

OUTLINES = Table(
    "outlines",
    "One vertex of one face of a set of errors, around the origin.",
    (
        *_EXPERIMENT,
        Column("point", "integer", "Which input, from 0."),
        Column("part", "text", "layer: errors of the layer alone; sum: of all layers up to it."),
        Column("layer", "integer", "From 1."),
        Column("face", "integer", "From 0; in the plane the set is one face."),
        Column("x", "number", "Of the vertex; those of a face follow its edge."),
        Column("y", "number", "The same."),
        Column("z", "number", "The same; missing in the plane.", nullable=True),
    ),
    always_has_rows=True,
)

PROJECTIONS = Table(
    "projections",
    "The shadow of a region in space on the plane of two channels.",
    (
        *_EXPERIMENT,
        Column("first", "integer", "One channel, from 1."),
        Column("second", "integer", "The other."),
        Column("area", "number", "Of the shadow."),
        Column("hull_area", "number", "Of its bounding box."),
    ),
    always_has_rows=True,
)

CIRCLE = Table(
    "circle",
    "The errors up to one layer at one input of the circle.",
    (
        Column("point", "integer", "Which input, from 0."),
        Column("x", "number", "Of the input."),
        Column("y", "number", "The same."),
        Column("layer", "integer", "From 1."),
        Column("area", "number", "Of all errors up to this layer."),
        *_ERRORS,
    ),
    always_has_rows=True,
)

_INPUT = (
    Column("x", "number", "Of the input."),
    Column("y", "number", "The same."),
)
_POINT = (
    Column("manifold", "text", "Name of the set of inputs."),
    Column("point", "integer", "Which of its inputs, from 0."),
    *_INPUT,
)
_L1 = Column("l1", "number", "||x||_1 of the input.")

MANIFOLD_ERRORS = Table(
    "manifold_errors",
    "One input of a set, and its largest error.",
    (*_POINT, _L1, *_ERRORS),
    always_has_rows=True,
)

MANIFOLD_STATISTICS = Table(
    "manifold_statistics",
    "The largest errors of the inputs of one set.",
    (
        _POINT[0],
        Column("points", "integer", "Number of inputs."),
        Column("space", "text", "As in regions, of the errors of all inputs here and in circle."),
        Column("minimum", "number", "Over the inputs."),
        Column("maximum", "number", "The same."),
        Column("mean", "number", "The same."),
        Column("deviation", "number", "Standard deviation over the inputs."),
        Column(
            "variation_ratio",
            "number",
            "Maximum over minimum; infinite where the minimum is 0, missing where both are.",
            nullable=True,
        ),
        Column("correlation_l1", "number", "Pearson's, of worst with ||x||_1.", nullable=True),
        Column("mean_rms", "number", "Mean over the inputs of the RMS of random errors."),
        Column(
            "drawn_share",
            "number",
            "Largest ratio of drawn to worst over the inputs; missing where nothing is lost.",
            nullable=True,
        ),
    ),
    always_has_rows=True,
)

HEAT_MAP = Table(
    "heat_map", "One input of a square.", (*_INPUT, _L1, *_ERRORS), always_has_rows=True
)

ERROR_MANIFOLDS = Table(
    "error_manifolds",
    "One input of a set, and the error of the output of layers that round it.",
    (
        *_POINT,
        Column("error_x", "number", "Output of the rounded layers minus that of the exact ones."),
        Column("error_y", "number", "The same."),
    ),
    always_has_rows=True,
)

ERROR_TRANSFORM = Table(
    "error_transform",
    "One singular value of the map from inputs to those errors.",
    (
        Column("rank", "integer", "From 1, the largest."),
        Column("singular_value", "number", "Error per unit of input."),
        Column("input_x", "number", "Direction of the input, of unit length."),
        Column("input_y", "number", "The same."),
        Column("output_x", "number", "Direction of the error, of unit length."),
        Column("output_y", "number", "The same."),
    ),
    always_has_rows=True,
)

_INTEGERS = (
    Column("quantized", "text", "weights, or weights_and_activations."),
    Column("bits", "integer", "Bits of the integers."),
)

FAKE_QUANTIZATION = Table(
    "fake_quantization",
    "One input of a set, and the error after one layer of integer inference.",
    (
        *_INTEGERS,
        *_POINT,
        Column("layer", "integer", "From 1."),
        Column("value_x", "number", "Value after the layer."),
        Column("value_y", "number", "The same."),
        Column("error_x", "number", "That value minus the one of exact layers."),
        Column("error_y", "number", "The same."),
    ),
    always_has_rows=True,
)

ERROR_GROWTH = Table(
    "error_growth",
    "The lengths of those errors over the inputs of a set.",
    (
        *_INTEGERS,
        _POINT[0],
        Column("layer", "integer", "From 1."),
        Column("mean_error", "number", "Mean length."),
        Column("max_error", "number", "Largest length."),
        Column("rms_error", "number", "Root of the mean squared length."),
    ),
    always_has_rows=True,
)

REGION_TABLES = (REGIONS, REGION_LAYERS, REGION_AXES, PRINCIPAL_AXES, PROJECTIONS, OUTLINES, CIRCLE)
MANIFOLD_TABLES = (
    MANIFOLD_ERRORS,
    MANIFOLD_STATISTICS,
    HEAT_MAP,
    ERROR_MANIFOLDS,
    ERROR_TRANSFORM,
    FAKE_QUANTIZATION,
    ERROR_GROWTH,
)
"""Tables under results/geometry/tables, by the job that makes them."""
TABLES = (*REGION_TABLES, *MANIFOLD_TABLES, *CORRECTION_TABLES, *LAYER_TABLES)
