"""What rounding does to weights, and what a ReLU network is: affine, piece by piece."""

import numpy as np
from manim import DOWN, RIGHT, UP, Dot, FadeIn, FadeOut, Line, VGroup

from qatlas.geometry.animations.blocks import LEFT_HALF, SIDE, Panel, pattern_colours, stacked
from qatlas.geometry.animations.facts import Piece, affine_pieces
from qatlas.geometry.animations.stage import INK, PALE, Stage, formula, words
from qatlas.geometry.animations.story import Story
from qatlas.geometry.correction.toy import first_layer
from qatlas.geometry.drawing import INFERENCE_COLOURS

_HALF = 5.6
_MOST_MARKS = 128


def show(stage: Stage, story: Story) -> None:
    """Weights move onto a grid; then the map of each region of the plane."""
    stage.headline("A small ReLU network, quantized")
    _round_weights(stage, story)
    _affine_pieces(stage, story)


def _round_weights(stage: Stage, story: Story) -> None:
    step = 2.0 ** -(story.bits - 1)
    weights = np.concatenate([weight.ravel() for weight in story.toy.network.weights])
    rounded = np.concatenate([weight.ravel() for weight in story.toy.quantized.weights])
    reach = step * np.ceil(max(np.abs(weights).max(), np.abs(rounded).max()) / step)
    scale = _HALF / reach
    # The marks of a finer grid could not be told apart.
    between = step if reach / step <= _MOST_MARKS / 2 else reach
    marks = np.arange(-reach, reach + between / 2, between)
    axis = Line(_HALF * 1.03 * -RIGHT, _HALF * 1.03 * RIGHT, color=PALE, stroke_width=2)
    ticks = [Line(0.15 * DOWN, 0.15 * UP, color=PALE, stroke_width=2) for _ in marks]
    named = [words(f"{mark:+g}", 18).move_to([scale * mark, -0.45, 0]) for mark in (-reach, reach)]
    zero = words("0", 18).move_to([0, -0.45, 0])
    for tick, mark in zip(ticks, marks, strict=True):
        tick.shift(scale * mark * RIGHT)
    dots = [Dot([scale * w, 0, 0], radius=0.09, color=INK) for w in weights]
    model = formula('y = W_2 thin op("relu")(W_1 x + b_1) + b_2', 48).move_to(1.9 * UP)
    scenery = VGroup(axis, *ticks, *named, zero)
    stage.play(FadeIn(model), FadeIn(scenery), FadeIn(VGroup(*dots)), run_time=0.8)
    stage.say(f"Its {len(weights)} weights are real numbers.", pause=0.8)
    stage.say(
        f"With {story.bits} bits each moves to the nearest multiple of 1/{round(1 / step)}.",
        *(
            dot.animate.move_to([scale * w, 0, 0]).set_color(INFERENCE_COLOURS["weights"])
            for dot, w in zip(dots, rounded, strict=True)
        ),
        run_time=1.5,
    )
    stage.play(FadeOut(scenery), FadeOut(VGroup(*dots)), FadeOut(model), run_time=0.5)


def _affine_pieces(stage: Stage, story: Story) -> None:
    panel = Panel(LEFT_HALF, SIDE, np.zeros(2), story.extent)
    pieces = affine_pieces(story.toy.network, story.extent)
    colours = pattern_colours(story.toy.network.hidden_units)
    plane = VGroup(
        panel.frame('"inputs" x'),
        panel.cells([piece.cell for piece in pieces], colours),
        panel.boundaries(first_layer(story.toy.network), INK),
    )
    stage.say("Each hidden unit turns on at a line.", FadeIn(plane), pause=0.6)
    numbers = [
        words(str(place), 26).move_to(panel.to(piece.cell.vertices.mean(axis=0)[None])[0])
        for place, piece in enumerate(pieces, start=1)
    ]
    maps = stacked([_written(place, piece) for place, piece in enumerate(pieces, start=1)], 0.4)
    maps.move_to([3.6, 0.05, 0])
    stage.say(
        "Between the lines the network is affine: each region has its own map.",
        FadeIn(VGroup(*numbers)),
        FadeIn(maps),
        pause=2.0,
    )


def _written(place: int, piece: Piece) -> VGroup:
    # Adding 0 makes -0 positive.
    rows = "; ".join(", ".join(f"{value:.2f}" for value in row + 0.0) for row in piece.matrix)
    shift = ", ".join(f"{value:.2f}" for value in piece.offset + 0.0)
    affine = formula(f"y = mat({rows}) x + vec({shift})", 30)
    return VGroup(words(f"{place}", 24), affine).arrange(RIGHT, buff=0.4)
