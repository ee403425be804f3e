import time

import numpy as np
import pytest
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from qatlas.bounds import blahut_arimoto, gaussian
from qatlas.bounds.empirical import RateDistortionCurve, rate_distortion_curve
from qatlas.distinct import Distinct, distinct
from qatlas.errors import AtlasError

SAMPLES = 1_000_000
LINE_BITS = 0.002  # a line may lie so far below the function
CHORD_BITS = 0.003  # and a chord so far to either side of it,
STEP_BITS = 0.01  # or, over a step between clusters of few letters, so far (0.0055 was seen)

SOURCES = {
    "gaussian": scipy.stats.norm(),
    "laplace": scipy.stats.laplace(),
    "student_t5": scipy.stats.t(5),
}


def as_source(values) -> Distinct:
    return Distinct(*np.unique(np.asarray(values, np.float64), return_counts=True))


def from_masses(values, masses) -> Distinct:
    counts = np.rint(np.asarray(masses) * 1e15).astype(np.int64)
    return Distinct(np.asarray(values, np.float64)[counts > 0], counts[counts > 0])


def from_density(distribution, limit, step) -> Distinct:
    edges = np.arange(-limit, limit + step / 2, step)
    return from_masses((edges[1:] + edges[:-1]) / 2, np.diff(distribution.cdf(edges)))


def textbook(source: Distinct, reproductions, slope: float, sweeps: int) -> tuple[float, ...]:
    """Distortion, lower and upper rate (bits) by Cover & Thomas, section 10.8, dense and plain."""
    masses = source.counts / source.total
    errors = (source.values[:, None] - reproductions) ** 2
    kernel = np.exp(-slope * errors)
    output = np.full(reproductions.size, 1 / reproductions.size)
    for _ in range(sweeps):
        factors = (masses / (kernel @ output)) @ kernel
        output *= factors
    likelihood = kernel @ output
    factors = (masses / likelihood) @ kernel
    distortion = (masses / likelihood) @ (kernel * errors) @ output
    upper = -masses @ np.log(likelihood) - slope * distortion
    return distortion, (upper - np.log(factors.max())) / np.log(2), upper / np.log(2)


@pytest.fixture(scope="module")
def samples() -> dict[str, RateDistortionCurve]:
    generator = np.random.default_rng(5)
    drawn = {
        "gaussian": generator.standard_normal(SAMPLES),
        "laplace": generator.laplace(size=SAMPLES),
        "student_t5": generator.standard_t(5, SAMPLES),
    }
    return {name: rate_distortion_curve(as_source(values)) for name, values in drawn.items()}


# Above these normalised errors Shannon's lower bound is not within 1 % of R(D).
TIGHT_BELOW = {"gaussian": 0.7, "laplace": 0.2, "student_t5": 0.45}


@pytest.mark.parametrize("name", SOURCES)
def test_samples_agree_with_the_shannon_lower_bound(samples, name) -> None:
    curve, distribution = samples[name], SOURCES[name]
    distortion = np.geomspace(2.0**-20, TIGHT_BELOW[name], 50) * curve.distortion[-1]
    bound = gaussian.shannon_lower_bound_bits(distribution.entropy() / np.log(2), distortion)
    np.testing.assert_allclose(curve.rate_at(distortion), bound, rtol=0.01)


@pytest.mark.parametrize(
    ("name", "limit", "step"),
    [("gaussian", 8, 2**-12), ("laplace", 34, 2**-11), ("student_t5", 100, 2**-10)],
)
def test_densities_agree_with_the_shannon_lower_bound(name, limit, step) -> None:
    distribution = SOURCES[name]
    curve = rate_distortion_curve(from_density(distribution, limit, step))
    distortion = np.geomspace(2.0**-16, TIGHT_BELOW[name], 50) * curve.distortion[-1]
    bound = gaussian.shannon_lower_bound_bits(distribution.entropy() / np.log(2), distortion)
    rates = curve.rate_at(distortion)
    np.testing.assert_allclose(rates, bound, rtol=0.01)
    assert (rates >= bound - LINE_BITS - CHORD_BITS).all()


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("nmse", [0.9, 0.7, 0.5, 0.25])
def test_low_rates_agree_with_the_textbook(name, nmse) -> None:
    source = from_density(SOURCES[name], 12, 0.25)
    curve = rate_distortion_curve(source)
    slope = -np.gradient(curve.rate_bits, curve.distortion) * np.log(2)
    wanted = np.interp(nmse * curve.distortion[-1], curve.distortion, slope)
    distortion, lower, upper = textbook(source, np.arange(-12, 12.01, 0.125), wanted, 10_000)
    assert upper - lower < 0.01
    assert curve.rate_at(distortion) == pytest.approx(upper, rel=0.01, abs=0.001)


