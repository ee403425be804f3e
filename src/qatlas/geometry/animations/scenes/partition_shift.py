"""How rounding moves the lines at which hidden units turn on."""

import numpy as np
from manim import FadeIn, ValueTracker, VGroup, always_redraw

from qatlas.geometry.animations.blocks import SIDE, Panel, pattern_colours, stacked
from qatlas.geometry.animations.facts import partition_shift
from qatlas.geometry.animations.stage import INK, Stage, words
from qatlas.geometry.animations.story import Story
from qatlas.geometry.correction.toy import first_layer
from qatlas.geometry.drawing import CHANGED_COLOUR, INFERENCE_COLOURS


def show(stage: Stage, story: Story) -> None:
    """The partition turns while weights move to the grid; the wedges between are what changed."""
    stage.headline("Rounding moves the partition")
    play_shift(stage, story, Panel((-2.2, 0.05), SIDE, np.zeros(2), story.extent))
    share = partition_shift(story, 1.0).changed_share
    told = stacked(
        [
            words("lines of the float network", 20, INK),
            words("lines of the rounded network", 20, INFERENCE_COLOURS["weights"]),
            words(f"other units on: {share:.1%} of the area", 20, CHANGED_COLOUR),
        ]
    ).move_to([3.9, 0, 0])
    stage.say("In the wedges between, another set of units is on.", FadeIn(told), pause=2.0)


def play_shift(stage: Stage, story: Story, panel: Panel) -> VGroup:
    """Play the move of the partition in a panel; all that is left standing in it."""
    colours = pattern_colours(story.toy.network.hidden_units)
    before = first_layer(story.toy.network)
    parts = partition_shift(story, 0.0).parts
    plane = VGroup(panel.frame('"inputs" x'), panel.cells(parts, colours))
    lines = panel.boundaries(before, INK, dashed=True)
    stage.say(
        f"{len(parts)} regions, each with its own units on.",
        FadeIn(plane),
        FadeIn(lines),
        pause=0.5,
    )
    moved = ValueTracker(0.0)

    def turning() -> VGroup:
        share = moved.get_value()
        return VGroup(
            panel.changed(partition_shift(story, share).parts),
            panel.boundaries(
                first_layer(story.quantized_share(share)), INFERENCE_COLOURS["weights"]
            ),
        )

    wedges = always_redraw(turning)
    stage.add(wedges, lines)
    stage.say(
        f"As weights move to their {story.bits}-bit values, the lines turn.",
        moved.animate.set_value(1.0),
        run_time=2.5,
        pause=0.5,
    )
    wedges.clear_updaters()
    return VGroup(plane, lines, wedges)
