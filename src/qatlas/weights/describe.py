"""Statistics and densities of many matrices, as tables."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from qatlas.distinct import distinct
from qatlas.weights.matrices import Matrix
from qatlas.weights.statistics import distinct_density, distinct_statistics


@dataclass(frozen=True)
class Described:
    """Rows of the tables ``statistics`` and ``densities``."""

    statistics: list[dict[str, Any]] = field(default_factory=list)
    densities: list[dict[str, Any]] = field(default_factory=list)


def describe(matrices: Iterable[Matrix]) -> Described:
    """Describe how the weights of each matrix are distributed."""
    described = Described()
    for matrix in matrices:
        values = distinct(matrix.weight)
        key = {"model": matrix.model, "tensor": matrix.tensor, "kind": matrix.kind}
        statistics = asdict(distinct_statistics(values))
        described.statistics.append({**key, "layer": matrix.layer, **statistics})
        columns = asdict(distinct_density(values))
        described.densities.extend(
            key | dict(zip(columns, map(float, row), strict=True))
            for row in zip(*columns.values(), strict=True)
        )
    return described
