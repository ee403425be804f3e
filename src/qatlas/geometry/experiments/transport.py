"""Errors of all layers in one space: the input's or, where there is no way back, the output's."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from qatlas.geometry.experiments.rounding import RoundedLayers
from qatlas.geometry.sets.zonotope import Floats, Zonotope, is_singular


@dataclass(frozen=True, eq=False)
class Transport:
    """What carries an error from each layer's output to one space.

    Attributes
    ----------
    space
        ``input``: the change of the input that would do the same, by the inverse of the product of
        the weights up to and including the layer. Where such a product is singular there is none;
        then all errors are carried to the ``output`` of the last layer.
    matrices
        Shape (layers, d, d).
    singular
        Of which layers the product up to and including them is singular, shape (layers,).
    """

    space: Literal["input", "output"]
    matrices: Floats
    singular: NDArray[np.bool_]


def transport(weights: Floats) -> Transport:
    """How the errors of layers of these weights, shape (layers, d, d), are brought together."""
    products = _products(weights)
    singular = is_singular(products)
    if singular.any():
        return Transport("output", _remaining(weights), singular)
    inverses: Floats = np.linalg.inv(products).astype(np.float64)
    return Transport("input", inverses, singular)


def generators(layers: RoundedLayers, by: Transport) -> Floats:
    """Generators of the errors of all layers together, shape (..., d, layers d), layer by layer."""
    joined = np.einsum("lij,...lj->...ilj", by.matrices, layers.half_widths)
    found: Floats = joined.reshape(*joined.shape[:-2], -1)
    return found


def directions(by: Transport) -> Floats:
    """Generators of errors of unit boxes, shape (d, layers d): those of any input are multiples."""
    joined: Floats = by.matrices.transpose(1, 0, 2).reshape(by.matrices.shape[1], -1)
    return joined


def lengths(layers: RoundedLayers) -> Floats:
    """What the directions are multiplied with at each input, shape (..., layers d)."""
    widths = layers.half_widths
    found: Floats = widths.reshape(*widths.shape[:-2], -1)
    return found


def layer_sets(layers: RoundedLayers, by: Transport) -> tuple[Zonotope, ...]:
    """The errors of each layer at one input, in the space of the transport."""
    d = layers.weights.shape[1]
    found = generators(layers, by)
    return tuple(
        Zonotope(np.zeros(d), found[:, first : first + d]) for first in range(0, found.shape[1], d)
    )


def region(layers: RoundedLayers, by: Transport) -> Zonotope:
    """All errors of all layers together at one input."""
    return Zonotope(np.zeros(layers.weights.shape[1]), generators(layers, by))


def error_covariance(layers: RoundedLayers, by: Transport) -> Floats:
    """Of errors that are uniform in their cells and independent, shape (..., d, d).

    It is smaller than that of the region's uniform coefficients, since errors of many weights
    seldom add up.
    """
    spread = by.matrices * layers.variances[..., None, :]
    found: Floats = np.einsum("...lij,lkj->...ik", spread, by.matrices)
    return found


def rms(layers: RoundedLayers, by: Transport) -> Floats:
    """Root of the mean squared length of those errors, shape (...)."""
    found: Floats = np.sqrt(np.trace(error_covariance(layers, by), axis1=-2, axis2=-1))
    return found


def _products(weights: Floats) -> Floats:
    """Of the layers up to and including each, shape (layers, d, d)."""
    products = [weights[0]]
    for weight in weights[1:]:
        products.append(weight @ products[-1])
    return np.stack(products)


def _remaining(weights: Floats) -> Floats:
    """Of the layers behind each, shape (layers, d, d)."""
    products = [np.eye(weights.shape[1])]
    for weight in weights[:0:-1]:
        products.append(products[-1] @ weight)
    return np.stack(products[::-1])
