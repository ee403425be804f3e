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
        Column(
            "sampled_weights",
            "integer",
            "Number of weights that were measured: all, or those of rows drawn at random; rate and "
            "MSE are theirs.",
        ),
        Column(
            "train_mse",
            "number",
            "MSE on the sample of the weights that the codec was trained on, to compare with that "
            "on all; missing where there is no such sample.",
            nullable=True,
        ),
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
        Column(
            "gap_channel_variance_bits",
            "number",
            "Rate minus the bound for Gaussian output channels of known variances; missing where "
            "that was not computed.",
            nullable=True,
        ),
    ),
    always_has_rows=True,
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
    always_has_rows=True,
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
        Column(
            "channel_variance_bits",
            "number",
            "Bound for Gaussian output channels of known variances, which are not charged; missing "
            "where the MSE is zero.",
            nullable=True,
        ),
        Column(
            "group_variance_bits",
            "number",
            "The same for groups of 128 weights of a channel; missing too where these do not fill "
            "it.",
            nullable=True,
        ),
    ),
    always_has_rows=True,
)

TARGET_DISTORTION = Table(
    "target_distortion",
    "The rate at which one curve, a series on a tensor, reaches a wanted error.",
    (
        Column("model", "text", "Name of the model in the configuration."),
        Column("tensor", "text", "Name of the tensor in its checkpoint."),
        Column("codec", "text", "Name of the codec."),
        Column("series", "text", "Name of the codec grid in the configuration."),
        Column("target_nmse", "number", "Wanted MSE over the variance of the weights."),
        Column(
            "coverage",
            "text",
            "interpolated, linearly in the logarithm of the error between measured points; or "
            "insufficient coverage, where these do not lie on both sides.",
        ),
        Column(
            "rate_bits_per_weight",
            "number",
            "All stored bits over the number of weights; missing with insufficient coverage.",
            nullable=True,
        ),
        Column("shannon_bits", "number", "Gaussian Shannon bound at that error."),
        Column(
            "empirical_bits",
            "number",
            "Empirical rate-distortion function of the tensor at that error, where computed.",
            nullable=True,
        ),
        Column("gap_shannon_bits", "number", "Rate minus the Gaussian bound.", nullable=True),
        Column("gap_empirical_bits", "number", "Rate minus the empirical bound.", nullable=True),
    ),
)

OPERATING_POINTS = Table(
    "operating_points",
    "The point of one series nearest to 2, 3 or 4 bits per weight, over all tensors of a model.",
    (
        Column("model", "text", "Name of the model in the configuration."),
        Column("bits", "integer", "Rate that the point is listed at; its own is within 0.5."),
        *_KEY[2:],
        Column("rate_bits_per_weight", "number", "All stored bits over all weights."),
        Column(
            "nmse",
            "number",
            "All squared error over the variances of the tensors; missing where these are zero.",
            nullable=True,
        ),
        Column("sqnr_db", "number", "The same over mean squares; infinite where nothing is lost."),
        *(
            Column(
                f"gap_{bound}_bits",
                "number",
                f"Weighted mean of the gaps to each tensor's {words}; missing where one is.",
                nullable=True,
            )
            for bound, words in {
                "shannon": "Gaussian Shannon bound",
                "empirical": "empirical bound",
                "channel_variance": "bound for Gaussian channels",
            }.items()
        ),
    ),
)

SPEEDS = Table(
    "speeds",
    "How fast one codec was on all tensors of a model; differs from run to run.",
    (
        Column("model", "text", "Name of the model in the configuration."),
        *_KEY[2:],
        Column("device", "text", "Where the tensors were."),
        Column("threads", "integer", "Threads the job was given."),
        Column("sampled_weights", "integer", "Number of weights that were encoded."),
        Column("encode_million_weights_per_second", "number", "Of wall time."),
        Column("decode_million_weights_per_second", "number", "Of wall time."),
    ),
)

ROTATION = Table(
    "rotation",
    "The kurtosis of one tensor before and after a randomized Hadamard transform.",
    (
        Column("model", "text", "Name of the model in the configuration."),
        Column("tensor", "text", "Name of the tensor in its checkpoint."),
        Column("kind", "text", "What the tensor is in its architecture."),
        Column("layer", "integer", "Index of its layer.", nullable=True),
        Column("weights", "integer", "Number of weights of the tensor."),
        Column(
            "kurtosis", "number", "Of the weights; Gaussian 3, none if constant.", nullable=True
        ),
        Column(
            "kurtosis_rotated_input", "number", "With the input side transformed.", nullable=True
        ),
        Column("kurtosis_rotated_both", "number", "With both sides transformed.", nullable=True),
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
