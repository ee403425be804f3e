"""The correction of each layer, exact and to first order."""

from manim import UP, FadeIn, FadeOut, Transform, VGroup

from qatlas.geometry.animations.blocks import ALIGNED_COLOUR, FLOAT_COLOUR, Panel, bars
from qatlas.geometry.animations.facts import cascade_curves, cascade_rms, float_curves
from qatlas.geometry.animations.stage import Stage, formula, legend
from qatlas.geometry.animations.story import Story
from qatlas.geometry.drawing import INFERENCE_COLOURS

_NONE, _FIRST, _BOTH = ("none", "none"), ("exact", "none"), ("exact", "exact")
_ROUNDED = INFERENCE_COLOURS["weights"]


def show(stage: Stage, story: Story) -> None:
    """Layer by layer the error is taken away; then what corrections that know less leave."""
    stage.headline("A correction for each layer")
    exact = formula("C_ell = -E_ell hat(a)_(ell-1) - W_ell epsilon_(ell-1)", 40)
    stage.play(FadeIn(exact.move_to(2.7 * UP)), run_time=0.5)
    panels = _correct_layers(stage, story)
    known = formula("C_ell approx -E_ell a_(ell-1) - W_ell epsilon_(ell-1)", 40).move_to(2.7 * UP)
    stage.say(
        "To first order, the float activations a stand in for the rounded ones.",
        FadeOut(exact),
        FadeOut(panels),
        FadeIn(known),
        pause=0.8,
    )
    left = {
        "no correction": _NONE,
        "exact,\nlayer 1 alone": _FIRST,
        "first order,\nlayer 2 alone": ("none", "first_order"),
        "layer 2, from the\nfloat pass alone": ("none", "linearised"),
        "exact,\nboth layers": _BOTH,
    }
    heights = bars(
        {called: cascade_rms(story, corrections) for called, corrections in left.items()},
        [_ROUNDED, *[ALIGNED_COLOUR] * 4],
        3.2,
        ".4f",
    )
    stage.say(
        "RMS error of the output, by what is corrected and what that may know.",
        FadeIn(heights.move_to([0, -0.5, 0])),
        pause=2.0,
    )


def _correct_layers(stage: Stage, story: Story) -> VGroup:
    """Take away the error of the first layer and then of the second; all that stands there."""
    panels, floats, moving = [], VGroup(), []
    for layer, middle in enumerate((-3.0, 3.0)):
        exact = float_curves(story, layer)
        rounded = cascade_curves(story, layer, _NONE)
        panel = Panel.around((middle, -0.6), 4.3, (*exact, *rounded))
        panels.append(panel)
        named = "z_1 = W_1 x + b_1" if layer == 0 else "y = W_2 a_1 + b_2"
        floats.add(panel.frame(named), panel.curves(exact, FLOAT_COLOUR))
        moving.append(panel.curves(rounded, _ROUNDED))
    names = legend(
        {"float": FLOAT_COLOUR, "rounded": _ROUNDED, "corrected": ALIGNED_COLOUR}, 16
    ).move_to([0, -3.02, 0])
    stage.say(
        f"Both layers err: {cascade_rms(story, _NONE):.3f} at the output (RMS).",
        *map(FadeIn, (floats, *moving, names)),
    )
    first, second = panels
    stage.say(
        f"Layer 1 is corrected; layer 2 still errs by {cascade_rms(story, _FIRST):.3f}.",
        Transform(moving[0], first.curves(cascade_curves(story, 0, _FIRST), ALIGNED_COLOUR)),
        Transform(moving[1], second.curves(cascade_curves(story, 1, _FIRST), _ROUNDED)),
        run_time=2.0,
    )
    stage.say(
        f"Layer 2 is corrected too: {cascade_rms(story, _BOTH):.3f} is left.",
        Transform(moving[1], second.curves(cascade_curves(story, 1, _BOTH), ALIGNED_COLOUR)),
        run_time=2.0,
    )
    return VGroup(floats, *moving, names)
