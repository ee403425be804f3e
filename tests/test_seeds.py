from hashlib import sha256

import numpy as np
import pytest

from qatlas.seeds import generator


def draws(seed, *names):
    return generator(seed, *names).integers(2**63, size=4).tolist()


def test_the_same_seed_and_names_give_the_same_draws():
    assert draws(1, "minilm", "weight") == draws(1, "minilm", "weight")


@pytest.mark.parametrize(
    "other",
    [(2, "a", "bc"), (1, "ab", "c"), (1, "abc"), (1, "bc", "a"), (1,), (1, "a", "bc", "")],
)
def test_another_seed_or_other_names_give_other_draws(other):
    assert draws(*other) != draws(1, "a", "bc")


def test_the_draws_are_those_of_numpy_seeded_with_a_hash_of_the_names():
    """Written down because every sampled matrix changes where this changes."""
    seed = int.from_bytes(sha256(b"2026\0weights\0gaussian").digest()[:16], "big")
    expected = np.random.default_rng(seed).standard_normal(3)
    assert np.array_equal(generator(2026, "weights", "gaussian").standard_normal(3), expected)
