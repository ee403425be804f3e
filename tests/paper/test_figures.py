import pandas as pd

from qatlas.figure_files import save_figure
from qatlas.paper.figures import figures_in_order
from qatlas.plotting import new_figure


def draw(folder, chapter, name, width):
    figure, _ = new_figure(width, 2.0)
    file = folder / chapter / "figures" / f"{name}.pdf"
    save_figure(figure, pd.DataFrame(), f"What {name} shows.", file, ())
    return file


def test_chapters_stay_together_in_the_order_in_which_they_come(tmp_path):
    files = [
        draw(tmp_path, "weights", "b", 3.25),
        draw(tmp_path, "lut", "a", 6.75),
        draw(tmp_path, "weights", "a", 6.75),
    ]
    found = figures_in_order(files)
    assert [(one.chapter, one.name) for one in found] == [
        ("weights", "b"),
        ("weights", "a"),
        ("lut", "a"),
    ]


def test_a_figure_has_its_caption_and_its_size_in_inches(tmp_path):
    (found,) = figures_in_order([draw(tmp_path, "weights", "b", 3.25)])
    assert found.caption == "What b shows."
    assert (round(found.width, 2), round(found.height, 2)) == (3.25, 2.0)
