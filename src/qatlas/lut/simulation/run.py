"""Simulate variants, and make the rows of the tables."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from qatlas.lut.look_up.definition import METHODS
from qatlas.lut.simulation.ensembles import EXACT, Ensemble
from qatlas.lut.simulation.growth import deviation_ratio, growth
from qatlas.lut.simulation.moments import Moments, grid_moments, moments
from qatlas.lut.simulation.outcomes import CHAIN, DOT_WIDE, Outcome, outcomes, table_of
from qatlas.lut.simulation.rows import Row, error_columns, growth_columns, result_columns
from qatlas.lut.simulation.variants import Variant, example_steps

Floats = NDArray[np.float64]

FIXED_GRID = "fixed_grid"
"""Table of true products that are rounded to even steps."""


@dataclass
class Rows:
    """Rows of the chapter's four tables of simulations, as they come."""

    simulations: list[Row] = field(default_factory=list)
    trajectories: list[Row] = field(default_factory=list)
    examples: list[Row] = field(default_factory=list)
    growth: list[Row] = field(default_factory=list)

    def add(self, more: "Rows") -> None:
        """Append the rows of another."""
        self.simulations += more.simulations
        self.trajectories += more.trajectories
        self.examples += more.examples
        self.growth += more.growth


def simulate(ensemble: Ensemble, variants: Sequence[Variant], shown: str, counts: Floats) -> Rows:
    """Simulate the methods of one table, and say all of them.

    Parameters
    ----------
    ensemble
        Its range is that of the table.
    variants
        Of one encoding and size, a method each; ratios need nearest among them.
    shown
        The reference whose trajectories are kept, besides float64.
    counts
        Bootstrap resamples of the trajectories.
    """
    rows = Rows()
    errors: dict[tuple[str, str], Floats] = {}
    for variant in variants:
        for found in outcomes(ensemble, variant, ensemble.recorded, slice(None)):
            if found.operation != DOT_WIDE:
                rows.simulations += final_rows(ensemble, variant, found)
            if found.reference in (shown, EXACT):
                rows.trajectories += trajectory_rows(ensemble, variant, found)
            if found.reference == EXACT:
                errors[found.operation, variant.method] = found.errors
        rows.examples += _example_rows(ensemble, variant, shown)
    rows.growth += _growth_rows(ensemble, variants, errors, counts)
    return rows


def final_rows(ensemble: Ensemble, variant: Variant, found: Outcome) -> Iterator[Row]:
    """Rows of ``simulations``, one for each reported number of steps."""
    places = np.searchsorted(ensemble.recorded, ensemble.reported)
    columns = error_columns(found.errors[:, places])
    for steps, place, errors in zip(ensemble.reported, places, columns, strict=True):
        events = {name: float(count[:, place].mean()) for name, count in found.events.items()}
        standing = events.get("standing_steps")
        yield {
            **variant.row(found.operation),
            "reference": found.reference,
            "steps": steps,
            "trajectories": len(found.values),
            **errors,
            **result_columns(
                found.values[:, place],
                found.reference_values[:, place],
                found.exact_values[:, place],
                variant.limit,
            ),
            "operand_saturations": events.get("operand_saturations", 0.0),
            "product_saturations": events["product_saturations"],
            "sum_saturations": events.get("sum_saturations", 0.0),
            "standing_share": None if standing is None else standing / steps,
        }


def trajectory_rows(ensemble: Ensemble, variant: Variant, found: Outcome) -> Iterator[Row]:
    """Rows of ``trajectories``, one for each recorded step."""
    named = {**variant.row(found.operation), "reference": found.reference}
    deviations = found.errors.std(axis=0)
    for place, columns in enumerate(error_columns(found.errors)):
        yield {
            **named,
            "step": int(ensemble.recorded[place]),
            **columns,
            "deviation": float(deviations[place]),
        }


def _example_rows(ensemble: Ensemble, variant: Variant, shown: str) -> Iterator[Row]:
    """Rows of ``examples``: the first trajectory, compared with the shown reference."""
    steps = example_steps(ensemble.steps)
    for found in outcomes(ensemble, variant, steps, slice(1)):
        if found.reference == shown and found.operation != DOT_WIDE:
            named = {**variant.row(found.operation), "reference": shown}
            for place, step in enumerate(steps):
                yield {
                    **named,
                    "step": int(step),
                    "value": float(found.values[0, place]),
                    "reference_value": float(found.reference_values[0, place]),
                }


def _growth_rows(
    ensemble: Ensemble,
    variants: Sequence[Variant],
    errors: Mapping[tuple[str, str], Floats],
    counts: Floats,
) -> Iterator[Row]:
    reach = ensemble.limit / 2
    one = {v.method: moments(table_of(v), METHODS[v.method], reach) for v in variants}
    for variant in variants:
        for operation in (CHAIN, DOT_WIDE):
            found = errors.get((operation, variant.method))
            if found is None:
                continue
            plain = errors.get((operation, "nearest"))
            known = one if operation == DOT_WIDE else {}
            yield _growth_row(ensemble, variant, operation, found, plain, known, counts)


def _growth_row(
    ensemble: Ensemble,
    variant: Variant,
    operation: str,
    errors: Floats,
    nearest: Floats | None,
    one: Mapping[str, Moments],
    counts: Floats,
) -> Row:
    grown = growth(errors, ensemble.recorded, counts)
    ratio = deviation_ratio(errors, errors if nearest is None else nearest, counts)
    return {
        **variant.row(operation),
        "steps": ensemble.steps,
        **growth_columns(
            grown,
            None if nearest is None else ratio,
            one.get(variant.method),
            one.get("nearest"),
        ),
    }


def fixed_grid_growth(ensemble: Ensemble, sizes: Iterable[int], counts: Floats) -> Iterator[Row]:
    """Rows of ``growth`` of true products that are rounded to the values of even codes.

    Stochastic rounding takes the first of each step's draws.
    """
    a, b = ensemble.operands
    draws = ensemble.draws.roundings[:, :, 0]
    for size in sizes:
        step = 2 * ensemble.limit / (size - 1)
        codes = (a * b + ensemble.limit) / step
        errors = {
            name: np.cumsum((rounded - codes) * step, axis=1)[:, ensemble.recorded - 1]
            for name, rounded in (
                ("nearest", np.rint(codes)),
                ("stochastic", np.floor(codes + draws)),
            )
        }
        one = {name: grid_moments(step, name == "stochastic") for name in errors}
        for name, found in errors.items():
            variant = Variant(FIXED_GRID, size, name, ensemble.limit)
            yield _growth_row(ensemble, variant, DOT_WIDE, found, errors["nearest"], one, counts)
