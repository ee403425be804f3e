import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from qatlas.bounds.letters import Letters


@settings(deadline=None)
@given(
    st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=40, unique=True),
    st.floats(1e-3, 1e7),
    st.randoms(use_true_random=False),
)
def test_mean_and_variance_survive_binning(places, step, random) -> None:
    values = np.sort(np.array(places, np.float64))
    masses = np.array([random.random() + 0.01 for _ in places])
    masses /= masses.sum()
    cells, letters = Letters(values, masses, np.zeros(values.size)).binned(step)
    _, again = letters.binned(3.7 * step)
    mean = masses @ values
    variance = masses @ (values - mean) ** 2
    for binned in (letters, again):
        np.testing.assert_allclose(binned.masses.sum(), 1)
        np.testing.assert_allclose(binned.masses @ binned.values, mean, atol=1e-6)
        total = binned.masses @ ((binned.values - mean) ** 2 + binned.variances)
        np.testing.assert_allclose(total, variance, rtol=1e-9, atol=1e-6)
        assert (np.diff(binned.values) > 0).all()
    np.testing.assert_array_equal(cells, np.unique(np.floor(values / step + 0.5)))


def test_a_letter_far_away_keeps_its_variance() -> None:
    values = np.array([0.0, 1e6, 1e6 + 1e-3])
    _, letters = Letters(values, np.array([0.5, 0.25, 0.25]), np.zeros(3)).binned(0.1)
    np.testing.assert_allclose(letters.variances, [0, 0.25e-6], rtol=1e-4)
