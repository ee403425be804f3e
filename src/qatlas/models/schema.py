"""Tables of trained models."""

from qatlas.tables import Column, Table

LOSSES = Table(
    "losses",
    "A training so far: one row each time that it was validated.",
    (
        Column("architecture", "text", "Name of the architecture."),
        Column("seed", "integer", "Seed of the initial weights and of the order of the text."),
        Column("step", "integer", "Steps of the optimizer so far."),
        Column("tokens", "integer", "Tokens trained on so far."),
        Column(
            "training_nll",
            "number",
            "Mean NLL of the tokens trained on since the row before, nats per token, each before "
            "its own step; missing before the first.",
            nullable=True,
        ),
        Column(
            "gradient_norm",
            "number",
            "Mean norm of the gradient over the same steps, before clipping.",
            nullable=True,
        ),
        Column("learning_rate", "number", "Learning rate of the next step."),
        Column("validation_nll", "number", "Mean NLL of the validation tokens, nats per token."),
        Column(
            "validation_nll_standard_error",
            "number",
            "Its standard error over windows; missing if there is a single one.",
            nullable=True,
        ),
    ),
)
