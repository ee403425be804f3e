"""The error of rounded layers without a nonlinearity is itself a linear map of the input."""

from dataclasses import dataclass

import numpy as np

from qatlas.geometry.sets.zonotope import Floats


@dataclass(frozen=True, eq=False)
class ErrorTransform:
    """Product of the rounded weights minus product of the exact ones.

    Attributes
    ----------
    matrix
        Shape (d, d): what the output errs by is this times the input.
    singular_values
        Shape (d,), falling: error per unit of input along each of its directions.
    input_directions, output_directions
        Shape (d, d), one a row: inputs along the first err most, and their errors point along the
        first of the other. The largest component of each input direction is positive.
    """

    matrix: Floats
    singular_values: Floats
    input_directions: Floats
    output_directions: Floats

    @property
    def condition_number(self) -> float:
        """Largest over smallest singular value; infinite where the smallest is 0."""
        largest, smallest = self.singular_values[0], self.singular_values[-1]
        return float(largest / smallest) if smallest else float("inf")


def error_transform(exact: Floats, rounded: Floats) -> ErrorTransform:
    """The error map of layers, shape (layers, d, d) each."""
    matrix = _product(rounded) - _product(exact)
    left, values, right = np.linalg.svd(matrix)
    largest = np.abs(right).argmax(axis=1)
    signs = np.sign(right[np.arange(len(right)), largest])
    return ErrorTransform(matrix, values, right * signs[:, None], left.T * signs[:, None])


def _product(weights: Floats) -> Floats:
    product = np.eye(weights.shape[1])
    for weight in weights:
        product = weight @ product
    return product
