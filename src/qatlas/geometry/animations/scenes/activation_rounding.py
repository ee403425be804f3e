"""What changes when activations are rounded as well."""

import numpy as np
from manim import FadeIn, FadeOut, Transform, VGroup

from qatlas.geometry.animations.blocks import (
    ALIGNED_COLOUR,
    FLOAT_COLOUR,
    LEFT_HALF,
    RIGHT_HALF,
    SIDE,
    Panel,
    bars,
)
from qatlas.geometry.animations.facts import distortion, rounded_inputs, transport
from qatlas.geometry.animations.stage import Stage
from qatlas.geometry.animations.story import Story
from qatlas.geometry.drawing import INFERENCE_COLOURS
from qatlas.geometry.points import grid

_BOTH = "weights_and_activations"
_COLOUR = INFERENCE_COLOURS[_BOTH]
_SIDE_OF_LATTICE = 15


def show(stage: Stage, story: Story) -> None:
    """Inputs snap to their grid, the image turns into steps; an affine map takes less back."""
    stage.headline("Activations are rounded too")
    _round_activations(stage, story)
    _compare(stage, story)


def _round_activations(stage: Stage, story: Story) -> None:
    found = distortion(story, _BOTH)
    points = grid(story.extent, _SIDE_OF_LATTICE)
    image, rounded = story.exact(points).output, story.toy.rounded(_BOTH, points).output
    inputs = Panel(LEFT_HALF, SIDE, np.zeros(2), story.extent * 1.1)
    outputs = Panel.around(RIGHT_HALF, SIDE, (*found.exact, *found.quantized))
    radii = [0.04] * len(points)
    grey, colours = ([colour] * len(points) for colour in (FLOAT_COLOUR, _COLOUR))
    dots, images = inputs.dots(points, radii, grey), outputs.dots(image, radii, grey)
    scenery = VGroup(
        inputs.frame('"inputs" x'),
        inputs.curve(story.curves[-1], FLOAT_COLOUR, 2.5),
        outputs.frame('"outputs" y'),
        outputs.curve(found.exact[-1], FLOAT_COLOUR, 2.5),
        outputs.key({"float": FLOAT_COLOUR, "weights and activations rounded": _COLOUR}),
    )
    stage.say(
        "Inputs and what the float network makes of them.", *map(FadeIn, (scenery, dots, images))
    )
    circle = inputs.curve(story.curves[-1], _COLOUR, 4)
    stage.add(circle)
    stage.say(
        f"With {story.activation_bits} bits every input moves to a point of a coarse lattice.",
        Transform(dots, inputs.dots(rounded_inputs(story, points), radii, colours)),
        Transform(circle, inputs.curve(rounded_inputs(story, story.curves[-1]), _COLOUR, 4)),
        run_time=2.0,
    )
    around = outputs.curve(found.exact[-1], _COLOUR, 4)
    stage.add(around)
    stage.say(
        "What hidden units give is rounded as well: the circle's image turns into steps.",
        Transform(images, outputs.dots(rounded, radii, colours)),
        Transform(around, outputs.curve(found.quantized[-1], _COLOUR, 4)),
        run_time=2.0,
    )
    stage.play(FadeOut(VGroup(scenery, dots, images, circle, around)), run_time=0.5)


def _compare(stage: Stage, story: Story) -> None:
    carried = {name: transport(story, name).left for name in ("weights", _BOTH)}
    heights = bars(
        {
            f"{called},\n{after}": carried[name][rung, "all"].rms
            for name, called in (("weights", "weights alone"), (_BOTH, "activations too"))
            for rung, after in (("none", "as it is"), ("full", "affine map"))
        },
        [INFERENCE_COLOURS["weights"], ALIGNED_COLOUR, _COLOUR, ALIGNED_COLOUR],
        3.8,
    ).move_to([0, 0, 0])
    alone, too = (left["full", "all"].recovered for left in carried.values())
    stage.say("RMS error of the output, before and after the best affine map.", FadeIn(heights))
    stage.say(
        f"The map takes back {alone:.0%} of the energy; with activations rounded too, {too:.0%}.",
        pause=2.0,
    )
