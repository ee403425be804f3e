"""The tables of simulations."""

from qatlas.tables import Column, Table

_TABLE = (
    Column("operation", "text", "chain, dot, or dot_wide: a dot product that never saturates."),
    Column("table", "text", "Name of the table's encoding."),
    Column("size", "integer", "S, levels of an operand."),
    Column("bits", "integer", "Bits of an operand: log2 of the size, rounded up."),
    Column("method", "text", "nearest, stochastic or bilinear look-up."),
    Column("range", "number", "R: operands, products and saturating sums lie within -R and R."),
)
_REFERENCE = Column(
    "reference", "text", "Arithmetic that it is compared with: float8 (E4M3) to float64."
)
_ERRORS = (
    Column("mean_error", "number", "Mean over trajectories of table less reference."),
    Column("mean_absolute_error", "number", "Mean magnitude of the error."),
    Column("median_absolute_error", "number", "Median magnitude of the error."),
    Column("low_absolute_error", "number", "5 % quantile of the magnitude of the error."),
    Column("high_absolute_error", "number", "95 % quantile of the magnitude of the error."),
    Column("rms_error", "number", "Root mean square error."),
)

SIMULATIONS = Table(
    "simulations",
    "Results by look-up of an ensemble of trajectories after so many steps.",
    (
        *_TABLE,
        _REFERENCE,
        Column("steps", "integer", "Multiplications of a trajectory."),
        Column("trajectories", "integer", "Seeds of the ensemble, the same for all variants."),
        *_ERRORS,
        Column("mean_absolute_reference", "number", "Mean magnitude of the reference's result."),
        Column(
            "relative_error",
            "number",
            "Mean magnitude of the error over that of the reference.",
            nullable=True,
        ),
        Column(
            "median_relative_error",
            "number",
            "Median over trajectories of |error| / |reference|; missing where it is not finite, "
            "since half of the references are zero.",
            nullable=True,
        ),
        Column("error_over_range", "number", "Mean magnitude of the error over R."),
        Column(
            "exact_error",
            "number",
            "Mean magnitude of table less float64 result of the same factors.",
        ),
        Column(
            "reference_error",
            "number",
            "Mean magnitude of reference less float64 result of the same factors.",
        ),
        Column(
            "operand_saturations",
            "number",
            "Operands beyond the range, mean a trajectory; none of a dot product.",
        ),
        Column("product_saturations", "number", "True products beyond the range, likewise."),
        Column("sum_saturations", "number", "Sums beyond the range, likewise; none of a chain."),
        Column(
            "standing_share",
            "number",
            "Share of the steps of a chain that left its value as it was.",
            nullable=True,
        ),
    ),
    always_has_rows=True,
)

TRAJECTORIES = Table(
    "trajectories",
    "Errors of an ensemble by look-up after one number of steps.",
    (
        *_TABLE,
        _REFERENCE,
        Column("step", "integer", "Multiplications so far."),
        *_ERRORS,
        Column("deviation", "number", "Standard deviation of the error."),
    ),
    always_has_rows=True,
)

EXAMPLES = Table(
    "examples",
    "The first trajectory of the ensemble after one number of steps.",
    (
        *_TABLE,
        _REFERENCE,
        Column("step", "integer", "Multiplications so far; every one at first, then every eighth."),
        Column("value", "number", "Result by look-up."),
        Column("reference_value", "number", "Result of the reference."),
    ),
)


def _estimate(name: str, meaning: str) -> tuple[Column, ...]:
    """A number that may be missing, with its 95 % bootstrap interval over trajectories."""
    return (
        Column(name, "number", meaning, nullable=True),
        Column(f"{name}_low", "number", "Its 95 % interval: low end.", nullable=True),
        Column(f"{name}_high", "number", "Its 95 % interval: high end.", nullable=True),
    )


GROWTH = Table(
    "growth",
    "How the error of a variant to float64 grows, and what one product's error predicts. The table "
    "fixed_grid stands for true products rounded to even steps, as the laws have it.",
    (
        *_TABLE,
        Column("steps", "integer", "Multiplications of a trajectory."),
        Column("bias", "number", "Mean error of one product, by integration.", nullable=True),
        Column("deviation", "number", "Standard deviation of the same.", nullable=True),
        Column(
            "predicted_crossover",
            "number",
            "(deviation / bias)^2: steps after which the bias of the sum is its deviation; "
            "missing without bias, and of chains.",
            nullable=True,
        ),
        Column(
            "predicted_ratio",
            "number",
            "Deviation of one product over that of nearest look-up.",
            nullable=True,
        ),
        *_estimate("crossover", "The same as measured; missing if not within the steps."),
        *_estimate("ratio", "Final deviation over that of nearest look-up in the same table."),
        *_estimate("deviation_slope", "Slope of log deviation against log steps."),
        *_estimate(
            "bias_slope", "Slope of log |mean error|; missing where it is not told from zero."
        ),
        *_estimate("final_deviation", "Standard deviation of the error after all steps."),
    ),
)

TABLES = (SIMULATIONS, TRAJECTORIES, EXAMPLES, GROWTH)
"""Those of the chapter's simulations."""
