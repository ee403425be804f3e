"""The chapter's tables."""

from qatlas.models.schema import LOSSES
from qatlas.tables import Column, Table

_MODEL = (
    Column("model", "text", "Name of the language model in the configuration."),
    Column("seed", "integer", "Seed of its training; 0 where it has one training only."),
)
_POINT = (
    Column(
        "series",
        "text",
        "Name of the codec grid or of the quantized checkpoint, or float32, bfloat16, float16: the "
        "model itself, its weights and activations in bfloat16, its quantized weights in float16.",
    ),
    Column(
        "codec",
        "text",
        "Name of the codec, cast for the three floating-point series; checkpoint_FORMAT for a "
        "checkpoint.",
    ),
    Column(
        "parameters",
        "text",
        "Parameters of the codec or the checkpoint's quantization_config, JSON with sorted keys.",
    ),
    Column("nominal_bits", "number", "Bits per weight that the method's name advertises."),
)
_LAYER = (
    Column("tensor", "text", "Name of the weight matrix."),
    Column("kind", "text", "What it is in its architecture."),
    Column("layer", "integer", "Index of its layer.", nullable=True),
)
_STORED = (
    Column("weights", "integer", "Number of quantized weights."),
    Column("rate_bits_per_weight", "number", "All stored bits over the quantized weights."),
    Column(
        "model_bits_per_parameter",
        "number",
        "Stored bits of the whole model, what is not quantized as in its checkpoint, over its "
        "parameters.",
    ),
)
_DIVERGENCE = (
    Column("logits_mse", "number", "Mean squared difference of logits to the float model's."),
    Column("mean_kl", "number", "Mean KL(p_float || p_quantized) over tokens, nats."),
)

EVALUATIONS = Table(
    "evaluations",
    "One language model with all its linear layers quantized in one way.",
    (
        *_MODEL,
        *_POINT,
        *_STORED,
        Column(
            "mse",
            "number",
            "Mean squared error of the quantized weights; missing, as the next two, for a "
            "checkpoint whose tool moved scales from layers into norms.",
            nullable=True,
        ),
        Column(
            "nmse",
            "number",
            "The same over the mean variance of the weights of a layer.",
            nullable=True,
        ),
        Column(
            "output_nmse",
            "number",
            "Mean over layers of E|(W - W_hat) x|^2 / E|W x|^2 on the calibration text.",
            nullable=True,
        ),
        Column("nll", "number", "Mean NLL, nats per token."),
        Column("nll_standard_error", "number", "Its standard error over windows.", nullable=True),
        Column("perplexity", "number", "exp(NLL)."),
        Column("bits_per_byte", "number", "Bits per byte of text."),
        *_DIVERGENCE,
        Column("median_kl", "number", "Median of the tokens' KL, nats."),
        Column("p99_kl", "number", "Their 99 % quantile."),
        Column("top1_agreement", "number", "Share of tokens with the float model's likeliest."),
        Column("scored_tokens", "integer", "Tokens of the text that were predicted."),
        Column("context", "integer", "Tokens of a window."),
        Column("text_sha256", "text", "SHA-256 of the tokens of the text."),
    ),
    always_has_rows=True,
)

POSITIONS = Table(
    "positions",
    "Logits error of a quantized language model at one position of a window.",
    (
        *_MODEL,
        *_POINT,
        Column("position", "integer", "Tokens of context before the predicted one."),
        Column("logits_mse", "number", "Mean squared difference of logits to the float model's."),
    ),
    always_has_rows=True,
)

LAYERS = Table(
    "layers",
    "One linear layer of a language model, quantized in one way.",
    (
        *_MODEL,
        *_POINT,
        *_LAYER,
        Column("weights", "integer", "Number of weights."),
        Column("rate_bits_per_weight", "number", "All stored bits over the weights."),
        Column("mse", "number", "Mean squared error of the weights."),
        Column("nmse", "number", "The same over the variance of the weights.", nullable=True),
        Column("output_mse", "number", "E|(W - W_hat) x|^2 per weight, on the calibration text."),
        Column("output_nmse", "number", "E|(W - W_hat) x|^2 / E|W x|^2."),
        Column(
            "output_gap_bits",
            "number",
            "Rate above the least one for this output error of independent Gaussian weights "
            "(reverse water-filling over H); missing where nothing is lost.",
            nullable=True,
        ),
        Column(
            "bias_corrected_output_nmse",
            "number",
            "Output error that is left when a bias takes off its mean, over E|W x|^2.",
        ),
        Column("bias_bits_per_weight", "number", "Bits of that bias in float16 over the weights."),
    ),
    always_has_rows=True,
)

SENSITIVITIES = Table(
    "sensitivities",
    "A language model with a single linear layer quantized.",
    (
        *_MODEL,
        *_POINT,
        *_LAYER,
        Column("weights", "integer", "Number of weights of the layer."),
        Column("nmse", "number", "MSE of the layer's weights over their variance."),
        Column("nll_increase", "number", "NLL minus the float model's, nats per token."),
        *_DIVERGENCE,
    ),
)

EMBEDDINGS = Table(
    "embeddings",
    "A sentence encoder with all its linear layers quantized in one way.",
    (
        _MODEL[0],
        *_POINT,
        *_STORED,
        Column("mse", "number", "Mean squared error of the quantized weights."),
        Column("nmse", "number", "The same over the mean variance of the weights of a layer."),
        Column(
            "embedding_mse",
            "number",
            "Mean over sentences and components of the squared difference of embeddings of unit "
            "length to the float model's.",
        ),
        Column("cosine", "number", "Mean over sentences of the cosine between the two."),
        Column("lowest_cosine", "number", "The least of them."),
        Column(
            "neighbour_overlap",
            "number",
            "Mean share of the 10 nearest sentences of a sentence that stay among them.",
        ),
        Column("sentences", "integer", "Sentences that were embedded."),
    ),
)

TABLES = (EVALUATIONS, POSITIONS, LAYERS, SENSITIVITIES, EMBEDDINGS, LOSSES)
"""Tables under results/function/tables."""
