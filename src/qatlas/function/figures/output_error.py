"""What each method loses at the output of layers, at four bits."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from qatlas.config.function import Function
from qatlas.function.first_seed import of_first_seed
from qatlas.plotting import FULL_WIDTH, family_colour, new_figure, readable
from qatlas.summary import Summary

_BITS = 4


def select(tables: Mapping[str, pd.DataFrame], settings: Function) -> pd.DataFrame:
    """Mean over layers of the relative output error, as it is and with a bias that corrects it."""
    rows = of_first_seed(tables["layers"])
    rows = rows[(rows.nominal_bits == _BITS) & (rows.codec != "cast")]
    means = rows.groupby(["model", "codec", "series"], as_index=False)[
        ["output_nmse", "bias_corrected_output_nmse", "rate_bits_per_weight"]
    ].mean()
    order = means.groupby("series").output_nmse.mean().sort_values(ascending=False)
    place = {name: number for number, name in enumerate(order.index)}
    return means.sort_values(["model", "series"], key=lambda c: c.map(place).fillna(0))


def draw(drawn: pd.DataFrame) -> Figure:
    """A row a method, a panel a model: a bar, and a tick for what a bias leaves."""
    models = sorted(drawn.model.unique())
    names = list(dict.fromkeys(drawn.series))
    figure, panels = new_figure(
        FULL_WIDTH, 0.9 + 0.17 * len(names), 1, len(models), sharey=True, sharex=True
    )
    for model, panel in zip(models, panels, strict=True):
        rows = drawn[drawn.model == model].set_index("series").reindex(names)
        places = range(len(names))
        colours = [family_colour(str(codec)) for codec in rows.codec]
        panel.barh(places, rows.output_nmse, color=colours, height=0.7)
        panel.plot(
            rows.bias_corrected_output_nmse,
            places,
            linestyle="none",
            marker="|",
            markersize=7,
            markeredgewidth=1.2,
            color="black",
            label="with a bias that corrects the mean",
        )
        panel.set(xscale="log", title=readable(model), xlabel="output error / output power")
        panel.set_yticks(places, [readable(name) for name in names])
        panel.grid(visible=False, axis="y")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower right")
    return figure


def caption(summary: Summary, settings: Function) -> str:
    """What the figure shows."""
    said = {True: "on every layer", False: "but not on every layer", "not_measured": "unmeasured"}
    held = [
        f"{model}: {said[summary.claims[f'{model}.feedback_lowers_the_output_error'].holds]}"
        for model in settings.models
    ]
    return (
        "Output error E|(W - W_hat) x|^2 over E|W x|^2 of methods of nominally four bits, mean "
        "over layers, on the calibration text; ticks: what is left when a bias takes off the "
        "error's mean. GPTQ is below rounding to nearest on the same scales "
        f"({'; '.join(held)})."
    )
