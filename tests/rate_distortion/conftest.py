"""Tables made by hand."""

import json

import pandas as pd
import pytest

from qatlas.config import RateDistortion

SETTINGS = RateDistortion(
    example={"model": "bert", "tensor": "wide"},
    by_tensor="by_tensor",
    by_channel="by_channel",
    sensitivity_bits=4,
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
        "sampled_weights": 100,
        "mse_low": mse,
        "mse_high": mse,
        "seed": 7,
        "gap_shannon_bits": 0.5,
        "gap_empirical_bits": 0.25,
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
def statistics():
    """Kurtosis of the tensors that tests name."""
    kurtosis = {"wide": 3.0, "narrow": 4.0, "third": 30.0}
    return pd.DataFrame(
        [
            {"model": model, "tensor": tensor, "kurtosis": value}
            for model in ("bert", "noise")
            for tensor, value in kurtosis.items()
        ]
    )