@pytest.mark.parametrize("variance", [2.0, 0.5, 0.1, 0.03])
@pytest.mark.parametrize(
    ("values", "masses"),
    [
        ([-2, -1, 0, 1, 2], [0.1, 0.2, 0.4, 0.2, 0.1]),
        ([0, 1, 1.3, 5], [0.7, 0.1, 0.1, 0.1]),
        ([-3, 0, 0.1, 0.2, 4], [0.05, 0.3, 0.3, 0.3, 0.05]),
    ],
)
def test_few_letters_agree_with_the_textbook(values, masses, variance) -> None:
    source = from_masses(values, masses)
    reproductions = np.union1d(np.linspace(min(values), max(values), 400), values)
    distortion, lower, upper = textbook(source, reproductions, 1 / (2 * variance), 3000)
    rate = rate_distortion_curve(source).rate_at(distortion)
    assert lower - LINE_BITS - CHORD_BITS <= rate <= upper + CHORD_BITS


@pytest.mark.parametrize("name", SOURCES)
def test_curves_fall_and_are_convex(samples, name) -> None:
    curve = samples[name]
    assert (np.diff(curve.distortion) > 0).all()
    assert (np.diff(curve.rate_bits) <= 0).all()
    slopes = np.diff(curve.rate_bits) / np.diff(curve.distortion)
    assert (np.diff(slopes) >= -1e-9 * np.abs(slopes[:-1])).all()
    nmse = curve.distortion / curve.distortion[-1]
    assert nmse[0] <= 2.0**-20
    assert (curve.rate_bits <= gaussian.rate_bits(nmse) + 1e-9).all()


def test_the_binary_source_is_known_in_closed_form() -> None:
    # Reproductions +-m with m^2 = 1 - D, so R = 1 - H((1 + m) / 2); 1 bit at D = 0.
    curve = rate_distortion_curve(as_source([-1.0, 1.0]))
    distortion = np.geomspace(1e-6, 0.95, 40)
    likely = (1 + np.sqrt(1 - distortion)) / 2
    exact = 1 - scipy.stats.entropy([likely, 1 - likely], base=2)
    found = curve.rate_at(distortion)
    assert (found >= exact - LINE_BITS - CHORD_BITS).all()
    assert (found <= exact + CHORD_BITS).all()
    assert curve.rate_at(0.0) == 1
    assert curve.rate_at(1e-9) == pytest.approx(1, abs=1e-4)


def test_a_discrete_source_ends_at_its_entropy() -> None:
    integers = np.rint(20 * np.random.default_rng(2).standard_normal(100_000))
    source = as_source(integers)
    curve = rate_distortion_curve(source)
    entropy = scipy.stats.entropy(source.counts, base=2)
    assert curve.distortion[0] == 0
    assert curve.rate_bits[0] == pytest.approx(entropy, abs=1e-12)
    # Far above the spacing of 1 it is the Gaussian it was rounded from.
    assert curve.rate_at(4.0) == pytest.approx(0.5 * np.log2(400.08 / 4), rel=0.005)
    assert curve.rate_at(0.01) < entropy < 0.5 * np.log2(400 / 0.01)


def test_bfloat16_spacing_shows_at_high_rate_only() -> None:
    weights = torch.from_numpy(np.random.default_rng(3).standard_normal(SAMPLES)).bfloat16()
    source = distinct(weights)
    curve = rate_distortion_curve(source)
    assert curve.rate_at(2.0**-8) == pytest.approx(4, rel=0.005)
    assert curve.rate_at(2.0**-20) < 9.5
    assert curve.rate_bits.max() <= scipy.stats.entropy(source.counts, base=2)


def test_a_constant_source_costs_nothing() -> None:
    curve = rate_distortion_curve(distinct(torch.full((4, 4), 0.3)))
    np.testing.assert_array_equal(curve.rate_at([0.0, 1e-9, 1.0]), 0)
    assert np.isnan(curve.rate_at(-1.0))


