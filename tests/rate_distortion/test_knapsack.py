"""The search for one option of every item, against trying them all."""

from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.strategies import composite

from qatlas.errors import AtlasError
from qatlas.rate_distortion.knapsack import Options, solve


def options(costs, losses):
    return Options(np.array(costs, dtype=np.int64), np.array(losses, dtype=np.float64))


@composite
def problems(draw):
    """Up to five items of up to four options, and a budget that some choice keeps."""
    option = st.tuples(st.integers(0, 40), st.floats(0, 100, allow_subnormal=False))
    item = st.lists(option, min_size=1, max_size=4)
    items = [options(*zip(*o, strict=True)) for o in draw(st.lists(item, min_size=1, max_size=5))]
    cheapest = sum(int(item.costs.min()) for item in items)
    return items, cheapest + draw(st.integers(0, 80))


def totals(items, choice):
    chosen = [(item.costs[c], item.losses[c]) for item, c in zip(items, choice, strict=True)]
    return tuple(map(sum, zip(*chosen, strict=True)))


def least_loss(items, budget):
    """By trying every choice."""
    every = (totals(items, choice) for choice in product(*(range(len(i.costs)) for i in items)))
    return min(loss for cost, loss in every if cost <= budget)


@given(problems(), st.sampled_from([0, 1, 5]))
def test_the_least_loss_lies_between_the_bound_and_what_is_found(problem, steps):
    items, budget = problem
    found = solve(items, budget, steps)
    least = least_loss(items, budget)
    assert found.lower_bound <= least * (1 + 1e-9) + 1e-12
    assert least <= found.loss * (1 + 1e-9) + 1e-12


@given(problems())
def test_with_enough_steps_the_least_loss_is_found(problem):
    items, budget = problem
    found = solve(items, budget, steps=1000)
    least = least_loss(items, budget)
    assert found.loss == pytest.approx(least, rel=1e-9, abs=1e-12)
    assert found.lower_bound == pytest.approx(least, rel=1e-9, abs=1e-12)


@given(problems(), st.sampled_from([0, 3]))
def test_the_budget_is_kept_and_the_totals_are_those_of_the_choice(problem, steps):
    items, budget = problem
    found = solve(items, budget, steps)
    cost, loss = totals(items, found.choice)
    assert found.cost == cost <= budget
    assert found.loss == pytest.approx(loss)


@given(problems(), st.floats(0, 100))
def test_the_bound_without_a_step_is_that_of_the_lagrangian_dual(problem, slope):
    """No multiplier gives a higher bound, and the best one gives this."""
    items, budget = problem

    def dual(multiplier):
        return sum(np.min(i.losses + multiplier * i.costs) for i in items) - multiplier * budget

    bound = solve(items, budget, steps=0).lower_bound
    assert dual(slope) <= bound + 1e-9
    # The dual is piecewise linear: its greatest value lies where two options of an item tie.
    ties = [
        float((i.losses[a] - i.losses[b]) / (i.costs[b] - i.costs[a]))
        for i in items
        for a, b in product(range(len(i.costs)), repeat=2)
        if i.costs[a] < i.costs[b] and i.losses[a] > i.losses[b]
    ]
    assert bound == pytest.approx(max(map(dual, [0.0, *ties])), rel=1e-9, abs=1e-9)


@given(problems())
def test_no_single_change_that_fits_is_better(problem):
    items, budget = problem
    found = solve(items, budget, steps=0)
    cost, loss = totals(items, found.choice)
    for item, now in zip(items, found.choice, strict=True):
        fits = cost - item.costs[now] + item.costs <= budget
        assert (loss - item.losses[now] + item.losses[fits] >= loss - 1e-9).all()


@given(problems())
def test_without_a_step_at_most_what_one_edge_saves_is_lost(problem):
    items, budget = problem
    found = solve(items, budget, steps=0)
    saved = max(np.ptp(item.losses) for item in items)
    assert found.loss - found.lower_bound <= saved + 1e-9


@given(problems())
def test_a_budget_for_everything_buys_the_least_loss_of_every_item(problem):
    items, _ = problem
    found = solve(items, sum(int(item.costs.max()) for item in items), steps=0)
    assert found.loss == pytest.approx(sum(item.losses.min() for item in items))
    assert found.lower_bound == found.loss


@given(problems(), st.randoms(use_true_random=False))
def test_the_order_of_the_options_does_not_matter(problem, random):
    items, budget = problem
    orders = [random.sample(range(len(item.costs)), len(item.costs)) for item in items]
    shuffled = [
        options(item.costs[order], item.losses[order])
        for item, order in zip(items, orders, strict=True)
    ]
    one, other = solve(items, budget, 5), solve(shuffled, budget, 5)
    assert (one.cost, one.loss, one.lower_bound) == (other.cost, other.loss, other.lower_bound)


def test_an_option_above_the_hull_is_taken_where_the_hull_leaves_bits_unused():
    # The hull goes straight from 0 to 10; only the option at 6 fits.
    found = solve([options([0, 6, 10], [100, 60, 0])], budget=9, steps=0)
    assert found.choice.tolist() == [1]
    assert found.lower_bound == pytest.approx(10)


def test_steps_find_what_greed_misses():
    """The large item is worth less a bit at first, and then there is no room for it."""
    items = [options([0, 10], [100, 0]), options([0, 3], [31, 0])]
    greedy, searched = solve(items, 10, steps=0), solve(items, 10, steps=10)
    assert greedy.loss == 100
    assert searched.loss == searched.lower_bound == 31


def test_equal_problems_have_equal_solutions():
    rng = np.random.default_rng(3)
    items = [options(rng.integers(0, 99, 9), rng.random(9)) for _ in range(12)]
    one, other = solve(items, 400, 20), solve(items, 400, 20)
    assert one.choice.tolist() == other.choice.tolist()
    assert one.lower_bound == other.lower_bound < one.loss * (1 + 1e-12)


@given(problems())
def test_a_budget_below_the_cheapest_choice_is_refused(problem):
    items, _ = problem
    cheapest = sum(int(item.costs.min()) for item in items)
    assume(cheapest > 0)
    with pytest.raises(AtlasError, match=f"found {cheapest - 1}; the cheapest .* {cheapest}$"):
        solve(items, cheapest - 1, steps=0)
