"""The table that everything here is computed from."""

from qatlas.tables import Column, Table

ROBUSTNESS = Table(
    "robustness",
    "One model of one training seed at one precision.",
    (
        Column("model", "text", "Name of the model."),
        Column(
            "line",
            "text",
            "How its weights were quantized, such as by channel; precisions that no codec makes "
            "(fp32, fp16) stand in every line.",
        ),
        Column("bit_width", "integer", "Nominal bits of a weight; 32 is the float model."),
        Column("seed", "integer", "Seed of the training."),
        Column(
            "perplexity",
            "number",
            "exp of the mean NLL of the scored tokens; infinite where that is too large for a "
            "float or the model's predictions are not numbers.",
        ),
        Column("source", "text", "measured, imported or simulated."),
    ),
    always_has_rows=True,
)

ORIGIN = "function/robustness/robustness.parquet"
"""Where summaries say that a value comes from."""
