"""The chapter's tables of products and their errors."""

from qatlas.tables import Column, Table

MOST_CELLS = 32
"""On a side of the picture of a table."""

_TABLE = (
    Column("table", "text", "Name of its encoding or multiplier, or of a table of the user."),
    Column("kind", "text", "encoding, multiplier or user."),
    Column("size", "integer", "S, levels of an operand."),
    Column("bits", "integer", "Bits of an operand: log2 of the size, rounded up."),
    Column("range", "number", "R: no product of the table is beyond -R or R."),
)

MAP_ERRORS = Table(
    "map_errors",
    "What one table errs by over pairs of operands of one distribution.",
    (
        *_TABLE,
        Column(
            "operands",
            "text",
            "uniform: all levels equally often; else the language model whose activations and "
            "weights they are, each tensor scaled by its largest magnitude to the largest level.",
        ),
        Column(
            "pairs",
            "text",
            "all, or in_range: those alone whose true product is within the range.",
        ),
        Column("med", "number", "Mean |T - ab|: T is the table's product, ab the true one."),
        Column("nmed", "number", "MED over the largest magnitude of a true product of levels."),
        Column("wce", "number", "Largest |T - ab| of pairs that occur."),
        Column(
            "mred",
            "number",
            "Mean |T - ab| / |ab| over pairs whose product is not zero; missing if none is.",
            nullable=True,
        ),
        Column("error_rate", "number", "Share of pairs with T other than ab."),
        Column("bias", "number", "Mean T - ab."),
        Column("deviation", "number", "Standard deviation of T - ab."),
        Column(
            "crossover",
            "number",
            "(deviation / bias)^2, the number of added errors whose mean is as large as their "
            "spread; missing without a bias.",
            nullable=True,
        ),
        Column("saturated_share", "number", "Share of all pairs whose product is beyond R."),
    ),
    always_has_rows=True,
)

MAP_RANKS = Table(
    "map_ranks",
    "The rank of one table's errors.",
    (
        *_TABLE,
        Column("rank", "integer", "Rank of the matrix T - ab."),
        Column(
            "exact",
            "truth",
            "Whether it was found in whole numbers; else it counts the singular values above "
            "1e-12 of S max(a)^2, which no singular value of the products exceeds.",
        ),
        *(
            Column(
                f"energy_left_{kept}",
                "number",
                f"Share of the sum of squared errors that the best matrix of rank {kept} leaves.",
            )
            for kept in (1, 2, 4, 8)
        ),
    ),
    always_has_rows=True,
)

MAP_CELLS = Table(
    "map_cells",
    f"A block of neighbouring pairs of operands, one of at most {MOST_CELLS} x {MOST_CELLS} of a "
    "table.",
    (
        *_TABLE,
        Column("row", "integer", "Place of the cell among the rows, from the least operand."),
        Column("column", "integer", "Its place among the columns."),
        Column("product", "number", "Mean product of the table in the cell."),
        Column("absolute_error", "number", "Mean |T - ab| in the cell."),
        Column(
            "relative_error",
            "number",
            "Mean T - ab over mean |ab| in the cell; missing where all products are zero.",
            nullable=True,
        ),
    ),
    always_has_rows=True,
)

OPERANDS = Table(
    "operands",
    "How often the input or the weight of one linear layer has one of 4,095 evenly spaced values.",
    (
        Column("model", "text", "Name of the language model in the configuration."),
        Column("tensor", "text", "Name of the layer's weight matrix."),
        Column("operand", "text", "activation or weight."),
        Column("multiplications", "integer", "Of the layer, for a token."),
        Column(
            "value",
            "integer",
            "The value over the tensor's largest magnitude, times 2,047, rounded.",
        ),
        Column("count", "integer", "How often."),
    ),
    always_has_rows=True,
)

TABLE_MODELS = Table(
    "table_models",
    "A language model whose linear layers multiply in one way, beside the model itself.",
    (
        Column("model", "text", "Name of the language model in the configuration."),
        Column("seed", "integer", "Seed of its training; 0 where it has one training only."),
        Column(
            "stage",
            "text",
            "What is not exact: nothing (float), or all of it in bfloat16 (noise); operands, which "
            "are on levels (encode); products too, which are those of the table (product); sums "
            "too, which are the accumulator's (accumulate).",
        ),
        Column("encoding", "text", "Encoding or multiplier; exact where products are true."),
        Column("size", "integer", "S, levels of an operand; 0 where operands are not on levels."),
        Column("bits", "integer", "Bits of an operand: log2 of the size, rounded up; else 32."),
        Column("range", "number", "R of encoded tables."),
        Column("method", "text", "How operands go to levels: nearest, stochastic; none if not."),
        Column("accumulator", "text", "What adds products; exact where sums are."),
        Column("weight_scales", "text", "What weights share a scale: channel or tensor."),
        Column("activation_scales", "text", "What activations share a scale: token or tensor."),
        Column("nll", "number", "Mean NLL, nats per token."),
        Column("nll_standard_error", "number", "Its standard error over windows.", nullable=True),
        Column("perplexity", "number", "exp(NLL)."),
        Column("mean_kl", "number", "Mean KL(p_float || p_table) over tokens, nats."),
        Column("p99_kl", "number", "Their 99 % quantile."),
        Column("logits_mse", "number", "Mean squared difference of logits to the float model's."),
        Column("top1_agreement", "number", "Share of tokens with the float model's likeliest."),
        Column("scored_tokens", "integer", "Tokens of the text that were predicted."),
        Column("context", "integer", "Tokens of a window."),
        Column("text_sha256", "text", "SHA-256 of the tokens of the text."),
    ),
    always_has_rows=True,
)

TABLES = (MAP_ERRORS, MAP_RANKS, MAP_CELLS)
"""Those that are made for every study of the chapter."""
