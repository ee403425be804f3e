"""The LaTeX kit of a whole study."""

import re
import shutil

import pytest

from tests.paper.latex_of import compiled, needs_latex

# One worker runs those of the finished study, so that it is built once.
pytestmark = pytest.mark.xdist_group("study")


def test_the_kit_has_every_figure_of_the_study(study):
    kit = study.folder / "results/paper/latex"
    figures = {
        f"{path.parents[1].name}-{path.stem}.pdf"
        for path in (study.folder / "results").glob("*/figures/*.pdf")
    }
    assert {path.name for path in (kit / "figures").glob("*.pdf")} == figures
    shown = set(re.findall(r"(?m)^\\input\{figures/(\S+)\}", (kit / "main.tex").read_text()))
    assert {f"{name}.pdf" for name in shown} == figures


@needs_latex
def test_the_article_with_all_of_the_study_compiles(study, tmp_path):
    kit = shutil.copytree(study.folder / "results/paper/latex", tmp_path / "kit")
    log = compiled(kit).with_suffix(".log").read_text(errors="replace")
    assert not re.findall(r"Overfull.*|LaTeX Warning.*(?:undefined|too large).*", log)
