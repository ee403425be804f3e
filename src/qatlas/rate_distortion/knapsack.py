"""One option of every item, of least loss within a budget: the multiple-choice knapsack problem.

The problem is NP-hard; its Lagrangian relaxation is not. On the lower convex hulls of the items'
options that is solved by taking the edges of all hulls from the steepest on (Shoham & Gersho 1988,
"Efficient bit allocation for an arbitrary set of quantizers"), which gives a plan and a lower bound
on the loss of every plan. What the plan leaves of the budget is filled greedily, and the gap is
narrowed by a few steps of branch and bound (Sinha & Zoltners 1979, "The multiple-choice knapsack
problem"), since one item may be as large as all others together.
"""

import heapq
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qatlas.errors import AtlasError

Integers = NDArray[np.int64]

_ROUNDING = 1e-12
"""Relative differences of losses that are not worth a step."""


@dataclass(frozen=True)
class Options:
    """What may be chosen for one item: one option or more, in any order.

    Attributes
    ----------
    costs
        Shape (options,), int64.
    losses
        Shape (options,), float64, not negative.
    """

    costs: Integers
    losses: NDArray[np.float64]


@dataclass(frozen=True)
class Solution:
    """One option of every item.

    Attributes
    ----------
    choice
        Index of the option of each item, shape (items,), int64.
    cost
        Sum of their costs, at most the budget.
    loss
        Sum of their losses.
    lower_bound
        No choice within the budget has less loss; equal to ``loss`` if that is the least.
    """

    choice: Integers
    cost: int
    loss: float
    lower_bound: float


def solve(items: Sequence[Options], budget: int, steps: int) -> Solution:
    """Choose options of little loss whose costs sum to at most the budget.

    Parameters
    ----------
    items
        The options of each item.
    budget
        Largest sum of costs.
    steps
        How often the choice of an item may be split in two. Without any, the bound is that of the
        Lagrangian relaxation, and the loss exceeds it by at most what one edge of a hull saves.

    Raises
    ------
    AtlasError
        If even the cheapest options cost more than the budget.
    """
    cheapest = sum(int(item.costs.min()) for item in items)
    if cheapest > budget:
        raise AtlasError(f"budget: found {budget}; the cheapest choice costs {cheapest}")
    fronts = [_front(place, item, _pareto_front(item)) for place, item in enumerate(items)]
    root = _relax(items, fronts, budget)
    best = _fill(items, fronts, root.choice, budget)
    least = _total(items, best)[1]
    # Parts of the problem that may hold something better, the one of least bound first.
    parts = [(root.lower_bound, 0, root)]
    number = 0
    for _ in range(steps):
        if not parts or parts[0][0] >= least * (1 - _ROUNDING):
            break
        for half in _halves(heapq.heappop(parts)[2], items, budget):
            part = _relax(items, half, budget)
            plan = _fill(items, fronts, part.choice, budget)
            loss = _total(items, plan)[1]
            if loss < least:
                best, least = plan, loss
            number += 1
            heapq.heappush(parts, (part.lower_bound, number, part))
    cost, loss = _total(items, best)
    return Solution(best, cost, loss, min([loss, *(bound for bound, _, _ in parts[:1])]))


def _total(items: Sequence[Options], choice: Integers) -> tuple[int, float]:
    chosen = list(zip(items, choice, strict=True))
    cost = sum(int(item.costs[option]) for item, option in chosen)
    return cost, math.fsum(item.losses[option] for item, option in chosen)


@dataclass(frozen=True)
class _Edge:
    """From one option of an item on its hull to the next: what it costs more, what it saves."""

    place: int
    end: int
    extra: int
    saved: float
    slope: float


@dataclass(frozen=True)
class _Front:
    """Options of an item that no other undercuts in cost and loss, the cheapest first.

    ``hull`` holds the edges of their lower convex hull; their slopes fall.
    """

    options: Integers
    hull: Sequence[_Edge]


