"""Error of a whole model against its bits: a codec for every tensor, or one for all."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qatlas.config.rate_distortion import RateDistortion
from qatlas.plotting import FULL_WIDTH, GREY, WEIGHTING_COLOURS, new_figure, readable
from qatlas.summary import Summary

_MARKERS = {"plain": "o", "normalised": "D"}
_MEANING = {
    "plain": "plain sum of squared errors",
    "normalised": "errors relative to variance",
}


def select(tables: Mapping[str, pd.DataFrame], settings: RateDistortion) -> pd.DataFrame:
    """Totals of the plans of the first model; then, at one budget, the rate by kind of tensor.

    Rows of a kind have no error and no series; other rows have no kind.
    """
    model = settings.allocated_models()[0]
    totals, plans = (tables[name] for name in ("allocation_totals", "allocations"))
    totals, plans = totals[totals.model == model], plans[plans.model == model]
    key = ["model", "weighting", "budget_bits_per_weight"]
    curves = totals[[*key, "plan", "series", "rate_bits_per_weight", "nmse"]]
    shown = plans[plans.budget_bits_per_weight == settings.allocation.shown_budget]
    shown = shown.assign(bits=shown.rate_bits_per_weight * shown.weights).sort_values("tensor")
    sums = shown.groupby([*key, "kind"])[["bits", "weights"]].sum().reset_index()
    kinds = sums.assign(plan="allocated", rate_bits_per_weight=sums.bits / sums.weights)
    drawn = pd.concat([curves, kinds.drop(columns=["bits", "weights"])], ignore_index=True)
    place = {weighting: place for place, weighting in enumerate(settings.allocation.weightings)}
    return drawn.sort_values(
        ["kind", "weighting", "plan", "budget_bits_per_weight"],
        key=lambda column: column.map(place) if column.name == "weighting" else column,
        na_position="first",
        ignore_index=True,
    )


def draw(drawn: pd.DataFrame) -> Figure:
    """A panel a weighting, with a step for every rate of a codec for all; then a row a kind."""
    curves, kinds = drawn[drawn.kind.isna()], drawn[drawn.kind.notna()]
    weightings = list(map(str, curves.weighting.unique()))
    widths = [*(1.0 for _ in weightings), 0.9]
    figure, axes = new_figure(FULL_WIDTH, 2.9, 1, len(widths), width_ratios=widths)
    for weighting, panel in zip(weightings, axes, strict=False):
        _draw_curves(panel, weighting, curves[curves.weighting == weighting])
        if panel is not axes[0]:
            panel.sharey(axes[0])
            panel.tick_params(labelleft=False, which="both")
    axes[0].set_ylabel("total MSE / variance of the weights")
    _draw_kinds(axes[-1], kinds)
    legend = {str(line.get_label()): line for panel in axes[:-1] for line in panel.get_lines()}
    figure.legend(list(legend.values()), list(legend), loc="outside lower center", ncols=3)
    return figure


def _draw_curves(panel: Axes, weighting: str, curves: pd.DataFrame) -> None:
    colour = WEIGHTING_COLOURS[weighting]
    uniform, allocated = (
        curves[curves.plan == plan].sort_values("budget_bits_per_weight")
        for plan in ("uniform", "allocated")
    )
    panel.plot(
        uniform.budget_bits_per_weight,
        uniform.nmse,
        color=GREY,
        drawstyle="steps-post",
        label="the best one codec for all tensors",
    )
    panel.plot(
        allocated.budget_bits_per_weight,
        allocated.nmse,
        color=colour,
        marker=_MARKERS[weighting],
        label=f"a codec for each tensor, {weighting}",
    )
    both = uniform.merge(allocated, on="budget_bits_per_weight", suffixes=("", "_allocated"))
    panel.fill_between(
        np.repeat(both.budget_bits_per_weight, 2)[1:],
        np.repeat(both.nmse, 2)[:-1],
        np.repeat(both.nmse_allocated, 2)[1:],
        color=colour,
        alpha=0.15,
        linewidth=0,
    )
    panel.set(yscale="log", xlabel="budget (bits per weight)", title=_MEANING[weighting])


def _draw_kinds(panel: Axes, kinds: pd.DataFrame) -> None:
    names = sorted(kinds.kind.unique(), reverse=True)
    budget = kinds.budget_bits_per_weight.iloc[0]
    panel.axvline(budget, color=GREY, linewidth=1.0, zorder=1)
    weightings = list(map(str, kinds.weighting.unique()))
    for place, weighting in enumerate(weightings):
        rows = kinds[kinds.weighting == weighting]
        panel.plot(
            rows.rate_bits_per_weight,
            # Side by side, so that equal rates do not hide each other.
            rows.kind.map(names.index) + 0.3 * (0.5 - (place + 0.5) / len(weightings)),
            linestyle="none",
            marker=_MARKERS[weighting],
            color=WEIGHTING_COLOURS[weighting],
        )
    panel.set_yticks(range(len(names)), [readable(name) for name in names])
    panel.set(xlabel="bits per weight of a kind", title=f"who gets what at {budget:g} bits")


def caption(summary: Summary, settings: RateDistortion) -> str:
    """What the figure shows."""
    model, shown = settings.allocated_models()[0], settings.allocation.shown_budget
    gains = [
        _gains(summary, f"allocation.{model}.{weighting}", shown, _MEANING[weighting])
        for weighting in settings.allocation.weightings
    ]
    return (
        f"Error of all quantized tensors of {model} within a budget of bits, everything charged, "
        "with the best one codec for all tensors and with a codec chosen for each. One codec "
        "leaves bits unused between the rates it can have; the shaded gain is least where it uses "
        f"them all. Gain for the {'; for the '.join(gains)}. Right: what the plans for {shown:g} "
        "bits give to each kind of tensor."
    )


def _gains(summary: Summary, name: str, shown: float, meaning: str) -> str:
    at_shown, largest = (
        summary[f"{name}.{gain}_db"].value for gain in (f"{shown:g}bit.gain", "largest_gain")
    )
    return f"{meaning}: {_decibels(at_shown)} at {shown:g} bits, {_decibels(largest)} at most"


def _decibels(gain: object) -> str:
    return "undefined" if gain is None else f"{gain:.2f} dB"
