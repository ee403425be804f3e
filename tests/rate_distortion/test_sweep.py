import json

import numpy as np
import pandas as pd
import pytest
import torch

from qatlas.codecs import CodecError, Context, create
from qatlas.codecs.measure import measure_codec
from qatlas.codecs.sampling import drawn_rows
from qatlas.rate_distortion.schema import MEASURED, TIMINGS
from qatlas.rate_distortion.sweep import sweep
from qatlas.seeds import generator
from qatlas.tables import write_table
from qatlas.weights.matrices import Matrix

PLAN = {
    "by_tensor": [{"bits": 2}, {"bits": 4}],
    "by_group": [{"bits": 3, "granularity": 8, "grid": "asymmetric"}],
}


def matrix(tensor, layer=3, rows=6, columns=20):
    weights = np.random.default_rng(rows).standard_normal((rows, columns)).astype(np.float32)
    return Matrix("bert", tensor, "mlp_fc1", layer, torch.from_numpy(weights))


MATRICES = [matrix("first"), matrix("second", layer=None, rows=9)]


def test_there_is_a_row_for_every_point_of_the_plan_on_every_matrix():
    swept = sweep(MATRICES, "uniform", PLAN, {}, seed=5, threads=2)
    found = [(row["tensor"], row["series"], row["nominal_bits"]) for row in swept.measured]
    assert found == [
        (tensor, series, bits)
        for tensor in ("first", "second")
        for series, bits in [("by_tensor", 2), ("by_tensor", 4), ("by_group", 3)]
    ]


def test_rows_fit_their_schemas(tmp_path):
    constant = Matrix("bert", "constant", "other", None, torch.full((3, 8), 0.1))
    swept = sweep([*MATRICES, constant], "uniform", PLAN, {}, seed=5, threads=2)
    write_table(swept.measured, MEASURED, tmp_path / "measured.parquet")
    write_table(swept.timings, TIMINGS, tmp_path / "timings.parquet")


def test_a_row_holds_what_the_ruler_measures():
    row = sweep(MATRICES, "uniform", PLAN, {}, seed=5, threads=2).measured[2]
    codec = create("uniform", **PLAN["by_group"][0])
    expected = measure_codec(MATRICES[0].weight, codec, Context())
    assert (row["model"], row["tensor"], row["kind"], row["layer"]) == (
        "bert",
        "first",
        "mlp_fc1",
        3,
    )
    assert (row["codec"], row["series"], row["seed"]) == ("uniform", "by_group", 5)
    assert row["rate_bits_per_weight"] == expected.rate.total
    assert row["zero_point_bits_per_weight"] == expected.rate.zero_point > 0
    assert (row["mse"], row["nmse"]) == (expected.distortion.mse, expected.distortion.nmse)
    # All weights were measured, so there is nothing to be unsure of.
    assert row["weights"] == row["sampled_weights"] == 120
    assert row["mse_low"] == row["mse"] == row["mse_high"]


def test_the_error_on_the_training_sample_stands_beside_that_on_all_weights(tmp_path):
    points = {"quick": [{"dimension": 2, "index_bits": 2, "train_vectors_per_word": 3}]}
    swept = sweep(MATRICES, "vector", points, {}, seed=5, threads=2)
    write_table(swept.measured, MEASURED, tmp_path / "measured.parquet")
    assert all(0 < row["train_mse"] < row["mse"] for row in swept.measured)
    untrained = sweep(MATRICES, "uniform", PLAN, {}, seed=5, threads=2).measured
    assert {row["train_mse"] for row in untrained} == {None}


def test_the_parameters_are_complete_and_their_keys_sorted():
    row = sweep(MATRICES, "uniform", PLAN, {}, seed=5, threads=2).measured[0]
    assert row["parameters"] == json.dumps(
        {
            "bits": 2,
            "clip": "minmax",
            "granularity": "tensor",
            "grid": "midrise",
            "scale_dtype": "float16",
        }
    )


def test_the_parts_of_every_rate_sum_to_it():
    rows = pd.DataFrame(sweep(MATRICES, "uniform", PLAN, {}, seed=5, threads=2).measured)
    parts = rows.filter(regex="^(payload|scale|zero_point|codebook|other)_bits_per_weight$")
    assert parts.shape[1] == 5
    assert parts.sum(axis=1).tolist() == pytest.approx(rows.rate_bits_per_weight.tolist())


def test_only_the_timings_differ_from_run_to_run():
    first, second = (sweep(MATRICES, "uniform", PLAN, {}, seed=5, threads=2) for _ in range(2))
    assert first.measured == second.measured
    keys = ["model", "tensor", "codec", "series", "parameters"]
    measured, timings = pd.DataFrame(first.measured), pd.DataFrame(first.timings)
    pd.testing.assert_frame_equal(measured[keys], timings[keys])
    assert (timings.encode_seconds > 0).all()
    assert (timings.decode_seconds > 0).all()
    assert (timings.peak_memory_mib > 10).all()
    assert set(timings.threads) == {2}
    assert set(timings.device) == {"cpu"}


def test_a_refused_matrix_is_named_with_its_model():
    broken = Matrix("bert", "broken", "linear", 0, torch.full((2, 4), float("nan")))
    message = "model bert, tensor broken: the weights hold NaN or Inf"
    with pytest.raises(CodecError, match=message):
        sweep([MATRICES[0], broken], "lloyd_max", {"best": [{"bits": 2}]}, {}, seed=5, threads=2)


def test_a_limited_series_is_measured_on_the_same_rows_of_a_matrix_whatever_its_codec():
    tall = matrix("tall", rows=500)
    limits = {"by_tensor": 1000}
    coarse, fine, by_group = sweep([tall], "uniform", PLAN, limits, seed=5, threads=2).measured
    for row in (coarse, fine):
        assert (row["weights"], row["sampled_weights"]) == (10_000, 1000)
        assert row["mse_low"] < row["mse"] < row["mse_high"]
        variance = tall.weight.double().var(correction=0).item()
        assert row["nmse"] == pytest.approx(row["mse"] / variance)
    assert by_group["sampled_weights"] == 10_000
    plan = {"by_tensor": [{"bits": 8}]}
    (row,) = sweep([tall], "uniform", plan, limits, seed=5, threads=2).measured
    rows = drawn_rows((500, 20), 1000, generator(5, "bert", "tall", "rows"))
    alone = measure_codec(tall.weight[torch.from_numpy(rows)], create("uniform", bits=8), Context())
    assert row["mse"] == alone.distortion.mse


def test_few_rows_are_all_measured():
    limits = {"by_tensor": 120, "by_group": 1}
    rows = sweep(MATRICES, "uniform", PLAN, limits, seed=5, threads=2).measured
    assert [row["sampled_weights"] for row in rows] == [120, 120, 40, 120, 120, 40]


def test_nothing_to_measure_gives_no_rows():
    assert sweep([], "uniform", PLAN, {}, seed=5, threads=2).measured == []
    assert sweep(MATRICES, "uniform", {}, {}, seed=5, threads=2).timings == []
