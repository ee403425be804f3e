"""A scene of Manim that plays a function, and how it becomes a film."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from typing import Any

import manimpango
import matplotlib as mpl
from manim import DOWN, UP, FadeIn, FadeOut, MathTypst, Mobject, Scene, Text, VGroup, tempconfig

from qatlas.atomic import replacing
from qatlas.geometry.animations import SCENES
from qatlas.geometry.animations.story import Story

PAPER, INK, PALE = "#FFFFFF", "#1A1A1A", "#8C8C8C"
FONT = "DejaVu Sans"
QUALITIES: dict[str, dict[str, int]] = {
    "low": {"pixel_width": 854, "pixel_height": 480, "frame_rate": 15},
    "medium": {"pixel_width": 1280, "pixel_height": 720, "frame_rate": 30},
    "high": {"pixel_width": 1920, "pixel_height": 1080, "frame_rate": 60},
}
"""Pixels and frames a second."""

_LARGE = 48


class Stage(Scene):  # type: ignore[misc]  # Manim is optional, so that its types are unknown.
    """A white scene with a headline above and one sentence below, played by a function."""

    def __init__(self, show: "Show", story: Story) -> None:
        super().__init__()
        # The font that matplotlib carries, so that no font of the machine is needed.
        manimpango.register_font(str(Path(mpl.get_data_path()) / "fonts/ttf/DejaVuSans.ttf"))
        self.camera.background_color = PAPER
        self._show, self._story = show, story
        self._said: Mobject | None = None

    def construct(self) -> None:
        """Play the scene; Manim calls this."""
        self._show(self, self._story)

    def headline(self, text: str) -> None:
        """Write what the scene is about at the top."""
        self.play(FadeIn(words(text, 30).move_to(3.55 * UP)), run_time=0.5)

    def say(self, text: str, *along: Any, run_time: float = 1.0, pause: float = 1.0) -> None:
        """Put a sentence in the place of the last one while animations play, and let it be read."""
        if self._said is not None:
            self.play(FadeOut(self._said), run_time=0.3)
        self._said = words(text, 22).move_to(3.55 * DOWN)
        self.play(FadeIn(self._said), *along, run_time=run_time)
        self.wait(pause)

    def wipe(self) -> None:
        """Take everything away, for another scene to follow."""
        self.play(*(FadeOut(thing) for thing in self.mobjects), run_time=0.5)
        self.clear()
        self._said = None


Show = Callable[[Stage, Story], None]
"""What plays a scene."""


def words(text: str, size: float, colour: str = INK) -> Text:
    """Text in the chapter's font, laid out large, since Pango spaces small letters unevenly."""
    return Text(text, font=FONT, font_size=_LARGE, color=colour).scale(size / _LARGE)


def formula(typst: str, size: float, colour: str = INK) -> MathTypst:
    """A formula in Typst's notation."""
    return MathTypst(typst, font_size=size, color=colour)


def legend(entries: dict[str, str], size: float = 20) -> VGroup:
    """Words in a row, each in the colour of the things that it names."""
    members = [words(text, size, colour) for text, colour in entries.items()]
    return VGroup(*members).arrange(buff=0.6, aligned_edge=UP)


def show_of(scene: str) -> Show:
    """What plays a scene of this name."""
    show: Show = import_module(f"qatlas.geometry.animations.scenes.{SCENES[scene]}").show
    return show


def render(show: Show, story: Story, pixels: dict[str, int], film: str | Path) -> None:
    """Write a film as MP4.

    Its bytes are not the same from run to run, its frames are.

    Parameters
    ----------
    pixels
        A value of ``QUALITIES``, or another size: pixel_width, pixel_height, frame_rate.
    """
    with TemporaryDirectory() as folder, replacing(film) as unfinished:
        settings = {
            **pixels,
            "media_dir": folder,
            "disable_caching": True,
            "progress_bar": "none",
            "verbosity": "WARNING",
        }
        with tempconfig(settings):
            stage = Stage(show, story)
            stage.render()
            copyfile(stage.renderer.file_writer.movie_file_path, unfinished)
