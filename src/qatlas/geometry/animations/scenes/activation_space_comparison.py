"""Why the raw distance between activations misleads."""

from manim import FadeIn, FadeOut, Transform

from qatlas.geometry.animations.blocks import (
    ALIGNED_COLOUR,
    FLOAT_COLOUR,
    LEFT_HALF,
    SIDE,
    Panel,
    bars,
)
from qatlas.geometry.animations.facts import alignment
from qatlas.geometry.animations.stage import Stage
from qatlas.geometry.animations.story import Story
from qatlas.geometry.drawing import INFERENCE_COLOURS


def show(stage: Stage, story: Story) -> None:
    """Activations drift; one affine map takes most of the drift back."""
    stage.headline("Why raw L2 distance misleads")
    found = alignment(story)
    panel = Panel.around(LEFT_HALF, SIDE, (*found.exact, *found.quantized, *found.aligned))
    colour = INFERENCE_COLOURS["weights"]
    exact, moving = (
        panel.curves(found.exact, FLOAT_COLOUR),
        panel.curves(found.quantized, colour),
    )
    names = panel.key({"float": FLOAT_COLOUR, "rounded": colour, "aligned": ALIGNED_COLOUR})
    stage.say(
        "What the hidden units give for the grid of inputs.",
        FadeIn(panel.frame('"activations" a')),
        FadeIn(exact),
        FadeIn(names),
    )
    heights = bars(
        {"raw": found.raw_rms, "after one\naffine map": found.aligned_rms},
        [colour, ALIGNED_COLOUR],
        3.2,
    ).move_to([3.6, 0, 0])
    (raw, aligned), ground = heights
    apart = panel.segments(found.exact[-1][::6], found.quantized[-1][::6], colour)
    stage.say(
        f"Rounded weights move them by {found.raw_rms:.3f} (RMS).",
        FadeIn(moving),
        FadeIn(apart),
        FadeIn(ground),
        FadeIn(raw),
    )
    stage.say(
        "One affine map, which the next layer could absorb, is no loss.",
        FadeOut(apart),
        Transform(moving, panel.curves(found.aligned, ALIGNED_COLOUR)),
        FadeIn(aligned),
        run_time=2.0,
    )
    stage.say(
        f"It leaves {found.left:.0%} of the distance's energy.",
        pause=2.0,
    )
