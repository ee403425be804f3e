"""One story: the partition moves, its image moves, an affine map brings it back, the rest stays."""

import numpy as np
from manim import FadeIn, FadeOut, Transform, VGroup

from qatlas.geometry.animations.blocks import (
    ALIGNED_COLOUR,
    FLOAT_COLOUR,
    LEFT_HALF,
    RIGHT_HALF,
    SIDE,
    Panel,
    dot_radii,
)
from qatlas.geometry.animations.facts import distortion, thinned, transport
from qatlas.geometry.animations.scenes.partition_shift import play_shift
from qatlas.geometry.animations.stage import Stage
from qatlas.geometry.animations.story import Story
from qatlas.geometry.drawing import CLASS_COLOURS, INFERENCE_COLOURS


def show(stage: Stage, story: Story) -> None:
    """Inputs at the left, outputs at the right."""
    stage.headline("From the partition to what remains")
    left = Panel(LEFT_HALF, SIDE, np.zeros(2), story.extent)
    shifted = play_shift(stage, story, left)
    found, moved = distortion(story, "weights"), transport(story, "weights")
    right = Panel.around(RIGHT_HALF, SIDE, (*found.exact, *found.quantized, *moved.aligned))
    colour = INFERENCE_COLOURS["weights"]
    image = right.curves(found.exact, colour)
    names = right.key({"float": FLOAT_COLOUR, "rounded": colour, "aligned": ALIGNED_COLOUR})
    scenery = VGroup(right.frame('"outputs" y'), right.curves(found.exact, FLOAT_COLOUR), names)
    stage.say("A grid of inputs and a circle, as the float network maps them.", FadeIn(scenery))
    stage.say(
        "With the lines, their image moves.",
        Transform(image, right.curves(found.quantized, colour)),
        run_time=2.0,
    )
    recovered = moved.left["full", "all"].recovered
    stage.say(
        f"One affine map of the outputs undoes {recovered:.0%} of the error's energy.",
        Transform(image, right.curves(moved.aligned, ALIGNED_COLOUR)),
        run_time=2.0,
    )
    shown = thinned(moved.points, moved.is_topological)
    kinds = np.where(moved.is_topological, CLASS_COLOURS["topological"], CLASS_COLOURS["metric"])
    dots = left.dots(moved.points[shown], dot_radii(moved.after)[shown], kinds[shown])
    kind_names = left.key({f"{name} error": shade for name, shade in CLASS_COLOURS.items()})
    stage.say(
        f"What remains, {moved.left['full', 'all'].rms:.3f} (RMS), takes more than one affine map.",
        FadeOut(shifted[1:]),
        FadeIn(dots),
        FadeIn(kind_names),
        pause=2.5,
    )
