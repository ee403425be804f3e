"""How rounding distorts the image of a grid of inputs."""

import numpy as np
from manim import FadeIn, Transform

from qatlas.geometry.animations.blocks import FLOAT_COLOUR, LEFT_HALF, RIGHT_HALF, SIDE, Panel
from qatlas.geometry.animations.facts import distortion
from qatlas.geometry.animations.stage import Stage
from qatlas.geometry.animations.story import Story
from qatlas.geometry.drawing import INFERENCE_COLOURS


def show(stage: Stage, story: Story) -> None:
    """A grid and a circle of inputs, their float image, and its drift to the rounded one."""
    stage.headline("Rounding distorts what the network maps")
    found = distortion(story, "weights")
    inputs = Panel(LEFT_HALF, SIDE, np.zeros(2), story.extent * 1.03)
    outputs = Panel.around(RIGHT_HALF, SIDE, (*found.exact, *found.quantized))
    drawn = inputs.curves(story.curves, FLOAT_COLOUR)
    stage.say("A grid of inputs, and a circle.", FadeIn(inputs.frame('"inputs" x')), FadeIn(drawn))
    image = drawn.copy()
    exact = outputs.curves(found.exact, FLOAT_COLOUR)
    stage.say(
        "The network folds the grid where a unit turns off.",
        FadeIn(outputs.frame('"outputs" y')),
        Transform(image, exact),
        run_time=2.0,
    )
    colour = INFERENCE_COLOURS["weights"]
    moving = outputs.curves(found.exact, colour)
    stage.add(moving)
    names = outputs.key({"float": FLOAT_COLOUR, "rounded weights": colour})
    stage.say(
        f"Rounded weights map it elsewhere: {found.rms:.3f} away (RMS).",
        Transform(moving, outputs.curves(found.quantized, colour)),
        FadeIn(names),
        run_time=2.0,
        pause=2.0,
    )