def _pareto_front(item: Options) -> Integers:
    """The options that no other undercuts, from the cheapest to the least loss."""
    order = np.lexsort((item.losses, item.costs))
    losses = item.losses[order]
    return order[np.r_[True, losses[1:] < np.minimum.accumulate(losses)[:-1]]]


def _front(place: int, item: Options, options: Integers) -> _Front:
    """The front of some options that undercut each other nowhere (Andrew's monotone chain)."""

    def edge(start: int, end: int) -> _Edge:
        extra = int(item.costs[end] - item.costs[start])
        saved = float(item.losses[start] - item.losses[end])
        return _Edge(place, end, extra, saved, saved / extra)

    corners = [int(options[0])]
    hull: list[_Edge] = []
    for option in map(int, options[1:]):
        # Slopes are compared as they are sorted later, so that rounding cannot put an edge before
        # its own start.
        while hull and edge(corners[-1], option).slope >= hull[-1].slope:
            corners.pop()
            hull.pop()
        hull.append(edge(corners[-1], option))
        corners.append(option)
    return _Front(options, hull)


@dataclass(frozen=True)
class _Part:
    """The problem with some options left out, relaxed.

    ``critical`` is the first edge that does not fit; none where all do.
    """

    fronts: Sequence[_Front]
    choice: Integers
    lower_bound: float
    critical: _Edge | None


def _relax(items: Sequence[Options], fronts: Sequence[_Front], budget: int) -> _Part:
    """The Lagrangian relaxation: edges of the hulls from the steepest to the one that breaks."""
    edges = sorted((edge for front in fronts for edge in front.hull), key=lambda edge: -edge.slope)
    choice = np.array([front.options[0] for front in fronts], dtype=np.int64)
    cost, _ = _total(items, choice)
    for edge in edges:
        if cost + edge.extra > budget:
            in_part = edge.saved * (budget - cost) / edge.extra
            return _Part(fronts, choice, _total(items, choice)[1] - in_part, edge)
        choice[edge.place] = edge.end
        cost += edge.extra
    return _Part(fronts, choice, _total(items, choice)[1], None)


def _halves(part: _Part, items: Sequence[Options], budget: int) -> Iterator[list[_Front]]:
    """The fronts of a part's two halves: its critical item below the edge's end, or from it on.

    A half of which even the cheapest choice exceeds the budget is left out.
    """
    if part.critical is None:
        return
    place, end = part.critical.place, part.critical.end
    options = part.fronts[place].options
    split = int(np.flatnonzero(options == end)[0])
    for half in (options[:split], options[split:]):
        fronts = [*part.fronts]
        fronts[place] = _front(place, items[place], half)
        cheapest = [int(i.costs[f.options[0]]) for i, f in zip(items, fronts, strict=True)]
        if sum(cheapest) <= budget:
            yield fronts


def _fill(
    items: Sequence[Options], fronts: Sequence[_Front], choice: Integers, budget: int
) -> Integers:
    """Spend what is left: ever again the option that fits and saves most loss for its cost."""
    owner = np.repeat(np.arange(len(items)), [len(front.options) for front in fronts])
    option = np.concatenate([front.options for front in fronts])
    costs, losses = (
        np.concatenate([of[front.options] for of, front in zip(column, fronts, strict=True)])
        for column in ([i.costs for i in items], [i.losses for i in items])
    )
    choice = choice.copy()
    cost = np.array([i.costs[c] for i, c in zip(items, choice, strict=True)])
    loss = np.array([i.losses[c] for i, c in zip(items, choice, strict=True)])
    while True:
        extra, saved = costs - cost[owner], loss[owner] - losses
        # On a front less loss costs more, so nothing is divided by zero.
        fits = (saved > 0) & (extra <= budget - cost.sum())
        if not fits.any():
            return choice
        best = np.flatnonzero(fits)[np.argmax(saved[fits] / extra[fits])]
        place = owner[best]
        choice[place], cost[place], loss[place] = option[best], costs[best], losses[best]
