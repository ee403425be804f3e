"""The chapter's tables."""

from qatlas.codecs.base import PARTS
from qatlas.tables import Column, Table

_KEY = (
    Column("model", "text", "Name of the model in the configuration."),
    Column("tensor", "text", "Name of the tensor in its checkpoint."),
    Column("codec", "text", "Name of the codec."),
    Column("series", "text", "Name of the codec grid in the configuration."),
    Column("parameters", "text", "Parameters of the codec, JSON with sorted keys."),
)

MEASURED = Table(
    "measured",
    "One codec with one set of parameters on one tensor.",
    (
        *_KEY,
        Column("kind", "text", "What the tensor is in its architecture."),
        Column("layer", "integer", "Index of its layer.", nullable=True),
        Column("weights", "integer", "Number of weights of the tensor."),
        Column("rate_bits_per_weight", "number", "All stored bits over the number of weights."),
        *(
            Column(f"{part}_bits_per_weight", "number", f"The part of the rate charged to {part}.")
            for part in PARTS
        ),
        Column("nominal_bits", "number", "Bits per weight that the method's name advertises."),
        Column("mse", "number", "Mean squared error, in the weights' unit squared."),
        Column(
            "nmse",
            "number",
            "MSE over the variance of the weights; missing where that is zero.",
            nullable=True,
        ),
        Column("sqnr_db", "number", "10 log10(mean(W^2) / MSE); infinite where nothing is lost."),
        Column("max_abs_error", "number", "Largest absolute error, in the weights' unit."),
        Column("sampled_weights", "integer", "Number of weights that were measured."),
        Column("mse_low", "number", "Lower end of the 95 % interval of the MSE."),
        Column(
            "mse_high", "number", "Upper end; both are the MSE where all weights were measured."
        ),
        Column("seed", "integer", "Configured seed from which the codec's randomness derives."),
    ),
)

MEASUREMENTS = Table(
    "measurements",
    MEASURED.row,
    (
        *MEASURED.columns,
        Column(
            "gap_shannon_bits",
            "number",
            "Rate minus the Gaussian Shannon bound at the same variance and MSE; "
            "missing where the MSE is zero.",
            nullable=True,
        ),
        Column(
            "gap_empirical_bits",
            "number",
            "Rate minus the empirical rate-distortion function of the tensor at the MSE; "
            "missing where that was not computed so far down.",
            nullable=True,
        ),
    ),
)

TIMINGS = Table(
    "timings",
    "What a clock measured while a row of measurements was made; differs from run to run.",
    (
        *_KEY,
        Column("encode_seconds", "number", "Wall time of encoding."),
        Column("decode_seconds", "number", "Wall time of decoding."),
        Column("peak_memory_mib", "number", "Peak memory of the job so far."),
        Column("device", "text", "Where the tensors were."),
        Column("threads", "integer", "Threads the job was given."),
    ),
)

BOUNDS = Table(
    "bounds",
    "One point of the limits of one tensor.",
    (
        Column("model", "text", "Name of the model in the configuration."),
        Column("tensor", "text", "Name of the tensor in its checkpoint."),
        Column("kind", "text", "What the tensor is in its architecture."),
        Column("nmse", "number", "MSE over the variance of the weights."),
        Column("empirical_bits", "number", "Empirical rate-distortion function, bits per weight."),
        Column(
            "shannon_bits",
            "number",
            "Gaussian Shannon bound at the same variance; missing where the MSE is zero.",
            nullable=True,
        ),
        Column(
            "shannon_lower_bits",
            "number",
            "Shannon lower bound of the weights' density; missing where the MSE is zero.",
            nullable=True,
        ),
    ),
)

_PLANNED = (
    Column("model", "text", "Name of the model in the configuration."),
    Column("budget_bits_per_weight", "number", "Bits that all its tensors may take per weight."),
    Column("weighting", "text", "How errors are added up: plain or normalised."),
)

ALLOCATIONS = Table(
    "allocations",
    "The codec that a plan gives to one tensor of a model.",
    (
        *_PLANNED,
        Column("tensor", "text", "Name of the tensor in its checkpoint."),
        Column("kind", "text", "What the tensor is in its architecture."),
        Column("layer", "integer", "Index of its layer.", nullable=True),
        Column("codec", "text", "Name of the codec."),
        Column("series", "text", "Name of the codec grid in the configuration."),
        Column("parameters", "text", "Parameters of the codec, JSON with sorted keys."),
        Column("weights", "integer", "Number of weights of the tensor."),
        Column("rate_bits_per_weight", "number", "All stored bits over the number of weights."),
        Column("mse", "number", "Mean squared error, in the weights' unit squared."),
        Column("sensitivity", "number", "What a squared error of the tensor counts."),
    ),
)

ALLOCATION_TOTALS = Table(
    "allocation_totals",
    "What a plan for a whole model takes and loses. The plan allocated is that of allocations; "
    "uniform is the one codec that, used for all tensors within the budget, has the least error, "
    "and has no row where none keeps the budget.",
    (
        *_PLANNED,
        Column("plan", "text", "allocated or uniform."),
        Column("codec", "text", "Name of the codec of a uniform plan.", nullable=True),
        Column("series", "text", "Name of its grid in the configuration.", nullable=True),
        Column("parameters", "text", "Its parameters, JSON with sorted keys.", nullable=True),
        Column("weights", "integer", "Number of weights of all tensors."),
        Column("rate_bits_per_weight", "number", "All stored bits over the number of weights."),
        Column("distortion", "number", "Sum of sensitivity times squared error over all weights."),
        Column(
            "distortion_lower_bound",
            "number",
            "No plan within the budget has less: the Lagrangian dual bound, raised by branch and "
            "bound.",
        ),
        Column(
            "nmse",
            "number",
            "Distortion over what it were if every weight were its tensor's mean; missing where "
            "that is zero.",
            nullable=True,
        ),
    ),
)
