"""A sample of rows and the interval around it."""

import numpy as np
import pytest
import torch
from scipy import stats

from qatlas.codecs import Context, create
from qatlas.codecs.measure import measure_codec
from qatlas.codecs.sampling import drawn_rows, interval_of_mean, measure_sampled


def errors(rows, seed=0):
    return np.random.default_rng(seed).gamma(2.0, 1e-3, rows)


def test_the_interval_is_that_of_scipy_but_for_the_finite_population():
    drawn = errors(50)
    low, high = stats.t.interval(0.95, 49, drawn.mean(), stats.sem(drawn))
    assert interval_of_mean(drawn, 10**12) == pytest.approx((low, high))
    assert interval_of_mean(drawn, 50) == (drawn.mean(), drawn.mean())


def test_the_interval_covers_the_mean_nineteen_times_in_twenty():
    everything = errors(1000)
    generator = np.random.default_rng(1)
    intervals = [
        interval_of_mean(everything[drawn_rows((1000, 1), 100, generator)], 1000)
        for _ in range(2000)
    ]
    covered = np.mean([low <= everything.mean() <= high for low, high in intervals])
    assert 0.93 < covered < 0.965


def test_an_error_is_never_negative():
    assert interval_of_mean(np.array([0.0, 1.0]), 100)[0] == 0


@pytest.mark.parametrize(
    ("shape", "most", "rows"),
    [((100, 10), 300, 30), ((100, 10), 309, 30), ((100, 10), 1, 2), ((100, 10), 5000, 100)],
)
def test_rows_are_drawn_once_each_and_not_too_many(shape, most, rows):
    found = drawn_rows(shape, most, np.random.default_rng(0))
    assert found.size == rows
    assert (np.diff(found) > 0).all()
    assert (found.min() >= 0) & (found.max() < shape[0])


def test_a_matrix_of_one_row_has_one():
    assert drawn_rows((1, 10), 1, np.random.default_rng(0)).tolist() == [0]


def test_all_rows_give_what_the_ruler_gives():
    weight = torch.randn(40, 30, generator=torch.Generator().manual_seed(0))
    codec = create("uniform", bits=3)
    estimate = measure_sampled(weight, np.arange(40), codec, Context())
    expected = measure_codec(weight, codec, Context())
    assert estimate.measurement.distortion == expected.distortion
    assert estimate.measurement.rate == expected.rate
    assert estimate.mse_low == pytest.approx(expected.distortion.mse)


def test_errors_of_a_sample_are_relative_to_the_power_of_the_whole():
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(40, 30, generator=generator) * torch.arange(1, 41).unsqueeze(1)
    rows = np.array([3, 30])
    found = measure_sampled(weight, rows, create("uniform", bits=3), Context())
    mse = found.measurement.distortion.mse
    assert found.measurement.distortion.nmse == pytest.approx(
        mse / weight.double().var(correction=0).item()
    )
    power = weight.double().square().mean().item()
    assert found.measurement.distortion.sqnr_db == pytest.approx(10 * np.log10(power / mse))
    assert found.measurement.weights == 60
    assert found.mse_low <= mse <= found.mse_high
