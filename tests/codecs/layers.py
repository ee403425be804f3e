"""Layers with correlated inputs, for the codecs that make use of them."""

import numpy as np
import torch


def layer(rows, columns, seed=0, samples=None):
    """Heavy-tailed weights, float32, and H of correlated inputs of unequal size, float64."""
    draws = np.random.default_rng(seed)
    weights = draws.standard_t(5, (rows, columns)).astype(np.float32)
    return torch.from_numpy(weights), second_moment_of(inputs(columns, seed, samples))


def inputs(columns, seed=0, samples=None):
    """Correlated inputs of unequal size and means other than zero, shape (samples, columns)."""
    draws = np.random.default_rng([seed, 1])
    mixing = 0.4 * draws.standard_normal((columns, columns)) / np.sqrt(columns) + np.eye(columns)
    size = np.geomspace(0.2, 4, columns)[draws.permutation(columns)]
    white = draws.standard_normal((samples or 4 * columns, columns))
    common = draws.standard_normal((len(white), 1))
    return torch.from_numpy((white @ mixing + common + 0.5) * size)


def second_moment_of(x):
    return x.T @ x / len(x)
