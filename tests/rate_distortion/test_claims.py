import json

import numpy as np
import pytest

from qatlas.rate_distortion.claims import claims
from tests.rate_distortion.conftest import summarized_tables


@pytest.fixture
def claimed(measurements, settings):
    def of(*rows, rotation=()):
        tables = summarized_tables(measurements(*rows), list(rotation))
        return claims(tables, settings, ["noise"], [])

    return of


def of_format(data_type, mse, changes=None):
    parameters = {"data_type": data_type, "granularity": 64, "scale_dtype": "float32"}
    row = {"codec": "formats", "parameters": json.dumps(parameters | (changes or {})), "mse": mse}
    return ("best", 4, mse, row)


def of_entropy_coded(bits, gap):
    return ("best", bits, 0.1, {"codec": "entropy_coded", "gap_empirical_bits": gap})


@pytest.mark.parametrize(("gap", "holds"), [(0.26, True), (0.27, False), (np.nan, "not_measured")])
def test_entropy_coding_is_judged_by_its_largest_gap_from_two_bits_on(claimed, gap, holds):
    rows = [of_entropy_coded(2, gap), of_entropy_coded(1, 0.5)]
    found = claimed(*rows)["entropy_coded.a_quarter_bit_from_the_empirical_bound"]
    assert found.holds == holds


@pytest.mark.parametrize(("fp4", "percent"), [(0.125, 20), (0.08, -25)])
def test_data_types_are_compared_at_the_same_blocks(claimed, fp4, percent):
    elsewhere = of_format("fp4_bitsandbytes", 9.0, {"granularity": 128})
    rows = [of_format("nf4", 0.1), of_format("fp4_bitsandbytes", fp4), elsewhere]
    found = claimed(*rows)["bert.nf4_beats_fp4"]
    assert found.value == pytest.approx(percent)
    assert found.holds == (percent > 0)
    assert claimed(of_format("nf4", 0.1), elsewhere)["bert.nf4_beats_fp4"].holds == "not_measured"


@pytest.mark.parametrize(("kurtosis", "holds"), [((3.4, 2.9), True), ((3.1, 3.6), False)])
def test_a_rotation_is_judged_by_the_tensor_farthest_from_three(claimed, kurtosis, holds):
    rotation = [{"model": "bert", "tensor": str(k), "kurtosis_rotated_both": k} for k in kurtosis]
    assert claimed(("best", 4, 0.1), rotation=rotation)["bert.rotation_makes_gaussian"].holds == (
        holds
    )


def at_rate(bits, gap, tensor="wide"):
    changes = {"gap_empirical_bits": gap, "tensor": tensor, "rate_bits_per_weight": bits + 0.01}
    return ("best", bits, 0.1, changes)


def test_the_best_codec_is_judged_on_every_tensor_at_every_rate(claimed):
    name = "bert.best_near_the_empirical_bound"
    near = [at_rate(bits, 0.04) for bits in (2, 3, 4)]
    assert claimed(*near, at_rate(3, 0.9)).get(name).holds is True
    narrow = [at_rate(bits, gap, "narrow") for bits, gap in [(2, 0.01), (3, 0.06), (4, -0.1)]]
    found = claimed(*near, *narrow)[name]
    assert (found.holds, found.value) == (False, pytest.approx(0.06))
    # A tensor that was not measured at a rate leaves the claim open.
    assert claimed(*near, narrow[0])[name].holds == "not_measured"
