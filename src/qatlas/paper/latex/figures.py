"""A figure as a float of LaTeX."""

from qatlas.paper.figures import PrintedFigure
from qatlas.paper.latex.escape import escape
from qatlas.plotting import COLUMN_WIDTH


def figure_name(figure: PrintedFigure) -> str:
    """Name of its files and, after ``fig:``, of its label; chapters may have figures alike."""
    return f"{figure.chapter}-{figure.name}"


def figure_tex(figure: PrintedFigure) -> str:
    """The float: one column wide or two, by the figure's width, and never higher than a page."""
    narrow = figure.width <= COLUMN_WIDTH
    environment, width = ("figure", r"\columnwidth") if narrow else ("figure*", r"\textwidth")
    name = figure_name(figure)
    return (
        f"\\begin{{{environment}}}[tp]\n"
        "  \\centering\n"
        f"  \\includegraphics[width={width},height=0.75\\textheight,keepaspectratio]"
        f"{{\\atlasfolder/figures/{name}.pdf}}\n"
        f"  \\caption{{{escape(figure.caption)}}}\n"
        f"  \\label{{fig:{name}}}\n"
        f"\\end{{{environment}}}\n"
    )
