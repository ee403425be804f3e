import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import gamma
from scipy.stats import norm

from qatlas.bounds.high_rate import (
    SECOND_MOMENTS,
    entropy_coded_gap_bits,
    fixed_rate_gap_bits,
)
from qatlas.errors import AtlasError


def test_panter_and_dite_is_the_integral_of_the_cube_root_of_the_density():
    integral, _ = quad(lambda x: norm.pdf(x) ** (1 / 3), -np.inf, np.inf)
    assert fixed_rate_gap_bits(1) == pytest.approx(0.5 * np.log2(integral**3 / 12))
    assert fixed_rate_gap_bits(1) == pytest.approx(0.5 * np.log2(np.sqrt(3) * np.pi / 2))


def test_the_optimal_scalar_quantizer_of_256_levels_is_nearly_there():
    # Its error on a Gaussian of unit variance, converged.
    assert fixed_rate_gap_bits(1) == pytest.approx(8 + 0.5 * np.log2(4.11851e-5), abs=0.006)


@pytest.mark.parametrize(("dimension", "gap"), [(1, 0.2546), (4, 0.194), (8, 0.146), (24, 0.084)])
def test_entropy_coded_lattices_have_their_known_gaps(dimension, gap):
    assert entropy_coded_gap_bits(dimension) == pytest.approx(gap, abs=6e-4)


def test_no_cell_is_rounder_than_a_ball():
    """Zador's sphere bound, G_d >= Gamma(d/2 + 1)^(2/d) / ((d + 2) pi)."""
    for dimension, moment in SECOND_MOMENTS.items():
        ball = gamma(dimension / 2 + 1) ** (2 / dimension) / ((dimension + 2) * np.pi)
        assert ball <= moment <= 1 / 12


@pytest.mark.parametrize("gap", [fixed_rate_gap_bits, entropy_coded_gap_bits])
def test_more_dimensions_come_nearer_and_none_reaches_the_bound(gap):
    gaps = [gap(dimension) for dimension in sorted(SECOND_MOMENTS)]
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[-1] > 0


def test_entropy_coding_gains_at_every_dimension():
    for dimension in SECOND_MOMENTS:
        assert entropy_coded_gap_bits(dimension) < fixed_rate_gap_bits(dimension)


def test_a_dimension_whose_best_cell_is_not_known_is_refused():
    with pytest.raises(AtlasError, match=r"found 7, allowed: 1, 2, 3, 4, 8, 24"):
        fixed_rate_gap_bits(7)
