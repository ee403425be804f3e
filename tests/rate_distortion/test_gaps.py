import numpy as np
import pandas as pd
import pytest
import torch

from qatlas.rate_distortion.gaps import with_gaps
from qatlas.rate_distortion.limits import limits
from qatlas.rate_distortion.schema import MEASURED, MEASUREMENTS
from qatlas.rate_distortion.sweep import sweep
from qatlas.tables import write_table
from qatlas.weights.matrices import Matrix

PLANS = {
    "uniform": {
        "by_tensor": [{"bits": bits, "clip": "mse"} for bits in range(1, 9)],
        "by_group": [{"bits": bits, "granularity": 16, "clip": "mse"} for bits in range(1, 9)],
        "shifted": [
            {"bits": bits, "granularity": "channel", "grid": "asymmetric"} for bits in range(1, 9)
        ],
    },
    "lloyd_max": {"best": [{"bits": bits} for bits in range(1, 9)]},
}


def bounds(*points, tensor="wide"):
    return pd.DataFrame(
        [
            {"model": "bert", "tensor": tensor, "kind": "linear", "nmse": nmse}
            | {"empirical_bits": bits, "shannon_bits": 9.0, "shannon_lower_bits": 9.0}
            | {"channel_variance_bits": bits / 2}
            for nmse, bits in points
        ]
    )


CURVE = bounds((1.0, 0.0), (0.0625, 2.0), (0.25, 1.0))


@pytest.fixture
def measured(measurements):
    def table(*rows):
        return measurements(*rows)[MEASURED.schema.names]

    return table


@pytest.mark.parametrize(
    ("nmse", "shannon", "empirical"),
    [
        (0.25, 1, 1),
        (0.0625, 2, 2),
        # Linear in the logarithm between points.
        (0.125, 1.5, 1.5),
        (0.5, 0.5, 0.5),
        # More error than there is variance needs no bits.
        (1.0, 0, 0),
        (1.7, 0, 0),
        # The curve was not computed so far down; nothing is extrapolated.
        (0.015625, 3, np.nan),
        (0.0, np.nan, np.nan),
        (np.nan, np.nan, np.nan),
    ],
)
def test_a_gap_is_the_rate_minus_the_limit_at_the_error(measured, nmse, shannon, empirical):
    found = with_gaps(measured(("best", 4, nmse)), CURVE).iloc[0]
    assert found.gap_shannon_bits == pytest.approx(4.125 - shannon, nan_ok=True)
    assert found.gap_empirical_bits == pytest.approx(4.125 - empirical, nan_ok=True)
    assert found.gap_channel_variance_bits == pytest.approx(4.125 - empirical / 2, nan_ok=True)


def test_a_curve_that_reaches_no_error_is_followed_there(measured):
    curve = pd.concat([CURVE, bounds((0.0, 3.0))])
    found = with_gaps(measured(("best", 4, 0.03125)), curve).iloc[0]
    assert found.gap_empirical_bits == pytest.approx(4.125 - 2.5)


def test_every_tensor_is_held_against_its_own_curve(measured):
    curves = pd.concat([CURVE, bounds((1.0, 0.0), (0.25, 0.5), tensor="narrow")])
    rows = measured(
        ("best", 4, 0.25, {"tensor": "narrow"}),
        ("best", 4, 0.25, {"tensor": "none"}),
        ("best", 4, 0.25, {"model": "other"}),
        ("best", 4, 0.25),
    )
    found = with_gaps(rows, curves).set_index(["model", "tensor"]).gap_empirical_bits
    assert found["bert", "wide"] == pytest.approx(4.125 - 1)
    assert found["bert", "narrow"] == pytest.approx(4.125 - 0.5)
    assert np.isnan(found["bert", "none"])
    assert np.isnan(found["other", "wide"])


def test_the_order_of_the_rows_does_not_matter(measured):
    rows = measured(
        *((series, bits, 4.0**-bits) for series in ("best", "by_tensor") for bits in (3, 2)),
        ("best", 2, 0.1, {"tensor": "narrow"}),
    )
    found = with_gaps(rows, CURVE)
    pd.testing.assert_frame_equal(with_gaps(rows.sample(frac=1, random_state=1), CURVE), found)
    assert found.tensor.tolist() == ["narrow", *["wide"] * 4]
    assert found.nominal_bits.tolist() == [2, 2, 3, 2, 3]


def test_the_table_fits_its_schema(measured, tmp_path):
    rows = measured(("best", 4, 0.25), ("best", 3, 0.0, {"layer": None}))
    write_table(rows, MEASURED, tmp_path / "measured.parquet")
    write_table(with_gaps(rows, CURVE), MEASUREMENTS, tmp_path / "measurements.parquet")


@pytest.mark.parametrize("seed", range(3))
def test_on_independent_gaussian_weights_no_codec_lies_below_its_bounds(seed):
    weights = np.random.default_rng(seed).standard_normal((160, 256)).astype(np.float32)
    matrix = Matrix("bert", "wide", "linear", None, torch.from_numpy(weights))
    rows = [row for f, plan in PLANS.items() for row in sweep([matrix], f, plan, {}, 0, 1).measured]
    curve = limits(matrix, entropy_bits=0.5 * np.log2(2 * np.pi * np.e))
    found = with_gaps(pd.DataFrame(rows), pd.DataFrame(curve))
    assert len(found) == 32
    assert found.gap_shannon_bits.min() > 0
    assert found.gap_empirical_bits.min() > 0
    assert found[found.nominal_bits <= 6].gap_empirical_bits.notna().all()
    # A scalar quantizer of fixed rate is at most 1.53 dB and its tails away from the bound.
    best = found[(found.series == "best") & (found.nominal_bits == 4)].gap_empirical_bits
    assert best.item() == pytest.approx(0.65, abs=0.03)
