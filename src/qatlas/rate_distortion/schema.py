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
            "train_mse",
            "number",
            "MSE on the sample of the weights that the codec was trained on, to compare with that "
            "on all; missing where there is no such sample.",
            nullable=True,
        ),
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
