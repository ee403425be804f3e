"""What one variant gives in an ensemble, beside the references."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qatlas.lut.look_up.definition import LookUp, look_up_in, method_of
from qatlas.lut.product_table import encoded_table
from qatlas.lut.simulation.ensembles import EXACT, Ensemble
from qatlas.lut.simulation.kernels import (
    CHAIN_EVENTS,
    DOT_EVENTS,
    chained_products,
    dot_products,
)
from qatlas.lut.simulation.variants import Variant

Floats = NDArray[np.float64]

CHAIN, DOT, DOT_WIDE = "chain", "dot", "dot_wide"
"""Operations; the last is a dot product that never saturates, simulated with the second."""


@dataclass(frozen=True)
class Outcome:
    """Results of one operation of a variant, compared with one reference.

    Attributes
    ----------
    operation
        CHAIN, DOT, or DOT_WIDE: a dot product that never saturates.
    reference
        Name of the reference.
    values, reference_values, exact_values
        By look-up, of the reference and in float64, after each recorded step, shape (trajectories,
        recorded).
    events
        Counts up to these steps, by the names of the kernels, of the same shape.
    """

    operation: str
    reference: str
    values: Floats
    reference_values: Floats
    exact_values: Floats
    events: Mapping[str, NDArray[np.int64]]

    @property
    def errors(self) -> Floats:
        """Table less reference."""
        return self.values - self.reference_values


def table_of(variant: Variant) -> LookUp:
    """The table of a variant."""
    return look_up_in(encoded_table(variant.encoding, variant.size, variant.limit))


def outcomes(
    ensemble: Ensemble, variant: Variant, recorded: NDArray[np.int64], trajectories: slice
) -> Iterator[Outcome]:
    """Simulate a variant: chains by reference, dot products by reference, wide ones in the end.

    Parameters
    ----------
    ensemble
        Its range is the variant's.
    variant
        What is simulated.
    recorded
        Steps after which values are recorded, rising.
    trajectories
        Which of the ensemble's.
    """
    table, method = table_of(variant), method_of(variant.method)
    roundings = ensemble.draws.roundings[trajectories]
    at = recorded - 1
    for name in ensemble.references if CHAIN in ensemble.operations else ():
        chain = ensemble.chains[name]
        values, counts = chained_products(
            table,
            method,
            chain.starts[trajectories],
            chain.factors[trajectories],
            roundings,
            recorded,
        )
        exact = chain.exact[trajectories][:, at]
        reference = chain.reference[trajectories][:, at]
        events = dict(zip(CHAIN_EVENTS, np.moveaxis(counts, 2, 0), strict=True))
        yield Outcome(CHAIN, name, values, reference, exact, events)
    if DOT not in ensemble.operations:
        return
    a, b = (side[trajectories] for side in ensemble.operands)
    values, errors, counts = dot_products(table, method, a, b, roundings, recorded)
    events = dict(zip(DOT_EVENTS, np.moveaxis(counts, 2, 0), strict=True))
    exact = ensemble.sums[EXACT][trajectories][:, at]
    for name in ensemble.references:
        reference = ensemble.sums[name][trajectories][:, at]
        yield Outcome(DOT, name, values, reference, exact, events)
    if EXACT in ensemble.references:
        wide = np.cumsum(a * b, axis=1)[:, at]
        yield Outcome(DOT_WIDE, EXACT, wide + errors, wide, wide, {})