@pytest.mark.parametrize("deviations", [175.0, 1e6])
def test_outliers_cost_neither_memory_nor_time(deviations) -> None:
    bulk = np.random.default_rng(4).standard_normal(200_000)
    source = as_source(np.append(bulk, deviations))
    rate_distortion_curve(as_source(bulk))
    started = time.process_time()
    curve = rate_distortion_curve(source)
    assert time.process_time() - started < 5
    # The outlier is worth log2(200,000) bits once, and the rest is the bulk as it was.
    rates = curve.rate_at(4.0 ** -np.arange(1.0, 7.0) * np.var(bulk))
    np.testing.assert_allclose(rates, np.arange(1, 7), rtol=0.01)


def test_nothing_is_extrapolated(samples) -> None:
    curve = samples["laplace"]
    smallest, variance = curve.distortion[[0, -1]]
    assert np.isnan(curve.rate_at(0.999 * smallest))
    assert np.isnan(curve.rate_at(0.0))
    assert curve.rate_at(smallest) == curve.rate_bits[0]
    np.testing.assert_array_equal(curve.rate_at([variance, 2 * variance]), 0)
    middle = np.sqrt(curve.distortion[3] * curve.distortion[4])
    assert curve.rate_at(middle) == pytest.approx(curve.rate_bits[3:5].mean())
    assert curve.rate_at(np.full((2, 3), middle)).shape == (2, 3)


@settings(deadline=None, max_examples=25)
@given(st.data())
def test_no_scalar_quantizer_lies_below_the_curve(data) -> None:
    places = data.draw(st.lists(st.integers(-500, 500), min_size=2, max_size=30, unique=True))
    counts = data.draw(st.lists(st.integers(1, 1000), min_size=len(places), max_size=len(places)))
    source = Distinct(np.sort(np.array(places, np.float64)), np.array(counts))
    curve = rate_distortion_curve(source)
    assert (curve.rate_bits <= scipy.stats.entropy(source.counts, base=2) + 1e-9).all()
    for step in (3.0, 30.0, 150.0, 600.0):
        index = np.rint(source.values / step)
        cells, of_cell = np.unique(index, return_inverse=True)
        mass = np.bincount(of_cell, source.counts)
        centroid = np.bincount(of_cell, source.counts * source.values) / mass
        error = np.average((source.values - centroid[of_cell]) ** 2, weights=source.counts)
        rate = scipy.stats.entropy(mass, base=2)
        assert cells.size == mass.size
        assert not curve.rate_at(error) > rate + STEP_BITS


@settings(deadline=None, max_examples=10)
@given(st.floats(1e-6, 1e6), st.floats(-100, 100))
def test_scale_and_shift_change_only_the_distortion(scale, shift) -> None:
    values = np.round(np.random.default_rng(6).laplace(size=200), 1)
    plain = rate_distortion_curve(as_source(values))
    moved = rate_distortion_curve(as_source(scale * (values + shift)))
    nmse = np.geomspace(1e-5, 0.9, 30)
    np.testing.assert_allclose(
        moved.rate_at(nmse * moved.distortion[-1]),
        plain.rate_at(nmse * plain.distortion[-1]),
        atol=LINE_BITS + CHORD_BITS,
    )


def test_the_curve_is_the_same_each_time() -> None:
    source = as_source(np.random.default_rng(7).standard_t(5, 5_000))
    once, twice = rate_distortion_curve(source), rate_distortion_curve(source)
    np.testing.assert_array_equal(once.distortion, twice.distortion)
    np.testing.assert_array_equal(once.rate_bits, twice.rate_bits)


@pytest.mark.parametrize(
    ("values", "found"),
    [([], "0 distinct values"), ([0, np.nan], "2 distinct values"), ([0, 1e-200], "variance")],
)
def test_unusable_sources_are_refused(values, found) -> None:
    with pytest.raises(AtlasError, match=found):
        rate_distortion_curve(Distinct(np.array(values, np.float64), np.ones(len(values), int)))


def test_missing_convergence_is_reported(monkeypatch) -> None:
    monkeypatch.setattr(blahut_arimoto, "_SWEEPS", 2)
    with pytest.raises(AtlasError, match="after 2 sweeps"):
        rate_distortion_curve(as_source(np.random.default_rng(8).laplace(size=1000)))
