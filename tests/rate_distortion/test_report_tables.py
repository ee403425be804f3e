"""What is told of curves at chosen errors and rates, how fast they were, and what rotations do."""

import json
import math

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

from qatlas.rate_distortion.operating_points import at_rates
from qatlas.rate_distortion.rotation import kurtosis_by_rotation
from qatlas.rate_distortion.schema import OPERATING_POINTS, ROTATION, SPEEDS, TARGET_DISTORTION
from qatlas.rate_distortion.speeds import speeds
from qatlas.rate_distortion.target_distortion import at_target_distortions
from qatlas.tables import write_table
from qatlas.weights.matrices import Matrix

NO_BOUNDS = pd.DataFrame(columns=["model", "tensor", "nmse", "empirical_bits"])
BOUNDS = pd.DataFrame(
    {"model": "bert", "tensor": "wide", "nmse": [2.0**-12, 1.0], "empirical_bits": [5.0, 0.0]}
)


def targets(rows, bounds=NO_BOUNDS):
    return pd.DataFrame(at_target_distortions(rows, bounds)).set_index(["series", "target_nmse"])


def test_rates_are_linear_in_the_logarithm_of_the_error(measurements, tmp_path):
    rows = measurements(("best", 3, 0.04), ("best", 4, 0.0025), ("by_tensor", 4, 0.01))
    found = targets(rows, BOUNDS)
    at = found.loc["best", 0.01]
    assert at.rate_bits_per_weight == pytest.approx(3.625)
    assert at.gap_shannon_bits == pytest.approx(3.625 + 0.5 * math.log2(0.01))
    # The limit falls 5 bits over 12 octaves.
    assert at.gap_empirical_bits == pytest.approx(3.625 + math.log2(0.01) * 5 / 12)
    assert found.loc["by_tensor", 0.01].rate_bits_per_weight == 4.125
    write_table(at_target_distortions(rows, BOUNDS), TARGET_DISTORTION, tmp_path / "targets")


def test_nothing_is_extrapolated(measurements):
    found = targets(measurements(("best", 3, 0.04), ("best", 4, 0.0025), ("best", 8, 0.0)))
    missed = found.loc["best", 0.001]
    assert missed.coverage == "insufficient coverage"
    assert math.isnan(missed.rate_bits_per_weight)
    assert found.loc["best", 0.01].coverage == "interpolated"
    assert math.isnan(found.loc["best", 0.01].gap_empirical_bits)


def test_of_several_crossings_the_cheapest_counts(measurements):
    rows = [("best", bits, nmse) for bits, nmse in [(1, 0.1), (2, 0.001), (3, 0.1), (4, 0.001)]]
    assert targets(measurements(*rows)).loc["best", 0.01].rate_bits_per_weight == 1.625


def points(rows):
    return pd.DataFrame(at_rates(rows)).set_index(["bits", "series"])


def test_a_point_counts_all_bits_and_all_errors_of_a_model(measurements, tmp_path):
    big = {"tensor": "big", "weights": 300, "mse": 0.04, "nmse": 0.01, "gap_empirical_bits": 1.25}
    rows = measurements(("best", 3, 0.03), ("best", 3, 0.01, big | {"rate_bits_per_weight": 3.025}))
    found = points(rows).loc[3, "best"]
    assert found.rate_bits_per_weight == pytest.approx(3.05)
    # Variances of 2 and 4: 100 weights of error 0.06 and 300 of 0.04.
    assert found.nmse == pytest.approx((6 + 12) / (200 + 1200))
    assert found.sqnr_db == pytest.approx(20)
    assert found.gap_empirical_bits == pytest.approx(1.0)
    write_table(at_rates(rows), OPERATING_POINTS, tmp_path / "points")


def test_the_nearest_point_is_listed_or_none(measurements):
    rows = measurements(
        *(("best", bits, 4.0**-bits) for bits in (2, 3, 8)),
        ("by_tensor", 3, 0.1, {"rate_bits_per_weight": 3.4}),
        ("by_tensor", 4, 0.1, {"rate_bits_per_weight": 4.4}),
        ("by_channel", 2, 0.1, {"tensor": "another"}),
    )
    # One series misses a tensor, so it is not a point of the model; the others miss the other.
    assert at_rates(rows) == []
    complete = points(rows[rows.tensor == "wide"])
    assert list(complete.index) == [(2, "best"), (3, "best"), (3, "by_tensor"), (4, "by_tensor")]
    assert json.loads(complete.loc[3, "best"].parameters) == {"bits": 3}


def test_without_loss_the_ratio_is_infinite(measurements):
    found = points(measurements(("best", 4, 0.0, {"nmse": 0.0}), ("by_tensor", 4, 0.1)))
    assert found.loc[4, "best"].sqnr_db == math.inf
    assert found.loc[4, "best"].nmse == 0


def test_speeds_are_weights_over_seconds(measurements, tmp_path):
    rows = measurements(
        ("best", 4, 0.1, {"sampled_weights": 3_000_000}),
        ("best", 4, 0.1, {"sampled_weights": 1_000_000, "tensor": "narrow"}),
    )
    timings = rows[["model", "tensor", "codec", "series", "parameters"]].assign(
        encode_seconds=[1.5, 0.5], decode_seconds=0.25, device="cpu", threads=1
    )
    found = speeds(rows, timings)
    assert found.encode_million_weights_per_second.tolist() == [2]
    assert found.decode_million_weights_per_second.tolist() == [8]
    write_table(found, SPEEDS, tmp_path / "speeds")


def test_a_rotation_makes_heavy_tails_gaussian(tmp_path):
    weights = np.random.default_rng(0).standard_t(5, (256, 192)).astype(np.float32)
    weights[:16] *= 8
    row = kurtosis_by_rotation(Matrix("bert", "wide", "mlp", None, torch.from_numpy(weights)))
    assert row["kurtosis"] == pytest.approx(stats.kurtosis(weights, axis=None, fisher=False))
    assert row["kurtosis"] > row["kurtosis_rotated_input"] > 10
    assert row["kurtosis_rotated_both"] == pytest.approx(3, abs=0.2)
    flat = kurtosis_by_rotation(Matrix("bert", "flat", "mlp", 3, torch.zeros(8, 8)))
    assert flat["kurtosis"] is None
    write_table([row, flat], ROTATION, tmp_path / "rotation")
