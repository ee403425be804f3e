"""Films of scenes, where Manim is installed (`make animations`)."""

import numpy as np
import pytest

from qatlas.config.geometry_animations import Animations
from qatlas.config.geometry_correction import Correction
from qatlas.geometry.animations import SCENES
from qatlas.geometry.animations.story import story_of

manim = pytest.importorskip("manim", reason="Manim is optional; `make animations` installs it")
pytest.importorskip("typst", reason="Typst is optional; `make animations` installs it")
av = pytest.importorskip("av")

from qatlas.geometry.animations.stage import Stage, render, show_of  # noqa: E402

pytestmark = pytest.mark.slow

STORY = story_of(Correction(grid_side=15, circle_points=64), Animations(lines=5, samples=9), seed=1)
SMALLEST = {"pixel_width": 426, "pixel_height": 240, "frame_rate": 6}


def frames(path):
    """Decoded frames, shape (frames, height, width), grey from 0 to 255, and seconds."""
    with av.open(str(path)) as film:
        shown = [frame.to_ndarray(format="gray") for frame in film.decode(video=0)]
        return np.stack(shown), len(shown) / float(film.streams.video[0].average_rate)


@pytest.fixture(scope="module", params=["PartitionShift", "CorrectionCascade"])
def film(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("films") / f"{request.param}.mp4"
    render(show_of(request.param), STORY, SMALLEST, path)
    return request.param, path


def test_a_film_is_as_long_as_it_takes_to_tell(film):
    shown, seconds = frames(film[1])
    assert shown.shape[1:] == (240, 426)
    assert 5 <= seconds <= 20


def test_a_film_shows_something_and_it_moves(film):
    shown, _ = frames(film[1])
    inked = (shown < 200).mean(axis=(1, 2))
    assert inked[len(shown) // 2] > 0.005
    assert inked[-1] > 0.005
    changes = np.abs(np.diff(shown.astype(int), axis=0)).max(axis=(1, 2))
    assert (changes > 60).any()


def test_a_film_has_a_headline_and_a_sentence_and_nothing_touches_its_border(film):
    shown, _ = frames(film[1])
    last = shown[-1]
    assert (last[3:30] < 140).any()
    assert (last[-30:-3] < 140).any()
    border = np.ones(last.shape, bool)
    border[3:-3, 5:-5] = False
    assert shown[:, border].min() > 215


@pytest.mark.parametrize("film", ["PartitionShift"], indirect=True)
def test_the_same_film_has_the_same_frames(film, tmp_path):
    name, path = film
    again = tmp_path / "again.mp4"
    render(show_of(name), STORY, SMALLEST, again)
    np.testing.assert_array_equal(frames(again)[0], frames(path)[0])
    assert [file.name for file in tmp_path.iterdir()] == ["again.mp4"]


class Watched(Stage):
    """A stage whose texts are looked at whenever it pauses to be read."""

    def wait(self, *args, **kwargs):
        texts = [
            part
            for thing in self.mobjects
            for part in thing.get_family()
            if isinstance(part, (manim.Text, manim.MathTypst))
        ]
        boxes = [(text, text.get_corner(manim.DL), text.get_corner(manim.UR)) for text in texts]
        half = np.array([manim.config.frame_width, manim.config.frame_height]) / 2
        for place, (text, low, high) in enumerate(boxes):
            assert (np.abs([low[:2], high[:2]]) < half - 0.15).all(), text
            for other, other_low, other_high in boxes[:place]:
                apart = (high[:2] < other_low[:2]) | (other_high[:2] < low[:2])
                assert apart.any(), (text, other)
        self.pauses = getattr(self, "pauses", 0) + 1
        super().wait(*args, **kwargs)


@pytest.mark.parametrize("scene", SCENES)
def test_no_text_is_cut_and_none_lies_on_another(scene, tmp_path):
    settings = {
        "dry_run": True,
        "media_dir": str(tmp_path),
        "verbosity": "ERROR",
        "frame_rate": 1,
    }
    with manim.tempconfig({**settings, "progress_bar": "none", "disable_caching": True}):
        stage = Watched(show_of(scene), STORY)
        stage.render()
    assert stage.pauses >= 3
