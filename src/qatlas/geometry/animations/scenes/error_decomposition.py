"""Metric and topological error, and how much of the energy each has."""

import numpy as np
from manim import FadeIn, VGroup

from qatlas.geometry.animations.blocks import LEFT_HALF, SIDE, Panel, bars, dot_radii
from qatlas.geometry.animations.facts import decomposition, thinned
from qatlas.geometry.animations.stage import INK, Stage
from qatlas.geometry.animations.story import Story
from qatlas.geometry.correction.toy import first_layer
from qatlas.geometry.drawing import CLASS_COLOURS, INFERENCE_COLOURS


def show(stage: Stage, story: Story) -> None:
    """Every input's error, as large as it is and in the colour of its class; then the shares."""
    stage.headline("Two kinds of error")
    found = decomposition(story, "weights")
    panel = Panel(LEFT_HALF, SIDE, np.zeros(2), story.extent * 1.03)
    plane = VGroup(
        panel.boundaries(first_layer(story.toy.network), INK, dashed=True),
        panel.boundaries(first_layer(story.toy.quantized), INFERENCE_COLOURS["weights"]),
    )
    stage.say(
        "The lines of the float network, dashed, and of the rounded one.",
        FadeIn(panel.frame('"inputs" x')),
        FadeIn(plane),
        FadeIn(panel.key({f"{name} error": shade for name, shade in CLASS_COLOURS.items()})),
        pause=0.5,
    )
    radii = dot_radii(found.errors)
    for called, members, said in (
        ("metric", ~found.is_topological, "Metric error: the same units are on, the map differs."),
        ("topological", found.is_topological, "Topological error: other units are on."),
    ):
        shown = members & thinned(found.points, found.is_topological)
        dots = panel.dots(
            found.points[shown], radii[shown], [CLASS_COLOURS[called]] * int(shown.sum())
        )
        stage.say(said, FadeIn(dots))
    around = decomposition(story, "weights", "circle")
    shares = bars(
        {
            "of points\nof the grid": found.energy.topological_points,
            "of energy\non the grid": found.energy.topological_share,
            "of energy on\nthe circle": around.energy.topological_share,
        },
        ["#B5B5B5", CLASS_COLOURS["topological"], CLASS_COLOURS["topological"]],
        3.0,
        ".1%",
    ).move_to([3.6, 0, 0])
    stage.say("The share of all that is topological.", FadeIn(shares), pause=2.0)
