"""Tables made by hand."""

import json

import pandas as pd
import pytest

from qatlas.config.rate_distortion import RateDistortion
from qatlas.rate_distortion.operating_points import at_rates
from qatlas.rate_distortion.schema import (
    ALLOCATION_TOTALS,
    BOUNDS,
    OPERATING_POINTS,
    ROTATION,
    TARGET_DISTORTION,
)
from qatlas.rate_distortion.target_distortion import at_target_distortions

SETTINGS = RateDistortion(
    example={"model": "bert", "tensor": "wide"},
    by_tensor="by_tensor",
    by_channel="by_channel",
    sensitivity_bits=4,
    allocation={"budgets": (3.0, 4.0), "shown_budget": 4.0},
)
CODECS = {
    "by_tensor": ("uniform", {"granularity": "tensor"}),
    "by_channel": ("uniform", {"granularity": "channel"}),
    "best": ("lloyd_max", {}),
}


def measurement(series, bits, nmse, changes=None):
    """One row of ``measurements``: weights of variance 2, a rate of an eighth over the bits."""
    codec, parameters = CODECS[series]
    mse = 2 * nmse
    return {
        "model": "bert",
        "tensor": "wide",
        "codec": codec,
        "series": series,
        "parameters": json.dumps(parameters | {"bits": bits}, sort_keys=True),
        "kind": "linear",
        "layer": 0,
        "weights": 100,
        "rate_bits_per_weight": bits + 0.125,
        "payload_bits_per_weight": float(bits),
        "scale_bits_per_weight": 0.125,
        "zero_point_bits_per_weight": 0.0,
        "codebook_bits_per_weight": 0.0,
        "other_bits_per_weight": 0.0,
        "nominal_bits": float(bits),
        "mse": mse,
        "nmse": nmse,
        "sqnr_db": 20.0,
        "max_abs_error": 0.5,
        "train_mse": None,
        "sampled_weights": 100,
        "mse_low": mse,
        "mse_high": mse,
        "seed": 7,
        "gap_shannon_bits": 0.5,
        "gap_empirical_bits": 0.25,
        "gap_channel_variance_bits": 0.5,
    } | (changes or {})


@pytest.fixture
def settings():
    return SETTINGS


@pytest.fixture
def measurements():
    """Make a table of rows, each the arguments of ``measurement``."""

    def table(*rows):
        return pd.DataFrame([measurement(*row) for row in rows])

    return table


@pytest.fixture
def rotation():
    """Kurtosis of the tensors that tests name, as in the table of that name."""
    kurtosis = {"wide": 3.0, "narrow": 4.0, "third": 30.0}
    return pd.DataFrame(
        [
            {"model": model, "tensor": tensor, "kurtosis": value}
            for model in ("bert", "noise")
            for tensor, value in kurtosis.items()
        ]
    )


def frame(rows, kind):
    return pd.DataFrame(rows, columns=kind.schema.names)


def summarized_tables(measurements, rotation=(), allocation_totals=None):
    """The tables that a summary is computed from."""
    targets = at_target_distortions(measurements, frame([], BOUNDS))
    return {
        "measurements": measurements,
        "operating_points": frame(at_rates(measurements), OPERATING_POINTS),
        "target_distortion": frame(targets, TARGET_DISTORTION),
        "rotation": frame(rotation, ROTATION),
        "allocation_totals": frame([], ALLOCATION_TOTALS)
        if allocation_totals is None
        else allocation_totals,
    }
