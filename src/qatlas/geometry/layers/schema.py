"""Tables of the layers of trained models."""

from qatlas.tables import Column, Table

_MODEL = Column("model", "text", "Name of the model in the configuration.")
_LAYER = (
    _MODEL,
    Column("tensor", "text", "Name of the weight matrix."),
    Column("kind", "text", "What it is in its architecture."),
    Column("layer", "integer", "Index of its block.", nullable=True),
)
_BITS = Column("bits", "integer", "Of the weights, on a uniform grid with one step a channel.")
_SCOPE = Column(
    "scope",
    "text",
    "alone: this layer's weights are rounded and its inputs are the float model's; model: all "
    "linear layers are rounded.",
)

SPECTRA = Table(
    "layer_spectra",
    "The covariance of a layer's output error over real inputs, only this layer rounded.",
    (
        *_LAYER,
        _BITS,
        Column("outputs", "integer", "Rows of the matrix."),
        Column("inputs", "integer", "Columns of the matrix."),
        Column("tokens", "integer", "Inputs that were read."),
        Column("input_participation", "number", "Participation ratio of the inputs' covariance."),
        Column(
            "participation",
            "number",
            "Effective dimension of the error: (sum l)^2 / sum l^2 over eigenvalues l.",
        ),
        Column("entropy_dimension", "number", "The same as exp of the entropy of l / sum l."),
        Column(
            "cell_participation",
            "number",
            "Participation ratio at one input over all weights in the rounding cell: from the "
            "steps alone.",
        ),
        Column(
            "predicted_participation",
            "number",
            "Participation ratio over inputs, from the steps and the inputs' covariance.",
        ),
        Column("rms", "number", "Root mean square of the error over tokens and outputs."),
        Column("predicted_rms", "number", "From the steps and E|x|^2."),
        Column("mean_share", "number", "Share of the error's energy that is its mean."),
    ),
)
EIGENVALUES = Table(
    "layer_eigenvalues",
    "An eigenvalue of the covariance of a layer's output error, over their sum.",
    (
        *_LAYER,
        _BITS,
        Column("rank", "integer", "From 1, the largest."),
        Column("measured", "number", "With the layer's own weights."),
        Column("drawn", "number", "With weights drawn from the rounding cell."),
    ),
)
SUPPORTS = Table(
    "layer_supports",
    "How far an output error reaches in random directions, beside its deviation there.",
    (
        *_LAYER,
        Column(
            "source",
            "text",
            "weights: rounded, at real inputs; inputs: rounded to a grid, through float weights.",
        ),
        Column("generators", "integer", "p, of the zonotope of errors."),
        Column("directions", "integer", "That were drawn."),
        Column("ratio", "number", "Worst over RMS, mean over directions."),
        Column("lowest", "number", "The least of them."),
        Column("highest", "number", "The largest of them."),
        Column(
            "law",
            "number",
            "sqrt(6 p / pi), of dense Gaussian generators, for inputs; sqrt(12 p) / pi, of "
            "products of Gaussians, for weights.",
        ),
    ),
)
FLIPS = Table(
    "layer_flips",
    "How often the outputs of a linear layer change their sign.",
    (
        *_LAYER,
        _BITS,
        _SCOPE,
        Column("activated", "truth", "Whether an MLP's activation function takes the outputs."),
        Column("error_over_signal", "number", "s_e / s_z, both RMS over tokens and outputs."),
        Column("flip_rate", "number", "Share of outputs, over tokens, whose sign changes."),
        Column("law", "number", "atan(s_e / s_z) / pi."),
        Column("law_by_unit", "number", "The same for each output by itself, their mean."),
        Column("law_with_means", "number", "That with outputs that are not about zero."),
    ),
)
SHARES = Table(
    "layer_shares",
    "The error inside an MLP by units that kept their sign and units that did not.",
    (
        _MODEL,
        Column("layer", "integer", "Index of its block."),
        _BITS,
        Column("units", "number", "Share of units, over tokens, that changed their sign."),
        Column("tokens", "number", "Share of tokens at which any did."),
        Column("hidden", "number", "Share of the energy of the hidden error that is theirs."),
        Column(
            "output", "number", "The same behind the layer that reads the units, of both parts."
        ),
        Column("interference", "number", "What both parts add together there, over the same."),
    ),
)
CORRECTIONS = Table(
    "layer_corrections",
    "What an affine correction recovers of a layer's output error.",
    (
        *_LAYER,
        _BITS,
        _SCOPE,
        Column("outputs", "integer", "Rows of the matrix."),
        Column("inputs", "integer", "Columns of the matrix."),
        Column(
            "correction",
            "text",
            "bias, diagonal, full (affine, least squares), ridge (affine, drawn to the identity); "
            "clusters_bias, clusters_diagonal: one a cluster of the quantized outputs.",
        ),
        Column("relative_error", "number", "RMS of the error over that of the outputs, before."),
        Column("fitted", "number", "Share of the error's energy gone on tokens fitted to."),
        Column("held_out", "number", "The same on other tokens; negative where it does harm."),
    ),
)
GROWTHS = Table(
    "layer_growths",
    "The error of the hidden states behind a block, all linear layers rounded.",
    (
        _MODEL,
        Column("block", "integer", "From 1, in the order of the model."),
        _BITS,
        Column("measured", "number", "RMS over that of the hidden states."),
        Column("first_order", "number", "The same of the error to first order in the weights'."),
        Column(
            "unexplained", "number", "RMS of the difference of the two over that of the measured."
        ),
    ),
)

TABLES = (SPECTRA, EIGENVALUES, SUPPORTS, FLIPS, SHARES, CORRECTIONS, GROWTHS)
"""Tables of the layers of trained models."""
